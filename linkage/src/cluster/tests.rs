use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{identifier::IdentifierKind, token::Token};

fn number(n: u8) -> VerifiedNumber {
    VerifiedNumber {
        kind: IdentifierKind::ResidentId,
        token: Token::from([n; 16]),
    }
}

fn pair(a: u32, b: u32) -> Pair<u32> {
    Pair::new(a, b).expect("two mentions")
}

fn bits(bits: f64) -> MatchWeight {
    MatchWeight::from_bits(bits)
}

/// A little world that can be told in any order.
#[derive(Debug, Clone, Default)]
struct World {
    mentions: Vec<(u32, Option<VerifiedNumber>)>,
    links: Vec<(Pair<u32>, MatchWeight)>,
    judgements: Vec<(Pair<u32>, Judgement)>,
}

impl World {
    fn resolve(&self) -> Resolution<u32> {
        resolve(Evidence {
            mentions: &self.mentions,
            links: &self.links,
            judgements: &self.judgements,
        })
    }

    fn persons(&self) -> Vec<(u32, u32)> {
        self.resolve().persons
    }

    /// Tells it piece by piece: mentions in this order, each with its links to those already told.
    fn tell(&self, order: &[usize], judge_after: usize) -> Clusters<u32> {
        let mut clusters = Clusters::default();
        for (told, &at) in order.iter().enumerate() {
            if told == judge_after {
                self.judge(&mut clusters);
            }
            let (mention, number) = self.mentions[at];
            let links = self
                .links
                .iter()
                .filter_map(|(pair, weight)| match mention {
                    m if m == pair.low() => Some((pair.high(), *weight)),
                    m if m == pair.high() => Some((pair.low(), *weight)),
                    _ => None,
                });
            clusters.put(mention, number, links);
        }
        if judge_after >= order.len() {
            self.judge(&mut clusters);
        }
        clusters
    }

    fn judge(&self, clusters: &mut Clusters<u32>) {
        for (pair, judgement) in &self.judgements {
            clusters.judge(*pair, *judgement);
        }
    }
}

#[test]
fn a_mention_without_number_goes_to_the_twin_it_is_nearer_to() {
    let world = World {
        mentions: vec![(1, Some(number(1))), (2, Some(number(2))), (3, None)],
        links: vec![(pair(1, 3), bits(9.0)), (pair(2, 3), bits(12.0))],
        judgements: vec![],
    };
    assert_eq!(world.persons(), [(1, 1), (2, 2), (3, 2)]);
    let refused = Refused {
        pair: pair(1, 3),
        obstacle: Obstacle::DifferentNumbers,
    };
    assert_eq!(world.resolve().refused, [refused]);
}

#[test]
fn equal_numbers_join_without_any_link() {
    let world = World {
        mentions: vec![(7, Some(number(1))), (3, Some(number(1))), (5, None)],
        ..World::default()
    };
    assert_eq!(world.persons(), [(3, 3), (5, 5), (7, 3)]);
}

#[test]
fn different_numbers_never_join_by_themselves_but_by_a_person() {
    let mut world = World {
        mentions: vec![(1, Some(number(1))), (2, Some(number(2)))],
        links: vec![(pair(1, 2), bits(99.0))],
        judgements: vec![],
    };
    assert_eq!(world.persons(), [(1, 1), (2, 2)]);
    world.judgements = vec![(pair(1, 2), Judgement::Same)];
    assert_eq!(world.persons(), [(1, 1), (2, 1)]);
    // What a person joined takes in others with either number, and nobody with a third.
    world
        .mentions
        .extend([(3, Some(number(2))), (4, Some(number(3)))]);
    world.links.push((pair(1, 4), bits(50.0)));
    assert_eq!(world.persons(), [(1, 1), (2, 1), (3, 1), (4, 4)]);
}

#[test]
fn people_part_what_numbers_and_links_join() {
    let mut world = World {
        mentions: vec![
            (1, Some(number(1))),
            (2, Some(number(1))),
            (3, Some(number(1))),
        ],
        links: vec![],
        judgements: vec![(pair(1, 2), Judgement::NotSame)],
    };
    assert_eq!(world.persons(), [(1, 1), (2, 2), (3, 1)]);
    world.judgements.push((pair(2, 3), Judgement::NotSame));
    assert_eq!(world.persons(), [(1, 1), (2, 2), (3, 1)]);
    // Contradicting decisions: apart prevails, and the refusal says so.
    world.judgements.push((pair(1, 3), Judgement::NotSame));
    assert_eq!(world.persons(), [(1, 1), (2, 2), (3, 3)]);
    assert!(
        world
            .resolve()
            .refused
            .iter()
            .all(|refused| refused.obstacle == Obstacle::Judgement)
    );
}

#[test]
fn numbers_of_two_kinds_are_no_obstacle() {
    let passport = VerifiedNumber {
        kind: IdentifierKind::Passport,
        token: Token::from([2; 16]),
    };
    let world = World {
        mentions: vec![(1, Some(number(1))), (2, Some(passport))],
        links: vec![(pair(1, 2), bits(20.0))],
        judgements: vec![],
    };
    assert_eq!(world.persons(), [(1, 1), (2, 1)]);
}

/// xorshift64*: a few hundred mentions want a generator faster than the shrinking kind.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Persons of about three mentions, most with a number, links within and, fewer, between neighbours.
fn crowd(noise: &mut Noise, size: u32) -> World {
    let mut world = World::default();
    for mention in 0..size {
        let person = u8::try_from(mention / 3 % 250).expect("below 250");
        let number = (noise.below(10) < 7).then(|| number(person));
        world.mentions.push((mention, number));
        for back in 1..=5.min(mention) {
            let is_same = mention / 3 == (mention - back) / 3;
            if noise.below(20) < if is_same { 16 } else { 1 } {
                // Few different weights, so that ties are common.
                world
                    .links
                    .push((pair(mention - back, mention), bits(noise.below(4) as f64)));
            }
        }
        if mention > 4 && noise.below(30) == 0 {
            let judgement = if noise.below(2) == 0 {
                Judgement::Same
            } else {
                Judgement::NotSame
            };
            world
                .judgements
                .push((pair(mention - 4, mention), judgement));
        }
    }
    world
}

#[test]
fn a_thousand_orders_of_arrival_come_to_the_same_persons() {
    let mut noise = Noise(2012);
    let world = crowd(&mut noise, 300);
    let expected = world.resolve();
    assert!(expected.refused.len() > 10, "something is kept apart");
    let mut order: Vec<usize> = (0..world.mentions.len()).collect();
    for round in 0..1_000 {
        noise.shuffle(&mut order);
        let clusters = world.tell(&order, noise.below(order.len() + 1));
        assert!(
            clusters.persons().eq(expected.persons.iter().copied()),
            "round {round}"
        );
        let mut shuffled = world.clone();
        noise.shuffle(&mut shuffled.mentions);
        noise.shuffle(&mut shuffled.links);
        noise.shuffle(&mut shuffled.judgements);
        assert_eq!(shuffled.resolve(), expected, "round {round}");
    }
}

#[test]
fn a_component_beyond_the_bound_is_joined_by_numbers_and_decisions_alone() {
    // A chain of five, one of them twice by number, and a pair apart from it.
    let mut mentions: Vec<_> = (1..=7).map(|at| (at, None)).collect();
    mentions[3].1 = Some(number(1));
    mentions[4].1 = Some(number(1));
    let links: Vec<_> = [(1, 2), (2, 3), (3, 4), (6, 7)]
        .map(|(a, b)| (pair(a, b), bits(9.0)))
        .to_vec();
    let judgements = [(pair(1, 2), Judgement::Same)];
    let bounded = |most| resolve_bounded(&mentions, &links, &judgements, most);
    let whole = bounded(5);
    assert_eq!((whole.components, whole.oversize.len()), (0, 0));
    assert_eq!(whole.persons.iter().filter(|(_, of)| *of == 1).count(), 5);
    let cut = bounded(4);
    assert_eq!((cut.components, cut.oversize), (1, vec![1, 2, 3, 4, 5]));
    let expected = [(1, 1), (2, 1), (3, 3), (4, 4), (5, 4), (6, 6), (7, 6)];
    assert_eq!(cut.persons, expected);
}

#[test]
fn within_the_bound_everything_is_as_without_one() {
    let mut noise = Noise(3);
    for _ in 0..50 {
        let world = crowd(&mut noise, 60);
        let World {
            mentions,
            links,
            judgements,
        } = &world;
        let bounded = resolve_bounded(mentions, links, judgements, 60);
        assert_eq!(bounded.persons, world.persons());
    }
}

#[test]
fn taking_a_decision_back_restores_exactly_what_was() {
    let mut noise = Noise(7);
    let world = crowd(&mut noise, 200);
    let order: Vec<usize> = (0..world.mentions.len()).collect();
    let mut clusters = world.tell(&order, 0);
    let before: Vec<_> = clusters.persons().collect();
    for _ in 0..200 {
        let (a, b) = (noise.below(200) as u32, noise.below(200) as u32);
        let Some(pair) = Pair::new(a, b) else {
            continue;
        };
        if world.judgements.iter().any(|(judged, _)| *judged == pair) {
            continue;
        }
        let judgement = if noise.below(2) == 0 {
            Judgement::Same
        } else {
            Judgement::NotSame
        };
        let there = clusters.judge(pair, judgement);
        let back = clusters.withdraw(pair);
        assert!(clusters.persons().eq(before.iter().copied()));
        let undone: Vec<_> = there
            .changes
            .iter()
            .map(|c| Change {
                mention: c.mention,
                from: c.to,
                to: c.from,
            })
            .collect();
        assert_eq!(back.changes, undone);
    }
}

#[test]
fn removing_and_putting_back_restores_exactly_what_was() {
    let mut noise = Noise(99);
    let world = crowd(&mut noise, 150);
    let order: Vec<usize> = (0..world.mentions.len()).collect();
    let mut clusters = world.tell(&order, 150);
    let before: Vec<_> = clusters.persons().collect();
    for &(mention, number) in &world.mentions {
        clusters.remove(mention);
        assert_eq!(clusters.person_of(mention), None);
        let links: Vec<_> = world
            .links
            .iter()
            .filter(|(pair, _)| pair.low() == mention || pair.high() == mention)
            .map(|(pair, weight)| {
                (
                    if pair.low() == mention {
                        pair.high()
                    } else {
                        pair.low()
                    },
                    *weight,
                )
            })
            .collect();
        clusters.put(mention, number, links);
        assert!(clusters.persons().eq(before.iter().copied()), "{mention}");
    }
}

#[test]
fn work_stays_within_the_component_that_evidence_touches() {
    let mut noise = Noise(5);
    let world = World {
        mentions: (0..300).map(|mention| (mention, None)).collect(),
        links: (0..300)
            .filter(|at| at % 3 != 2)
            .map(|at| (pair(at, at + 1), bits(5.0)))
            .collect(),
        judgements: vec![],
    };
    let mut order: Vec<usize> = (0..300).collect();
    noise.shuffle(&mut order);
    let mut clusters = world.tell(&order, 300);
    assert_eq!(clusters.judge(pair(0, 299), Judgement::Same).reworked, 6);
    assert_eq!(clusters.remove(150).reworked, 2);
}

proptest! {
    #[test]
    fn no_cluster_holds_a_pair_held_apart_or_numbers_that_nobody_joined(
        seed in 1u64.., size in 2u32..60,
    ) {
        let world = crowd(&mut Noise(seed), size);
        let persons: BTreeMap<u32, u32> = world.persons().into_iter().collect();
        for (pair, judgement) in &world.judgements {
            if *judgement == Judgement::NotSame {
                prop_assert_ne!(persons[&pair.low()], persons[&pair.high()]);
            }
        }
        if world.judgements.iter().all(|(_, judgement)| *judgement == Judgement::NotSame) {
            let mut numbers = BTreeMap::new();
            for (mention, number) in &world.mentions {
                if let Some(number) = number {
                    prop_assert_eq!(*numbers.entry(persons[mention]).or_insert(*number), *number);
                }
            }
        }
    }

    #[test]
    fn a_person_is_named_by_its_least_mention(seed in 1u64.., size in 2u32..60) {
        for (mention, person) in crowd(&mut Noise(seed), size).persons() {
            prop_assert!(person <= mention);
        }
    }
}
