//! `party`, `subject` and `matter_key`: what hangs on a case and is written again with each revision.

use linkage::matter::MatterKey;
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, Sex};
use sqlx::{PgConnection, query};
use time::Date;

use crate::case::{CaseKey, Check, Party, PartyIdentifier, Segments, Subject};
use crate::ingest::plan::Write;
use crate::store::columns;
use crate::store::copy::{Column, Copied, Row, column};
use crate::store::decode::decode_error;

/// Removes cases that are about to be replaced, with what hangs on them. Returns the matter keys they had.
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
                cases AS (DELETE FROM case_record t USING k
                           WHERE t.office_id = k.office_id AND t.source_case_id = k.source_case_id),
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

/// A party as a row.
struct PartyRow<'a> {
    key: CaseKey<'a>,
    ordinal: i16,
    party: &'a Party,
    token_key_id: i32,
}

impl Row for PartyRow<'_> {
    const TABLE: &'static str = "party";

    fn columns() -> Vec<Column<Self>> {
        vec![
            column("office_id", |r, p: &Self| r.put(p.key.0.as_str())),
            column("source_case_id", |r, p| r.put(p.key.1)),
            column("ordinal", |r, p| r.put(p.ordinal)),
            column("role", |r, p| r.put(p.party.role.code())),
            column("kind", |r, p| r.put(p.party.kind.code())),
            column("name", |r, p| r.put(p.party.name.as_str())),
            column("sex", |r, p| r.put(p.party.sex.map(Sex::code))),
            column("birth_date", |r, p| r.put(p.party.birth_date)),
            column("id_kind", |r, p| {
                r.put(p.identifier().map(|id| id.kind.code()))
            }),
            column("id_token", |r, p| {
                r.put(
                    p.identifier()
                        .and_then(PartyIdentifier::verified)
                        .as_ref()
                        .map(Token::as_bytes),
                )
            }),
            column("id_unverified", |r, p| {
                r.put(p.unverified().map(|(token, _)| token.as_bytes()))
            }),
            column("id_segments", |r, p| r.put(p.segments().as_deref())),
            column("id_tail", |r, p| {
                r.put(p.identifier().and_then(|id| id.tail.as_deref()))
            }),
            column("id_key", |r, p| {
                r.put(p.identifier().map(|_| p.token_key_id))
            }),
            column("phone_token", |r, p| {
                r.put(p.party.phone_token.as_ref().map(Token::as_bytes))
            }),
            column("address_district", |r, p| {
                r.put(p.party.address_district.as_ref().map(DistrictCode::as_str));
            }),
        ]
    }
}

impl<'a> PartyRow<'a> {
    fn identifier(&self) -> Option<&'a PartyIdentifier> {
        self.party.identifier.as_ref()
    }

    /// Of a number whose check digit failed, with the tokens of its segments.
    fn unverified(&self) -> Option<(&'a Token, Option<&'a Segments>)> {
        let identifier = self.identifier()?;
        match &identifier.check {
            Check::Verified => None,
            Check::Unverified { segments } => Some((&identifier.token, segments.as_ref())),
        }
    }

    /// Side by side.
    fn segments(&self) -> Option<Vec<u8>> {
        let (_, segments) = self.unverified()?;
        let bytes = segments?.iter().flat_map(|token| *token.as_bytes());
        Some(bytes.collect())
    }
}

/// Writes the parties of cases that have none at the hub.
pub async fn insert_parties(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
    token_key_id: i32,
) -> Result<(), sqlx::Error> {
    let rows = writes.iter().flat_map(|write| {
        let parties = (0..).zip(&write.case.parties);
        parties.map(move |(ordinal, party)| PartyRow {
            key: write.key(),
            ordinal,
            party,
            token_key_id,
        })
    });
    Copied::of(rows).send(connection).await
}

/// A subject as a row.
struct SubjectRow<'a> {
    key: CaseKey<'a>,
    ordinal: i16,
    subject: &'a Subject,
}

impl Row for SubjectRow<'_> {
    const TABLE: &'static str = "subject";

    fn columns() -> Vec<Column<Self>> {
        vec![
            column("office_id", |r, s: &Self| r.put(s.key.0.as_str())),
            column("source_case_id", |r, s| r.put(s.key.1)),
            column("ordinal", |r, s| r.put(s.ordinal)),
            column("kind", |r, s| r.put(s.subject.kind.code())),
            column("token", |r, s| r.put(s.subject.token.as_bytes())),
            column("tail", |r, s| r.put(s.subject.tail.as_deref())),
            column("district_code", |r, s| {
                r.put(s.subject.district_code.as_ref().map(DistrictCode::as_str));
            }),
        ]
    }
}

/// Writes the subjects of cases that have none at the hub.
pub async fn insert_subjects(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
) -> Result<(), sqlx::Error> {
    let rows = writes.iter().flat_map(|write| {
        let subjects = (0..).zip(&write.case.subjects);
        subjects.map(move |(ordinal, subject)| SubjectRow {
            key: write.key(),
            ordinal,
            subject,
        })
    });
    Copied::of(rows).send(connection).await
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

/// One of a case's keys as a row.
struct MatterKeyRow<'a> {
    case: Keyed<'a>,
    key: &'a MatterKey,
}

impl Row for MatterKeyRow<'_> {
    const TABLE: &'static str = "matter_key";

    fn columns() -> Vec<Column<Self>> {
        vec![
            column("office_id", |r, k: &Self| r.put(k.case.office_id.as_str())),
            column("source_case_id", |r, k| r.put(k.case.source_case_id)),
            column("key", |r, k| r.put(k.key.as_bytes())),
            column("rank", |r, k| r.put(k.case.rank)),
        ]
    }
}

/// Writes the matter keys of cases that have none at the hub.
pub async fn insert_matter_keys(
    connection: &mut PgConnection,
    cases: impl Iterator<Item = Keyed<'_>>,
) -> Result<(), sqlx::Error> {
    let rows = cases.flat_map(|case| case.keys.iter().map(move |key| MatterKeyRow { case, key }));
    Copied::of(rows).send(connection).await
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
