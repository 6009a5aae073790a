//! Connection pools, one for each kind of work, so that none waits for the connections of another.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Row, raw_sql};

use super::scope::Searches;

/// Longest wait for a free connection before the caller is told to come back.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(10);

/// Connections of the audit log's own pool.
pub const AUDIT_CONNECTIONS: u32 = 2;

/// Connections for reading what is revoked.
pub const REVOCATION_CONNECTIONS: u32 = 1;

/// Connections of the one worker of supervision.
pub const SUPERVISION_CONNECTIONS: u32 = 1;

/// A plan is made once for each statement and connection. Where a statement reads a handful of rows by index, whatever its
/// parameters, planning anew for each costs more than the reading.
const GENERIC: (&str, &str) = ("plan_cache_mode", "force_generic_plan");

/// Whether the connection is outside of a transaction: the moment of one statement, sent as one message, is that of its
/// transaction.
const OUTSIDE: &str = "SELECT now() = statement_timestamp()";
/// Few rows, each by an index, whatever the statistics say. Without statistics such a plan is held to be dear, and to
/// compile it would cost more than to run it.
const BY_INDEX: [(&str, &str); 4] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
];

/// Whether the database answers.
pub async fn ping(pool: &PgPool) -> Result<(), sqlx::Error> {
    raw_sql("SELECT").execute(pool).await?;
    Ok(())
}

/// Connections over which rows are copied. sqlx does not count the answer to a COPY among those that it has yet to read:
/// one that is cut off behind its last row would leave the connection an answer behind, and whoever has it next would be
/// told what the one before had asked. Whether it answers what it is asked is tried when it comes back, and one that does
/// not, or is in the middle of a transaction, is closed. Other statements are counted; pools that copy nothing need none
/// of this.
fn in_step(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .after_release(|connection, _| {
            Box::pin(async move {
                let answer = raw_sql(OUTSIDE).fetch_optional(connection).await?;
                answer.map_or(Ok(false), |row| row.try_get(0))
            })
        })
}

/// Writers of cases. The probe must stay an index nested loop whatever the statistics say: with stale
/// ones a hash join reads the whole table. A stalled hub must not hold its locks for ever.
pub fn writers(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("notary-hub writer")
        .options(BY_INDEX)
        .options([
            ("idle_in_transaction_session_timeout", "15s"),
            ("lock_timeout", "30s"),
        ]);
    Ok(in_step(connections).connect_lazy_with(options))
}

/// Connections of look-ups.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// As the hub itself: persons, how fresh feeds are.
    pub hub: PgPool,
    /// For a transaction that stays open while more is asked: intents and standing questions. What is asked meanwhile goes
    /// by the others, which are let go at once, so that nobody waits for a connection that waits for one.
    pub held: PgPool,
    /// For finding cases, which is most of it.
    pub searches: Searches,
}

/// Look-ups: more than half of the connections search; each has one at least.
pub fn lookups(url: &str, connections: u32) -> Result<Lookups, sqlx::Error> {
    let of_others = (connections / 5).max(1);
    let of_searches = connections.saturating_sub(of_others * 2).max(1);
    Ok(Lookups {
        hub: of_lookups(url, of_others, &[])?,
        held: of_lookups(url, of_others, &[])?,
        searches: Searches::open(url, of_searches)?,
    })
}

/// Those of look-ups that begin with the settings of `session`, and write nothing.
pub(super) fn searches(
    url: &str,
    connections: u32,
    session: [(&str, &str); 2],
) -> Result<PgPool, sqlx::Error> {
    let [role, reader] = session;
    let read_only = ("default_transaction_read_only", "on");
    of_lookups(url, connections, &[role, reader, read_only])
}

/// No ping before each use (it costs a quarter of the throughput; a dead connection is
/// answered by one retry instead). A handful of rows by index, as with the writers' probe.
fn of_lookups(
    url: &str,
    connections: u32,
    further: &[(&str, &str)],
) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("notary-hub look-up")
        .options(BY_INDEX)
        .options([GENERIC, ("statement_timeout", "5s")])
        .options(further.iter().copied());
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(options))
}

/// Person linkage: many rows by index, and no plan that reads a whole table. It waits for others rather than the
/// other way round.
pub fn linking(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    by_index(url, "notary-hub linking", connections)
}

/// Supervision's worker, held to indexes for the same reason: before the tables have statistics, joining the cases of a
/// chunk to those of other offices reads all cases.
pub fn supervision(url: &str) -> Result<PgPool, sqlx::Error> {
    by_index(url, "notary-hub supervision", SUPERVISION_CONNECTIONS)
}

fn by_index(url: &str, name: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name(name)
        .options(BY_INDEX)
        .options([
            // A plan that was made while a table was nearly empty goes on to be used until statistics come; planning a chunk
            // anew is cheap beside it.
            ("plan_cache_mode", "force_custom_plan"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("lock_timeout", "60s"),
        ]);
    Ok(in_step(connections).connect_lazy_with(options))
}

/// The audit log: one task appends, so that one connection is enough and another stands by. An entry is
/// durable when its commit returns, whatever the database's own setting is.
pub fn audit(url: &str) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("notary-hub audit")
        .options([
            ("synchronous_commit", "on"),
            GENERIC,
            ("statement_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "15s"),
        ]);
    Ok(PgPoolOptions::new()
        .max_connections(AUDIT_CONNECTIONS)
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(options))
}

/// What is revoked, read each second: who may no longer speak must not go on because others ask much of the database.
pub fn revocations(url: &str) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("notary-hub revocations")
        .options([("statement_timeout", "5s")]);
    Ok(PgPoolOptions::new()
        .max_connections(REVOCATION_CONNECTIONS)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(options))
}

/// What offices' streams ask beside handing over: greetings, signs of life, notices, digests. Apart from everything else,
/// so that no question to the statistics holds the feeds up.
pub fn feeds(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    unhurried(url, "notary-hub feeds", connections)
}

/// Everything else: statistics, offices, accounts.
pub fn general(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    unhurried(url, "notary-hub", connections)
}

fn unhurried(url: &str, name: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name(name)
        .options([("statement_timeout", "30s")]);
    Ok(in_step(connections).connect_lazy_with(options))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use super::*;
    use crate::embedded::testing::fresh_database;
    use crate::store::tx;

    /// Whoever asks over the pool's only connection gets the answer to that, and is in no transaction.
    async fn answers_what_it_is_asked(pool: &PgPool) {
        for number in 0..5_i64 {
            let asked = sqlx::query_scalar("SELECT $1").bind(number);
            let answer: i64 = asked.fetch_one(pool).await.expect("the database answers");
            assert_eq!(answer, number);
            let outside = raw_sql(OUTSIDE)
                .fetch_one(pool)
                .await
                .expect("the database answers");
            assert!(outside.get::<bool, _>(0), "in another's transaction");
        }
    }

    /// Lets `work` go on so many times and drops it. False when it was done before.
    async fn cut_off_after(polls: usize, work: impl Future) -> bool {
        let mut work = pin!(work);
        let mut left = polls;
        std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(false),
            Poll::Pending if left == 0 => Poll::Ready(true),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await
    }

    #[tokio::test]
    async fn a_copy_that_is_cut_off_at_its_end_leaves_nobody_an_answer_behind() {
        let database = fresh_database().await;
        sqlx::raw_sql("CREATE TABLE copied (key bigint PRIMARY KEY)")
            .execute(&database.pool)
            .await
            .expect("the database answers");
        // The last answer is held up by the same key in a transaction that does not end.
        let mut holder = database.pool.begin().await.expect("the database answers");
        sqlx::query("INSERT INTO copied VALUES (1)")
            .execute(&mut *holder)
            .await
            .expect("the database answers");
        let held_up = async {
            let waits = "SELECT count(*) FROM pg_stat_activity
                          WHERE wait_event_type = 'Lock' AND query LIKE 'COPY copied%' AND datname = current_database()";
            while sqlx::query_scalar::<_, i64>(waits)
                .fetch_one(&database.pool)
                .await
                .expect("the database answers")
                == 0
            {
                tokio::task::yield_now().await;
            }
        };
        let pool = writers(&database.url, 1).expect("an address");
        let copying = async {
            let mut transaction = tx::begin(&pool).await.expect("the database answers");
            let mut copy = transaction
                .copy_in_raw("COPY copied FROM STDIN")
                .await
                .expect("the database answers");
            copy.send(b"1\n".as_slice())
                .await
                .expect("the database answers");
            copy.finish().await.expect("the database answers");
        };
        tokio::select! {
            () = copying => panic!("not held up"),
            () = held_up => {}
        }
        holder.rollback().await.expect("the database answers");
        answers_what_it_is_asked(&pool).await;
        let copied: i64 = sqlx::query_scalar("SELECT count(*) FROM copied")
            .fetch_one(&pool)
            .await
            .expect("the database answers");
        assert_eq!(copied, 0, "it was not committed");
    }

    /// Callers go away in the middle of a call, of look-ups above all.
    #[tokio::test]
    async fn wherever_a_caller_is_cut_off_the_next_one_gets_its_own_answers() {
        let database = fresh_database().await;
        for open in [general, |url: &str, most| of_lookups(url, most, &[])] {
            let mut cuts = 0;
            let pool = open(&database.url, 1).expect("an address");
            let work = async || {
                let asked =
                    sqlx::query_scalar::<_, i64>("SELECT n FROM generate_series(90, 90 + $1) AS n");
                asked
                    .bind(2000_i64)
                    .fetch_all(&pool)
                    .await
                    .expect("the database answers");
                let mut transaction = tx::begin(&pool).await.expect("the database answers");
                let asked = sqlx::query_scalar::<_, i64>("SELECT 80::bigint");
                asked
                    .fetch_one(&mut *transaction)
                    .await
                    .expect("the database answers");
                transaction.commit().await.expect("the database answers");
            };
            while cut_off_after(cuts, work()).await {
                answers_what_it_is_asked(&pool).await;
                // The next round prepares its statements anew.
                pool.acquire()
                    .await
                    .expect("the database answers")
                    .close()
                    .await
                    .expect("the database answers");
                cuts += 1;
            }
            assert!(cuts > 0, "there is something to cut");
        }
    }
}
