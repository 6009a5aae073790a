use proptest::prelude::*;
use time::macros::date;

use super::*;

fn token(byte: u8) -> Token {
    Token::from([byte; 16])
}

#[test]
fn birth_dates_differ_in_the_ways_people_mistype_them() {
    for (a, b, level) in [
        (
            date!(1990 - 03 - 07),
            date!(1990 - 03 - 07),
            BirthLevel::Equal,
        ),
        (
            date!(1990 - 03 - 07),
            date!(1990 - 07 - 03),
            BirthLevel::Swapped,
        ),
        (
            date!(1990 - 03 - 07),
            date!(1990 - 03 - 01),
            BirthLevel::OneDigit,
        ),
        (
            date!(1990 - 03 - 07),
            date!(1980 - 03 - 07),
            BirthLevel::OneDigit,
        ),
        (
            date!(1989 - 03 - 07),
            date!(1998 - 03 - 07),
            BirthLevel::OneDigit,
        ),
        (
            date!(1990 - 03 - 12),
            date!(1990 - 03 - 21),
            BirthLevel::OneDigit,
        ),
        (
            date!(1990 - 03 - 07),
            date!(1990 - 11 - 25),
            BirthLevel::SameYear,
        ),
        (
            date!(1990 - 03 - 07),
            date!(1971 - 11 - 25),
            BirthLevel::Different,
        ),
        (
            date!(1990 - 03 - 07),
            date!(1991 - 07 - 03),
            BirthLevel::Different,
        ),
    ] {
        assert_eq!(date::compare(a, b), level, "{a} {b}");
        assert_eq!(date::compare(b, a), level, "{b} {a}");
    }
}

#[test]
fn addresses_are_in_one_district_one_city_or_apart() {
    let code = |code: &str| code.parse::<DistrictCode>().expect("a code of GB/T 2260");
    assert_eq!(
        districts(code("330106"), code("330106")),
        DistrictLevel::Equal
    );
    assert_eq!(
        districts(code("330106"), code("330108")),
        DistrictLevel::SameCity
    );
    assert_eq!(
        districts(code("330106"), code("310106")),
        DistrictLevel::Different
    );
}

fn unverified(number: u8, segments: [u8; 3]) -> KnownIdentifier {
    KnownIdentifier::Unverified {
        kind: IdentifierKind::ResidentId,
        token: token(number),
        segments: Some(segments.map(token)),
    }
}

#[test]
fn numbers_that_fail_their_check_are_compared_segment_by_segment() {
    let one = unverified(1, [1, 2, 3]);
    for (other, level) in [
        (unverified(1, [1, 2, 3]), Some(IdentifierLevel::Equal)),
        (unverified(2, [1, 2, 4]), Some(IdentifierLevel::TwoSegments)),
        (unverified(2, [1, 4, 5]), Some(IdentifierLevel::OneSegment)),
        (unverified(2, [2, 1, 5]), Some(IdentifierLevel::Different)),
        (
            KnownIdentifier::Verified(VerifiedNumber {
                kind: IdentifierKind::ResidentId,
                token: token(1),
            }),
            None,
        ),
    ] {
        assert_eq!(identifiers(one, other), level);
        assert_eq!(identifiers(other, one), level);
    }
}

/// 无 has a token as a number has, and everybody without a number has the same.
#[test]
fn equal_numbers_without_segments_are_no_evidence() {
    let without_segments = |number| KnownIdentifier::Unverified {
        kind: IdentifierKind::ResidentId,
        token: token(number),
        segments: None,
    };
    let one = without_segments(1);
    assert_eq!(identifiers(one, one), None);
    let other = without_segments(2);
    assert_eq!(identifiers(one, other), Some(IdentifierLevel::Different));
    let whole = unverified(2, [1, 2, 3]);
    assert_eq!(identifiers(other, whole), None);
    assert_eq!(identifiers(one, whole), Some(IdentifierLevel::Different));
}

#[test]
fn related_parties_count_without_regard_to_order() {
    let related = |bytes: &[u8]| bytes.iter().map(|&b| token(b)).collect::<RelatedParties>();
    assert_eq!(related(&[3, 1, 2, 1]), related(&[1, 2, 3]));
    assert_eq!(
        related(&[1, 2]).compare(&related(&[2, 1])),
        Some(RelatedLevel::Several)
    );
    assert_eq!(
        related(&[1, 2]).compare(&related(&[2, 3])),
        Some(RelatedLevel::One)
    );
    assert_eq!(
        related(&[1]).compare(&related(&[2])),
        Some(RelatedLevel::Nobody)
    );
    assert_eq!(related(&[]).compare(&related(&[2])), None);
    let many: Vec<u8> = (0..=255).collect();
    assert_eq!(related(&many).tokens().len(), MAX_RELATED);
}

#[test]
fn a_silent_side_is_no_evidence() {
    let vector = Mention::named("张伟").compare(&Mention::named(""));
    assert_eq!(vector, ComparisonVector::default());
}

pub(crate) fn mention() -> impl Strategy<Value = Mention> {
    let optional = |token_of: std::ops::Range<u8>| proptest::option::of(token_of.prop_map(token));
    let identifier = prop_oneof![
        (0u8..6).prop_map(|n| KnownIdentifier::Verified(VerifiedNumber {
            kind: IdentifierKind::ResidentId,
            token: token(n),
        })),
        (0u8..4, [0u8..3, 0u8..3, 0u8..3]).prop_map(|(n, segments)| unverified(n, segments)),
    ];
    (
        "[张章王][国伟炜强]{1,2}|ZHANG WEI|张\\*|",
        proptest::option::of((1u8..=12, 1u8..=12).prop_map(|(month, day)| {
            let month = time::Month::try_from(month).expect("twelve months");
            Date::from_calendar_date(1990, month, day).expect("every month has twelve days")
        })),
        proptest::option::of(prop_oneof![Just(Sex::Male), Just(Sex::Female)]),
        optional(0..3),
        proptest::collection::vec(0u8..5, 0..3),
        proptest::option::of(identifier),
    )
        .prop_map(|(name, birth, sex, phone, related, identifier)| Mention {
            birth,
            sex,
            phone,
            related: related.into_iter().map(token).collect(),
            identifier,
            ..Mention::named(&name)
        })
}

proptest! {
    #[test]
    fn it_does_not_matter_which_mention_comes_first(a in mention(), b in mention()) {
        prop_assert_eq!(a.compare(&b), b.compare(&a));
    }

    #[test]
    fn every_level_has_its_place_in_the_fields_list(a in mention(), b in mention()) {
        let vector = a.compare(&b);
        for (field, level) in Field::ALL.iter().zip(vector.levels()) {
            let code = level.map(|level| field.level_codes()[usize::from(level)]);
            prop_assert_eq!(code, vector.label(*field).map(|(code, _)| code));
        }
    }
}
