//! Signing in through an identity provider on this machine, over real HTTPS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use data_encoding::BASE64URL_NOPAD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use notary_hub::audit::{Audit, key_file};
use notary_hub::config::Config;
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::entrance::{Entrance, EntranceError};
use notary_hub::identity::account::oidc::{IdTokenError, Provider, ProviderSignInError};
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::identity::{Role, RoleKind, Sessions};
use notary_hub::store;
use notary_hub::store::account::{Change, change, set_provider_subject};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::support::{Keys, pepper, sessions};

const CLIENT: &str = "notary-hub";
const NONCE: &str = "n-0S6_WzA2Mj";

/// A key of the provider's.
struct Signer {
    id: &'static str,
    pair: KeyPair,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        Self { id, pair }
    }

    fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id,
                "x": BASE64URL_NOPAD.encode(self.pair.der_bytes()) })
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id.to_owned());
        self.sign_under(&header, claims)
    }

    fn sign_under(&self, header: &Header, claims: &Value) -> String {
        let key = EncodingKey::from_ed_pem(self.pair.serialize_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }
}

type Answers = Arc<Mutex<HashMap<String, (StatusCode, Value)>>>;

/// What a provider publishes, and how often it was asked.
struct Publisher {
    address: SocketAddr,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
    ca_file: PathBuf,
    _folder: TempDir,
}

impl Publisher {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, certificate.pem()).unwrap();
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls_pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answers, asked) = (Answers::default(), Arc::<Mutex<Vec<String>>>::default());
        let router = {
            let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
            Router::new().fallback(async move |uri: Uri| {
                asked.lock().unwrap().push(uri.path().to_owned());
                let answer = answers.lock().unwrap().get(uri.path()).cloned();
                let (status, body) = answer.unwrap_or((StatusCode::NOT_FOUND, Value::Null));
                (status, body.to_string()).into_response()
            })
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    let tls = acceptor.accept(tcp).await?;
                    let service = TowerToHyperService::new(router);
                    auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(tls), service)
                        .await
                        .map_err(std::io::Error::other)
                });
            }
        });
        Self {
            address,
            answers,
            asked,
            ca_file,
            _folder: folder,
        }
    }

    fn issuer(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn answer(&self, path: &str, status: StatusCode, body: Value) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(path.to_owned(), (status, body));
    }

    fn publish(&self, keys: &[Value]) {
        let issuer = self.issuer();
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        self.answer(
            "/.well-known/openid-configuration",
            StatusCode::OK,
            discovery,
        );
        self.answer("/keys", StatusCode::OK, json!({ "keys": keys }));
    }

    fn times_asked_for_keys(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|path| *path == "/keys").count()
    }

    fn provider(&self, second_factor: Vec<RoleKind>) -> Provider {
        let text = format!(
            "data_dir = '.'\n[oidc]\nissuer = '{}'\nclient_id = '{CLIENT}'\nca_file = '{}'",
            self.issuer(),
            self.ca_file.display()
        );
        let config = Config::parse(&text, &PathBuf::from("/test.toml"), []).unwrap();
        Provider::new(&config.oidc.unwrap(), second_factor).unwrap()
    }

    fn claims(&self, subject: &str) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        json!({ "iss": self.issuer(), "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300, "nonce": NONCE })
    }
}

struct Bureau {
    db: TestDatabase,
    sessions: Arc<Sessions>,
    publisher: Publisher,
    signer: Signer,
    keys: Keys,
}

/// A bureau whose analyst `wang` is the provider's person `u-17`.
async fn bureau() -> Bureau {
    let db = fresh_database().await;
    let keys = Keys::new();
    let new = NewAccount {
        login: "wang",
        display_name: "分析员",
        role: Role::Analyst,
    };
    account::add(&db.pool, &pepper(), new, "correct horse battery")
        .await
        .unwrap();
    set_provider_subject(&db.pool, "wang", Some("u-17"))
        .await
        .unwrap();
    let publisher = Publisher::start().await;
    let signer = Signer::new("k1");
    publisher.publish(&[signer.jwk()]);
    Bureau {
        sessions: Arc::new(sessions(&db.pool, &keys, []).await),
        db,
        publisher,
        signer,
        keys,
    }
}

impl Bureau {
    async fn sign_in(&self, provider: &Provider, token: &str) -> Result<Role, ProviderSignInError> {
        let session = provider.sign_in(&self.sessions, token, NONCE, None).await?;
        let person = self.sessions.verify(&session.access_token).unwrap();
        Ok(person.role)
    }
}

#[tokio::test]
async fn an_id_token_is_exchanged_for_a_session_once() {
    let bureau = bureau().await;
    let provider = bureau.publisher.provider(vec![]);
    let token = bureau.signer.sign(&bureau.publisher.claims("u-17"));
    assert_eq!(
        bureau.sign_in(&provider, &token).await.unwrap(),
        Role::Analyst
    );
    // Nor at another hub of the same database.
    let other = bureau.publisher.provider(vec![]);
    let again = bureau.sign_in(&other, &token).await;
    assert!(matches!(again, Err(ProviderSignInError::Used)), "{again:?}");
}

/// Order of the group of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The same token with the other signature that is as good: (r, n - s) for (r, s).
fn signed_otherwise(token: &str) -> String {
    let (text, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let mut borrow = 0;
    for (s, n) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature))
}

#[tokio::test]
async fn an_id_token_with_the_other_signature_of_the_same_is_no_second_one() {
    let bureau = bureau().await;
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let (x, y) = pair.der_bytes()[1..].split_at(32);
    bureau.publisher.publish(&[json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k2",
        "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y),
    })]);
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("k2".to_owned());
    let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let first = bureau.publisher.claims("u-17");
    let first = jsonwebtoken::encode(&header, &first, &key).unwrap();
    let mut second = bureau.publisher.claims("u-17");
    second["jti"] = json!("2");
    let second = jsonwebtoken::encode(&header, &second, &key).unwrap();
    let provider = bureau.publisher.provider(vec![]);
    bureau.sign_in(&provider, &first).await.unwrap();
    let again = bureau.sign_in(&provider, &signed_otherwise(&first)).await;
    assert!(matches!(again, Err(ProviderSignInError::Used)), "{again:?}");
    let other = bureau.sign_in(&provider, &signed_otherwise(&second)).await;
    assert!(other.is_ok(), "as good as the provider's own: {other:?}");
}

#[tokio::test]
async fn somebody_without_an_account_or_with_a_disabled_one_is_refused() {
    let bureau = bureau().await;
    let provider = bureau.publisher.provider(vec![]);
    let stranger = bureau.signer.sign(&bureau.publisher.claims("u-18"));
    let refused = bureau.sign_in(&provider, &stranger).await;
    assert!(
        matches!(refused, Err(ProviderSignInError::NoAccount)),
        "{refused:?}"
    );
    let disable = Change {
        disabled: Some(true),
        ..Change::default()
    };
    change(&bureau.db.pool, "wang", disable).await.unwrap();
    let disabled = bureau.signer.sign(&bureau.publisher.claims("u-17"));
    let refused = bureau.sign_in(&provider, &disabled).await;
    assert!(
        matches!(refused, Err(ProviderSignInError::NoAccount)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_role_that_needs_a_second_factor_needs_it_at_the_provider() {
    let bureau = bureau().await;
    let provider = bureau.publisher.provider(vec![RoleKind::Analyst]);
    let mut claims = bureau.publisher.claims("u-17");
    for alone in ["pwd", "otp", "fpt"] {
        claims["amr"] = json!([alone]);
        let refused = bureau
            .sign_in(&provider, &bureau.signer.sign(&claims))
            .await;
        assert!(
            matches!(refused, Err(ProviderSignInError::SecondFactorMissing)),
            "{alone}: {refused:?}"
        );
    }
    claims["amr"] = json!(["pwd", "otp"]);
    let token = bureau.signer.sign(&claims);
    assert_eq!(
        bureau.sign_in(&provider, &token).await.unwrap(),
        Role::Analyst
    );
}

#[tokio::test]
async fn claims_that_are_not_for_this_hub_now_are_refused() {
    let bureau = bureau().await;
    let provider = bureau.publisher.provider(vec![]);
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let good = bureau.publisher.claims("u-17");
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let slash = format!("{}/", bureau.publisher.issuer());
    let bad = [
        changed("iss", json!("https://localhost")),
        changed("iss", json!(slash)),
        changed("aud", json!("another")),
        changed("aud", json!([CLIENT, "another"])),
        changed("aud", json!([])),
        changed("azp", json!("another")),
        changed("exp", json!(now - 120)),
        changed("exp", json!("2999")),
        changed("exp", json!(-1)),
        changed("nbf", json!(now + 600)),
        changed("iat", json!(now - 3600)),
        changed("iat", json!(now + 600)),
        changed("nonce", json!("another")),
        changed("nonce", json!("")),
        changed("sub", json!("")),
        changed("sub", json!("u-17\0")),
        changed("sub", json!(17)),
        without("iss"),
        without("aud"),
        without("sub"),
        without("exp"),
        without("iat"),
        without("nonce"),
    ];
    for claims in bad {
        let refused = bureau
            .sign_in(&provider, &bureau.signer.sign(&claims))
            .await;
        assert!(
            matches!(refused, Err(ProviderSignInError::Token(_))),
            "{claims}: {refused:?}"
        );
    }
    let mut several = changed("aud", json!([CLIENT, "another"]));
    several["azp"] = json!(CLIENT);
    let token = bureau.signer.sign(&several);
    assert_eq!(
        bureau.sign_in(&provider, &token).await.unwrap(),
        Role::Analyst
    );
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let bureau = bureau().await;
    let secret = BASE64URL_NOPAD.encode(b"known to both sides");
    let symmetric = json!({ "kty": "oct", "kid": "shared", "alg": "HS256", "k": secret });
    let encryption = Signer::new("enc");
    let mut for_encryption = encryption.jwk();
    for_encryption["use"] = json!("enc");
    bureau
        .publisher
        .publish(&[bureau.signer.jwk(), symmetric, for_encryption]);
    let provider = bureau.publisher.provider(vec![]);
    let claims = bureau.publisher.claims("u-17");
    let good = bureau.signer.sign(&claims);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    let header = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let shared = |id: &str, key: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.to_owned());
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key)).unwrap()
    };
    let other_type = |typ: &str| {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some("k1".into());
        header.typ = Some(typ.to_owned());
        bureau.signer.sign_under(&header, &claims)
    };
    let forged = [
        String::new(),
        format!("{head}."),
        format!("{}.{payload}.", header(r#"{"alg":"none","kid":"k1"}"#)),
        format!(
            "{}.{payload}.{signature}",
            header(r#"{"alg":"EdDSA","kid":"k1","crit":["exp"]}"#)
        ),
        format!("{}.{payload}.{signature}", header(r#"{"alg":"EdDSA"}"#)),
        // The public key taken for a shared secret.
        shared("k1", bureau.signer.pair.der_bytes()),
        shared("k1", bureau.signer.pair.public_key_pem().as_bytes()),
        shared("shared", b"known to both sides"),
        Signer::new("k1").sign(&claims),
        encryption.sign(&claims),
        other_type("at+jwt"),
        other_type("logout+jwt"),
        format!("{good}{}", "A".repeat(20_000)),
    ];
    for token in forged {
        let refused = bureau.sign_in(&provider, &token).await;
        assert!(
            matches!(refused, Err(ProviderSignInError::Token(_))),
            "{token}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found_and_unknown_ones_do_not_make_the_hub_ask_on_and_on() {
    let bureau = bureau().await;
    let provider = bureau.publisher.provider(vec![]);
    let claims = bureau.publisher.claims("u-17");
    for _ in 0..5 {
        let refused = bureau
            .sign_in(&provider, &Signer::new("k9").sign(&claims))
            .await;
        let unknown = ProviderSignInError::Token(IdTokenError::UnknownKey).to_string();
        assert_eq!(refused.unwrap_err().to_string(), unknown);
    }
    assert_eq!(bureau.publisher.times_asked_for_keys(), 1);
    // Half a minute later it may ask again.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    let next = Signer::new("k2");
    bureau.publisher.publish(&[bureau.signer.jwk(), next.jwk()]);
    assert_eq!(
        bureau
            .sign_in(&provider, &next.sign(&claims))
            .await
            .unwrap(),
        Role::Analyst
    );
    assert_eq!(bureau.publisher.times_asked_for_keys(), 2);
}

#[tokio::test]
async fn a_provider_that_is_away_or_speaks_for_another_lets_nobody_in() {
    let bureau = bureau().await;
    let token = bureau.signer.sign(&bureau.publisher.claims("u-17"));
    let elsewhere = json!({ "keys": [Signer::new("k1").jwk()] });
    bureau
        .publisher
        .answer("/elsewhere", StatusCode::OK, elsewhere);
    let issuer = bureau.publisher.issuer();
    for (status, discovery) in [
        (StatusCode::SERVICE_UNAVAILABLE, Value::Null),
        (
            StatusCode::FOUND,
            json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }),
        ),
        (
            StatusCode::OK,
            json!({ "issuer": "https://other.example", "jwks_uri": format!("{issuer}/keys") }),
        ),
        (
            StatusCode::OK,
            json!({ "issuer": issuer, "jwks_uri": "http://localhost/keys" }),
        ),
        (StatusCode::OK, json!({ "issuer": issuer })),
        (StatusCode::OK, json!("x".repeat(300_000))),
    ] {
        let path = "/.well-known/openid-configuration";
        bureau.publisher.answer(path, status, discovery);
        let provider = bureau.publisher.provider(vec![]);
        let refused = bureau.sign_in(&provider, &token).await;
        assert!(
            matches!(refused, Err(ProviderSignInError::Provider(_))),
            "{refused:?}"
        );
    }
    // A certificate of nobody the hub trusts.
    let stranger = Publisher::start().await;
    let untrusting = Publisher {
        ca_file: stranger.ca_file.clone(),
        ..Publisher::start().await
    };
    untrusting.publish(&[bureau.signer.jwk()]);
    let refused = bureau.sign_in(&untrusting.provider(vec![]), &token).await;
    assert!(
        matches!(refused, Err(ProviderSignInError::Provider(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn refusals_are_recorded_and_an_address_has_so_many_tries_a_minute() {
    let bureau = bureau().await;
    let provider = bureau.publisher.provider(vec![]);
    let key = Arc::new(key_file::load_or_make(&bureau.keys.config).unwrap());
    let (audit, log) = Audit::new(store::pool::audit(&bureau.db.url).unwrap(), key);
    let stop = CancellationToken::new();
    let writing = tokio::spawn(log.run(stop.clone()));
    let sessions = Arc::clone(&bureau.sessions);
    let entrance = Entrance::new(bureau.db.pool.clone(), sessions, audit);
    let from = async |address: &str, token: &str| {
        let address = address.parse().unwrap();
        entrance
            .sign_in_by_provider(&provider, token, NONCE, address)
            .await
            .map(drop)
    };
    let mut refusals = 1;
    loop {
        match from("192.0.2.1", "no token").await {
            Err(EntranceError::Provider(ProviderSignInError::Token(_))) => refusals += 1,
            Err(EntranceError::TooOften { .. }) => break,
            other => panic!("{other:?}"),
        }
        assert!(refusals < 1_000, "there is a limit");
    }
    let token = bureau.signer.sign(&bureau.publisher.claims("u-17"));
    from("192.0.2.2", &token).await.unwrap();
    entrance.close().await;
    stop.cancel();
    writing.await.unwrap();

    let log = store::audit::after(&bureau.db.pool, 0, 100).await.unwrap();
    let denied = log.iter().filter(|entry| entry.outcome == "denied");
    let counts = denied.map(|entry| entry.detail["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), refusals);
    let signed_in = log.iter().find(|entry| entry.outcome == "done").unwrap();
    assert_eq!(signed_in.detail["by"], "provider");
}
