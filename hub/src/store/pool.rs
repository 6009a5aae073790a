//! Connection pools, one for each lane: writers, look-ups, feeds, and everything else.

use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::scope::Searches;

/// Longest wait for a free connection before the caller is told to come back.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(10);

/// Connections of the audit log's own pool.
pub const AUDIT_CONNECTIONS: u32 = 2;

/// Connections of the one worker of supervision.
pub const SUPERVISION_CONNECTIONS: u32 = 1;

/// A plan is made once for each statement and connection. Where a statement reads a handful of rows by index, whatever its
/// parameters, planning anew for each costs more than the reading.
const GENERIC: (&str, &str) = ("plan_cache_mode", "force_generic_plan");

/// Writers of cases. The probe must stay an index nested loop whatever the statistics say: with stale
/// ones a hash join reads the whole table. A stalled hub must not hold its locks for ever.
pub fn writers(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("notary-hub writer")
        .options([
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_seqscan", "off"),
            ("idle_in_transaction_session_timeout", "15s"),
            ("lock_timeout", "30s"),
        ]);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(options))
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
        .options([
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_seqscan", "off"),
            GENERIC,
            ("statement_timeout", "5s"),
        ])
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
        .options([
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_seqscan", "off"),
            // A plan that was made while a table was nearly empty goes on to be used until statistics come; planning a chunk
            // anew is cheap beside it.
            ("plan_cache_mode", "force_custom_plan"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("lock_timeout", "60s"),
        ]);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(options))
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
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_lazy_with(options))
}
