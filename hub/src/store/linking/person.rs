//! Whose mentions stand in which cases, for look-ups.

use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};

use super::{mention_id, node_id, uuid_of, uuids};
use crate::linking::PersonId;
use crate::store::decode::parse;

/// Persons of one number told at most: it has several only where people hold that it is not one person's.
const MOST_OF_A_NUMBER: i64 = 16;

/// A person's mention in a case.
#[derive(Debug, Clone)]
pub struct Mentioned {
    pub person_id: PersonId,
    pub mention_id: MentionId,
    pub office_id: OfficeId,
    pub source_case_id: String,
}

/// The person that has a number; several where people hold that it is not one person's.
pub async fn of_number(
    connection: &mut PgConnection,
    number: &VerifiedNumber,
) -> Result<Vec<PersonId>, sqlx::Error> {
    let rows = query!(
        r#"SELECT person_id AS "person_id!" FROM link_node WHERE node_id = $1
            UNION
           SELECT person_id FROM link_node WHERE contested AND number = $2 AND number_kind = $3
            LIMIT $4"#,
        uuid_of(&NodeId::of_number(number)),
        number.token.as_bytes().as_slice(),
        number.kind.code(),
        MOST_OF_A_NUMBER,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| node_id(row.person_id)).collect())
}

/// Cases of persons, `most` of each at most; of a person that has more, so many of each office.
pub async fn cases(
    connection: &mut PgConnection,
    persons: &[PersonId],
    most: i64,
    most_of_an_office: i64,
) -> Result<Vec<(OfficeId, String)>, sqlx::Error> {
    let rows = query!(
        r#"WITH read AS MATERIALIZED (
               SELECT t.person_id, m.office_id, m.source_case_id, count(*) OVER (PARTITION BY t.person_id) AS total
                 FROM unnest($1::uuid[]) AS t (person_id)
                CROSS JOIN LATERAL (SELECT m.office_id, m.source_case_id
                                      FROM link_node n JOIN mention m ON m.node_id = n.node_id
                                     WHERE n.person_id = t.person_id LIMIT $2) AS m)
           SELECT office_id AS "office_id!", source_case_id AS "source_case_id!" FROM read
            UNION
           SELECT m.office_id, m.source_case_id
             FROM (SELECT DISTINCT person_id FROM read WHERE total >= $2) AS t CROSS JOIN office o
            CROSS JOIN LATERAL (SELECT m.office_id, m.source_case_id
                                  FROM link_node n JOIN mention m ON m.node_id = n.node_id
                                 WHERE n.person_id = t.person_id AND m.office_id = o.office_id LIMIT $3) AS m"#,
        &uuids(persons),
        most,
        most_of_an_office,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.office_id)?, row.source_case_id)))
        .collect()
}

/// Mentions of the persons in the cases, which are named by two columns.
pub async fn in_cases(
    connection: &mut PgConnection,
    persons: &[PersonId],
    (offices, cases): (Vec<&str>, Vec<&str>),
) -> Result<Vec<Mentioned>, sqlx::Error> {
    let rows = query!(
        r#"SELECT n.person_id, m.mention_id, m.office_id, m.source_case_id
             FROM unnest($2::text[], $3::text[]) AS k (office_id, source_case_id)
             JOIN mention m ON m.office_id = k.office_id AND m.source_case_id = k.source_case_id
             JOIN link_node n ON n.node_id = m.node_id
            WHERE n.person_id = ANY ($1)
            ORDER BY m.mention_id"#,
        &uuids(persons),
        &offices as &[&str],
        &cases as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Mentioned {
                person_id: node_id(row.person_id),
                mention_id: mention_id(row.mention_id),
                office_id: parse(&row.office_id)?,
                source_case_id: row.source_case_id,
            })
        })
        .collect()
}
