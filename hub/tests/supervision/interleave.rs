//! Two workers at one office: the one that began first commits last.

use notary_hub::supervision::worker::Supervision;
use sqlx::PgPool;

use crate::city::Hub;
use crate::record::case;
use crate::{TODAY, late, supervision};

/// Whoever puts a finding down waits for this lock.
const HOLD: &str = "
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(4242); RETURN NEW; END $$;
    CREATE TRIGGER hold BEFORE INSERT ON supervision_finding FOR EACH ROW WHEN (NEW.rule_id = 'TIME_LIMIT')
    EXECUTE FUNCTION hold();";

const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

async fn drained(supervision: Supervision) {
    supervision.drain(TODAY).await.unwrap();
}

#[tokio::test]
async fn what_was_read_first_never_stands_in_the_place_of_what_holds() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![late("C1").number(1)]).await;
    sqlx::raw_sql(HOLD).execute(&hub.pool).await.unwrap();
    let mut held = hub.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(4242)")
        .execute(&mut *held)
        .await
        .unwrap();

    // The first has read that the certificate was late, and is about to say so.
    let first = tokio::spawn(drained(supervision(&hub)));
    while count(&hub.pool, WAITING).await == 0 {
        tokio::task::yield_now().await;
    }
    let in_time = case("C1").number(1).issued("2024-03-08").revision(2);
    office.taken(&hub, vec![in_time]).await;
    let second = tokio::spawn(drained(supervision(&hub)));
    while count(&hub.pool, WAITING).await < 2 && !second.is_finished() {
        tokio::task::yield_now().await;
    }
    held.commit().await.unwrap();
    first.await.unwrap();
    second.await.unwrap();
    let late = "SELECT count(*) FROM supervision_finding WHERE rule_id = 'TIME_LIMIT' AND cleared_at IS NULL";
    assert_eq!(hub.count(late).await, 0);
    hub.stop().await;
}
