//! Cases of other offices behind `matter_key`, and the stripes that keep two transactions from missing each other.

use std::collections::{BTreeMap, HashMap};

use linkage::matter::{MatterKey, MatterType};
use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use sqlx::{PgConnection, query};
use time::{Date, OffsetDateTime};

use super::FindingKey;
use crate::store::columns;
use crate::store::decode::{decode_error, parse};

/// Class of the advisory locks on stripes of matter keys, apart from every other lock of the hub.
const STRIPE_LOCKS: i32 = 0x6d61; // "ma"

/// Cases of other offices judged behind one key: a bound on what one record can cost.
pub const MOST_BEHIND_A_KEY: usize = 200;
/// Cases read behind one key at once; where there are more, those of each other office are read for themselves.
const MOST_READ: i64 = 1000;
/// Cases of other offices judged for one case, whatever it has keys.
const MOST_OF_A_CASE: usize = 1000;

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
    /// Keys behind which there is more than was looked at.
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

/// Cases of other offices behind the keys of `sought`; of each office the live ones first, the newest acceptance before
/// older ones. Offices take turns behind a key, and keys of a case: no office can put so many cases behind one that
/// another's are not looked at.
pub async fn candidates(
    connection: &mut PgConnection,
    sought: &[Sought<'_>],
) -> Result<Candidates, sqlx::Error> {
    // A key that many of the cases have is looked behind once.
    let mut having: BTreeMap<(OfficeId, &MatterKey), Vec<usize>> = BTreeMap::new();
    for (index, case) in sought.iter().enumerate() {
        for key in case.keys {
            let cases = having.entry((case.office_id, key)).or_default();
            cases.push(index);
        }
    }
    if having.is_empty() {
        return Ok(Candidates::default());
    }
    let offices: Vec<&str> = having.keys().map(|(office, _)| office.as_str()).collect();
    let keys: Vec<&[u8]> = having
        .keys()
        .map(|(_, key)| key.as_bytes().as_slice())
        .collect();
    let rows = query!(
        r#"WITH read AS MATERIALIZED (
               SELECT mine.place, mine.office_id AS own, mine.key, b.office_id, b.source_case_id, b.rank,
                      count(*) OVER (PARTITION BY mine.place) AS total
                 FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS mine (office_id, key, place)
                CROSS JOIN LATERAL (SELECT office_id, source_case_id, rank FROM matter_key
                                     WHERE key = mine.key LIMIT $3) AS b),
           behind AS (
               SELECT place, office_id, source_case_id, rank FROM read WHERE total < $3 AND office_id <> own
                UNION ALL
               SELECT crowded.place, b.office_id, b.source_case_id, b.rank
                 FROM (SELECT DISTINCT place, own, key FROM read WHERE total >= $3) AS crowded
                 JOIN office o ON o.office_id <> crowded.own
                CROSS JOIN LATERAL (SELECT office_id, source_case_id, rank FROM matter_key
                                     WHERE key = crowded.key AND office_id = o.office_id
                                     ORDER BY rank LIMIT $4) AS b),
           turns AS (
               SELECT *, row_number() OVER (PARTITION BY place, office_id ORDER BY rank, source_case_id) AS turn
                 FROM behind),
           chosen AS (
               SELECT *, row_number() OVER (PARTITION BY place
                                                ORDER BY turn, rank, office_id, source_case_id) AS nth
                 FROM turns)
           SELECT chosen.place AS "place!", chosen.nth AS "nth!", c.office_id, c.source_case_id, c.matter_type,
                  c.state, c.applied_on, c.accepted_on, c.first_recorded_at
             FROM chosen
             JOIN case_record c ON c.office_id = chosen.office_id AND c.source_case_id = chosen.source_case_id
            WHERE chosen.nth <= $4
            ORDER BY chosen.nth, chosen.place"#,
        &offices as &[&str],
        &keys as &[&[u8]],
        MOST_READ,
        MOST_BEHIND_A_KEY as i64 + 1,
    )
    .fetch_all(connection)
    .await?;
    let keys: BTreeMap<i64, _> = (1..).zip(&having).collect();
    let mut gathered = Gathered::default();
    for row in rows {
        let Some(((_, key), cases)) = keys.get(&row.place) else {
            continue;
        };
        if row.nth > MOST_BEHIND_A_KEY as i64 {
            gathered.cut(cases);
            continue;
        }
        let other = Candidate {
            of: usize::MAX,
            office_id: parse(&row.office_id)?,
            source_case_id: row.source_case_id,
            matter_type: parse(&row.matter_type)?,
            state: parse(&row.state)?,
            applied_on: row.applied_on,
            accepted_on: row.accepted_on,
            first_recorded_at: row.first_recorded_at,
            shared: Vec::new(),
        };
        gathered.share(key, &other, cases);
    }
    for candidate in &mut gathered.found.cases {
        candidate.shared.sort_unstable();
    }
    Ok(gathered.found)
}

/// The cases on the other side of findings about these cases, each with the keys that the two have in common now.
pub async fn beside(
    connection: &mut PgConnection,
    cases: &[Sought<'_>],
    findings: &[&FindingKey],
) -> Result<Vec<Candidate>, sqlx::Error> {
    if findings.is_empty() {
        return Ok(Vec::new());
    }
    let of = |(office_id, source_case_id): &(OfficeId, String)| {
        let is_it = |case: &Sought<'_>| {
            case.office_id == *office_id && case.source_case_id == *source_case_id
        };
        cases.iter().position(is_it)
    };
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for finding in findings {
        let sides = [
            (of(&finding.left), &finding.right),
            (of(&finding.right), &finding.left),
        ];
        if let Some((at, other)) = sides.into_iter().find_map(|(at, other)| Some((at?, other))) {
            ours.push(at);
            others.push((other.0, other.1.as_str()));
        }
    }
    let (offices, names) = columns(&others);
    let rows = query!(
        r#"SELECT o.place AS "place!", c.office_id, c.source_case_id, c.matter_type, c.state, c.applied_on,
                  c.accepted_on, c.first_recorded_at,
                  ARRAY (SELECT k.key FROM matter_key k WHERE k.office_id = c.office_id
                            AND k.source_case_id = c.source_case_id ORDER BY k.key) AS "keys!"
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o (office_id, source_case_id, place)
             JOIN case_record c ON c.office_id = o.office_id AND c.source_case_id = o.source_case_id"#,
        &offices as &[&str],
        &names as &[&str],
    )
    .fetch_all(connection)
    .await?;
    let ours: BTreeMap<i64, usize> = (1..).zip(ours).collect();
    rows.into_iter()
        .filter_map(|row| Some((*ours.get(&row.place)?, row)))
        .map(|(of, row)| {
            let own = cases[of].keys;
            let keys = row.keys.iter();
            let mut keys: Vec<MatterKey> = keys
                .map(|key| MatterKey::try_from(key.as_slice()).map_err(decode_error))
                .collect::<Result<_, _>>()?;
            keys.retain(|key| own.contains(key));
            Ok(Candidate {
                of,
                office_id: parse(&row.office_id)?,
                source_case_id: row.source_case_id,
                matter_type: parse(&row.matter_type)?,
                state: parse(&row.state)?,
                applied_on: row.applied_on,
                accepted_on: row.accepted_on,
                first_recorded_at: row.first_recorded_at,
                shared: keys,
            })
        })
        .collect()
}

/// Candidates as they come, key by key.
#[derive(Default)]
struct Gathered {
    found: Candidates,
    /// Other cases, numbered as they come.
    others: HashMap<(OfficeId, String), usize>,
    /// Where the candidate stands that another case, by its number, is for one of ours.
    places: HashMap<(usize, usize), usize>,
    /// How many candidates each of ours has.
    counts: HashMap<usize, usize>,
}

impl Gathered {
    /// The other case has the key in common with all these of ours.
    fn share(&mut self, key: &MatterKey, other: &Candidate, cases: &[usize]) {
        let name = (other.office_id, other.source_case_id.clone());
        let next = self.others.len();
        let number = *self.others.entry(name).or_insert(next);
        for &of in cases {
            if let Some(at) = self.places.get(&(of, number)) {
                self.found.cases[*at].shared.push(*key);
                continue;
            }
            let count = self.counts.entry(of).or_default();
            if *count == MOST_OF_A_CASE {
                continue;
            }
            *count += 1;
            self.places.insert((of, number), self.found.cases.len());
            self.found.cases.push(Candidate {
                of,
                shared: vec![*key],
                ..other.clone()
            });
        }
    }

    /// Behind a key of these there is more.
    fn cut(&mut self, cases: &[usize]) {
        self.found.keys_cut += cases.len() as u64;
    }
}
