//! Everything that linkage holds, replaced in one transaction: what shall stand is copied beside what stands, and the
//! differences are applied. Readers see what stood until it commits, and nothing of it if it does not.

use linkage::compare::VerifiedNumber;
use linkage::node::{MentionId, NodeId};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::link::Link;
use super::node::Placed;
use super::work::MOST_CASES;
use crate::store::copy::Rows;

/// What is copied, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Mention,
    Node,
    Block,
    Link,
}

impl Table {
    /// How it is copied.
    pub const fn statement(self) -> &'static str {
        match self {
            Self::Mention => "COPY relink_mention FROM STDIN (FORMAT BINARY)",
            Self::Node => "COPY relink_node FROM STDIN (FORMAT BINARY)",
            Self::Block => "COPY relink_block FROM STDIN (FORMAT BINARY)",
            Self::Link => "COPY relink_link FROM STDIN (FORMAT BINARY)",
        }
    }
}

/// A mention as it shall stand.
#[derive(Debug)]
pub struct MentionRow<'a> {
    pub mention_id: MentionId,
    pub office_id: OfficeId,
    pub source_case_id: &'a str,
    pub ordinal: i16,
    pub node_id: NodeId,
    pub content: i64,
    pub judged: bool,
}

/// A node as it shall stand.
#[derive(Debug)]
pub struct NodeRow {
    pub number: Option<VerifiedNumber>,
    pub contested: bool,
    pub placed: Placed,
}

impl Rows {
    pub(crate) fn mention(&mut self, row: &MentionRow<'_>) {
        self.row(7);
        self.put(row.mention_id.as_bytes());
        self.put(row.office_id.as_str());
        self.put(row.source_case_id);
        self.put(row.ordinal);
        self.put(row.node_id.as_bytes());
        self.put(row.content);
        self.put(row.judged);
    }

    pub(crate) fn node(&mut self, row: &NodeRow) {
        self.row(6);
        self.put(row.placed.node_id.as_bytes());
        let number = row.number.as_ref();
        self.put(number.map(|number| number.kind.code()));
        self.put(number.map(|number| number.token.as_bytes()));
        self.put(row.contested);
        self.put(row.placed.oversize);
        self.put(row.placed.person_id.as_bytes());
    }

    pub(crate) fn block(&mut self, key: i64, node: NodeId) {
        self.row(2);
        self.put(key);
        self.put(node.as_bytes());
    }

    pub(crate) fn link(&mut self, link: &Link) {
        self.row(6);
        self.put(link.pair.low().as_bytes());
        self.put(link.pair.high().as_bytes());
        self.put(link.weight.millibits());
        self.put(link.decision.code());
        self.put(link.mentions.0.as_bytes());
        self.put(link.mentions.1.as_bytes());
    }
}

/// Lets the transaction take its time, and empties what is copied into.
pub async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for setting in [
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        // Differences of millions of rows are found by hashing both sides.
        "SET LOCAL work_mem = '256MB'",
    ] {
        sqlx::query(setting).execute(&mut *connection).await?;
    }
    empty(connection).await
}

async fn empty(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("TRUNCATE relink_mention, relink_node, relink_block, relink_link")
        .execute(connection)
        .await?;
    Ok(())
}

/// What putting it in place changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    pub mentions: u64,
    pub nodes: u64,
    pub blocks: u64,
    pub links: u64,
}

/// Puts what was copied in place of what stands, and puts the cases down whose mentions are another person's now: for
/// whatever follows from persons. Names stay where nothing differs.
pub async fn replace(
    connection: &mut PgConnection,
    overfull: &[i64],
) -> Result<Replaced, sqlx::Error> {
    query!("ANALYZE relink_mention, relink_node, relink_block, relink_link")
        .execute(&mut *connection)
        .await?;
    add_moved(connection).await?;
    let replaced = Replaced {
        nodes: nodes(connection).await?,
        mentions: mentions(connection).await?,
        blocks: blocks(connection).await?,
        links: links(connection).await?,
    };
    query!("DELETE FROM link_overfull WHERE key <> ALL ($1)", overfull)
        .execute(&mut *connection)
        .await?;
    super::block::list(connection, overfull).await?;
    empty(connection).await?;
    Ok(replaced)
}

/// Cases that wait already are not put down twice.
async fn add_moved(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!(
        r#"INSERT INTO link_work (work_id, office_id, source_case_ids, enqueued_at)
           SELECT gen_random_uuid(), office_id, array_agg(source_case_id), clock_timestamp()
             FROM (SELECT office_id, source_case_id,
                          (row_number() OVER (PARTITION BY office_id ORDER BY source_case_id) - 1) / $1 AS part
                     FROM (SELECT n.office_id, n.source_case_id
                             FROM relink_mention n
                             JOIN relink_node k ON k.node_id = n.node_id
                             LEFT JOIN mention m ON m.mention_id = n.mention_id
                             LEFT JOIN link_node o ON o.node_id = m.node_id
                            WHERE o.person_id IS DISTINCT FROM k.person_id
                           EXCEPT
                           SELECT office_id, unnest(source_case_ids) FROM link_work WHERE office_id IS NOT NULL)
                          AS moved) AS parts
            GROUP BY office_id, part"#,
        MOST_CASES as i64,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A node's revision changes where its mentions did, so that whoever scored it meanwhile writes nothing.
async fn nodes(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let merged = query!(
        r#"WITH revised AS (
               SELECT n.node_id FROM relink_mention n LEFT JOIN mention m ON m.mention_id = n.mention_id
                WHERE (m.node_id, m.content) IS DISTINCT FROM (n.node_id, n.content)
                UNION
               SELECT m.node_id FROM mention m LEFT JOIN relink_mention n ON n.mention_id = m.mention_id
                WHERE m.node_id IS DISTINCT FROM n.node_id)
           MERGE INTO link_node o
           USING (SELECT n.*, r.node_id IS NOT NULL AS is_revised
                    FROM relink_node n LEFT JOIN revised r ON r.node_id = n.node_id) AS n
              ON o.node_id = n.node_id
            WHEN MATCHED AND (n.is_revised OR (o.number_kind, o.number, o.contested, o.oversize, o.person_id)
                 IS DISTINCT FROM (n.number_kind, n.number, n.contested, n.oversize, n.person_id))
                 THEN UPDATE SET number_kind = n.number_kind, number = n.number, contested = n.contested,
                                 oversize = n.oversize, person_id = n.person_id,
                                 revision = CASE WHEN n.is_revised THEN $1 ELSE o.revision END
            WHEN NOT MATCHED THEN
                 INSERT (node_id, number_kind, number, contested, oversize, revision, person_id)
                 VALUES (n.node_id, n.number_kind, n.number, n.contested, n.oversize, $1, n.person_id)"#,
        Uuid::new_v4(),
    )
    .execute(&mut *connection)
    .await?;
    let gone = query!(
        "DELETE FROM link_node o WHERE NOT EXISTS (SELECT FROM relink_node n WHERE n.node_id = o.node_id)"
    )
    .execute(connection)
    .await?;
    Ok(merged.rows_affected() + gone.rows_affected())
}

async fn mentions(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let gone = query!(
        "DELETE FROM mention m
          WHERE NOT EXISTS (SELECT FROM relink_mention n WHERE n.mention_id = m.mention_id)"
    )
    .execute(&mut *connection)
    .await?;
    let merged = query!(
        "MERGE INTO mention m USING relink_mention n ON m.mention_id = n.mention_id
          WHEN MATCHED AND (m.node_id, m.content, m.judged) IS DISTINCT FROM (n.node_id, n.content, n.judged)
               THEN UPDATE SET node_id = n.node_id, content = n.content, judged = n.judged
          WHEN NOT MATCHED THEN
               INSERT (mention_id, office_id, source_case_id, ordinal, node_id, content, judged)
               VALUES (n.mention_id, n.office_id, n.source_case_id, n.ordinal, n.node_id, n.content, n.judged)"
    )
    .execute(connection)
    .await?;
    Ok(merged.rows_affected() + gone.rows_affected())
}

async fn blocks(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let gone = query!(
        "DELETE FROM link_block b
          WHERE NOT EXISTS (SELECT FROM relink_block n WHERE n.key = b.key AND n.node_id = b.node_id)"
    )
    .execute(&mut *connection)
    .await?;
    let new = query!(
        "INSERT INTO link_block (key, node_id)
         SELECT n.key, n.node_id FROM relink_block n
          WHERE NOT EXISTS (SELECT FROM link_block b WHERE b.key = n.key AND b.node_id = n.node_id)
          ORDER BY n.key, n.node_id"
    )
    .execute(connection)
    .await?;
    Ok(new.rows_affected() + gone.rows_affected())
}

async fn links(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let gone = query!(
        "DELETE FROM link l
          WHERE NOT EXISTS (SELECT FROM relink_link n WHERE n.low = l.low AND n.high = l.high)"
    )
    .execute(&mut *connection)
    .await?;
    let merged = query!(
        "MERGE INTO link l USING relink_link n ON l.low = n.low AND l.high = n.high
          WHEN MATCHED AND (l.weight, l.decision, l.low_mention, l.high_mention)
               IS DISTINCT FROM (n.weight, n.decision, n.low_mention, n.high_mention)
               THEN UPDATE SET weight = n.weight, decision = n.decision,
                               low_mention = n.low_mention, high_mention = n.high_mention
          WHEN NOT MATCHED THEN
               INSERT (low, high, weight, decision, low_mention, high_mention)
               VALUES (n.low, n.high, n.weight, n.decision, n.low_mention, n.high_mention)"
    )
    .execute(connection)
    .await?;
    Ok(merged.rows_affected() + gone.rows_affected())
}
