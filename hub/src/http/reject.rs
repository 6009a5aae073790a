//! `/api/v1/offices/{office_id}/rejects`: what is in quarantine.

use axum::extract::State;
use axum::{Extension, Json};
use linkage::vocabulary::Remedy;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::auth::of_own_office;
use super::page::{self, Page};
use super::params::{OfficeInPath, Params};
use super::problem::{Problem, ProblemBody};
use crate::audit::{Action, Outcome};
use crate::identity::Person;
use crate::store;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A record in quarantine.
#[derive(Serialize, ToSchema)]
pub(super) struct Reject {
    /// The office's key of the case, or where the record stood.
    record_key: String,
    rule_id: String,
    rule_zh: &'static str,
    /// How the office's staff mend it, Chinese.
    remedy_zh: &'static str,
    /// Empty when the record as a whole is at fault.
    field: String,
    source_location: Option<String>,
    /// The shape of the value, never the value.
    value_shape: Option<String>,
    /// agent or hub.
    found_by: String,
    revision: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    first_seen_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    last_seen_at: OffsetDateTime,
}

/// Open rejects of an office, by record.
#[utoipa::path(
    get, path = "/api/v1/offices/{office_id}/rejects", operation_id = "listRejects",
    security(("session" = [])),
    params(("office_id" = String, Path, description = "Office"), Filter),
    responses(
        (status = 200, body = Page<Reject>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    OfficeInPath(office_id): OfficeInPath,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<Reject>>, Problem> {
    of_own_office(&api, &person, office_id).await?;
    let limit = page::limit(filter.limit)?;
    let behind = page::key::<3>(filter.cursor.as_deref())?.unwrap_or_default();
    let mut reading = api.reading(&person).await?;
    if !store::feed::exists(&mut reading, office_id).await? {
        return Err(Problem::not_found());
    }
    let rejects = store::feed::open_rejects(&mut reading, office_id, &behind, limit + 1).await?;
    let detail = json!({ "office": office_id.as_str() });
    api.record(&person, Action::ListRejects, Outcome::Done, detail)
        .await?;
    let rejects = rejects.into_iter().map(Reject::from).collect();
    Ok(Json(Page::cut(rejects, limit, |last: &Reject| {
        [&last.record_key, &last.rule_id, &last.field].map(Clone::clone)
    })))
}

impl From<store::feed::Reject> for Reject {
    fn from(reject: store::feed::Reject) -> Self {
        let Remedy {
            label_zh,
            remedy_zh,
        } = Remedy::of(&reject.rule_id);
        Self {
            rule_zh: label_zh,
            remedy_zh,
            record_key: reject.record_key,
            rule_id: reject.rule_id,
            field: reject.field,
            source_location: reject.source_location,
            value_shape: reject.value_shape,
            found_by: reject.found_by,
            revision: reject.revision,
            first_seen_at: reject.first_seen_at,
            last_seen_at: reject.last_seen_at,
        }
    }
}
