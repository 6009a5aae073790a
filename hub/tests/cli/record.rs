//! What an operator changes stands in the audit log before it is changed, whatever happens next.

use std::process::Stdio;
use std::time::{Duration, Instant};

use notary_hub::embedded::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::program::Site;
use crate::text;

/// The site's database, as its owner has it.
struct Inside {
    postgres: Postgres,
    hub: PgConnection,
}

impl Inside {
    async fn of(site: &Site) -> Self {
        let postgres = Postgres::start_or_join(&site.path("data/postgres"))
            .await
            .unwrap();
        let hub = PgConnection::connect(postgres.url()).await.unwrap();
        Self { postgres, hub }
    }

    async fn run(&mut self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.hub)
            .await
            .unwrap();
    }

    /// Before an entry of that outcome is written, `what` happens.
    async fn before(&mut self, outcome: &str, what: &str) {
        self.run(&format!(
            "CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NEW; END $$;
             CREATE TRIGGER in_the_way BEFORE INSERT ON audit_entry FOR EACH ROW
                 WHEN (NEW.outcome = '{outcome}') EXECUTE FUNCTION in_the_way()"
        ))
        .await;
    }

    async fn office(&mut self) -> String {
        let status = "SELECT status FROM office WHERE office_id = 'hzgl'";
        sqlx::query_scalar(status)
            .fetch_one(&mut self.hub)
            .await
            .unwrap()
    }

    /// What the log says of revocations.
    async fn revocations(&mut self) -> Vec<String> {
        let entries = "SELECT outcome FROM audit_entry WHERE action = 'office.revoke' AND detail ->> 'office' = 'hzgl'
                        ORDER BY entry_no";
        sqlx::query_scalar(entries)
            .fetch_all(&mut self.hub)
            .await
            .unwrap()
    }

    async fn end(self) {
        self.hub.close().await.unwrap();
        self.postgres.stop().await.unwrap();
    }
}

fn with_an_office() -> Site {
    let site = Site::new("");
    site.said(&["init"]);
    let office = ["office", "add", "hzgl", "--name", "杭州市某某公证处"];
    let place = ["--level", "municipal", "--district", "330102"];
    site.said(&[&office[..], &place].concat());
    site
}

#[tokio::test]
async fn nothing_is_changed_whose_beginning_cannot_be_recorded() {
    let site = with_an_office();
    let mut inside = Inside::of(&site).await;
    inside.before("begun", "RAISE 'the log is full'").await;
    let revoking = site.run(&["office", "revoke", "hzgl"]);
    assert_eq!(revoking.status.code(), Some(1), "{revoking:?}");
    assert_eq!(inside.office().await, "active");
    inside.end().await;
}

#[tokio::test]
async fn a_change_whose_end_cannot_be_recorded_stands_in_the_log_as_begun() {
    let site = with_an_office();
    let mut inside = Inside::of(&site).await;
    inside.before("done", "RAISE 'the log is full'").await;
    let revoking = site.run(&["office", "revoke", "hzgl"]);
    assert_eq!(revoking.status.code(), Some(1), "{revoking:?}");
    let said = text(&revoking.stderr);
    assert!(
        said.contains("it was done, and the audit log has its beginning"),
        "{said}"
    );
    assert_eq!(inside.office().await, "revoked");
    assert_eq!(inside.revocations().await, ["begun"]);
    inside.end().await;
}

#[tokio::test]
async fn a_command_killed_between_its_change_and_its_end_stands_in_the_log_as_begun() {
    const HELD: &str = "pg_advisory_xact_lock(20241127)";
    let site = with_an_office();
    let mut inside = Inside::of(&site).await;
    inside.before("done", &format!("PERFORM {HELD}")).await;
    inside.run("SELECT pg_advisory_lock(20241127)").await;
    let mut revoking = site
        .command(&["office", "revoke", "hzgl"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_waiting(&mut inside.hub).await {
        assert!(Instant::now() < deadline, "it never comes to its end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    revoking.kill().unwrap();
    revoking.wait().unwrap();
    assert_eq!(inside.office().await, "revoked");
    assert_eq!(inside.revocations().await, ["begun"]);
    inside.end().await;
}

async fn is_waiting(hub: &mut PgConnection) -> bool {
    let waiting =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)";
    sqlx::query_scalar(waiting).fetch_one(hub).await.unwrap()
}
