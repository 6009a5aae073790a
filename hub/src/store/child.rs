//! `party`, `subject` and `matter_key`: what hangs on a case and is written again with each revision.

use linkage::matter::MatterKey;
use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use sqlx::{PgConnection, query};
use time::Date;

use super::columns;
use super::decode::decode_error;
use crate::case::{CaseKey, Check, Party, Subject};
use crate::ingest::plan::Write;

/// Removes what hangs on cases that are about to be replaced. Returns the matter keys they had.
pub async fn clear(
    connection: &mut PgConnection,
    replaced: &[CaseKey<'_>],
) -> Result<Vec<MatterKey>, sqlx::Error> {
    if replaced.is_empty() {
        return Ok(Vec::new());
    }
    let (offices, cases) = columns(replaced);
    let rows = query!(
        r#"WITH k AS (SELECT * FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)),
                parties AS (DELETE FROM party t USING k
                             WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id),
                subjects AS (DELETE FROM subject t USING k
                              WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id)
           DELETE FROM matter_key t USING k
            WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id
           RETURNING t.key"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| MatterKey::try_from(row.key.as_slice()).map_err(decode_error))
        .collect()
}

/// The columns of `party`, each as one array.
#[derive(Default)]
struct PartyColumns<'a> {
    office_id: Vec<&'a str>,
    source_case_id: Vec<&'a str>,
    ordinal: Vec<i16>,
    role: Vec<&'static str>,
    kind: Vec<&'static str>,
    name: Vec<&'a str>,
    sex: Vec<Option<&'static str>>,
    birth_date: Vec<Option<Date>>,
    id_kind: Vec<Option<&'static str>>,
    id_token: Vec<Option<&'a [u8]>>,
    id_unverified: Vec<Option<&'a [u8]>>,
    id_segments: Vec<Option<Vec<u8>>>,
    id_tail: Vec<Option<&'a str>>,
    id_key: Vec<Option<i32>>,
    phone_token: Vec<Option<&'a [u8]>>,
    address_district: Vec<Option<&'a str>>,
}

impl<'a> PartyColumns<'a> {
    fn push(&mut self, write: &'a Write<'_>, ordinal: i16, party: &'a Party, token_key_id: i32) {
        self.office_id.push(write.office_id.as_str());
        self.source_case_id.push(&write.case.source_case_id);
        self.ordinal.push(ordinal);
        self.role.push(party.role.code());
        self.kind.push(party.kind.code());
        self.name.push(&party.name);
        self.sex.push(party.sex.map(|sex| sex.code()));
        self.birth_date.push(party.birth_date);
        self.phone_token.push(
            party
                .phone_token
                .as_ref()
                .map(|token| token.as_bytes().as_slice()),
        );
        self.address_district.push(
            party
                .address_district
                .as_ref()
                .map(|district| district.as_str()),
        );
        self.push_identifier(party, token_key_id);
    }

    fn push_identifier(&mut self, party: &'a Party, token_key_id: i32) {
        let (mut verified, mut unverified, mut segments) = (None, None, None);
        let identifier = party.identifier.as_ref();
        if let Some(identifier) = identifier {
            let token = Some(identifier.token.as_bytes().as_slice());
            match &identifier.check {
                Check::Verified => verified = token,
                Check::Unverified { segments: tokens } => {
                    unverified = token;
                    segments = (!tokens.is_empty())
                        .then(|| tokens.iter().flat_map(|token| *token.as_bytes()).collect());
                }
            }
        }
        self.id_kind.push(identifier.map(|id| id.kind.code()));
        self.id_token.push(verified);
        self.id_unverified.push(unverified);
        self.id_segments.push(segments);
        self.id_tail
            .push(identifier.and_then(|id| id.tail.as_deref()));
        self.id_key.push(identifier.map(|_| token_key_id));
    }
}

/// Writes the parties of cases that have none at the hub.
pub async fn insert_parties(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
    token_key_id: i32,
) -> Result<(), sqlx::Error> {
    let mut c = PartyColumns::default();
    for write in writes {
        for (ordinal, party) in (0..).zip(&write.case.parties) {
            c.push(write, ordinal, party, token_key_id);
        }
    }
    if c.office_id.is_empty() {
        return Ok(());
    }
    query!(
        r#"INSERT INTO party (office_id, source_case_id, ordinal, role, kind, name, sex, birth_date, id_kind, id_token,
                              id_unverified, id_segments, id_tail, id_key, phone_token, address_district)
           SELECT * FROM unnest(
               $1::text[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
               $9::text[], $10::bytea[], $11::bytea[], $12::bytea[], $13::text[], $14::integer[], $15::bytea[],
               $16::text[])"#,
        &c.office_id as &[&str],
        &c.source_case_id as &[&str],
        &c.ordinal,
        &c.role as &[&str],
        &c.kind as &[&str],
        &c.name as &[&str],
        &c.sex as &[Option<&str>],
        &c.birth_date as &[Option<Date>],
        &c.id_kind as &[Option<&str>],
        &c.id_token as &[Option<&[u8]>],
        &c.id_unverified as &[Option<&[u8]>],
        &c.id_segments as &[Option<Vec<u8>>],
        &c.id_tail as &[Option<&str>],
        &c.id_key as &[Option<i32>],
        &c.phone_token as &[Option<&[u8]>],
        &c.address_district as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes the subjects of cases that have none at the hub.
pub async fn insert_subjects(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
) -> Result<(), sqlx::Error> {
    let mut keys: Vec<CaseKey<'_>> = Vec::new();
    let (mut ordinals, mut subjects): (Vec<i16>, Vec<&Subject>) = Default::default();
    for write in writes {
        for (ordinal, subject) in (0..).zip(&write.case.subjects) {
            keys.push(write.key());
            ordinals.push(ordinal);
            subjects.push(subject);
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(&keys);
    let kinds: Vec<&str> = subjects.iter().map(|s| s.kind.code()).collect();
    let tokens: Vec<&[u8]> = subjects
        .iter()
        .map(|s| s.token.as_bytes().as_slice())
        .collect();
    let tails: Vec<Option<&str>> = subjects.iter().map(|s| s.tail.as_deref()).collect();
    let districts: Vec<Option<&str>> = subjects
        .iter()
        .map(|s| s.district_code.as_ref().map(|district| district.as_str()))
        .collect();
    query!(
        r#"INSERT INTO subject (office_id, source_case_id, ordinal, kind, token, tail, district_code)
           SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::bytea[], $6::text[], $7::text[])"#,
        &offices as &[&str],
        &cases as &[&str],
        &ordinals,
        &kinds as &[&str],
        &tokens as &[&[u8]],
        &tails as &[Option<&str>],
        &districts as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The keys of one case, and where it stands among those behind each of them.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'a> {
    pub office_id: OfficeId,
    pub source_case_id: &'a str,
    pub keys: &'a [MatterKey],
    pub rank: i32,
}

/// Where a case stands among those behind one key, the least first: live cases before those that have ended, the newest
/// acceptance before older ones, what was never accepted last.
pub fn rank(state: CaseState, accepted_on: Option<Date>) -> i32 {
    const NEVER: i32 = 6_000_000; // beyond every Julian day
    let ended = if state.is_live_or_issued() {
        0
    } else {
        2 * NEVER
    };
    ended + NEVER - accepted_on.map_or(0, Date::to_julian_day)
}

/// Writes the matter keys of cases that have none at the hub.
pub async fn insert_matter_keys(
    connection: &mut PgConnection,
    cases: impl Iterator<Item = Keyed<'_>>,
) -> Result<(), sqlx::Error> {
    let (mut owners, mut matter_keys, mut ranks): (Vec<CaseKey<'_>>, Vec<&[u8]>, Vec<i32>) =
        Default::default();
    for case in cases {
        for key in case.keys {
            owners.push((case.office_id, case.source_case_id));
            matter_keys.push(key.as_bytes());
            ranks.push(case.rank);
        }
    }
    if owners.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(&owners);
    query!(
        r#"INSERT INTO matter_key (office_id, source_case_id, key, rank)
           SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::integer[])"#,
        &offices as &[&str],
        &cases as &[&str],
        &matter_keys as &[&[u8]],
        &ranks,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the matter keys of cases that are about to get others.
pub async fn clear_matter_keys(
    connection: &mut PgConnection,
    cases: &[CaseKey<'_>],
) -> Result<(), sqlx::Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(cases);
    query!(
        r#"DELETE FROM matter_key t USING unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)
            WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn live_cases_come_before_ended_ones_and_new_ones_before_old_ones() {
        let (old, new) = (Some(date!(1950 - 01 - 01)), Some(date!(9999 - 12 - 31)));
        let in_order = [
            rank(CaseState::Issued, new),
            rank(CaseState::Accepted, old),
            rank(CaseState::Applied, None),
            rank(CaseState::Revoked, new),
            rank(CaseState::Terminated, old),
            rank(CaseState::Refused, None),
        ];
        assert!(in_order.is_sorted_by(|a, b| a < b), "{in_order:?}");
    }
}
