//! Entries of the audit log as a file.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use linkage::vocabulary::Purpose;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::Cell;
use super::subject::{Days, READ_AT_ONCE, ReadError, office_names, text, within};
use crate::audit::{Action, Outcome, Recorded};
use crate::local_time::SHANGHAI;
use crate::store;

const HEADERS: [&str; 10] = [
    "序号",
    "时间",
    "何人",
    "公证处",
    "做了什么",
    "结果",
    "目的",
    "案件或收件号",
    "详情",
    "叶哈希",
];

pub(super) fn headers() -> Vec<String> {
    HEADERS.map(str::to_owned).into()
}

/// Reads up to `most` rows, and counts them in `done` as they come.
pub(super) async fn read(
    moment: &mut PgConnection,
    pool: &PgPool,
    days: Days,
    most: usize,
    done: &AtomicU64,
) -> Result<Vec<Vec<Cell>>, ReadError> {
    let names = Names::read(moment, pool).await?;
    let (mut after, through) = days.entries(moment).await?;
    let mut rows = Vec::new();
    while after < through {
        let entries = store::audit::between(&mut *moment, after, through, READ_AT_ONCE).await?;
        let Some(last) = entries.last() else { break };
        after = last.entry_no;
        rows.extend(entries.into_iter().map(|entry| row(entry, &names)));
        done.store(rows.len() as u64, Ordering::Relaxed);
        within(&rows, most)?;
    }
    Ok(rows)
}

/// What those are called whom the log names by their ids.
struct Names {
    accounts: HashMap<String, String>,
    offices: HashMap<String, String>,
}

impl Names {
    /// Accounts are read as the hub: whoever may read the log may read of all of them.
    async fn read(moment: &mut PgConnection, pool: &PgPool) -> Result<Self, sqlx::Error> {
        let accounts = store::account::list(pool).await?.into_iter();
        Ok(Self {
            accounts: accounts
                .map(|account| {
                    let name = format!("{}（{}）", account.display_name, account.login);
                    (account.account_id.to_string(), name)
                })
                .collect(),
            offices: office_names(moment).await?,
        })
    }

    fn actor(&self, actor: &str) -> String {
        match actor {
            "operator" => "命令行运维".into(),
            "nobody" => "未登录者".into(),
            "hub" => "平台".into(),
            _ => match actor.strip_prefix("office:") {
                Some(office_id) => self.office(office_id),
                None => self
                    .accounts
                    .get(actor)
                    .map_or(actor, String::as_str)
                    .into(),
            },
        }
    }

    fn office(&self, office_id: &str) -> String {
        self.offices
            .get(office_id)
            .map_or(office_id, String::as_str)
            .into()
    }
}

fn row(entry: Recorded, names: &Names) -> Vec<Cell> {
    let leaf = entry.leaf_hash().map(|hash| HEXLOWER.encode(&hash));
    let action = Action::from_code(&entry.action);
    let action = action.map_or(entry.action.as_str(), |action| action.name_zh());
    let outcome = Outcome::from_code(&entry.outcome);
    let outcome = outcome.map_or(entry.outcome.as_str(), |outcome| outcome.name_zh());
    let purpose = entry.purpose.as_deref().unwrap_or_default();
    let known: Result<Purpose, _> = purpose.parse();
    let purpose = known.map_or(purpose, |purpose| purpose.label_zh());
    vec![
        Cell::Count(Some(entry.entry_no)),
        text(local_second(entry.recorded_at)),
        text(names.actor(&entry.actor)),
        text(
            entry
                .office_id
                .map_or_else(String::new, |id| names.office(&id)),
        ),
        text(action),
        text(outcome),
        text(purpose),
        text(entry.case_reference.unwrap_or_default()),
        text(match entry.pruned {
            true => "内容已按规定期限清除".to_owned(),
            false => entry.detail.to_string(),
        }),
        text(leaf.unwrap_or_default()),
    ]
}

/// 2026-11-26 09:30:05
fn local_second(at: OffsetDateTime) -> String {
    let form = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.to_offset(SHANGHAI).format(form).unwrap_or_default()
}
