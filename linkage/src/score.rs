//! From a comparison vector to a match weight, a decision, and the reasons for it.
//!
//! The match weight of a pair is the base-2 logarithm of the odds that it is a match: that of the prior odds and,
//! for each field, log2(m/u) of its level. Weights are whole thousandths of a bit, so that every machine adds them
//! up to the same sum.

mod explain;

use crate::{
    compare::{ComparisonVector, FIELDS, Field, IdentifierLevel, Mention},
    name::{NameLevel, NameShare},
    vocabulary::{PartyKind, vocabulary},
    weights::{MatchWeight, Weights},
};

pub use explain::{Contribution, Explanation};

vocabulary! {
    /// What decides a pair without weighing.
    Rule, "linkage_rule" {
        /// Equal verified numbers of one kind: the same person, whatever else differs.
        EqualNumbers = "equal_numbers" "证件号码相同",
        /// Two verified numbers of one kind that differ never merge by themselves.
        DifferentNumbers = "different_numbers" "证件号码不同",
        /// A natural and a legal person are never one.
        DifferentKinds = "different_kinds" "主体类型不同",
        /// The names differ by a whole character or more, and no number speaks: twins, siblings and spouses share
        /// surname, phone, address, relatives and even the birth date, so that no weight of these tells them from
        /// one person mistyped. For a person to decide.
        UnlikeNames = "unlike_names" "姓名不符",
    }
}

vocabulary! {
    /// What follows from a pair.
    Decision, "linkage_decision" {
        /// Linked without asking anybody.
        Same = "same" "同一人",
        /// For a person to decide.
        Possible = "possible" "疑似同一人",
        Different = "different" "不同人",
    }
}

/// A scored pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// How the two compare.
    pub vector: ComparisonVector,
    /// The sum over prior and fields, the term-frequency adjustment included.
    pub weight: MatchWeight,
    /// Adjustment of the name's weight by its frequency, already in `weight`.
    pub name_adjustment: MatchWeight,
    /// The rule that decides without weighing.
    pub rule: Option<Rule>,
    /// What follows.
    pub decision: Decision,
}

impl Weights {
    /// Scores a pair. It does not matter which comes first.
    ///
    /// ```
    /// use linkage::{compare::Mention, score::Decision, weights::Weights};
    /// use time::macros::date;
    ///
    /// let weights = Weights::builtin();
    /// let one = Mention { birth: Some(date!(1990-03-07)), ..Mention::named("张伟") };
    /// let other = Mention { birth: Some(date!(1971-11-25)), ..Mention::named("李国强") };
    /// assert_eq!(weights.score(&one, &other).decision, Decision::Different);
    /// ```
    #[must_use]
    pub fn score(&self, a: &Mention, b: &Mention) -> Score {
        let vector = a.compare(b);
        let name_adjustment = vector.name.map_or(MatchWeight::ZERO, |level| {
            self.name_adjustment(level, a.name_share, b.name_share)
        });
        let weight = self.weigh(&vector) + name_adjustment;
        let rule = rule(a, b, &vector);
        Score {
            vector,
            weight,
            name_adjustment,
            rule,
            decision: self.decide(a.kind, rule, &vector, weight),
        }
    }

    /// Weight of a comparison vector with the prior, without term-frequency adjustment.
    #[must_use]
    pub fn weigh(&self, vector: &ComparisonVector) -> MatchWeight {
        self.field_weights(vector)
            .into_iter()
            .flatten()
            .fold(self.prior(), std::ops::Add::add)
    }

    /// What each field adds. Phone and related parties both speak of a household, whose members share the two and are
    /// not one person: where both agree only the stronger counts.
    pub(crate) fn field_weights(&self, vector: &ComparisonVector) -> [Option<MatchWeight>; FIELDS] {
        let levels = vector.levels();
        let mut weights: [Option<MatchWeight>; FIELDS] = std::array::from_fn(|at| {
            levels[at].map(|level| self.level_weight(Field::ALL[at], level))
        });
        let (phone, related) = (
            weights[Field::Phone as usize],
            weights[Field::Related as usize],
        );
        if let (Some(phone), Some(related)) = (phone, related)
            && phone.min(related) > MatchWeight::ZERO
        {
            let weaker = if phone < related {
                Field::Phone
            } else {
                Field::Related
            };
            weights[weaker as usize] = Some(MatchWeight::ZERO);
        }
        weights
    }

    /// A common name says less than the average one, a rare one more: log2 of the average share over the
    /// name's. The commoner of the two names counts, so that no variant gains what the exact name would not. A bonus
    /// for rarity is halved where the names are not the same, and needs both shares and both names whole.
    fn name_adjustment(
        &self,
        level: NameLevel,
        a: Option<NameShare>,
        b: Option<NameShare>,
    ) -> MatchWeight {
        if matches!(level, NameLevel::Surname | NameLevel::Different) {
            return MatchWeight::ZERO;
        }
        let Some(commoner) = a.max(b) else {
            return MatchWeight::ZERO;
        };
        let raw = self.average_name_share() - commoner.millibits().max(self.rarest_name_share());
        let bonus = match level {
            _ if a.is_none() || b.is_none() => 0,
            NameLevel::Exact | NameLevel::Variant => raw,
            NameLevel::Masked => 0,
            _ => raw / 2,
        };
        MatchWeight::from_millibits(if raw < 0 { raw } else { bonus })
    }

    fn decide(
        &self,
        kind: PartyKind,
        rule: Option<Rule>,
        vector: &ComparisonVector,
        weight: MatchWeight,
    ) -> Decision {
        match rule {
            Some(Rule::EqualNumbers) => Decision::Same,
            Some(Rule::DifferentKinds) => Decision::Different,
            // A new number for an old person is rare, and a clerk's to see.
            Some(Rule::DifferentNumbers) if weight >= self.link() => Decision::Possible,
            Some(Rule::UnlikeNames) if weight >= self.review() => Decision::Possible,
            Some(Rule::DifferentNumbers | Rule::UnlikeNames) => Decision::Different,
            None if kind == PartyKind::Legal => decide_legal(vector),
            None if weight >= self.link() => Decision::Same,
            None if weight >= self.review() => Decision::Possible,
            None => Decision::Different,
        }
    }
}

/// The weights are those of natural persons: they say nothing about firms, whose names are many and alike.
fn decide_legal(vector: &ComparisonVector) -> Decision {
    match vector.name {
        Some(NameLevel::Exact | NameLevel::Variant) => Decision::Possible,
        _ => Decision::Different,
    }
}

fn rule(a: &Mention, b: &Mention, vector: &ComparisonVector) -> Option<Rule> {
    if a.kind != b.kind {
        return Some(Rule::DifferentKinds);
    }
    let numbers = a
        .verified()
        .zip(b.verified())
        .filter(|(a, b)| a.kind == b.kind);
    match numbers {
        Some((a, b)) if a == b => Some(Rule::EqualNumbers),
        Some(_) => Some(Rule::DifferentNumbers),
        None => has_unlike_names(vector).then_some(Rule::UnlikeNames),
    }
}

fn has_unlike_names(vector: &ComparisonVector) -> bool {
    matches!(
        vector.name,
        Some(NameLevel::Replaced | NameLevel::Surname | NameLevel::Different)
    ) && matches!(vector.identifier, None | Some(IdentifierLevel::Different))
}

#[cfg(test)]
mod tests;
