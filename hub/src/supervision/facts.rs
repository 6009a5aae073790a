//! What the rules may look at: a case with its context, and an office's filings and special paper.

use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::vocabulary::{CaseState, ForeignRelation, PartyKind, PartyRole};
use time::Date;
use uuid::Uuid;

use super::participation::Participation;
use crate::codes::codes;
use crate::filing::FilingKind;

/// What the bureau has on file of an office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfficeFacts {
    pub matters_excluded: Vec<String>,
    /// 涉外、涉港澳、涉台 is not for it.
    pub domestic_only: bool,
    /// Beginnings of GB/T 2260 codes; empty where none is fixed.
    pub practice_area: Vec<String>,
    /// Its system reports approvals, so that a missing one is a fact.
    pub keeps_approval: bool,
    /// When it can file.
    pub participation: Participation,
}

/// A case and its context.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFacts {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub state: CaseState,
    pub matter_type: MatterType,
    pub foreign_relation: ForeignRelation,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub approved_on: Option<Date>,
    pub issued_on: Option<Date>,
    pub closed_on: Option<Date>,
    pub notary_licence_no: Option<String>,
    pub approver_licence_no: Option<String>,
    pub reason_code: Option<String>,
    pub fee_charged_fen: i64,
    pub fee_reduced_fen: i64,
    pub fee_reduction_reason: Option<String>,
    pub amount_fen: i64,
    /// None: nobody says how many.
    pub certificates: Option<i64>,
    pub legal_aid: bool,
    pub major: bool,
    pub discussed: bool,
    pub excused_working_days: u32,
    pub parties: Vec<PartyFacts>,
    /// Where real estate among the subjects lies; `None` for one whose place is not known.
    pub real_estate: Vec<Option<String>>,
    /// Filings about it, in the order in which they came.
    pub filed: Vec<Filed>,
    /// Parties that are the handling notary's own declared near relatives, or the notary.
    pub kin: Vec<Kin>,
    /// What another office refused before this one accepted it.
    pub refused_elsewhere: Vec<Refused>,
}

/// A filing about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filed {
    pub kind: FilingKind,
    /// The day on which the hub received it.
    pub on: Date,
    /// Of an account: the day of the revocation or correction that it answers, where it says so.
    pub answers: Option<Date>,
}

/// A party as far as rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyFacts {
    pub role: PartyRole,
    pub kind: PartyKind,
    pub district: Option<String>,
}

/// A party that a notary has declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kin {
    /// Position of the party.
    pub party: i16,
    pub licence_no: String,
    pub relation: String,
}

/// A refusal of the same matter by another office.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub refused_on: Date,
    pub reason_code: Option<String>,
}

/// A filing that waits for its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFiling {
    pub filing_id: Uuid,
    pub kind: FilingKind,
    pub happened_on: Date,
    /// The day on which the hub received its outcome.
    pub closed_on: Option<Date>,
}

/// How special paper moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Movement {
    Received,
    Used,
    Spoiled,
}

codes!(Movement { Received = "received", Used = "used", Spoiled = "spoiled" });

/// A range of serial numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    pub movement: Movement,
    pub series: String,
    pub first_no: i64,
    pub last_no: i64,
    pub moved_on: Date,
}

/// What an office handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeFilings {
    pub office_id: OfficeId,
    pub open: Vec<OpenFiling>,
    pub paper: Vec<Paper>,
}
