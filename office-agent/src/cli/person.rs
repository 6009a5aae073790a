//! A person as typed in who has no verified number.

use std::str::FromStr;

use linkage::identifier::ParsedIdentifier;
use linkage::phone::PhoneNumber;
use linkage::place::DistrictCode;
use linkage::vocabulary::{PartyKind, PartyRole, UnknownCode};
use time::Date;
use time::macros::format_description;

use crate::mapping::{Party, Text};

const FORM: &str = "expected ROLE:NAME[:FIELD=VALUE,…] with the fields birth, sex, phone, district, id and kind, \
                    e.g. heir:张三:birth=1990-03-07,sex=male,phone=13800000000";

/// A party to be compared.
#[derive(Clone)]
pub(super) struct PersonArg(pub(super) Party);

impl std::fmt::Debug for PersonArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonArg")
    }
}

impl FromStr for PersonArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(role), Some(name)) = (parts.next(), parts.next()) else {
            return Err(FORM.to_owned());
        };
        let mut party = Party {
            role: role.parse::<PartyRole>().map_err(|e| e.to_string())?,
            kind: PartyKind::Natural,
            name: Text::read(name).ok().flatten().ok_or(FORM)?,
            identifier: None,
            sex: None,
            birth_on: None,
            phone: None,
            address_district: None,
        };
        for field in parts.next().unwrap_or_default().split(',') {
            match field.split_once('=') {
                Some((field, value)) => add(&mut party, field.trim(), value.trim())?,
                None if field.trim().is_empty() => {}
                None => return Err(FORM.to_owned()),
            }
        }
        Ok(Self(party))
    }
}

/// The value is not quoted in an error: it is of a person.
fn add(party: &mut Party, field: &str, value: &str) -> Result<(), String> {
    let unknown = |error: UnknownCode| error.to_string();
    match field {
        "birth" => {
            let day = format_description!("[year]-[month]-[day]");
            let birth = Date::parse(value, day).map_err(|_| "birth: expected YYYY-MM-DD")?;
            party.birth_on = Some(birth);
        }
        "sex" => party.sex = Some(value.parse().map_err(unknown)?),
        "kind" => party.kind = value.parse().map_err(unknown)?,
        "phone" => {
            let phone = PhoneNumber::parse(value).map_err(|error| format!("phone: {error}"))?;
            party.phone = Some(phone);
        }
        "district" => {
            let district = DistrictCode::parse(value).map_err(|_| "district: expected six digits");
            party.address_district = Some(district?);
        }
        "id" => {
            let (kind, number) = value.split_once('/').ok_or("id: expected KIND/NUMBER")?;
            let kind = kind.parse().map_err(unknown)?;
            let number = ParsedIdentifier::parse(kind, number);
            party.identifier = Some(number.map_err(|error| format!("id: {error}"))?);
        }
        _ => return Err(FORM.to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use linkage::vocabulary::Sex;
    use time::macros::date;

    use super::*;

    #[test]
    fn a_person_is_read_field_by_field_and_never_shown() {
        let person: PersonArg =
            "heir:张三:birth=1990-03-07,sex=male,phone=13800000000,district=330106"
                .parse()
                .expect("a person");
        let party = &person.0;
        assert_eq!(
            (party.role, party.kind),
            (PartyRole::Heir, PartyKind::Natural)
        );
        assert_eq!(party.name.as_str(), "张三");
        assert_eq!(party.birth_on, Some(date!(1990 - 03 - 07)));
        assert_eq!(party.sex, Some(Sex::Male));
        assert!(party.phone.is_some() && party.address_district.is_some());
        assert_eq!(format!("{person:?}"), "PersonArg");
        let firm: PersonArg = "creditor:某银行:kind=legal".parse().expect("a firm");
        assert_eq!(firm.0.kind, PartyKind::Legal);
    }

    #[test]
    fn a_number_whose_check_digit_fails_is_kept_for_comparison() {
        let person: PersonArg = "heir:张三:id=resident_id/110105194912310021"
            .parse()
            .expect("a person");
        let identifier = person.0.identifier.expect("a number");
        assert!(identifier.verified().is_none());
    }

    #[test]
    fn what_is_wrong_is_named_and_not_quoted() {
        for (wrong, said) in [
            ("heir", "ROLE:NAME"),
            ("heir:", "ROLE:NAME"),
            ("heir:张三:1990-03-07", "ROLE:NAME"),
            ("heir:张三:age=30", "ROLE:NAME"),
            ("heir:张三:birth=900307", "birth"),
            ("heir:张三:phone=1", "phone"),
            ("nobody:张三", "party_role"),
        ] {
            let error = wrong.parse::<PersonArg>().expect_err("no person");
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("900307"), "{error}");
        }
    }
}
