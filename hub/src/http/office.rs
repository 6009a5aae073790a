//! `/api/v1/offices`: the offices and their feeds.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use linkage::vocabulary::Remedy;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::Api;
use super::auth::of_own_office;
use super::params::{Nothing, OfficeInPath, Params};
use super::problem::{Problem, ProblemBody};
use crate::case::quality;
use crate::identity::Person;
use crate::store;
use crate::store::feed::{Count, Feed};

/// Offices.
#[derive(Serialize, ToSchema)]
pub(super) struct Offices {
    items: Vec<Office>,
}

/// An office (公证处).
#[derive(Serialize, ToSchema)]
pub(super) struct Office {
    #[schema(value_type = String)]
    office_id: OfficeId,
    name: String,
    /// municipal or county.
    level: &'static str,
    level_zh: &'static str,
    /// GB/T 2260.
    district_code: String,
    district_zh: Option<&'static str>,
    revoked: bool,
    /// End of its newest certificate.
    #[serde(with = "time::serde::rfc3339::option")]
    certified_until: Option<OffsetDateTime>,
}

/// Where an office's feed stands.
#[derive(Serialize, ToSchema)]
pub(super) struct FeedAnswer {
    #[schema(value_type = String)]
    office_id: OfficeId,
    /// Whether its agent is connected to some hub now.
    connected: bool,
    /// Sequence up to which everything is durable here.
    committed_sequence: Option<i64>,
    /// Records that the agent says still wait at it.
    backlog: Option<i64>,
    /// While everything that its agent has was never here; null of one that never spoke.
    first_load: Option<FirstLoad>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_commit_at: Option<OffsetDateTime>,
    /// When all that the office has was last known to be here: now, for as long as its agent is heard and nothing waits there.
    #[serde(with = "time::serde::rfc3339::option")]
    caught_up_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_seen_at: Option<OffsetDateTime>,
    /// Agent's clock minus the hub's.
    clock_skew_ms: Option<i64>,
    agent_version: Option<String>,
    /// 数据专管员: who at the office updates and reports the data.
    data_steward: Option<String>,
    /// What the agent found when it last compared; it does so once a day. It heals differences by itself.
    drift: Option<DriftFound>,
    /// Records in quarantine, by rule.
    open_rejects: Vec<ByRule>,
    /// Stored cases that the office should look at, by rule.
    quality_findings: Vec<ByRule>,
}

/// How far an office's first load is. The agent goes on reading meanwhile, so that there may be more to come than it knows.
#[derive(Serialize, ToSchema)]
pub(super) struct FirstLoad {
    /// Records that are durable here.
    committed: i64,
    /// Those, and what the agent says waits at it.
    known: i64,
}

/// Cases in which an office and the hub differ.
#[derive(Serialize, ToSchema)]
pub(super) struct DriftFound {
    #[serde(with = "time::serde::rfc3339::option")]
    compared_at: Option<OffsetDateTime>,
    /// The office has handed them over and the hub does not have them.
    missing: i64,
    /// The hub has other content.
    differing: i64,
    /// The hub has them and the agent does not know them, e.g. because the office's system has them no longer.
    only_at_hub: i64,
}

/// How many a rule has.
#[derive(Serialize, ToSchema)]
pub(super) struct ByRule {
    rule_id: String,
    rule_zh: &'static str,
    count: i64,
}

/// Feeds.
#[derive(Serialize, ToSchema)]
pub(super) struct Feeds {
    items: Vec<FeedAnswer>,
}

/// All offices; a notary sees the own one.
#[utoipa::path(
    get, path = "/api/v1/offices", operation_id = "listOffices",
    security(("session" = [])),
    responses((status = 200, body = Offices), (status = 401, body = ProblemBody)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<Offices>, Problem> {
    let mut reading = api.reading(&person).await?;
    let offices = store::office::list(&mut *reading).await?;
    let own = person.office_id();
    let seen = offices
        .into_iter()
        .filter(|office| own.is_none_or(|own| own == office.office_id));
    Ok(Json(Offices {
        items: seen.map(Office::from).collect(),
    }))
}

/// Where the feeds of all offices stand; a notary sees the own one.
#[utoipa::path(
    get, path = "/api/v1/feeds", operation_id = "listFeedStates",
    security(("session" = [])),
    responses((status = 200, body = Feeds), (status = 401, body = ProblemBody)),
)]
pub(super) async fn feeds(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<Feeds>, Problem> {
    let mut reading = api.reading(&person).await?;
    let feeds = store::feed::list(&mut reading, person.office_id()).await?;
    Ok(Json(Feeds {
        items: feeds.into_iter().map(FeedAnswer::from).collect(),
    }))
}

/// Where an office's feed stands.
#[utoipa::path(
    get, path = "/api/v1/offices/{office_id}/feed", operation_id = "readFeed",
    security(("session" = [])),
    params(("office_id" = String, Path, description = "Office")),
    responses(
        (status = 200, body = FeedAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn feed(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    OfficeInPath(office_id): OfficeInPath,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<FeedAnswer>, Problem> {
    of_own_office(&api, &person, office_id).await?;
    let mut reading = api.reading(&person).await?;
    let feed = store::feed::of(&mut reading, office_id).await?;
    Ok(Json(feed.ok_or_else(Problem::not_found)?.into()))
}

impl From<store::office::Office> for Office {
    fn from(office: store::office::Office) -> Self {
        Self {
            office_id: office.office_id,
            name: office.name,
            level: office.level.code(),
            level_zh: office.level.label_zh(),
            district_zh: office.district_code.name_zh(),
            district_code: office.district_code.to_string(),
            revoked: office.revoked,
            certified_until: office.certified_until,
        }
    }
}

impl FirstLoad {
    fn of(feed: &Feed) -> Option<Self> {
        match (feed.up_to_date_at, feed.committed_sequence, feed.backlog) {
            (None, Some(committed), Some(backlog)) => Some(Self {
                committed,
                known: committed.saturating_add(backlog),
            }),
            _ => None,
        }
    }
}

impl From<Feed> for FeedAnswer {
    fn from(feed: Feed) -> Self {
        let by_rule = |counts: Vec<Count>, label_zh: fn(&str) -> &'static str| {
            let rules = counts.into_iter().map(|Count { rule_id, count }| ByRule {
                rule_zh: label_zh(&rule_id),
                rule_id,
                count,
            });
            rules.collect()
        };
        Self {
            office_id: feed.office_id,
            connected: feed.connected,
            committed_sequence: feed.committed_sequence,
            backlog: feed.backlog,
            first_load: FirstLoad::of(&feed),
            last_commit_at: feed.last_commit_at,
            caught_up_at: feed.up_to_date_at,
            last_seen_at: feed.last_seen_at,
            clock_skew_ms: feed.clock_skew_ms,
            agent_version: feed.agent_version,
            data_steward: feed.data_steward,
            drift: feed.drift.map(|drift| DriftFound {
                compared_at: feed.compared_at,
                missing: drift.missing,
                differing: drift.differing,
                only_at_hub: drift.only_at_hub,
            }),
            open_rejects: by_rule(feed.open_rejects, |rule| Remedy::of(rule).label_zh),
            quality_findings: by_rule(feed.quality_findings, quality::label_zh),
        }
    }
}
