//! Parsers of `linkage`: numbers, names, codes, rules and weights.

use linkage::{
    block::{MAX_KEYS, keys},
    case_no::CaseNo,
    compare::Mention,
    identifier::{IdentifierKind, ParsedIdentifier, suggest},
    matter::{MatterType, RuleSet},
    name::{NameLevel, PreparedName, mask},
    office::OfficeId,
    phone::PhoneNumber,
    place::DistrictCode,
    subject::{SubjectKind, SubjectNumber},
    token::{TokenAlgorithm, TokenKey},
    weights::Weights,
};

use crate::{Target, choice, text};

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "identifier",
        run: identifier,
        seeds: &[
            b"\x0011010519491231002X",
            b"\x00110105491231002",
            b"\x01H1234568702",
            b"\x0208312345",
            b"\x03810000199408230021",
            b"\x04CHN110082112345",
            b"\x05E12345687",
            b"\x0691350100M000100Y43",
            "\x00１１０１０５１９４９１２３１００２ｘ".as_bytes(),
        ],
    },
    Target {
        name: "name",
        run: name,
        seeds: &[
            "张伟\n章伟".as_bytes(),
            "買買提·艾力\n买买提艾力".as_bytes(),
            "张**\nZHANG San Feng".as_bytes(),
        ],
    },
    Target {
        name: "case_no",
        run: case_no,
        seeds: &["（2024）浙杭证民字第1234号".as_bytes(), "(2024)浙杭证字第7号".as_bytes()],
    },
    Target {
        name: "phone",
        run: phone,
        seeds: &[b"13800138000", b"+86 571-8702-0000", "０１３８００１３８０００".as_bytes()],
    },
    Target {
        name: "subject",
        run: subject,
        seeds: &[
            b"\x00330106001001GB00001F00010001",
            "\x01浙（2020）杭州市不动产权第0012345号".as_bytes(),
            b"\x02HT-2024-001",
        ],
    },
    Target {
        name: "codes",
        run: codes,
        seeds: &[b"330106", b"hzgl", b"inheritance"],
    },
    Target {
        name: "rules",
        run: rules,
        seeds: &[b"version = \"t\"\n[[rule]]\nid = \"GIFT\"\nseverity = \"duplicate\"\nmatters = [\"gift\"]\nparty = [\"donor\"]\nwindow_days = 30\nnotice_zh = \"x\"\n"],
    },
    Target {
        name: "weights",
        run: weights,
        seeds: &[include_bytes!("../../../linkage/data/weights.toml")],
    },
];

/// A number is normalised once; nothing that is shown of it gives it away.
fn identifier(bytes: &[u8]) {
    let Some((kind, raw)) = choice(IdentifierKind::ALL, bytes) else {
        return;
    };
    let Ok(parsed) = ParsedIdentifier::parse(kind, &raw) else {
        return;
    };
    assert!(parsed.masked_tail().chars().count() <= 4);
    let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
    match &parsed {
        ParsedIdentifier::Verified(number) => {
            let again = ParsedIdentifier::parse(kind, number.normalised());
            let again = again.expect("a normal form is a number");
            let again = again.verified().expect("and keeps its standard").clone();
            assert_eq!(again.normalised(), number.normalised());
            assert_eq!(key.identifier(&again), key.identifier(number));
            assert!(!format!("{number:?}").contains(number.normalised()));
        }
        ParsedIdentifier::Unverified(number) => {
            assert!(suggest(number).len() < 1_000, "a person reads suggestions");
        }
    }
}

/// Comparison is symmetric, a name is equal to itself, and a mask shows at most the ends.
fn name(bytes: &[u8]) {
    let both = text(bytes);
    let (one, other) = both.split_once('\n').unwrap_or((&both, ""));
    let (a, b) = (PreparedName::new(one), PreparedName::new(other));
    assert_eq!(a.compare(&b), b.compare(&a));
    if !a.is_missing() && !a.is_masked() {
        assert_eq!(a.compare(&a), Some(NameLevel::Exact));
    }
    let masked = mask(one);
    assert!(masked.chars().filter(|c| *c != '*').count() <= 2 + one.chars().count() / 2);
    let mut all = Vec::new();
    keys(&Mention::named(one), &mut all);
    assert!(all.len() <= MAX_KEYS);
}

fn case_no(bytes: &[u8]) {
    if let Ok(number) = CaseNo::parse(&text(bytes)) {
        let again = CaseNo::parse(number.as_str()).expect("a normal form is a case number");
        assert_eq!(again.as_str(), number.as_str());
        assert_eq!(again.year(), number.year());
    }
}

fn phone(bytes: &[u8]) {
    if let Ok(number) = PhoneNumber::parse(&text(bytes)) {
        let again = PhoneNumber::parse(number.normalised()).expect("a normal form is a number");
        assert_eq!(again.normalised(), number.normalised());
    }
}

fn subject(bytes: &[u8]) {
    let Some((kind, raw)) = choice(SubjectKind::ALL, bytes) else {
        return;
    };
    if let Ok(number) = SubjectNumber::parse(kind, &raw) {
        let again = SubjectNumber::parse(kind, number.normalised());
        let again = again.expect("a normal form is a number");
        assert_eq!(again.normalised(), number.normalised());
        assert!(number.masked_tail().chars().count() <= 6);
    }
}

fn codes(bytes: &[u8]) {
    let text = text(bytes);
    if let Ok(district) = DistrictCode::parse(&text) {
        assert_eq!(DistrictCode::parse(district.as_str()).ok(), Some(district));
    }
    if let Ok(office) = text.parse::<OfficeId>() {
        assert_eq!(office.as_str().parse(), Ok(office));
    }
    if let Ok(matter) = text.parse::<MatterType>() {
        assert_eq!(matter.code(), text);
    }
}

fn rules(bytes: &[u8]) {
    if let Ok(rules) = RuleSet::parse(&text(bytes)) {
        assert!(!rules.version().trim().is_empty());
    }
}

fn weights(bytes: &[u8]) {
    if let Ok(weights) = Weights::parse(&text(bytes)) {
        let again = Weights::parse(&weights.to_toml()).expect("what is written can be read");
        assert_eq!(again.version(), weights.version());
        assert_eq!(again.link(), weights.link());
    }
}
