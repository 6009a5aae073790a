//! The self-assessment of an office's window: every item of the annex, with the thresholds of the office's level. An
//! office says what there is; whether that is enough follows from the item.

use std::collections::HashSet;
use std::sync::LazyLock;

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
pub struct Item {
    pub id: String,
    pub annex: String,
    pub text: String,
    #[serde(default)]
    pub condition: bool,
    #[serde(flatten)]
    pub form: Form,
}

/// How an item is answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Form {
    YesNo,
    Measure {
        unit: String,
        municipal: u32,
        county: u32,
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
}

/// What an assessment comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Score {
    pub met: usize,
    /// Items that apply.
    pub of: usize,
    /// Ids of the items that are not met.
    pub unmet: Vec<String>,
}

impl Window {
    /// The items shipped with the hub.
    pub fn builtin() -> &'static Self {
        static WINDOW: LazyLock<Window> = LazyLock::new(|| {
            toml::from_str(BUILTIN).expect("hub/rules/window.toml is checked by a test")
        });
        &WINDOW
    }

    /// Every item is answered once, in its form.
    pub(super) fn check(&self, answers: &[Answer]) -> Result<(), FilingError> {
        let error = |expected| Err(FilingError::new("items", expected));
        let answered: HashSet<&str> = answers.iter().map(|answer| answer.item.as_str()).collect();
        if answered.len() != answers.len() || answers.len() != self.items.len() {
            return error("one answer to each item of hub/rules/window.toml");
        }
        for answer in answers {
            let Some(item) = self.items.iter().find(|item| item.id == answer.item) else {
                return error("items of hub/rules/window.toml");
            };
            let fits = match (answer.said, &item.form) {
                (Said::NotApplicable, _) => item.condition,
                (Said::Measured { .. }, form) => matches!(form, Form::Measure { .. }),
                (Said::Yes | Said::No, form) => *form == Form::YesNo,
            };
            let evidence = &answer.evidence;
            if !fits
                || evidence.chars().count() > EVIDENCE_CHARS
                || evidence.chars().any(char::is_control)
            {
                return error(
                    "an answer in the form of its item, with evidence of up to 500 characters",
                );
            }
        }
        Ok(())
    }

    /// What checked answers come to at a level.
    pub fn score(&self, level: Level, answers: &[Answer]) -> Score {
        let mut score = Score::default();
        for answer in answers {
            let form = self
                .items
                .iter()
                .find(|item| item.id == answer.item)
                .map(|item| &item.form);
            let met = match (answer.said, form) {
                (Said::NotApplicable, _) | (_, None) => continue,
                (Said::Yes, _) => true,
                (
                    Said::Measured { value },
                    Some(Form::Measure {
                        municipal, county, ..
                    }),
                ) => {
                    value
                        >= match level {
                            Level::Municipal => *municipal,
                            Level::County => *county,
                        }
                }
                _ => false,
            };
            score.of += 1;
            match met {
                true => score.met += 1,
                false => score.unmet.push(answer.item.clone()),
            }
        }
        score
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Everything is there, the office has 300 m² and its lobby 40.
    pub(crate) fn answers() -> Vec<Answer> {
        let items = Window::builtin().items.iter();
        items
            .map(|item| Answer {
                item: item.id.clone(),
                said: match item.form {
                    Form::YesNo => Said::Yes,
                    Form::Measure { municipal: 500, .. } => Said::Measured { value: 300 },
                    Form::Measure { .. } => Said::Measured { value: 40 },
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
        assert_eq!((county.met, county.of), (35, 35));
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
