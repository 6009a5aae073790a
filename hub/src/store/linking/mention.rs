//! `mention`: where a party of a case stands in linkage. What is compared of it is in [`super::compared`].

use std::collections::{BTreeSet, HashMap};

use linkage::compare::VerifiedNumber;
use linkage::node::{MOST_REPRESENTATIVES, MentionId, NodeId};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::{mention_id, mention_uuids, node_id, number, uuid_of, uuid_of_mention, uuids};
use crate::store::decode::{decode_error, parse};

/// A party as it stands in its case.
#[derive(Debug, Clone)]
pub struct Standing {
    pub source_case_id: String,
    pub ordinal: i16,
    pub number: Option<VerifiedNumber>,
    /// Fingerprint of everything that is compared, the related parties included.
    pub content: i64,
}

/// A mention as linkage holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub mention_id: MentionId,
    pub source_case_id: String,
    pub node_id: NodeId,
    pub content: i64,
    pub judged: bool,
}

/// A party, and by what it is known.
#[derive(Debug, Clone)]
pub struct Who {
    pub mention_id: MentionId,
    pub case: (OfficeId, String),
    pub who: Vec<i64>,
}

/// A mention to be written.
#[derive(Debug, Clone)]
pub struct NewMention<'a> {
    pub mention_id: MentionId,
    pub source_case_id: &'a str,
    pub ordinal: i16,
    pub node_id: NodeId,
    pub content: i64,
}

/// The parties of an office's cases as they stand now; a case that was withdrawn has none. `OFFSET 0` has each case
/// looked up by its whole key, also before the tables have statistics: by the office alone it would be each party with
/// each case.
pub async fn standing(
    connection: &mut PgConnection,
    office_id: OfficeId,
    cases: &[String],
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = query!(
        r#"SELECT p.source_case_id AS "source_case_id!", p.ordinal AS "ordinal!", p.id_kind, p.id_token,
                  p.content AS "content!"
             FROM unnest($2::text[]) AS k (source_case_id)
            CROSS JOIN LATERAL (
                  SELECT * FROM standing_party
                   WHERE office_id = $1 AND source_case_id = k.source_case_id OFFSET 0) AS p"#,
        office_id.as_str(),
        cases,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                source_case_id: row.source_case_id,
                ordinal: row.ordinal,
                number: number(row.id_kind.as_deref(), row.id_token.as_deref())?,
                content: row.content,
            })
        })
        .collect()
}

/// What linkage holds of an office's cases.
pub async fn held(
    connection: &mut PgConnection,
    office_id: OfficeId,
    cases: &[String],
) -> Result<Vec<Held>, sqlx::Error> {
    let rows = query!(
        "SELECT m.mention_id, m.source_case_id, m.node_id, m.content, m.judged
           FROM unnest($2::text[]) AS k (source_case_id)
           JOIN mention m ON m.office_id = $1 AND m.source_case_id = k.source_case_id",
        office_id.as_str(),
        cases,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Held {
            mention_id: mention_id(row.mention_id),
            source_case_id: row.source_case_id,
            node_id: node_id(row.node_id),
            content: row.content,
            judged: row.judged,
        })
        .collect())
}

/// By what the parties of cases are known, as they stand now.
pub async fn who(
    connection: &mut PgConnection,
    cases: &BTreeSet<(OfficeId, String)>,
) -> Result<Vec<Who>, sqlx::Error> {
    let (offices, cases): (Vec<&str>, Vec<&str>) = cases
        .iter()
        .map(|(office_id, case)| (office_id.as_str(), case.as_str()))
        .unzip();
    let rows = query!(
        r#"SELECT k.office_id AS "office_id!", k.source_case_id AS "source_case_id!", p.ordinal AS "ordinal!",
                  party_who(p.name, p.id_token) AS "who!"
             FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)
            CROSS JOIN LATERAL (
                  SELECT ordinal, name, id_token FROM standing_party
                   WHERE office_id = k.office_id AND source_case_id = k.source_case_id OFFSET 0) AS p
            ORDER BY k.office_id, k.source_case_id, p.ordinal"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let office_id = parse(&row.office_id)?;
            let ordinal = u16::try_from(row.ordinal).map_err(decode_error)?;
            Ok(Who {
                mention_id: MentionId::new(office_id, &row.source_case_id, ordinal),
                case: (office_id, row.source_case_id),
                who: row.who,
            })
        })
        .collect()
}

/// The cases that mentions are of, for those that are there.
pub async fn cases_of(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<HashMap<MentionId, (OfficeId, String)>, sqlx::Error> {
    let rows = query!(
        "SELECT mention_id, office_id, source_case_id FROM mention WHERE mention_id = ANY($1)",
        &mention_uuids(mentions),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                mention_id(row.mention_id),
                (parse(&row.office_id)?, row.source_case_id),
            ))
        })
        .collect()
}

/// Writes mentions, new or changed.
pub async fn upsert(
    connection: &mut PgConnection,
    office_id: OfficeId,
    mentions: &[NewMention<'_>],
) -> Result<(), sqlx::Error> {
    if mentions.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = mentions
        .iter()
        .map(|m| uuid_of_mention(&m.mention_id))
        .collect();
    let cases: Vec<&str> = mentions.iter().map(|m| m.source_case_id).collect();
    let ordinals: Vec<i16> = mentions.iter().map(|m| m.ordinal).collect();
    let nodes: Vec<Uuid> = mentions.iter().map(|m| uuid_of(&m.node_id)).collect();
    let contents: Vec<i64> = mentions.iter().map(|m| m.content).collect();
    query!(
        r#"INSERT INTO mention (mention_id, office_id, source_case_id, ordinal, node_id, content, judged)
           SELECT k.mention_id, $1, k.source_case_id, k.ordinal, k.node_id, k.content,
                  EXISTS (SELECT FROM link_judgement j WHERE j.low = k.mention_id AND j.state = 'in_force')
                  OR EXISTS (SELECT FROM link_judgement j WHERE j.high = k.mention_id AND j.state = 'in_force')
             FROM unnest($2::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::bigint[])
                  AS k (mention_id, source_case_id, ordinal, node_id, content)
           ON CONFLICT (mention_id) DO UPDATE SET node_id = excluded.node_id, content = excluded.content"#,
        office_id.as_str(),
        &ids,
        &cases as &[&str],
        &ordinals,
        &nodes,
        &contents,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes mentions away.
pub async fn remove(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<(), sqlx::Error> {
    if mentions.is_empty() {
        return Ok(());
    }
    query!(
        "DELETE FROM mention WHERE mention_id = ANY($1)",
        &mention_uuids(mentions),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves mentions to other nodes, pair by pair.
pub async fn move_to(
    connection: &mut PgConnection,
    moves: &[(MentionId, NodeId)],
) -> Result<(), sqlx::Error> {
    let mentions: Vec<Uuid> = moves
        .iter()
        .map(|(mention, _)| uuid_of_mention(mention))
        .collect();
    let nodes: Vec<Uuid> = moves.iter().map(|(_, node)| uuid_of(node)).collect();
    query!(
        "UPDATE mention m SET node_id = k.node_id FROM unnest($1::uuid[], $2::uuid[]) AS k (mention_id, node_id)
          WHERE m.mention_id = k.mention_id",
        &mentions,
        &nodes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The nodes that mentions are in, for those that are there.
pub async fn nodes_of(
    connection: &mut PgConnection,
    mentions: &[MentionId],
) -> Result<Vec<NodeId>, sqlx::Error> {
    let rows = query!(
        "SELECT DISTINCT node_id FROM mention WHERE mention_id = ANY($1)",
        &mention_uuids(mentions),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| node_id(row.node_id)).collect())
}

/// Mentions of a node in the order of their ids, `most` at most.
pub async fn of_node(
    connection: &mut PgConnection,
    node: NodeId,
    most: usize,
) -> Result<Vec<MentionId>, sqlx::Error> {
    let rows = query!(
        "SELECT mention_id FROM mention WHERE node_id = $1 ORDER BY mention_id LIMIT $2",
        uuid_of(&node),
        most as i64,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| mention_id(row.mention_id))
        .collect())
}

/// The greatest id among the representatives of each node that has as many as it can have.
pub async fn last_representatives(
    connection: &mut PgConnection,
    nodes: &[NodeId],
) -> Result<HashMap<NodeId, MentionId>, sqlx::Error> {
    let rows = query!(
        r#"SELECT n.node_id AS "node_id!", m.mention_id
             FROM unnest($1::uuid[]) AS n (node_id)
            CROSS JOIN LATERAL (SELECT mention_id FROM mention WHERE node_id = n.node_id
                                 ORDER BY mention_id OFFSET $2 LIMIT 1) AS m"#,
        &uuids(nodes),
        MOST_REPRESENTATIVES as i64 - 1,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (node_id(row.node_id), mention_id(row.mention_id)))
        .collect())
}
