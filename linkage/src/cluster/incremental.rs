//! Clusters kept up to date in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evidence, Judgement, Key, Pair, Refused, resolve};
use crate::{compare::VerifiedNumber, weights::MatchWeight};

/// A mention that is of another person than before, new, or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change<K> {
    /// The mention.
    pub mention: K,
    /// Its person before.
    pub from: Option<K>,
    /// Its person now.
    pub to: Option<K>,
}

/// What one piece of evidence did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update<K> {
    /// In order of mentions.
    pub changes: Vec<Change<K>>,
    /// Joins refused among the mentions that were reworked.
    pub refused: Vec<Refused<K>>,
    /// Mentions reworked: the size of the connected components that the evidence touches.
    pub reworked: usize,
}

/// A set of mentions, the evidence about them, and the clusters that follow.
#[derive(Debug, Clone)]
pub struct Clusters<K> {
    mentions: BTreeMap<K, Option<VerifiedNumber>>,
    links: BTreeMap<K, BTreeMap<K, MatchWeight>>,
    judgements: BTreeMap<Pair<K>, Judgement>,
    judged: BTreeMap<K, BTreeSet<K>>,
    bearers: BTreeMap<VerifiedNumber, BTreeSet<K>>,
    person_of: BTreeMap<K, K>,
}

impl<K: Key> Default for Clusters<K> {
    fn default() -> Self {
        Self {
            mentions: BTreeMap::new(),
            links: BTreeMap::new(),
            judgements: BTreeMap::new(),
            judged: BTreeMap::new(),
            bearers: BTreeMap::new(),
            person_of: BTreeMap::new(),
        }
    }
}

impl<K: Key> Clusters<K> {
    /// Every mention with its person.
    pub fn persons(&self) -> impl Iterator<Item = (K, K)> + '_ {
        self.person_of
            .iter()
            .map(|(mention, person)| (*mention, *person))
    }

    /// The person that a mention is of.
    #[must_use]
    pub fn person_of(&self, mention: K) -> Option<K> {
        self.person_of.get(&mention).copied()
    }

    /// Adds a mention with its links to mentions that are there, or replaces one: a new revision of a record. What
    /// people decided about it stands, before it came and after it went.
    pub fn put(
        &mut self,
        mention: K,
        number: Option<VerifiedNumber>,
        links: impl IntoIterator<Item = (K, MatchWeight)>,
    ) -> Update<K> {
        let mut touched = self.component(BTreeSet::from([mention]));
        self.forget(mention);
        self.mentions.insert(mention, number);
        if let Some(number) = number {
            self.bearers.entry(number).or_default().insert(mention);
        }
        for (other, weight) in links {
            if other != mention && self.mentions.contains_key(&other) {
                self.links.entry(mention).or_default().insert(other, weight);
                self.links.entry(other).or_default().insert(mention, weight);
            }
        }
        touched.insert(mention);
        self.rework(touched)
    }

    /// Takes a mention away.
    pub fn remove(&mut self, mention: K) -> Update<K> {
        let touched = self.component(BTreeSet::from([mention]));
        self.forget(mention);
        self.rework(touched)
    }

    /// Takes a person's decision down, in place of an earlier one about the pair.
    pub fn judge(&mut self, pair: Pair<K>, judgement: Judgement) -> Update<K> {
        let touched = self.component(BTreeSet::from([pair.low, pair.high]));
        self.judgements.insert(pair, judgement);
        self.judged.entry(pair.low).or_default().insert(pair.high);
        self.judged.entry(pair.high).or_default().insert(pair.low);
        self.rework(touched)
    }

    /// Takes a decision back: everything is as if it had never been made.
    pub fn withdraw(&mut self, pair: Pair<K>) -> Update<K> {
        let touched = self.component(BTreeSet::from([pair.low, pair.high]));
        self.judgements.remove(&pair);
        for (one, other) in [(pair.low, pair.high), (pair.high, pair.low)] {
            if let Some(others) = self.judged.get_mut(&one) {
                others.remove(&other);
            }
        }
        self.rework(touched)
    }

    fn forget(&mut self, mention: K) {
        if let Some(Some(number)) = self.mentions.remove(&mention)
            && let Some(bearers) = self.bearers.get_mut(&number)
        {
            bearers.remove(&mention);
            if bearers.is_empty() {
                self.bearers.remove(&number);
            }
        }
        for other in self.links.remove(&mention).unwrap_or_default().into_keys() {
            if let Some(back) = self.links.get_mut(&other) {
                back.remove(&mention);
            }
        }
    }

    /// Everything that evidence connects with the mentions, themselves included if they are there.
    fn component(&self, from: BTreeSet<K>) -> BTreeSet<K> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<K> = from.into_iter().collect();
        while let Some(mention) = open.pop() {
            let Some(number) = self.mentions.get(&mention) else {
                continue;
            };
            if !reached.insert(mention) {
                continue;
            }
            let linked = self
                .links
                .get(&mention)
                .into_iter()
                .flat_map(BTreeMap::keys);
            let equal = number
                .and_then(|number| self.bearers.get(&number))
                .into_iter()
                .flatten();
            let judged = self.judged.get(&mention).into_iter().flatten();
            open.extend(
                linked
                    .chain(equal)
                    .chain(judged)
                    .filter(|other| !reached.contains(other)),
            );
        }
        reached
    }

    fn rework(&mut self, touched: BTreeSet<K>) -> Update<K> {
        let before = touched.clone();
        let component = self.component(touched);
        let resolution = self.resolve(&component);
        let mut changes = Vec::new();
        let gone = before
            .into_iter()
            .filter(|mention| !component.contains(mention));
        for (mention, to) in gone
            .map(|mention| (mention, None))
            .chain(resolution.persons.iter().map(|&(m, p)| (m, Some(p))))
        {
            let from = match to {
                Some(to) => self.person_of.insert(mention, to),
                None => self.person_of.remove(&mention),
            };
            if from != to {
                changes.push(Change { mention, from, to });
            }
        }
        changes.sort_unstable();
        Update {
            changes,
            refused: resolution.refused,
            reworked: component.len(),
        }
    }

    fn resolve(&self, component: &BTreeSet<K>) -> super::Resolution<K> {
        let mentions: Vec<_> = component
            .iter()
            .map(|mention| (*mention, self.mentions[mention]))
            .collect();
        let mut links = Vec::new();
        let mut judgements = Vec::new();
        for &low in component {
            let above = |others: &K| *others > low;
            for (&high, &weight) in self
                .links
                .get(&low)
                .into_iter()
                .flatten()
                .filter(|(high, _)| above(high))
            {
                links.push((Pair { low, high }, weight));
            }
            for &high in self
                .judged
                .get(&low)
                .into_iter()
                .flatten()
                .filter(|high| above(high))
            {
                let pair = Pair { low, high };
                judgements.extend(
                    self.judgements
                        .get(&pair)
                        .map(|judgement| (pair, *judgement)),
                );
            }
        }
        resolve(Evidence {
            mentions: &mentions,
            links: &links,
            judgements: &judgements,
        })
    }
}
