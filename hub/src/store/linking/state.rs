//! Figures about linkage as a whole.

use serde::Serialize;
use sqlx::{PgConnection, query_as, query_scalar};

/// What there is of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub mentions: i64,
    pub nodes: i64,
    pub persons: i64,
    /// Links that join.
    pub same: i64,
    /// Pairs that are for people to decide.
    pub possible: i64,
    /// Decisions in force.
    pub decisions: i64,
    /// Blocking keys left out because too many nodes have them.
    pub overfull_keys: i64,
    /// Nodes of components too large to be clustered by their links.
    pub oversize_nodes: i64,
    pub contested_numbers: i64,
}

/// Counts everything.
pub async fn counts(connection: &mut PgConnection) -> Result<Counts, sqlx::Error> {
    query_as!(
        Counts,
        r#"SELECT (SELECT count(*) FROM mention) AS "mentions!",
                  n.nodes AS "nodes!", n.persons AS "persons!", l.same AS "same!", l.possible AS "possible!",
                  (SELECT count(*) FROM link_judgement WHERE state = 'in_force') AS "decisions!",
                  (SELECT count(*) FROM link_overfull) AS "overfull_keys!",
                  n.oversize AS "oversize_nodes!", n.contested AS "contested_numbers!"
             FROM (SELECT count(*) AS nodes, count(*) FILTER (WHERE node_id = person_id) AS persons,
                          count(*) FILTER (WHERE oversize) AS oversize,
                          count(DISTINCT (number_kind, number)) FILTER (WHERE contested) AS contested
                     FROM link_node) AS n,
                  (SELECT count(*) FILTER (WHERE decision = 'same') AS same,
                          count(*) FILTER (WHERE decision = 'possible') AS possible
                     FROM link) AS l"#
    )
    .fetch_one(connection)
    .await
}

/// Version of the weights under which everything was linked last.
pub async fn linked_under(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let version = query_scalar!(
        r#"SELECT result ->> 'version' AS version FROM job
            WHERE kind = 'relink' AND outcome = 'done' ORDER BY started_at DESC LIMIT 1"#
    )
    .fetch_optional(connection)
    .await?;
    Ok(version.flatten())
}
