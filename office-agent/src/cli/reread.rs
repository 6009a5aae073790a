//! `office-agent reread`: has sources read from their beginning, by the running agent or at its next start.

use serde::Serialize;

use super::{Failure, Output};
use crate::config::{Config, Source, SourceName};
use crate::identity;
use crate::outbox::{self, Outbox};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this source; all of them when not named.
    #[arg(long)]
    source: Option<SourceName>,
}

/// What will be done.
#[derive(Debug, Default, Serialize)]
struct Asked {
    /// Sources that are read again.
    sources: Vec<String>,
    /// Sources that are pushed: the agent cannot read them.
    pushed: Vec<String>,
}

pub(super) async fn reread(config: &Config, args: &Args, output: &Output) -> Result<(), Failure> {
    let wanted = |source: &&Source| (args.source.as_ref()).is_none_or(|name| name == source.name());
    let sources: Vec<&Source> = config.sources.iter().filter(wanted).collect();
    if sources.is_empty() {
        return Err(Failure::Usage(
            "no such [[source]] is configured; `check-config` lists them".to_owned(),
        ));
    }
    // Whoever is not enrolled makes no outbox.
    identity::load(&config.data_dir)?;
    let outbox = Outbox::open(config.data_dir.join(outbox::FILE))?;
    let mut asked = Asked::default();
    for source in sources {
        let name = source.name();
        match source {
            Source::Push(_) => asked.pushed.push(name.to_string()),
            Source::Sql(_) | Source::Folder(_) => {
                // One that was never read is read from its beginning anyway.
                outbox.read_again(name).await?;
                asked.sources.push(name.to_string());
            }
        }
    }
    output.print(&asked, || text(&asked))?;
    Ok(())
}

fn text(asked: &Asked) -> String {
    let mut lines = Vec::new();
    if !asked.sources.is_empty() {
        lines.push(format!(
            "采集程序将从头重新读取：{}。仅报送有变化的案件。",
            asked.sources.join("、")
        ));
    }
    if !asked.pushed.is_empty() {
        lines.push(format!(
            "由办证系统推送，请重新推送：{}。",
            asked.pushed.join("、")
        ));
    }
    lines.join("\n")
}
