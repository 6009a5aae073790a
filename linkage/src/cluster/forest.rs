//! Disjoint sets of mentions with what keeps them apart.

use super::Obstacle;
use crate::compare::VerifiedNumber;

/// Disjoint-set forest. Each root knows the least of its members, their verified numbers and those that people hold
/// to be somebody else; the smaller side's lists move to the larger.
#[derive(Debug)]
pub(super) struct Forest {
    parent: Vec<usize>,
    sides: Vec<Side>,
}

#[derive(Debug)]
struct Side {
    size: usize,
    least: usize,
    /// Without repetition: one but where people joined different numbers.
    numbers: Vec<VerifiedNumber>,
    /// Mentions held not to be the same as some member.
    strangers: Vec<usize>,
}

impl Forest {
    pub(super) fn new(numbers: impl Iterator<Item = Option<VerifiedNumber>>) -> Self {
        let sides: Vec<Side> = numbers
            .enumerate()
            .map(|(place, number)| Side {
                size: 1,
                least: place,
                numbers: number.into_iter().collect(),
                strangers: Vec::new(),
            })
            .collect();
        Self {
            parent: (0..sides.len()).collect(),
            sides,
        }
    }

    /// The least member of the mention's set.
    pub(super) fn least(&mut self, place: usize) -> usize {
        let root = self.root(place);
        self.sides[root].least
    }

    /// To be told before anything is joined.
    pub(super) fn keep_apart(&mut self, a: usize, b: usize) {
        self.sides[a].strangers.push(b);
        self.sides[b].strangers.push(a);
    }

    /// Joins the sets of two mentions unless something keeps them apart.
    pub(super) fn join(&mut self, a: usize, b: usize) -> Result<(), Obstacle> {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return Ok(());
        }
        if are_different(&self.sides[a].numbers, &self.sides[b].numbers) {
            return Err(Obstacle::DifferentNumbers);
        }
        self.unite(a, b)
    }

    /// A person may join what numbers keep apart.
    pub(super) fn join_by_judgement(&mut self, a: usize, b: usize) -> Result<(), Obstacle> {
        let (a, b) = (self.root(a), self.root(b));
        if a == b { Ok(()) } else { self.unite(a, b) }
    }

    fn unite(&mut self, a: usize, b: usize) -> Result<(), Obstacle> {
        let (small, large) = if self.sides[a].size < self.sides[b].size {
            (a, b)
        } else {
            (b, a)
        };
        // Every such pair is in the lists of both sides: the shorter one tells.
        let (asked, other) =
            if self.sides[small].strangers.len() <= self.sides[large].strangers.len() {
                (small, large)
            } else {
                (large, small)
            };
        for at in 0..self.sides[asked].strangers.len() {
            if self.root(self.sides[asked].strangers[at]) == other {
                return Err(Obstacle::Judgement);
            }
        }
        let gone = std::mem::replace(
            &mut self.sides[small],
            Side {
                size: 0,
                least: small,
                numbers: Vec::new(),
                strangers: Vec::new(),
            },
        );
        let kept = &mut self.sides[large];
        kept.size += gone.size;
        kept.least = kept.least.min(gone.least);
        for number in gone.numbers {
            if !kept.numbers.contains(&number) {
                kept.numbers.push(number);
            }
        }
        kept.strangers.extend(gone.strangers);
        self.parent[small] = large;
        Ok(())
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.parent[place] != place {
            self.parent[place] = self.parent[self.parent[place]];
            place = self.parent[place];
        }
        place
    }
}

/// Whether both have numbers of some kind and none of that kind in common.
fn are_different(a: &[VerifiedNumber], b: &[VerifiedNumber]) -> bool {
    a.iter().any(|number| {
        let of_kind = |side: &[VerifiedNumber], at: &dyn Fn(&VerifiedNumber) -> bool| {
            side.iter()
                .any(|other| other.kind == number.kind && at(other))
        };
        of_kind(b, &|_| true) && !of_kind(a, &|own| b.contains(own))
    })
}
