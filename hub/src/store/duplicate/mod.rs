//! `duplicate_finding`, and the candidates for one behind `matter_key`.
//!
//! | module | holds |
//! |---|---|
//! | `candidate` | who may have the same matter |
//! | [`open`] | open findings as people page through them |
//! | [`replay`] | all cases again, and the tables of a simulation |

mod candidate;
pub mod open;
pub mod replay;

pub use candidate::{
    Candidate, Candidates, MOST_BEHIND_A_KEY, Sought, beside, candidates, lock_stripes, stripes,
};

use linkage::matter::{MatterType, Severity};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};

use super::columns;
use super::decode::parse;
use crate::case::CaseKey;
use crate::codes::codes;

/// What a finding rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Equal verified numbers, and equal things.
    Number,
    /// Mentions that linkage, or somebody at a review, holds for one person: possible, until a person decides.
    Person,
}

codes!(Basis { Number = "number", Person = "person" });

/// What tells one finding from another; the lesser (office, case) stands on the left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKey {
    pub rule_id: String,
    pub left: (OfficeId, String),
    pub right: (OfficeId, String),
}

/// A finding about two cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub key: FindingKey,
    /// Matters of the left and the right case.
    pub matters: [MatterType; 2],
    pub severity: Severity,
    pub first_accepting: Option<OfficeId>,
    pub back_dated: bool,
}

impl FindingKey {
    pub fn new(rule_id: String, one: (OfficeId, String), other: (OfficeId, String)) -> Self {
        let (left, right) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        Self {
            rule_id,
            left,
            right,
        }
    }
}

/// Open findings on that basis that speak of these cases.
pub async fn open_about(
    connection: &mut PgConnection,
    basis: Basis,
    cases: &[CaseKey<'_>],
) -> Result<Vec<FindingKey>, sqlx::Error> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let (offices, cases) = columns(cases);
    let rows = query!(
        r#"WITH k AS (SELECT * FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id))
           SELECT d.rule_id AS "rule_id!", d.left_office AS "left_office!", d.left_case AS "left_case!",
                  d.right_office AS "right_office!", d.right_case AS "right_case!"
             FROM k JOIN duplicate_finding d ON d.left_office = k.office_id AND d.left_case = k.source_case_id
            WHERE d.closed_at IS NULL AND d.basis = $3
            UNION
           SELECT d.rule_id, d.left_office, d.left_case, d.right_office, d.right_case
             FROM k JOIN duplicate_finding d ON d.right_office = k.office_id AND d.right_case = k.source_case_id
            WHERE d.closed_at IS NULL AND d.basis = $3"#,
        &offices as &[&str],
        &cases as &[&str],
        basis.code(),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FindingKey {
                rule_id: row.rule_id,
                left: (parse(&row.left_office)?, row.left_case),
                right: (parse(&row.right_office)?, row.right_case),
            })
        })
        .collect()
}

/// The columns of a finding's key, each as one array.
struct KeyColumns<'a> {
    rule_id: Vec<&'a str>,
    left_office: Vec<&'a str>,
    left_case: Vec<&'a str>,
    right_office: Vec<&'a str>,
    right_case: Vec<&'a str>,
}

impl<'a> KeyColumns<'a> {
    fn of(keys: impl Iterator<Item = &'a FindingKey> + Clone) -> Self {
        Self {
            rule_id: keys.clone().map(|key| key.rule_id.as_str()).collect(),
            left_office: keys.clone().map(|key| key.left.0.as_str()).collect(),
            left_case: keys.clone().map(|key| key.left.1.as_str()).collect(),
            right_office: keys.clone().map(|key| key.right.0.as_str()).collect(),
            right_case: keys.map(|key| key.right.1.as_str()).collect(),
        }
    }
}

/// What was found under those keys, column by column.
struct FoundColumns<'a> {
    severity: Vec<&'static str>,
    first_accepting: Vec<Option<&'a str>>,
    back_dated: Vec<bool>,
}

impl<'a> FoundColumns<'a> {
    fn of(found: &'a [Found]) -> Self {
        let first = |found: &'a Found| found.first_accepting.as_ref().map(OfficeId::as_str);
        Self {
            severity: found.iter().map(|found| found.severity.code()).collect(),
            first_accepting: found.iter().map(first).collect(),
            back_dated: found.iter().map(|found| found.back_dated).collect(),
        }
    }
}

/// Closes findings on that basis that no longer hold.
pub async fn close(
    connection: &mut PgConnection,
    basis: Basis,
    over: &[&FindingKey],
) -> Result<(), sqlx::Error> {
    if over.is_empty() {
        return Ok(());
    }
    let k = KeyColumns::of(over.iter().copied());
    query!(
        r#"UPDATE duplicate_finding d SET closed_at = now()
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                  AS k (rule_id, left_office, left_case, right_office, right_case)
            WHERE d.rule_id = k.rule_id AND d.left_office = k.left_office AND d.left_case = k.left_case
              AND d.right_office = k.right_office AND d.right_case = k.right_case
              AND d.basis = $6"#,
        &k.rule_id as &[&str],
        &k.left_office as &[&str],
        &k.left_case as &[&str],
        &k.right_office as &[&str],
        &k.right_case as &[&str],
        basis.code(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes findings by equal numbers, new, known or open again. What was only possible is certain now. One that stays
/// as it was keeps the version that made it so: what people decided about it stands.
pub async fn upsert(
    connection: &mut PgConnection,
    found: &[Found],
    rules_version: &str,
) -> Result<(), sqlx::Error> {
    if found.is_empty() {
        return Ok(());
    }
    let (k, f) = (
        KeyColumns::of(found.iter().map(|found| &found.key)),
        FoundColumns::of(found),
    );
    query!(
        r#"INSERT INTO duplicate_finding AS d (rule_id, left_office, left_case, right_office, right_case, severity,
                                               first_accepting, back_dated, rules_version, found_at)
           SELECT *, $9, now() FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
           ON CONFLICT (rule_id, left_office, left_case, right_office, right_case) DO UPDATE SET
               severity = excluded.severity, first_accepting = excluded.first_accepting,
               back_dated = excluded.back_dated, closed_at = NULL, basis = 'number', match_weight = NULL,
               rules_version = CASE
                   WHEN (d.severity, d.first_accepting, d.back_dated, d.basis, d.closed_at)
                        IS NOT DISTINCT FROM (excluded.severity, excluded.first_accepting, excluded.back_dated, 'number', NULL)
                   THEN d.rules_version ELSE excluded.rules_version END"#,
        &k.rule_id as &[&str],
        &k.left_office as &[&str],
        &k.left_case as &[&str],
        &k.right_office as &[&str],
        &k.right_case as &[&str],
        &f.severity as &[&str],
        &f.first_accepting as &[Option<&str>],
        &f.back_dated,
        rules_version,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes findings by persons, new, known or open again, each with the weight of the link it rests on. One that equal
/// numbers show already stays as it is.
pub async fn upsert_possible(
    connection: &mut PgConnection,
    found: &[Found],
    weights: &[Option<i32>],
    rules_version: &str,
) -> Result<(), sqlx::Error> {
    if found.is_empty() {
        return Ok(());
    }
    let (k, f) = (
        KeyColumns::of(found.iter().map(|found| &found.key)),
        FoundColumns::of(found),
    );
    query!(
        r#"INSERT INTO duplicate_finding AS d (rule_id, left_office, left_case, right_office, right_case, severity,
                                               first_accepting, back_dated, match_weight, basis, rules_version, found_at)
           SELECT *, 'person', $10, now() FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
               $9::integer[])
           ON CONFLICT (rule_id, left_office, left_case, right_office, right_case) DO UPDATE SET
               severity = excluded.severity, first_accepting = excluded.first_accepting,
               back_dated = excluded.back_dated, closed_at = NULL, basis = 'person',
               match_weight = excluded.match_weight,
               rules_version = CASE
                   WHEN (d.severity, d.first_accepting, d.back_dated, d.basis, d.closed_at)
                        IS NOT DISTINCT FROM (excluded.severity, excluded.first_accepting, excluded.back_dated, 'person', NULL)
                   THEN d.rules_version ELSE excluded.rules_version END
            WHERE d.basis = 'person' OR d.closed_at IS NOT NULL"#,
        &k.rule_id as &[&str],
        &k.left_office as &[&str],
        &k.left_case as &[&str],
        &k.right_office as &[&str],
        &k.right_case as &[&str],
        &f.severity as &[&str],
        &f.first_accepting as &[Option<&str>],
        &f.back_dated,
        weights as &[Option<i32>],
        rules_version,
    )
    .execute(connection)
    .await?;
    Ok(())
}
