//! The canonical case: what a row says, every field of its own type.

use linkage::case_no::{CaseNo, CaseNoError};
use linkage::identifier::{IdentifierKind, ParsedIdentifier};
use linkage::matter::MatterType;
use linkage::vocabulary::{CaseState, ExcuseReason, ForeignRelation, ReasonCode, RejectRule};
use time::{Date, OffsetDateTime};

use super::code::{Flag, PlaceCode};
use super::file::{CaseRules, ExcusedRules, File};
use super::party::{Party, Subject};
use super::reject::{Fault, Reject};
use super::rule::{CodeRule, ColumnRule, DateRule, MoneyRule, optional, parsed, required};
use super::value::{Fen, Text, is_rounded, revision};
use crate::source::row::Row;

// Bounds of the contract; see the comments in `common.proto`.
const PARTIES: usize = 64;
const SUBJECTS: usize = 64;
const EXCUSED: usize = 16;
const MOST_CERTIFICATES: u32 = 10_000;

/// A case as the office knows it, raw numbers included; [`crate::minimise`] takes those out.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The case's key in the office's system.
    pub source_case_id: Text<64>,
    /// The office's own revision, when it keeps one.
    pub revision: Option<u64>,
    /// Where the case stands.
    pub state: CaseState,
    /// 证号, once given.
    pub case_no: Option<CaseNo>,
    /// The matter.
    pub matter_type: MatterType,
    /// Where the certificate is to be used.
    pub foreign_relation: ForeignRelation,
    /// Place of use, when it is abroad and known.
    pub place_of_use: Option<PlaceCode>,
    /// Licence number of the handling notary.
    pub notary_licence_no: Option<Text<64>>,
    /// Name of the handling notary.
    pub notary_name: Option<Text<50>>,
    /// Day of application.
    pub applied_on: Option<Date>,
    /// Day of acceptance; there from acceptance on.
    pub accepted_on: Option<Date>,
    /// Day of issuance; there from issuance on.
    pub issued_on: Option<Date>,
    /// Day the case ended otherwise.
    pub closed_on: Option<Date>,
    /// Ground of refusal or rejection.
    pub reason_code: Option<ReasonCode>,
    /// Fee charged.
    pub fee_charged: Fen,
    /// Fee reduced or waived.
    pub fee_reduced: Fen,
    /// Why it was reduced.
    pub fee_reduction_reason: Option<Text<64>>,
    /// Amount the matter is about.
    pub amount: Fen,
    /// Whether a legal-aid party is involved.
    pub legal_aid: bool,
    /// Whether the notary came to the party.
    pub home_visit: bool,
    /// Whether the office flagged it a major case.
    pub major: bool,
    /// Whether its collective discussion is recorded.
    pub discussed: bool,
    /// Day of approval.
    pub approved_on: Option<Date>,
    /// Licence number of whoever approved.
    pub approver_licence_no: Option<Text<64>>,
    /// Certificates that the fee was charged for, when the office says so.
    pub certificates: Option<u32>,
    /// Days that do not count; at most 16 intervals.
    pub excused: Vec<Excused>,
    /// Parties in the office's order; 1 to 64.
    pub parties: Vec<Party>,
    /// What the matter is about; at most 64.
    pub subjects: Vec<Subject>,
    /// When the office's system last changed the record.
    pub modified_at: Option<OffsetDateTime>,
}

/// Days that do not count towards the time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excused {
    /// First day.
    pub first_on: Date,
    /// Last day, included; not before the first.
    pub last_on: Date,
    /// Why, when the office says so.
    pub reason: Option<ExcuseReason>,
}

/// Reads a row's case, or why it is none.
pub(super) fn read(file: &File, row: &Row) -> Result<Case, Reject> {
    let reject = |source_case_id, fault: Fault| Reject {
        source_case_id,
        location: row.location.clone(),
        rule: fault.rule,
        field: fault.field,
        value_shape: fault.shape,
    };
    let key = key(&file.case, row).map_err(|fault| reject(None, fault))?;
    read_with_key(file, row, key.clone()).map_err(|fault| reject(Some(key), fault))
}

pub(super) fn key(rules: &CaseRules, row: &Row) -> Result<Text<64>, Fault> {
    let field = "source_case_id";
    parsed(Some(&rules.source_case_id), row, field, |raw| {
        // Two lines run together, or digits that a spreadsheet has thrown away: the key is not to be guessed, and
        // many cases would come to have one.
        match raw {
            _ if raw.contains(char::is_control) => Err(RejectRule::RowMalformed),
            _ if is_rounded(raw) => Err(RejectRule::NumberIllegal),
            // It would leave the office as it is.
            _ if is_resident_id(raw) => Err(RejectRule::NumberIllegal),
            _ => Text::read(raw),
        }
    })?
    .ok_or_else(|| {
        Fault::absent(RejectRule::KeyMissing, rules.source_case_id.column(), row).at(field)
    })
}

fn is_resident_id(raw: &str) -> bool {
    ParsedIdentifier::parse(IdentifierKind::ResidentId, raw)
        .is_ok_and(|parsed| parsed.verified().is_some())
}

fn read_with_key(file: &File, row: &Row, source_case_id: Text<64>) -> Result<Case, Fault> {
    let rules = &file.case;
    let day = |rule: &Option<DateRule>, field| optional(rule.as_ref(), row, field);
    let flag = |rule: &Option<CodeRule<Flag>>, field| {
        optional(rule.as_ref(), row, field).map(|flag| flag.is_some_and(|Flag(set)| set))
    };
    let money = |rule: &Option<MoneyRule>, field| {
        optional(rule.as_ref(), row, field).map(Option::unwrap_or_default)
    };
    let case = Case {
        source_case_id,
        revision: own_revision(rules, row)?,
        state: required(&rules.state, row, "state")?,
        case_no: parsed(rules.case_no.as_ref(), row, "case_no", case_no)?,
        matter_type: required(&rules.matter_type, row, "matter_type")?,
        foreign_relation: required(&rules.foreign_relation, row, "foreign_relation")?,
        place_of_use: optional(rules.place_of_use.as_ref(), row, "place_of_use")?,
        notary_licence_no: parsed(
            rules.notary_licence_no.as_ref(),
            row,
            "notary_licence_no",
            Text::read,
        )?,
        notary_name: parsed(rules.notary_name.as_ref(), row, "notary_name", Text::read)?,
        applied_on: day(&rules.applied_on, "applied_on")?,
        accepted_on: day(&rules.accepted_on, "accepted_on")?,
        issued_on: day(&rules.issued_on, "issued_on")?,
        closed_on: day(&rules.closed_on, "closed_on")?,
        reason_code: optional(rules.reason_code.as_ref(), row, "reason_code")?,
        fee_charged: money(&rules.fee_charged, "fee_charged")?,
        fee_reduced: money(&rules.fee_reduced, "fee_reduced")?,
        fee_reduction_reason: optional(
            rules.fee_reduction_reason.as_ref(),
            row,
            "fee_reduction_reason",
        )?,
        amount: money(&rules.amount, "amount")?,
        legal_aid: flag(&rules.legal_aid, "legal_aid")?,
        home_visit: flag(&rules.home_visit, "home_visit")?,
        major: flag(&rules.major, "major")?,
        discussed: flag(&rules.discussed, "discussed")?,
        approved_on: day(&rules.approved_on, "approved_on")?,
        approver_licence_no: parsed(
            rules.approver_licence_no.as_ref(),
            row,
            "approver_licence_no",
            Text::read,
        )?,
        certificates: parsed(
            rules.certificates.as_ref(),
            row,
            "certificates",
            certificates,
        )?,
        excused: excused(&file.excused, row)?,
        parties: parties(file, row)?,
        subjects: subjects(file, row)?,
        modified_at: moment(rules, row)?,
    };
    needed_in_state(&case, rules, row)?;
    Ok(case)
}

/// Days that a state cannot do without.
fn needed_in_state(case: &Case, rules: &CaseRules, row: &Row) -> Result<(), Fault> {
    let absent = |rule: &Option<DateRule>, field| {
        let column = rule.as_ref().and_then(ColumnRule::column);
        Err(Fault::absent(RejectRule::FieldMissing, column, row).at(field))
    };
    if case.state.is_accepted_or_later() && case.accepted_on.is_none() {
        return absent(&rules.accepted_on, "accepted_on");
    }
    if case.state.is_issued_or_later() && case.issued_on.is_none() {
        return absent(&rules.issued_on, "issued_on");
    }
    Ok(())
}

/// Revisions of the office's own do not mix with ours: where they are mapped, every row has one.
fn own_revision(rules: &CaseRules, row: &Row) -> Result<Option<u64>, Fault> {
    let Some(rule) = &rules.revision else {
        return Ok(None);
    };
    let read = |raw: &str| revision(raw).map(Some).ok_or(RejectRule::NumberIllegal);
    parsed(Some(rule), row, "revision", read)?
        .map(Some)
        .ok_or_else(|| Fault::absent(RejectRule::FieldMissing, rule.column(), row).at("revision"))
}

fn moment(rules: &CaseRules, row: &Row) -> Result<Option<OffsetDateTime>, Fault> {
    match &rules.modified_at {
        Some(rule) => rule.moment(row).map_err(|fault| fault.at("modified_at")),
        None => Ok(None),
    }
}

fn case_no(raw: &str) -> Result<Option<CaseNo>, RejectRule> {
    match CaseNo::parse(raw) {
        Ok(case_no) => Ok(Some(case_no)),
        Err(CaseNoError::Empty) => Ok(None),
        Err(CaseNoError::TooLong) => Err(RejectRule::FieldTooLong),
        Err(_) => Err(RejectRule::NumberIllegal),
    }
}

/// 0 is how some systems write that they did not count.
fn certificates(raw: &str) -> Result<Option<u32>, RejectRule> {
    match raw.trim() {
        "0" => Ok(None),
        raw => revision(raw)
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count <= MOST_CERTIFICATES)
            .map(Some)
            .ok_or(RejectRule::NumberIllegal),
    }
}

fn parties(file: &File, row: &Row) -> Result<Vec<Party>, Fault> {
    let read = file
        .parties
        .iter()
        .flat_map(|rules| rules.place().rows(row).map(move |row| (rules, row)));
    let parties = each(read, PARTIES, "parties", |(rules, row)| {
        Party::read(rules, row).map(Some)
    })?;
    match parties.is_empty() {
        true => Err(Fault::missing().at("parties")),
        false => Ok(parties),
    }
}

fn subjects(file: &File, row: &Row) -> Result<Vec<Subject>, Fault> {
    let read = file
        .subjects
        .iter()
        .flat_map(|rules| rules.place().rows(row).map(move |row| (rules, row)));
    each(read, SUBJECTS, "subjects", |(rules, row)| {
        Subject::read(rules, row)
    })
}

fn excused(all: &[ExcusedRules], row: &Row) -> Result<Vec<Excused>, Fault> {
    let read = all
        .iter()
        .flat_map(|rules| rules.place().rows(row).map(move |row| (rules, row)));
    each(read, EXCUSED, "excused", |(rules, row)| {
        excused_days(rules, row)
    })
}

/// Days without an end are still running; they count as excused once they have one.
fn excused_days(rules: &ExcusedRules, row: &Row) -> Result<Option<Excused>, Fault> {
    let first_on = required(&rules.first_on, row, "first_on")?;
    let Some(last_on) = optional(Some(&rules.last_on), row, "last_on")? else {
        return Ok(None);
    };
    let reason = optional(rules.reason.as_ref(), row, "reason")?;
    match first_on <= last_on {
        true => Ok(Some(Excused {
            first_on,
            last_on,
            reason,
        })),
        false => Err(Fault::of(RejectRule::DateIllegal, "").at("last_on")),
    }
}

/// Reads each of a list, naming a fault by its place in the record; more than `most` are too many.
fn each<S, T>(
    sources: impl Iterator<Item = S>,
    most: usize,
    field: &str,
    read: impl Fn(S) -> Result<Option<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut list = Vec::new();
    for source in sources {
        let at = list.len();
        if let Some(item) = read(source).map_err(|fault| fault.at(&format!("{field}[{at}]")))? {
            if at == most {
                return Err(Fault::of(RejectRule::FieldTooLong, "").at(field));
            }
            list.push(item);
        }
    }
    Ok(list)
}
