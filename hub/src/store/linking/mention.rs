//! `mention`: where a party of a case stands in linkage, and what is compared of it.

use std::collections::HashMap;

use futures_util::{Stream, StreamExt};
use linkage::compare::{KnownIdentifier, Mention, RelatedParties, VerifiedNumber};
use linkage::name::PreparedName;
use linkage::node::{MOST_REPRESENTATIVES, MentionId, Node, NodeId};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query, query_as, query_scalar};
use time::Date;
use uuid::Uuid;

use super::{mention_id, mention_uuids, node_id, number, token, uuid_of, uuid_of_mention, uuids};
use crate::linking::model::Model;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub mention_id: MentionId,
    pub node_id: NodeId,
    pub content: i64,
    pub judged: bool,
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
        "SELECT m.mention_id, m.node_id, m.content, m.judged
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
            node_id: node_id(row.node_id),
            content: row.content,
            judged: row.judged,
        })
        .collect())
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

/// What is compared of a mention, as it is stored.
#[derive(Debug)]
pub(super) struct Row {
    pub node_id: Uuid,
    pub mention_id: Uuid,
    pub kind: String,
    pub name: String,
    pub sex: Option<String>,
    pub birth_date: Option<Date>,
    pub id_kind: Option<String>,
    pub id_token: Option<Vec<u8>>,
    pub id_unverified: Option<Vec<u8>>,
    pub id_segments: Option<Vec<u8>>,
    pub phone_token: Option<Vec<u8>>,
    pub address_district: Option<String>,
    pub related: Vec<Vec<u8>>,
}

impl Row {
    pub(super) fn mention(&self, model: &Model) -> Result<Mention, sqlx::Error> {
        let name = PreparedName::new(&self.name);
        Ok(Mention {
            kind: parse(&self.kind)?,
            name_share: model.share_of(&name),
            name,
            birth: self.birth_date,
            sex: self.sex.as_deref().map(parse).transpose()?,
            phone: self.phone_token.as_deref().map(token).transpose()?,
            district: self.address_district.as_deref().map(parse).transpose()?,
            related: self
                .related
                .iter()
                .map(|bytes| token(bytes))
                .collect::<Result<RelatedParties, _>>()?,
            identifier: self.identifier()?,
        })
    }

    fn identifier(&self) -> Result<Option<KnownIdentifier>, sqlx::Error> {
        if let Some(number) = number(self.id_kind.as_deref(), self.id_token.as_deref())? {
            return Ok(Some(KnownIdentifier::Verified(number)));
        }
        let (Some(kind), Some(unverified)) = (&self.id_kind, &self.id_unverified) else {
            return Ok(None);
        };
        Ok(Some(KnownIdentifier::Unverified {
            kind: parse(kind)?,
            token: token(unverified)?,
            segments: self.id_segments.as_deref().map(segments).transpose()?,
        }))
    }
}

fn segments(bytes: &[u8]) -> Result<[linkage::token::Token; 3], sqlx::Error> {
    let tokens = bytes.chunks(16).map(token).collect::<Result<Vec<_>, _>>()?;
    tokens.try_into().map_err(|_| decode_error(SegmentCount))
}

/// Segments of a number that are not three.
#[derive(Debug, thiserror::Error)]
#[error("the segments of a number are three tokens")]
struct SegmentCount;

/// A party of any case, with what is compared of it.
#[derive(Debug)]
pub struct Party {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub ordinal: i16,
    pub content: i64,
    row: Row,
}

impl Party {
    /// Its name for ever.
    pub fn mention_id(&self) -> Result<MentionId, sqlx::Error> {
        let ordinal = u16::try_from(self.ordinal).map_err(decode_error)?;
        Ok(MentionId::new(
            self.office_id,
            &self.source_case_id,
            ordinal,
        ))
    }

    /// What is compared.
    pub fn mention(&self, model: &Model) -> Result<Mention, sqlx::Error> {
        self.row.mention(model)
    }
}

/// Every party as it stands, row by row.
pub fn every(
    connection: &mut PgConnection,
) -> impl Stream<Item = Result<Party, sqlx::Error>> + Send + '_ {
    // The ids follow from the place, and the node from all the others: they are not read.
    let rows = query!(
        r#"SELECT office_id AS "office_id!", source_case_id AS "source_case_id!", ordinal AS "ordinal!",
                  content AS "content!", kind AS "kind!", name AS "name!", sex, birth_date, id_kind, id_token,
                  id_unverified, id_segments, phone_token, address_district, related AS "related!: Vec<Vec<u8>>"
             FROM standing_party"#
    )
    .fetch(connection);
    rows.map(|row| {
        let row = row?;
        Ok(Party {
            office_id: parse(&row.office_id)?,
            source_case_id: row.source_case_id,
            ordinal: row.ordinal,
            content: row.content,
            row: Row {
                node_id: Uuid::nil(),
                mention_id: Uuid::nil(),
                kind: row.kind,
                name: row.name,
                sex: row.sex,
                birth_date: row.birth_date,
                id_kind: row.id_kind,
                id_token: row.id_token,
                id_unverified: row.id_unverified,
                id_segments: row.id_segments,
                phone_token: row.phone_token,
                address_district: row.address_district,
                related: row.related,
            },
        })
    })
}

/// About how many parties there are.
pub async fn estimate(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let count = query_scalar!(r#"SELECT count(*) AS "count!" FROM party"#)
        .fetch_one(connection)
        .await?;
    u64::try_from(count).map_err(decode_error)
}

/// Nodes with their representatives, as their cases stand now. A node without any is left out.
pub async fn nodes(
    connection: &mut PgConnection,
    nodes: &[NodeId],
    model: &Model,
) -> Result<HashMap<NodeId, Node>, sqlx::Error> {
    if nodes.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = query_as!(
        Row,
        r#"SELECT m.node_id, m.mention_id, p.kind, p.name, p.sex, p.birth_date, p.id_kind, p.id_token,
                  p.id_unverified, p.id_segments, p.phone_token, p.address_district,
                  ARRAY(SELECT o.id_token FROM party o
                         WHERE o.office_id = m.office_id AND o.source_case_id = m.source_case_id
                           AND o.ordinal <> m.ordinal AND o.id_token IS NOT NULL) AS "related!: Vec<Vec<u8>>"
             FROM unnest($1::uuid[]) AS n (node_id)
            CROSS JOIN LATERAL (SELECT * FROM mention WHERE node_id = n.node_id
                                 ORDER BY mention_id LIMIT $2) AS m
             JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                         AND p.ordinal = m.ordinal"#,
        &uuids(nodes),
        MOST_REPRESENTATIVES as i64,
    )
    .fetch_all(connection)
    .await?;
    let mut mentions: HashMap<NodeId, Vec<(MentionId, Mention)>> = HashMap::new();
    for row in &rows {
        mentions
            .entry(node_id(row.node_id))
            .or_default()
            .push((mention_id(row.mention_id), row.mention(model)?));
    }
    Ok(mentions
        .into_iter()
        .map(|(id, mentions)| {
            let number = mentions.first().and_then(|(_, mention)| mention.verified());
            (id, Node::new(id, number, mentions))
        })
        .collect())
}

/// Mentions by id, as their cases stand now.
pub async fn compared(
    connection: &mut PgConnection,
    mentions: &[MentionId],
    model: &Model,
) -> Result<HashMap<MentionId, Mention>, sqlx::Error> {
    let rows = query_as!(
        Row,
        r#"SELECT m.node_id, m.mention_id, p.kind, p.name, p.sex, p.birth_date, p.id_kind, p.id_token,
                  p.id_unverified, p.id_segments, p.phone_token, p.address_district,
                  ARRAY(SELECT o.id_token FROM party o
                         WHERE o.office_id = m.office_id AND o.source_case_id = m.source_case_id
                           AND o.ordinal <> m.ordinal AND o.id_token IS NOT NULL) AS "related!: Vec<Vec<u8>>"
             FROM mention m
             JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                         AND p.ordinal = m.ordinal
            WHERE m.mention_id = ANY($1)"#,
        &mention_uuids(mentions),
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((mention_id(row.mention_id), row.mention(model)?)))
        .collect()
}
