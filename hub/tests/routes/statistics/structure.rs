//! Offices in time, and their feeds.

use notary_hub::identity::Role;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::feeds;
use notary_hub::statistics::structure::{Belonging, Change, change};
use serde_json::{Value, json};
use time::macros::date;

use crate::client::Bureau;
use crate::record::case;
use crate::support::seed::notary;

async fn accepted(bureau: &Bureau, query: &str) -> Value {
    let path = format!("/api/v1/statistics?measures=accepted&{query}");
    let answer = bureau.get(Role::Analyst, &path).await.json();
    let rows = answer["rows"].as_array().unwrap().iter();
    let rows = rows.map(|row| {
        json!([
            row["keys"][0]["code"],
            row["keys"][0]["name_zh"],
            row["figures"][0]["value"]
        ])
    });
    rows.collect()
}

#[tokio::test]
async fn figures_are_shown_by_the_offices_of_any_day() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    seed.office(hub, "hangzhou", vec![case("A1"), case("A2")])
        .await;
    seed.office(hub, "xiaoshan", vec![case("X1")]).await;
    let merged = Change {
        name: Some("萧山公证处（已并入）".into()),
        belonging: Some(Belonging::MergedInto("hangzhou".parse().unwrap())),
        ..Change::default()
    };
    let on = date!(2025 - 01 - 01);
    let today = date!(2026 - 01 - 01);
    change(
        &hub.db.pool,
        "xiaoshan".parse().unwrap(),
        on,
        &merged,
        today,
    )
    .await
    .unwrap();
    let renamed = Change {
        name: Some("杭州公证处".into()),
        district: Some("330106".parse().unwrap()),
        ..Change::default()
    };
    change(
        &hub.db.pool,
        "hangzhou".parse().unwrap(),
        on,
        &renamed,
        today,
    )
    .await
    .unwrap();
    for (query, expected) in [
        (
            "structure_on=2024-12-31",
            json!([
                ["hangzhou", "杭州市hangzhou公证处", 2],
                ["xiaoshan", "杭州市xiaoshan公证处", 1]
            ]),
        ),
        (
            "structure_on=2025-01-01",
            json!([["hangzhou", "杭州公证处", 3]]),
        ),
        ("", json!([["hangzhou", "杭州公证处", 3]])),
        ("group_by=district", json!([["330106", "西湖区", 3]])),
        (
            "group_by=district&structure_on=2024-12-31",
            json!([["330102", "上城区", 3]]),
        ),
    ] {
        assert_eq!(accepted(&bureau, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn feeds_are_measured_over_time_and_seen_at_a_glance() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    seed.office(hub, "hangzhou", vec![case("A1"), case("A2")])
        .await;
    feeds::sample(&hub.db.pool, &Calendar::builtin())
        .await
        .unwrap();
    // Twice in a moment, as by two hubs, is one sample.
    feeds::sample(&hub.db.pool, &Calendar::builtin())
        .await
        .unwrap();
    let answer = bureau
        .get(Role::Operator, "/api/v1/statistics/feeds")
        .await
        .json();
    let [here, there] = [0, 1].map(|at| answer["items"][at].clone());
    assert_eq!(
        (&here["office_id"], &here["timeliness"]),
        (&json!("hangzhou"), &json!("on_time"))
    );
    assert_eq!(
        (&here["committed_sequence"], &here["completeness"]),
        (&json!(2), &json!(1.0))
    );
    assert_eq!(
        (&here["past"]["samples"], &here["past"]["on_time_rate"]),
        (&json!(1), &json!(1.0))
    );
    assert_eq!(
        (&there["timeliness"], &there["completeness"]),
        (&json!("never"), &Value::Null)
    );
    assert_eq!(there["past"]["on_time_rate"], 0.0);

    let own = bureau
        .get(notary("xiaoshan"), "/api/v1/statistics/feeds")
        .await
        .json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    let overview = bureau
        .get(Role::Supervisor, "/api/v1/statistics/overview")
        .await
        .json();
    let expected = json!({"offices": 2, "connected": 1, "on_time": 1, "late": 0, "never": 1});
    assert_eq!(overview["feeds"], expected);
    // Two wills of one person at one office are no finding.
    assert_eq!(overview["open"]["duplicate"], 0);
}
