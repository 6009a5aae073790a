//! Offices, feeds and rejects.

use notary_hub::identity::Role;
use notary_proto::hub::v1::{PartyRole, Record};
use serde_json::{Value, json};

use crate::client::Bureau;
use crate::record::{case, person, refused, refused_at};
use crate::support::seed::notary;

#[tokio::test]
async fn a_notary_sees_the_own_office_and_the_bureau_sees_all() {
    let bureau = Bureau::open().await;
    let ids = |answer: Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap();
        let ids = items
            .iter()
            .map(|item| item["office_id"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let own = bureau.get(notary("xiaoshan"), "/api/v1/offices").await;
    assert_eq!(ids(own.json()), ["xiaoshan"]);
    let all = bureau.get(Role::Operator, "/api/v1/offices").await;
    assert_eq!(ids(all.json()), ["hangzhou", "xiaoshan"]);
}

#[tokio::test]
async fn a_feed_tells_where_it_stands_and_what_is_wrong_by_rule() {
    let bureau = Bureau::open().await;
    let mut mistyped = person(PartyRole::Testator, 3);
    mistyped.identifier.as_mut().unwrap().verified = false;
    let records: Vec<Record> = vec![
        case("A").into(),
        case("B").parties(vec![mistyped]).into(),
        refused("C", "DATE_ILLEGAL"),
        refused("D", "DATE_ILLEGAL"),
    ];
    bureau.seed.office(&bureau.hub, "hangzhou", records).await;
    let feed = bureau
        .get(notary("hangzhou"), "/api/v1/offices/hangzhou/feed")
        .await
        .json();
    assert_eq!(feed["committed_sequence"], 4);
    assert_eq!(feed["backlog"], 0);
    assert_eq!(feed["clock_skew_ms"], 40);
    assert_eq!(
        feed["open_rejects"],
        json!([{"rule_id": "DATE_ILLEGAL", "rule_zh": "日期不合法", "count": 2}])
    );
    assert_eq!(
        feed["quality_findings"],
        json!([{"rule_id": "IDENTIFIER_UNVERIFIED", "rule_zh": "证件号码校验不符", "count": 1}])
    );
    let silent = bureau
        .get(Role::Analyst, "/api/v1/offices/xiaoshan/feed")
        .await
        .json();
    assert_eq!(silent["committed_sequence"], Value::Null);
}

#[tokio::test]
async fn a_first_load_tells_how_far_it_is_until_everything_was_there() {
    let bureau = Bureau::open().await;
    let first_load = async || {
        let path = "/api/v1/offices/hangzhou/feed";
        bureau.get(Role::Analyst, path).await.json()["first_load"].clone()
    };
    assert_eq!(first_load().await, Value::Null, "it never spoke");
    let records: Vec<Record> = vec![case("A").into()];
    bureau.seed.office(&bureau.hub, "hangzhou", records).await;
    let so_far =
        "UPDATE sync_position SET committed_sequence = 63, backlog = 37, caught_up_at = NULL";
    let pool = &bureau.hub.db.pool;
    sqlx::query(so_far).execute(pool).await.unwrap();
    assert_eq!(first_load().await, json!({ "committed": 63, "known": 100 }));
    // As far as a sequence goes.
    let end = "UPDATE sync_position SET committed_sequence = 9223372036854775807";
    sqlx::query(end).execute(pool).await.unwrap();
    assert_eq!(first_load().await["known"], json!(i64::MAX));
    let there = "UPDATE sync_position SET backlog = 5, caught_up_at = now()";
    sqlx::query(there).execute(pool).await.unwrap();
    assert_eq!(
        first_load().await,
        Value::Null,
        "what comes later is no first load"
    );
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_quiet_office_is_up_to_date_since_it_was_last_heard_here_as_in_the_statistics() {
    let bureau = Bureau::open().await;
    let records: Vec<Record> = vec![case("A").into()];
    bureau.seed.office(&bureau.hub, "hangzhou", records).await;
    let quiet = "UPDATE sync_position SET caught_up_at = '1999-01-01 00:00Z', backlog = 0, last_seen_at = '2001-01-01 00:00Z'";
    let pool = &bureau.hub.db.pool;
    sqlx::query(quiet).execute(pool).await.unwrap();
    let said = async || {
        let feed = "/api/v1/offices/hangzhou/feed";
        let feed = bureau.get(Role::Analyst, feed).await.json();
        let all = "/api/v1/statistics/feeds";
        let all = bureau.get(Role::Analyst, all).await.json();
        let known = all["items"].as_array().unwrap();
        let known = known.iter().find(|item| item["office_id"] == "hangzhou");
        [
            feed["caught_up_at"].clone(),
            known.unwrap()["up_to_date_at"].clone(),
        ]
    };
    assert_eq!(said().await, ["2001-01-01T00:00:00Z"; 2]);
    let waits = "UPDATE sync_position SET backlog = 1";
    sqlx::query(waits).execute(pool).await.unwrap();
    assert_eq!(said().await, ["1999-01-01T00:00:00Z"; 2]);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn all_feeds_come_at_once_and_a_notary_gets_the_own_one() {
    let bureau = Bureau::open().await;
    let records: Vec<Record> = vec![case("A").into(), refused("B", "DATE_ILLEGAL")];
    bureau.seed.office(&bureau.hub, "hangzhou", records).await;
    let all = bureau.get(Role::Analyst, "/api/v1/feeds").await.json();
    let one = bureau
        .get(Role::Analyst, "/api/v1/offices/hangzhou/feed")
        .await
        .json();
    assert_eq!(all["items"][0], one);
    assert_eq!(all["items"][1]["office_id"], "xiaoshan");
    assert_eq!(all["items"][1]["open_rejects"], json!([]));
    let own = bureau.get(notary("xiaoshan"), "/api/v1/feeds").await.json();
    assert_eq!(own["items"], json!([all["items"][1]]));
}

#[tokio::test]
async fn rejects_come_page_by_page_and_reading_them_is_recorded() {
    let bureau = Bureau::open().await;
    let records = (0..5).map(|n| refused(&format!("C{n}"), "DATE_ILLEGAL"));
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", records.collect())
        .await;
    let mut path = "/api/v1/offices/hangzhou/rejects?limit=2".to_owned();
    let mut keys = Vec::new();
    loop {
        let page = bureau.get(Role::Operator, &path).await.json();
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item["value_shape"], "9999-99-99");
            assert_eq!(item["remedy_zh"], "日期不存在或格式不符。请更正。");
            keys.push(item["record_key"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => {
                path = format!("/api/v1/offices/hangzhou/rejects?limit=2&cursor={cursor}")
            }
            None => break,
        }
    }
    assert_eq!(keys, ["C0", "C1", "C2", "C3", "C4"]);
    let log = bureau.log().await;
    assert_eq!(log.len(), 3);
    assert!(
        log.iter()
            .all(|entry| entry.action == "reject.list" && entry.outcome == "done")
    );
}

#[tokio::test]
async fn a_page_goes_on_behind_the_longest_key_there_can_be() {
    let bureau = Bureau::open().await;
    let place = |name: &str| name.repeat(200 / name.chars().count());
    let records = [place("甲"), place("𠮷")]
        .iter()
        .map(|place| refused_at(place, &"长".repeat(64)))
        .collect();
    bureau.seed.office(&bureau.hub, "hangzhou", records).await;
    let path = "/api/v1/offices/hangzhou/rejects?limit=1";
    let page = bureau.get(Role::Operator, path).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = bureau
        .get(Role::Operator, &format!("{path}&cursor={cursor}"))
        .await;
    assert_eq!(next.json()["items"][0]["record_key"], place("𠮷"));
}

#[tokio::test]
async fn an_office_that_cannot_be_is_not_found() {
    let bureau = Bureau::open().await;
    for office in ["%FF", "X", "hangzhou%00"] {
        for list in ["feed", "rejects"] {
            let path = format!("/api/v1/offices/{office}/{list}");
            let answer = bureau.get(Role::Operator, &path).await;
            assert_eq!(
                (answer.status, answer.problem()),
                (404, "NOT_FOUND".to_owned()),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_of_no_size_and_a_cursor_made_up_are_refused() {
    let bureau = Bureau::open().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=W10", "cursor"),
    ] {
        let path = format!("/api/v1/offices/hangzhou/rejects?{query}");
        let answer = bureau.get(Role::Operator, &path).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, "FIELD_INVALID".to_owned())
        );
        assert_eq!(answer.json()["field"], field);
    }
}
