//! Nodes: what linkage compares and clusters in a hub that holds millions of mentions.
//!
//! A node is all mentions that have one verified number, or one mention that has none. Equal numbers are one person
//! whatever else differs, so nothing is lost by putting them together first, and no work grows with how often a bank
//! or an agent is named. A node is known by its representatives, [`MOST_REPRESENTATIVES`] of its mentions chosen by
//! their ids alone: the same data gives the same nodes, keys and links in whatever order it came.
//!
//! A person is a cluster of nodes: [`crate::cluster::resolve`] takes nodes as it takes mentions.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{
    block::{self, BlockingKey, BlockingRule},
    compare::{Mention, VerifiedNumber},
    office::OfficeId,
    score::{Decision, Rule},
    weights::{MatchWeight, Weights},
};

/// Most mentions by which a node is known.
pub const MOST_REPRESENTATIVES: usize = 16;

/// Names a mention for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MentionId([u8; 16]);

/// Names a node for ever. A person is named by the least of its nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 16]);

impl MentionId {
    /// The mention at this place in the list of a case's parties.
    #[must_use]
    pub fn new(office_id: OfficeId, source_case_id: &str, ordinal: u16) -> Self {
        Self(digest(&[
            b"mention",
            office_id.as_str().as_bytes(),
            source_case_id.as_bytes(),
            &ordinal.to_be_bytes(),
        ]))
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl NodeId {
    /// The node of all mentions with the number.
    #[must_use]
    pub fn of_number(number: &VerifiedNumber) -> Self {
        Self(digest(&[
            b"number",
            number.kind.code().as_bytes(),
            number.token.as_bytes(),
        ]))
    }

    /// The node of one mention: it has no verified number, or people hold that its number is not one person's.
    #[must_use]
    pub const fn of_mention(mention: MentionId) -> Self {
        Self(mention.0)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for MentionId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl From<[u8; 16]> for NodeId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for MentionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MentionId({:032x})", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({:032x})", u128::from_be_bytes(self.0))
    }
}

/// First 16 bytes of SHA-256 over length-prefixed parts.
fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    std::array::from_fn(|at| hash[at])
}

/// A node as far as comparison goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    id: NodeId,
    number: Option<VerifiedNumber>,
    representatives: Vec<(MentionId, Mention)>,
}

/// Two nodes that may be one person, and what says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeScore {
    /// [`Decision::Same`] or [`Decision::Possible`].
    pub decision: Decision,
    /// Of the two mentions.
    pub weight: MatchWeight,
    /// The two mentions that weigh most, the first of the node that was asked.
    pub mentions: (MentionId, MentionId),
}

impl Node {
    /// A node of these mentions: the ones with the least ids represent it.
    #[must_use]
    pub fn new(
        id: NodeId,
        number: Option<VerifiedNumber>,
        mut mentions: Vec<(MentionId, Mention)>,
    ) -> Self {
        mentions.sort_unstable_by_key(|(mention, _)| *mention);
        mentions.truncate(MOST_REPRESENTATIVES);
        Self {
            id,
            number,
            representatives: mentions,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The number that its mentions have.
    #[must_use]
    pub fn number(&self) -> Option<VerifiedNumber> {
        self.number
    }

    /// In the order of their ids.
    #[must_use]
    pub fn representatives(&self) -> &[(MentionId, Mention)] {
        &self.representatives
    }

    fn by_id(&self) -> impl Iterator<Item = (MentionId, &Mention)> + Clone {
        self.representatives
            .iter()
            .map(|(id, mention)| (*id, mention))
    }

    /// Under what it is compared: the keys of its representatives in order, none twice. Not the verified number: who
    /// has it is in the node already.
    #[must_use]
    pub fn keys(&self) -> Vec<BlockingKey> {
        let mut keys = Vec::new();
        keys_of(self.by_id().map(|(_, mention)| mention), &mut keys);
        keys
    }

    /// Scores two nodes by their representatives: the heaviest pair that is the same, else the heaviest that may be;
    /// of equal ones the pair with the least ids. It does not matter which node comes first. Two nodes of one number
    /// have no score: what joins and what parts them are the number and people's decisions.
    #[must_use]
    pub fn score(&self, other: &Self, weights: &Weights) -> Option<NodeScore> {
        let (low, high) = if self.id <= other.id {
            (self, other)
        } else {
            (other, self)
        };
        nearest(low.by_id(), high.by_id(), weights).map(|best| match low.id == self.id {
            true => best,
            false => NodeScore {
                mentions: (best.mentions.1, best.mentions.0),
                ..best
            },
        })
    }
}

/// Puts the keys of a node's representatives in place of what is there.
pub(crate) fn keys_of<'a>(
    representatives: impl Iterator<Item = &'a Mention>,
    keys: &mut Vec<BlockingKey>,
) {
    keys.clear();
    for mention in representatives {
        block::keys(mention, keys);
    }
    keys.retain(|key| key.rule() != BlockingRule::Number);
    keys.sort_unstable();
    keys.dedup();
}

/// The two mentions by which two nodes are nearest, each node's representatives coming in the order of their ids.
pub(crate) fn nearest<'a>(
    low: impl Iterator<Item = (MentionId, &'a Mention)>,
    high: impl Iterator<Item = (MentionId, &'a Mention)> + Clone,
    weights: &Weights,
) -> Option<NodeScore> {
    let mut best: Option<NodeScore> = None;
    for (a, one) in low {
        for (b, another) in high.clone() {
            let score = weights.score(one, another);
            let counts =
                score.decision != Decision::Different && score.rule != Some(Rule::EqualNumbers);
            // The pairs come in ascending order: of equal ones the first stays.
            if counts
                && best.is_none_or(|best| {
                    rank(score.decision, score.weight) > rank(best.decision, best.weight)
                })
            {
                best = Some(NodeScore {
                    decision: score.decision,
                    weight: score.weight,
                    mentions: (a, b),
                });
            }
        }
    }
    best
}

fn rank(decision: Decision, weight: MatchWeight) -> (bool, MatchWeight) {
    (decision == Decision::Same, weight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::{
        compare::{KnownIdentifier, tests::mention},
        identifier::IdentifierKind,
        token::Token,
    };

    fn id(n: u8) -> MentionId {
        MentionId::from([n; 16])
    }

    fn number(n: u8) -> VerifiedNumber {
        VerifiedNumber {
            kind: IdentifierKind::ResidentId,
            token: Token::from([n; 16]),
        }
    }

    fn born(name: &str) -> Mention {
        Mention {
            birth: Some(date!(1990 - 03 - 07)),
            phone: Some(Token::from([5; 16])),
            ..Mention::named(name)
        }
    }

    fn single(n: u8, mention: Mention) -> Node {
        Node::new(NodeId::of_mention(id(n)), None, vec![(id(n), mention)])
    }

    /// Ids must never change: they are stored. Expected values by Python's hashlib.
    #[test]
    fn ids_are_the_first_bytes_of_a_digest_over_length_prefixed_parts() {
        let office: OfficeId = "hzgl".parse().expect("an office id");
        let mention = MentionId::new(office, "C1", 2);
        assert_eq!(
            format!("{mention:?}"),
            "MentionId(dbd8d5b5b03f3a177a8f4e953853006c)"
        );
        assert_eq!(
            format!("{:?}", NodeId::of_number(&number(7))),
            "NodeId(a7227573c6ed98307f6fdc18d4d9ab5b)"
        );
        assert_ne!(mention, MentionId::new(office, "C1", 3));
        assert_eq!(NodeId::of_mention(mention).as_bytes(), mention.as_bytes());
    }

    #[test]
    fn the_mentions_with_the_least_ids_represent_a_node_of_many() {
        let mentions: Vec<_> = (0..100)
            .rev()
            .map(|n| (id(n), Mention::named("张伟")))
            .collect();
        let node = Node::new(NodeId::of_number(&number(1)), Some(number(1)), mentions);
        let kept: Vec<_> = node.representatives().iter().map(|(id, _)| *id).collect();
        assert_eq!(kept, (0..16).map(id).collect::<Vec<_>>());
    }

    #[test]
    fn two_nodes_are_as_near_as_their_nearest_mentions() {
        let weights = Weights::builtin();
        let one = single(1, born("张国伟"));
        let of_two_names = Node::new(
            NodeId::of_number(&number(1)),
            Some(number(1)),
            vec![(id(2), born("李强")), (id(3), born("张国伟"))],
        );
        let score = one.score(&of_two_names, &weights).expect("a score");
        assert_eq!(score.decision, Decision::Same);
        assert_eq!(score.mentions, (id(1), id(3)));
        let shared = |a: &Node, b: &Node| a.keys().iter().any(|key| b.keys().contains(key));
        assert!(shared(&one, &of_two_names));
    }

    #[test]
    fn nodes_that_people_made_of_one_number_have_no_score() {
        let with_number = |n| Mention {
            identifier: Some(KnownIdentifier::Verified(number(1))),
            ..born(n)
        };
        let node = |n, mention| {
            Node::new(
                NodeId::of_mention(id(n)),
                Some(number(1)),
                vec![(id(n), mention)],
            )
        };
        let (one, other) = (
            node(1, with_number("张国伟")),
            node(2, with_number("张国伟")),
        );
        assert_eq!(one.score(&other, &Weights::builtin()), None);
    }

    proptest! {
        #[test]
        fn neither_the_order_of_mentions_nor_that_of_nodes_matters(
            one in proptest::collection::vec(mention(), 1..4),
            other in proptest::collection::vec(mention(), 1..4),
        ) {
            let weights = Weights::builtin();
            let numbered = |from: u8, mentions: &[Mention]| -> Vec<_> {
                (from..).map(id).zip(mentions.iter().cloned()).collect()
            };
            let (one, other) = (numbered(0, &one), numbered(100, &other));
            let node = |n: u8, mut mentions: Vec<(MentionId, Mention)>, turn: bool| {
                if turn {
                    mentions.reverse();
                }
                Node::new(NodeId::of_number(&number(n)), None, mentions)
            };
            let (a, b) = (node(8, one.clone(), false), node(9, other.clone(), false));
            let (c, d) = (node(8, one, true), node(9, other, true));
            let forth = a.score(&b, &weights);
            prop_assert_eq!(forth, c.score(&d, &weights));
            prop_assert_eq!(a.keys(), c.keys());
            let back = d.score(&c, &weights).map(|score| NodeScore {
                mentions: (score.mentions.1, score.mentions.0),
                ..score
            });
            prop_assert_eq!(forth, back);
        }
    }
}
