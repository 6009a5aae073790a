//! `link_judgement`: what people decided about two mentions.

use linkage::cluster::{Judgement, Pair};
use sqlx::{PgConnection, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::review::judgement::JudgementState;
use crate::store::decode::parse;

/// Judgements shown of one pair.
const MOST: i64 = 50;

/// A judgement with its whole life.
#[derive(Clone, Debug)]
pub struct Judged {
    pub judgement_id: Uuid,
    /// The two mentions.
    pub mentions: [Uuid; 2],
    pub judgement: Judgement,
    pub state: JudgementState,
    pub reason: String,
    pub proposed_by: Uuid,
    pub proposed_at: OffsetDateTime,
    /// The second pair of eyes: who confirmed or declined.
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<OffsetDateTime>,
    pub withdrawn_by: Option<Uuid>,
    pub withdrawn_at: Option<OffsetDateTime>,
    pub closing_reason: Option<String>,
}

/// A judgement about to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewJudgement<'a> {
    pub judgement_id: Uuid,
    pub mentions: Pair<Uuid>,
    pub judgement: Judgement,
    pub state: JudgementState,
    pub reason: &'a str,
    pub proposed_by: Uuid,
}

/// Judgements by id.
pub async fn load(
    connection: &mut PgConnection,
    judgement_ids: &[Uuid],
) -> Result<Vec<Judged>, sqlx::Error> {
    let rows = query!(
        r#"SELECT judgement_id, low, high, judgement, state, reason, proposed_by, proposed_at, decided_by, decided_at,
                  withdrawn_by, withdrawn_at, closing_reason
             FROM link_judgement WHERE judgement_id = ANY($1)
            ORDER BY proposed_at DESC, judgement_id DESC"#,
        judgement_ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Judged {
                judgement_id: row.judgement_id,
                mentions: [row.low, row.high],
                judgement: parse(&row.judgement)?,
                state: parse(&row.state)?,
                reason: row.reason,
                proposed_by: row.proposed_by,
                proposed_at: row.proposed_at,
                decided_by: row.decided_by,
                decided_at: row.decided_at,
                withdrawn_by: row.withdrawn_by,
                withdrawn_at: row.withdrawn_at,
                closing_reason: row.closing_reason,
            })
        })
        .collect()
}

/// Everything that was judged between two nodes, the newest first.
pub async fn between(
    connection: &mut PgConnection,
    nodes: Pair<Uuid>,
) -> Result<Vec<Judged>, sqlx::Error> {
    let ids = query_scalar!(
        r#"SELECT j.judgement_id
             FROM link_judgement j
             JOIN mention a ON a.mention_id = j.low
             JOIN mention b ON b.mention_id = j.high
            WHERE (a.node_id = $1 AND b.node_id = $2) OR (a.node_id = $2 AND b.node_id = $1)
            ORDER BY j.proposed_at DESC, j.judgement_id DESC LIMIT $3"#,
        nodes.low(),
        nodes.high(),
        MOST,
    )
    .fetch_all(&mut *connection)
    .await?;
    load(connection, &ids).await
}

pub async fn insert(
    connection: &mut PgConnection,
    judgement: &NewJudgement<'_>,
) -> Result<(), sqlx::Error> {
    query!(
        r#"INSERT INTO link_judgement (judgement_id, low, high, judgement, state, reason, proposed_by, proposed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())"#,
        judgement.judgement_id,
        judgement.mentions.low(),
        judgement.mentions.high(),
        judgement.judgement.code(),
        judgement.state.code(),
        judgement.reason,
        judgement.proposed_by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes that somebody else confirmed or declined.
pub async fn decided(
    connection: &mut PgConnection,
    judgement_id: Uuid,
    state: JudgementState,
    by: Uuid,
    closing_reason: Option<&str>,
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE link_judgement
              SET state = $2, decided_by = $3, decided_at = clock_timestamp(), closing_reason = $4
            WHERE judgement_id = $1"#,
        judgement_id,
        state.code(),
        by,
        closing_reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes that a judgement was taken back.
pub async fn withdrawn(
    connection: &mut PgConnection,
    judgement_id: Uuid,
    by: Uuid,
    closing_reason: &str,
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE link_judgement
              SET state = 'withdrawn', withdrawn_by = $2, withdrawn_at = clock_timestamp(), closing_reason = $3
            WHERE judgement_id = $1"#,
        judgement_id,
        by,
        closing_reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}
