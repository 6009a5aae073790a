//! Parsers of the hub: records and greetings of agents, certificates, tokens, and its own files.

use std::path::Path;
use std::sync::LazyLock;

use linkage::matter::RuleSet;
use notary_hub::config::{Config, TrustDomain};
use notary_hub::filing::body::Body;
use notary_hub::filing::{self, Filing, FilingKind};
use notary_hub::identity::enrolment::join_token::JoinToken;
use notary_hub::identity::enrolment::peer::identify;
use notary_hub::identity::pki::authority::ProvenKey;
use notary_hub::identity::session::SessionKeys;
use notary_hub::ingest::decode::{Decoded, content_hash, decode};
use notary_hub::rules::Edition;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::sync::hello::{self, Hello};
use notary_proto::hub::v1 as wire;
use prost::Message;
use time::OffsetDateTime;

use crate::{Target, text};

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "record",
        run: record,
        seeds: &[b"\x0a\x14\x0a\x03A-1\x10\x01\x22\x0binheritance"],
    },
    Target {
        name: "greeting",
        run: greeting,
        seeds: &[b"0198c0de-0000-7000-8000-000000000000\n42\n0.1.0"],
    },
    Target {
        name: "filing",
        run: filing,
        seeds: &["{\"grounds\": [\"difficult\"]}\n0198c0de-0000-7000-8000-000000000000\nA-1\n重大事项报告".as_bytes()],
    },
    Target {
        name: "certificate",
        run: certificate,
        seeds: &[b"\x30\x82\x01\x00\x30\x81\xa0\xa0\x03\x02\x01\x02"],
    },
    Target {
        name: "certificate_request",
        run: certificate_request,
        seeds: &[b"\x30\x81\xc0\x30\x68\x02\x01\x00\x30\x00\x30\x59"],
    },
    Target {
        name: "session_token",
        run: session_token,
        seeds: &[
            b"eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJub3RhcnktaHViIn0.AAAA",
            b"eyJhbGciOiJub25lIn0.e30.",
        ],
    },
    Target {
        name: "join_token",
        run: join_token,
        seeds: &[b"join-AAAAAAAAAAAAAAAAAAAAAAAAAA"],
    },
    Target {
        name: "hub_config",
        run: config,
        seeds: &[include_bytes!("../../../deploy/notary-hub.toml")],
    },
    Target {
        name: "calendar",
        run: calendar,
        seeds: &[include_bytes!("../../../hub/data/working-days.toml")],
    },
];

static RULES: LazyLock<RuleSet> = LazyLock::new(|| Edition::shipped().rules);
static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::builtin);
static SESSION_KEYS: LazyLock<SessionKeys> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    SessionKeys::from_pem(key.serialize_pem().as_bytes()).expect("an Ed25519 key in PKCS #8")
});

/// A record is a case, the agent's reject, or named by its field; the same content has one hash.
fn record(bytes: &[u8]) {
    let Ok(record) = wire::Record::decode(bytes) else {
        return;
    };
    if let Some(wire::record::Payload::Case(case)) = &record.payload {
        let mut again = case.clone();
        again.revision = again.revision.wrapping_add(1);
        assert_eq!(content_hash(&mut case.clone()), content_hash(&mut again));
    }
    match decode(record, &RULES, &CALENDAR) {
        Decoded::Case(case) => {
            assert!((1..=64).contains(&case.source_case_id.chars().count()));
            assert!(case.parties.len() <= 64);
        }
        Decoded::Rejected(_) => {}
        Decoded::Invalid(invalid) => assert!(!invalid.field.is_empty()),
    }
}

fn greeting(bytes: &[u8]) {
    let text = text(bytes);
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let raw = hello::Raw {
        epoch: next(),
        last_sequence: next().parse().unwrap_or_default(),
        agent_version: next(),
        sent_at: None,
        next_token_key_id: 0,
    };
    if let Ok(hello) = Hello::parse(&raw, OffsetDateTime::now_utc()) {
        assert_eq!(hello.epoch.get_version_num(), 7);
        assert!(i64::try_from(hello.last_sequence).is_ok());
    }
}

fn filing(bytes: &[u8]) {
    let text = text(bytes);
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let detail = next();
    let raw = filing::Raw {
        filing_id: next(),
        source_case_id: next(),
        text: next(),
    };
    let office = "hzgl".parse().expect("an office id");
    for kind in FilingKind::ALL {
        let body = Body::parse(*kind, &detail);
        if let Ok(filing) = body.and_then(|body| Filing::parse(office, body, raw.clone(), None)) {
            assert_eq!(filing.body.kind(), *kind);
        }
    }
}

fn certificate(bytes: &[u8]) {
    let _ = identify(bytes, &TrustDomain::default());
}

fn certificate_request(bytes: &[u8]) {
    if let Ok(key) = ProvenKey::from_csr(bytes) {
        assert_ne!(key.hash(), [0; 32]);
    }
}

/// Nobody guesses a signature.
fn session_token(bytes: &[u8]) {
    assert!(SESSION_KEYS.verify(&text(bytes)).is_err());
}

fn join_token(bytes: &[u8]) {
    if let Ok(token) = text(bytes).parse::<JoinToken>() {
        let again = token.reveal().parse::<JoinToken>();
        assert_eq!(again.map(|again| again.hash()).ok(), Some(token.hash()));
    }
}

fn config(bytes: &[u8]) {
    let _ = Config::parse(&text(bytes), Path::new("notary-hub.toml"), []);
}

fn calendar(bytes: &[u8]) {
    let _ = Calendar::parse(&text(bytes));
}
