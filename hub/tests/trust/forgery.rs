//! Bearer tokens that must not be believed, each made as somebody would who wants to be somebody else. Most are
//! signed with the hub's own key: what is refused there is refused for its content.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::Keys;

/// A hostile token and what it tries.
pub struct Vector {
    pub what: String,
    pub token: String,
}

pub struct Forge {
    pair: Ed25519KeyPair,
    public: Vec<u8>,
    key_id: String,
    account_id: Uuid,
}

impl Forge {
    /// Steals the key with which the hub signs.
    pub fn of(keys: &Keys, account_id: Uuid) -> Self {
        let pem = std::fs::read(keys.config.pki_dir().join("session.key")).unwrap();
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).unwrap();
        Self {
            public: pair.public_key().as_ref().to_vec(),
            key_id: keys.pki.session_keys.ids().next().unwrap().to_owned(),
            pair,
            account_id,
        }
    }

    pub fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.key_id})
    }

    pub fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": "notary-hub", "aud": "notary-hub", "sub": self.account_id, "role": "analyst",
            "jti": Uuid::now_v7(), "gen": 0, "iat": now, "nbf": now, "exp": now + 600,
        })
    }

    pub fn sign(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    /// The right key, with header and claims as given.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        self.sign(&header.to_string(), &claims.to_string())
    }

    pub fn vectors(&self) -> Vec<Vector> {
        let mut vectors = self.headers();
        vectors.extend(self.signatures());
        vectors.extend(self.encodings());
        vectors.extend(self.times());
        vectors.extend(self.claims_changed());
        vectors
    }

    fn headers(&self) -> Vec<Vector> {
        let good = self.header();
        let header = |key: &str, value: Value| with(good.clone(), key, value);
        let mut headers: Vec<Value> = [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS256", "PS256", "ES256",
            "ES384", "ES256K", "Ed448", "eddsa", "EDDSA", "EdDSA ", "Ed25519",
        ]
        .map(|algorithm| header("alg", json!(algorithm)))
        .to_vec();
        headers.extend([
            header("alg", json!(["EdDSA"])),
            header("alg", json!(null)),
            without(good.clone(), "alg"),
            header("typ", json!("JWT")),
            header("typ", json!("id+jwt")),
            header("typ", json!("AT+JWT")),
            without(good.clone(), "typ"),
            header("kid", json!("../../../../etc/passwd")),
            header("kid", json!("' OR '1'='1")),
            header("kid", json!("\u{0}")),
            header("kid", json!("https://evil.example/keys.json")),
            header("kid", json!("k".repeat(900))),
            header("kid", json!("0011223344556677")),
            header("kid", json!(0)),
            without(good.clone(), "kid"),
            header("jku", json!("https://evil.example/keys.json")),
            header("x5u", json!("https://evil.example/cert.pem")),
            header(
                "jwk",
                json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(&self.public)}),
            ),
            header("x5c", json!(["MIIB"])),
            header("crit", json!(["exp"])),
            header("b64", json!(false)),
            header("cty", json!("JWT")),
            header("zip", json!("DEF")),
            json!({"alg": "dir", "enc": "A256GCM", "typ": "at+jwt", "kid": self.key_id}),
            json!([]),
            json!("EdDSA"),
            json!(null),
        ]);
        let mut vectors: Vec<Vector> = headers
            .iter()
            .map(|header| {
                vector(
                    format!("header {header}"),
                    self.token(header, &self.claims()),
                )
            })
            .collect();
        let claims = self.claims().to_string();
        for (what, twice) in [
            ("alg given twice, none first", r#"{"alg":"none","#),
            ("kid given twice", r#"{"kid":"x","#),
        ] {
            let header = good.to_string().replacen('{', twice, 1);
            vectors.push(vector(what, self.sign(&header, &claims)));
        }
        vectors
    }

    fn signatures(&self) -> Vec<Vector> {
        let (header, claims) = (self.header().to_string(), self.claims().to_string());
        let good = self.sign(&header, &claims);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let raw = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let none = message(
            &json!({"alg": "none", "typ": "at+jwt"}).to_string(),
            &claims,
        );
        let hs = message(
            &with(self.header(), "alg", json!("HS256")).to_string(),
            &claims,
        );
        let es = message(
            &with(self.header(), "alg", json!("ES256")).to_string(),
            &claims,
        );
        let spki = spki(&self.public);
        let pem = pem(&spki);
        let other = Ed25519KeyPair::generate().unwrap();
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let flipped: Vec<u8> = raw
            .iter()
            .enumerate()
            .map(|(i, b)| b ^ u8::from(i == 5))
            .collect();
        [
            ("no algorithm, no signature", format!("{none}.")),
            ("an empty signature", format!("{signed}.")),
            ("no third part", signed.to_owned()),
            ("zeros", format!("{signed}.{}", encode(&[0; 64]))),
            (
                "r = s = 0 under ES256",
                format!("{es}.{}", encode(&[0; 64])),
            ),
            (
                "half a signature",
                format!("{signed}.{}", encode(&raw[..32])),
            ),
            (
                "a byte more",
                format!("{signed}.{}", encode(&[&raw[..], &[0]].concat())),
            ),
            ("a bit flipped", format!("{signed}.{}", encode(&flipped))),
            (
                "s + L, the malleable twin",
                format!("{signed}.{}", encode(&twin(&raw))),
            ),
            ("another key under our id", {
                format!(
                    "{signed}.{}",
                    encode(other.sign(signed.as_bytes()).as_ref())
                )
            }),
            (
                "HS256 with the raw public key",
                format!("{hs}.{}", mac(&self.public, &hs)),
            ),
            (
                "HS256 with the public key in DER",
                format!("{hs}.{}", mac(&spki, &hs)),
            ),
            (
                "HS256 with the public key in PEM",
                format!("{hs}.{}", mac(pem.as_bytes(), &hs)),
            ),
            (
                "HS256 with PEM without newline",
                format!("{hs}.{}", mac(pem.trim_end().as_bytes(), &hs)),
            ),
            ("HS256 with an empty key", format!("{hs}.{}", mac(b"", &hs))),
            (
                "HS256 with a short key",
                format!("{hs}.{}", mac(b"secret", &hs)),
            ),
            (
                "HS256 with the key id",
                format!("{hs}.{}", mac(self.key_id.as_bytes(), &hs)),
            ),
            (
                "EdDSA in name, HS256 in fact",
                format!("{signed}.{}", mac(&self.public, signed)),
            ),
            ("the signature of another token", {
                let other = self.token(
                    &self.header(),
                    &with(self.claims(), "role", json!("operator")),
                );
                format!("{signed}.{}", other.rsplit_once('.').unwrap().1)
            }),
        ]
        .map(|(what, token)| vector(what, token))
        .into()
    }

    fn encodings(&self) -> Vec<Vector> {
        let good = self.token(&self.header(), &self.claims());
        let parts: Vec<&str> = good.split('.').collect();
        let inner = with(self.claims(), "nested", json!(good));
        // The last of 86 characters carries two bits alone; the other four must be zero.
        let noncanonical = (good.as_bytes()[good.len() - 1] + 1) as char;
        let chopped = &good[..good.len() - 1];
        [
            ("nothing", String::new()),
            ("a dot", ".".into()),
            ("two dots", "..".into()),
            (
                "five parts, as of a JWE",
                format!("{good}.{}.{}", parts[1], parts[2]),
            ),
            ("four parts", format!("{good}.{}", parts[2])),
            ("padding", format!("{good}=")),
            (
                "padding in the middle",
                format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
            ),
            (
                "bits beyond the signature",
                format!("{chopped}{noncanonical}"),
            ),
            ("a line break behind it", format!("{good}\n")),
            ("a line break in it", good.replacen('.', ".\r\n", 1)),
            ("a NUL behind it", format!("{good}\0")),
            ("a tab behind it", format!("{good}\t")),
            ("a space in it", good.replacen('.', " .", 1)),
            (
                "standard Base64",
                good.replace('-', "+").replace('_', "/") + "+",
            ),
            ("full-width dots", good.replace('.', "．")),
            ("Chinese", "令.牌.名".into()),
            ("a token in a token", self.token(&self.header(), &inner)),
            ("beyond every length", "a".repeat(3000)),
            (
                "a good one in front of much",
                format!("{good}.{}", "a".repeat(3000)),
            ),
            ("twice, with a comma", format!("{good}, {good}")),
            ("JSON serialisation", {
                json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]})
                    .to_string()
            }),
        ]
        .map(|(what, token)| vector(what, token))
        .into()
    }

    fn times(&self) -> Vec<Vector> {
        let (good, far) = (self.claims(), now() + 600);
        let mut changed = Vec::new();
        for key in ["exp", "nbf", "iat"] {
            changed.push(without(good.clone(), key));
            for value in [
                json!(far.to_string()),
                json!(null),
                json!([far]),
                json!({"at": far}),
                json!(true),
                json!(far as f64 + 0.5),
                json!(1e300),
                json!(u64::MAX),
            ] {
                changed.push(with(good.clone(), key, value));
            }
        }
        changed.extend([
            with(good.clone(), "exp", json!(now() - 10)),
            with(good.clone(), "exp", json!(0)),
            with(good.clone(), "exp", json!(-1)),
            with(good.clone(), "exp", json!(i64::MIN)),
            with(good.clone(), "nbf", json!(now() + 300)),
            with(good.clone(), "nbf", json!(far + 1)),
            with(good, "iat", json!(far + 1)),
        ]);
        self.of_claims(&changed)
    }

    fn claims_changed(&self) -> Vec<Vector> {
        let good = self.claims();
        let claim = |key: &str, value: Value| with(good.clone(), key, value);
        let mut changed: Vec<Value> = ["iss", "aud", "sub", "jti", "role", "gen"]
            .map(|key| without(good.clone(), key))
            .to_vec();
        changed.extend([
            claim("iss", json!("notary-hub/")),
            claim("iss", json!("https://notary-hub")),
            claim("iss", json!("Notary-Hub")),
            claim("iss", json!("notary\u{2010}hub")),
            claim("iss", json!(["notary-hub"])),
            claim("iss", json!("notary-hub.test")),
            claim("aud", json!("other")),
            claim("aud", json!([])),
            claim("aud", json!(["notary-hub", "other"])),
            claim("aud", json!(null)),
            claim("sub", json!("")),
            claim("sub", json!("root")),
            claim("sub", json!(1)),
            claim("role", json!("admin")),
            claim("role", json!("Operator")),
            claim("role", json!(["operator"])),
            claim("role", json!("notary")),
            claim("office_id", json!("hzgl")),
            with(claim("role", json!("notary")), "office_id", json!("../x")),
            claim("gen", json!(-1.5)),
            claim("gen", json!(i64::MAX)),
            claim("cnf", json!({"x5t#S256": "AAAA"})),
            claim("scope", json!("operator")),
            claim("admin", json!(true)),
            json!([]),
            json!(null),
            json!("text"),
        ]);
        let mut vectors = self.of_claims(&changed);
        let header = self.header().to_string();
        for (what, twice) in [
            ("exp given twice", format!(r#"{{"exp":{},"#, now() + 9000)),
            ("role given twice", r#"{"role":"operator","#.to_owned()),
        ] {
            let claims = good.to_string().replacen('{', &twice, 1);
            vectors.push(vector(what, self.sign(&header, &claims)));
        }
        let deep = format!("{}{}", "[".repeat(600), "]".repeat(600));
        vectors.push(vector("deep nesting", self.sign(&header, &deep)));
        vectors
    }

    fn of_claims(&self, changed: &[Value]) -> Vec<Vector> {
        changed
            .iter()
            .map(|claims| {
                vector(
                    format!("claims {claims}"),
                    self.token(&self.header(), claims),
                )
            })
            .collect()
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn vector(what: impl Into<String>, token: String) -> Vector {
    Vector {
        what: what.into(),
        token,
    }
}

fn message(header: &str, claims: &str) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}", encode(header), encode(claims))
}

pub fn with(mut base: Value, key: &str, value: Value) -> Value {
    base[key] = value;
    base
}

fn without(mut base: Value, key: &str) -> Value {
    base.as_object_mut().unwrap().remove(key);
    base
}

fn mac(key: &[u8], text: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    BASE64URL_NOPAD.encode(tag.as_ref())
}

/// RFC 8410: the SubjectPublicKeyInfo of an Ed25519 key.
fn spki(public: &[u8]) -> Vec<u8> {
    let prefix = [
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    [&prefix[..], public].concat()
}

fn pem(spki: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(spki);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

/// The order of the curve added to s: the same equation, another signature (RFC 8032, 5.1.7 forbids it).
fn twin(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut twin = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in twin[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    twin
}
