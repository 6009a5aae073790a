//! A case as an office's own system holds it: canonical fields, with people's data written the way the
//! office wrote it. Vendor shapes and wire records are made from this.
use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{
    CaseState, ExcuseReason, ForeignRelation, PartyKind, PartyRole, ReasonCode, Sex,
};
use time::{Date, PrimitiveDateTime};

use crate::flaw::Flaw;

/// One case at one step of the city's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Position of the office in [`crate::City::offices`].
    pub office: usize,
    /// Position among the office's cases, in order of application.
    pub ordinal: u32,
    pub source_case_id: String,
    /// Grows whenever the content changes from step to step.
    pub revision: u64,
    pub state: CaseState,
    /// As the office writes it: half- or full-width brackets, spaces.
    pub case_no: Option<String>,
    pub matter_type: MatterType,
    pub foreign_relation: ForeignRelation,
    /// ISO 3166-1 alpha-2.
    pub place_of_use: Option<&'static str>,
    /// Position of the handling notary in [`crate::Office::notaries`].
    pub notary: usize,
    pub applied_on: Date,
    pub accepted_on: Option<Date>,
    pub issued_on: Option<Date>,
    pub closed_on: Option<Date>,
    pub reason_code: Option<ReasonCode>,
    pub fee_charged_fen: i64,
    pub fee_reduced_fen: i64,
    pub fee_reduction_reason: Option<&'static str>,
    pub amount_fen: i64,
    pub legal_aid: bool,
    pub home_visit: bool,
    pub major: bool,
    pub discussed: bool,
    pub approved_on: Option<Date>,
    /// Position of the approving notary in [`crate::Office::notaries`].
    pub approver: Option<usize>,
    /// That the fee was charged for; none where nobody counted.
    pub certificates: Option<u32>,
    pub excused: Option<Excused>,
    pub parties: Vec<Party>,
    pub subjects: Vec<Subject>,
    /// Asia/Shanghai, by the office's clock.
    pub modified_at: PrimitiveDateTime,
    /// What keeps the record from becoming a case, until the office fixes it.
    pub flaw: Option<Flaw>,
    /// What the hub must point at when it stores the case.
    pub quality: Vec<Quality>,
    /// Rules of supervision that the case breaks by itself, whatever the office files about it.
    pub breaches: Vec<&'static str>,
}

/// A party as the office wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    pub role: PartyRole,
    pub kind: PartyKind,
    pub name: String,
    pub document: Option<Document>,
    pub sex: Option<Sex>,
    pub birth_on: Option<Date>,
    pub phone: Option<String>,
    /// GB/T 2260.
    pub district: &'static str,
}

/// An identity document as the office typed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub kind: IdentifierKind,
    pub number: String,
}

/// What a case is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub kind: SubjectKind,
    pub number: String,
    /// GB/T 2260; real estate only.
    pub district: Option<&'static str>,
}

/// Days that do not count towards the time limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excused {
    pub first_on: Date,
    pub last_on: Date,
    pub reason: ExcuseReason,
}

/// A quality finding that the hub must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    pub rule_id: &'static str,
    /// Position of the party it is about.
    pub party: Option<usize>,
}
