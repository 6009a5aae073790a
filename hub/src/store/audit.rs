//! `audit_entry`: the append-only log, and `audit_chain`: where the chain ended that it was before.

use linkage::office::OfficeId;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{
    PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder, Row, query, query_as, query_scalar,
};
use time::OffsetDateTime;

use super::decode::decode_error;
use crate::audit::chain::Chain;
use crate::audit::merkle::{Edge, Hash, Node, Nodes, peaks};
use crate::audit::{Action, Actor, Outcome, Recorded};

/// Advisory lock of whoever appends, apart from every other lock of the hub.
const APPEND_LOCK: i64 = 0x6175_6469_7400; // "audit"

/// Entries pruned by one statement.
const PRUNED_AT_ONCE: i64 = 10_000;

/// Where the chain of before ended.
pub async fn chain(executor: impl PgExecutor<'_>) -> Result<Chain, sqlx::Error> {
    let row = query!("SELECT entries, head FROM audit_chain")
        .fetch_one(executor)
        .await?;
    Ok(Chain {
        entries: row.entries,
        head: row.head.as_slice().try_into().map_err(decode_error)?,
    })
}

/// Holds the log for the rest of the transaction and returns its edge.
pub async fn lock_edge(connection: &mut PgConnection, chain: &Chain) -> Result<Edge, sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock($1)", APPEND_LOCK)
        .fetch_one(&mut *connection)
        .await?;
    // A statement of its own: it sees what was committed while the lock was waited for.
    edge(connection, chain).await
}

/// The edge of the tree as it is now.
pub async fn edge(executor: impl PgExecutor<'_>, chain: &Chain) -> Result<Edge, sqlx::Error> {
    // A peak of level l ends with the entry whose number, counted in the tree, is the size without its l lowest bits.
    let rows = query!(
        r#"WITH log AS (SELECT greatest(coalesce(max(entry_no), 0) - $1, 0) AS size FROM audit_entry)
           SELECT log.size AS "size!", e.tree
             FROM log LEFT JOIN LATERAL generate_series(0, 62) AS l(level) ON (log.size >> l.level) & 1 = 1
                      LEFT JOIN audit_entry e ON e.entry_no = $1 + ((log.size >> l.level) << l.level)
            ORDER BY l.level DESC"#,
        chain.entries,
    )
    .fetch_all(executor)
    .await?;
    let size = rows.first().map_or(0, |row| row.size.cast_unsigned());
    let nodes: Nodes = peaks(size)
        .zip(rows)
        .filter_map(|(peak, row)| Some((peak, subtree(row.tree.as_deref()?, peak)?)))
        .collect();
    Edge::of(size, &nodes).ok_or_else(|| decode_error(HashMissing))
}

/// The edge of the tree as it was at a size; none when an entry that holds a part of it is not there.
pub async fn edge_at(
    executor: impl PgExecutor<'_>,
    chain: &Chain,
    size: u64,
) -> Result<Option<Edge>, sqlx::Error> {
    let nodes = nodes(executor, chain, peaks(size)).await?;
    Ok(Edge::of(size, &nodes))
}

/// Hashes of perfect subtrees. What the log does not have is left out.
pub async fn nodes(
    executor: impl PgExecutor<'_>,
    chain: &Chain,
    wanted: impl IntoIterator<Item = Node>,
) -> Result<Nodes, sqlx::Error> {
    let wanted: Vec<(i64, Node)> = wanted
        .into_iter()
        .map(|node| (entry_of(chain, node.last_leaf()), node))
        .collect();
    let numbers: Vec<i64> = wanted.iter().map(|(entry_no, _)| *entry_no).collect();
    let rows = query!(
        r#"SELECT entry_no, tree AS "tree!" FROM audit_entry WHERE entry_no = ANY($1) AND tree IS NOT NULL"#,
        &numbers,
    )
    .fetch_all(executor)
    .await?;
    let trees: std::collections::HashMap<i64, Vec<u8>> = rows
        .into_iter()
        .map(|row| (row.entry_no, row.tree))
        .collect();
    let hash = |(entry_no, node): (i64, Node)| Some((node, subtree(trees.get(&entry_no)?, node)?));
    Ok(wanted.into_iter().filter_map(hash).collect())
}

/// Number of the entry that is leaf `leaf` of the tree.
pub fn entry_of(chain: &Chain, leaf: u64) -> i64 {
    chain
        .entries
        .saturating_add_unsigned(leaf)
        .saturating_add(1)
}

fn subtree(tree: &[u8], node: Node) -> Option<Hash> {
    tree.chunks_exact(32)
        .nth(node.level as usize)?
        .first_chunk()
        .copied()
}

#[derive(Debug, thiserror::Error)]
#[error("an entry lacks the hashes of its subtrees")]
struct HashMissing;

/// Appends entries that follow each other, all or none.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    entries: &[Recorded],
) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Recorded) -> &str| entries.iter().map(of).collect::<Vec<&str>>();
    let optional =
        |of: fn(&Recorded) -> Option<&str>| entries.iter().map(of).collect::<Vec<Option<&str>>>();
    let bytes =
        |of: fn(&Recorded) -> Option<&[u8]>| entries.iter().map(of).collect::<Vec<Option<&[u8]>>>();
    let numbers: Vec<i64> = entries.iter().map(|e| e.entry_no).collect();
    let times: Vec<OffsetDateTime> = entries.iter().map(|e| e.recorded_at).collect();
    let details: Vec<Json<&Value>> = entries.iter().map(|e| Json(&e.detail)).collect();
    query!(
        r#"WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($1))
           INSERT INTO audit_entry (entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference,
                                    detail, salt, tree)
           SELECT e.* FROM held CROSS JOIN unnest(
               $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
               $10::jsonb[], $11::bytea[], $12::bytea[]) AS e"#,
        APPEND_LOCK,
        &numbers,
        &times,
        &column(|e| &e.actor) as &[&str],
        &optional(|e| e.office_id.as_deref()) as &[Option<&str>],
        &column(|e| &e.action) as &[&str],
        &column(|e| &e.outcome) as &[&str],
        &optional(|e| e.purpose.as_deref()) as &[Option<&str>],
        &optional(|e| e.case_reference.as_deref()) as &[Option<&str>],
        &details as &[Json<&Value>],
        &bytes(|e| e.salt.as_deref()) as &[Option<&[u8]>],
        &bytes(|e| e.tree.as_deref()) as &[Option<&[u8]>],
    )
    .execute(executor)
    .await?;
    Ok(())
}

/// Whether an append failed because another hub has appended meanwhile.
pub fn is_number_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}

/// Entries behind number `entry_no`, in order.
pub async fn after(pool: &PgPool, entry_no: i64, most: i64) -> Result<Vec<Recorded>, sqlx::Error> {
    query_as!(
        Recorded,
        r#"SELECT entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference, detail, salt, tree,
                  chain_hash, pruned
             FROM audit_entry WHERE entry_no > $1 ORDER BY entry_no LIMIT $2"#,
        entry_no,
        most,
    )
    .fetch_all(pool)
    .await
}

/// Entries behind number `entry_no` up to number `through`, in order.
pub async fn between(
    executor: impl PgExecutor<'_>,
    entry_no: i64,
    through: i64,
    most: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    query_as!(
        Recorded,
        r#"SELECT entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference, detail, salt, tree,
                  chain_hash, pruned
             FROM audit_entry WHERE entry_no > $1 AND entry_no <= $2 ORDER BY entry_no LIMIT $3"#,
        entry_no,
        through,
        most,
    )
    .fetch_all(executor)
    .await
}

/// Number of the last entry; 0 when there is none.
pub async fn last(executor: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    query_scalar!(r#"SELECT coalesce(max(entry_no), 0) AS "last!" FROM audit_entry"#)
        .fetch_one(executor)
        .await
}

/// Which entries are asked for; what is absent narrows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    pub actor: Option<Actor>,
    pub office: Option<OfficeId>,
    pub action: Option<Action>,
    pub outcome: Option<Outcome>,
    /// The reference that was given with a look-up, or the key of the case that was read.
    pub case: Option<&'a str>,
}

/// Entries before number `entry_no` and behind number `after`, the newest first.
pub async fn before(
    executor: impl PgExecutor<'_>,
    wanted: Wanted<'_>,
    entry_no: i64,
    after: i64,
    most: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let mut sql = QueryBuilder::new(
        "SELECT entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference, detail, salt, tree,
                chain_hash, pruned
           FROM audit_entry WHERE entry_no < ",
    );
    sql.push_bind(entry_no);
    sql.push(" AND entry_no > ").push_bind(after);
    narrow(&mut sql, wanted);
    sql.push(" ORDER BY entry_no DESC LIMIT ");
    sql.push_bind(most);
    // Planned for what is asked: which index serves depends on it.
    let rows = sql.build().persistent(false).fetch_all(executor).await?;
    rows.iter().map(recorded).collect()
}

/// Adds only the conditions there are, so that each is served by its index.
fn narrow(sql: &mut QueryBuilder<Postgres>, wanted: Wanted<'_>) {
    let equal = [
        ("actor", wanted.actor.map(|actor| actor.code())),
        ("office_id", wanted.office.map(|office| office.to_string())),
        ("action", wanted.action.map(|action| action.code().into())),
        (
            "outcome",
            wanted.outcome.map(|outcome| outcome.code().into()),
        ),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            sql.push(format!(" AND {column} = ")).push_bind(value);
        }
    }
    if let Some(case) = wanted.case {
        sql.push(" AND (case_reference = ")
            .push_bind(case.to_owned());
        sql.push(" OR detail ->> 'case' = ")
            .push_bind(case.to_owned());
        sql.push(")");
    }
}

fn recorded(row: &PgRow) -> Result<Recorded, sqlx::Error> {
    Ok(Recorded {
        entry_no: row.try_get("entry_no")?,
        recorded_at: row.try_get("recorded_at")?,
        actor: row.try_get("actor")?,
        office_id: row.try_get("office_id")?,
        action: row.try_get("action")?,
        outcome: row.try_get("outcome")?,
        purpose: row.try_get("purpose")?,
        case_reference: row.try_get("case_reference")?,
        detail: row.try_get("detail")?,
        salt: row.try_get("salt")?,
        tree: row.try_get("tree")?,
        chain_hash: row.try_get("chain_hash")?,
        pruned: row.try_get("pruned")?,
    })
}

/// Number of the last entry recorded before a moment; 0 when there is none.
pub async fn last_before(
    executor: impl PgExecutor<'_>,
    moment: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    // Numbers follow time but for the clocks of several hubs; whatever stands behind a younger entry stays.
    query_scalar!(
        r#"SELECT coalesce((SELECT entry_no - 1 FROM audit_entry WHERE recorded_at >= $1 ORDER BY entry_no LIMIT 1),
                           (SELECT max(entry_no) FROM audit_entry), 0) AS "last!""#,
        moment,
    )
    .fetch_one(executor)
    .await
}

/// Takes what was recorded from the entries up to number `through`, and leaves their hashes. Returns how many it took.
pub async fn prune(pool: &PgPool, through: i64) -> Result<u64, sqlx::Error> {
    let mut pruned = 0;
    let mut first = 0;
    while first <= through {
        let last = through.min(first + PRUNED_AT_ONCE - 1);
        let done = query!(
            "UPDATE audit_entry
                SET actor = '', office_id = NULL, action = '', outcome = '', purpose = NULL, case_reference = NULL,
                    detail = '{}', salt = NULL, pruned = true
              WHERE entry_no BETWEEN $1 AND $2 AND NOT pruned",
            first,
            last,
        )
        .execute(pool)
        .await?;
        pruned += done.rows_affected();
        first = last + 1;
    }
    Ok(pruned)
}
