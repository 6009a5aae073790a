//! What is told of a case found.

use linkage::matter::{MatterType, RuleSet, Severity, Shown};
use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use time::Date;

use super::disclosure;
use super::persons::PersonMatch;
use super::question::Asker;
use super::severity::Grade;
use crate::store::lookup::Found;

/// A case as far as it may be told; what may not is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    pub office_id: Option<OfficeId>,
    pub office_name: String,
    pub case_no: Option<String>,
    pub matter_type: Option<MatterType>,
    pub state: Option<CaseState>,
    pub accepted_on: Option<Date>,
    pub by_identifier: bool,
    pub by_subject: bool,
    pub masked_names: Vec<String>,
    pub severity: Option<Severity>,
    pub first_accepting: bool,
    /// Why it is a party's case, when neither an equal number nor an equal subject says so alone.
    pub person: Option<PersonMatch>,
}

/// How much of a case found is told: of the own office's everything.
pub(super) fn shown_to(rules: &RuleSet, asker: Asker, found: &Found) -> Shown {
    match asker.scope().is_of(found.office_id) {
        true => Shown::Names,
        false => disclosure::shown(rules, found.matter_type),
    }
}

/// A case found, cut down to what the rules let other offices be told of its matter.
pub(super) fn hit(
    rules: &RuleSet,
    asker: Asker,
    (found, person): (Found, Option<PersonMatch>),
    grade: Grade,
) -> Hit {
    let least = Hit {
        by_identifier: found.by_identifier,
        by_subject: found.by_subject,
        severity: grade.severity,
        person,
        ..Hit::default()
    };
    let case = || Hit {
        office_id: Some(found.office_id),
        office_name: found.office_name.clone(),
        case_no: found.case_no.clone(),
        matter_type: Some(found.matter_type),
        state: Some(found.state),
        accepted_on: found.accepted_on,
        first_accepting: grade.first_accepting,
        ..least.clone()
    };
    match shown_to(rules, asker, &found) {
        Shown::Hit => least,
        Shown::Case => case(),
        Shown::Names => Hit {
            masked_names: found.masked_names.clone(),
            ..case()
        },
    }
}
