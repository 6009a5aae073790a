//! The rules as data: which checks are made, with which parameters, how severe a hit is and on what article it rests.

use std::collections::HashSet;
use std::str::FromStr;

use linkage::matter::MatterType;
use linkage::vocabulary::{PartyRole, ReasonCode};
use serde::{Deserialize, Serialize};
use time::{Date, Duration};

use super::tariff::{Tariff, TariffError};
use crate::codes::{UnknownCode, codes};
use crate::filing::FilingKind;
use crate::filing::deadline::Deadlines;
use crate::statistics::calendar::Calendar;

/// The text of the rules shipped with the hub.
pub const BUILTIN: &str = include_str!("../../rules/supervision.toml");

/// How much a hit weighs.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    Serialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 严重
    Serious,
    /// 一般
    Ordinary,
    /// 提示
    Notice,
}

codes!(Severity {
    Serious = "serious" "严重",
    Ordinary = "ordinary" "一般",
    Notice = "notice" "提示",
});

/// What a rule looks at, with its parameters. Braces where there are none: serde knows unknown keys in these alone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    Scope {},
    InPerson {
        matters: Vec<MatterType>,
    },
    StepOrder {},
    ApprovalMissing {},
    ApprovedByHandler {},
    TimeLimit {
        working_days: u32,
    },
    FeeBelow {},
    FeeAbove {},
    ReductionUnexplained {},
    LegalAidNotReduced {},
    PracticeArea {
        except_matters: Vec<MatterType>,
    },
    PracticeAreaParty {
        matters: Vec<MatterType>,
        /// Whose domicile counts.
        roles: Vec<PartyRole>,
    },
    MajorUnreported {
        working_days: u32,
    },
    MajorNotFlagged {
        amount_fen: i64,
        parties: usize,
        cities: usize,
    },
    RefusalUnfiled {
        working_days: u32,
    },
    RefusedElsewhere {
        within_days: i64,
        except_reasons: Vec<ReasonCode>,
        /// Sealed: that there is a case of them is told to nobody.
        except_matters: Vec<MatterType>,
    },
    WrongCertificate {
        working_days: u32,
    },
    MajorNotDiscussed {},
    ComplaintOverdue {
        working_days: u32,
    },
    ReviewOverdue {
        days: i64,
    },
    Recusal {},
    PaperUsedTwice {},
    PaperOutOfRange {},
    PaperUnaccounted {},
}

/// The id of a rule: capitals, digits and underscores. Whether there is such a rule, the version in force says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleId(String);

impl RuleId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleId {
    type Err = UnknownCode;

    fn from_str(id: &str) -> Result<Self, UnknownCode> {
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        match (1..=64).contains(&id.len()) && id.chars().all(fits) {
            true => Ok(Self(id.to_owned())),
            false => Err(UnknownCode),
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Rule {
    pub id: String,
    /// Row of docs/notice-coverage.md.
    pub row: String,
    pub severity: Severity,
    pub title: String,
    /// What it rests on.
    pub article: String,
    /// Since when it binds: what happened earlier is not judged.
    pub since: Date,
    pub check: Check,
}

/// What every rule says, whatever it looks at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    row: String,
    severity: Severity,
    title: String,
    article: String,
    since: Day,
}

/// `check` and its parameters are beside the rest; a key that neither knows is refused.
impl TryFrom<toml::Table> for Rule {
    type Error = toml::de::Error;

    fn try_from(rule: toml::Table) -> Result<Self, toml::de::Error> {
        const HEAD: [&str; 6] = ["id", "row", "severity", "title", "article", "since"];
        let (head, check): (toml::Table, toml::Table) = rule
            .into_iter()
            .partition(|(key, _)| HEAD.contains(&key.as_str()));
        let head: Head = head.try_into()?;
        Ok(Self {
            id: head.id,
            row: head.row,
            severity: head.severity,
            title: head.title,
            article: head.article,
            since: head.since.0,
            check: check.try_into()?,
        })
    }
}

/// A date as TOML writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
pub struct Day(pub Date);

/// The rules in force, with the fees and the deadlines they refer to.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// That of the rules and that of the tariff, with a slash between.
    pub version: String,
    pub rules: Vec<Rule>,
    pub deadlines: Deadlines,
    pub tariff: Tariff,
}

/// Why a text is no set of rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("the rules are not what hub/rules/supervision.toml shows: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("rule {0} is there twice")]
    Twice(String),
    #[error("the id of a rule is 1 to 64 capitals, digits and underscores; it was {0:?}")]
    Id(String),
    #[error("`version` is 1 to 32 letters, digits, dots and hyphens, e.g. 2026-1; it was {0:?}")]
    Version(String),
    #[error(transparent)]
    Tariff(#[from] TariffError),
}

/// A TOML date-time that is no day.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected a day, e.g. 2021-11-20")]
pub struct NoDay;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: String,
    #[serde(rename = "rule")]
    rules: Vec<Rule>,
    deadlines: Deadlines,
}

impl TryFrom<toml::value::Datetime> for Day {
    type Error = NoDay;

    fn try_from(text: toml::value::Datetime) -> Result<Self, NoDay> {
        let date = text.date.filter(|_| text.time.is_none()).ok_or(NoDay)?;
        let month = time::Month::try_from(date.month).map_err(|_| NoDay)?;
        Date::from_calendar_date(date.year.into(), month, date.day)
            .map(Self)
            .map_err(|_| NoDay)
    }
}

impl Rules {
    /// The rules shipped with the hub.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN, Tariff::builtin())
            .expect("hub/rules/supervision.toml is checked by a test")
    }

    /// Reads rules in the form of `hub/rules/supervision.toml`.
    pub fn parse(toml: &str, tariff: Tariff) -> Result<Self, RulesError> {
        let text: Text = toml::from_str(toml)?;
        let mut seen = HashSet::new();
        if let Some(rule) = text
            .rules
            .iter()
            .find(|rule| rule.id.parse::<RuleId>().is_err())
        {
            return Err(RulesError::Id(rule.id.clone()));
        }
        if let Some(twice) = text.rules.iter().find(|rule| !seen.insert(&rule.id)) {
            return Err(RulesError::Twice(twice.id.clone()));
        }
        for version in [&text.version, &tariff.version] {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            if !(1..=32).contains(&version.len()) || !version.chars().all(fits) {
                return Err(RulesError::Version(version.clone()));
            }
        }
        Ok(Self {
            version: format!("{}/{}", text.version, tariff.version),
            rules: text.rules,
            deadlines: text.deadlines,
            tariff,
        })
    }

    /// The last day of the outcome of a complaint or a review that came on a day.
    pub fn outcome_due(
        &self,
        kind: FilingKind,
        received_on: Date,
        calendar: &Calendar,
    ) -> Option<Date> {
        let checks = self.rules.iter().map(|rule| &rule.check);
        checks
            .filter_map(|check| check.outcome_due(kind, received_on, calendar))
            .min()
    }

    /// The version of the rules' own text.
    pub fn own_version(&self) -> &str {
        let own = self.version.split_once('/');
        own.map_or(&self.version, |(own, _)| own)
    }

    /// The rule of that id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

impl Check {
    /// The last day of the outcome of a filing, if it is of the kind that this looks at.
    pub fn outcome_due(
        &self,
        kind: FilingKind,
        received_on: Date,
        calendar: &Calendar,
    ) -> Option<Date> {
        match (self, kind) {
            (Self::ComplaintOverdue { working_days }, FilingKind::Complaint) => {
                Some(calendar.limit_after(received_on, *working_days))
            }
            (Self::ReviewOverdue { days }, FilingKind::Review) => {
                Some(received_on.saturating_add(Duration::days(*days)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_rule_names_its_article_and_a_row_of_the_notice() {
        for rule in Rules::builtin().rules {
            assert!(
                !rule.article.is_empty() && !rule.title.is_empty(),
                "{}",
                rule.id
            );
            let row: u32 = rule.row[1..].parse().expect("N and a number");
            assert!((1..=24).contains(&row), "{}", rule.id);
        }
    }

    #[test]
    fn a_rule_twice_or_with_an_unknown_check_is_refused() {
        let twice = BUILTIN.replace("STEP_ORDER", "TIME_LIMIT");
        assert!(matches!(
            Rules::parse(&twice, Tariff::builtin()),
            Err(RulesError::Twice(id)) if id == "TIME_LIMIT"
        ));
        let unknown = BUILTIN.replace("\"step_order\"", "\"step_disorder\"");
        assert!(matches!(
            Rules::parse(&unknown, Tariff::builtin()),
            Err(RulesError::Toml(_))
        ));
    }

    #[test]
    fn no_finding_tells_of_what_is_sealed() {
        let matters = crate::rules::Rules::shipped().current();
        for rule in Rules::builtin().rules {
            let Check::RefusedElsewhere { except_matters, .. } = rule.check else {
                continue;
            };
            for matter in MatterType::all() {
                let sealed = matters
                    .disclosure(matter)
                    .is_some_and(|disclosure| disclosure.sealed_until.is_some());
                assert_eq!(
                    except_matters.contains(&matter),
                    sealed,
                    "{}",
                    matter.code()
                );
            }
        }
    }

    #[test]
    fn a_key_that_a_rule_does_not_know_is_refused_wherever_it_stands() {
        for (right, wrong) in [
            (
                "check = \"step_order\"",
                "check = \"step_order\"\nworking_days = 3",
            ),
            (
                "working_days = 15\nrow = \"N4\"",
                "working_days = 15\ndays = 15\nrow = \"N4\"",
            ),
            ("row = \"N3\"", "row = \"N3\"\nsevereness = \"serious\""),
            ("remind = 3", "remind = 3\nremind_again = 3"),
        ] {
            assert!(BUILTIN.contains(right), "{right}");
            let text = BUILTIN.replacen(right, wrong, 1);
            let read = Rules::parse(&text, Tariff::builtin());
            assert!(matches!(read, Err(RulesError::Toml(_))), "{wrong}");
        }
        let without = BUILTIN.replacen("since = ", "# since = ", 1);
        assert!(Rules::parse(&without, Tariff::builtin()).is_err());
    }
}
