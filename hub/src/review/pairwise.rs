//! Two nodes compared pair by pair, for an operator who asks why linkage did what it did. Masked like every review.

use linkage::block::BlockingRule;
use linkage::cluster::Judgement;
use linkage::node::{MentionId, Node, NodeId};
use linkage::score::Decision;
use linkage::weights::Weights;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::person::id;
use super::{ReviewError, explain, mask};
use crate::linking::model::Model;
use crate::store::linking::{block, compared, judgement, node};
use crate::store::review::person::{self as store, Shown};

/// Why two nodes are one person, or are not.
#[derive(Clone, Debug, Serialize)]
pub struct Pairwise {
    /// Whether both are one node: equal verified numbers.
    pub one_node: bool,
    /// Whether they are one person now.
    pub one_person: bool,
    /// Of the weights; none where they are those that come with the program.
    pub version: Option<String>,
    /// What they are compared under.
    pub keys: Vec<SharedKey>,
    /// Decisions of people between the two.
    pub judgements: Vec<&'static str>,
    /// Their mentions, the pairs that weigh most first.
    pub pairs: Vec<Explained>,
}

/// A blocking key that both have.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SharedKey {
    pub rule: &'static str,
    pub rule_zh: &'static str,
    /// Left out because too many nodes have it.
    pub overfull: bool,
}

/// Two mentions and what speaks for and against their being one person.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    pub sides: [Mentioned; 2],
    pub decision: &'static str,
    /// In bits.
    pub weight: f64,
    pub chinese: String,
    pub english: String,
}

/// A mention as it may be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Mentioned {
    pub office_id: String,
    pub source_case_id: String,
    pub name: String,
}

/// Compares the nodes that these ids name: a node's own, or a mention's of it.
pub async fn pairwise(
    connection: &mut PgConnection,
    ids: [Uuid; 2],
    most: usize,
) -> Result<Pairwise, ReviewError> {
    let mut nodes = [NodeId::from([0; 16]); 2];
    for (node, id) in nodes.iter_mut().zip(ids) {
        let found = store::node_of(&mut *connection, id).await?;
        *node = NodeId::from(found.ok_or(ReviewError::NotFound)?.into_bytes());
    }
    let model = Model::in_force(&mut *connection)
        .await
        .map_err(ReviewError::Linking)?;
    let known = compared::nodes(&mut *connection, &nodes, &model).await?;
    let stored = node::stored(&mut *connection, &nodes).await?;
    let person = |node: &NodeId| stored.get(node).map(|stored| stored.person_id);
    let [one, other] = nodes;
    let (a, b) = known
        .get(&one)
        .zip(known.get(&other))
        .ok_or(ReviewError::NotFound)?;
    let mut scored = scored(a, b, model.weights());
    scored.truncate(most);
    Ok(Pairwise {
        one_node: one == other,
        one_person: person(&one) == person(&other),
        version: model.version().map(str::to_owned),
        keys: shared_keys(&mut *connection, a, b).await?,
        judgements: judgements(&mut *connection, nodes).await?,
        pairs: explained(connection, &scored, a, b, &model).await?,
    })
}

/// Places of representatives, the pairs that weigh most first.
fn scored(a: &Node, b: &Node, weights: &Weights) -> Vec<(usize, usize)> {
    let mut scored = Vec::new();
    for (at, (id, one)) in a.representatives().iter().enumerate() {
        for (to, (with, other)) in b.representatives().iter().enumerate() {
            // Within one node each pair comes once.
            if a.id() != b.id() || id < with {
                scored.push((std::cmp::Reverse(weights.score(one, other).weight), at, to));
            }
        }
    }
    scored.sort_unstable();
    scored.into_iter().map(|(_, at, to)| (at, to)).collect()
}

async fn shared_keys(
    connection: &mut PgConnection,
    a: &Node,
    b: &Node,
) -> Result<Vec<SharedKey>, ReviewError> {
    let theirs = b.keys();
    let shared: Vec<_> = a
        .keys()
        .into_iter()
        .filter(|key| theirs.contains(key))
        .collect();
    let numbers: Vec<i64> = shared.iter().map(|key| key.to_number()).collect();
    let overfull = block::listed(connection, &numbers).await?;
    let keys = shared.iter().map(|key| {
        let rule: BlockingRule = key.rule();
        SharedKey {
            rule: rule.code(),
            rule_zh: rule.label_zh(),
            overfull: overfull.contains(&key.to_number()),
        }
    });
    Ok(keys.collect())
}

async fn judgements(
    connection: &mut PgConnection,
    nodes: [NodeId; 2],
) -> Result<Vec<&'static str>, ReviewError> {
    let [one, other] = nodes;
    let in_force = judgement::of_nodes(connection, &nodes).await?;
    let between = in_force
        .into_iter()
        .filter(|decided| decided.nodes == (one, other) || decided.nodes == (other, one));
    Ok(between
        .map(|decided| Judgement::code(decided.judgement))
        .collect())
}

async fn explained(
    connection: &mut PgConnection,
    pairs: &[(usize, usize)],
    a: &Node,
    b: &Node,
    model: &Model,
) -> Result<Vec<Explained>, ReviewError> {
    let uuid = |id: &MentionId| Uuid::from_bytes(*id.as_bytes());
    let ids: Vec<Uuid> = [a, b]
        .into_iter()
        .flat_map(Node::representatives)
        .map(|(mention_id, _)| uuid(mention_id))
        .collect();
    let shown = store::mentions(connection, &ids).await?;
    let side = |mention: &MentionId| shown.iter().find(|shown| id(shown.mention_id) == *mention);
    let pairs = pairs.iter().filter_map(|&(at, to)| {
        let ((one_id, one), (other_id, other)) =
            (&a.representatives()[at], &b.representatives()[to]);
        let score = model.weights().score(one, other);
        let explanation = explain(model.weights(), one, other);
        Some(Explained {
            sides: [mentioned(side(one_id)?), mentioned(side(other_id)?)],
            decision: Decision::code(score.decision),
            weight: f64::from(score.weight.millibits()) / 1_000.0,
            chinese: explanation.to_chinese(),
            english: explanation.to_english(),
        })
    });
    Ok(pairs.collect())
}

fn mentioned(shown: &Shown) -> Mentioned {
    Mentioned {
        office_id: shown.office_id.to_string(),
        source_case_id: shown.source_case_id.clone(),
        name: mask(shown.kind, &shown.name),
    }
}
