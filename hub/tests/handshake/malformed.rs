//! Certificates taken apart, changed where no library would, and signed again with the hub's own CA key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Hub, good};

const ECDSA_SHA256: &[u8] = &[
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];
const ECDSA_SHA224: &[u8] = &[
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01,
];
const ECDSA_SHA1: &[u8] = &[
    0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01,
];
const RSA_MD5: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04, 0x05, 0x00,
];

// Places in a TBSCertificate (RFC 5280, 4.1).
const VERSION: usize = 0;
const SERIAL: usize = 1;
const ALGORITHM: usize = 2;
const ISSUER: usize = 3;
const VALIDITY: usize = 4;
const SUBJECT: usize = 5;
const EXTENSIONS: usize = 7;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..0x80 => der.push(length as u8),
        0x80..0x100 => der.extend([0x81, length as u8]),
        _ => der.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    der.extend(content);
    der
}

/// The first element and what stands behind it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, head) = match der[1] {
        0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
        0x81 => (usize::from(der[2]), 3),
        short => (usize::from(short), 2),
    };
    der.split_at(head + length)
}

fn content(der: &[u8]) -> &[u8] {
    match der[1] {
        0x82 => &der[4..],
        0x81 => &der[3..],
        _ => &der[2..],
    }
}

fn elements(mut der: &[u8]) -> Vec<Vec<u8>> {
    let mut elements = Vec::new();
    while !der.is_empty() {
        let (first, rest) = split(der);
        elements.push(first.to_vec());
        der = rest;
    }
    elements
}

/// A good certificate in its parts, with what is needed to sign it again.
struct Workshop {
    key: KeyPair,
    ca: EcdsaKeyPair,
    parts: Vec<Vec<u8>>,
}

impl Workshop {
    fn new(hub: &Hub) -> Self {
        let key = KeyPair::generate().unwrap();
        let leaf = good().signed_by(&key, &hub.ca()).unwrap().der().to_vec();
        let tbs = X509Certificate::from_der(&leaf).unwrap().1;
        let parts = elements(content(tbs.tbs_certificate.as_ref()));
        let pem = std::fs::read_to_string(hub.keys().config.pki_dir().join("ca.key")).unwrap();
        let ca_key = KeyPair::from_pem(&pem).unwrap().serialize_der();
        Self {
            key,
            ca: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &ca_key).unwrap(),
            parts,
        }
    }

    fn with(&self, place: usize, part: Vec<u8>) -> Vec<Vec<u8>> {
        let mut parts = self.parts.clone();
        parts[place] = part;
        parts
    }

    fn signature(&self, tbs: &[u8]) -> Vec<u8> {
        let signature = self.ca.sign(&SystemRandom::new(), tbs).unwrap();
        tlv(0x03, &[&[0], signature.as_ref()].concat())
    }

    fn certificate(&self, parts: &[Vec<u8>], outer_algorithm: &[u8]) -> Vec<u8> {
        let tbs = tlv(0x30, &parts.concat());
        let signature = self.signature(&tbs);
        tlv(0x30, &[&tbs, outer_algorithm, &signature].concat())
    }

    fn extensions(&self) -> Vec<Vec<u8>> {
        elements(content(content(&self.parts[EXTENSIONS])))
    }

    fn with_extensions(&self, extensions: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let part = tlv(0xa3, &tlv(0x30, &extensions.concat()));
        self.with(EXTENSIONS, part)
    }

    /// The same bytes with each `from` replaced by as many others.
    fn patched(&self, from: &[u8], to: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(from.len(), to.len());
        let mut part = self.parts[EXTENSIONS].clone();
        let at = part
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        part[at..at + to.len()].copy_from_slice(to);
        self.with(EXTENSIONS, part)
    }

    async fn accepted(&self, hub: &Hub, der: Vec<u8>) -> bool {
        let chain = vec![CertificateDer::from(der)];
        hub.accepts(Some((chain, self.key.serialize_der()))).await
    }
}

#[tokio::test]
async fn what_the_workshop_puts_together_unchanged_gets_in() {
    let hub = Hub::start().await;
    let workshop = Workshop::new(&hub);
    let same = workshop.certificate(&workshop.parts, ECDSA_SHA256);
    assert!(workshop.accepted(&hub, same).await);
}

#[tokio::test]
async fn fields_that_no_ca_writes_stay_outside() {
    let hub = Hub::start().await;
    let workshop = Workshop::new(&hub);
    let version = |number| tlv(0xa0, &[0x02, 0x01, number]);
    let time = |text: &str| tlv(0x17, text.as_bytes());
    let validity = |from: &str, until: &str| tlv(0x30, &[time(from), time(until)].concat());
    let mut negative = [0x42; 16];
    negative[0] = 0xc2;
    for (what, parts) in [
        (
            "version 1 with extensions",
            workshop.with(VERSION, version(0)),
        ),
        (
            "version 2 with extensions",
            workshop.with(VERSION, version(1)),
        ),
        ("version 8", workshop.with(VERSION, version(7))),
        ("no version", workshop.with(VERSION, Vec::new())),
        (
            "a negative serial number",
            workshop.with(SERIAL, tlv(0x02, &negative)),
        ),
        ("serial number zero", workshop.with(SERIAL, tlv(0x02, &[0]))),
        (
            "sixteen zeros as serial number",
            workshop.with(SERIAL, tlv(0x02, &[0; 16])),
        ),
        (
            "an empty serial number",
            workshop.with(SERIAL, tlv(0x02, &[])),
        ),
        ("a padded serial number", {
            workshop.with(SERIAL, tlv(0x02, &[&[0][..], &[0x42; 16]].concat()))
        }),
        (
            "a short serial number",
            workshop.with(SERIAL, tlv(0x02, &[0x42; 8])),
        ),
        (
            "a huge serial number",
            workshop.with(SERIAL, tlv(0x02, &[0x42; 5000])),
        ),
        (
            "a serial number that is text",
            workshop.with(SERIAL, tlv(0x0c, &[0x42; 16])),
        ),
        ("nobody as issuer", workshop.with(ISSUER, tlv(0x30, &[]))),
        (
            "itself as issuer",
            workshop.with(ISSUER, workshop.parts[SUBJECT].clone()),
        ),
        (
            "month 13",
            workshop.with(VALIDITY, validity("251301000000Z", "491231000000Z")),
        ),
        (
            "no zone",
            workshop.with(VALIDITY, validity("250101000000", "491231000000")),
        ),
        ("another zone", {
            workshop.with(VALIDITY, validity("250101000000+0800", "491231000000+0800"))
        }),
        ("no time", workshop.with(VALIDITY, tlv(0x30, &[]))),
        ("no extensions", workshop.with(EXTENSIONS, Vec::new())),
        ("one part missing", workshop.parts[..6].to_vec()),
        (
            "one part more",
            [&workshop.parts[..], &[tlv(0x05, &[])]].concat(),
        ),
    ] {
        let der = workshop.certificate(&parts, ECDSA_SHA256);
        assert!(!workshop.accepted(&hub, der).await, "{what}");
    }
}

#[tokio::test]
async fn signatures_of_weak_or_other_algorithms_stay_outside() {
    let hub = Hub::start().await;
    let workshop = Workshop::new(&hub);
    for (what, inner, outer) in [
        ("SHA-1", ECDSA_SHA1, ECDSA_SHA1),
        ("SHA-224", ECDSA_SHA224, ECDSA_SHA224),
        ("MD5", RSA_MD5, RSA_MD5),
        ("SHA-1 inside", ECDSA_SHA1, ECDSA_SHA256),
        ("SHA-1 outside", ECDSA_SHA256, ECDSA_SHA1),
        ("none", &[0x30, 0x00][..], &[0x30, 0x00]),
    ] {
        let parts = workshop.with(ALGORITHM, inner.to_vec());
        let der = workshop.certificate(&parts, outer);
        assert!(!workshop.accepted(&hub, der).await, "{what}");
    }
}

#[tokio::test]
async fn extensions_given_twice_or_changed_inside_stay_outside() {
    let hub = Hub::start().await;
    let workshop = Workshop::new(&hub);
    let extensions = workshop.extensions();
    for (at, extension) in extensions.iter().enumerate() {
        let twice = [&extensions[..], std::slice::from_ref(extension)].concat();
        let der = workshop.certificate(&workshop.with_extensions(&twice), ECDSA_SHA256);
        assert!(!workshop.accepted(&hub, der).await, "extension {at} twice");
    }
    for (what, from, to) in [
        ("a NUL in the office", "/hzgl", "/hz\0l"),
        ("a NUL behind the domain", "hangzhou/", "hangzho\0/"),
        ("upper case", "/hzgl", "/HZGL"),
        ("a dot", "/hzgl", "/hz.l"),
        ("a line break", "/hzgl", "/hzg\n"),
        ("a space", "/hzgl", "/hzg "),
        ("percent", "/hzgl", "/%67l"),
        ("a look-alike domain", "hangzhou", "hangzh0u"),
        ("bytes that are no ASCII", "hzgl", "h\u{e9}l"),
    ] {
        let parts = workshop.patched(from.as_bytes(), to.as_bytes());
        let der = workshop.certificate(&parts, ECDSA_SHA256);
        assert!(!workshop.accepted(&hub, der).await, "{what}");
    }
}

#[tokio::test]
async fn der_that_is_no_der_stays_outside() {
    let hub = Hub::start().await;
    let workshop = Workshop::new(&hub);
    let tbs = tlv(0x30, &workshop.parts.concat());
    let signature = workshop.signature(&tbs);
    let body = [&tbs[..], ECDSA_SHA256, &signature].concat();
    let mut unused_bits = signature.clone();
    unused_bits[2] = 1;
    let long_form = [
        &[0x30, 0x83, 0, (body.len() >> 8) as u8, body.len() as u8],
        &body[..],
    ];
    let indefinite = [&[0x30, 0x80], &body[..], &[0, 0]];
    for (what, der) in [
        ("a length of three bytes", long_form.concat()),
        ("an indefinite length", indefinite.concat()),
        (
            "a length beyond the end",
            [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &body[..]].concat(),
        ),
        ("a SET", tlv(0x31, &body)),
        (
            "bytes behind the signature",
            tlv(0x30, &[&body[..], &[5, 0]].concat()),
        ),
        (
            "no signature",
            tlv(0x30, &[&tbs[..], ECDSA_SHA256].concat()),
        ),
        ("an empty signature", {
            tlv(
                0x30,
                &[&tbs[..], ECDSA_SHA256, &[0x03, 0x01, 0x00]].concat(),
            )
        }),
        (
            "unused bits",
            tlv(0x30, &[&tbs[..], ECDSA_SHA256, &unused_bits].concat()),
        ),
        ("itself as its content", tlv(0x30, &tlv(0x30, &body))),
        (
            "deep nesting",
            (0..3000).fold(Vec::new(), |inner, _| tlv(0x30, &inner)),
        ),
    ] {
        assert!(!workshop.accepted(&hub, der).await, "{what}");
    }
    let whole = tlv(0x30, &body);
    for length in (1..whole.len()).step_by(37) {
        assert!(
            !workshop.accepted(&hub, whole[..length].to_vec()).await,
            "{length} bytes"
        );
    }
    assert!(
        workshop.accepted(&hub, whole).await,
        "the hub is still there"
    );
}
