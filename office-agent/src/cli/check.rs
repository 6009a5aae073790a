//! `office-agent check`: a look-up before accepting.

use std::process::ExitCode;

use super::asking::{MatterArgs, NotaryArgs, password};
use super::person::PersonArg;
use super::{Failure, Output};
use crate::config::Config;
use crate::identity;
use crate::lookup::{self, IntentAction, Question};

/// The question.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    matter: MatterArgs,
    /// A party without a verified number: role, name, and what else is known of birth, sex, phone, district, id (kind/number)
    /// and kind. The name is sent to be compared; phone and number do not leave this machine.
    #[arg(long = "person", value_name = "ROLE:NAME[:FIELD=VALUE,…]")]
    persons: Vec<PersonArg>,
    /// Tell other offices that ask within 24 hours that this office is about to accept the matter.
    #[arg(long)]
    register_intent: bool,
    /// Take the intent back.
    #[arg(long, conflicts_with = "register_intent")]
    withdraw_intent: bool,
    #[command(flatten)]
    notary: NotaryArgs,
}

impl Args {
    /// What is asked, and who asks.
    pub(super) fn asked(self) -> (Question, NotaryArgs) {
        let intent = match (self.register_intent, self.withdraw_intent) {
            (true, _) => Some(IntentAction::Register),
            (false, true) => Some(IntentAction::Withdraw),
            (false, false) => None,
        };
        let question = Question {
            persons: self.persons.into_iter().map(|person| person.0).collect(),
            intent,
            ..self.matter.question()
        };
        (question, self.notary)
    }
}

const FOUND: u8 = 10;

pub(super) async fn check(
    config: &Config,
    args: Args,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let (question, notary) = args.asked();
    if question.parties.is_empty() && question.persons.is_empty() && question.subjects.is_empty() {
        return Err(Failure::Usage(
            "name at least one --party, --person or --subject to look for".to_owned(),
        ));
    }
    let identity = identity::load(&config.data_dir)?;
    // Numbers are looked at before the password is asked for: a typing error needs no sign-in.
    question.tokenised(identity.token_key())?;
    let password = password()?;
    let credentials = notary.with(&password);
    let answer = lookup::ask(config, &identity, &question, credentials).await?;
    // What is cut off may hold something.
    let found = answer.truncated || !(answer.hits.is_empty() && answer.intents.is_empty());
    output.print(&answer, || lookup::text(&answer))?;
    Ok(match found {
        true => ExitCode::from(FOUND),
        false => ExitCode::SUCCESS,
    })
}
