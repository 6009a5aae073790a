//! Work beside the answers that was set aside: what, why and since when, and putting it back.

use std::fmt::Write;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::{Failure, Output, change};
use crate::app::Database;
use crate::audit::Action;
use crate::background::Cause;
use crate::background::set_aside::SetAside;
use crate::config::Config;
use crate::local_time::local_day;
use crate::store::job::set_aside::{self as store, Which};

/// As many as are shown.
const MOST: i64 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum WorkCommand {
    /// List what failed again and again and is set aside, the newest 200.
    SetAside,
    /// Put it back, once what was in its way is gone: a running hub tries it anew.
    PutBack(PutBackArgs),
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, args = ["work_ids", "all"])]
pub(super) struct PutBackArgs {
    /// As listed.
    #[arg(value_name = "WORK_ID")]
    work_ids: Vec<Uuid>,
    /// Everything that is set aside.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(
    config: &Config,
    command: WorkCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        WorkCommand::SetAside => list(config, output).await,
        WorkCommand::PutBack(args) => put_back(config, &args, output).await,
    }
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let listed = async {
        let mut connection = database.general.acquire().await?;
        store::list(&mut connection, None, MOST).await
    };
    let listed = listed.await;
    database.close().await?;
    let listed = listed?;
    Ok(output.print(&json!({ "items": listed }), || text(&listed))?)
}

async fn put_back(config: &Config, args: &PutBackArgs, output: &Output) -> Result<(), Failure> {
    let about = match args.all {
        true => json!({ "all": true }),
        false => json!({ "work": args.work_ids }),
    };
    let put = change(config, Action::PutWorkBack, about, async |database| {
        let mut connection = database.general.acquire().await?;
        let which = match args.all {
            true => Which::All,
            false => Which::These(&args.work_ids),
        };
        let put = store::put_back(&mut connection, which).await?;
        if put.is_empty() {
            return Err(anyhow!(
                "nothing of it is set aside; see what is with: notary-hub work set-aside"
            )
            .into());
        }
        let detail = json!({ "work": put });
        Ok((put, detail))
    })
    .await?;
    Ok(output.print(&json!({ "work": put }), || {
        format!("{} put back; a running hub tries them anew", put.len())
    })?)
}

fn text(listed: &[SetAside]) -> String {
    let mut text = String::new();
    for work in listed {
        let office = work
            .office_id
            .as_ref()
            .map_or("-", |office| office.as_str());
        let what = match (&work.source_case_id, &work.office_id) {
            (Some(case), _) => case,
            (None, Some(_)) => "(what it filed)",
            (None, None) => "(persons)",
        };
        let cause = work.cause.map_or("-", Cause::text);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {:<11}  {office}  {what}  since {}: {cause}",
            work.work_id,
            work.kind.code(),
            local_day(work.since),
        );
    }
    match listed {
        [] => "nothing is set aside".to_owned(),
        _ => text,
    }
}
