//! What the commands of a notary have in common: which matter they are about, and who signs in.

use std::io::{self, BufRead};
use std::str::FromStr;

use anyhow::Context;
use linkage::matter::MatterType;
use linkage::vocabulary::PartyRole;
use zeroize::Zeroizing;

use super::Failure;
use crate::lookup::{Credentials, Purpose, Question, RawParty, RawSubject};
use crate::mapping::PlaceCode;

/// The matter asked about.
#[derive(Debug, clap::Args)]
pub(super) struct MatterArgs {
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
    /// A thing: kind and number. The number does not leave this machine.
    #[arg(long = "subject", value_name = "KIND:NUMBER")]
    subjects: Vec<SubjectArg>,
    /// Where the certificate is to be used, ISO 3166-1, e.g. JP; only when it is abroad.
    #[arg(long, value_name = "CODE")]
    place_of_use: Option<PlaceCode>,
}

/// The notary who asks.
#[derive(Debug, clap::Args)]
pub(super) struct NotaryArgs {
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

impl NotaryArgs {
    /// What the notary signs in with.
    pub(super) fn with<'a>(&'a self, password: &'a str) -> Credentials<'a> {
        Credentials {
            login: &self.login,
            password,
            otp: &self.otp,
        }
    }
}

impl MatterArgs {
    /// The question about nothing but the numbers of parties and things.
    pub(super) fn question(self) -> Question {
        Question {
            purpose: self.purpose,
            reference: self.reference,
            matter: self.matter,
            parties: self.parties.into_iter().map(|party| party.0).collect(),
            persons: Vec::new(),
            subjects: self.subjects.into_iter().map(|subject| subject.0).collect(),
            place_of_use: self.place_of_use,
            intent: None,
        }
    }
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
                "expected ROLE:KIND:NUMBER, e.g. principal:resident_id:11010519491231002X".into(),
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

/// The notary's password, from the environment or standard input.
pub(super) fn password() -> Result<Zeroizing<String>, Failure> {
    if let Ok(password) = std::env::var("OFFICE_AGENT_PASSWORD") {
        return there(Zeroizing::new(password));
    }
    first_line(io::stdin().lock())
}

fn first_line(mut input: impl BufRead) -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    input.read_line(&mut line).context("read the password")?;
    let trimmed = line.trim_end_matches(['\r', '\n']).to_owned();
    there(Zeroizing::new(trimmed))
}

/// An empty one is nobody's, and a sign-in with it would count towards the lock of the account.
fn there(password: Zeroizing<String>) -> Result<Zeroizing<String>, Failure> {
    match password.is_empty() {
        false => Ok(password),
        true => Err(Failure::Usage(
            "there is no password: give it on standard input or as OFFICE_AGENT_PASSWORD".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_and_subjects_are_read_and_never_shown() {
        let party: PartyArg = "principal:resident_id:11010519491231002X"
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

    #[test]
    fn no_password_is_said_before_anything_is_sent() {
        let read = |input: &str| first_line(input.as_bytes());
        assert_eq!(read("geheim\r\n").expect("a password").as_str(), "geheim");
        for nothing in ["", "\n"] {
            assert!(matches!(read(nothing), Err(Failure::Usage(_))));
        }
    }
}
