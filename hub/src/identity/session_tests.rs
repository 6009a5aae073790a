//! Tokens that must not be believed, each made as an attacker would.

use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::*;

const LIFE: Duration = Duration::from_secs(900);

struct Forge {
    keys: SessionKeys,
    pair: Ed25519KeyPair,
    public: Vec<u8>,
}

impl Forge {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
        let pem = key.serialize_pem();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).expect("Ed25519");
        Self {
            keys: SessionKeys::from_pem(pem.as_bytes()).expect("usable"),
            public: pair.public_key().as_ref().to_vec(),
            pair,
        }
    }

    fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": TYPE, "kid": self.keys.keys[0].id})
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    /// A token with the right key, but with header and claims as given.
    fn token(&self, header: &Value, claims: &Value) -> String {
        self.sign(&header.to_string(), &claims.to_string())
    }
}

fn message(header: &str, claims: &str) -> String {
    format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(claims.as_bytes())
    )
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::nil(), "role": "analyst", "jti": Uuid::nil(), "gen": 0,
        "iat": now(), "nbf": now(), "exp": now() + 900,
    })
}

fn with(mut base: Value, key: &str, value: Value) -> Value {
    base[key] = value;
    base
}

fn without(mut base: Value, key: &str) -> Value {
    base.as_object_mut().expect("an object").remove(key);
    base
}

fn notary() -> Person {
    let office_id = "hzgl".parse().expect("an office id");
    Person::new(Uuid::now_v7(), Role::Notary(office_id))
}

#[test]
fn a_session_reads_back_as_the_person_it_was_issued_to() {
    let forge = Forge::new();
    for person in [notary(), Person::new(Uuid::now_v7(), Role::Supervisor)] {
        let begin = OffsetDateTime::now_utc();
        let (token, end) = forge
            .keys
            .issue(Uuid::now_v7(), &person, 0, begin, begin + LIFE);
        let verified = forge.keys.verify(&token).expect("our own");
        assert_eq!((verified.person, verified.expires_at), (person, end));
        assert_eq!(end.unix_timestamp(), begin.unix_timestamp() + 900);
    }
    let own = forge.token(&forge.header(), &claims());
    assert!(forge.keys.verify(&own).is_ok(), "the forge itself is right");
}

#[test]
fn a_session_ends() {
    let forge = Forge::new();
    let long_ago = OffsetDateTime::now_utc() - Duration::from_secs(1000);
    let (token, _) = forge
        .keys
        .issue(Uuid::now_v7(), &notary(), 0, long_ago, long_ago + LIFE);
    assert_eq!(forge.keys.verify(&token), Err(TokenError::OutOfTime));
    let later = OffsetDateTime::now_utc() + Duration::from_secs(100);
    let (token, _) = forge
        .keys
        .issue(Uuid::now_v7(), &notary(), 0, later, later + LIFE);
    assert_eq!(forge.keys.verify(&token), Err(TokenError::OutOfTime));
}

#[test]
fn a_session_of_another_hub_is_nobodys() {
    let (ours, theirs) = (Forge::new(), Forge::new());
    let (token, _) = theirs.keys.issue(
        Uuid::now_v7(),
        &notary(),
        0,
        OffsetDateTime::now_utc(),
        OffsetDateTime::now_utc() + LIFE,
    );
    assert_eq!(ours.keys.verify(&token), Err(TokenError::ForeignHeader));
    let renamed = theirs.token(&ours.header(), &claims());
    assert_eq!(ours.keys.verify(&renamed), Err(TokenError::NotOurs));
}

#[test]
fn the_first_key_signs_and_every_key_verifies_under_its_own_id() {
    let pems: Vec<String> = (0..3)
        .map(|_| {
            let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
            key.serialize_pem()
        })
        .collect();
    let read = |pems: &[&str]| SessionKeys::from_pem(pems.concat().as_bytes()).expect("usable");
    let before = read(&[&pems[0], &pems[1]]);
    let after = read(&[&pems[1], &pems[2], &pems[0]]);
    let later = read(&[&pems[2], &pems[1]]);
    let issue = |keys: &SessionKeys| {
        keys.issue(
            Uuid::now_v7(),
            &notary(),
            0,
            OffsetDateTime::now_utc(),
            OffsetDateTime::now_utc() + LIFE,
        )
        .0
    };
    assert!(after.verify(&issue(&before)).is_ok(), "the overlap");
    assert!(before.verify(&issue(&after)).is_ok(), "a hub not told yet");
    assert_eq!(
        later.verify(&issue(&before)),
        Err(TokenError::ForeignHeader),
        "rotated out"
    );
    assert_eq!(
        SessionKeys::from_pem(b"").err(),
        Some(SessionKeyError::Empty)
    );
}

#[test]
fn no_other_header_is_believed() {
    let forge = Forge::new();
    let good = forge.header();
    for header in [
        with(good.clone(), "alg", json!("none")),
        with(good.clone(), "alg", json!("None")),
        with(good.clone(), "alg", json!("NONE")),
        with(good.clone(), "alg", json!("nOnE")),
        with(good.clone(), "alg", json!("HS256")),
        with(good.clone(), "alg", json!("RS256")),
        with(good.clone(), "alg", json!("ES256")),
        with(good.clone(), "alg", json!("eddsa")),
        with(good.clone(), "alg", json!(["EdDSA"])),
        without(good.clone(), "alg"),
        with(good.clone(), "typ", json!("JWT")),
        with(good.clone(), "typ", json!("id+jwt")),
        without(good.clone(), "typ"),
        with(good.clone(), "kid", json!("")),
        with(good.clone(), "kid", json!("../../etc/passwd")),
        with(good.clone(), "kid", json!("' OR 1=1 --")),
        with(good.clone(), "kid", json!("\u{0}")),
        with(good.clone(), "kid", json!("k".repeat(1000))),
        with(good.clone(), "kid", json!(null)),
        without(good.clone(), "kid"),
        with(good.clone(), "jku", json!("https://evil.example/keys")),
        with(good.clone(), "x5u", json!("https://evil.example/cert")),
        with(good.clone(), "jwk", json!({"kty": "OKP"})),
        with(good.clone(), "x5c", json!([])),
        with(good.clone(), "crit", json!(["exp"])),
        with(good.clone(), "b64", json!(false)),
        with(good.clone(), "cty", json!("JWT")),
        with(good.clone(), "enc", json!("A256GCM")),
        json!([]),
        json!("EdDSA"),
    ] {
        let token = forge.token(&header, &claims());
        assert_eq!(
            forge.keys.verify(&token),
            Err(TokenError::ForeignHeader),
            "{header}"
        );
    }
    let twice = good.to_string().replacen('{', r#"{"alg":"none","#, 1);
    let token = forge.sign(&twice, &claims().to_string());
    assert_eq!(forge.keys.verify(&token), Err(TokenError::ForeignHeader));
}

#[test]
fn no_other_signature_is_believed() {
    let forge = Forge::new();
    let message = message(&forge.header().to_string(), &claims().to_string());
    let good = forge.token(&forge.header(), &claims());
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let hs_header = json!({"alg": "HS256", "typ": TYPE, "kid": forge.keys.keys[0].id});
    let hs_message = self::message(&hs_header.to_string(), &claims().to_string());
    let mac = |key: &[u8], text: &str| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        BASE64URL_NOPAD.encode(tag.as_ref())
    };
    let changed = signed.replacen(&signed[signed.len() - 2..], "AA", 1);
    for token in [
        format!("{message}."),
        message.clone(),
        format!("{message}.AAAA"),
        format!("{message}.{}", BASE64URL_NOPAD.encode(&[0; 64])),
        format!("{message}.{}", mac(&forge.public, &message)),
        format!("{message}.{}", mac(b"", &message)),
        format!("{hs_message}.{}", mac(&forge.public, &hs_message)),
        format!("{changed}.{signature}"),
        format!("{good}="),
        format!("{good}.{signature}"),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}\u{0}"),
        String::new(),
        ".".into(),
        "..".into(),
        "令.牌.名".into(),
        "a".repeat(LONGEST + 1),
    ] {
        assert!(forge.keys.verify(&token).is_err(), "{token}");
    }
}

#[test]
fn no_other_claims_are_believed() {
    let forge = Forge::new();
    let good = claims();
    let far = now() + 900;
    for claims in [
        without(good.clone(), "exp"),
        without(good.clone(), "nbf"),
        without(good.clone(), "iat"),
        without(good.clone(), "iss"),
        without(good.clone(), "aud"),
        without(good.clone(), "sub"),
        without(good.clone(), "jti"),
        without(good.clone(), "role"),
        without(good.clone(), "gen"),
        with(good.clone(), "gen", json!("0")),
        with(good.clone(), "gen", json!(0.5)),
        with(good.clone(), "exp", json!(now() - 60)),
        with(good.clone(), "exp", json!(far.to_string())),
        with(good.clone(), "exp", json!(far as f64 + 0.5)),
        with(good.clone(), "exp", json!(-1)),
        with(good.clone(), "exp", json!(0)),
        with(good.clone(), "exp", json!(u64::MAX)),
        with(good.clone(), "exp", json!(1e300)),
        with(good.clone(), "exp", json!(null)),
        with(good.clone(), "exp", json!([far])),
        with(good.clone(), "nbf", json!(now() + 600)),
        with(good.clone(), "nbf", json!("0")),
        with(good.clone(), "nbf", json!(null)),
        with(good.clone(), "nbf", json!(far + 1)),
        with(good.clone(), "iat", json!(far + 1)),
        with(good.clone(), "iss", json!("notary-hub/")),
        with(good.clone(), "iss", json!("Notary-Hub")),
        with(good.clone(), "iss", json!([ISSUER])),
        with(good.clone(), "aud", json!("other")),
        with(good.clone(), "aud", json!([AUDIENCE, "other"])),
        with(good.clone(), "aud", json!([])),
        with(good.clone(), "sub", json!("root")),
        with(good.clone(), "sub", json!("")),
        with(good.clone(), "role", json!("admin")),
        with(good.clone(), "role", json!("notary")),
        with(good.clone(), "role", json!(["operator"])),
        with(good.clone(), "office_id", json!("hzgl")),
        with(
            with(good.clone(), "role", json!("notary")),
            "office_id",
            json!("../x"),
        ),
        with(good.clone(), "admin", json!(true)),
        json!([]),
        json!(null),
    ] {
        let token = forge.token(&forge.header(), &claims);
        assert!(forge.keys.verify(&token).is_err(), "{claims}");
    }
    let twice = good
        .to_string()
        .replacen('{', &format!(r#"{{"exp":{far},"#), 1);
    let token = forge.sign(&forge.header().to_string(), &twice);
    assert!(forge.keys.verify(&token).is_err(), "a claim given twice");
}

#[test]
fn debug_output_holds_neither_key_nor_token() {
    let forge = Forge::new();
    let (token, expires_at) = forge.keys.issue(
        Uuid::now_v7(),
        &notary(),
        0,
        OffsetDateTime::now_utc(),
        OffsetDateTime::now_utc() + LIFE,
    );
    let session = Session {
        access_token: token.clone(),
        expires_at,
        person: notary(),
        display_name: "公证员".into(),
    };
    let shown = format!("{session:?} {:?}", forge.keys);
    assert!(
        !shown.contains(&token) && !shown.contains("公证员"),
        "{shown}"
    );
}

#[test]
fn a_token_that_was_verified_is_good_no_longer_than_its_time() {
    let forge = Forge::new();
    let token = forge.token(&forge.header(), &claims());
    assert!(forge.keys.verify(&token).is_ok());
    assert!(forge.keys.verify(&token).is_ok(), "and again");
    let ended = with(claims(), "exp", json!(now() - 60));
    let ended = with(
        with(ended, "iat", json!(now() - 90)),
        "nbf",
        json!(now() - 90),
    );
    let ended = forge.token(&forge.header(), &ended);
    // As if it had been verified while it was good.
    let mut verified = forge.keys.verify(&token).expect("good");
    verified.expires_at = OffsetDateTime::now_utc() - Duration::from_secs(60);
    let good = Good {
        verified,
        begin: now() - 90,
    };
    let mut remembered = forge.keys.good.lock().expect("nobody panicked");
    remembered.put(Sha256::digest(&ended).into(), good);
    drop(remembered);
    assert_eq!(forge.keys.verify(&ended), Err(TokenError::OutOfTime));
}

#[test]
fn another_signature_on_a_token_that_was_verified_is_refused() {
    let forge = Forge::new();
    let token = forge.token(&forge.header(), &claims());
    assert!(forge.keys.verify(&token).is_ok());
    let (signed, _) = token.rsplit_once('.').expect("three parts");
    let other = format!("{signed}.{}", BASE64URL_NOPAD.encode(&[7; 64]));
    assert_eq!(forge.keys.verify(&other), Err(TokenError::NotOurs));
}
