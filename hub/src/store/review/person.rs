//! Possible persons: pairs of nodes in `link`, and what is shown of their mentions.

use linkage::cluster::Pair;
use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::vocabulary::{CaseState, PartyKind, PartyRole, Sex};
use sqlx::{PgConnection, query, query_as};
use time::Date;
use uuid::Uuid;

use crate::review::judgement::Reach;
use crate::review::person::PairState;
use crate::store::decode::{decode_error, parse};

/// Which pairs.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// In which one of this office's mentions has a part.
    pub office: Option<OfficeId>,
    /// Office whose notary reads: a pair that is compared by another office's case that is withheld is left out.
    pub told_to: Option<OfficeId>,
    pub state: PairState,
    pub behind: Option<Behind>,
}

/// The last pair of the page before, by the mentions that were compared: a node's id is made of its number's token,
/// and nobody is told it.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    pub weight: i32,
    pub low_mention: Uuid,
    pub high_mention: Uuid,
}

/// Two nodes that may be one person.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub low: Uuid,
    pub high: Uuid,
    /// Thousandths of a bit; 0 where linkage sees no link and a judgement alone speaks of the pair.
    pub weight: i32,
    /// The mention of each that is compared.
    pub low_mention: Uuid,
    pub high_mention: Uuid,
    /// The judgement that stands, when one does.
    pub judgement_id: Option<Uuid>,
}

/// A mention with its party and case, the name as the office wrote it.
#[derive(Clone)]
pub struct Shown {
    pub mention_id: Uuid,
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub case_no: Option<String>,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub accepted_on: Option<Date>,
    pub role: PartyRole,
    pub kind: PartyKind,
    pub name: String,
    pub sex: Option<Sex>,
    pub birth_date: Option<Date>,
    pub id_kind: Option<IdentifierKind>,
    pub id_tail: Option<String>,
    pub district: Option<DistrictCode>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("mention_id", &self.mention_id)
            .finish_non_exhaustive()
    }
}

/// Pairs of a page, the heaviest first. `withheld` are matters whose parties are not shown to another
/// office.
pub async fn page(
    connection: &mut PgConnection,
    wanted: &Wanted,
    withheld: &[MatterType],
    most: i64,
) -> Result<Vec<Candidate>, sqlx::Error> {
    match wanted.state {
        PairState::Open => open(connection, wanted, withheld, most).await,
        PairState::Proposed | PairState::InForce => {
            judged(connection, wanted, withheld, most).await
        }
    }
}

/// Possible pairs that are not one person already and that no judgement speaks of.
async fn open(
    connection: &mut PgConnection,
    wanted: &Wanted,
    withheld: &[MatterType],
    most: i64,
) -> Result<Vec<Candidate>, sqlx::Error> {
    query_as!(
        Candidate,
        r#"WITH judged AS (
                SELECT least(a.node_id, b.node_id) AS low, greatest(a.node_id, b.node_id) AS high
                  FROM link_judgement j
                  JOIN mention a ON a.mention_id = j.low
                  JOIN mention b ON b.mention_id = j.high
                 WHERE j.state IN ('proposed', 'in_force'))
           SELECT l.low, l.high, l.weight, l.low_mention, l.high_mention, NULL::uuid AS judgement_id
             FROM link l
             JOIN link_node ln ON ln.node_id = l.low
             JOIN link_node hn ON hn.node_id = l.high
             JOIN mention lm ON lm.mention_id = l.low_mention
             JOIN mention hm ON hm.mention_id = l.high_mention
             JOIN case_record lc ON lc.office_id = lm.office_id AND lc.source_case_id = lm.source_case_id
             JOIN case_record hc ON hc.office_id = hm.office_id AND hc.source_case_id = hm.source_case_id
            WHERE l.decision = 'possible' AND ln.person_id <> hn.person_id
              AND NOT EXISTS (SELECT FROM judged j WHERE j.low = l.low AND j.high = l.high)
              AND ($1::text IS NULL
                   OR EXISTS (SELECT FROM mention o WHERE o.node_id = l.low AND o.office_id = $1)
                   OR EXISTS (SELECT FROM mention o WHERE o.node_id = l.high AND o.office_id = $1))
              AND ($2::text IS NULL OR ((lm.office_id = $2 OR lc.matter_type <> ALL ($3::text[]))
                                    AND (hm.office_id = $2 OR hc.matter_type <> ALL ($3::text[]))))
              AND ($4::integer IS NULL
                   OR (l.weight <= $4 AND (l.weight < $4 OR (l.low, l.high) > (
                                          (SELECT node_id FROM mention WHERE mention_id = $5),
                                          (SELECT node_id FROM mention WHERE mention_id = $6)))))
            ORDER BY l.weight DESC, l.low, l.high
            LIMIT $7"#,
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.told_to.as_ref().map(OfficeId::as_str),
        &codes(withheld) as &[&str],
        wanted.behind.map(|behind| behind.weight),
        wanted.behind.map(|behind| behind.low_mention),
        wanted.behind.map(|behind| behind.high_mention),
        most,
    )
    .fetch_all(connection)
    .await
}

/// Pairs that a judgement of the state speaks of, whatever linkage makes of them now.
async fn judged(
    connection: &mut PgConnection,
    wanted: &Wanted,
    withheld: &[MatterType],
    most: i64,
) -> Result<Vec<Candidate>, sqlx::Error> {
    query_as!(
        Candidate,
        r#"WITH judged AS (
                SELECT j.judgement_id, least(a.node_id, b.node_id) AS low, greatest(a.node_id, b.node_id) AS high,
                       CASE WHEN a.node_id < b.node_id THEN j.low ELSE j.high END AS low_mention,
                       CASE WHEN a.node_id < b.node_id THEN j.high ELSE j.low END AS high_mention
                  FROM link_judgement j
                  JOIN mention a ON a.mention_id = j.low
                  JOIN mention b ON b.mention_id = j.high
                 WHERE j.state = $1 AND a.node_id <> b.node_id)
           SELECT j.low AS "low!", j.high AS "high!", coalesce(l.weight, 0) AS "weight!",
                  j.low_mention AS "low_mention!", j.high_mention AS "high_mention!", j.judgement_id
             FROM judged j
             LEFT JOIN link l ON l.low = j.low AND l.high = j.high
             JOIN mention lm ON lm.mention_id = j.low_mention
             JOIN mention hm ON hm.mention_id = j.high_mention
             JOIN case_record lc ON lc.office_id = lm.office_id AND lc.source_case_id = lm.source_case_id
             JOIN case_record hc ON hc.office_id = hm.office_id AND hc.source_case_id = hm.source_case_id
            WHERE ($2::text IS NULL
                   OR EXISTS (SELECT FROM mention o WHERE o.node_id = j.low AND o.office_id = $2)
                   OR EXISTS (SELECT FROM mention o WHERE o.node_id = j.high AND o.office_id = $2))
              AND ($3::text IS NULL OR ((lm.office_id = $3 OR lc.matter_type <> ALL ($4::text[]))
                                    AND (hm.office_id = $3 OR hc.matter_type <> ALL ($4::text[]))))
              AND ($5::integer IS NULL
                   OR (coalesce(l.weight, 0) <= $5
                       AND (coalesce(l.weight, 0) < $5 OR (j.low, j.high) > (
                            (SELECT node_id FROM mention WHERE mention_id = $6),
                            (SELECT node_id FROM mention WHERE mention_id = $7)))))
            ORDER BY coalesce(l.weight, 0) DESC, j.low, j.high
            LIMIT $8"#,
        wanted.state.code(),
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.told_to.as_ref().map(OfficeId::as_str),
        &codes(withheld) as &[&str],
        wanted.behind.map(|behind| behind.weight),
        wanted.behind.map(|behind| behind.low_mention),
        wanted.behind.map(|behind| behind.high_mention),
        most,
    )
    .fetch_all(connection)
    .await
}

/// One pair of nodes that linkage or a standing judgement speaks of. The link's mentions are compared where there is
/// a link, else the judgement's.
pub async fn find(
    connection: &mut PgConnection,
    nodes: Pair<Uuid>,
) -> Result<Option<Candidate>, sqlx::Error> {
    query_as!(
        Candidate,
        r#"WITH judged AS (
                SELECT j.judgement_id, CASE WHEN a.node_id = $1 THEN j.low ELSE j.high END AS low_mention,
                       CASE WHEN a.node_id = $1 THEN j.high ELSE j.low END AS high_mention
                  FROM link_judgement j
                  JOIN mention a ON a.mention_id = j.low
                  JOIN mention b ON b.mention_id = j.high
                 WHERE j.state IN ('proposed', 'in_force')
                   AND ((a.node_id = $1 AND b.node_id = $2) OR (a.node_id = $2 AND b.node_id = $1))
                 ORDER BY j.proposed_at DESC LIMIT 1)
           SELECT $1::uuid AS "low!", $2::uuid AS "high!", coalesce(l.weight, 0) AS "weight!",
                  coalesce(l.low_mention, j.low_mention) AS "low_mention!",
                  coalesce(l.high_mention, j.high_mention) AS "high_mention!", j.judgement_id AS "judgement_id?"
             FROM (SELECT * FROM link WHERE low = $1 AND high = $2) AS l FULL JOIN judged j ON true"#,
        nodes.low(),
        nodes.high(),
    )
    .fetch_optional(connection)
    .await
}

/// The nodes of two mentions, when they are of two.
pub async fn nodes_of(
    connection: &mut PgConnection,
    mentions: [Uuid; 2],
) -> Result<Option<Pair<Uuid>>, sqlx::Error> {
    let row = query!(
        r#"SELECT a.node_id AS one, b.node_id AS other FROM mention a, mention b
            WHERE a.mention_id = $1 AND b.mention_id = $2"#,
        mentions[0],
        mentions[1],
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| Pair::new(row.one, row.other)))
}

/// The node that an id names: its own, or one of its mentions'.
pub async fn node_of(connection: &mut PgConnection, id: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    let row = query!(
        r#"SELECT node_id AS "node_id!" FROM (SELECT node_id FROM link_node WHERE node_id = $1
                                              UNION ALL
                                              SELECT node_id FROM mention WHERE mention_id = $1) AS named
            LIMIT 1"#,
        id,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| row.node_id))
}

/// Whether an office has a mention in one of two nodes.
pub async fn has_part(
    connection: &mut PgConnection,
    nodes: Pair<Uuid>,
    office_id: OfficeId,
) -> Result<bool, sqlx::Error> {
    let row = query!(
        r#"SELECT EXISTS (SELECT FROM mention WHERE node_id = $1 AND office_id = $3)
               OR EXISTS (SELECT FROM mention WHERE node_id = $2 AND office_id = $3) AS "has_part!""#,
        nodes.low(),
        nodes.high(),
        office_id.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok(row.has_part)
}

/// Whose cases the persons of two nodes are known from, all their nodes counted: what a merge would join.
pub async fn reach(connection: &mut PgConnection, nodes: Pair<Uuid>) -> Result<Reach, sqlx::Error> {
    let row = query!(
        r#"SELECT min(o.first) IS DISTINCT FROM max(o.last) AS "several!"
             FROM link_node k
             JOIN link_node n ON n.person_id = k.person_id
            CROSS JOIN LATERAL (
                  SELECT (SELECT min(m.office_id) FROM mention m WHERE m.node_id = n.node_id) AS first,
                         (SELECT max(m.office_id) FROM mention m WHERE m.node_id = n.node_id) AS last) AS o
            WHERE k.node_id IN ($1, $2)"#,
        nodes.low(),
        nodes.high(),
    )
    .fetch_one(connection)
    .await?;
    Ok(match row.several {
        true => Reach::AcrossOffices,
        false => Reach::WithinOneOffice,
    })
}

/// Whether two nodes are of one person now.
pub async fn are_one(
    connection: &mut PgConnection,
    nodes: Pair<Uuid>,
) -> Result<bool, sqlx::Error> {
    let row = query!(
        r#"SELECT count(DISTINCT person_id) = 1 AS "one!" FROM link_node WHERE node_id IN ($1, $2)"#,
        nodes.low(),
        nodes.high(),
    )
    .fetch_one(connection)
    .await?;
    Ok(row.one)
}

/// Mentions by id, with party and case.
pub async fn mentions(
    connection: &mut PgConnection,
    mention_ids: &[Uuid],
) -> Result<Vec<Shown>, sqlx::Error> {
    let rows = query_as!(
        Row,
        r#"SELECT m.mention_id, m.office_id, m.source_case_id, c.case_no, c.matter_type, c.state, c.accepted_on,
                  p.role, p.kind, p.name, p.sex, p.birth_date, p.id_kind, p.id_tail, p.address_district
             FROM mention m
             JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                         AND p.ordinal = m.ordinal
             JOIN case_record c ON c.office_id = m.office_id AND c.source_case_id = m.source_case_id
            WHERE m.mention_id = ANY($1)"#,
        mention_ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Mentions of a node as far as they may be told, the latest accepted first.
pub async fn of_node(
    connection: &mut PgConnection,
    node_id: Uuid,
    told_to: Option<OfficeId>,
    withheld: &[MatterType],
    most: i64,
) -> Result<Vec<Shown>, sqlx::Error> {
    let rows = query_as!(
        Row,
        r#"SELECT m.mention_id, m.office_id, m.source_case_id, c.case_no, c.matter_type, c.state, c.accepted_on,
                  p.role, p.kind, p.name, p.sex, p.birth_date, p.id_kind, p.id_tail, p.address_district
             FROM mention m
             JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                         AND p.ordinal = m.ordinal
             JOIN case_record c ON c.office_id = m.office_id AND c.source_case_id = m.source_case_id
            WHERE m.node_id = $1 AND ($2::text IS NULL OR m.office_id = $2 OR c.matter_type <> ALL ($3::text[]))
            ORDER BY c.accepted_on DESC NULLS LAST, m.mention_id
            LIMIT $4"#,
        node_id,
        told_to.as_ref().map(OfficeId::as_str),
        &codes(withheld) as &[&str],
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

struct Row {
    mention_id: Uuid,
    office_id: String,
    source_case_id: String,
    case_no: Option<String>,
    matter_type: String,
    state: String,
    accepted_on: Option<Date>,
    role: String,
    kind: String,
    name: String,
    sex: Option<String>,
    birth_date: Option<Date>,
    id_kind: Option<String>,
    id_tail: Option<String>,
    address_district: Option<String>,
}

impl Row {
    fn read(self) -> Result<Shown, sqlx::Error> {
        let district = self.address_district.as_deref().map(DistrictCode::parse);
        Ok(Shown {
            mention_id: self.mention_id,
            office_id: parse(&self.office_id)?,
            source_case_id: self.source_case_id,
            case_no: self.case_no,
            matter_type: parse(&self.matter_type)?,
            state: parse(&self.state)?,
            accepted_on: self.accepted_on,
            role: parse(&self.role)?,
            kind: parse(&self.kind)?,
            name: self.name,
            sex: self.sex.as_deref().map(parse).transpose()?,
            birth_date: self.birth_date,
            id_kind: self.id_kind.as_deref().map(parse).transpose()?,
            id_tail: self.id_tail,
            district: district.transpose().map_err(decode_error)?,
        })
    }
}

fn codes(matters: &[MatterType]) -> Vec<&'static str> {
    matters.iter().map(|matter| matter.code()).collect()
}
