//! `duplicate_finding`, and the candidates for one behind `matter_key`.

use std::collections::{HashMap, HashSet};

use linkage::matter::{MatterKey, MatterType, Severity};
use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use sqlx::{PgConnection, query};
use time::{Date, OffsetDateTime};

use super::columns;
use super::decode::{decode_error, parse};
use crate::case::CaseKey;

/// Class of the advisory locks on stripes of matter keys, apart from every other lock of the hub.
const STRIPE_LOCKS: i32 = 0x6d61; // "ma"

/// Cases of other offices judged behind one key: a bound on what one record can cost.
pub const MOST_BEHIND_A_KEY: usize = 200;
/// Cases read behind one key to find as many of other offices: an office whose own cases fill them sees no others.
const MOST_READ: i64 = 1000;

/// A case for which duplicates are sought.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    pub office_id: OfficeId,
    pub source_case_id: &'a str,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    /// When the hub first saw it; `None`: now.
    pub first_recorded_at: Option<OffsetDateTime>,
    pub keys: &'a [MatterKey],
}

/// What stands behind the keys of the cases sought for.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    pub cases: Vec<Candidate>,
    /// Indexes of cases behind one of whose keys there is more than was looked at.
    pub cut: HashSet<usize>,
    /// Keys of which that is so.
    pub keys_cut: u64,
}

/// A case of another office that shares keys with one of ours.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Index of our case in the list that was asked about.
    pub of: usize,
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub first_recorded_at: OffsetDateTime,
    /// The keys both have, sorted.
    pub shared: Vec<MatterKey>,
}

/// What a finding rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Equal verified numbers, and equal things.
    Number,
    /// Mentions that linkage, or somebody at a review, holds for one person: possible, until a person decides.
    Person,
}

/// A text that names no basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither number nor person")]
pub struct NoBasis;

impl std::str::FromStr for Basis {
    type Err = NoBasis;

    fn from_str(code: &str) -> Result<Self, NoBasis> {
        [Self::Number, Self::Person]
            .into_iter()
            .find(|basis| basis.code() == code)
            .ok_or(NoBasis)
    }
}

impl Basis {
    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Person => "person",
        }
    }
}

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

/// The stripe of a key is its last byte: 256 stripes, many more than writers, so that small batches seldom
/// meet, and few enough that the largest holds a small part of PostgreSQL's lock table.
pub fn stripes<'k>(keys: impl Iterator<Item = &'k MatterKey>) -> Vec<i32> {
    let mut stripes: Vec<i32> = keys.map(|key| i32::from(key.as_bytes()[15])).collect();
    stripes.sort_unstable();
    stripes.dedup();
    stripes
}

/// Holds the stripes for the rest of the transaction. `stripes` must be sorted.
pub async fn lock_stripes(
    connection: &mut PgConnection,
    stripes: &[i32],
) -> Result<(), sqlx::Error> {
    query!(
        "SELECT pg_advisory_xact_lock($1, stripe) FROM unnest($2::integer[]) AS stripe",
        STRIPE_LOCKS,
        stripes,
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Cases of other offices behind the keys of `sought`; behind each key the live ones first, the newest acceptance before
/// older ones.
pub async fn candidates(
    connection: &mut PgConnection,
    sought: &[Sought<'_>],
) -> Result<Candidates, sqlx::Error> {
    let (mut of, mut offices, mut keys): (Vec<i32>, Vec<&str>, Vec<&[u8]>) = Default::default();
    for (index, case) in (0..).zip(sought) {
        for key in case.keys {
            of.push(index);
            offices.push(case.office_id.as_str());
            keys.push(key.as_bytes());
        }
    }
    if of.is_empty() {
        return Ok(Candidates::default());
    }
    let rows = query!(
        r#"SELECT mine.of AS "of!", mine.key AS "key!", c.office_id, c.source_case_id, c.matter_type, c.state, c.applied_on,
                  c.accepted_on, c.first_recorded_at
             FROM unnest($1::integer[], $2::text[], $3::bytea[]) AS mine (of, office_id, key)
            CROSS JOIN LATERAL (
                  SELECT behind.office_id, behind.source_case_id, behind.rank FROM (
                         SELECT office_id, source_case_id, rank FROM matter_key
                          WHERE key = mine.key ORDER BY rank, office_id, source_case_id LIMIT $4) AS behind
                   WHERE behind.office_id <> mine.office_id
                   ORDER BY behind.rank, behind.office_id, behind.source_case_id LIMIT $5) AS other
             JOIN case_record c ON c.office_id = other.office_id AND c.source_case_id = other.source_case_id
            ORDER BY mine.of, mine.key, other.rank, c.office_id, c.source_case_id"#,
        &of,
        &offices as &[&str],
        &keys as &[&[u8]],
        MOST_READ,
        MOST_BEHIND_A_KEY as i64 + 1,
    )
    .fetch_all(connection)
    .await?;
    let mut found = Candidates::default();
    let mut places: HashMap<(usize, OfficeId, String), usize> = HashMap::new();
    let mut behind: (i32, Vec<u8>, usize) = (-1, Vec::new(), 0);
    for row in rows {
        let of = usize::try_from(row.of).map_err(decode_error)?;
        if (behind.0, &behind.1) != (row.of, &row.key) {
            behind = (row.of, row.key.clone(), 0);
        }
        behind.2 += 1;
        if behind.2 > MOST_BEHIND_A_KEY {
            found.cut.insert(of);
            found.keys_cut += 1;
            continue;
        }
        let key = MatterKey::try_from(row.key.as_slice()).map_err(decode_error)?;
        let office_id = parse(&row.office_id)?;
        let place = (of, office_id, row.source_case_id.clone());
        if let Some(at) = places.get(&place) {
            found.cases[*at].shared.push(key);
            continue;
        }
        places.insert(place, found.cases.len());
        found.cases.push(Candidate {
            of,
            office_id,
            source_case_id: row.source_case_id,
            matter_type: parse(&row.matter_type)?,
            state: parse(&row.state)?,
            applied_on: row.applied_on,
            accepted_on: row.accepted_on,
            first_recorded_at: row.first_recorded_at,
            shared: vec![key],
        });
    }
    Ok(found)
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
