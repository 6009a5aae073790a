//! Handing a filing in, and by when it was due.

use serde_json::json;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Filing, FilingError, FilingKind, SubmitError};
use crate::audit::{Action, Actor, Audit, Entry, Outcome};
use crate::local_time::local_day;
use crate::statistics::calendar::Calendar;
use crate::store;
use crate::store::scope::Scope;
use crate::store::token_key::Told;
use crate::supervision::rule::Rules;
use crate::supervision::worker::Supervision;

/// A filing as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub recorded_at: OffsetDateTime,
    /// The last day on which it was in time, where there is one.
    pub due_on: Option<Date>,
    pub late: bool,
}

/// What the hub knows of what a filing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Nothing,
    /// The day on which the case did what is reported.
    Case(Date),
    /// The complaint or review that it closes.
    Grievance(FilingKind, Date),
}

/// The last day on which it is in time. An office's own word moves no limit that the hub can count itself: from what a case
/// did, from the end of the period, and for an outcome from the day on which the decision was due at the latest.
fn due_on(rules: &Rules, calendar: &Calendar, filing: &Filing, known: Known) -> Option<Date> {
    let said = filing.body.begins_on();
    let from = match known {
        Known::Nothing => said,
        Known::Case(day) => Some(day),
        Known::Grievance(kind, received_on) => {
            let latest = rules.outcome_due(kind, received_on, calendar);
            [said, latest].into_iter().flatten().min()
        }
    };
    rules.deadlines.due_on(filing.body.kind(), from, calendar)
}

/// Hands a filing in whose tokens are made with the key `told`, as whoever files may for the own office; the same
/// `filing_id` again has no second effect. What a person files is recorded before it is stored.
pub async fn submit(
    supervision: &Supervision,
    audit: &Audit,
    scope: Scope,
    told: Told,
    filing: &Filing,
) -> Result<Receipt, SubmitError> {
    if let Some(account_id) = filing.filed_by {
        audit.append(filing.entry(account_id)).await?;
    }
    let today = local_day(OffsetDateTime::now_utc());
    // What it is about is over, a period to its last day.
    let happened_on = filing.body.happened_on();
    if happened_on.is_some_and(|day| day > today) {
        return Err(SubmitError::Field(FilingError::new(
            "detail",
            "a day that has come",
            "日期不得晚于今天。",
        )));
    }
    let Supervision {
        pool,
        rules,
        calendar,
    } = supervision;
    let known = store::filing::known(pool, filing).await?;
    let due_on = due_on(&rules.rules(), calendar, filing, known);
    store::tx::retried("filing.submit", || {
        store::filing::record::record(pool, scope, told, filing, due_on)
    })
    .await
}

impl Filing {
    fn entry(&self, account_id: Uuid) -> Entry {
        let detail = json!({ "filing": self.filing_id, "kind": self.body.kind() });
        let actor = Actor::Account(account_id);
        Entry {
            office_id: Some(self.office_id),
            ..Entry::of(actor, Action::SubmitFiling, Outcome::Done, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::filing::body::Body;

    #[test]
    fn no_office_chooses_the_day_on_which_it_would_have_been_late() {
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let due = |kind: FilingKind, detail: &str, known| {
            let filing = Filing {
                office_id: "hzgl".parse().expect("an id"),
                filing_id: Uuid::nil(),
                body: Body::parse(kind, detail).expect("a body"),
                source_case_id: None,
                text: String::new(),
                filed_by: None,
            };
            due_on(&rules, &calendar, &filing, known)
        };
        // A self-assessment is due behind its year, whenever the office assessed itself.
        let assessed = due(
            FilingKind::SelfAssessment,
            r#"{"assessed_on": "2024-03-01", "items": []}"#,
            Known::Nothing,
        );
        assert_eq!(assessed, Some(date!(2025 - 02 - 05)));
        // A month's paper behind the month, whatever part of it is reported.
        let paper = due(
            FilingKind::SpecialPaper,
            r#"{"period": {"first_day": "2024-06-03", "last_day": "2024-08-20"}, "movements": []}"#,
            Known::Nothing,
        );
        assert_eq!(paper, Some(date!(2024 - 07 - 05)));
        // A complaint of 2024-07-01 was to be decided by 07-22; whenever the office says it decided, 07-25 is the last day.
        let outcome = r#"{"about": "00000000-0000-0000-0000-000000000000", "decided_on": "2024-09-01", "result": "upheld"}"#;
        let about = Known::Grievance(FilingKind::Complaint, date!(2024 - 07 - 01));
        assert_eq!(
            due(FilingKind::Outcome, outcome, about),
            Some(date!(2024 - 07 - 25))
        );
        // The case says when it was revoked.
        let account = r#"{"decided_on": "2024-09-01", "responsible_licence_no": "N1", "measure": "admonished"}"#;
        let revoked = Known::Case(date!(2024 - 07 - 01));
        assert_eq!(
            due(FilingKind::Accountability, account, revoked),
            Some(date!(2024 - 07 - 22))
        );
    }
}
