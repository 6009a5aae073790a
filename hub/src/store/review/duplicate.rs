//! `duplicate_finding` as it is reviewed, and `duplicate_decision`.

use linkage::matter::{MatterType, Severity};
use linkage::office::OfficeId;
use linkage::vocabulary::{CaseState, PartyKind, PartyRole};
use sqlx::{PgConnection, query, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::review::duplicate::{Facts, FindingState, Verdict};
use crate::store::decode::parse;
use crate::store::duplicate::Basis;

/// Parties shown of one case.
const MOST_PARTIES: i16 = 20;
/// Decisions shown of one finding.
const MOST_DECISIONS: i64 = 50;

/// Which findings.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of which one of this office's cases is part.
    pub office: Option<OfficeId>,
    /// Office whose notary reads: what may not be shown beside the own case is left out.
    pub told_to: Option<OfficeId>,
    pub severity: Option<Severity>,
    pub state: FindingState,
    pub behind: Option<Behind>,
}

/// When the last finding of the page before was found, and which it is.
pub type Behind = (OffsetDateTime, Uuid);

/// A finding with both cases as they stand, and what was decided last.
#[derive(Clone, Debug)]
pub struct Finding {
    pub finding_id: Uuid,
    pub rule_id: String,
    pub severity: Severity,
    pub first_accepting: Option<OfficeId>,
    pub back_dated: bool,
    /// What it rests on, and by persons how much their weakest link weighed, in thousandths of a bit.
    pub basis: Basis,
    pub match_weight: Option<i32>,
    pub found_at: OffsetDateTime,
    pub facts: Facts,
    pub cases: [Case; 2],
    /// The newest decision that was not withdrawn, whatever facts it was made on.
    pub decision: Option<Decision>,
}

/// One of the two cases.
#[derive(Clone, Debug)]
pub struct Case {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub case_no: Option<String>,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub parties: Vec<Party>,
}

/// A party of a case, with its name as the office wrote it.
#[derive(Clone)]
pub struct Party {
    pub role: PartyRole,
    pub kind: PartyKind,
    pub name: String,
}

/// What somebody decided.
#[derive(Clone, Debug)]
pub struct Decision {
    pub decision_id: Uuid,
    pub finding_id: Uuid,
    pub verdict: Verdict,
    pub reason: String,
    pub facts: Facts,
    pub decided_by: Uuid,
    pub decided_at: OffsetDateTime,
    pub withdrawn: Option<Withdrawal>,
}

/// How a decision ended.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    pub by: Uuid,
    pub at: OffsetDateTime,
    pub reason: String,
}

/// A decision about to be written.
#[derive(Clone, Debug)]
pub struct NewDecision<'a> {
    pub decision_id: Uuid,
    pub finding_id: Uuid,
    pub verdict: Verdict,
    pub reason: &'a str,
    pub facts: &'a Facts,
    pub decided_by: Uuid,
}

impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Party")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Findings of a page, the newest first. `incomparable` are pairs of matters, the own before the other office's, that are
/// not shown side by side.
pub async fn page(
    connection: &mut PgConnection,
    wanted: &Wanted,
    incomparable: &[(MatterType, MatterType)],
    most: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let (owns, others): (Vec<&str>, Vec<&str>) = incomparable
        .iter()
        .map(|(own, other)| (own.code(), other.code()))
        .unzip();
    query_scalar!(
        r#"SELECT d.finding_id
             FROM duplicate_finding d
             JOIN case_record l ON l.office_id = d.left_office AND l.source_case_id = d.left_case
             JOIN case_record r ON r.office_id = d.right_office AND r.source_case_id = d.right_case
             LEFT JOIN LATERAL (
                  SELECT c.decision FROM (
                         SELECT * FROM duplicate_decision c
                          WHERE c.finding_id = d.finding_id AND c.withdrawn_at IS NULL
                          ORDER BY c.decided_at DESC, c.decision_id DESC LIMIT 1) AS c
                   WHERE (c.left_revision, c.right_revision, c.rules_version)
                         = (l.revision, r.revision, d.rules_version)) AS c ON true
            WHERE d.closed_at IS NULL
              AND coalesce(c.decision, 'open') = $1
              AND ($2::text IS NULL OR d.left_office = $2 OR d.right_office = $2)
              AND ($3::text IS NULL OR d.severity = $3)
              AND ($4::text IS NULL OR NOT EXISTS (
                   SELECT FROM unnest($5::text[], $6::text[]) AS pair (own, other)
                    WHERE CASE WHEN d.left_office = $4 THEN own = l.matter_type AND other = r.matter_type
                               ELSE own = r.matter_type AND other = l.matter_type END))
              AND ($7::timestamptz IS NULL OR (d.found_at, d.finding_id) < ($7, $8))
            ORDER BY d.found_at DESC, d.finding_id DESC
            LIMIT $9"#,
        wanted.state.code(),
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.severity.map(Severity::code),
        wanted.told_to.as_ref().map(OfficeId::as_str),
        &owns as &[&str],
        &others as &[&str],
        wanted.behind.map(|(found_at, _)| found_at),
        wanted.behind.map(|(_, finding_id)| finding_id),
        most,
    )
    .fetch_all(connection)
    .await
}

/// Open findings by id, in the order asked for; those that are not there are left out.
pub async fn load(
    connection: &mut PgConnection,
    finding_ids: &[Uuid],
) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = query!(
        r#"SELECT d.finding_id, d.rule_id, d.severity, d.first_accepting, d.back_dated, d.basis, d.match_weight,
                  d.rules_version, d.found_at,
                  d.left_office, d.left_case, l.revision AS left_revision, l.case_no AS left_case_no,
                  l.matter_type AS left_matter_type, l.state AS left_state, l.applied_on AS left_applied_on,
                  l.accepted_on AS left_accepted_on,
                  d.right_office, d.right_case, r.revision AS right_revision, r.case_no AS right_case_no,
                  r.matter_type AS right_matter_type, r.state AS right_state, r.applied_on AS right_applied_on,
                  r.accepted_on AS right_accepted_on
             FROM unnest($1::uuid[]) WITH ORDINALITY AS k (finding_id, at)
             JOIN duplicate_finding d ON d.finding_id = k.finding_id AND d.closed_at IS NULL
             JOIN case_record l ON l.office_id = d.left_office AND l.source_case_id = d.left_case
             JOIN case_record r ON r.office_id = d.right_office AND r.source_case_id = d.right_case
            ORDER BY k.at"#,
        finding_ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut findings = Vec::with_capacity(rows.len());
    for row in rows {
        findings.push(Finding {
            finding_id: row.finding_id,
            rule_id: row.rule_id,
            severity: parse(&row.severity)?,
            first_accepting: row.first_accepting.as_deref().map(parse).transpose()?,
            back_dated: row.back_dated,
            basis: parse(&row.basis)?,
            match_weight: row.match_weight,
            found_at: row.found_at,
            facts: Facts {
                left_revision: row.left_revision,
                right_revision: row.right_revision,
                rules_version: row.rules_version,
            },
            cases: [
                Case {
                    office_id: parse(&row.left_office)?,
                    source_case_id: row.left_case,
                    case_no: row.left_case_no,
                    matter_type: parse(&row.left_matter_type)?,
                    state: parse(&row.left_state)?,
                    applied_on: row.left_applied_on,
                    accepted_on: row.left_accepted_on,
                    parties: Vec::new(),
                },
                Case {
                    office_id: parse(&row.right_office)?,
                    source_case_id: row.right_case,
                    case_no: row.right_case_no,
                    matter_type: parse(&row.right_matter_type)?,
                    state: parse(&row.right_state)?,
                    applied_on: row.right_applied_on,
                    accepted_on: row.right_accepted_on,
                    parties: Vec::new(),
                },
            ],
            decision: None,
        });
    }
    add_parties(&mut *connection, &mut findings).await?;
    add_decisions(connection, &mut findings).await?;
    Ok(findings)
}

async fn add_parties(
    connection: &mut PgConnection,
    findings: &mut [Finding],
) -> Result<(), sqlx::Error> {
    let mut cases: Vec<&mut Case> = findings.iter_mut().flat_map(|f| &mut f.cases).collect();
    let offices: Vec<String> = cases.iter().map(|c| c.office_id.to_string()).collect();
    let keys: Vec<String> = cases.iter().map(|c| c.source_case_id.clone()).collect();
    let rows = query!(
        r#"SELECT k.at AS "at!", p.role, p.kind, p.name
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (office_id, source_case_id, at)
             JOIN party p ON p.office_id = k.office_id AND p.source_case_id = k.source_case_id AND p.ordinal < $3
            ORDER BY k.at, p.ordinal"#,
        &offices,
        &keys,
        MOST_PARTIES,
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        // Numbered from 1.
        let case = usize::try_from(row.at - 1)
            .ok()
            .and_then(|at| cases.get_mut(at));
        if let Some(case) = case {
            case.parties.push(Party {
                role: parse(&row.role)?,
                kind: parse(&row.kind)?,
                name: row.name,
            });
        }
    }
    Ok(())
}

async fn add_decisions(
    connection: &mut PgConnection,
    findings: &mut [Finding],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = findings.iter().map(|finding| finding.finding_id).collect();
    let rows = query!(
        r#"SELECT DISTINCT ON (finding_id) finding_id, decision_id
             FROM duplicate_decision WHERE finding_id = ANY($1) AND withdrawn_at IS NULL
            ORDER BY finding_id, decided_at DESC, decision_id DESC"#,
        &ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    let newest: Vec<Uuid> = rows.iter().map(|row| row.decision_id).collect();
    for decision in decisions(connection, &newest).await? {
        let finding = findings
            .iter_mut()
            .find(|finding| finding.finding_id == decision.finding_id);
        if let Some(finding) = finding {
            finding.decision = Some(decision);
        }
    }
    Ok(())
}

/// Decisions by id.
pub async fn decisions(
    connection: &mut PgConnection,
    decision_ids: &[Uuid],
) -> Result<Vec<Decision>, sqlx::Error> {
    let rows = query!(
        r#"SELECT decision_id, finding_id, decision, reason, left_revision, right_revision, rules_version, decided_by,
                  decided_at, withdrawn_by, withdrawn_at, withdrawn_reason
             FROM duplicate_decision WHERE decision_id = ANY($1)
            ORDER BY decided_at DESC, decision_id DESC"#,
        decision_ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let withdrawal = row.withdrawn_by.zip(row.withdrawn_at);
            Ok(Decision {
                decision_id: row.decision_id,
                finding_id: row.finding_id,
                verdict: parse(&row.decision)?,
                reason: row.reason,
                facts: Facts {
                    left_revision: row.left_revision,
                    right_revision: row.right_revision,
                    rules_version: row.rules_version,
                },
                decided_by: row.decided_by,
                decided_at: row.decided_at,
                withdrawn: withdrawal.map(|(by, at)| Withdrawal {
                    by,
                    at,
                    reason: row.withdrawn_reason.unwrap_or_default(),
                }),
            })
        })
        .collect()
}

/// Every decision about a finding, the newest first.
pub async fn history(
    connection: &mut PgConnection,
    finding_id: Uuid,
) -> Result<Vec<Decision>, sqlx::Error> {
    let ids = query_scalar!(
        r#"SELECT decision_id FROM duplicate_decision WHERE finding_id = $1
            ORDER BY decided_at DESC, decision_id DESC LIMIT $2"#,
        finding_id,
        MOST_DECISIONS,
    )
    .fetch_all(&mut *connection)
    .await?;
    decisions(connection, &ids).await
}

/// Holds a finding for the rest of the transaction, so that one decision comes after the other. False when there is
/// none.
pub async fn lock(connection: &mut PgConnection, finding_id: Uuid) -> Result<bool, sqlx::Error> {
    let held = query_scalar!(
        "SELECT finding_id FROM duplicate_finding WHERE finding_id = $1 FOR NO KEY UPDATE",
        finding_id,
    )
    .fetch_optional(connection)
    .await?;
    Ok(held.is_some())
}

pub async fn insert(
    connection: &mut PgConnection,
    decision: &NewDecision<'_>,
) -> Result<(), sqlx::Error> {
    query!(
        r#"INSERT INTO duplicate_decision (decision_id, finding_id, decision, reason, left_revision, right_revision,
                                           rules_version, decided_by, decided_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())"#,
        decision.decision_id,
        decision.finding_id,
        decision.verdict.code(),
        decision.reason,
        decision.facts.left_revision,
        decision.facts.right_revision,
        decision.facts.rules_version,
        decision.decided_by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Withdraws a decision that stands.
pub async fn withdraw(
    connection: &mut PgConnection,
    decision_id: Uuid,
    by: Uuid,
    reason: &str,
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE duplicate_decision SET withdrawn_by = $2, withdrawn_at = clock_timestamp(), withdrawn_reason = $3
            WHERE decision_id = $1 AND withdrawn_at IS NULL"#,
        decision_id,
        by,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}
