//! `/api/v1/audit`: the log of who asked what, for supervisors, and proofs of it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::exports::{self, ExportAnswer, StartExport};
use super::form::{self, Form};
use super::page::{self, Page};
use super::params::{Body, Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::audit::merkle::TreeHead;
use crate::audit::{Action, Actor, Break, Outcome, Recorded, window};
use crate::export::subject::{Days, Subject};
use crate::identity::Person;
use crate::statistics::period::day;
use crate::store;
use crate::store::audit::Wanted;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// First day in Asia/Shanghai, e.g. 2024-01-31; from the beginning when absent.
    from: Option<String>,
    /// Last day, included; up to now when absent.
    to: Option<String>,
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Id of an account, `office:` and the id of one whose certificate did it, operator, hub or nobody.
    actor: Option<String>,
    /// On behalf of this office.
    office_id: Option<String>,
    /// Code of what was done, as `action` of the entries.
    action: Option<String>,
    /// hit, no_hit, denied, begun, done or failed.
    outcome: Option<String>,
    /// The reference given with a look-up, or the key of the case that was read.
    case: Option<String>,
}

impl Filter {
    /// What was asked, for the entry about the asking.
    fn asked(&self) -> Value {
        let given = [
            ("actor", &self.actor),
            ("office", &self.office_id),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("case", &self.case),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
        Value::Object(given.collect())
    }

    /// A file has all entries of its days; a filter that it does not follow is refused.
    fn days_alone(&self) -> Result<(), Problem> {
        let others = [
            ("actor", &self.actor),
            ("office_id", &self.office_id),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("case", &self.case),
        ];
        match others.into_iter().find(|(_, value)| value.is_some()) {
            None => Ok(()),
            Some((name, _)) => Err(Problem::field(
                name,
                "nothing beside a file, which has all entries of its days",
            )),
        }
    }

    /// What the parameters ask for; the first that asks for nothing known is named.
    fn wanted(&self) -> Result<Wanted<'_>, Problem> {
        let expected_action = "a code of an action, as the entries have them";
        let expected_outcome = "hit, no_hit, denied, begun, done or failed";
        let expected_actor = "an account's id, office: and an office's id, operator, hub or nobody";
        Ok(Wanted {
            actor: known(
                "actor",
                self.actor.as_deref(),
                Actor::from_code,
                expected_actor,
            )?,
            office: page::parsed("office_id", self.office_id.as_deref(), "an office's id")?,
            action: known(
                "action",
                self.action.as_deref(),
                Action::from_code,
                expected_action,
            )?,
            outcome: known(
                "outcome",
                self.outcome.as_deref(),
                Outcome::from_code,
                expected_outcome,
            )?,
            case: known(
                "case",
                self.case.as_deref(),
                reference,
                "1 to 64 characters",
            )?,
        })
    }
}

/// A filter that stands for something the hub knows, when it is given.
fn known<'a, T>(
    name: &str,
    text: Option<&'a str>,
    read: impl Fn(&'a str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, Problem> {
    text.map(|text| read(text).ok_or_else(|| Problem::field(name, expected)))
        .transpose()
}

/// No case has a control character in its key, and PostgreSQL and the log take none.
fn reference(text: &str) -> Option<&str> {
    let clean = !text.is_empty() && text.chars().count() <= 64 && !text.contains(char::is_control);
    clean.then_some(text)
}

/// One entry.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryAnswer {
    entry_no: i64,
    #[serde(with = "time::serde::rfc3339")]
    recorded_at: OffsetDateTime,
    actor: String,
    office_id: Option<String>,
    action: String,
    /// Null of an action that this hub does not know yet.
    action_zh: Option<&'static str>,
    /// hit, no_hit, denied, begun, done or failed.
    outcome: String,
    purpose: Option<String>,
    case_reference: Option<String>,
    /// Tokens and codes; never a name or a number.
    #[schema(value_type = Object)]
    detail: Value,
    /// Hex; absent of entries from before the log was a tree.
    leaf_hash: Option<String>,
    /// Hex; of entries from before the log was a tree.
    chain_hash: Option<String>,
    /// What was recorded is gone, by a retention that is recorded; its hashes are not.
    pruned: bool,
}

/// Entries that fit every given filter, the newest first. Reading them is an entry of its own. All of some days, the oldest
/// first, as CSV or XLSX by `Accept`; where there are many, that is to be begun by `/audit/entries/exports`.
#[utoipa::path(
    get, path = "/api/v1/audit/entries", operation_id = "listAuditEntries",
    security(("session" = [])), params(Filter),
    responses(
        (status = 200, content(
            (Page<EntryAnswer> = "application/json"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 406, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn entries(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let form = form::wanted(&headers, &[Form::Json, Form::Csv, Form::Xlsx])?;
    let days = filter.days()?;
    if let Some(form) = form.file() {
        page::whole(filter.limit, filter.cursor.as_deref())?;
        filter.days_alone()?;
        return form::at_once(&api, &person, &Subject::Audit(days), form).await;
    }
    let limit = page::limit(filter.limit)?;
    let wanted = filter.wanted()?;
    let before = match page::key::<1>(filter.cursor.as_deref())? {
        None => i64::MAX,
        Some([entry_no]) => entry_no.parse().map_err(|_| page::bad_cursor())?,
    };
    let mut reading = api.reading(&person).await?;
    let (after, through) = days.entries(&mut reading).await?;
    let before = before.min(through.saturating_add(1));
    let entries = store::audit::before(&mut *reading, wanted, before, after, limit + 1).await?;
    api.record(&person, Action::ReadAudit, Outcome::Done, filter.asked())
        .await?;
    let entries = entries.into_iter().map(EntryAnswer::from).collect();
    let page = Page::cut(entries, limit, |last: &EntryAnswer| {
        [last.entry_no.to_string()]
    });
    Ok(Json(page).into_response())
}

/// Begins to make a file of many entries.
#[utoipa::path(
    post, path = "/api/v1/audit/entries/exports", operation_id = "exportAuditEntries",
    security(("session" = [])), params(Filter), request_body = StartExport,
    responses(
        (status = 202, body = ExportAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(super) async fn export_all(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
    Body(wanted): Body<StartExport>,
) -> Result<(StatusCode, Json<ExportAnswer>), Problem> {
    page::whole(filter.limit, filter.cursor.as_deref())?;
    filter.days_alone()?;
    let subject = Subject::Audit(filter.days()?);
    exports::start(&api, &person, subject, wanted).await
}

impl Filter {
    fn days(&self) -> Result<Days, Problem> {
        let read = |name: &str, text: Option<&str>| {
            let expected = "a day such as 2024-01-31";
            let day = text.map(|text| day(text).ok_or_else(|| Problem::field(name, expected)));
            day.transpose()
        };
        let first = read("from", self.from.as_deref())?;
        let last = read("to", self.to.as_deref())?;
        match first.zip(last).is_some_and(|(first, last)| last < first) {
            true => Err(Problem::field("to", "a day that is not before `from`")),
            false => Ok(Days { first, last }),
        }
    }
}

/// That an entry is in a signed tree (RFC 6962).
#[derive(Serialize, ToSchema)]
pub(super) struct InclusionAnswer {
    entry_no: i64,
    /// From 0.
    leaf_index: u64,
    /// Hex.
    leaf_hash: String,
    /// Hashes beside the way from the leaf to the root, hex.
    path: Vec<String>,
    /// Signed note of the tree's size and root (C2SP tlog-checkpoint).
    checkpoint: String,
}

/// Proves that an entry is in the newest checkpoint, or in one that is made for it. Asking is an entry of its own.
#[utoipa::path(
    get, path = "/api/v1/audit/entries/{entry_no}/proof", operation_id = "readAuditProof",
    security(("session" = [])),
    params(("entry_no" = i64, Path, description = "Number of the entry")),
    responses(
        (status = 200, body = InclusionAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn inclusion(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(entry_no): Path<String>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<InclusionAnswer>, Problem> {
    let entry_no: i64 = entry_no.parse().map_err(|_| Problem::not_found())?;
    let inclusion = api.checkpoints.inclusion(entry_no).await?;
    let inclusion = inclusion.ok_or_else(Problem::not_found)?;
    let detail = json!({ "entry_no": entry_no });
    api.record(&person, Action::ProveAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(InclusionAnswer {
        entry_no,
        leaf_index: inclusion.leaf_index,
        leaf_hash: HEXLOWER.encode(&inclusion.leaf_hash),
        path: hex(&inclusion.path),
        checkpoint: inclusion.checkpoint,
    }))
}

/// Sizes of two trees.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sizes {
    /// Of an earlier checkpoint, from 1.
    from: u64,
    /// Of a later one.
    to: u64,
}

/// A tree.
#[derive(Serialize, ToSchema)]
pub(super) struct TreeAnswer {
    size: u64,
    /// Hex.
    root: String,
}

/// That one tree is the beginning of another (RFC 6962).
#[derive(Serialize, ToSchema)]
pub(super) struct ConsistencyAnswer {
    from: TreeAnswer,
    to: TreeAnswer,
    /// Hex.
    path: Vec<String>,
}

/// Proves that the log at one size is the beginning of the log at another. Asking is an entry of its own.
#[utoipa::path(
    get, path = "/api/v1/audit/consistency", operation_id = "readAuditConsistency",
    security(("session" = [])), params(Sizes),
    responses(
        (status = 200, body = ConsistencyAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn consistency(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(sizes): Params<Sizes>,
) -> Result<Json<ConsistencyAnswer>, Problem> {
    let consistency = api.checkpoints.consistency(sizes.from, sizes.to).await?;
    let consistency = consistency.ok_or_else(Problem::not_found)?;
    let detail = json!({ "from": sizes.from, "to": sizes.to });
    api.record(&person, Action::ProveAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(ConsistencyAnswer {
        from: consistency.from.into(),
        to: consistency.to.into(),
        path: hex(&consistency.path),
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Begin {
    /// Number of the last entry that was verified before: `through` of the answer before; 0 when absent.
    after: Option<i64>,
}

/// What walking a part of the log came to.
#[derive(Serialize, ToSchema)]
pub(super) struct VerificationAnswer {
    /// Nothing in this part is at fault.
    intact: bool,
    /// The part begins behind this entry, which is taken for granted.
    after: i64,
    /// Number of the last entry that fits.
    through: i64,
    /// Number of the last entry of this part that a kept checkpoint vouches for; `after` when none does.
    vouched: i64,
    /// Entries of the log when it was asked.
    entries: i64,
    /// The tree up to `through`.
    tree: TreeAnswer,
    first_broken: Option<Broken>,
}

/// The first entry that does not fit.
#[derive(Serialize, ToSchema)]
pub(super) struct Broken {
    /// The first one it can be.
    entry_no: i64,
    /// The last one it can be.
    through: i64,
    /// changed, missing, inserted, reordered, truncated or forked.
    fault: &'static str,
}

/// Verifies a part of the log against its hashes and the checkpoints this hub keeps, and names the first entry that does
/// not fit. Ask again with `after` until `through` is `entries`. `notary-hub audit verify` verifies the whole.
#[utoipa::path(
    get, path = "/api/v1/audit/verification", operation_id = "verifyAudit",
    security(("session" = [])), params(Begin),
    responses(
        (status = 200, body = VerificationAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(super) async fn verification(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(begin): Params<Begin>,
) -> Result<Json<VerificationAnswer>, Problem> {
    let after = begin.after.unwrap_or(0).max(0);
    let window = window::verify(&api.pool, &api.checkpoints, after).await?;
    let verification = window.verification;
    let intact = verification.broken.is_none();
    let detail = json!({ "after": after, "through": verification.through, "intact": intact });
    api.record(&person, Action::VerifyAudit, Outcome::Done, detail)
        .await?;
    Ok(Json(VerificationAnswer {
        intact,
        after: window.after,
        through: verification.through,
        vouched: verification.vouched,
        entries: window.entries,
        tree: verification.head.into(),
        first_broken: verification.broken.map(Broken::from),
    }))
}

fn hex(hashes: &[[u8; 32]]) -> Vec<String> {
    hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect()
}

impl From<TreeHead> for TreeAnswer {
    fn from(head: TreeHead) -> Self {
        Self {
            size: head.size,
            root: HEXLOWER.encode(&head.root),
        }
    }
}

impl From<Break> for Broken {
    fn from(broken: Break) -> Self {
        Self {
            entry_no: broken.entry_no,
            through: broken.through,
            fault: broken.fault.code(),
        }
    }
}

impl From<Recorded> for EntryAnswer {
    fn from(recorded: Recorded) -> Self {
        let leaf_hash = recorded.leaf_hash().map(|hash| HEXLOWER.encode(&hash));
        Self {
            entry_no: recorded.entry_no,
            recorded_at: recorded.recorded_at,
            actor: recorded.actor,
            office_id: recorded.office_id,
            action_zh: Action::from_code(&recorded.action).map(Action::name_zh),
            action: recorded.action,
            outcome: recorded.outcome,
            purpose: recorded.purpose,
            case_reference: recorded.case_reference,
            detail: recorded.detail,
            leaf_hash,
            chain_hash: recorded.chain_hash.map(|hash| HEXLOWER.encode(&hash)),
            pruned: recorded.pruned,
        }
    }
}
