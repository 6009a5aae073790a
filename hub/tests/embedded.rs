//! The private PostgreSQL: usable, joined, stopped, and restarted when it is killed.

use std::path::Path;
use std::time::{Duration, Instant};

use notary_hub::embedded::testing::fresh_database;
use notary_hub::embedded::{Durability, Postgres};
use notary_hub::store;
use notary_hub::store::reserved::Locks;
use sqlx::migrate::Migrate;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

#[tokio::test]
async fn every_test_gets_a_migrated_database_of_its_own() {
    let (one, other) = tokio::join!(fresh_database(), fresh_database());
    sqlx::query("UPDATE hub_state SET hub_epoch = '00000000-0000-0000-0000-000000000001'")
        .execute(&one.pool)
        .await
        .expect("the first database is migrated");
    let epoch: String = sqlx::query_scalar("SELECT hub_epoch::text FROM hub_state")
        .fetch_one(&other.pool)
        .await
        .expect("the second database is migrated");
    assert_ne!(epoch, "00000000-0000-0000-0000-000000000001");
}

/// The trigger makes the first table take longer than the pool's connections allow a statement.
#[tokio::test]
async fn a_migration_may_take_longer_than_a_request_may() {
    let (_guard, data_dir) = data_dir();
    let server = Postgres::start(&data_dir, Durability::Relaxed)
        .await
        .expect("start");
    let pool = PgPool::connect(server.url()).await.expect("connect");
    sqlx::raw_sql(
        "CREATE FUNCTION dawdle() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF to_regclass('office') IS NULL THEN PERFORM pg_sleep(2.5); END IF;
         END $$;
         CREATE EVENT TRIGGER dawdle ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION dawdle();
         ALTER DATABASE notary_hub SET statement_timeout = '2s'",
    )
    .execute(&pool)
    .await
    .expect("set up");
    pool.close().await;
    let pool = PgPool::connect(server.url()).await.expect("connect");
    store::migrate(&pool).await.expect("migrate");
    let limit: String = sqlx::query_scalar("SHOW statement_timeout")
        .fetch_one(&pool)
        .await
        .expect("answers");
    assert_eq!(limit, "2s");
    pool.close().await;
    server.stop().await.expect("stop");
}

/// A bureau's own PostgreSQL, where the hub's role is nobody in particular.
#[tokio::test]
async fn a_role_that_may_make_no_roles_says_what_an_administrator_has_to_run_and_then_migrates() {
    let (_guard, data_dir) = data_dir();
    let server = Postgres::start(&data_dir, Durability::Relaxed)
        .await
        .expect("start");
    let admin = PgPool::connect(server.url()).await.expect("connect");
    let run = async |sql: &'static str| {
        let done = sqlx::raw_sql(sql).execute(&admin).await;
        done.expect("the administrator may");
    };
    run("CREATE ROLE hub LOGIN").await;
    run("CREATE DATABASE bureau OWNER hub").await;
    let url = server.url_of("bureau").replace("user=postgres", "user=hub");
    let pool = PgPool::connect(&url).await.expect("connect");
    let refused = store::migrate(&pool).await.expect_err("no such roles");
    // As a hub that ends: the failed migration holds its lock as long as its connection lives.
    pool.close().await;
    let said = refused.to_string();
    assert!(said.contains("GRANT notary_hub_people TO hub"), "{said}");
    run(
        "CREATE ROLE notary_hub_people NOLOGIN; GRANT notary_hub_people TO hub;
         CREATE ROLE notary_hub_look_up NOLOGIN; GRANT notary_hub_look_up TO hub",
    )
    .await;
    let pool = PgPool::connect(&url).await.expect("connect");
    store::migrate(&pool).await.expect("migrate");
    store::scope::check(&pool).await.expect("may be taken");
    let locks = store::reserved::keep(&pool).await.expect("looked at");
    assert_eq!(
        locks,
        Locks::OfEverybody,
        "functions are not its own to take"
    );
    let as_administrator = PgPool::connect(&server.url_of("bureau"))
        .await
        .expect("connect");
    sqlx::raw_sql(AssertSqlSafe(statement_of_an_administrator()))
        .execute(&as_administrator)
        .await
        .expect("may");
    as_administrator.close().await;
    let locks = store::reserved::keep(&pool).await.expect("its own");
    assert_eq!(locks, Locks::OfTheHub);
    let temporary = "SELECT has_database_privilege('public', 'bureau', 'TEMPORARY')";
    let of_everybody: bool = sqlx::query_scalar(temporary)
        .fetch_one(&pool)
        .await
        .expect("answers");
    assert!(!of_everybody, "the database is the hub's own");
    run("REVOKE notary_hub_people FROM hub").await;
    store::scope::check(&pool)
        .await
        .expect_err("may be taken no longer");
    pool.close().await;
    admin.close().await;
    server.stop().await.expect("stop");
}

/// As docs/operator.md has it; what psql runs with \gexec is run here by a block.
fn statement_of_an_administrator() -> String {
    let document = include_str!("../../docs/operator.md");
    let from = document
        .find("SELECT format('GRANT EXECUTE")
        .expect("there");
    let (listed, _) = document[from..].split_once("\\gexec").expect("its end");
    format!(
        "DO $$ DECLARE one record; BEGIN
             FOR one IN {} LOOP EXECUTE one.granted; EXECUTE one.revoked; END LOOP;
         END $$",
        listed
            .replace("'hub'),", "'hub') AS granted,")
            .replace("regprocedure)\n", "regprocedure) AS revoked\n")
    )
}

#[tokio::test]
async fn a_hub_of_the_version_before_starts_on_what_a_newer_one_has_made_unless_it_says_no() {
    let (_guard, data_dir) = data_dir();
    let server = Postgres::start(&data_dir, Durability::Relaxed)
        .await
        .expect("start");
    let pool = PgPool::connect(server.url()).await.expect("connect");
    store::migrate(&pool).await.expect("migrate");
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (99999, 'of a newer version', true, '', 0)";
    sqlx::query(newer).execute(&pool).await.expect("recorded");
    store::migrate(&pool)
        .await
        .expect("no business of this version's");
    sqlx::query("UPDATE schema_floor SET least_migration = 99999")
        .execute(&pool)
        .await
        .expect("raised");
    let refused = store::migrate(&pool).await.expect_err("too old");
    assert!(
        refused.to_string().contains("start the newer program"),
        "{refused}"
    );
    pool.close().await;
    server.stop().await.expect("stop");
}

#[tokio::test]
async fn what_the_database_keeps_for_a_slot_that_nobody_takes_from_grows_and_is_told() {
    let database = fresh_database().await;
    let pool = &database.pool;
    let kept = async || {
        let slots = store::slot::list(pool).await.expect("readable");
        let slot = slots.into_iter().find(|slot| slot.name == "of_a_test");
        slot.map(|slot| (slot.taken, slot.kept_bytes))
    };
    assert_eq!(kept().await, None);
    let make = "SELECT pg_create_physical_replication_slot('of_a_test', true)";
    sqlx::query(make).execute(pool).await.expect("made");
    let (taken, before) = kept().await.expect("there");
    assert!(!taken);
    // A test's cluster writes later than it commits; a switch makes it.
    let write =
        "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'test', repeat('x', 100000))";
    sqlx::query(write).execute(pool).await.expect("written");
    let (_, after) = kept().await.expect("there");
    assert!(after >= before + 100_000, "{before} {after}");
    let drop = "SELECT pg_drop_replication_slot('of_a_test')";
    sqlx::query(drop).execute(pool).await.expect("dropped");
}

/// Operators decide by the document whether they can go back.
#[tokio::test]
async fn the_document_on_upgrading_tells_the_schema_floor_of_this_version() {
    let database = fresh_database().await;
    let floor: i64 = sqlx::query_scalar("SELECT least_migration FROM schema_floor")
        .fetch_one(&database.pool)
        .await
        .expect("there is one");
    let (major, minor) = (
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
    );
    let row = format!("| {major}.{minor} | {floor} |");
    assert!(
        include_str!("../../docs/upgrading.md").contains(&row),
        "docs/upgrading.md: {row}"
    );
}

/// Longer than a statement waits for a lock.
#[tokio::test]
async fn a_hub_waits_for_another_ones_migrations() {
    let (_guard, data_dir) = data_dir();
    let server = Postgres::start(&data_dir, Durability::Relaxed)
        .await
        .expect("start");
    let pool = PgPool::connect(server.url()).await.expect("connect");
    let mut other = pool.acquire().await.expect("connect");
    other.lock().await.expect("the other one migrates");
    let done = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        other.unlock().await.expect("is done");
    };
    let (migrated, ()) = tokio::join!(store::migrate(&pool), done);
    migrated.expect("migrate");
    drop(other);
    pool.close().await;
    server.stop().await.expect("stop");
}

#[tokio::test]
async fn a_second_process_joins_and_leaves_the_server_running() {
    let (_guard, data_dir) = data_dir();
    let owner = Postgres::start(&data_dir, Durability::Relaxed)
        .await
        .expect("start");
    let guest = Postgres::start_or_join(&data_dir).await.expect("join");
    assert_eq!(owner.url(), guest.url());
    guest.stop().await.expect("leave");
    PgConnection::connect(owner.url())
        .await
        .expect("the owner's server still answers");
    owner.stop().await.expect("stop");
    assert!(!data_dir.join("postmaster.pid").exists());
}

#[tokio::test]
async fn a_killed_server_comes_back_by_itself() {
    let (_guard, data_dir) = data_dir();
    let server = Postgres::start(&data_dir, Durability::Full)
        .await
        .expect("start");
    let lock = std::fs::read_to_string(data_dir.join("postmaster.pid")).expect("running");
    kill(lock.lines().next().expect("id").parse().expect("number"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while PgConnection::connect(server.url()).await.is_err() {
        assert!(Instant::now() < deadline, "the server did not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.stop().await.expect("stop");
}

/// A server that has just lost one of its processes, and therefore all of them.
async fn recovering(data_dir: &Path) -> Postgres {
    let server = Postgres::start(data_dir, Durability::Full)
        .await
        .expect("start");
    let mut served = PgConnection::connect(server.url()).await.expect("connect");
    let id = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut served)
        .await
        .expect("answers");
    kill(id);
    let log = data_dir.join("server.log");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains("reinitializing")) {
        assert!(Instant::now() < deadline, "the server did not notice");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server
}

#[tokio::test]
async fn a_second_process_waits_for_a_server_that_recovers_from_a_crash() {
    let (_guard, data_dir) = data_dir();
    let owner = recovering(&data_dir).await;
    let guest = Postgres::start_or_join(&data_dir).await.expect("join");
    assert_eq!(owner.url(), guest.url());
    guest.stop().await.expect("leave");
    PgConnection::connect(owner.url())
        .await
        .expect("the owner's server still answers");
    owner.stop().await.expect("stop");
}

/// PostgreSQL 15 does not follow a fast shutdown that it is told while it recovers from a crash.
#[tokio::test]
async fn a_server_that_recovers_from_a_crash_is_stopped_all_the_same() {
    let (_guard, data_dir) = data_dir();
    let server = recovering(&data_dir).await;
    server.stop().await.expect("stop");
    assert!(!data_dir.join("postmaster.pid").exists());
}

#[tokio::test]
async fn the_server_ends_when_its_owner_is_dropped() {
    let (_guard, data_dir) = data_dir();
    drop(
        Postgres::start(&data_dir, Durability::Relaxed)
            .await
            .expect("start"),
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    while data_dir.join("postmaster.pid").exists() {
        assert!(Instant::now() < deadline, "the server is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn kill(id: i32) {
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(id).expect("positive"),
        rustix::process::Signal::KILL,
    )
    .expect("kill");
}

fn data_dir() -> (tempfile::TempDir, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let guard = tempfile::tempdir().expect("a temporary folder");
    std::fs::set_permissions(guard.path(), std::fs::Permissions::from_mode(0o755)).expect("open");
    let data_dir = guard.path().join("data");
    (guard, data_dir)
}
