//! What supervision points at and the day that it counts on, against what the city's offices did wrong.

use std::collections::{BTreeMap, BTreeSet};

use notary_hub::supervision::rule::Rules;
use sqlx::PgPool;
use synthetic_city::{BreachTruth, City};
use time::Date;

use super::Tally;

/// The outcome for the offices that take part.
#[derive(Clone, Debug)]
pub struct Breaches {
    /// Every rule that the hub ships.
    pub by_rule: BTreeMap<String, Tally>,
    /// Breaches that no finding points at.
    pub missed: Vec<String>,
    /// Findings that point at no breach: the offices do nothing else wrong.
    pub false_findings: Vec<String>,
}

impl Breaches {
    /// Compares the city with the hub's findings, judged on that day, for the offices at these positions.
    ///
    /// # Errors
    /// When the hub's database cannot be read.
    pub async fn take(
        city: &City,
        offices: &[usize],
        pool: &PgPool,
        judged_on: Date,
    ) -> anyhow::Result<Self> {
        let found = found(pool).await?;
        let (city, offices) = (city.clone(), offices.to_vec());
        Ok(
            tokio::task::spawn_blocking(move || Self::compare(&city, &offices, found, judged_on))
                .await?,
        )
    }

    fn compare(
        city: &City,
        offices: &[usize],
        found: BTreeSet<BreachTruth>,
        judged_on: Date,
    ) -> Self {
        let taking_part: BTreeSet<&str> = offices
            .iter()
            .map(|&office| city.offices()[office].id.as_str())
            .collect();
        let planted: BTreeSet<BreachTruth> = city
            .breaches(judged_on)
            .into_iter()
            .filter(|breach| taking_part.contains(breach.office_id.as_str()))
            .collect();
        let rules = Rules::builtin().rules.into_iter();
        let mut by_rule: BTreeMap<String, Tally> =
            rules.map(|rule| (rule.id, Tally::default())).collect();
        let mut count = |breach: &BreachTruth, add: fn(&mut Tally)| {
            add(by_rule.entry(breach.rule_id.clone()).or_default());
        };
        for breach in &planted {
            count(breach, |tally| tally.planted += 1);
        }
        for finding in &found {
            match planted.contains(finding) {
                true => count(finding, |tally| tally.found += 1),
                false => count(finding, |tally| tally.false_ones += 1),
            }
        }
        Self {
            by_rule,
            missed: planted.difference(&found).map(words).collect(),
            false_findings: found.difference(&planted).map(words).collect(),
        }
    }

    /// Everything that is not as it must be, in words; empty when all is well.
    pub fn complaints(&self) -> Vec<String> {
        let missed = self
            .missed
            .iter()
            .map(|what| format!("not pointed at: {what}"));
        let false_ones = self
            .false_findings
            .iter()
            .map(|what| format!("pointed at although nothing is wrong: {what}"));
        missed.chain(false_ones).collect()
    }
}

async fn found(pool: &PgPool) -> Result<BTreeSet<BreachTruth>, sqlx::Error> {
    let rows: Vec<(String, String, String, Option<Date>, bool)> = sqlx::query_as(
        "SELECT office_id, rule_id, about_key, happened_on, concluded FROM supervision_finding WHERE cleared_at IS NULL",
    )
    .fetch_all(pool)
    .await?;
    let finding = |(office_id, rule_id, about, happened_on, concluded)| BreachTruth {
        office_id,
        rule_id,
        about,
        happened_on,
        concluded,
    };
    Ok(rows.into_iter().map(finding).collect())
}

fn words(breach: &BreachTruth) -> String {
    let day = breach.happened_on.map(|day| day.to_string());
    let day = day.as_deref().unwrap_or("no day");
    let ended = if breach.concluded { ", ended" } else { "" };
    format!(
        "{}: {}/{} of {day}{ended}",
        breach.rule_id, breach.office_id, breach.about
    )
}
