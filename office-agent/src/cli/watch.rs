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
    pub(super) matter: MatterArgs,
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
    #[arg(value_parser = id)]
    id: Uuid,
    #[command(flatten)]
    notary: NotaryArgs,
}

fn id(text: &str) -> Result<Uuid, &'static str> {
    (text.parse()).map_err(|_| "expected the id of a standing question, as `watch list` prints it")
}

pub(super) async fn watch(
    config: &Config,
    command: Command,
    output: &Output,
) -> Result<(), Failure> {
    let identity = identity::load(&config.data_dir)?;
    match command {
        Command::Add(add) => {
            let Add {
                matter,
                days,
                notary,
            } = add;
            let question = matter.question();
            if question.parties.is_empty() && question.subjects.is_empty() {
                return Err(Failure::Usage(
                    "name the --party and --subject that the matter is known by".to_owned(),
                ));
            }
            // Numbers are looked at before the password is asked for: a typing error needs no sign-in.
            question.tokenised(identity.token_key())?;
            let password = password()?;
            let credentials = notary.with(&password);
            let put = watch::put(config, &identity, &question, days, credentials).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_pointed_to_the_list() {
        assert!(id("0198c0de-0000-7000-8000-000000000000").is_ok());
        assert!(id("nope").expect_err("no id").contains("watch list"));
    }
}
