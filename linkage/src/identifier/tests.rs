//! Known numbers of each standard, and properties that hold for all numbers.

use IdentifierKind::*;
use proptest::prelude::*;
use time::macros::date;

use super::{
    samples::{canonical, credit_code, resident_id, unverified, verified},
    *,
};

fn reason(kind: IdentifierKind, raw: &str) -> IdentifierError {
    unverified(kind, raw).reason()
}

#[test]
fn the_examples_of_gb_11643_are_verified() {
    let woman = verified(ResidentId, "11010519491231002X");
    assert_eq!(woman.birth_date(), Some(date!(1949 - 12 - 31)));
    assert_eq!(woman.sex(), Some(Sex::Female));
    let man = verified(ResidentId, "440524188001010014");
    assert_eq!(man.birth_date(), Some(date!(1880 - 01 - 01)));
    assert_eq!(man.sex(), Some(Sex::Male));
}

#[test]
fn a_resident_id_says_what_is_wrong_with_it() {
    assert_eq!(
        reason(ResidentId, "110105194912310021"),
        IdentifierError::CheckCharacter
    );
    assert_eq!(
        reason(ResidentId, "11010519490231002X"),
        IdentifierError::BirthDate
    );
    assert_eq!(
        reason(ResidentId, "11010519491331002X"),
        IdentifierError::BirthDate
    );
    assert_eq!(
        reason(ResidentId, "11010500011231002X"),
        IdentifierError::BirthDate
    );
    assert_eq!(
        reason(ResidentId, "99010519491231002X"),
        IdentifierError::Area
    );
    assert_eq!(
        reason(ResidentId, "11000019491231002X"),
        IdentifierError::Area
    );
    assert_eq!(
        reason(ResidentId, "1101051949123100"),
        IdentifierError::Form
    );
    assert_eq!(
        reason(ResidentId, "1101051949123100XX"),
        IdentifierError::Form
    );
    assert_eq!(
        reason(ResidentId, "X10105194912310021"),
        IdentifierError::Form
    );
}

#[test]
fn what_is_typed_where_there_is_no_number_is_none() {
    for (kind, raw) in [
        (ResidentId, "无"),
        (ResidentId, "身份证号码不详"),
        (ResidentId, "0"),
        (ResidentId, "1234"),
        (ResidentId, "3.30106E+17"),
        (ResidentId, "111111111111111"),
        (ResidentId, "１１１１１１ 11111111 1111"),
        (ResidentId, "XXXXXXXXXXXXXXXXXX"),
        (ResidentId, "123456789012345678"),
        (HongKongMacaoPermit, "H00000000"),
        (HongKongMacaoPermit, "H0000000001"),
        (HongKongMacaoPermit, "m12345678"),
        (TaiwanPermit, "00000000"),
        (TaiwanPermit, "12345678(01)B"),
        (Passport, "00000"),
        (Passport, "123456"),
        (Passport, "E01234567"),
        (ForeignPermanentResident, "CAN000000000000"),
        (CreditCode, "000000000000000000"),
    ] {
        let filler = ParsedIdentifier::parse(kind, raw);
        assert_eq!(filler, Err(IdentifierError::Filler), "{raw}");
    }
    // Letters and one digit are a German passport's.
    verified(Passport, "CFGHJKLM3");
    verified(Passport, "E11112222");
    verified(TaiwanPermit, "00123456");
}

#[test]
fn the_29th_of_february_needs_a_leap_year() {
    let with_check = |body: &str| format!("{body}{}", resident_id_check_character(body));
    verified(ResidentId, &with_check("33010620000229001"));
    assert_eq!(
        reason(ResidentId, &with_check("33010619000229001")),
        IdentifierError::BirthDate
    );
}

#[test]
fn a_legacy_number_gets_its_century_and_check() {
    let legacy = verified(ResidentId, "110105491231002");
    assert_eq!(legacy.normalised(), "11010519491231002X");
    assert_eq!(
        reason(ResidentId, "110105490231002"),
        IdentifierError::BirthDate
    );
    assert_eq!(
        unverified(ResidentId, "110105490231002").normalised(),
        "110105490231002"
    );
}

#[test]
fn every_way_of_writing_a_number_is_one() {
    for raw in [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105-19491231-002X",
        "'11010519491231002X",
        "\u{FEFF}11010519491231002X\r\n",
        "110105\u{200B}19491231002Х", // Cyrillic
        "11010519491231002×",
        "11010519491231002Ⅹ",
    ] {
        assert_eq!(
            verified(ResidentId, raw).normalised(),
            "11010519491231002X",
            "{raw}"
        );
    }
}

#[test]
fn the_renewal_digits_of_a_permit_are_not_part_of_the_identity() {
    for raw in ["H12345687", "h12345687", "H1234568701", "H12345687（01）"] {
        assert_eq!(
            verified(HongKongMacaoPermit, raw).normalised(),
            "H12345687",
            "{raw}"
        );
    }
    for raw in ["12345687", "1234568701", "1234568701(B)", "12345687 01 (3)"] {
        assert_eq!(
            verified(TaiwanPermit, raw).normalised(),
            "12345687",
            "{raw}"
        );
    }
    for raw in [
        "A12345687",
        "H1234765",
        "H123456879",
        "H1234765A",
        "12345687",
    ] {
        assert_eq!(
            reason(HongKongMacaoPermit, raw),
            IdentifierError::Form,
            "{raw}"
        );
    }
    for raw in [
        "1234765",
        "123456879",
        "12345687B",
        "H12345687",
        "123456870123",
    ] {
        assert_eq!(reason(TaiwanPermit, raw), IdentifierError::Form, "{raw}");
    }
}

#[test]
fn a_residence_permit_stands_in_its_own_areas_only() {
    let with_check = |body: &str| format!("{body}{}", resident_id_check_character(body));
    for area in ["810000", "820000", "830000"] {
        let number = with_check(&format!("{area}19900307881"));
        let permit = verified(ResidencePermit, &number);
        assert_eq!(permit.birth_date(), Some(date!(1990 - 03 - 07)));
        assert_eq!(permit.sex(), Some(Sex::Male));
        assert_eq!(reason(ResidentId, &number), IdentifierError::Area);
    }
    assert_eq!(
        reason(ResidencePermit, "11010519491231002X"),
        IdentifierError::Area
    );
    assert_eq!(
        reason(ResidencePermit, "110105491231002"),
        IdentifierError::Form
    );
}

#[test]
fn both_forms_of_the_permanent_residents_card_are_verified() {
    // The specimen of the 2023 card: Beijing, 124 Canada.
    let new = verified(ForeignPermanentResident, "911124198108030024");
    assert_eq!(new.birth_date(), Some(date!(1981 - 08 - 03)));
    let old = verified(ForeignPermanentResident, "can110081080310");
    assert_eq!(old.normalised(), "CAN110081080310");
    assert_eq!(
        reason(ForeignPermanentResident, "911124198108030025"),
        IdentifierError::CheckCharacter
    );
    assert_eq!(
        reason(ForeignPermanentResident, "999124198108030024"),
        IdentifierError::Area
    );
    assert_eq!(
        reason(ForeignPermanentResident, "11010519491231002X"),
        IdentifierError::Form
    );
    assert_eq!(
        reason(ForeignPermanentResident, "CA1110081080310"),
        IdentifierError::Form
    );
}

#[test]
fn a_passport_has_letters_and_digits() {
    assert_eq!(verified(Passport, "e 1234-5687").normalised(), "E12345687");
    for raw in ["ABC-1-DEFGHIJKLMNOPQRST", "E1234567é", "护照12354"] {
        assert_eq!(reason(Passport, raw), IdentifierError::Form, "{raw}");
    }
}

#[test]
fn a_credit_code_has_the_check_character_of_gb_32100() {
    verified(CreditCode, "91110000600037341L");
    verified(CreditCode, "91350100m000100y43");
    assert_eq!(
        reason(CreditCode, "91110000600037342L"),
        IdentifierError::CheckCharacter
    );
    assert_eq!(
        reason(CreditCode, "91990000600037341L"),
        IdentifierError::Area
    );
    assert_eq!(
        reason(CreditCode, "9111000060003734IL"),
        IdentifierError::Form
    );
    assert_eq!(
        reason(CreditCode, "91110000600037341"),
        IdentifierError::Form
    );
}

#[test]
fn only_what_holds_nothing_is_refused() {
    let refused = |raw: &str| ParsedIdentifier::parse(ResidentId, raw).expect_err("nothing usable");
    assert_eq!(refused(""), IdentifierError::Empty);
    assert_eq!(refused(" －（）\u{3000}"), IdentifierError::Empty);
    assert_eq!(refused("1101\u{0}05"), IdentifierError::ControlCharacter);
    assert_eq!(refused(&"1".repeat(65)), IdentifierError::TooLong);
    assert!(ParsedIdentifier::parse(ResidentId, &"12".repeat(32)).is_ok());
}

#[test]
fn segments_leave_one_whole_whichever_character_is_mistyped() {
    let whole = unverified(ResidentId, "110105194912310021");
    assert_eq!(
        whole.segments(),
        Some(["11010519491231", "19491231002", "0021"])
    );
    assert_eq!(unverified(ResidentId, "1101051949123100").segments(), None);
    assert_eq!(
        unverified(ResidencePermit, "810000194912310021").segments(),
        None
    );
    assert_eq!(
        unverified(ResidentId, "汉汉汉汉12321").segments(),
        None,
        "17 bytes and more are not 18 characters"
    );
    for filled in ["330106199003070000", "33010619900307XXXX"] {
        assert_eq!(unverified(ResidentId, filled).segments(), None, "{filled}");
    }
}

proptest! {
    #[test]
    fn a_canonical_number_is_verified_and_stays_as_it_is((kind, number) in canonical()) {
        let identifier = verified(kind, &number);
        prop_assert_eq!(identifier.normalised(), &number);
        prop_assert_eq!(identifier.kind(), kind);
        prop_assert_eq!(verified(kind, identifier.normalised()), identifier);
    }

    #[test]
    fn separators_widths_and_case_do_not_matter((kind, number) in canonical(), every in 1usize..6) {
        let mut written = String::from(" ");
        for (i, c) in number.chars().enumerate() {
            written.push(char::from_u32(c as u32 + 0xFEE0).expect("ASCII has a full-width form"));
            if i % every == 0 {
                written.push('－');
            }
        }
        prop_assert_eq!(verified(kind, &written), verified(kind, &number.to_lowercase()));
    }

    #[test]
    fn a_legacy_number_is_the_same_as_its_upgrade(number in resident_id()) {
        prop_assume!(&number[6..8] == "19");
        let legacy = format!("{}{}", &number[..6], &number[8..17]);
        prop_assert_eq!(verified(ResidentId, &legacy), verified(ResidentId, &number));
    }

    #[test]
    fn one_changed_digit_of_a_resident_id_is_always_told(number in resident_id(), at in 0usize..18, to in 0u8..10) {
        let to = char::from(b'0' + to);
        prop_assume!(!number[at..].starts_with(to));
        let changed = format!("{}{to}{}", &number[..at], &number[at + 1..]);
        unverified(ResidentId, &changed);
    }

    #[test]
    fn two_swapped_neighbours_of_a_resident_id_are_always_told(number in resident_id(), at in 0usize..17) {
        let mut swapped = number.clone().into_bytes();
        swapped.swap(at, at + 1);
        let swapped = String::from_utf8(swapped).expect("ASCII");
        prop_assume!(swapped != number);
        unverified(ResidentId, &swapped);
    }

    #[test]
    fn one_changed_character_of_a_credit_code_is_always_told(
        number in credit_code(),
        at in 0usize..18,
        to in "[0-9A-HJ-NPQRTUWXY]",
    ) {
        prop_assume!(!number[at..].starts_with(&to));
        let changed = format!("{}{to}{}", &number[..at], &number[at + 1..]);
        unverified(CreditCode, &changed);
    }

    #[test]
    fn two_swapped_neighbours_of_a_credit_code_are_always_told(number in credit_code(), at in 0usize..17) {
        let mut swapped = number.clone().into_bytes();
        swapped.swap(at, at + 1);
        let swapped = String::from_utf8(swapped).expect("ASCII");
        prop_assume!(swapped != number);
        unverified(CreditCode, &swapped);
    }

    #[test]
    fn one_mistyped_character_leaves_a_segment_whole(number in resident_id(), at in 0usize..18, to in "[0-9A-Z]") {
        prop_assume!(!number[at..].starts_with(&to));
        let changed = format!("{}{to}{}", &number[..at], &number[at + 1..]);
        let right = [&number[..14], &number[6..17], &number[14..]];
        prop_assume!(!is_one_character(&changed.as_bytes()[14..]));
        let changed = unverified(ResidentId, &changed);
        let segments = changed.segments().expect("18 characters");
        prop_assert!(segments.iter().zip(right).any(|(left, right)| *left == right));
    }

    #[test]
    fn a_tail_is_a_short_end_and_debug_shows_no_number((kind, number) in canonical()) {
        let identifier = verified(kind, &number);
        let tail = identifier.masked_tail();
        prop_assert!(tail.len() <= 4 && 2 * tail.len() <= number.len());
        prop_assert!(number.ends_with(tail));
        let debug = format!("{identifier:?} {:?}", unverified(CreditCode, "330106199003078813"));
        prop_assert!(!debug.contains(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn any_text_parses_or_is_refused_as_any_kind(
        raw in prop_oneof![any::<String>(), "[0-9xX９Ｘ汉é \u{200B}-]{0,30}", "[A-Z0-9]{0,20}"],
    ) {
        for &kind in IdentifierKind::ALL {
            match ParsedIdentifier::parse(kind, &raw) {
                Ok(ParsedIdentifier::Verified(identifier)) => {
                    prop_assert!(identifier.masked_tail().len() <= 4);
                    prop_assert!(!identifier.normalised().is_empty());
                }
                Ok(ParsedIdentifier::Unverified(identifier)) => {
                    let again = unverified(kind, identifier.normalised());
                    prop_assert_eq!(again, identifier.clone(), "normalising twice changes nothing");
                    prop_assert!(identifier.masked_tail().len() <= 4);
                    prop_assert!(identifier.segments().is_none_or(|s| s.concat().len() == 29));
                }
                Err(
                    IdentifierError::Empty
                    | IdentifierError::Filler
                    | IdentifierError::TooLong
                    | IdentifierError::ControlCharacter,
                ) => {}
                Err(other) => prop_assert!(false, "refused for {other}"),
            }
        }
    }
}
