//! Cases beside each other through a person that has several nodes.

use linkage::matter::MatterType;
use linkage::node::NodeId;
use linkage::office::OfficeId;
use linkage::subject::SubjectKind;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, PartyRole};
use sqlx::{PgConnection, query};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{node_id, uuid_of};
use crate::case::CaseKey;
use crate::store::columns;
use crate::store::decode::{decode_error, parse};

/// Nodes of one person that a mention is seen beside, and mentions of each: bounds on what one record can cost.
const MOST_NODES: i64 = 32;
const MOST_OF_NODE: i64 = 50;

/// A case with the persons of its parties.
#[derive(Clone, Debug)]
pub struct Known {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub first_recorded_at: OffsetDateTime,
    pub place_of_use: Option<String>,
    pub parties: Vec<Placed>,
    pub subjects: Vec<(SubjectKind, Token)>,
}

/// A party and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub role: PartyRole,
    pub number: Option<Token>,
    /// Node and person; `None` until linkage has come to it.
    pub place: Option<(NodeId, NodeId)>,
}

/// Cases of other offices in which a party of one of these is the same person by another number, or without one: index
/// of the case asked about, and the other case.
pub async fn others(
    connection: &mut PgConnection,
    cases: &[CaseKey<'_>],
) -> Result<Vec<(usize, OfficeId, String)>, sqlx::Error> {
    let (offices, keys) = columns(cases);
    let rows = query!(
        r#"SELECT DISTINCT k.at AS "at!", x.office_id, x.source_case_id
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (office_id, source_case_id, at)
             JOIN mention m ON m.office_id = k.office_id AND m.source_case_id = k.source_case_id
             JOIN link_node n ON n.node_id = m.node_id
            CROSS JOIN LATERAL (
                  SELECT node_id FROM link_node WHERE person_id = n.person_id AND node_id <> n.node_id
                   ORDER BY node_id LIMIT $3) AS o
            CROSS JOIN LATERAL (
                  SELECT office_id, source_case_id FROM mention WHERE node_id = o.node_id
                   ORDER BY mention_id LIMIT $4) AS x
            WHERE x.office_id <> k.office_id
            ORDER BY 1, 2, 3"#,
        &offices as &[&str],
        &keys as &[&str],
        MOST_NODES,
        MOST_OF_NODE,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            // Numbered from 1.
            let at = usize::try_from(row.at - 1).map_err(decode_error)?;
            Ok((at, parse(&row.office_id)?, row.source_case_id))
        })
        .collect()
}

/// The cases as they stand, those that are there.
pub async fn known(
    connection: &mut PgConnection,
    cases: &[CaseKey<'_>],
) -> Result<Vec<Known>, sqlx::Error> {
    let (offices, keys) = columns(cases);
    let rows = query!(
        r#"SELECT c.office_id, c.source_case_id, c.matter_type, c.state, c.applied_on, c.accepted_on,
                  c.first_recorded_at, c.place_of_use,
                  p.roles AS "roles!", p.numbers AS "numbers!: Vec<Option<Vec<u8>>>",
                  p.nodes AS "nodes!: Vec<Option<Uuid>>", p.persons AS "persons!: Vec<Option<Uuid>>",
                  s.kinds AS "kinds!", s.things AS "things!: Vec<Vec<u8>>"
             FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)
             JOIN case_record c ON c.office_id = k.office_id AND c.source_case_id = k.source_case_id
            CROSS JOIN LATERAL (
                  SELECT coalesce(array_agg(p.role ORDER BY p.ordinal), '{}') AS roles,
                         coalesce(array_agg(p.id_token ORDER BY p.ordinal), '{}') AS numbers,
                         coalesce(array_agg(n.node_id ORDER BY p.ordinal), '{}') AS nodes,
                         coalesce(array_agg(n.person_id ORDER BY p.ordinal), '{}') AS persons
                    FROM party p
                    LEFT JOIN mention m ON m.office_id = p.office_id AND m.source_case_id = p.source_case_id
                                       AND m.ordinal = p.ordinal
                    LEFT JOIN link_node n ON n.node_id = m.node_id
                   WHERE p.office_id = c.office_id AND p.source_case_id = c.source_case_id) AS p
            CROSS JOIN LATERAL (
                  SELECT coalesce(array_agg(s.kind ORDER BY s.ordinal), '{}') AS kinds,
                         coalesce(array_agg(s.token ORDER BY s.ordinal), '{}') AS things
                    FROM subject s
                   WHERE s.office_id = c.office_id AND s.source_case_id = c.source_case_id) AS s"#,
        &offices as &[&str],
        &keys as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let placed = |((role, number), (node, person)): ((&String, Option<Vec<u8>>), _)| {
                let number = number.as_deref().map(token).transpose()?;
                let place = Option::<Uuid>::zip(node, person);
                Ok(Placed {
                    role: parse(role)?,
                    number,
                    place: place.map(|(node, person)| (node_id(node), node_id(person))),
                })
            };
            let numbered = row.roles.iter().zip(row.numbers);
            let parties = numbered
                .zip(row.nodes.into_iter().zip(row.persons))
                .map(placed);
            let subjects = row
                .kinds
                .iter()
                .zip(&row.things)
                .map(|(kind, thing)| Ok::<_, sqlx::Error>((parse(kind)?, token(thing)?)));
            Ok(Known {
                office_id: parse(&row.office_id)?,
                source_case_id: row.source_case_id,
                matter_type: parse(&row.matter_type)?,
                state: parse(&row.state)?,
                applied_on: row.applied_on,
                accepted_on: row.accepted_on,
                first_recorded_at: row.first_recorded_at,
                place_of_use: row.place_of_use,
                parties: parties.collect::<Result<_, sqlx::Error>>()?,
                subjects: subjects.collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

/// What the links between pairs of nodes weigh, in thousandths of a bit, the lesser node first; a pair that is joined
/// by others, or by a person's decision, has none.
pub async fn weights(
    connection: &mut PgConnection,
    pairs: &[(NodeId, NodeId)],
) -> Result<Vec<((NodeId, NodeId), i32)>, sqlx::Error> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (low, high): (Vec<Uuid>, Vec<Uuid>) = pairs
        .iter()
        .map(|(low, high)| (uuid_of(low), uuid_of(high)))
        .unzip();
    let rows = query!(
        r#"SELECT l.low, l.high, l.weight FROM link l
             JOIN unnest($1::uuid[], $2::uuid[]) AS k (low, high) ON k.low = l.low AND k.high = l.high"#,
        &low,
        &high,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ((node_id(row.low), node_id(row.high)), row.weight))
        .collect())
}

fn token(bytes: impl AsRef<[u8]>) -> Result<Token, sqlx::Error> {
    super::token(bytes.as_ref())
}
