//! Cases of other offices behind `matter_key`, and the stripes that keep two transactions from missing each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use linkage::matter::{MatterKey, MatterType};
use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use sqlx::{PgConnection, query};
use time::{Date, OffsetDateTime};

use crate::store::decode::parse;

/// Class of the advisory locks on stripes of matter keys, apart from every other lock of the hub.
const STRIPE_LOCKS: i32 = 0x6d61; // "ma"

/// Cases of other offices judged behind one key: a bound on what one record can cost.
pub const MOST_BEHIND_A_KEY: usize = 200;
/// Cases read behind one key to find as many of other offices. An office whose own cases fill them sees no others, and
/// nothing follows from that.
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
        r#"SELECT mine.place AS "place!", c.office_id, c.source_case_id, c.matter_type, c.state, c.applied_on,
                  c.accepted_on, c.first_recorded_at, other.nth = $3 AS "is_last!"
             FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS mine (office_id, key, place)
            CROSS JOIN LATERAL (
                  SELECT office_id, source_case_id, rank, nth FROM (
                         SELECT *, row_number() OVER (ORDER BY rank, office_id, source_case_id) AS nth FROM (
                                SELECT office_id, source_case_id, rank FROM matter_key
                                 WHERE key = mine.key ORDER BY rank, office_id, source_case_id LIMIT $3) AS read) AS behind
                   WHERE office_id <> mine.office_id OR nth = $3
                   ORDER BY nth LIMIT $4) AS other
             JOIN case_record c ON c.office_id = other.office_id AND c.source_case_id = other.source_case_id
            ORDER BY mine.place, other.rank, c.office_id, c.source_case_id"#,
        &offices as &[&str],
        &keys as &[&[u8]],
        MOST_READ,
        MOST_BEHIND_A_KEY as i64 + 1,
    )
    .fetch_all(connection)
    .await?;
    let mut rows = rows.into_iter().peekable();
    let mut gathered = Gathered::default();
    for (place, ((own_office, key), cases)) in (1..).zip(&having) {
        let (mut behind, mut is_cut) = (0, false);
        while let Some(row) = rows.next_if(|row| row.place == place) {
            is_cut |= row.is_last;
            if row.office_id == own_office.as_str() {
                continue;
            }
            behind += 1;
            if behind > MOST_BEHIND_A_KEY {
                is_cut = true;
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
        if is_cut {
            gathered.cut(cases);
        }
    }
    Ok(gathered.found)
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
                self.found.cut.insert(of);
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
        self.found.cut.extend(cases);
        self.found.keys_cut += cases.len() as u64;
    }
}
