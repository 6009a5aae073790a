//! `/api/v1/statistics/feeds` and `/api/v1/statistics/overview`: what the bureau looks at first.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};

use crate::http::Api;
use crate::http::params::{Nothing, Params, Today};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::statistics::feeds::{self, Feed, Timeliness};
use crate::statistics::period::{Grain, Span};
use crate::store::figures::overview;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Asked {
    /// First period, e.g. 2024, 2024-Q1, 2024-01, 2024-01-31; the running month when absent.
    from: Option<String>,
    /// Last period, included; `from` when absent.
    to: Option<String>,
}

/// Offices' feeds at one moment, and how they were over a period.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsFeeds)]
pub(in crate::http) struct FeedsAnswer {
    #[serde(with = "time::serde::rfc3339")]
    as_of: OffsetDateTime,
    /// First day of the period.
    from: String,
    /// Last day of the period.
    to: String,
    items: Vec<FeedItem>,
}

/// An office's feed.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsFeed)]
pub(super) struct FeedItem {
    #[schema(value_type = String)]
    office_id: OfficeId,
    timeliness: TimelinessCode,
    /// Working days since the feed was last up to date, when it is late.
    late_by_working_days: Option<u32>,
    connected: bool,
    /// When everything that the office's agent had was here.
    #[serde(with = "time::serde::rfc3339::option")]
    up_to_date_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    last_commit_at: Option<OffsetDateTime>,
    committed_sequence: i64,
    /// Records that the agent says still wait at it.
    waiting: i64,
    /// Records in quarantine.
    open_rejects: i64,
    /// Cases that the office should look at.
    flawed_cases: i64,
    /// Cases here of all that the office has offered; null when it has offered none.
    completeness: Option<f64>,
    /// Over the period; null where nothing was measured.
    past: Option<PastItem>,
}

/// A feed over a period, of samples every ten minutes.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsFeedPast)]
pub(super) struct PastItem {
    samples: i64,
    /// Samples in which the feed was at most a working day behind, of all.
    on_time_rate: f64,
    longest_lag_seconds: i64,
    most_waiting: i64,
    /// Records that were committed, by sequence.
    records: i64,
}

/// Whether a feed is up to date.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = StatisticsTimeliness)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimelinessCode {
    OnTime,
    Late,
    Never,
}

/// What is open, and how many feeds are late. Flow, trend and ranking are tables of `/statistics`.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsOverview)]
pub(in crate::http) struct OverviewAnswer {
    #[serde(with = "time::serde::rfc3339")]
    as_of: OffsetDateTime,
    /// Today in Asia/Shanghai.
    today: String,
    feeds: FeedCounts,
    open: OpenCounts,
}

/// Feeds by how they are.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = StatisticsFeedCounts)]
pub(super) struct FeedCounts {
    offices: usize,
    connected: usize,
    on_time: usize,
    late: usize,
    never: usize,
}

/// What waits for somebody.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsOpen)]
pub(super) struct OpenCounts {
    /// 重复申请
    duplicate: i64,
    /// 冲突
    conflict: i64,
    /// 关联
    related: i64,
    /// Records in quarantine.
    rejects: i64,
    /// Cases that offices should look at.
    flawed_cases: i64,
    /// Pairs that may be one person; 0 for whoever does not review them.
    possible_persons: i64,
}

/// Completeness and timeliness of every office's feed; a notary's is the own one.
#[utoipa::path(
    get, path = "/api/v1/statistics/feeds", operation_id = "listFeeds", tag = "statistics",
    security(("session" = [])), params(Asked),
    responses(
        (status = 200, body = FeedsAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(asked): Params<Asked>,
) -> Result<Json<FeedsAnswer>, Problem> {
    let period = period(&asked, today)?;
    let mut moment = api.reading(&person).await?;
    let (as_of, feeds) = feeds::feeds(&mut moment, period, person.office_id()).await?;
    Ok(Json(FeedsAnswer {
        as_of,
        from: Grain::Day.label(period.first),
        to: Grain::Day.label(period.last),
        items: feeds.into_iter().map(FeedItem::from).collect(),
    }))
}

/// The city at a glance; for a notary, the own office.
#[utoipa::path(
    get, path = "/api/v1/statistics/overview", operation_id = "readOverview", tag = "statistics",
    security(("session" = [])),
    responses(
        (status = 200, body = OverviewAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn overview(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Today(today): Today,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<OverviewAnswer>, Problem> {
    let own = person.office_id();
    let mut moment = api.reading(&person).await?;
    let (as_of, feeds) = feeds::feeds(&mut moment, Grain::Day.span(today), own).await?;
    let open = overview::open(&mut moment, own).await?;
    Ok(Json(OverviewAnswer {
        as_of,
        today: Grain::Day.label(today),
        feeds: FeedCounts::of(&feeds),
        open: OpenCounts {
            duplicate: open.duplicate,
            conflict: open.conflict,
            related: open.related,
            rejects: open.rejects,
            flawed_cases: open.flawed_cases,
            possible_persons: open.possible_persons,
        },
    }))
}

fn period(asked: &Asked, today: Date) -> Result<Span, Problem> {
    let expected = "a period such as 2024, 2024-Q1, 2024-01 or 2024-01-31";
    let read = |name: &str, text: &Option<String>| {
        let span = text
            .as_deref()
            .map(|text| Span::parse(text).ok_or_else(|| Problem::field(name, expected)));
        span.transpose()
    };
    let (from, to) = (read("from", &asked.from)?, read("to", &asked.to)?);
    let first = from.map_or_else(|| Grain::Month.begin(today), |from| from.first);
    let last = to.or(from).map_or(today, |span| span.last);
    match first <= last {
        true => Ok(Span { first, last }),
        false => Err(Problem::field(
            "to",
            "a period that does not end before `from`",
        )),
    }
}

impl FeedCounts {
    fn of(feeds: &[Feed]) -> Self {
        let mut counts = Self {
            offices: feeds.len(),
            ..Self::default()
        };
        for feed in feeds {
            counts.connected += usize::from(feed.standing.connected);
            match feed.timeliness {
                Timeliness::OnTime => counts.on_time += 1,
                Timeliness::Late(_) => counts.late += 1,
                Timeliness::Never => counts.never += 1,
            }
        }
        counts
    }
}

impl From<Feed> for FeedItem {
    fn from(feed: Feed) -> Self {
        let standing = feed.standing;
        let (timeliness, late_by_working_days) = match feed.timeliness {
            Timeliness::OnTime => (TimelinessCode::OnTime, None),
            Timeliness::Late(days) => (TimelinessCode::Late, Some(days)),
            Timeliness::Never => (TimelinessCode::Never, None),
        };
        Self {
            office_id: standing.office_id,
            timeliness,
            late_by_working_days,
            connected: standing.connected,
            up_to_date_at: standing.up_to_date_at,
            last_commit_at: standing.last_commit_at,
            committed_sequence: standing.committed_sequence,
            waiting: standing.waiting,
            open_rejects: standing.open_rejects,
            flawed_cases: standing.flawed_cases,
            completeness: feed.completeness,
            past: feed.past.map(|past| PastItem {
                samples: past.samples,
                on_time_rate: 1.0 - past.late_samples as f64 / past.samples.max(1) as f64,
                longest_lag_seconds: past.longest_lag_seconds,
                most_waiting: past.most_waiting,
                records: past.records,
            }),
        }
    }
}
