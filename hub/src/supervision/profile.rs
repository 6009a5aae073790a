//! What the bureau has on file of an office: the directory is made of it, and rules look at it.

use std::fmt;
use std::str::FromStr;

use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::audit::{Action, Audit, AuditError, Entry, Outcome};
use crate::identity::Person;
use crate::store::supervision::profile::{self as store, PutError};

/// What is on file of an office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Profile {
    /// 执业许可证号.
    pub licence_no: Option<String>,
    /// Codes of the catalogue that the licence does not cover.
    #[schema(value_type = Vec<String>)]
    pub matters_excluded: Vec<MatterType>,
    /// 可办理涉外、涉港澳、涉台. Yes where nobody says no: it would make each such case one out of scope.
    pub foreign_allowed: bool,
    /// Beginnings of GB/T 2260 codes, e.g. 3301; empty where none is fixed.
    #[schema(value_type = Vec<String>)]
    pub practice_area: Vec<PracticeArea>,
    /// Its system reports approvals.
    pub keeps_approval: bool,
    pub address: String,
    pub telephone: String,
    pub opening_hours: String,
    /// 监督投诉电话.
    pub complaint_line: String,
    /// 业务范围、办理程序、须知、承诺.
    pub services: String,
    /// 数据专管员: who updates and reports the data. Not in the directory.
    pub data_steward: String,
    pub notaries: Vec<Notary>,
}

/// A notary of an office.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notary {
    pub licence_no: String,
    pub name: String,
    pub title: String,
    pub active: bool,
}

/// Where an office practises (执业区域): a beginning of district codes, 2 to 6 digits of GB/T 2260.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PracticeArea(String);

/// No beginning of a district code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a practice area is the beginning of a GB/T 2260 code, 2 to 6 digits")]
pub struct PracticeAreaError;

/// Why a profile was not put on file.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no such office")]
    NoOffice,
    /// 公证法 art. 23 (1).
    #[error("a notary of the list practises at another office")]
    PractisesElsewhere,
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("put what is on file of an office: {0}")]
    Database(#[from] sqlx::Error),
}

impl PracticeArea {
    /// As stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people call it; one without a name stays a code.
    pub fn name_zh(&self) -> &str {
        let whole = format!("{:0<6}", self.0);
        let code: Option<DistrictCode> = whole.parse().ok();
        code.and_then(|code| code.name_zh()).unwrap_or(&self.0)
    }
}

impl FromStr for PracticeArea {
    type Err = PracticeAreaError;

    fn from_str(code: &str) -> Result<Self, PracticeAreaError> {
        let is_beginning =
            (2..=6).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        is_beginning
            .then(|| Self(code.to_owned()))
            .ok_or(PracticeAreaError)
    }
}

impl fmt::Display for PracticeArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Default for Profile {
    /// An office of which nothing is said.
    fn default() -> Self {
        Self {
            licence_no: None,
            matters_excluded: Vec::new(),
            foreign_allowed: true,
            practice_area: Vec::new(),
            keeps_approval: false,
            address: String::new(),
            telephone: String::new(),
            opening_hours: String::new(),
            complaint_line: String::new(),
            services: String::new(),
            data_steward: String::new(),
            notaries: Vec::new(),
        }
    }
}

/// Replaces everything that is on file of an office. Recorded before it is done; what was not done after all is recorded
/// as well.
pub async fn put(
    pool: &PgPool,
    audit: &Audit,
    by: &Person,
    office_id: OfficeId,
    profile: &Profile,
) -> Result<(), ProfileError> {
    let entry = |outcome, detail| Entry::by(by, Action::PutProfile, outcome, detail);
    let detail = json!({ "office": office_id });
    audit.append(entry(Outcome::Done, detail)).await?;
    let (refused, why) = match store::put(pool, office_id, profile).await {
        Ok(()) => return Ok(()),
        Err(PutError::NoOffice) => (ProfileError::NoOffice, "no_office"),
        Err(PutError::PractisesElsewhere) => {
            (ProfileError::PractisesElsewhere, "practises_elsewhere")
        }
        Err(PutError::Database(error)) => return Err(error.into()),
    };
    let detail = json!({ "office": office_id, "denied": why });
    audit.append(entry(Outcome::Denied, detail)).await?;
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(code: &str) -> Result<PracticeArea, PracticeAreaError> {
        code.parse()
    }

    #[test]
    fn an_area_is_called_by_its_name_where_it_has_one() {
        let name = |code| area(code).expect("an area").name_zh().to_owned();
        assert_eq!(name("3301"), "杭州市");
        assert_eq!(name("330109"), "萧山区");
        assert_eq!(name("3310"), "3310");
    }

    #[test]
    fn an_area_is_the_beginning_of_a_district_code() {
        for wrong in ["", "3", "3301091", "杭州", "33a1"] {
            assert_eq!(area(wrong), Err(PracticeAreaError), "{wrong}");
        }
    }
}
