//! `office-agent check`: a look-up before accepting.

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context;
use linkage::matter::MatterType;
use linkage::vocabulary::PartyRole;
use zeroize::Zeroizing;

use super::person::PersonArg;
use super::{Failure, Output};
use crate::config::Config;
use crate::identity;
use crate::lookup::{self, Credentials, IntentAction, Purpose, Question, RawParty, RawSubject};
use crate::mapping::PlaceCode;

/// The question.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Matter about to be accepted, catalogue code, e.g. mandate.
    #[arg(long)]
    matter: MatterType,
    /// before_acceptance, verifying_case or review_or_complaint.
    #[arg(long)]
    purpose: Purpose,
    /// The own case or intake reference.
    #[arg(long)]
    reference: String,
    /// A party: role, kind of document and its number. The number does not leave this machine.
    #[arg(long = "party", value_name = "ROLE:KIND:NUMBER")]
    parties: Vec<PartyArg>,
    /// A party without a verified number: role, name, and what else is known of birth, sex, phone, district, id (kind/number)
    /// and kind. The name is sent to be compared; phone and number do not leave this machine.
    #[arg(long = "person", value_name = "ROLE:NAME[:FIELD=VALUE,…]")]
    persons: Vec<PersonArg>,
    /// A thing: kind and number. The number does not leave this machine.
    #[arg(long = "subject", value_name = "KIND:NUMBER")]
    subjects: Vec<SubjectArg>,
    /// Where the certificate is to be used, ISO 3166-1, e.g. JP; only when it is abroad.
    #[arg(long, value_name = "CODE")]
    place_of_use: Option<PlaceCode>,
    /// Tell other offices that ask within 24 hours that this office is about to accept the matter.
    #[arg(long)]
    register_intent: bool,
    /// Take the intent back.
    #[arg(long, conflicts_with = "register_intent")]
    withdraw_intent: bool,
    /// Account of the notary; the password is read from OFFICE_AGENT_PASSWORD or standard input.
    #[arg(long)]
    login: String,
    /// One-time code of the notary's second factor, or a recovery code; only for accounts that have one.
    #[arg(
        long,
        env = "OFFICE_AGENT_OTP",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    otp: String,
}

#[derive(Clone)]
struct PartyArg(RawParty);

#[derive(Clone)]
struct SubjectArg(RawSubject);

impl std::fmt::Debug for PartyArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PartyArg")
    }
}

impl std::fmt::Debug for SubjectArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectArg")
    }
}

impl FromStr for PartyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(role), Some(kind), Some(number)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(
                "expected ROLE:KIND:NUMBER, e.g. principal:resident_id:33010619800101001X".into(),
            );
        };
        Ok(Self(RawParty {
            role: role.parse::<PartyRole>().map_err(|e| e.to_string())?,
            kind: kind
                .parse()
                .map_err(|e: linkage::vocabulary::UnknownCode| e.to_string())?,
            number: Zeroizing::new(number.to_owned()),
        }))
    }
}

impl FromStr for SubjectArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, number) = text
            .split_once(':')
            .ok_or("expected KIND:NUMBER, e.g. real_estate_certificate:浙(2021)…号")?;
        Ok(Self(RawSubject {
            kind: kind
                .parse()
                .map_err(|e: linkage::vocabulary::UnknownCode| e.to_string())?,
            number: Zeroizing::new(number.to_owned()),
        }))
    }
}

const FOUND: u8 = 10;

pub(super) async fn check(
    config: &Config,
    args: Args,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if args.parties.is_empty() && args.persons.is_empty() && args.subjects.is_empty() {
        return Err(Failure::Usage(
            "name at least one --party, --person or --subject to look for".to_owned(),
        ));
    }
    let identity = identity::load(&config.data_dir)?;
    let intent = match (args.register_intent, args.withdraw_intent) {
        (true, _) => Some(IntentAction::Register),
        (false, true) => Some(IntentAction::Withdraw),
        (false, false) => None,
    };
    let question = Question {
        purpose: args.purpose,
        reference: args.reference,
        matter: args.matter,
        parties: args.parties.into_iter().map(|party| party.0).collect(),
        persons: args.persons.into_iter().map(|person| person.0).collect(),
        subjects: args.subjects.into_iter().map(|subject| subject.0).collect(),
        place_of_use: args.place_of_use,
        intent,
    };
    // Numbers are looked at before the password is asked for: a typing error needs no sign-in.
    let request = question.tokenised(identity.token_key())?;
    let password = password().context("read the password")?;
    let credentials = Credentials {
        login: &args.login,
        password: &password,
        otp: &args.otp,
    };
    let answer = lookup::ask(config, &identity, request, credentials).await?;
    let found = !(answer.hits.is_empty() && answer.intents.is_empty());
    output.print(&answer, || lookup::text(&answer))?;
    Ok(match found {
        true => ExitCode::from(FOUND),
        false => ExitCode::SUCCESS,
    })
}

fn password() -> io::Result<Zeroizing<String>> {
    if let Ok(password) = std::env::var("OFFICE_AGENT_PASSWORD") {
        return Ok(Zeroizing::new(password));
    }
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let trimmed = line.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Zeroizing::new(trimmed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_and_subjects_are_read_and_never_shown() {
        let party: PartyArg = "principal:resident_id:33010619800101001X"
            .parse()
            .expect("a party");
        assert_eq!(party.0.role, PartyRole::Principal);
        assert_eq!(format!("{party:?}"), "PartyArg");
        let subject: SubjectArg = "contract:A:1".parse().expect("a colon in a number");
        assert_eq!(subject.0.number.as_str(), "A:1");
        for (wrong, said) in [
            ("principal", "ROLE:KIND:NUMBER"),
            ("principal:resident_id", "ROLE:KIND:NUMBER"),
            ("nobody:resident_id:1", "party_role"),
            ("heir:x:1", "identifier_kind"),
        ] {
            let error = wrong.parse::<PartyArg>().expect_err("no party");
            assert!(error.contains(said), "{error}");
        }
    }
}
