//! Completeness and timeliness of every office's feed, measured: from sequences and from when a feed was last known to
//! be up to date, never from somebody's word (杭司〔2012〕122号附件（十一）4).

use std::time::Duration;

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool};
use time::{Date, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use super::calendar::Calendar;
use super::period::Span;
use crate::local_time::local_day;
use crate::store::feed::day::{self, Past, Sample, Standing};
use crate::store::tx;

/// How often feeds are looked at.
const EVERY: Duration = Duration::from_secs(600);
/// Working days that a feed may be behind: a computer that is off over the weekend is not late.
const LATE_AFTER: u32 = 1;

/// A feed as people judge it.
#[derive(Clone, Debug)]
pub struct Feed {
    pub standing: Standing,
    pub timeliness: Timeliness,
    /// Cases here of all that the office has offered: what waits and what is refused is missing.
    pub completeness: Option<f64>,
    /// Over the period asked for; `None` where nothing was measured.
    pub past: Option<Past>,
}

/// Whether a feed is up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeliness {
    OnTime,
    /// Working days since it was last up to date.
    Late(u32),
    /// It never was up to date.
    Never,
}

impl Timeliness {
    pub fn of(up_to_date_at: Option<OffsetDateTime>, today: Date, calendar: &Calendar) -> Self {
        let Some(at) = up_to_date_at else {
            return Self::Never;
        };
        match calendar.working_days_after(local_day(at), today) {
            days if days > LATE_AFTER => Self::Late(days),
            _ => Self::OnTime,
        }
    }
}

/// The feeds now and over a period, and when they were read; those of one office when it is named.
pub async fn feeds(
    moment: &mut PgConnection,
    period: Span,
    office: Option<OfficeId>,
) -> Result<(OffsetDateTime, Vec<Feed>), sqlx::Error> {
    let calendar = Calendar::builtin();
    let now = tx::now(moment).await?;
    let standings = day::standings(&mut *moment, office).await?;
    let past = day::past(&mut *moment, period.first, period.last).await?;
    let feeds = standings.into_iter().map(|standing| {
        let office_id = standing.office_id;
        Feed {
            timeliness: Timeliness::of(standing.up_to_date_at, local_day(now), &calendar),
            completeness: completeness(&standing),
            past: past
                .iter()
                .find(|past| past.office_id == office_id)
                .cloned(),
            standing,
        }
    });
    Ok((now, feeds.collect()))
}

fn completeness(standing: &Standing) -> Option<f64> {
    let missing = standing.open_rejects + standing.waiting;
    let offered = standing.cases + missing;
    (offered > 0).then(|| standing.cases as f64 / offered as f64)
}

/// Samples feeds and counts look-ups until it is stopped. Not at once: agents are still finding the hub again.
pub async fn run(pool: PgPool, calendar: Calendar, stop: CancellationToken) {
    loop {
        let next = tokio::time::sleep(EVERY);
        if stop.run_until_cancelled(next).await.is_none() {
            return;
        }
        if let Err(error) = sample(&pool, &calendar).await {
            tracing::warn!(%error, "the feeds could not be sampled");
        }
    }
}

/// One sample of every feed, and what was looked up since the one before.
pub async fn sample(pool: &PgPool, calendar: &Calendar) -> Result<(), sqlx::Error> {
    while day::count_lookups(pool).await? {}
    let now = OffsetDateTime::now_utc();
    let standings = day::standings(pool, None).await?;
    let samples: Vec<Sample<'_>> = standings
        .iter()
        .map(|standing| {
            let timeliness = Timeliness::of(standing.up_to_date_at, local_day(now), calendar);
            let lag = standing
                .up_to_date_at
                .map_or(0, |at| (now - at).whole_seconds());
            Sample {
                standing,
                late: timeliness != Timeliness::OnTime,
                lag_seconds: lag.max(0),
            }
        })
        .collect();
    day::add_samples(pool, local_day(now), &samples).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn a_weekend_and_a_holiday_make_nobody_late() {
        let calendar = Calendar::builtin();
        let friday = Some(datetime!(2024-09-27 17:00 +8));
        let on = |today| Timeliness::of(friday, today, &calendar);
        // Sunday 09-29 is worked; 10-01 to 10-07 are off.
        assert_eq!(on(date!(2024 - 09 - 28)), Timeliness::OnTime);
        assert_eq!(on(date!(2024 - 09 - 29)), Timeliness::OnTime);
        assert_eq!(on(date!(2024 - 09 - 30)), Timeliness::Late(2));
        assert_eq!(on(date!(2024 - 10 - 08)), Timeliness::Late(3));
        let never = Timeliness::of(None, date!(2024 - 09 - 28), &calendar);
        assert_eq!(never, Timeliness::Never);
    }
}
