//! What the hub holds of an office, for its agent to compare with what it has sent.

use metrics::gauge;
use sqlx::PgPool;
use time::macros::date;
use time::{Date, Duration};

use crate::identity::OfficeIdentity;
use crate::store::case::digest;
pub use crate::store::case::digest::{CaseDigest, Drift, MonthDigest};
use crate::telemetry::metrics::FEED_DRIFT;

/// Months listed case by case in one call at most.
const MONTHS: usize = 24;
/// Month of the cases that have neither been accepted nor applied for.
const NO_MONTH: Date = date!(1970 - 01 - 01);

/// Why months cannot be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MonthsError {
    #[error("at most 24 months")]
    TooMany,
    #[error("days since 1970-01-01 of a month's first day")]
    NotAFirstDay,
}

/// Reads the months that an agent asks for.
pub fn months(days: &[i32]) -> Result<Vec<Date>, MonthsError> {
    if days.len() > MONTHS {
        return Err(MonthsError::TooMany);
    }
    days.iter()
        .map(|days| {
            NO_MONTH
                .checked_add(Duration::days((*days).into()))
                .filter(|day| day.day() == 1)
                .ok_or(MonthsError::NotAFirstDay)
        })
        .collect()
}

/// Takes what an agent found by comparing.
pub async fn found(pool: &PgPool, office: OfficeIdentity, drift: Drift) -> Result<(), sqlx::Error> {
    let office_id = office.office_id;
    let mut writing = office.scope().write(pool).await?;
    digest::keep_drift(&mut writing, office_id, drift).await?;
    writing.commit().await?;
    let cases = drift
        .missing
        .saturating_add(drift.differing)
        .saturating_add(drift.only_at_hub);
    gauge!(FEED_DRIFT, "office" => office_id.to_string()).set(cases as f64);
    Ok(())
}

/// One digest for each month.
pub async fn by_month(
    pool: &PgPool,
    office: OfficeIdentity,
) -> Result<Vec<MonthDigest>, sqlx::Error> {
    let mut reading = office.scope().read(pool).await?;
    digest::by_month(&mut reading, office.office_id, NO_MONTH).await
}

/// Every case of the months.
pub async fn by_case(
    pool: &PgPool,
    office: OfficeIdentity,
    months: &[Date],
) -> Result<Vec<CaseDigest>, sqlx::Error> {
    let mut reading = office.scope().read(pool).await?;
    digest::by_case(&mut reading, office.office_id, months, NO_MONTH).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_by_their_first_days() {
        assert_eq!(months(&[0, 31]), Ok(vec![NO_MONTH, date!(1970 - 02 - 01)]));
        for odd in [1, 30, i32::MAX, i32::MIN] {
            assert_eq!(months(&[odd]), Err(MonthsError::NotAFirstDay), "{odd}");
        }
        assert_eq!(months(&[0; 25]), Err(MonthsError::TooMany));
    }
}
