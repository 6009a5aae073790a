//! Every night, while offices are closed, the hub proves its own figures: what differs is an alarm, not a surprise in a
//! published report. It counts the persons whom offices served anew, too, by whatever linkage holds for one by then.

use std::time::Duration;

use metrics::gauge;
use sqlx::PgPool;
use time::macros::time;
use time::{Date, OffsetDateTime, Time};
use tokio_util::sync::CancellationToken;

use super::calendar::Calendar;
use super::verify::verify;
use crate::local_time::{SHANGHAI, local_day};
use crate::store::{figures::person_month, office::structure, tx};
use crate::telemetry::metrics::{STATISTICS_DIFFERENCES, STATISTICS_VERIFIED};

/// When, in Asia/Shanghai.
const AT: Time = time!(02:30);

/// How often a hub that has counted nobody yet looks whether there is somebody.
const FIRST_LOOKED_EVERY: Duration = Duration::from_secs(60);

/// Verifies and counts night after night until it is stopped.
pub async fn run(pool: PgPool, calendar: Calendar, stop: CancellationToken) {
    let nights = nights(&pool, &calendar, &stop);
    tokio::join!(count_first(&pool, &stop), nights);
}

/// The first count does not wait for the night.
async fn count_first(pool: &PgPool, stop: &CancellationToken) {
    let mut again = tokio::time::interval(FIRST_LOOKED_EVERY);
    let counting = async {
        loop {
            again.tick().await;
            match person_month::count_first(pool).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => told(Err(error)),
            }
        }
    };
    stop.run_until_cancelled(counting).await;
}

/// Offices are what a change that was dated ahead says of them from its day on; a hub that was down in the night catches up.
async fn rename(pool: &PgPool, today: Date) {
    match structure::rename_due(pool, today).await {
        Ok(0) => {}
        Ok(offices) => tracing::info!(offices, "offices are what they become from today on"),
        Err(error) => {
            let error = tx::describe(&error);
            tracing::error!(error, "offices are not yet what they become from today on");
        }
    }
}

async fn nights(pool: &PgPool, calendar: &Calendar, stop: &CancellationToken) {
    rename(pool, local_day(OffsetDateTime::now_utc())).await;
    loop {
        let night = tokio::time::sleep(until_night(OffsetDateTime::now_utc()));
        if stop.run_until_cancelled(night).await.is_none() {
            return;
        }
        // A stop in the middle of it leaves nothing behind.
        let work = async {
            rename(pool, local_day(OffsetDateTime::now_utc())).await;
            prove(pool, calendar).await;
            told(person_month::recount(pool).await.map(drop));
        };
        if stop.run_until_cancelled(work).await.is_none() {
            return;
        }
    }
}

fn told(counted: Result<(), sqlx::Error>) {
    if let Err(error) = counted {
        let error = tx::describe(&error);
        tracing::error!(error, "the persons whom offices served were not counted");
    }
}

/// Verifies once, and says in metrics and log what it came to.
pub async fn prove(pool: &PgPool, calendar: &Calendar) {
    match verify(pool, calendar).await {
        Ok(verification) => {
            let differences = verification.differences.len();
            gauge!(STATISTICS_DIFFERENCES).set(differences as f64);
            gauge!(STATISTICS_VERIFIED).set(OffsetDateTime::now_utc().unix_timestamp() as f64);
            let cells = verification.cells;
            match differences {
                0 => tracing::info!(cells, "the statistics are what the cases come to"),
                _ => tracing::error!(
                    cells,
                    differences,
                    "the statistics are not what the cases come to; see `notary-hub stats verify`"
                ),
            }
        }
        Err(error) => tracing::error!(%error, "the statistics could not be verified"),
    }
}

/// How long it is until the next night.
fn until_night(now: OffsetDateTime) -> Duration {
    let local = now.to_offset(SHANGHAI);
    let night = local.replace_time(AT);
    let night = match night > local {
        true => night,
        false => night + time::Duration::DAY,
    };
    (night - local).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_next_night_begins_at_half_past_two_in_hangzhou() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!(until_night(datetime!(2026-11-25 17:30 UTC)), hours(1));
        assert_eq!(until_night(datetime!(2026-11-25 18:30 UTC)), hours(24));
        assert_eq!(until_night(datetime!(2026-11-25 19:30 UTC)), hours(23));
    }
}
