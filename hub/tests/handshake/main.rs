//! Who gets past the agents' listener: through real TLS handshakes, one bad certificate at a time.
#![allow(clippy::unwrap_used)]

mod key;
mod malformed;
#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use notary_hub::config::TlsVersion;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::HandshakeKind;
use rustls_pki_types::CertificateDer;
use support::gateway::Gateway;
use support::{Keys, client};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GOOD: &str = "spiffe://notary.hangzhou/office/hzgl";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

struct Hub {
    gateway: Gateway,
}

impl Hub {
    async fn start() -> Self {
        Self::with("").await
    }

    async fn with(extra: &str) -> Self {
        Self {
            gateway: Gateway::agents(extra).await,
        }
    }

    fn keys(&self) -> &Keys {
        &self.gateway.keys
    }

    fn ca(&self) -> Issuer<'static, KeyPair> {
        let pki = self.keys().config.pki_dir();
        let key = std::fs::read_to_string(pki.join("ca.key")).unwrap();
        let certificate = std::fs::read_to_string(pki.join("ca.pem")).unwrap();
        Issuer::from_ca_cert_pem(&certificate, KeyPair::from_pem(&key).unwrap()).unwrap()
    }

    /// Whether a client with this certificate gets as far as HTTP/2.
    async fn accepts(&self, identity: Option<client::Identity>) -> bool {
        let config = client::config(client::ca(self.keys()), identity, &[b"h2"]);
        answers_http2(self.gateway.address, config).await
    }

    /// The same for a leaf that the hub's CA signed.
    async fn accepts_leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> bool {
        let key = KeyPair::generate().unwrap();
        let mut params = good();
        change(&mut params);
        let leaf = params.signed_by(&key, &self.ca()).unwrap();
        self.accepts(Some((vec![leaf.der().clone()], key.serialize_der())))
            .await
    }
}

async fn answers_http2(address: SocketAddr, config: rustls::ClientConfig) -> bool {
    let talk = async {
        let mut tls = client::connect(address, Arc::new(config)).await?;
        tls.write_all(PREFACE).await?;
        let mut frame = [0; 9];
        tls.read_exact(&mut frame).await
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), talk).await;
    answer.expect("an answer or an end").is_ok()
}

fn good() -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    let mut params = CertificateParams::default();
    params.not_before = now - Duration::from_secs(60);
    params.not_after = now + Duration::from_secs(3600);
    params.serial_number = Some(SerialNumber::from_slice(&[0x42; 16]));
    params.subject_alt_names = vec![uri(GOOD)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().unwrap())
}

#[tokio::test]
async fn a_certificate_as_the_hub_issues_it_gets_in() {
    let hub = Hub::start().await;
    assert!(hub.accepts_leaf(|_| ()).await);
    let (key, csr) = support::csr();
    let proven = notary_hub::identity::pki::authority::ProvenKey::from_csr(&csr).unwrap();
    let now = OffsetDateTime::now_utc();
    let office = "hzgl".parse().unwrap();
    let issued = hub
        .keys()
        .pki
        .authority
        .certify_office(office, &proven, now);
    let chain = vec![issued.unwrap().der, client::ca(hub.keys())];
    assert!(hub.accepts(Some((chain, key.serialize_der()))).await);
}

#[tokio::test]
async fn names_that_the_hub_never_gives_stay_outside() {
    let hub = Hub::start().await;
    let names: [(&str, Vec<SanType>); 17] = [
        ("no name", vec![]),
        (
            "two offices",
            vec![uri(GOOD), uri("spiffe://notary.hangzhou/office/hzqt")],
        ),
        ("the same twice", vec![uri(GOOD), uri(GOOD)]),
        ("URI and DNS", vec![uri(GOOD), dns("hzgl.example")]),
        ("DNS alone", vec![dns("hzgl")]),
        (
            "another domain",
            vec![uri("spiffe://notary.ningbo/office/hzgl")],
        ),
        (
            "a longer domain",
            vec![uri("spiffe://notary.hangzhou.evil/office/hzgl")],
        ),
        (
            "a subdomain",
            vec![uri("spiffe://a.notary.hangzhou/office/hzgl")],
        ),
        (
            "dots",
            vec![uri("spiffe://notary.hangzhou/office/../office/hzgl")],
        ),
        (
            "percent-encoding",
            vec![uri("spiffe://notary.hangzhou/office/hz%67l")],
        ),
        (
            "upper case",
            vec![uri("spiffe://notary.hangzhou/office/HZGL")],
        ),
        (
            "a slash behind",
            vec![uri("spiffe://notary.hangzhou/office/hzgl/")],
        ),
        (
            "two slashes",
            vec![uri("spiffe://notary.hangzhou/office//hzgl")],
        ),
        (
            "another kind",
            vec![uri("spiffe://notary.hangzhou/person/hzgl")],
        ),
        (
            "a query",
            vec![uri("spiffe://notary.hangzhou/office/hzgl?x")],
        ),
        (
            "a port",
            vec![uri("spiffe://notary.hangzhou:1/office/hzgl")],
        ),
        (
            "another scheme",
            vec![uri("https://notary.hangzhou/office/hzgl")],
        ),
    ];
    for (what, names) in names {
        let accepted = hub
            .accepts_leaf(|params| params.subject_alt_names = names)
            .await;
        assert!(!accepted, "{what}");
    }
    let only_common_name = hub
        .accepts_leaf(|params| {
            params.subject_alt_names.clear();
            let mut name = DistinguishedName::new();
            name.push(DnType::CommonName, GOOD);
            params.distinguished_name = name;
        })
        .await;
    assert!(!only_common_name);
}

#[tokio::test]
async fn usages_that_the_hub_never_gives_stay_outside() {
    let hub = Hub::start().await;
    type Change = fn(&mut CertificateParams);
    let changes: [(&str, Change); 8] = [
        ("no extended usage", |p| p.extended_key_usages.clear()),
        ("server authentication", |p| {
            p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }),
        ("any usage", |p| {
            p.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
        }),
        ("no usage", |p| p.key_usages.clear()),
        ("key agreement alone", |p| {
            p.key_usages = vec![KeyUsagePurpose::KeyAgreement];
        }),
        ("signs certificates", |p| {
            p.key_usages.push(KeyUsagePurpose::KeyCertSign);
        }),
        ("is a CA", |p| {
            p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }),
        ("a foreign serial number", |p| {
            p.serial_number = Some(SerialNumber::from_slice(&[0x42; 20]));
        }),
    ];
    for (what, change) in changes {
        assert!(!hub.accepts_leaf(change).await, "{what}");
    }
}

#[tokio::test]
async fn certificates_out_of_their_time_stay_outside() {
    let hub = Hub::start().await;
    let now = OffsetDateTime::now_utc();
    let minute = Duration::from_secs(60);
    let month = Duration::from_secs(30 * 24 * 3600);
    let lasted = |until| {
        move |params: &mut CertificateParams| {
            params.not_before = until - Duration::from_secs(3600);
            params.not_after = until;
        }
    };
    assert!(
        !hub.accepts_leaf(lasted(now - month - minute)).await,
        "ended"
    );
    assert!(
        hub.accepts_leaf(lasted(now - month + minute)).await,
        "ended, but may renew"
    );
    assert!(
        !hub.accepts_leaf(|p| p.not_before = now + minute).await,
        "not begun"
    );
    let upside_down = hub
        .accepts_leaf(|p| (p.not_before, p.not_after) = (p.not_after, p.not_before))
        .await;
    assert!(!upside_down);
}

#[tokio::test]
async fn certificates_of_nobody_we_know_stay_outside() {
    let hub = Hub::start().await;
    let key = KeyPair::generate().unwrap();
    let der = || key.serialize_der();
    let leaf = |issuer: &Issuer<'_, KeyPair>| good().signed_by(&key, issuer).unwrap().der().clone();
    let ours = hub.ca();

    assert!(!hub.accepts(None).await, "no certificate");
    let own = good().self_signed(&key).unwrap();
    assert!(
        !hub.accepts(Some((vec![own.der().clone()], der()))).await,
        "self-signed"
    );

    let elsewhere = Hub::start().await;
    let theirs = leaf(&elsewhere.ca());
    assert!(
        !hub.accepts(Some((vec![theirs.clone()], der()))).await,
        "another hub's CA of the same name"
    );
    let with_their_ca = vec![theirs, client::ca(elsewhere.keys())];
    assert!(
        !hub.accepts(Some((with_their_ca, der()))).await,
        "which brings its CA along"
    );

    let ca_key = std::fs::read_to_string(hub.keys().config.pki_dir().join("ca.key")).unwrap();
    let ca_key = KeyPair::from_pem(&ca_key).unwrap().serialize_der();
    assert!(
        !hub.accepts(Some((vec![client::ca(hub.keys())], ca_key)))
            .await,
        "the CA itself"
    );

    let stolen = leaf(&ours);
    let other_key = KeyPair::generate().unwrap().serialize_der();
    assert!(
        !hub.accepts(Some((vec![stolen], other_key))).await,
        "without its key"
    );
}

#[tokio::test]
async fn chains_that_the_hub_never_makes_stay_outside() {
    let hub = Hub::start().await;
    let (key, middle_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let leaf_below = |params: &CertificateParams| {
        let issuer = Issuer::from_params(params, &middle_key);
        good().signed_by(&key, &issuer).unwrap().der().clone()
    };
    let office = good();
    let office_der = office
        .signed_by(&middle_key, &hub.ca())
        .unwrap()
        .der()
        .clone();
    let chain = vec![leaf_below(&office), office_der];
    assert!(
        !hub.accepts(Some((chain, key.serialize_der()))).await,
        "an office as CA"
    );

    let mut middle = CertificateParams::default();
    middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    middle.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let middle_der = middle
        .signed_by(&middle_key, &hub.ca())
        .unwrap()
        .der()
        .clone();
    let chain = vec![leaf_below(&middle), middle_der.clone()];
    assert!(
        !hub.accepts(Some((chain, key.serialize_der()))).await,
        "a CA below the CA"
    );

    let mut long = vec![leaf_below(&middle)];
    long.extend(std::iter::repeat_n(middle_der, 60));
    assert!(
        !hub.accepts(Some((long, key.serialize_der()))).await,
        "a long chain"
    );
}

#[tokio::test]
async fn damaged_certificates_stay_outside() {
    let hub = Hub::start().await;
    let key = KeyPair::generate().unwrap();
    let whole = good().signed_by(&key, &hub.ca()).unwrap().der().to_vec();
    let mut forged = whole.clone();
    *forged.last_mut().unwrap() ^= 1;
    let mut longer = whole.clone();
    longer.push(0);
    let half = whole[..whole.len() / 2].to_vec();
    for (what, bytes) in [
        ("another signature", forged),
        ("a byte behind it", longer),
        ("the first half", half),
        ("nothing", Vec::new()),
        ("no DER", vec![0xff; 300]),
    ] {
        let chain = vec![CertificateDer::from(bytes)];
        assert!(
            !hub.accepts(Some((chain, key.serialize_der()))).await,
            "{what}"
        );
    }
    assert!(hub.accepts_leaf(|_| ()).await, "the hub is still there");
}

#[tokio::test]
async fn only_tls_1_3_is_spoken_unless_configured_otherwise() {
    let strict = Hub::start().await;
    let lenient = Hub::with("[tls]\nminimum_version = '1.2'").await;
    assert_eq!(lenient.keys().config.tls.minimum_version, TlsVersion::Tls12);
    for (hub, spoken) in [(strict, false), (lenient, true)] {
        let key = KeyPair::generate().unwrap();
        let leaf = good().signed_by(&key, &hub.ca()).unwrap();
        let identity = (vec![leaf.der().clone()], key.serialize_der());
        let old = &[&rustls::version::TLS12];
        let ca = client::ca(hub.keys());
        let config = client::config_for(old, ca, Some(identity), &[b"h2"]);
        assert_eq!(answers_http2(hub.gateway.address, config).await, spoken);
    }
}

#[tokio::test]
async fn only_http_2_is_spoken_to_agents() {
    let hub = Hub::start().await;
    let key = KeyPair::generate().unwrap();
    let leaf = good().signed_by(&key, &hub.ca()).unwrap();
    let identity = || Some((vec![leaf.der().clone()], key.serialize_der()));
    let config = client::config(client::ca(hub.keys()), identity(), &[b"http/1.1"]);
    assert!(!answers_http2(hub.gateway.address, config).await);
}

#[tokio::test]
async fn no_session_is_ever_resumed() {
    let with_12 = "[tls]\nminimum_version = '1.2'";
    for (extra, version) in [
        ("", &rustls::version::TLS13),
        (with_12, &rustls::version::TLS12),
    ] {
        let hub = Hub::with(extra).await;
        let key = KeyPair::generate().unwrap();
        let leaf = good().signed_by(&key, &hub.ca()).unwrap();
        let identity = Some((vec![leaf.der().clone()], key.serialize_der()));
        // The client keeps tickets and session ids, and would use them.
        let config = client::config_for(&[version], client::ca(hub.keys()), identity, &[b"h2"]);
        let config = Arc::new(config);
        for _ in 0..3 {
            let mut tls = client::connect(hub.gateway.address, Arc::clone(&config))
                .await
                .unwrap();
            tls.write_all(PREFACE).await.unwrap();
            let mut frame = [0; 9];
            tls.read_exact(&mut frame).await.unwrap();
            let kind = tls.get_ref().1.handshake_kind();
            assert_eq!(kind, Some(HandshakeKind::Full), "{version:?}");
        }
    }
}
