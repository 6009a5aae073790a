//! Periodic filings that never came: how much each office owes, and what it is.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use time::Date;
use utoipa::{IntoParams, ToSchema};

use super::{day, iso_day};
use crate::filing::FilingKind;
use crate::filing::body::Period;
use crate::filing::day::iso_date;
use crate::http::Api;
use crate::http::page::{self, Page};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store::filing::missing::{self, MissingOf, Owed, Place, Wanted};

/// Which missing filings are counted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct OwedFilter {
    kind: Option<FilingKind>,
    /// YYYY-MM-DD: of periods that ended on that day or later.
    from: Option<String>,
    /// YYYY-MM-DD: of periods that ended on that day or before.
    to: Option<String>,
}

/// Which missing filings are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct MissingFilter {
    office: Option<String>,
    kind: Option<FilingKind>,
    /// YYYY-MM-DD: of periods that ended on that day or later.
    from: Option<String>,
    /// YYYY-MM-DD: of periods that ended on that day or before.
    to: Option<String>,
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Offices that owe filings, who owes for the longest time first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OwingOffices {
    items: Vec<OwingOffice>,
}

/// How much an office owes.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OwingOffice {
    #[schema(value_type = String)]
    office_id: OfficeId,
    office_name: String,
    /// Filings that never came.
    count: i64,
    /// When the first of them was due.
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    oldest_due_on: Date,
}

/// A filing that was wanted for a period, whose time has passed.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MissingFiling {
    #[schema(value_type = String)]
    office_id: OfficeId,
    office_name: String,
    kind: FilingKind,
    kind_zh: &'static str,
    period: Period,
    /// The last day on which it was in time.
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    due_on: Date,
}

/// Periodic filings that never came, what was due last first; a notary's office alone.
#[utoipa::path(
    get, path = "/api/v1/supervision/filings/missing", operation_id = "listMissingFilings", security(("session" = [])),
    params(MissingFilter),
    responses(
        (status = 200, body = Page<MissingFiling>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<MissingFilter>,
) -> Result<Json<Page<MissingFiling>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let office = page::parsed("office", filter.office.as_deref(), "an office id")?;
    let wanted = Wanted {
        office_id: person.office_id().or(office),
        kind: filter.kind,
        from: day("from", filter.from.as_deref())?,
        to: day("to", filter.to.as_deref())?,
    };
    let behind = behind(filter.cursor.as_deref())?;
    let mut reading = api.reading(&person).await?;
    let missing = missing::list(&mut reading, wanted, behind, limit + 1).await?;
    let page = Page::cut(missing, limit, |last| cursor(last.place()));
    Ok(Json(page.map(MissingFiling::from)))
}

/// How many periodic filings of each office never came, and since when; a notary's office alone.
#[utoipa::path(
    get, path = "/api/v1/supervision/filings/missing/offices", operation_id = "countMissingFilings",
    security(("session" = [])), params(OwedFilter),
    responses(
        (status = 200, body = OwingOffices), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn by_office(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<OwedFilter>,
) -> Result<Json<OwingOffices>, Problem> {
    let wanted = Wanted {
        office_id: person.office_id(),
        kind: filter.kind,
        from: day("from", filter.from.as_deref())?,
        to: day("to", filter.to.as_deref())?,
    };
    let mut reading = api.reading(&person).await?;
    let owed = missing::by_office(&mut reading, wanted).await?;
    let items = owed.into_iter().map(OwingOffice::from).collect();
    Ok(Json(OwingOffices { items }))
}

fn cursor(place: Place) -> [String; 4] {
    [
        place.due_on.to_string(),
        place.office_id.to_string(),
        place.kind.code().to_owned(),
        place.last_day.to_string(),
    ]
}

fn behind(cursor: Option<&str>) -> Result<Option<Place>, Problem> {
    let Some([due_on, office_id, kind, last_day]) = page::key::<4>(cursor)? else {
        return Ok(None);
    };
    let read = || {
        Some(Place {
            due_on: iso_day(&due_on)?,
            office_id: office_id.parse().ok()?,
            kind: kind.parse().ok()?,
            last_day: iso_day(&last_day)?,
        })
    };
    read().map(Some).ok_or_else(page::bad_cursor)
}

impl From<MissingOf> for MissingFiling {
    fn from(of: MissingOf) -> Self {
        Self {
            office_id: of.office_id,
            office_name: of.office_name,
            kind: of.missing.kind,
            kind_zh: of.missing.kind.label_zh(),
            period: of.missing.period,
            due_on: of.missing.due_on,
        }
    }
}

impl From<Owed> for OwingOffice {
    fn from(owed: Owed) -> Self {
        Self {
            office_id: owed.office_id,
            office_name: owed.office_name,
            count: owed.count,
            oldest_due_on: owed.oldest_due_on,
        }
    }
}
