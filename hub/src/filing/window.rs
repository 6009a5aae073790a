//! The self-assessment of an office's window: every item of the annex, with the thresholds of the office's level. An
//! office says what there is; whether that is enough follows from the item.

use std::collections::HashSet;
use std::sync::LazyLock;

use linkage::long_number;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::FilingError;
use crate::store::office::Level;

const BUILTIN: &str = include_str!("../../rules/window.toml");
/// Characters of what an office says about an item.
const EVIDENCE_CHARS: usize = 500;

/// All items.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub version: String,
    pub items: Vec<Item>,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Item {
    pub id: String,
    pub annex: String,
    pub text: String,
    pub condition: bool,
    /// The version in which it was asked for last; none of what is asked for today.
    pub until: Option<String>,
    pub form: Form,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    annex: String,
    text: String,
    #[serde(default)]
    condition: bool,
    until: Option<String>,
}

/// `form` and its thresholds are beside the rest; a key that neither knows is refused.
impl TryFrom<toml::Table> for Item {
    type Error = toml::de::Error;

    fn try_from(item: toml::Table) -> Result<Self, toml::de::Error> {
        const HEAD: [&str; 5] = ["id", "annex", "text", "condition", "until"];
        let (head, form): (toml::Table, toml::Table) = item
            .into_iter()
            .partition(|(key, _)| HEAD.contains(&key.as_str()));
        let head: Head = head.try_into()?;
        Ok(Self {
            id: head.id,
            annex: head.annex,
            text: head.text,
            condition: head.condition,
            until: head.until,
            form: form.try_into()?,
        })
    }
}

/// How an item is answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum Form {
    // Braces: serde knows unknown keys in these alone.
    YesNo {},
    Measure {
        unit: String,
        municipal: u32,
        county: u32,
    },
    /// One for each notary at least.
    PerNotary {
        unit: String,
    },
}

/// What an office says of one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// Id of the item.
    pub item: String,
    #[serde(flatten)]
    pub said: Said,
    /// Where it can be seen: a document, a photo's name.
    #[serde(default)]
    pub evidence: String,
}

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Said {
    Yes,
    No,
    NotApplicable,
    /// In the item's unit.
    Measured {
        value: u32,
    },
    /// The same, beside how many notaries there are.
    PerNotary {
        value: u32,
        notaries: u32,
    },
}

/// What an assessment comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WindowScore)]
pub struct Score {
    pub met: usize,
    /// Items that apply.
    pub of: usize,
    /// Ids of the items that are not met.
    pub unmet: Vec<String>,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ItemVerdict)] // reviews have verdicts of their own
pub enum Verdict {
    Met,
    Unmet,
    NotApplicable,
    /// The item is newer than the assessment, or there is none.
    Unanswered,
}

/// An item beside what an office says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged<'a> {
    pub item: &'a Item,
    pub answer: Option<&'a Answer>,
    /// In the item's unit, at the office's level.
    pub threshold: Option<u32>,
    pub verdict: Verdict,
}

impl Form {
    /// What is enough at a level; a question to be answered by yes has none, and of what is wanted for each notary the
    /// answer says how many they are.
    pub const fn threshold(&self, level: Level) -> Option<u32> {
        match (self, level) {
            (Self::YesNo {} | Self::PerNotary { .. }, _) => None,
            (Self::Measure { municipal, .. }, Level::Municipal) => Some(*municipal),
            (Self::Measure { county, .. }, Level::County) => Some(*county),
        }
    }
}

impl Verdict {
    fn of(said: Said, threshold: Option<u32>) -> Self {
        let met = match said {
            Said::NotApplicable => return Self::NotApplicable,
            Said::Yes => true,
            Said::No => false,
            Said::Measured { value } | Said::PerNotary { value, .. } => {
                threshold.is_some_and(|enough| value >= enough)
            }
        };
        match met {
            true => Self::Met,
            false => Self::Unmet,
        }
    }
}

impl Window {
    /// The items shipped with the hub.
    pub fn builtin() -> &'static Self {
        static WINDOW: LazyLock<Window> = LazyLock::new(|| {
            toml::from_str(BUILTIN).expect("hub/rules/window.toml is checked by a test")
        });
        &WINDOW
    }

    /// What is asked for today.
    pub fn asked(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.until.is_none())
    }

    /// Every item that is asked for is answered once, in its form.
    pub(super) fn check(&self, answers: &[Answer]) -> Result<(), FilingError> {
        let error = |expected, zh| Err(FilingError::new("items", expected, zh));
        let answered: HashSet<&str> = answers.iter().map(|answer| answer.item.as_str()).collect();
        if answered.len() != answers.len() || answers.len() != self.asked().count() {
            return error(
                "one answer to each item of hub/rules/window.toml",
                "请逐项填报，每项一次。",
            );
        }
        for answer in answers {
            let Some(item) = self.asked().find(|item| item.id == answer.item) else {
                return error(
                    "items of hub/rules/window.toml",
                    "没有这个自评项目，请刷新后重新填报。",
                );
            };
            let fits = match (answer.said, &item.form) {
                (Said::NotApplicable, _) => item.condition,
                (Said::Measured { .. }, form) => matches!(form, Form::Measure { .. }),
                (Said::PerNotary { notaries, .. }, form) => {
                    matches!(form, Form::PerNotary { .. }) && notaries > 0
                }
                (Said::Yes | Said::No, form) => *form == Form::YesNo {},
            };
            let evidence = &answer.evidence;
            if long_number::is_in(evidence) {
                return Err(FilingError::number(format!("items.{}.evidence", item.id)));
            }
            if !fits
                || evidence.chars().count() > EVIDENCE_CHARS
                || evidence.chars().any(char::is_control)
            {
                return error(
                    "an answer in the form of its item, with evidence of up to 500 characters",
                    "答案与该项的填报方式不符，或者依据超过 500 字。",
                );
            }
        }
        Ok(())
    }

    /// Every item beside its answer, at a level: what is asked for today, and what was when it was answered.
    pub fn judge<'a>(&'a self, level: Level, answers: &'a [Answer]) -> Vec<Judged<'a>> {
        let judged = self.items.iter().filter_map(|item| {
            let answer = answers.iter().find(|answer| answer.item == item.id);
            if answer.is_none() && item.until.is_some() {
                return None;
            }
            let threshold = match answer.map(|answer| answer.said) {
                Some(Said::PerNotary { notaries, .. }) => Some(notaries),
                _ => item.form.threshold(level),
            };
            Some(Judged {
                item,
                answer,
                threshold,
                verdict: answer.map_or(Verdict::Unanswered, |answer| {
                    Verdict::of(answer.said, threshold)
                }),
            })
        });
        judged.collect()
    }

    /// What answers come to at a level. An item that is newer than they are does not count.
    pub fn score(&self, level: Level, answers: &[Answer]) -> Score {
        let mut score = Score::default();
        for judged in self.judge(level, answers) {
            match judged.verdict {
                Verdict::Met => score.met += 1,
                Verdict::Unmet => score.unmet.push(judged.item.id.clone()),
                Verdict::NotApplicable | Verdict::Unanswered => continue,
            }
            score.of += 1;
        }
        score
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Everything is there, the office has 300 m² and its lobby 40, and a computer for each of its six notaries.
    pub(crate) fn answers() -> Vec<Answer> {
        Window::builtin()
            .asked()
            .map(|item| Answer {
                item: item.id.clone(),
                said: match item.form {
                    Form::YesNo {} => Said::Yes,
                    Form::Measure { municipal: 500, .. } => Said::Measured { value: 300 },
                    Form::Measure { .. } => Said::Measured { value: 40 },
                    Form::PerNotary { .. } => Said::PerNotary {
                        value: 6,
                        notaries: 6,
                    },
                },
                evidence: String::new(),
            })
            .collect()
    }

    #[test]
    fn what_is_enough_for_a_county_is_not_for_the_city() {
        let window = Window::builtin();
        window.check(&answers()).expect("whole");
        let city = window.score(Level::Municipal, &answers());
        assert_eq!(city.unmet, ["1.area", "3.lobby"]);
        let county = window.score(Level::County, &answers());
        let items = window.asked().count();
        assert_eq!((county.met, county.of), (items, items));
    }

    #[test]
    fn each_notary_has_a_computer_and_each_device_is_counted() {
        let window = Window::builtin();
        let mut few = answers();
        for answer in &mut few {
            match answer.item.as_str() {
                "7.computer" => {
                    answer.said = Said::PerNotary {
                        value: 5,
                        notaries: 6,
                    }
                }
                "7.fax" => answer.said = Said::Measured { value: 0 },
                _ => {}
            }
        }
        window.check(&few).expect("whole");
        assert_eq!(
            window.score(Level::County, &few).unmet,
            ["7.computer", "7.fax"]
        );
        let judged = window.judge(Level::County, &few);
        let computers = judged.iter().find(|one| one.item.id == "7.computer");
        assert_eq!(computers.and_then(|one| one.threshold), Some(6));
        let nobody = answers()
            .into_iter()
            .map(|answer| match answer.item.as_str() {
                "7.computer" => Answer {
                    said: Said::PerNotary {
                        value: 0,
                        notaries: 0,
                    },
                    ..answer
                },
                _ => answer,
            });
        assert!(window.check(&nobody.collect::<Vec<_>>()).is_err());
    }

    /// As it was stored when several things were one question.
    #[test]
    fn an_assessment_of_before_keeps_its_items_and_its_score() {
        let window = Window::builtin();
        let older: Vec<Answer> = serde_json::from_str(
            r#"[{"item": "1.area", "answer": "measured", "value": 300, "evidence": ""},
                {"item": "3.rooms", "answer": "yes", "evidence": "照片"},
                {"item": "4.published", "answer": "no"}]"#,
        )
        .expect("answers");
        let score = window.score(Level::County, &older);
        assert_eq!(
            (score.met, score.of, score.unmet),
            (2, 3, vec!["4.published".to_owned()])
        );
        let judged = window.judge(Level::County, &older);
        let verdict = |id: &str| {
            judged
                .iter()
                .find(|one| one.item.id == id)
                .map(|one| one.verdict)
        };
        assert_eq!(verdict("3.rooms"), Some(Verdict::Met));
        assert_eq!(verdict("3.printing"), Some(Verdict::Unanswered));
        // What nobody asks for any more and nobody said is not there, and nobody can say it again.
        assert_eq!(verdict("11.rules"), None);
        assert!(window.check(&older).is_err());
    }

    #[test]
    fn an_item_that_came_later_is_unanswered_and_counts_neither_way() {
        let window = Window::builtin();
        let mut older = answers();
        older.pop();
        let judged = window.judge(Level::County, &older);
        assert_eq!(
            judged.last().map(|one| one.verdict),
            Some(Verdict::Unanswered)
        );
        let score = window.score(Level::County, &older);
        let left = window.asked().count() - 1;
        assert_eq!((score.met, score.of), (left, left));
        assert_eq!(judged[0].threshold, Some(200));
    }

    #[test]
    fn a_key_that_an_item_does_not_know_is_refused() {
        for (right, wrong) in [
            ("form = \"yes_no\"", "form = \"yes_no\", unit = \"㎡\""),
            ("form = \"measure\"", "form = \"measure\", province = 3"),
        ] {
            assert!(BUILTIN.contains(right), "{right}");
            assert!(toml::from_str::<Window>(&BUILTIN.replacen(right, wrong, 1)).is_err());
        }
    }

    #[test]
    fn a_number_in_evidence_is_refused_by_the_item() {
        let mut numbered = answers();
        numbered[0].evidence = "见 110105 19491231 002X".to_owned();
        let error = Window::builtin().check(&numbered).expect_err("a number");
        assert_eq!(error.field, "items.1.area.evidence");
        assert_eq!(error.reason, crate::refusal::Reason::NumberInText);
    }

    #[test]
    fn an_item_left_out_twice_or_not_to_be_left_out_is_refused() {
        let window = Window::builtin();
        let mut left_out = answers();
        left_out.pop();
        assert!(window.check(&left_out).is_err());
        let mut twice = answers();
        twice[1] = twice[0].clone();
        assert!(window.check(&twice).is_err());
        let mut excused = answers();
        excused[2].said = Said::NotApplicable;
        assert!(window.check(&excused).is_err());
        // 有条件的.
        excused = answers();
        excused[1].said = Said::NotApplicable;
        assert!(window.check(&excused).is_ok());
    }
}
