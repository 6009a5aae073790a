//! Why two mentions are held to be one person, field by field, for people to read.

use super::{Rule, Score};
use crate::{
    compare::{Field, Mention},
    name::NameLevel,
    weights::{MatchWeight, Weights},
};

/// One field's part in a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The field.
    pub field: Field,
    /// Code of its level.
    pub level: &'static str,
    /// The level in Chinese.
    pub level_zh: &'static str,
    /// What it adds, the term-frequency adjustment included.
    pub weight: MatchWeight,
    /// The characters that differ (张→章), where some do.
    pub detail: Option<String>,
}

/// All parts of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rule that decided, whatever the weights say.
    pub rule: Option<Rule>,
    /// What the prior adds.
    pub prior: MatchWeight,
    /// The fields in which both sides say something.
    pub contributions: Vec<Contribution>,
    /// Their sum.
    pub total: MatchWeight,
}

impl Weights {
    /// Takes a score apart again. The parts add up to its weight.
    #[must_use]
    pub fn explain(&self, score: &Score, a: &Mention, b: &Mention) -> Explanation {
        let weights = self.field_weights(&score.vector);
        let contributions = Field::ALL
            .iter()
            .zip(weights)
            .filter_map(|(&field, weight)| {
                let (code, label) = score.vector.label(field)?;
                let weight = weight?;
                let is_name = field == Field::Name;
                Some(Contribution {
                    field,
                    level: code,
                    level_zh: label,
                    weight: if is_name {
                        weight + score.name_adjustment
                    } else {
                        weight
                    },
                    detail: if is_name {
                        differing(score.vector.name?, a, b)
                    } else {
                        None
                    },
                })
            });
        Explanation {
            rule: score.rule,
            prior: self.prior(),
            contributions: contributions.collect(),
            total: score.weight,
        }
    }
}

impl Explanation {
    /// In Chinese: `姓名 张→章 同音字 +2.1；出生日期 相同 +7.8`.
    #[must_use]
    pub fn to_chinese(&self) -> String {
        let rule = self.rule.map(|rule| rule.label_zh().to_owned());
        let fields = self.contributions.iter().map(|part| {
            line(
                part.field.label_zh(),
                part.detail.as_deref(),
                part.level_zh,
                part.weight,
            )
        });
        let prior = std::iter::once(format!("先验 {}", self.prior));
        rule.into_iter()
            .chain(fields)
            .chain(prior)
            .collect::<Vec<_>>()
            .join("；")
    }

    /// In English: `name 张→章 homophone +2.1, birth equal +7.8`.
    #[must_use]
    pub fn to_english(&self) -> String {
        let words = |code: &str| code.replace('_', " ");
        let rule = self.rule.map(|rule| words(rule.code()));
        let fields = self.contributions.iter().map(|part| {
            line(
                part.field.code(),
                part.detail.as_deref(),
                &words(part.level),
                part.weight,
            )
        });
        let prior = std::iter::once(format!("prior {}", self.prior));
        rule.into_iter()
            .chain(fields)
            .chain(prior)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn line(field: &str, detail: Option<&str>, level: &str, weight: MatchWeight) -> String {
    match detail {
        Some(detail) => format!("{field} {detail} {level} {weight}"),
        None => format!("{field} {level} {weight}"),
    }
}

/// The stretch in which two names differ, where that is short enough to say and not a whole name.
fn differing(level: NameLevel, a: &Mention, b: &Mention) -> Option<String> {
    use NameLevel::{Dropped, Homophone, Reordered, Replaced, SamePinyin, Similar, Variant};
    if !matches!(
        level,
        Variant | Homophone | Similar | SamePinyin | Reordered | Dropped | Replaced
    ) {
        return None;
    }
    let a: Vec<char> = a.name.written().collect();
    let b: Vec<char> = b.name.written().collect();
    let before = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let shorter = a.len().min(b.len()) - before;
    let after = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(shorter)
        .take_while(|(a, b)| a == b)
        .count();
    let middle = |name: &[char]| {
        let middle: String = name[before..name.len() - after].iter().collect();
        if middle.is_empty() {
            "∅".to_owned()
        } else {
            middle
        }
    };
    Some(format!("{}→{}", middle(&a), middle(&b)))
}
