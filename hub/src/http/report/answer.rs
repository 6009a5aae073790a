//! Reports and their issues, as they are asked for and answered.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::params::grounds;
use crate::http::problem::Problem;
use crate::reports::document::Document;
use crate::reports::{Draft, Issue, Publication};

/// Issues.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportIssues)]
pub(in crate::http) struct IssueList {
    pub(super) items: Vec<IssueAnswer>,
}

/// A frozen issue (封账).
#[derive(Serialize, ToSchema)]
#[schema(as = ReportIssue)]
pub(in crate::http) struct IssueAnswer {
    period: String,
    title_zh: String,
    /// 1 for the first.
    issue: i32,
    #[serde(with = "time::serde::rfc3339")]
    frozen_at: OffsetDateTime,
    frozen_by: Uuid,
    /// As the account was called then.
    frozen_by_name: Option<String>,
    /// Why it was published again; null for the first issue.
    reason: Option<String>,
    /// SHA-256 in hex of the report's JSON, as it stands in the answer.
    digest: String,
}

/// A report as known now, and what was published of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportDraft)]
pub(in crate::http) struct DraftAnswer {
    period: String,
    /// Whether its period is over, so that it may be frozen.
    is_over: bool,
    /// The newest first.
    issues: Vec<IssueAnswer>,
    /// What would be published now; what former issues leave out is left out of it as well.
    now: Document,
}

/// An issue with its report.
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedReport)]
pub(in crate::http) struct PublishedAnswer {
    issue: IssueAnswer,
    report: Document,
}

/// A report to be published: nothing for the first time; again, both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PublishReport)]
pub(in crate::http) struct Publish {
    /// The newest issue as it was read, in whose place this one is published.
    in_place_of: Option<i32>,
    /// 1 to 500 characters; no phone or document numbers.
    reason: Option<String>,
}

impl Publish {
    pub(super) fn read(self) -> Result<Publication, Problem> {
        match (self.in_place_of, self.reason) {
            (None, None) => Ok(Publication::First),
            (Some(number), Some(reason)) => {
                let grounds = grounds("reason", &reason)?;
                Ok(Publication::InPlaceOf { number, grounds })
            }
            (Some(_), None) => Err(Problem::field("reason", "a reason for publishing again")),
            (None, Some(_)) => Err(Problem::field(
                "in_place_of",
                "the issue in whose place this one is published",
            )),
        }
    }
}

impl From<Issue> for IssueAnswer {
    fn from(issue: Issue) -> Self {
        Self {
            period: issue.period.to_string(),
            title_zh: issue.period.title_zh(),
            issue: issue.number,
            frozen_at: issue.frozen_at,
            frozen_by: issue.frozen_by,
            frozen_by_name: issue.frozen_by_name,
            reason: issue.reason,
            digest: HEXLOWER.encode(&issue.digest),
        }
    }
}

impl From<Draft> for DraftAnswer {
    fn from(draft: Draft) -> Self {
        Self {
            period: draft.document.period.clone(),
            is_over: draft.is_over,
            issues: draft.issues.into_iter().map(IssueAnswer::from).collect(),
            now: draft.document,
        }
    }
}

impl PublishedAnswer {
    pub(super) fn of(issue: Issue, report: Document) -> Self {
        Self {
            issue: issue.into(),
            report,
        }
    }
}
