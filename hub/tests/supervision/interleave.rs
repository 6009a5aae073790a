//! Two workers at one office: the one that began first commits last.

use notary_hub::store::supervision::finding::{self, Finding, NewStep};
use notary_hub::supervision::life::{FindingState, Step};
use notary_hub::supervision::worker::Supervision;
use sqlx::PgPool;
use uuid::Uuid;

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

const FINDING: &str = "SELECT finding_id FROM supervision_finding WHERE rule_id = 'TIME_LIMIT'";

/// Verifies on the facts that were read, as a supervisor does; whether they still held.
async fn verified(pool: PgPool, read: Finding) -> bool {
    let mut transaction = pool.begin().await.unwrap();
    finding::lock(&mut transaction, read.finding_id)
        .await
        .unwrap();
    let found = finding::load(&mut transaction, &[read.finding_id])
        .await
        .unwrap();
    if found[0].facts != read.facts {
        return false;
    }
    let step = NewStep {
        finding_id: read.finding_id,
        step: Step::Verify,
        to: FindingState::Verified,
        reason: "核对卷宗",
        facts: read.facts,
        taken_by: Uuid::nil(),
        due_on: None,
    };
    finding::take(&mut transaction, &step).await.unwrap();
    transaction.commit().await.unwrap();
    true
}

#[tokio::test]
async fn nobody_decides_on_facts_that_are_being_replaced() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![late("C1").number(1)]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    let rectified = "UPDATE supervision_finding SET state = 'rectified', notified_at = now()";
    sqlx::query(rectified).execute(&hub.pool).await.unwrap();
    let id: Uuid = sqlx::query_scalar(FINDING)
        .fetch_one(&hub.pool)
        .await
        .unwrap();
    let mut connection = hub.pool.acquire().await.unwrap();
    let read = finding::load(&mut connection, &[id]).await.unwrap();
    sqlx::raw_sql(HOLD).execute(&hub.pool).await.unwrap();
    let mut held = hub.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(4242)")
        .execute(&mut *held)
        .await
        .unwrap();

    // The worker has looked for what people decided, and is about to put other facts down.
    let later = late("C1").number(1).issued("2024-05-20").revision(2);
    office.taken(&hub, vec![later]).await;
    let judging = tokio::spawn(drained(supervision(&hub)));
    while count(&hub.pool, WAITING).await == 0 {
        tokio::task::yield_now().await;
    }
    let deciding = tokio::spawn(verified(hub.pool.clone(), read[0].clone()));
    let blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('tuple', 'transactionid')";
    while count(&hub.pool, blocked).await == 0 && !deciding.is_finished() {
        tokio::task::yield_now().await;
    }
    held.commit().await.unwrap();
    judging.await.unwrap();
    assert!(!deciding.await.unwrap(), "it was decided on other facts");
    assert_eq!(
        hub.text("SELECT state FROM supervision_finding")
            .await
            .unwrap(),
        "rectified"
    );
    hub.stop().await;
}
