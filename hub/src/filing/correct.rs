//! Correcting what an office counted for a time: paper, services, surveys, follow-ups. A correction is a new revision with a
//! reason; what the filing said before is kept. Kind, time and the day on which it came stay as they are, so that nobody
//! moves a limit by it. What people state of one event is not corrected: it stands as it was first told.

use linkage::office::OfficeId;
use serde_json::json;
use uuid::Uuid;

use super::body::Body;
use super::content::{digest, text_of};
use super::{CorrectError, FilingError};
use crate::audit::{Action, Actor, Audit, Entry, Outcome};
use crate::review::{Decided, Grounds};
use crate::store;
use crate::store::filing::revision::{self, Revision};
use crate::store::scope::Scope;
use crate::supervision::worker::Supervision;

/// Revisions of one filing: nobody needs as many, and whoever reads them reads all.
const MOST_REVISIONS: i32 = 50;

/// A checked correction.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    pub office_id: OfficeId,
    pub filing_id: Uuid,
    /// The revision as it was read.
    pub in_place_of: i32,
    pub grounds: Grounds,
    pub body: Body,
    pub text: String,
    pub corrected_by: Uuid,
}

/// A filing as it is to be corrected.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub body: Body,
    pub text: String,
    pub source_case_id: Option<String>,
    pub revision: i32,
    /// Who made this revision, and why; none of the first.
    pub correction: Option<(Uuid, String)>,
}

/// What is to be done about a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Another revision.
    Revision,
    /// Nothing: the same person has made it before.
    Nothing,
}

impl Correction {
    /// Checks what is put in a filing's place.
    pub fn checked(mut self) -> Result<Self, FilingError> {
        self.text = text_of(self.body.kind(), &self.text)?;
        self.body = self.body.checked()?;
        match self.body.kind().is_correctable() {
            true => Ok(self),
            false => Err(FilingError::new(
                "body",
                "a filing that counts a period",
                "只有按期间统计的报送可以更正；其他事项请另行报送。",
            )),
        }
    }

    /// What becomes of it where the filing stands so.
    pub fn over(&self, standing: &Standing) -> Result<Due, CorrectError> {
        let is_the_same = (&self.body, &self.text) == (&standing.body, &standing.text);
        let own = Some((self.corrected_by, self.grounds.as_str()));
        let made = standing.correction.as_ref();
        let made = made.map(|(by, reason)| (*by, reason.as_str()));
        if is_the_same && standing.revision == self.in_place_of + 1 && made == own {
            return Ok(Due::Nothing);
        }
        if standing.revision != self.in_place_of {
            return Err(CorrectError::NotTheNewest);
        }
        if self.body.kind() != standing.body.kind() || self.body.period() != standing.body.period()
        {
            return Err(CorrectError::Field(FilingError::new(
                "body",
                "of the kind and the period of the filing that is corrected",
                "更正不能改变报送的种类和期间；其他期间的，请按该期间另行报送。",
            )));
        }
        if is_the_same {
            return Err(CorrectError::Field(FilingError::new(
                "body",
                "other than what the filing says already",
                "内容与原报送相同，无需更正。",
            )));
        }
        match standing.revision < MOST_REVISIONS {
            true => Ok(Due::Revision),
            false => Err(CorrectError::Field(FilingError::new(
                "in_place_of",
                "a filing that has fewer than 50 revisions",
                "一份报送最多更正 49 次；仍有出入的，请联系市司法局。",
            ))),
        }
    }

    /// As [`super::Filing::digest`] has it.
    pub fn digest(&self, standing: &Standing) -> [u8; 32] {
        digest(&self.body, standing.source_case_id.as_deref(), &self.text)
    }

    fn entry(&self) -> Entry {
        let detail = json!({
            "filing": self.filing_id, "kind": self.body.kind(), "in_place_of": self.in_place_of,
        });
        let actor = Actor::Account(self.corrected_by);
        Entry {
            office_id: Some(self.office_id),
            ..Entry::of(actor, Action::CorrectFiling, Outcome::Done, detail)
        }
    }
}

/// Puts a correction in the place of what the filing said, as whoever files may for the own office; the audit entry stands
/// before it does. What follows from a filing follows from what it says now: findings about paper, and figures.
pub async fn correct(
    supervision: &Supervision,
    audit: &Audit,
    scope: Scope,
    correction: &Correction,
) -> Result<Decided<Revision>, CorrectError> {
    audit.append(correction.entry()).await?;
    store::tx::retried("filing.correct", || {
        revision::put(&supervision.pool, scope, correction)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filing::FilingKind;

    const ME: Uuid = Uuid::from_u128(1);

    fn services(last_day: &str, legal_aid: u32) -> Body {
        let detail = format!(
            r#"{{"period": {{"first_day": "2024-06-01", "last_day": "{last_day}"}},
                 "legal_aid": {legal_aid}, "home_visits": 0, "fee_waivers": 0}}"#
        );
        Body::parse(FilingKind::ServiceCounts, &detail).expect("a body")
    }

    fn correction(body: Body, in_place_of: i32) -> Correction {
        Correction {
            office_id: "hzgl".parse().expect("an id"),
            filing_id: Uuid::nil(),
            in_place_of,
            grounds: "漏计一件".parse().expect("a reason"),
            body,
            text: String::new(),
            corrected_by: ME,
        }
    }

    fn standing(legal_aid: u32) -> Standing {
        Standing {
            body: services("2024-06-30", legal_aid),
            text: String::new(),
            source_case_id: None,
            revision: 1,
            correction: None,
        }
    }

    #[test]
    fn the_newest_revision_is_corrected_and_the_same_again_is_nothing() {
        let correction = correction(services("2024-06-30", 5), 1);
        let first = standing(4);
        assert!(matches!(correction.over(&first), Ok(Due::Revision)));
        let made = Standing {
            revision: 2,
            correction: Some((ME, "漏计一件".to_owned())),
            ..standing(5)
        };
        assert!(matches!(correction.over(&made), Ok(Due::Nothing)));
        let by_another = Standing {
            correction: Some((Uuid::nil(), "漏计一件".to_owned())),
            ..made
        };
        let refused = correction.over(&by_another);
        assert!(matches!(refused, Err(CorrectError::NotTheNewest)));
    }

    #[test]
    fn kind_and_period_stay_and_something_changes() {
        let field = |correction: Correction| match correction.over(&standing(4)) {
            Err(CorrectError::Field(error)) => error.field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(correction(services("2024-06-30", 4), 1)), "body");
        assert_eq!(field(correction(services("2024-07-31", 5), 1)), "body");
    }

    #[test]
    fn what_was_stated_of_an_event_is_no_count_to_correct() {
        let complaint = r#"{"received_on": "2024-06-03", "subject": "fee"}"#;
        let body = Body::parse(FilingKind::Complaint, complaint).expect("a body");
        let complaint = Correction {
            text: "已核实".to_owned(),
            ..correction(body, 1)
        };
        assert_eq!(complaint.checked().expect_err("no period").field, "body");
    }
}
