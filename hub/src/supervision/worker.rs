//! Takes up cases that ingest has put down, and those of which a limit passes: reads their facts, judges them, and
//! brings the findings to what the rules hit. A row that fails is tried again later and later, in halves where it has
//! several cases, and set aside in the end (`background`).

use std::sync::Arc;
use std::time::Duration;

use linkage::office::OfficeId;
use metrics::{counter, gauge};
use sqlx::PgPool;
use time::{Date, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use super::About;
use super::edition::Current;
use super::evaluate::Judge;
use super::participation::Participation;
use super::reminder::{Periods, Reminder};
use crate::background::{Cause, Course, rest_after};
use crate::filing::deadline::Every;
use crate::local_time::local_day;
use crate::statistics::calendar::Calendar;
use crate::store::filing::missing;
use crate::store::supervision::work::{self, Work};
use crate::store::supervision::{facts, finding, hits, participation, reminder};
use crate::store::tx;
use crate::telemetry::metrics::{
    SUPERVISION_FINDINGS, SUPERVISION_LAG, SUPERVISION_SET_ASIDE, SUPERVISION_WAITING,
};
use crate::traffic::{self, Traffic};

/// How long a row is a worker's own.
const LEASE: Duration = Duration::from_secs(120);
/// How often an idle worker looks for work.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it rests after a failure: the row at fault rests longer, and the database may be away.
const REST: Duration = Duration::from_millis(500);
/// So far back missing periods are looked for; what was found missing before stays so until it comes, or its office is
/// revoked.
const LOOKS_BACK: time::Duration = time::Duration::days(2 * 366);
/// How often limits that pass are looked for, and what waits is measured.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// With what cases are judged, whoever does it.
#[derive(Clone, Debug)]
pub struct Supervision {
    pub pool: PgPool,
    /// In force.
    pub rules: Current,
    pub calendar: Arc<Calendar>,
}

impl Supervision {
    pub fn new(pool: PgPool, rules: Current, calendar: Calendar) -> Self {
        Self {
            pool,
            rules,
            calendar: Arc::new(calendar),
        }
    }

    /// Runs until it is stopped, yielding to `traffic`; what is under way is finished.
    pub async fn run(self, traffic: Traffic, stop: CancellationToken) {
        let mut swept: Option<tokio::time::Instant> = None;
        let mut follows_calendar = false;
        while let Some(turn) = stop
            .run_until_cancelled(traffic.turn(traffic::Work::Supervision))
            .await
        {
            if swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) {
                if !follows_calendar {
                    follows_calendar = self.followed_calendar().await;
                }
                self.sweep().await;
                swept = Some(tokio::time::Instant::now());
            }
            let stepped = self.step(local_day(OffsetDateTime::now_utc())).await;
            drop(turn);
            let pause = match stepped {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    tracing::error!(
                        error = tx::describe(&error),
                        "cases could not be judged by the rules"
                    );
                    REST
                }
            };
            if stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    /// Judges until nothing waits.
    pub async fn drain(&self, today: Date) -> Result<(), sqlx::Error> {
        while self.step(today).await? {}
        Ok(())
    }

    /// Takes up what a day brings though nothing happens, and judges until nothing waits.
    pub async fn look(&self, today: Date) -> Result<(), sqlx::Error> {
        work::put_due(&self.pool, today).await?;
        self.drain(today).await
    }

    /// Limits are counted by the calendar: with another one every case is judged again.
    pub async fn follow_calendar(&self) -> Result<(), sqlx::Error> {
        let cases = work::put_all_if_due(&self.pool, self.calendar.fingerprint()).await?;
        if let Some(cases @ 1..) = cases {
            tracing::info!(cases, "the calendar is another; all cases are judged again");
        }
        Ok(())
    }

    /// Once in a hub's life: while hubs of two calendars run beside each other, neither undoes the other's work for ever.
    async fn followed_calendar(&self) -> bool {
        let followed = self.follow_calendar().await;
        if let Err(error) = &followed {
            let error = tx::describe(error);
            tracing::error!(error, "cases were not judged again by this calendar");
        }
        followed.is_ok()
    }

    async fn sweep(&self) {
        let swept = async {
            work::retry_set_aside(&self.pool, &self.rules.rules().version).await?;
            work::put_due(&self.pool, local_day(OffsetDateTime::now_utc())).await?;
            let waiting = work::waiting(&self.pool).await?;
            gauge!(SUPERVISION_WAITING).set(waiting.cases as f64);
            gauge!(SUPERVISION_LAG).set(waiting.lag_seconds);
            gauge!(SUPERVISION_SET_ASIDE).set(waiting.set_aside as f64);
            Ok::<_, sqlx::Error>(())
        };
        if let Err(error) = swept.await {
            tracing::error!(
                error = tx::describe(&error),
                "limits that pass were not looked for"
            );
        }
    }

    /// Does one row of work; false when there was none.
    async fn step(&self, today: Date) -> Result<bool, sqlx::Error> {
        let Some(work) = work::take(&self.pool, LEASE).await? else {
            return Ok(false);
        };
        match Course::of(work.attempt, work.cases.len()) {
            Course::Do => self.attempt(&work, today).await?,
            Course::Split => work::split(&self.pool, &work).await?,
            Course::SetAside => {
                tracing::error!(
                    office = %work.office_id,
                    cases = work.cases.len(),
                    cause = work.cause.map(Cause::code),
                    "work of supervision failed again and again and is set aside; see `notary-hub work set-aside`"
                );
                work::set_aside(&self.pool, &work, &self.rules.rules().version).await?;
            }
        }
        Ok(true)
    }

    async fn attempt(&self, work: &Work, today: Date) -> Result<(), sqlx::Error> {
        match tx::retried("supervision.judge", || self.judge(work, today)).await {
            Ok(opened) => counter!(SUPERVISION_FINDINGS).increment(opened),
            Err(error) => {
                let rest = rest_after(work.attempt);
                work::give_back(&self.pool, work, Cause::from(&error), rest).await?;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn judge(&self, work: &Work, today: Date) -> Result<u64, sqlx::Error> {
        let mut transaction = tx::begin(&self.pool).await?;
        work::lock_office(&mut transaction, work.office_id).await?;
        let rules = self.rules.held(&mut transaction).await?;
        let judge = Judge {
            rules: &rules,
            calendar: &self.calendar,
            today,
        };
        let office_id = work.office_id;
        let opened = match work.cases.is_empty() {
            true => {
                self.judge_office(&mut transaction, &judge, office_id)
                    .await?
            }
            false => {
                let keys = &work.cases;
                let opened = self
                    .judge_cases(&mut transaction, &judge, office_id, keys)
                    .await?;
                let mut others =
                    facts::accepted_elsewhere(&mut transaction, office_id, keys).await?;
                others.extend(finding::resting_on(&mut transaction, office_id, keys).await?);
                let others: Vec<_> = others
                    .iter()
                    .map(|(office, case)| (*office, case.as_str()))
                    .collect();
                work::add_cases(&mut transaction, &others).await?;
                opened
            }
        };
        work::finish(&mut transaction, work).await?;
        transaction.commit().await?;
        Ok(opened)
    }

    async fn judge_office(
        &self,
        connection: &mut sqlx::PgConnection,
        judge: &Judge<'_>,
        office_id: OfficeId,
    ) -> Result<u64, sqlx::Error> {
        let filings = facts::filings(connection, office_id).await?;
        let outcomes = judge.awaited_outcomes(&filings).into_iter();
        let mut reminders: Vec<Reminder> = outcomes
            .map(|(filing_id, due_on)| {
                Reminder::of_outcome(office_id, &filing_id.to_string(), due_on, judge.calendar)
            })
            .collect();
        reminders.extend(look_for_missing(connection, judge, office_id).await?);
        reminder::send(connection, &reminders).await?;
        let about = [About::Filing, About::Paper];
        let hits = judge.office(&filings);
        let version = &judge.rules.version;
        hits::settle(connection, office_id, &about, None, &hits, version).await
    }

    async fn judge_cases(
        &self,
        connection: &mut sqlx::PgConnection,
        judge: &Judge<'_>,
        office_id: OfficeId,
        keys: &[String],
    ) -> Result<u64, sqlx::Error> {
        let office = facts::office(connection, office_id).await?;
        let cases = facts::cases(connection, office_id, keys).await?;
        let (mut hits, mut looks, mut reminders) = (Vec::new(), Vec::new(), Vec::new());
        for case in &cases {
            let judgement = judge.case(case, &office);
            hits.extend(judgement.hits);
            let awaited = judgement.awaited.into_iter();
            reminders.extend(awaited.map(|(kind, due_on)| {
                let case = &case.source_case_id;
                Reminder::of_case(office_id, case, kind, due_on, judge.calendar)
            }));
            looks.extend(
                judgement
                    .look_on
                    .map(|on| (case.source_case_id.as_str(), on)),
            );
        }
        reminder::send(connection, &reminders).await?;
        work::look_again(connection, office_id, keys, &looks).await?;
        let version = &judge.rules.version;
        hits::settle(
            connection,
            office_id,
            &[About::Case],
            Some(keys),
            &hits,
            version,
        )
        .await
    }
}

/// Keeps what is missing of an office, and says what it is to be reminded of. Of one that is revoked nothing is missing.
async fn look_for_missing(
    connection: &mut sqlx::PgConnection,
    judge: &Judge<'_>,
    office_id: OfficeId,
) -> Result<Vec<Reminder>, sqlx::Error> {
    let participation = participation::of(connection, office_id).await?;
    let Some(participation) = participation.filter(|part| !part.is_over()) else {
        missing::forget(connection, office_id).await?;
        return Ok(Vec::new());
    };
    let since = looks_back_to(judge.today, &participation);
    let kinds = judge.rules.deadlines.periodic().map(|(kind, ..)| kind);
    let kinds: Vec<_> = kinds.collect();
    let periods = Periods {
        office_id,
        filed: reminder::filed(connection, office_id, &kinds, since).await?,
        participation,
    };
    let missing = judge.missing(&periods, since);
    missing::replace(connection, office_id, since, &missing).await?;
    Ok(judge.periodic(&periods, &missing))
}

/// The first day that missing periods are looked for on. What had been found of an office that was away was forgotten when
/// it left, so all its time is looked through. From the beginning of a year on, as every period lies in one: what came for it
/// came since then.
fn looks_back_to(today: Date, participation: &Participation) -> Date {
    let usually = today - LOOKS_BACK;
    let day = match participation.since {
        Some(since) if !participation.absences.is_empty() => usually.min(since),
        _ => usually,
    };
    Every::Year.last_end(day) + time::Duration::DAY
}
