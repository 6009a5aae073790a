//! `/api/v1/offices/{office_id}/profile`: what the bureau has on file of an office.

use std::collections::HashSet;
use std::str::FromStr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::params::{Body, OfficeInPath};
use crate::http::problem::{Problem, ProblemBody};
use crate::identity::Person;
use crate::store::supervision::profile as store;
use crate::supervision::profile::{self, Notary, Profile, ProfileError};

/// What is to be on file of an office.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::http) struct NewProfile {
    /// 执业许可证号.
    licence_no: Option<String>,
    /// Codes of the catalogue that the licence does not cover.
    matters_excluded: Vec<String>,
    /// 可办理涉外、涉港澳、涉台. Yes where nobody says no: it would make each such case one out of scope.
    #[serde(default = "yes")]
    #[schema(default = true)]
    foreign_allowed: bool,
    /// Beginnings of GB/T 2260 codes, e.g. 3301; empty where none is fixed.
    practice_area: Vec<String>,
    /// Its system reports approvals.
    keeps_approval: bool,
    address: String,
    telephone: String,
    opening_hours: String,
    /// 监督投诉电话.
    complaint_line: String,
    /// 业务范围、办理程序、须知、承诺.
    services: String,
    /// 数据专管员: who updates and reports the data. Not in the directory.
    data_steward: String,
    notaries: Vec<Notary>,
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
pub(in crate::http) async fn read(
    State(api): State<Api>,
    OfficeInPath(office_id): OfficeInPath,
) -> Result<Json<Profile>, Problem> {
    let on_file = store::read(&api.pool, office_id).await?;
    on_file.map(Json).ok_or_else(Problem::not_found)
}

/// Replaces everything that is on file of an office; what is left out is emptied.
#[utoipa::path(
    put, path = "/api/v1/offices/{office_id}/profile", operation_id = "putOfficeProfile", security(("session" = [])), request_body = NewProfile,
    params(("office_id" = String, Path, description = "Office")),
    responses(
        (status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn put(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    OfficeInPath(office_id): OfficeInPath,
    Body(new): Body<NewProfile>,
) -> Result<StatusCode, Problem> {
    let profile = new.parsed()?;
    profile::put(&api.pool, &api.audit, &person, office_id, &profile).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl NewProfile {
    fn parsed(self) -> Result<Profile, Problem> {
        Ok(Profile {
            licence_no: self.licence_no,
            matters_excluded: all(&self.matters_excluded).ok_or_else(|| {
                Problem::field("matters_excluded", "codes of the matter catalogue")
            })?,
            foreign_allowed: self.foreign_allowed,
            practice_area: all(&self.practice_area).ok_or_else(|| {
                Problem::field(
                    "practice_area",
                    "beginnings of GB/T 2260 codes, 2 to 6 digits",
                )
            })?,
            keeps_approval: self.keeps_approval,
            address: self.address,
            telephone: self.telephone,
            opening_hours: self.opening_hours,
            complaint_line: self.complaint_line,
            services: self.services,
            data_steward: self.data_steward,
            notaries: told_apart(self.notaries).ok_or_else(|| {
                Problem::field(
                    "notaries",
                    "each with a licence number of its own, and a name",
                )
            })?,
        })
    }
}

const fn yes() -> bool {
    true
}

/// All of the codes, or nothing when one is none.
fn all<T: FromStr>(codes: &[String]) -> Option<Vec<T>> {
    codes.iter().map(|code| code.parse().ok()).collect()
}

/// Notaries with a licence and a name, each licence once.
fn told_apart(mut notaries: Vec<Notary>) -> Option<Vec<Notary>> {
    for notary in &mut notaries {
        notary.licence_no = notary.licence_no.trim().to_owned();
        notary.name = notary.name.trim().to_owned();
    }
    let licences: HashSet<&str> = notaries
        .iter()
        .filter(|notary| !notary.name.is_empty())
        .map(|notary| notary.licence_no.as_str())
        .filter(|licence| !licence.is_empty())
        .collect();
    (licences.len() == notaries.len()).then_some(notaries)
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::NoOffice => Self::not_found(),
            ProfileError::PractisesElsewhere => Self::practises_elsewhere(),
            ProfileError::Audit(problem) => problem.into(),
            ProfileError::Database(problem) => problem.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_of_which_nothing_is_said_may_do_what_is_foreign() {
        let new: NewProfile = serde_json::from_str("{}").expect("nothing is needed");
        assert_eq!(new.parsed().ok(), Some(Profile::default()));
        assert!(Profile::default().foreign_allowed);
    }

    #[test]
    fn a_list_of_notaries_has_each_licence_once_and_nobody_without_licence_or_name() {
        let list = |notaries: &[(&str, &str)]| {
            let notary = |(licence_no, name): &(&str, &str)| Notary {
                licence_no: (*licence_no).to_owned(),
                name: (*name).to_owned(),
                title: String::new(),
                active: true,
            };
            let notaries = notaries.iter().map(notary).collect();
            NewProfile {
                notaries,
                ..NewProfile::default()
            }
            .parsed()
            .is_ok()
        };
        assert!(list(&[("1", "甲"), ("2", "甲")]));
        assert!(!list(&[("1", "甲"), ("1 ", "乙")]), "one licence twice");
        assert!(!list(&[(" ", "甲")]), "no licence");
        assert!(!list(&[("1", "")]), "no name");
    }
}
