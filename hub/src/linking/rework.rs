//! What people decide about two mentions, brought into force in the transaction that writes it down.

use std::collections::BTreeSet;

use linkage::cluster::Judgement;
use linkage::node::{MentionId, NodeId};
use sqlx::PgConnection;

use super::compare::Compared;
use super::conclude::{conclude, follow};
use super::contest::MOST_MENTIONS;
use super::model::Models;
use super::{LinkingError, Touched};
use crate::rules::Rules;
use crate::store::linking::{self as store, judgement, mention};

/// Clusters anew whatever decisions about these mentions touch, after rows of `link_judgement` that name them came in
/// force or went out of it in the same transaction. Both mentions of each decision are to be named. Everything is
/// then as if the decisions in force had been there from the beginning, and those withdrawn never.
///
/// Holds the lock on clusters until the transaction ends.
///
/// # Errors
/// [`LinkingError::TooManyMentions`] when a decision parts mentions of one number that more than
/// 200 have: the caller rolls back.
/// [`LinkingError::Relinking`] while all persons are being linked anew.
pub async fn rework(
    connection: &mut PgConnection,
    models: &Models,
    rules: &Rules,
    mentions: &[MentionId],
) -> Result<Touched, LinkingError> {
    if !store::enter(&mut *connection).await? {
        return Err(LinkingError::Relinking);
    }
    store::lock_clusters(&mut *connection).await?;
    judgement::mark(&mut *connection, mentions).await?;
    judgement::keep_who(&mut *connection, mentions).await?;
    let nodes: BTreeSet<NodeId> = mention::nodes_of(&mut *connection, mentions)
        .await?
        .into_iter()
        .collect();
    refuse_too_many(&mut *connection, &nodes).await?;
    let model = models.in_force(&mut *connection).await?;
    let nothing_scored = Compared::of_nothing(nodes, &model);
    let conclusion = conclude(&mut *connection, &nothing_scored, &model).await?;
    follow(connection, rules, &conclusion.touched.cases).await?;
    Ok(conclusion.touched)
}

async fn refuse_too_many(
    connection: &mut PgConnection,
    nodes: &BTreeSet<NodeId>,
) -> Result<(), LinkingError> {
    let list: Vec<NodeId> = nodes.iter().copied().collect();
    for decided in judgement::of_nodes(connection, &list).await? {
        let (one, other) = decided.nodes;
        if one == other
            && decided.judgement == Judgement::NotSame
            && mention::of_node(connection, one, MOST_MENTIONS + 1)
                .await?
                .len()
                > MOST_MENTIONS
        {
            return Err(LinkingError::TooManyMentions);
        }
    }
    Ok(())
}
