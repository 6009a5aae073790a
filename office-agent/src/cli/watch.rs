//! `office-agent watch`: standing questions, answered by notices of the hub.

use uuid::Uuid;

use super::asking::{MatterArgs, NotaryArgs, password};
use super::{Failure, Output};
use crate::config::Config;
use crate::identity;
use crate::lookup::watch;

/// What is done about standing questions.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Hear when another office accepts the matter, or is about to: `status` shows the notices.
    Add(Add),
    /// The office's standing questions.
    List(NotaryArgs),
    /// Take a standing question back.
    Remove(Remove),
}

/// The matter to hear of.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    matter: MatterArgs,
    /// For how many days the question stands.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    #[command(flatten)]
    notary: NotaryArgs,
}

/// The question to take back.
#[derive(Debug, clap::Args)]
pub(super) struct Remove {
    /// As printed by `watch add` and `watch list`.
    id: Uuid,
    #[command(flatten)]
    notary: NotaryArgs,
}

pub(super) async fn watch(
    config: &Config,
    command: Command,
    output: &Output,
) -> Result<(), Failure> {
    let identity = identity::load(&config.data_dir)?;
    match command {
        Command::Add(add) => {
            let question = add.matter.question();
            if question.parties.is_empty() && question.subjects.is_empty() {
                return Err(Failure::Usage(
                    "name the --party and --subject that the matter is known by".to_owned(),
                ));
            }
            // Numbers are looked at before the password is asked for: a typing error needs no sign-in.
            question.tokenised(identity.token_key())?;
            let password = password()?;
            let credentials = add.notary.with(&password);
            let put = watch::put(config, &identity, &question, add.days, credentials).await?;
            output.print(&put, || watch::put_text(&put))?;
        }
        Command::List(notary) => {
            let password = password()?;
            let watches = watch::list(config, &identity, notary.with(&password)).await?;
            output.print(&watches, || watch::list_text(&watches))?;
        }
        Command::Remove(remove) => {
            let password = password()?;
            let credentials = remove.notary.with(&password);
            watch::end(config, &identity, remove.id, credentials).await?;
            output.print(&serde_json::json!({ "ended": remove.id }), || {
                "已取消关注。".to_owned()
            })?;
        }
    }
    Ok(())
}
