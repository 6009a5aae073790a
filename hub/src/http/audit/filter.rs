//! Which entries are wanted.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::audit::{Action, Actor, Outcome};
use crate::export::subject::Days;
use crate::http::page;
use crate::http::problem::Problem;
use crate::statistics::period::day;
use crate::store::audit::Wanted;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    /// First day in Asia/Shanghai, e.g. 2024-01-31; from the beginning when absent.
    from: Option<String>,
    /// Last day, included; up to now when absent.
    to: Option<String>,
    /// 1 to 200; 50 when absent.
    pub(super) limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
    /// Id of an account, `office:` and the id of one whose certificate did it, operator, hub or nobody.
    actor: Option<String>,
    /// On behalf of this office.
    office_id: Option<String>,
    /// Code of what was done, as `action` of the entries.
    action: Option<String>,
    /// hit, no_hit, denied, begun, done or failed.
    outcome: Option<String>,
    /// The reference given with a look-up, or the key of the case that was read.
    case: Option<String>,
}

impl Filter {
    /// What was asked, for the entry about the asking.
    pub(super) fn asked(&self) -> Value {
        let given = [
            ("actor", &self.actor),
            ("office", &self.office_id),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("case", &self.case),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
        Value::Object(given.collect())
    }

    /// A file has all entries of its days; a filter that it does not follow is refused.
    pub(super) fn days_alone(&self) -> Result<(), Problem> {
        let others = [
            ("actor", &self.actor),
            ("office_id", &self.office_id),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("case", &self.case),
        ];
        match others.into_iter().find(|(_, value)| value.is_some()) {
            None => Ok(()),
            Some((name, _)) => Err(Problem::field(
                name,
                "nothing beside a file, which has all entries of its days",
            )),
        }
    }

    /// What the parameters ask for; the first that asks for nothing known is named.
    pub(super) fn wanted(&self) -> Result<Wanted<'_>, Problem> {
        let expected_action = "a code of an action, as the entries have them";
        let expected_outcome = "hit, no_hit, denied, begun, done or failed";
        let expected_actor = "an account's id, office: and an office's id, operator, hub or nobody";
        Ok(Wanted {
            actor: known(
                "actor",
                self.actor.as_deref(),
                Actor::from_code,
                expected_actor,
            )?,
            office: page::parsed("office_id", self.office_id.as_deref(), "an office's id")?,
            action: known(
                "action",
                self.action.as_deref(),
                Action::from_code,
                expected_action,
            )?,
            outcome: known(
                "outcome",
                self.outcome.as_deref(),
                Outcome::from_code,
                expected_outcome,
            )?,
            case: known(
                "case",
                self.case.as_deref(),
                reference,
                "1 to 64 characters",
            )?,
        })
    }

    /// The days that entries are of.
    pub(super) fn days(&self) -> Result<Days, Problem> {
        let read = |name: &str, text: Option<&str>| {
            let expected = "a day such as 2024-01-31";
            let day = text.map(|text| day(text).ok_or_else(|| Problem::field(name, expected)));
            day.transpose()
        };
        let first = read("from", self.from.as_deref())?;
        let last = read("to", self.to.as_deref())?;
        match first.zip(last).is_some_and(|(first, last)| last < first) {
            true => Err(Problem::field("to", "a day that is not before `from`")),
            false => Ok(Days { first, last }),
        }
    }
}

/// A filter that stands for something the hub knows, when it is given.
fn known<'a, T>(
    name: &str,
    text: Option<&'a str>,
    read: impl Fn(&'a str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, Problem> {
    text.map(|text| read(text).ok_or_else(|| Problem::field(name, expected)))
        .transpose()
}

/// No case has a control character in its key, and PostgreSQL and the log take none.
fn reference(text: &str) -> Option<&str> {
    let clean = !text.is_empty() && text.chars().count() <= 64 && !text.contains(char::is_control);
    clean.then_some(text)
}
