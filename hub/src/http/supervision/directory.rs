//! The directory (annex (四)2, the public part): open to everybody, as JSON and as a page; and what the bureau has on
//! file of an office, which it is made of.

use std::fmt::Write;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use linkage::place::DistrictCode;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::tariff::PublishedTariff;
use crate::audit::{Action, Outcome};
use crate::http::Api;
use crate::http::html::{Page, escaped};
use crate::http::params::{Body, OfficeInPath};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::local_time::local_day;
use crate::store::supervision::profile::{self, Listed, Profile, PutError};

/// Offices that take part, and what their services cost.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Directory {
    items: Vec<ListedOffice>,
    /// The table in force today, which is one for all offices; absent when there is none.
    tariff: Option<PublishedTariff>,
}

/// An office as the public sees it.
#[derive(Serialize, ToSchema)]
struct ListedOffice {
    #[serde(flatten)]
    office: Listed,
    /// Names of `practice_area`, in its order; empty where no area is fixed.
    practice_area_zh: Vec<String>,
}

/// Offices, what they publish, who practises there, and the tariff in force. Open to everybody.
#[utoipa::path(get, path = "/api/v1/directory", operation_id = "listDirectory", responses((status = 200, body = Directory)))]
pub(in crate::http) async fn list(State(api): State<Api>) -> Result<Json<Directory>, Problem> {
    Ok(Json(directory(&api).await?))
}

/// What is on file of an office: what a change begins with.
#[utoipa::path(
    get, path = "/api/v1/offices/{office_id}/profile", operation_id = "readOfficeProfile", security(("session" = [])),
    params(("office_id" = String, Path, description = "Office")),
    responses(
        (status = 200, body = Profile), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn read_profile(
    State(api): State<Api>,
    OfficeInPath(office_id): OfficeInPath,
) -> Result<Json<Profile>, Problem> {
    let on_file = profile::read(&api.pool, office_id).await?;
    on_file.map(Json).ok_or_else(Problem::not_found)
}

/// Replaces everything that is on file of an office; what is left out is emptied.
#[utoipa::path(
    put, path = "/api/v1/offices/{office_id}/profile", operation_id = "putOfficeProfile", security(("session" = [])), request_body = Profile,
    params(("office_id" = String, Path, description = "Office")),
    responses(
        (status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn put_profile(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    OfficeInPath(office_id): OfficeInPath,
    Body(profile): Body<Profile>,
) -> Result<StatusCode, Problem> {
    let known = |code: &String| linkage::matter::MatterType::from_code(code).is_some();
    if !profile.matters_excluded.iter().all(known) {
        return Err(Problem::field(
            "matters_excluded",
            "codes of the matter catalogue",
        ));
    }
    let digits =
        |part: &String| (2..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !profile.practice_area.iter().all(digits) {
        return Err(Problem::field(
            "practice_area",
            "beginnings of GB/T 2260 codes, 2 to 6 digits",
        ));
    }
    let detail = json!({ "office": office_id });
    api.record(&person, Action::PutProfile, Outcome::Done, detail)
        .await?;
    let (refused, why) = match profile::put(&api.pool, office_id, &profile).await {
        Ok(true) => return Ok(StatusCode::NO_CONTENT),
        Ok(false) => (Problem::not_found(), "no_office"),
        Err(PutError::PractisesElsewhere) => {
            (Problem::practises_elsewhere(), "practises_elsewhere")
        }
        Err(PutError::Database(error)) => return Err(error.into()),
    };
    // What was recorded as done was not.
    let detail = json!({ "office": office_id, "denied": why });
    api.record(&person, Action::PutProfile, Outcome::Denied, detail)
        .await?;
    Err(refused)
}

/// The same as a page.
pub(in crate::http) async fn page(State(api): State<Api>) -> Result<Page, Problem> {
    Ok(shown(&directory(&api).await?))
}

async fn directory(api: &Api) -> Result<Directory, Problem> {
    let offices = profile::directory(&api.pool).await?;
    let rules = api.supervision.rules.rules();
    let tariff = &rules.tariff;
    let today = local_day(OffsetDateTime::now_utc());
    Ok(Directory {
        items: offices.into_iter().map(ListedOffice::from).collect(),
        tariff: tariff
            .in_force(today)
            .map(|table| PublishedTariff::of(&tariff.version, table)),
    })
}

impl From<Listed> for ListedOffice {
    fn from(office: Listed) -> Self {
        let area = office.practice_area.iter();
        Self {
            practice_area_zh: area.map(|code| area_zh(code)).collect(),
            office,
        }
    }
}

/// A beginning of district codes as people call it; one without a name stays a code.
fn area_zh(beginning: &str) -> String {
    let whole = format!("{beginning:0<6}");
    let name = whole
        .parse()
        .ok()
        .and_then(|code: DistrictCode| code.name_zh());
    name.map_or_else(|| beginning.to_owned(), str::to_owned)
}

fn shown(directory: &Directory) -> Page {
    let mut body = String::from("<h1>公证机构名录</h1>");
    for listed in &directory.items {
        let office = &listed.office;
        let area = listed.practice_area_zh.join("、");
        // Writing to a String cannot fail.
        let _ = write!(body, "<h2>{}</h2><dl>", escaped(&office.name));
        for (term, text) in [
            (
                "执业许可证号",
                office.licence_no.as_deref().unwrap_or_default(),
            ),
            ("执业区域", &area),
            ("地址", &office.address),
            ("电话", &office.telephone),
            ("办公时间", &office.opening_hours),
            ("监督投诉电话", &office.complaint_line),
            ("业务范围、程序、须知与承诺", &office.services),
        ] {
            if !text.is_empty() {
                let _ = write!(body, "<dt>{term}</dt><dd>{}</dd>", escaped(text));
            }
        }
        let notaries: Vec<String> = office
            .notaries
            .iter()
            .map(|notary| escaped(&format!("{}（{}）", notary.name, notary.licence_no)))
            .collect();
        if !notaries.is_empty() {
            let _ = write!(body, "<dt>公证员</dt><dd>{}</dd>", notaries.join("、"));
        }
        body.push_str("</dl>");
    }
    if let Some(tariff) = &directory.tariff {
        tariff.show(&mut body);
    }
    Page::new("公证机构名录", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_called_by_its_name_where_it_has_one() {
        assert_eq!(area_zh("3301"), "杭州市");
        assert_eq!(area_zh("330109"), "萧山区");
        assert_eq!(area_zh("3310"), "3310");
    }
}
