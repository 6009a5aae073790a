//! The facts that rules look at, read for many cases of one office at once.

use std::collections::HashMap;

use linkage::office::OfficeId;
use linkage::subject::SubjectKind;
use sqlx::{PgConnection, query, query_scalar};
use time::Date;

use super::participation;
use crate::local_time::local_day;
use crate::store::decode::parse;
use crate::store::duplicate::MOST_BEHIND_A_KEY;
use crate::supervision::facts::{
    CaseFacts, Filed, Kin, OfficeFacts, OfficeFilings, OpenFiling, Paper, PartyFacts, Refused,
};

/// What the bureau has on file of an office.
pub async fn office(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<OfficeFacts, sqlx::Error> {
    let row = query!(
        r#"SELECT coalesce(p.matters_excluded, '{}') AS "matters_excluded!", coalesce(p.foreign_allowed, true)
                  AS "foreign_allowed!", coalesce(p.practice_area, '{}') AS "practice_area!",
                  coalesce(p.keeps_approval, false) AS "keeps_approval!"
             FROM office o LEFT JOIN office_profile p ON p.office_id = o.office_id WHERE o.office_id = $1"#,
        office_id.as_str(),
    )
    .fetch_optional(&mut *connection)
    .await?;
    let participation = participation::of(connection, office_id).await?;
    let participation = participation.unwrap_or_default();
    Ok(row.map_or_else(OfficeFacts::default, |row| OfficeFacts {
        matters_excluded: row.matters_excluded,
        domestic_only: !row.foreign_allowed,
        practice_area: row.practice_area,
        keeps_approval: row.keeps_approval,
        participation,
    }))
}

/// The cases of an office that are there, with their context.
pub async fn cases(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[String],
) -> Result<Vec<CaseFacts>, sqlx::Error> {
    let mut cases = plain(connection, office_id, keys).await?;
    let mut places: HashMap<String, usize> = HashMap::with_capacity(cases.len());
    for (at, case) in cases.iter().enumerate() {
        places.insert(case.source_case_id.clone(), at);
    }
    let at = |key: &str| places.get(key).copied();
    parties(connection, office_id, keys, |key, party| {
        if let Some(at) = at(key) {
            cases[at].parties.push(party);
        }
    })
    .await?;
    let rows = query!(
        r#"SELECT source_case_id, district_code FROM subject
            WHERE office_id = $1 AND source_case_id = ANY($2) AND kind = ANY($3)
            ORDER BY source_case_id, ordinal"#,
        office_id.as_str(),
        keys,
        &REAL_ESTATE.map(SubjectKind::code) as &[&str],
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        if let Some(at) = at(&row.source_case_id) {
            cases[at].real_estate.push(row.district_code);
        }
    }
    let rows = query!(
        r#"SELECT source_case_id AS "source_case_id!", kind, recorded_at, (detail ->> 'wrong_on')::date AS answers FROM filing
            WHERE office_id = $1 AND source_case_id = ANY($2) ORDER BY recorded_at"#,
        office_id.as_str(),
        keys,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        if let Some(at) = at(&row.source_case_id) {
            cases[at].filed.push(Filed {
                kind: parse(&row.kind)?,
                on: local_day(row.recorded_at),
                answers: row.answers,
            });
        }
    }
    let rows = query!(
        r#"SELECT p.source_case_id, p.ordinal, r.licence_no, r.relation
             FROM party p JOIN recusal r ON r.token = p.id_token AND r.office_id = p.office_id
            WHERE p.office_id = $1 AND p.source_case_id = ANY($2) ORDER BY p.source_case_id, p.ordinal, r.licence_no"#,
        office_id.as_str(),
        keys,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        if let Some(at) = at(&row.source_case_id) {
            cases[at].kin.push(Kin {
                party: row.ordinal,
                licence_no: row.licence_no,
                relation: row.relation,
            });
        }
    }
    for (key, refused) in refused(connection, office_id, keys).await? {
        if let Some(at) = at(&key) {
            cases[at].refused_elsewhere.push(refused);
        }
    }
    Ok(cases)
}

const REAL_ESTATE: [SubjectKind; 2] = [
    SubjectKind::RealEstateUnit,
    SubjectKind::RealEstateCertificate,
];

async fn plain(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[String],
) -> Result<Vec<CaseFacts>, sqlx::Error> {
    let rows = query!(
        r#"SELECT source_case_id, state, matter_type, foreign_relation, applied_on, accepted_on, approved_on, issued_on,
                  closed_on, notary_licence_no, approver_licence_no, reason_code, fee_charged_fen, fee_reduced_fen,
                  fee_reduction_reason, amount_fen, certificates, legal_aid, major,
                  discussed, excused_working_days
             FROM case_record WHERE office_id = $1 AND source_case_id = ANY($2) ORDER BY source_case_id"#,
        office_id.as_str(),
        keys,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(CaseFacts {
                office_id,
                source_case_id: row.source_case_id,
                state: parse(&row.state)?,
                matter_type: parse(&row.matter_type)?,
                foreign_relation: parse(&row.foreign_relation)?,
                applied_on: row.applied_on,
                accepted_on: row.accepted_on,
                approved_on: row.approved_on,
                issued_on: row.issued_on,
                closed_on: row.closed_on,
                notary_licence_no: row.notary_licence_no,
                approver_licence_no: row.approver_licence_no,
                reason_code: row.reason_code,
                fee_charged_fen: row.fee_charged_fen,
                fee_reduced_fen: row.fee_reduced_fen,
                fee_reduction_reason: row.fee_reduction_reason,
                amount_fen: row.amount_fen,
                certificates: row.certificates.map(i64::from),
                legal_aid: row.legal_aid,
                major: row.major,
                discussed: row.discussed,
                excused_working_days: u32::try_from(row.excused_working_days).unwrap_or_default(),
                parties: Vec::new(),
                real_estate: Vec::new(),
                filed: Vec::new(),
                kin: Vec::new(),
                refused_elsewhere: Vec::new(),
            })
        })
        .collect()
}

async fn parties(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[String],
    mut each: impl FnMut(&str, PartyFacts),
) -> Result<(), sqlx::Error> {
    let rows = query!(
        r#"SELECT source_case_id, role, kind, address_district FROM party
            WHERE office_id = $1 AND source_case_id = ANY($2) ORDER BY source_case_id, ordinal"#,
        office_id.as_str(),
        keys,
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        let party = PartyFacts {
            role: parse(&row.role)?,
            kind: parse(&row.kind)?,
            district: row.address_district,
        };
        each(&row.source_case_id, party);
    }
    Ok(())
}

/// Cases of other offices with a key of the matter in common, refused before these were accepted; so many behind each
/// key as duplicates are sought among. Each step is held to its key, also before the tables have statistics.
async fn refused(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[String],
) -> Result<Vec<(String, Refused)>, sqlx::Error> {
    let rows = query!(
        r#"SELECT DISTINCT own.source_case_id, other.office_id, other.source_case_id AS other_case,
                  other.closed_on AS "closed_on!", other.reason_code
             FROM unnest($2::text[]) AS q (source_case_id)
            CROSS JOIN LATERAL (
                  SELECT source_case_id, matter_type, accepted_on FROM case_record
                   WHERE office_id = $1 AND source_case_id = q.source_case_id AND accepted_on IS NOT NULL OFFSET 0) AS own
            CROSS JOIN LATERAL (
                  SELECT key FROM matter_key
                   WHERE office_id = $1 AND source_case_id = own.source_case_id OFFSET 0) AS k
            CROSS JOIN LATERAL (
                  SELECT office_id, source_case_id FROM matter_key
                   WHERE key = k.key AND office_id <> $1 LIMIT $3) AS o
            CROSS JOIN LATERAL (
                  SELECT * FROM case_record
                   WHERE office_id = o.office_id AND source_case_id = o.source_case_id AND state = 'refused' OFFSET 0) AS other
            WHERE other.matter_type = own.matter_type AND other.closed_on <= own.accepted_on
            ORDER BY own.source_case_id, other.closed_on, other.office_id, other.source_case_id"#,
        office_id.as_str(),
        keys,
        MOST_BEHIND_A_KEY as i64,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let refused = Refused {
                office_id: parse(&row.office_id)?,
                source_case_id: row.other_case,
                refused_on: row.closed_on,
                reason_code: row.reason_code,
            };
            Ok((row.source_case_id, refused))
        })
        .collect()
}

/// Cases of other offices that accepted what these refused: they come before the rules again.
pub async fn accepted_elsewhere(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[String],
) -> Result<Vec<(OfficeId, String)>, sqlx::Error> {
    let rows = query!(
        r#"SELECT DISTINCT other.office_id, other.source_case_id
             FROM unnest($2::text[]) AS q (source_case_id)
            CROSS JOIN LATERAL (
                  SELECT source_case_id, matter_type, closed_on FROM case_record
                   WHERE office_id = $1 AND source_case_id = q.source_case_id AND state = 'refused' OFFSET 0) AS own
            CROSS JOIN LATERAL (
                  SELECT key FROM matter_key
                   WHERE office_id = $1 AND source_case_id = own.source_case_id OFFSET 0) AS k
            CROSS JOIN LATERAL (
                  SELECT office_id, source_case_id FROM matter_key
                   WHERE key = k.key AND office_id <> $1 LIMIT $3) AS o
            CROSS JOIN LATERAL (
                  SELECT * FROM case_record
                   WHERE office_id = o.office_id AND source_case_id = o.source_case_id OFFSET 0) AS other
            WHERE other.accepted_on >= own.closed_on AND other.matter_type = own.matter_type"#,
        office_id.as_str(),
        keys,
        MOST_BEHIND_A_KEY as i64,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.office_id)?, row.source_case_id)))
        .collect()
}

/// What an office handed in.
pub async fn filings(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<OfficeFilings, sqlx::Error> {
    let rows = query!(
        r#"SELECT f.filing_id, f.kind, f.happened_on AS "happened_on!",
                  (SELECT min(o.recorded_at) FROM filing o
                    WHERE o.office_id = f.office_id AND o.about = f.filing_id) AS closed_at
             FROM filing f
            WHERE f.office_id = $1 AND f.kind IN ('complaint', 'review') AND f.happened_on IS NOT NULL
            ORDER BY f.filing_id"#,
        office_id.as_str(),
    )
    .fetch_all(&mut *connection)
    .await?;
    let open = rows
        .into_iter()
        .map(|row| {
            Ok(OpenFiling {
                filing_id: row.filing_id,
                kind: parse(&row.kind)?,
                happened_on: row.happened_on,
                closed_on: row.closed_at.map(local_day),
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    let rows = query!(
        r#"SELECT movement, series, first_no, last_no, moved_on FROM special_paper
            WHERE office_id = $1 ORDER BY series, first_no, filing_id, ordinal"#,
        office_id.as_str(),
    )
    .fetch_all(connection)
    .await?;
    let paper = rows
        .into_iter()
        .map(|row| {
            Ok(Paper {
                movement: parse(&row.movement)?,
                series: row.series,
                first_no: row.first_no,
                last_no: row.last_no,
                moved_on: row.moved_on,
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok(OfficeFilings {
        office_id,
        open,
        paper,
    })
}

/// Cases of an office behind a key, in the order of their keys: a page of history.
pub async fn page(
    connection: &mut PgConnection,
    office_id: OfficeId,
    behind: &str,
    since: Option<Date>,
    most: i64,
) -> Result<Vec<String>, sqlx::Error> {
    query_scalar!(
        r#"SELECT source_case_id FROM case_record
            WHERE office_id = $1 AND source_case_id > $2
              AND ($3::date IS NULL OR coalesce(accepted_on, applied_on) >= $3)
            ORDER BY source_case_id LIMIT $4"#,
        office_id.as_str(),
        behind,
        since,
        most,
    )
    .fetch_all(connection)
    .await
}
