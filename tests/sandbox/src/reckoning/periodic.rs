//! Periodic filings that the hub misses, against those that the city's offices left out.

use std::collections::BTreeSet;

use sqlx::PgPool;
use synthetic_city::{City, Filing};
use time::{Date, Duration, Month};

/// What is wanted of every office (杭司〔2012〕122号), and of how many months once.
const WANTED: [(&str, u8); 5] = [
    ("service_counts", 1),
    ("special_paper", 1),
    ("satisfaction", 3),
    ("quality_follow_up", 3),
    ("self_assessment", 12),
];
/// Every deadline has passed after so many days.
const LATEST: Duration = Duration::days(60);
/// So far back at the least a hub looks for what is missing.
const BACK: Duration = Duration::days(700);

/// The outcome for the offices that take part.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Filings that were left out, and are missing.
    pub missing: usize,
    /// What is missing although it came, or came not and is not missing, in words.
    pub differences: Vec<String>,
}

/// Office, kind and last day of the period.
type Wanted = (String, String, Date);

impl LeftOut {
    /// Compares what these offices filed with what the hub misses on that day, of periods whose deadlines had all passed.
    /// They took part long before.
    ///
    /// # Errors
    /// When the hub's database cannot be read.
    pub async fn take(
        city: &City,
        filed: &[(usize, Vec<Filing>)],
        pool: &PgPool,
        judged_on: Date,
    ) -> Result<Self, sqlx::Error> {
        let asked = (judged_on - BACK, judged_on - LATEST);
        let missing: Vec<Wanted> = sqlx::query_as(
            "SELECT office_id, kind, last_day FROM filing_missing WHERE last_day BETWEEN $1 AND $2",
        )
        .bind(asked.0)
        .bind(asked.1)
        .fetch_all(pool)
        .await?;
        let missing: BTreeSet<Wanted> = missing.into_iter().collect();
        let left_out: BTreeSet<Wanted> = filed
            .iter()
            .flat_map(|(office, filings)| {
                let office_id = city.offices()[*office].id.as_str().to_owned();
                let left_out = left_out(filings, asked).into_iter();
                left_out.map(move |(kind, last)| (office_id.clone(), kind.to_owned(), last))
            })
            .collect();
        let words = |what: &str, (office, kind, last): &Wanted| {
            format!("{kind} of {office} for the time until {last} {what}")
        };
        let accused = missing.difference(&left_out);
        let accused = accused.map(|one| words("is missing although it came", one));
        let unseen = left_out.difference(&missing);
        let unseen = unseen.map(|one| words("never came and is not missing", one));
        Ok(Self {
            missing: missing.len(),
            differences: accused.chain(unseen).collect(),
        })
    }
}

/// Kinds with the ends of periods, between these days, of which an office filed nothing.
fn left_out(filings: &[Filing], (from, to): (Date, Date)) -> Vec<(&'static str, Date)> {
    let mut left_out = Vec::new();
    for (kind, months) in WANTED {
        let about = filings.iter().filter(|filing| filing.kind == kind);
        let about: Vec<Date> = about.filter_map(about_on).collect();
        let mut last = from;
        while last <= to {
            let next = last.next_day().unwrap_or(last);
            if next.day() == 1 && (u8::from(next.month()) - 1) % months == 0 {
                let first = months_before(next, months);
                if !about.iter().any(|on| first <= *on && *on <= last) {
                    left_out.push((kind, last));
                }
            }
            last = next;
        }
    }
    left_out
}

/// The day that a periodic filing is about.
fn about_on(filing: &Filing) -> Option<Date> {
    let day = filing.fields.pointer("/period/last_day");
    let day = day.or_else(|| filing.fields.get("assessed_on"))?;
    let form = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(day.as_str()?, form).ok()
}

/// The first of a month, so many months earlier: of one a year at most.
fn months_before(first: Date, months: u8) -> Date {
    let at = u8::from(first.month()) + 12 - months;
    let year = first.year() - i32::from(at <= 12);
    let month = Month::try_from((at - 1) % 12 + 1).unwrap_or(Month::January);
    Date::from_calendar_date(year, month, 1).unwrap_or(first)
}
