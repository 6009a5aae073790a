//! Work that was set aside: told with its cause, and put back.

use http::Method;
use notary_hub::identity::Role;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::client::{Bureau, Colleague};
use crate::record::case;
use crate::support::program::Site;

const PATH: &str = "/api/v1/work/set-aside";

/// Both kinds, of one case of hangzhou's; that of linkage is the newer.
async fn set_aside(bureau: &Bureau) {
    let cases = vec![case("C1").accepted("2024-04-02")];
    bureau.seed.office(&bureau.hub, "hangzhou", cases).await;
    for (table, ago) in [("supervision_work", 2), ("link_work", 1)] {
        drained(bureau, table).await;
        let put = format!(
            "INSERT INTO {table} (work_id, office_id, source_case_ids, set_aside_at, cause)
             VALUES (gen_random_uuid(), 'hangzhou', '{{C1}}', now() - interval '{ago} hours', 'unreadable')"
        );
        let pool = &bureau.hub.db.pool;
        sqlx::query(AssertSqlSafe(put)).execute(pool).await.unwrap();
    }
    // What these rules failed on, and no others.
    let version = notary_hub::supervision::rule::Rules::builtin().version;
    sqlx::query("UPDATE supervision_work SET set_aside_under = $1")
        .bind(version)
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
}

async fn drained(bureau: &Bureau, table: &str) {
    let left = format!("SELECT count(*) FROM {table}");
    let pool = &bureau.hub.db.pool;
    while sqlx::query_scalar::<_, i64>(AssertSqlSafe(left.clone()))
        .fetch_one(pool)
        .await
        .unwrap()
        > 0
    {
        tokio::task::yield_now().await;
    }
}

async fn page(bureau: &Bureau, query: &str) -> Value {
    let answer = bureau.get(Role::Operator, &format!("{PATH}{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn put_back(bureau: &Bureau, work: &Value) -> u16 {
    let path = format!("{PATH}/{}/put-back", work["work_id"].as_str().unwrap());
    let who = Colleague::new(Role::Operator);
    let answer = bureau.ask(who, Method::POST, &path, Value::Null).await;
    answer.status
}

#[tokio::test]
async fn work_that_is_set_aside_is_told_with_its_cause_and_taken_up_once_it_is_put_back() {
    let bureau = Bureau::open().await;
    set_aside(&bureau).await;
    let first = page(&bureau, "?limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = page(&bureau, &format!("?limit=1&cursor={cursor}")).await;
    assert_eq!(second["next_cursor"], Value::Null);
    let (linking, judging) = (&first["items"][0], &second["items"][0]);
    for (work, kind) in [(linking, "linking"), (judging, "supervision")] {
        assert_eq!(work["kind"], kind);
        assert_eq!(
            [
                &work["office_id"],
                &work["source_case_id"],
                &work["cause"],
                &work["cause_zh"]
            ],
            [
                &json!("hangzhou"),
                &json!("C1"),
                &json!("unreadable"),
                &json!("存储的内容无法读取")
            ]
        );
    }
    for (work, table) in [(linking, "link_work"), (judging, "supervision_work")] {
        assert_eq!(put_back(&bureau, work).await, 204);
        drained(&bureau, table).await;
        assert_eq!(
            put_back(&bureau, work).await,
            404,
            "it is set aside no more"
        );
    }
    let log = bureau.log().await;
    let put: Vec<_> = log
        .iter()
        .filter(|entry| entry.action == "work.put_back")
        .map(|entry| (entry.outcome.as_str(), &entry.detail["work"][0]))
        .collect();
    let [linking, judging] = [&linking["work_id"], &judging["work_id"]];
    assert_eq!(
        put,
        [
            ("done", linking),
            ("no_hit", linking),
            ("done", judging),
            ("no_hit", judging)
        ]
    );
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_and_puts_back_from_the_command_line() {
    let bureau = Bureau::open().await;
    set_aside(&bureau).await;
    let site = Site::new(&format!("database.url = '{}'\n", bureau.hub.db.url));
    site.keyed_as(&bureau.hub.keys.config.pki_dir());
    let listed = site.said(&["work", "set-aside"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        listed.contains("hangzhou  C1  since ") && listed.contains("what is stored cannot be read"),
        "{listed}"
    );
    let status = site.said(&["supervision", "status"]);
    assert!(status.contains("1 rows of work set aside"), "{status}");
    let nothing = site.run(&["work", "put-back", "01890000-0000-7000-8000-000000000000"]);
    assert_eq!(nothing.status.code(), Some(1));
    let put = site.said(&["work", "put-back", "--all"]);
    assert!(put.starts_with("2 put back"), "{put}");
    drained(&bureau, "link_work").await;
    drained(&bureau, "supervision_work").await;
    assert!(
        site.said(&["work", "set-aside"])
            .contains("nothing is set aside")
    );
    let log = bureau.log().await;
    let put = log.iter().find(|entry| entry.action == "work.put_back");
    assert_eq!(put.unwrap().actor, "operator");
    bureau.hub.app.stop().await.unwrap();
}
