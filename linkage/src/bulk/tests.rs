use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{compare::tests::mention, node::Node};

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

fn ids(count: usize) -> Vec<MentionId> {
    // Not in the order of the mentions.
    (0u8..)
        .take(count)
        .map(|n| MentionId::from([n.wrapping_mul(37); 16]))
        .collect()
}

fn nodes_of(ids: &[MentionId], mentions: &[Mention]) -> Vec<NodeId> {
    let node = |(id, mention): (&MentionId, &Mention)| {
        mention
            .verified()
            .map_or(NodeId::of_mention(*id), |number| NodeId::of_number(&number))
    };
    ids.iter().zip(mentions).map(node).collect()
}

proptest! {
    /// One by one: every node against every other with which it shares a key.
    #[test]
    fn a_collection_links_as_its_nodes_do_one_by_one(
        mentions in proptest::collection::vec(mention(), 0..40),
    ) {
        let weights = Weights::builtin();
        let ids = ids(mentions.len());
        let of = nodes_of(&ids, &mentions);
        let mut members: BTreeMap<NodeId, Vec<(MentionId, Mention)>> = BTreeMap::new();
        for ((id, node), mention) in ids.iter().zip(&of).zip(&mentions) {
            members.entry(*node).or_default().push((*id, mention.clone()));
        }
        let nodes: Vec<Node> = members
            .into_iter()
            .map(|(id, mentions)| Node::new(id, mentions[0].1.verified(), mentions))
            .collect();
        let mut expected = Vec::new();
        for (a, one) in (0..).zip(&nodes) {
            for (b, other) in (0..).zip(&nodes).filter(|(b, _)| *b > a) {
                let shares = one.keys().iter().any(|key| other.keys().contains(key));
                let score = one.score(other, &weights).filter(|_| shares);
                expected.extend(score.map(|score| Link { nodes: (a, b), score }));
            }
        }

        let collection = Collection::new(&ids, &of, &mentions);
        prop_assert_eq!(collection.nodes(), nodes.iter().map(Node::id).collect::<Vec<_>>());
        let candidates = collection.candidates(100, Scope::Reviewable, TWO);
        let links = collection.score(&candidates, &weights, TWO);
        prop_assert_eq!(&links, &expected);

        let linkable = collection.candidates(100, Scope::Linkable, TWO);
        let of_those = collection.score(&linkable, &weights, TWO);
        prop_assert_eq!(
            collection.persons(&of_those, weights.link()),
            collection.persons(&links, weights.link()),
            "two verified numbers of one kind never become one person by themselves"
        );
    }
}

#[test]
fn every_mention_of_a_number_is_of_one_person() {
    let one = Mention::named("张伟");
    let numbered = |name| Mention {
        identifier: Some(crate::compare::KnownIdentifier::Verified(VerifiedNumber {
            kind: crate::identifier::IdentifierKind::ResidentId,
            token: [9; 16].into(),
        })),
        ..Mention::named(name)
    };
    let mentions = [numbered("李强"), one, numbered("王芳")];
    let ids = ids(3);
    let collection_nodes = nodes_of(&ids, &mentions);
    let collection = Collection::new(&ids, &collection_nodes, &mentions);
    let persons = collection.persons(&[], MatchWeight::ZERO);
    assert_eq!(persons[0], persons[2]);
    assert_ne!(persons[0], persons[1]);
}

#[test]
fn blocks_of_more_nodes_than_the_cap_are_left_out_and_counted() {
    let mentions = vec![
        Mention {
            phone: Some([1; 16].into()),
            ..Mention::named("")
        };
        30
    ];
    let ids = ids(30);
    let nodes = nodes_of(&ids, &mentions);
    let collection = Collection::new(&ids, &nodes, &mentions);
    let found = |cap| {
        let found = collection.candidates(cap, Scope::Reviewable, TWO);
        (found.pairs.len(), found.overfull.len())
    };
    assert_eq!(found(30), (30 * 29 / 2, 0));
    assert_eq!(found(29), (0, 1));
}
