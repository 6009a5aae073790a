//! What people take away as files: which rows there are of it, and what stands in them. The same is read whether a file is
//! handed over at once or made as a job.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;

use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use time::{Date, Duration, OffsetDateTime};
use utoipa::ToSchema;

use super::{Cell, Page, Sheet, Title, duplicate, entry, finding, local, sheet};
use crate::audit::Action;
use crate::codes::codes;
use crate::local_time::{SHANGHAI, local_day};
use crate::review::duplicate::Queue;
use crate::statistics::dimension::Dimension;
use crate::statistics::layout::Layout;
use crate::statistics::period::Grain;
use crate::statistics::query::{self, Query, QueryError};
use crate::store;
use crate::store::supervision::finding::Wanted;
use crate::supervision::edition::Current;
use crate::supervision::life::FindingState;
use crate::supervision::rule::{RuleId, Severity};

/// Rows of a file that is handed over at once: as many as a page shows of a table. It takes a second or so.
pub const AT_ONCE: usize = query::MOST_ROWS;

/// Rows of a file that is made as a job. All of them are in memory together, some hundred bytes each.
pub const MOST: usize = 100_000;

/// Rows read at once.
pub(super) const READ_AT_ONCE: i64 = 1000;

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportSubject)]
pub enum SubjectKind {
    /// A table of figures.
    Statistics,
    /// What the rules of supervision point at.
    Findings,
    /// Entries of the audit log.
    Audit,
    /// What the rules of duplicate applications found.
    Duplicates,
}

codes!(SubjectKind {
    Statistics = "statistics" "统计分析",
    Findings = "findings" "监督问题",
    Audit = "audit" "审计日志",
    Duplicates = "duplicates" "重复申请",
});

/// Days in Asia/Shanghai, both included; `None` where it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    pub first: Option<Date>,
    pub last: Option<Date>,
}

/// What somebody wants, cut down to what is theirs to see.
#[derive(Clone, Debug)]
pub enum Subject {
    Statistics(Box<Query>),
    Findings(Wanted),
    Audit(Days),
    Duplicates(Queue),
}

/// Where names come from.
#[derive(Clone, Debug)]
pub struct Known {
    pub pool: PgPool,
    pub rules: Current,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there are more rows than the file may have")]
    TooLarge,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<QueryError> for ReadError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::TooLarge => Self::TooLarge,
            QueryError::Database(error) => Self::Database(error),
        }
    }
}

impl Subject {
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::Statistics(_) => SubjectKind::Statistics,
            Self::Findings(_) => SubjectKind::Findings,
            Self::Audit(_) => SubjectKind::Audit,
            Self::Duplicates(_) => SubjectKind::Duplicates,
        }
    }

    /// As what taking it away at once is recorded.
    pub const fn action(&self) -> Action {
        match self {
            Self::Statistics(_) => Action::ExportStatistics,
            Self::Findings(_) => Action::ExportFindings,
            Self::Audit(_) => Action::ExportAudit,
            Self::Duplicates(_) => Action::ExportDuplicates,
        }
    }

    /// What is recorded of it: codes alone.
    pub fn detail(&self) -> Value {
        let day = |day: Option<Date>| day.map(|day| Grain::Day.label(day));
        match self {
            Self::Statistics(query) => {
                let codes = query.filter.codes().into_iter();
                let left_in: BTreeMap<&str, Vec<String>> = codes
                    .filter(|(_, codes)| !codes.is_empty())
                    .map(|(dimension, codes)| (dimension.code(), codes))
                    .collect();
                json!({
                    "from": day(query.period.first),
                    "to": day(query.period.last),
                    "group_by": query.group_by.iter().map(|dimension| dimension.code()).collect::<Vec<_>>(),
                    "pivot": query.pivot.map(Dimension::code),
                    "structure_on": day(query.structure_on),
                    "measures": query.measures.iter().map(|measure| measure.code).collect::<Vec<_>>(),
                    "left_in": left_in,
                })
            }
            Self::Findings(wanted) => json!({
                "office": wanted.office,
                "rule": wanted.rule.as_ref().map(RuleId::as_str),
                "severity": wanted.severity.map(Severity::code),
                "state": wanted.state.map(FindingState::code),
                "overdue_on": day(wanted.overdue_on),
            }),
            Self::Audit(days) => json!({ "from": day(days.first), "to": day(days.last) }),
            Self::Duplicates(queue) => queue.detail(),
        }
    }

    /// What it is called in a list of files.
    pub fn name_zh(&self) -> String {
        match self {
            Self::Statistics(query) => format!("{}　{}", Title::name(query), Title::period(query)),
            Self::Findings(_) => "监督问题清单".into(),
            Self::Audit(days) => format!("审计日志　{}", days.label_zh()),
            Self::Duplicates(queue) => format!("重复申请清单　{}", queue.state().label_zh()),
        }
    }

    /// How many rows there will be; 0 where nobody knows before they are read.
    pub async fn total(&self, moment: &mut PgConnection) -> Result<u64, sqlx::Error> {
        match self {
            Self::Statistics(_) | Self::Findings(_) | Self::Duplicates(_) => Ok(0),
            Self::Audit(days) => {
                let (after, through) = days.entries(moment).await?;
                Ok(u64::try_from(through - after).unwrap_or(0))
            }
        }
    }

    /// Reads up to `most` rows, and counts them in `done` as they come.
    pub(crate) async fn read(
        &self,
        moment: &mut PgConnection,
        known: &Known,
        most: usize,
        done: &AtomicU64,
    ) -> Result<Page, ReadError> {
        let rules = known.rules.rules();
        match self {
            Self::Statistics(query) => {
                let query = Query {
                    most,
                    ..(**query).clone()
                };
                let table = query::table(moment, &query).await?;
                Ok(Page {
                    name: "统计".into(),
                    title: Title::of(&query, &table),
                    sheet: Sheet::of(Layout::of(&query, &table, &rules)),
                    notes: sheet::notes(&table),
                })
            }
            Self::Findings(wanted) => {
                let as_of = store::tx::now(moment).await?;
                let rows =
                    finding::read(moment, &rules, wanted, local_day(as_of), most, done).await?;
                Ok(listed(
                    "监督问题清单",
                    String::new(),
                    as_of,
                    finding::headers(),
                    rows,
                ))
            }
            Self::Audit(days) => {
                let as_of = store::tx::now(moment).await?;
                let rows = entry::read(moment, &known.pool, *days, most, done).await?;
                let period = format!("期间：{}", days.label_zh());
                Ok(listed("审计日志", period, as_of, entry::headers(), rows))
            }
            Self::Duplicates(queue) => {
                let as_of = store::tx::now(moment).await?;
                let rows = duplicate::read(moment, &known.pool, queue, most, done).await?;
                let state = format!("状态：{}", queue.state().label_zh());
                Ok(listed(
                    "重复申请清单",
                    state,
                    as_of,
                    duplicate::headers(),
                    rows,
                ))
            }
        }
    }
}

pub(super) fn within(rows: &[Vec<Cell>], most: usize) -> Result<(), ReadError> {
    match rows.len() <= most {
        true => Ok(()),
        false => Err(ReadError::TooLarge),
    }
}

fn listed(
    name: &str,
    period: String,
    as_of: OffsetDateTime,
    headers: Vec<String>,
    rows: Vec<Vec<Cell>>,
) -> Page {
    Page {
        name: name.into(),
        title: Title {
            name: name.into(),
            period,
            as_of: format!("数据截至：{}", local(as_of)),
        },
        sheet: Sheet {
            headers,
            rows,
            totals: None,
        },
        notes: Vec::new(),
    }
}

pub(super) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

pub(super) fn day(day: Option<Date>) -> Cell {
    text(day.map_or_else(String::new, |day| Grain::Day.label(day)))
}

/// What offices are called.
pub(super) async fn office_names(
    moment: &mut PgConnection,
) -> Result<HashMap<String, String>, sqlx::Error> {
    let offices = store::office::list(moment).await?.into_iter();
    Ok(offices
        .map(|office| (office.office_id.to_string(), office.name))
        .collect())
}

impl Days {
    fn label_zh(self) -> String {
        let day = |day| Grain::Day.label_zh(day);
        match (self.first, self.last) {
            (None, None) => "全部期间".into(),
            (Some(first), None) => format!("{}起", day(first)),
            (None, Some(last)) => format!("截至{}", day(last)),
            (Some(first), Some(last)) => format!("{}至{}", day(first), day(last)),
        }
    }

    /// The entries recorded on these days: behind the first number, up to the second.
    pub async fn entries(self, moment: &mut PgConnection) -> Result<(i64, i64), sqlx::Error> {
        let begin = |day: Date| day.midnight().assume_offset(SHANGHAI);
        let after = match self.first {
            None => 0,
            Some(first) => store::audit::last_before(&mut *moment, begin(first)).await?,
        };
        let through = match self.last.and_then(|last| last.checked_add(Duration::DAY)) {
            None => store::audit::last(&mut *moment).await?,
            Some(next) => store::audit::last_before(&mut *moment, begin(next)).await?,
        };
        Ok((after, through.max(after)))
    }
}
