//! Offices in time, and their feeds.

use notary_hub::identity::Role;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::feeds;
use notary_hub::statistics::restructure::{Belonging, Change, change};
use notary_hub::store::feed::day::{self, Sample};
use notary_hub::store::office::structure;
use serde_json::{Value, json};
use time::macros::date;
use uuid::Uuid;

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
async fn an_office_becomes_what_was_said_ahead_on_its_day() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    let named = |name: &str| Change {
        name: Some(name.to_owned()),
        ..Change::default()
    };
    let office = || "hangzhou".parse().unwrap();
    let today = date!(2026 - 01 - 01);
    for (on, name) in [
        (date!(2026 - 02 - 01), "二月公证处"),
        (date!(2026 - 04 - 01), "四月公证处"),
    ] {
        change(pool, office(), on, &named(name), today)
            .await
            .unwrap();
    }
    let mut names = Vec::new();
    for day in [
        date!(2026 - 01 - 31),
        date!(2026 - 03 - 01),
        date!(2026 - 04 - 01),
    ] {
        structure::rename_due(pool, day).await.unwrap();
        let name = "SELECT name FROM office WHERE office_id = 'hangzhou'";
        names.push(
            sqlx::query_scalar::<_, String>(name)
                .fetch_one(pool)
                .await
                .unwrap(),
        );
    }
    assert_eq!(names, ["杭州市hangzhou公证处", "二月公证处", "四月公证处"]);
    assert_eq!(
        structure::rename_due(pool, today).await.unwrap(),
        1,
        "as of any day"
    );
    assert_eq!(structure::rename_due(pool, today).await.unwrap(), 0, "once");
}

#[tokio::test]
async fn a_days_records_are_all_that_came_since_the_day_before() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (first, third, fourth) = (
        date!(2026 - 01 - 01),
        date!(2026 - 01 - 03),
        date!(2026 - 01 - 04),
    );
    for (day, epoch, sequence) in [
        (first, old, 40),
        (third, old, 100),
        (third, old, 130),
        (fourth, new, 7),
    ] {
        let mut standings = day::standings(pool, Some("hangzhou".parse().unwrap()))
            .await
            .unwrap();
        (standings[0].epoch, standings[0].committed_sequence) = (Some(epoch), sequence);
        let sample = Sample {
            standing: &standings[0],
            late: false,
            lag_seconds: 0,
        };
        day::add_samples(pool, day, &[sample]).await.unwrap();
        // Samples are ten minutes apart.
        sqlx::query("UPDATE feed_day SET sampled_at = sampled_at - interval '10 minutes'")
            .execute(pool)
            .await
            .unwrap();
    }
    let records: Vec<i64> = sqlx::query_scalar("SELECT records FROM feed_day WHERE office_id = 'hangzhou' AND day < '2026-02-01' ORDER BY day")
        .fetch_all(pool)
        .await
        .unwrap();
    assert_eq!(records, [40, 90, 7]);
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
