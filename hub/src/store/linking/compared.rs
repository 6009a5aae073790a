//! What linkage compares of mentions, as their cases stand now.

use std::collections::HashMap;

use futures_util::{Stream, StreamExt};
use linkage::compare::{KnownIdentifier, Mention, RelatedParties};
use linkage::name::PreparedName;
use linkage::node::{MOST_REPRESENTATIVES, MentionId, Node, NodeId};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query, query_as, query_scalar};
use time::Date;
use uuid::Uuid;

use super::{mention_id, mention_uuids, node_id, number, token, uuids};
use crate::case::Segments;
use crate::linking::model::Model;
use crate::store::decode::{decode_error, parse};

/// What is compared of a mention, as it is stored.
#[derive(Debug)]
struct Row {
    node_id: Uuid,
    mention_id: Uuid,
    kind: String,
    name: String,
    sex: Option<String>,
    birth_date: Option<Date>,
    id_kind: Option<String>,
    id_token: Option<Vec<u8>>,
    id_unverified: Option<Vec<u8>>,
    id_segments: Option<Vec<u8>>,
    phone_token: Option<Vec<u8>>,
    address_district: Option<String>,
    related: Vec<Vec<u8>>,
}

impl Row {
    fn mention(&self, model: &Model) -> Result<Mention, sqlx::Error> {
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
            segments: match self.id_segments.as_deref() {
                Some(bytes) => segments(bytes)?,
                None => None,
            },
        }))
    }
}

/// The segments of a number, side by side. Cases of long ago may have one or two of them, which are no evidence; to fail
/// on these would hold up everybody whom they are compared with.
fn segments(bytes: &[u8]) -> Result<Option<Segments>, sqlx::Error> {
    let tokens = bytes.chunks(16).map(token).collect::<Result<Vec<_>, _>>()?;
    Ok(tokens.try_into().ok())
}

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
pub async fn mentions(
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
