//! Commands about period reports. Each is done for somebody of the bureau, who reads and answers for reports; the audit
//! log says that an operator did it, and for whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Failure, Output};
use crate::app::Database;
use crate::audit::{self, Audit, key_file};
use crate::config::Config;
use crate::export::xlsx;
use crate::identity::{Person, Role, RoleKind};
use crate::local_time::local_day;
use crate::reports::document::Document;
use crate::reports::period::ReportPeriod;
use crate::reports::{Draft, Hand, Issue, Publication, Reports, print, workbook};
use crate::review::Grounds;
use crate::store::account;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Login of the analyst or supervisor for whom it is done.
    #[arg(long, value_name = "LOGIN")]
    by: String,
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// Every issue of every period, the newest period first.
    List,
    /// A report as it would be published now, or an issue of it.
    Show {
        /// A month, quarter, half or year: 2024-03, 2024-Q1, 2024-H1, 2024.
        period: ReportPeriod,
        /// 1 for the first.
        #[arg(long)]
        issue: Option<i32>,
    },
    /// Publish a report whose period is over (封账); it stays as it is for ever.
    Freeze {
        /// A month, quarter, half or year: 2024-03, 2024-Q1, 2024-H1, 2024.
        period: ReportPeriod,
        /// The newest issue, when it is published again.
        #[arg(long, requires = "reason")]
        in_place_of: Option<i32>,
        /// Why it is published again.
        #[arg(long, requires = "in_place_of")]
        reason: Option<Grounds>,
    },
    /// Write an issue to a file: a workbook (.xlsx) or a page to print (.html).
    Export {
        /// A month, quarter, half or year: 2024-03, 2024-Q1, 2024-H1, 2024.
        period: ReportPeriod,
        /// 1 for the first; the newest by itself.
        #[arg(long)]
        issue: Option<i32>,
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

pub(super) async fn run(config: &Config, args: ReportArgs, output: &Output) -> Result<(), Failure> {
    let key = Arc::new(key_file::load_or_make(config)?);
    let database = Database::open_or_join(config).await?;
    let done = audit::for_once(database.audit.clone(), key, async |audit: &Audit| {
        let person = person(&database, &args.by).await?;
        let reports = Reports {
            pool: &database.general,
            audit,
            by: &person,
            hand: Hand::Operator,
        };
        execute(reports, args.command, output).await
    })
    .await;
    database.close().await?;
    done
}

async fn execute(
    reports: Reports<'_>,
    command: ReportCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ReportCommand::List => {
            let issues = reports.list().await?;
            let value = json!({ "items": issues.iter().map(value).collect::<Vec<_>>() });
            Ok(output.print(&value, || lines(&issues))?)
        }
        ReportCommand::Show {
            period,
            issue: None,
        } => {
            let draft = reports.draft(period).await?;
            Ok(output.print(&draft.document, || of_draft(&draft))?)
        }
        ReportCommand::Show {
            period,
            issue: Some(number),
        } => {
            let (issue, document) = reports.issue(period, number).await?;
            Ok(output.print(&document, || of_issue(&issue, &document))?)
        }
        ReportCommand::Freeze {
            period,
            in_place_of,
            reason,
        } => {
            let publication = match in_place_of.zip(reason) {
                Some((number, grounds)) => Publication::InPlaceOf { number, grounds },
                None => Publication::First,
            };
            let (issue, _) = reports.publish(period, &publication).await?;
            Ok(output.print(&value(&issue), || lines(std::slice::from_ref(&issue)))?)
        }
        ReportCommand::Export { period, issue, to } => {
            let issue = export(reports, period, issue, &to).await?;
            Ok(output.print(&value(&issue), || format!("written to {}", to.display()))?)
        }
    }
}

/// The account's person, if it is one who works with reports.
async fn person(database: &Database, login: &str) -> Result<Person, Failure> {
    let accounts = account::list(&database.general).await?;
    let account = accounts
        .into_iter()
        .find(|account| account.login == login && !account.disabled)
        .ok_or_else(|| anyhow!("there is no active account {login}; see: notary-hub user list"))?;
    match account.role {
        RoleKind::Analyst => Ok(Person::new(account.account_id, Role::Analyst)),
        RoleKind::Supervisor => Ok(Person::new(account.account_id, Role::Supervisor)),
        _ => Err(Failure::Usage(format!(
            "{login} does not work with reports; analysts and supervisors do"
        ))),
    }
}

async fn export(
    reports: Reports<'_>,
    period: ReportPeriod,
    number: Option<i32>,
    to: &Path,
) -> Result<Issue, Failure> {
    let form = match to.extension().and_then(|extension| extension.to_str()) {
        Some(form @ ("xlsx" | "html")) => form,
        _ => {
            return Err(Failure::Usage(
                "the file is to end in .xlsx or .html".into(),
            ));
        }
    };
    let number = match number {
        Some(number) => number,
        None => newest(&reports.draft(period).await?)?,
    };
    let (issue, document) = reports.issue(period, number).await?;
    let bytes = match form {
        "html" => print::page(&issue, &document).into_bytes(),
        _ => xlsx::written(&workbook::pages(&issue, &document))?,
    };
    reports.exported(form, period, number).await?;
    std::fs::write(to, bytes).with_context(|| format!("write {}", to.display()))?;
    Ok(issue)
}

fn newest(draft: &Draft) -> Result<i32, Failure> {
    let newest = draft.issues.first();
    let newest =
        newest.ok_or_else(|| anyhow!("no issue of {} is frozen", draft.document.period))?;
    Ok(newest.number)
}

fn value(issue: &Issue) -> Value {
    json!({
        "period": issue.period.to_string(),
        "issue": issue.number,
        "frozen_at": issue.frozen_at.format(&Rfc3339).unwrap_or_default(),
        "frozen_by": issue.frozen_by,
        "frozen_by_name": issue.frozen_by_name,
        "reason": issue.reason,
        "digest": HEXLOWER.encode(&issue.digest),
    })
}

fn lines(issues: &[Issue]) -> String {
    let line = |issue: &Issue| {
        format!(
            "{:<8}  issue {}  frozen {}  by {}  {}",
            issue.period.to_string(),
            issue.number,
            local_day(issue.frozen_at),
            issue.frozen_by_name.as_deref().unwrap_or("?"),
            HEXLOWER.encode(&issue.digest),
        )
    };
    match issues {
        [] => "nothing is frozen yet".to_owned(),
        issues => issues.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

fn of_draft(draft: &Draft) -> String {
    let standing = match (draft.issues.first(), draft.is_over) {
        (Some(newest), _) => format!("issue {} is frozen; as known now:", newest.number),
        (None, true) => "not frozen yet; as known now:".to_owned(),
        (None, false) => "its period is not over; as known now:".to_owned(),
    };
    text(&standing, &draft.document)
}

fn of_issue(issue: &Issue, document: &Document) -> String {
    text(&lines(std::slice::from_ref(issue)), document)
}

fn text(standing: &str, document: &Document) -> String {
    format!(
        "{}\n{standing}\n\n{}",
        document.title_zh,
        document.summary_zh.join("\n")
    )
}
