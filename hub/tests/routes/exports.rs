//! Large files: begun, left, found again, taken by whoever asked for them and by nobody else.

use std::io::{Cursor, Write};
use std::process::Stdio;

use calamine::{Data, Reader, Xlsx};
use http::{Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::Role;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::client::{Answer, Bureau, Colleague, send};
use crate::record::case;
use crate::supervision::{judged, late, supervisor};
use crate::support::program::Site;
use crate::support::seed::notary;

const FINDINGS: &str = "/api/v1/supervision/findings";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async fn begin(bureau: &Bureau, who: Colleague, path: &str, form: &str) -> Value {
    let body = json!({ "form": form });
    let answer = bureau.ask(who, Method::POST, path, body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

fn path_of(export: &Value) -> String {
    format!("/api/v1/exports/{}", export["export_id"].as_str().unwrap())
}

/// The export, once it is not being made any more.
async fn ended(bureau: &Bureau, who: Colleague, export: &Value) -> Value {
    loop {
        let path = path_of(export);
        let now = bureau.ask(who, Method::GET, &path, Value::Null).await;
        assert_eq!(now.status, 200, "{}", now.text());
        if now.json()["state"] != "under_way" {
            return now.json();
        }
        tokio::task::yield_now().await;
    }
}

async fn file(bureau: &Bureau, who: Colleague, export: &Value) -> Answer {
    let path = format!("{}/file", path_of(export));
    bureau.ask(who, Method::GET, &path, Value::Null).await
}

async fn made(bureau: &Bureau, who: Colleague, path: &str, form: &str) -> Answer {
    let export = begin(bureau, who, path, form).await;
    let export = ended(bureau, who, &export).await;
    assert_eq!(export["state"], "done", "{export}");
    let file = file(bureau, who, &export).await;
    assert_eq!(file.status, 200);
    assert_eq!(export["bytes"], file.body.len());
    file
}

async fn at_once(bureau: &Bureau, who: Colleague, path: &str, accept: &str) -> Answer {
    let session = crate::support::seed::session_of(&bureau.hub, who.account_id, who.role);
    let request = Request::get(path)
        .header("accept", accept)
        .header("authorization", format!("Bearer {session}"));
    bureau.send(request.body(Full::default()).unwrap()).await
}

/// Late certificates at both offices, judged.
async fn bureau() -> Bureau {
    let bureau = Bureau::open().await;
    let seed = &bureau.seed;
    let here = vec![late("A1"), late("A2").number(2), case("A3")];
    seed.office(&bureau.hub, "hangzhou", here).await;
    seed.office(&bureau.hub, "xiaoshan", vec![late("X1").number(3)])
        .await;
    judged(&bureau).await;
    bureau
}

/// As many findings as no page shows.
async fn many_findings(pool: &PgPool) {
    sqlx::query(
        "INSERT INTO supervision_finding (finding_id, office_id, rule_id, about, about_key, severity, evidence, facts,
                                          rules_version, found_at)
         SELECT gen_random_uuid(), 'hangzhou', 'TIME_LIMIT', 'case', 'M' || n, 'ordinary', '{}', sha256('{}'), '1', now()
           FROM generate_series(1, 5001) AS n",
    )
    .execute(pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_file_that_was_made_is_the_one_that_is_handed_over_at_once() {
    let bureau = bureau().await;
    let supervisor = supervisor();
    for path in [
        FINDINGS.to_owned(),
        "/api/v1/reviews/duplicates?state=open".to_owned(),
        "/api/v1/statistics?group_by=office,month".to_owned(),
        "/api/v1/audit/entries?to=2001-01-01".to_owned(),
    ] {
        let now = at_once(&bureau, supervisor, &path, CSV).await;
        assert_eq!(now.status, 200, "{path} {}", now.text());
        let begins_at = match path.split_once('?') {
            Some((path, query)) => format!("{path}/exports?{query}"),
            None => format!("{path}/exports"),
        };
        let later = made(&bureau, supervisor, &begins_at, "csv").await;
        assert_eq!(later.body, now.body, "{path}");
        assert_eq!(later.header("content-type"), now.header("content-type"));

        let now = at_once(&bureau, supervisor, &path, XLSX).await;
        let later = made(&bureau, supervisor, &begins_at, "xlsx").await;
        assert_eq!(cells(&later.body), cells(&now.body), "{path}");
    }
    let found = at_once(&bureau, supervisor, FINDINGS, CSV).await;
    let found = found.text();
    assert!(found.starts_with("\u{feff}公证处,规则,依据"), "{found}");
    assert!(found.contains(",A1,") && found.contains(",X1,"), "{found}");
    bureau.hub.app.stop().await.unwrap();
}

/// But for the moment that is named above the table.
fn cells(file: &[u8]) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(file.to_vec())).unwrap();
    let sheet = workbook.worksheet_range_at(0).unwrap().unwrap();
    let rows = sheet.rows().enumerate().filter(|(at, _)| *at != 1);
    rows.map(|(_, row)| row.to_vec()).collect()
}

#[tokio::test]
async fn the_log_is_told_of_a_start_and_of_each_taking() {
    let bureau = bureau().await;
    let supervisor = supervisor();
    let before = bureau.log().await.len();
    let export = begin(&bureau, supervisor, "/api/v1/audit/entries/exports", "csv").await;
    let export = ended(&bureau, supervisor, &export).await;
    let taken = file(&bureau, supervisor, &export).await;
    assert!(taken.text().contains("发起导出"), "{}", taken.text());
    let log = bureau.log().await;
    let told: Vec<&str> = log[before..]
        .iter()
        .map(|entry| entry.action.as_str())
        .collect();
    assert_eq!(told, ["export.start", "export.download"]);
    assert!(
        log[before..]
            .iter()
            .all(|entry| entry.detail["export"] == export["export_id"])
    );
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_log_is_told_of_every_filter_that_findings_were_taken_by() {
    let bureau = bureau().await;
    let filter = "office=hangzhou&rule=TIME_LIMIT&severity=ordinary&state=notified&overdue=true";
    let path = format!("{FINDINGS}?{filter}");
    let taken = at_once(&bureau, supervisor(), &path, CSV).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    let log = bureau.log().await;
    let entry = log.last().unwrap();
    assert_eq!(entry.action, "supervision.export");
    for (filter, wanted) in [
        ("office", "hangzhou"),
        ("rule", "TIME_LIMIT"),
        ("severity", "ordinary"),
        ("state", "notified"),
    ] {
        assert_eq!(entry.detail[filter], wanted, "{}", entry.detail);
    }
    assert!(entry.detail["overdue_on"].is_string(), "{}", entry.detail);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn many_rows_are_refused_at_once_and_made_as_a_job() {
    let bureau = bureau().await;
    let supervisor = supervisor();
    let few = at_once(&bureau, supervisor, FINDINGS, CSV).await;
    let few = few.text().lines().count();
    many_findings(&bureau.hub.db.pool).await;
    let now = at_once(&bureau, supervisor, FINDINGS, CSV).await;
    assert_eq!(
        (now.status, now.problem()),
        (409, "EXPORT_NEEDED".to_owned())
    );
    let path = format!("{FINDINGS}/exports");
    let later = made(&bureau, supervisor, &path, "csv").await;
    assert!(later.body.len() > 512 * 1024, "it comes in parts");
    assert_eq!(later.text().lines().count(), few + 5001);
    // A notary's has what the own office was notified of: nothing yet.
    let own = made(&bureau, Colleague::new(notary("hangzhou")), &path, "csv").await;
    assert_eq!(own.text().lines().count(), 1);
    let jobs = bureau.get(Role::Operator, "/api/v1/jobs").await.json();
    assert_eq!(jobs["items"][1]["kind"], "export");
    assert_eq!(
        jobs["items"][1]["started_by"],
        supervisor.account_id.to_string()
    );
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_is_for_whoever_asked_and_for_nobody_else() {
    let bureau = bureau().await;
    let (asks, other) = (Colleague::new(Role::Analyst), Colleague::new(Role::Analyst));
    // The same account, once it is something else.
    let moved = Colleague {
        role: notary("hangzhou"),
        ..asks
    };
    let export = begin(&bureau, asks, "/api/v1/statistics/exports", "csv").await;
    let export = ended(&bureau, asks, &export).await;
    for who in [
        other,
        moved,
        Colleague {
            role: Role::Supervisor,
            ..asks
        },
    ] {
        let listed = bureau
            .ask(who, Method::GET, "/api/v1/exports", Value::Null)
            .await;
        assert_eq!(listed.json()["items"], json!([]));
        for (method, path) in [
            (Method::GET, path_of(&export)),
            (Method::GET, format!("{}/file", path_of(&export))),
            (Method::DELETE, path_of(&export)),
        ] {
            let answer = bureau.ask(who, method.clone(), &path, Value::Null).await;
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
    let denied = bureau.log().await.pop().unwrap();
    assert_eq!(
        (denied.action.as_str(), denied.outcome.as_str()),
        ("export.download", "no_hit")
    );
    assert_eq!(
        file(&bureau, asks, &export).await.status,
        200,
        "it is still there"
    );
    // And it goes when its owner removes it.
    let removed = bureau
        .ask(asks, Method::DELETE, &path_of(&export), Value::Null)
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(file(&bureau, asks, &export).await.status, 404);
    let parts = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM export_chunk");
    assert_eq!(parts.fetch_one(&bureau.hub.db.pool).await.unwrap(), 0);
    bureau.hub.app.stop().await.unwrap();
}

/// Nobody reads findings until it is let go.
async fn held(pool: &PgPool) -> Transaction<'static, Postgres> {
    let mut held = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE supervision_finding IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    held
}

#[tokio::test]
async fn one_is_made_at_a_time_and_can_be_given_up() {
    let bureau = bureau().await;
    let supervisor = supervisor();
    let held = held(&bureau.hub.db.pool).await;
    let path = format!("{FINDINGS}/exports");
    let export = begin(&bureau, supervisor, &path, "csv").await;
    assert_eq!(export["state"], "under_way");
    let not_yet = file(&bureau, supervisor, &export).await;
    assert_eq!(
        (not_yet.status, not_yet.problem()),
        (409, "EXPORT_NOT_DONE".to_owned())
    );
    let second = bureau
        .ask(supervisor, Method::POST, &path, json!({ "form": "csv" }))
        .await;
    assert_eq!(
        (second.status, second.problem()),
        (409, "EXPORT_UNDER_WAY".to_owned())
    );
    let given_up = bureau
        .ask(supervisor, Method::DELETE, &path_of(&export), Value::Null)
        .await;
    assert_eq!(given_up.status, 204);
    let job = |jobs: Value| jobs["items"][0]["state"].as_str().unwrap().to_owned();
    while job(bureau.get(Role::Operator, "/api/v1/jobs").await.json()) != "cancelled" {
        tokio::task::yield_now().await;
    }
    let listed = ended(&bureau, supervisor, &export).await;
    assert_eq!(listed["state"], "cancelled");
    held.rollback().await.unwrap();
    made(&bureau, supervisor, &path, "csv").await;
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_has_expired_is_gone() {
    let bureau = bureau().await;
    let supervisor = supervisor();
    let export = begin(&bureau, supervisor, "/api/v1/statistics/exports", "csv").await;
    let export = ended(&bureau, supervisor, &export).await;
    sqlx::query("UPDATE export SET expires_at = now() - interval '1 second'")
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(file(&bureau, supervisor, &export).await.status, 404);
    let pool = &bureau.hub.db.pool;
    assert_eq!(
        notary_hub::store::job::export::sweep(pool).await.unwrap(),
        1
    );
    let parts = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM export_chunk");
    assert_eq!(parts.fetch_one(pool).await.unwrap(), 0);
    bureau.hub.app.stop().await.unwrap();
}

/// A hub's program, asked over TLS.
impl Site {
    fn add_supervisor(&self) {
        let mut adding = self
            .command(&["user", "add", "li", "--role", "supervisor"])
            .args(["--display-name", "监督员", "--password-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut password = adding.stdin.take().unwrap();
        password.write_all(b"correct horse battery\n").unwrap();
        drop(password);
        assert!(adding.wait().unwrap().success());
    }

    async fn asked(&self, method: Method, path: &str, session: &str, body: Value) -> Answer {
        let addresses = std::fs::read(self.path("data/addresses.json")).unwrap();
        let addresses: Value = serde_json::from_slice(&addresses).unwrap();
        let address = addresses["people"].as_str().unwrap().parse().unwrap();
        let ca = CertificateDer::from_pem_file(self.path("data/pki/ca.pem")).unwrap();
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {session}"));
        send(address, ca, request.body(Full::new(body)).unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_hub_was_killed_shows_as_cut_short_and_is_made_anew() {
    let db = fresh_database().await;
    let site = Site::new(&format!("database.url = '{}'\n", db.url));
    site.said(&["init"]);
    site.add_supervisor();
    let mut hub = site.serve();
    let body = json!({ "login": "li", "password": "correct horse battery" });
    let session = site
        .asked(Method::POST, "/api/v1/sessions", "", body)
        .await
        .json();
    let session = session["access_token"].as_str().unwrap().to_owned();
    let path = format!("{FINDINGS}/exports");
    let start = async || {
        let body = json!({ "form": "csv" });
        let begun = site.asked(Method::POST, &path, &session, body).await;
        assert_eq!(begun.status, 202, "{}", begun.text());
        begun.json()
    };
    let read = async |export: &Value| {
        let path = path_of(export);
        let read = site.asked(Method::GET, &path, &session, Value::Null).await;
        read.json()
    };
    let held = held(&db.pool).await;
    let export = start().await;
    assert_eq!(read(&export).await["state"], "under_way");

    hub.kill().unwrap();
    hub.wait().unwrap();
    held.rollback().await.unwrap();
    let mut hub = site.serve();
    let mut cut = read(&export).await;
    while cut["state"] == "under_way" {
        // The database has yet to see that its client is gone.
        cut = read(&export).await;
    }
    assert_eq!(cut["state"], "cut_short", "{cut}");
    // What was written of it is of no use to anybody.
    let written = "INSERT INTO export_chunk (export_id, ordinal, bytes) SELECT export_id, 0, 'part' FROM export";
    sqlx::query(written).execute(&db.pool).await.unwrap();
    notary_hub::store::job::export::sweep(&db.pool)
        .await
        .unwrap();
    let parts = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM export_chunk");
    assert_eq!(parts.fetch_one(&db.pool).await.unwrap(), 0);
    let again = start().await;
    while read(&again).await["state"] == "under_way" {
        tokio::task::yield_now().await;
    }
    assert_eq!(read(&again).await["state"], "done");
    let jobs = site.said(&["jobs"]);
    assert!(jobs.contains("export    cut short"), "{jobs}");
    hub.kill().unwrap();
    hub.wait().unwrap();
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let bureau = Bureau::open().await;
    let export = json!({ "export_id": Uuid::now_v7() });
    assert_eq!(file(&bureau, supervisor(), &export).await.status, 404);
    let limited = at_once(&bureau, supervisor(), &format!("{FINDINGS}?limit=5"), CSV).await;
    assert_eq!(limited.status, 400, "a file is no page");
    bureau.hub.app.stop().await.unwrap();
}
