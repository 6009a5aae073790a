//! Questions of the look-up in the form of the wire, parsed.

use linkage::subject::SubjectKind;
use linkage::token::Token;
use linkage::vocabulary::{PartyKind, Sex};
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::{BatchCheckRequest, CheckApplicationRequest, FindPersonRequest};

use crate::ingest::decode::{code, field as checked};
use crate::lookup::persons::unfindable;
use crate::lookup::question::{
    Description, MOST_OF_BATCH, MOST_OF_EACH, Number, NumberCheck, Party, REFERENCE_CHARS,
};
use crate::lookup::{Denial, IntentAction, Purpose, Question};

/// Characters of a name.
const NAME_CHARS: usize = 200;

pub(super) fn check(request: CheckApplicationRequest) -> Result<Question, Denial> {
    let purpose = purpose(request.purpose)?;
    let case_reference = case_reference(&request.case_reference)?;
    let matter_type = matter_type(&request.matter_type)?;
    if request.parties.is_empty() && request.subjects.is_empty() {
        return Err(field("parties", "at least one party or subject"));
    }
    if request.parties.len() > MOST_OF_EACH {
        return Err(field("parties", "at most 16"));
    }
    if request.subjects.len() > MOST_OF_EACH {
        return Err(field("subjects", "at most 16"));
    }
    Ok(Question {
        purpose,
        case_reference,
        matter_type,
        parties: parties(request.parties)?,
        subjects: subjects(request.subjects)?,
        place_of_use: place_of_use(request.place_of_use)?,
        intent: intent(request.intent, purpose)?,
    })
}

pub(super) fn batch(request: BatchCheckRequest) -> Result<Question, Denial> {
    let purpose = purpose(request.purpose)?;
    let case_reference = case_reference(&request.case_reference)?;
    let matter_type = matter_type(&request.matter_type)?;
    match request.parties.len() + request.subjects.len() {
        0 => return Err(field("parties", "at least one party or subject")),
        1..=MOST_OF_BATCH => {}
        _ => return Err(field("parties", "with the subjects at most 100")),
    }
    Ok(Question {
        purpose,
        case_reference,
        matter_type,
        parties: parties(request.parties)?,
        subjects: subjects(request.subjects)?,
        place_of_use: place_of_use(request.place_of_use)?,
        intent: None,
    })
}

pub(super) fn person(request: FindPersonRequest) -> Result<Question, Denial> {
    let purpose = purpose(request.purpose)?;
    let case_reference = case_reference(&request.case_reference)?;
    let matter_type = matter_type(&request.matter_type)?;
    let person = request.person.ok_or_else(|| field("person", "present"))?;
    let parties = vec![party(person, "person")?];
    findable(&parties, |_| "person".to_owned())?;
    Ok(Question {
        purpose,
        case_reference,
        matter_type,
        parties,
        subjects: Vec::new(),
        place_of_use: None,
        intent: None,
    })
}

fn matter_type(code: &str) -> Result<linkage::matter::MatterType, Denial> {
    code.parse()
        .map_err(|_| field("matter_type", "a code of the catalogue"))
}

fn purpose(number: i32) -> Result<Purpose, Denial> {
    match wire::LookupPurpose::try_from(number) {
        Ok(wire::LookupPurpose::BeforeAcceptance) => Ok(Purpose::BeforeAcceptance),
        Ok(wire::LookupPurpose::VerifyingCase) => Ok(Purpose::VerifyingCase),
        Ok(wire::LookupPurpose::ReviewOrComplaint) => Ok(Purpose::ReviewOrComplaint),
        Ok(wire::LookupPurpose::Supervision) => Err(Denial::PurposeOfTheBureau),
        Ok(wire::LookupPurpose::Unspecified) | Err(_) => Err(Denial::NoPurpose),
    }
}

fn case_reference(text: &str) -> Result<String, Denial> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Denial::NoCaseReference);
    }
    let fits = text.chars().count() <= REFERENCE_CHARS && !text.contains(char::is_control);
    match fits {
        true => Ok(text.to_owned()),
        false => Err(field(
            "case_reference",
            "1 to 64 characters, none of them a control character",
        )),
    }
}

/// Only who is about to accept has an intent.
fn intent(number: i32, purpose: Purpose) -> Result<Option<IntentAction>, Denial> {
    let action = match wire::IntentAction::try_from(number) {
        Ok(wire::IntentAction::Unspecified) => return Ok(None),
        Ok(wire::IntentAction::Register) => IntentAction::Register,
        Ok(wire::IntentAction::Withdraw) => IntentAction::Withdraw,
        Err(_) => return Err(field("intent", "a known action")),
    };
    match purpose {
        Purpose::BeforeAcceptance => Ok(Some(action)),
        Purpose::VerifyingCase | Purpose::ReviewOrComplaint => {
            Err(field("intent", "unspecified, unless before acceptance"))
        }
    }
}

fn place_of_use(code: String) -> Result<Option<String>, Denial> {
    match code.as_bytes() {
        [] => Ok(None),
        [b'A'..=b'Z', b'A'..=b'Z'] => Ok(Some(code)),
        _ => Err(field(
            "place_of_use",
            "two capital letters of ISO 3166-1, or empty",
        )),
    }
}

fn parties(parties: Vec<wire::LookupParty>) -> Result<Vec<Party>, Denial> {
    let parties = parties.into_iter().enumerate();
    let parties = parties
        .map(|(index, each)| party(each, &format!("parties[{index}]")))
        .collect::<Result<Vec<Party>, Denial>>()?;
    findable(&parties, |at| format!("parties[{at}]"))?;
    Ok(parties)
}

/// An answer about somebody nobody could be found by would say that there is nothing.
fn findable(parties: &[Party], path: impl Fn(usize) -> String) -> Result<(), Denial> {
    match unfindable(parties) {
        None => Ok(()),
        Some(at) => Err(field(
            format!("{}.birth_day", path(at)),
            "known, or a phone, or the number of somebody beside: by a name alone nobody is looked for",
        )),
    }
}

fn subjects(subjects: Vec<wire::LookupSubject>) -> Result<Vec<(SubjectKind, Token)>, Denial> {
    subjects.into_iter().enumerate().map(subject).collect()
}

/// `path` is the party's own.
fn party(party: wire::LookupParty, path: &str) -> Result<Party, Denial> {
    let at = |name: &str| format!("{path}.{name}");
    if party.identifier.is_none() && party.name.is_empty() {
        return Err(field(at("identifier"), "present, or a name"));
    }
    let party = Party {
        role: code::party_role(party.role).ok_or_else(|| field(at("role"), "a known role"))?,
        number: party
            .identifier
            .as_ref()
            .map(|identifier| number(identifier, path))
            .transpose()?,
        description: description(party, path)?,
    };
    match party.verified().is_none() && party.description.is_none() {
        true => Err(field(
            at("name"),
            "given, for nobody is found by a number whose check digit fails",
        )),
        false => Ok(party),
    }
}

fn number(identifier: &wire::IdentifierToken, path: &str) -> Result<Number, Denial> {
    let at = |name: &str| format!("{path}.identifier.{name}");
    let segments = || match identifier.segment_tokens.as_slice() {
        [] => Ok(None),
        [one, two, three] => {
            let token = |bytes| token(bytes, || at("segment_tokens"));
            Ok(Some([token(one)?, token(two)?, token(three)?]))
        }
        _ => Err(field(at("segment_tokens"), "three or none")),
    };
    Ok(Number {
        kind: code::identifier_kind(identifier.kind)
            .ok_or_else(|| field(at("kind"), "a known kind"))?,
        token: token(&identifier.token, || at("token"))?,
        check: match identifier.verified {
            true => NumberCheck::Verified,
            false => NumberCheck::Unverified {
                segments: segments()?,
            },
        },
    })
}

/// What is known of a party beside its number; without a name nothing is compared.
fn description(party: wire::LookupParty, path: &str) -> Result<Option<Description>, Denial> {
    let at = |name: &str| format!("{path}.{name}");
    let wrong = |name: &str, expected| field(at(name), expected);
    let Some(name) = checked::text(party.name, NAME_CHARS, "name").map_err(|_| {
        wrong(
            "name",
            "1 to 200 characters, none of them a control character",
        )
    })?
    else {
        return Ok(None);
    };
    Ok(Some(Description {
        kind: match wire::PartyKind::try_from(party.kind) {
            Ok(wire::PartyKind::Unspecified | wire::PartyKind::Natural) => PartyKind::Natural,
            Ok(wire::PartyKind::Legal) => PartyKind::Legal,
            Err(_) => return Err(wrong("kind", "a known kind")),
        },
        name,
        sex: match wire::Sex::try_from(party.sex) {
            Ok(wire::Sex::Unspecified) => None,
            Ok(wire::Sex::Male) => Some(Sex::Male),
            Ok(wire::Sex::Female) => Some(Sex::Female),
            Err(_) => return Err(wrong("sex", "a known sex")),
        },
        birth_date: checked::optional_day(party.birth_day, "birth_day")
            .map_err(|_| wrong("birth_day", "a day of 1850 to 2150"))?,
        phone: match party.phone_token.as_slice() {
            [] => None,
            bytes => Some(token(bytes, || at("phone_token"))?),
        },
        district: checked::district(&party.address_district, "address_district")
            .map_err(|_| wrong("address_district", "six digits of GB/T 2260"))?,
    }))
}

fn subject((index, subject): (usize, wire::LookupSubject)) -> Result<(SubjectKind, Token), Denial> {
    let at = |name: &str| format!("subjects[{index}].{name}");
    let kind = code::subject_kind(subject.kind).ok_or_else(|| field(at("kind"), "a known kind"))?;
    Ok((kind, token(&subject.token, || at("token"))?))
}

fn token(bytes: &[u8], path: impl FnOnce() -> String) -> Result<Token, Denial> {
    Token::try_from(bytes).map_err(|_| field(path(), "16 bytes"))
}

fn field(path: impl Into<String>, expected: &'static str) -> Denial {
    Denial::Field {
        path: path.into(),
        expected,
    }
}
