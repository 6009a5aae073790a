//! The directory (annex (四)2, the public part): open to everybody, as JSON and as a page; and what the bureau has on
//! file of an office, which it is made of.

use std::fmt::Write;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::{Action, Outcome};
use crate::http::Api;
use crate::http::params::{Body, OfficeInPath};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store::supervision::profile::{self, Listed, Profile, PutError};

/// Offices that take part.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Directory {
    items: Vec<Listed>,
}

/// Offices, what they publish and who practises there. Open to everybody.
#[utoipa::path(get, path = "/api/v1/directory", operation_id = "listDirectory", responses((status = 200, body = Directory)))]
pub(in crate::http) async fn list(State(api): State<Api>) -> Result<Json<Directory>, Problem> {
    Ok(Json(Directory {
        items: profile::directory(&api.pool).await?,
    }))
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
    match profile::put(&api.pool, office_id, &profile).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found()),
        Err(PutError::PractisesElsewhere) => Err(Problem::practises_elsewhere()),
        Err(PutError::Database(error)) => Err(error.into()),
    }
}

/// The same as a page.
pub(in crate::http) async fn page(State(api): State<Api>) -> Result<Html<String>, Problem> {
    Ok(Html(html(&profile::directory(&api.pool).await?)))
}

fn html(offices: &[Listed]) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>公证机构名录</title>\
         <meta name=\"viewport\" content=\"width=device-width\"></head><body><h1>公证机构名录</h1>",
    );
    for office in offices {
        // Writing to a String cannot fail.
        let _ = write!(page, "<h2>{}</h2><dl>", escaped(&office.name));
        for (term, text) in [
            (
                "执业许可证号",
                office.licence_no.as_deref().unwrap_or_default(),
            ),
            ("地址", &office.address),
            ("电话", &office.telephone),
            ("办公时间", &office.opening_hours),
            ("监督投诉电话", &office.complaint_line),
            ("业务范围、程序、须知与承诺", &office.services),
        ] {
            if !text.is_empty() {
                let _ = write!(page, "<dt>{term}</dt><dd>{}</dd>", escaped(text));
            }
        }
        let notaries: Vec<String> = office
            .notaries
            .iter()
            .map(|notary| escaped(&format!("{}（{}）", notary.name, notary.licence_no)))
            .collect();
        if !notaries.is_empty() {
            let _ = write!(page, "<dt>公证员</dt><dd>{}</dd>", notaries.join("、"));
        }
        page.push_str("</dl>");
    }
    page.push_str("</body></html>");
    page
}

/// Text as HTML shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_an_office_publishes_is_text() {
        assert_eq!(
            super::escaped("<b>\"a\" & b"),
            "&lt;b&gt;&quot;a&quot; &amp; b"
        );
    }
}
