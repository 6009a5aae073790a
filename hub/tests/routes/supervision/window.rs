//! Self-assessments of windows: the bureau's board, the office's own items, and the catalogue they are told by.

use http::Method;
use notary_hub::statistics::restructure::{self, Change};
use notary_hub::store::office::Level;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use time::macros::date;

use super::{file, notary_of, supervisor};
use crate::client::{Bureau, Colleague};

async fn get(bureau: &Bureau, who: Colleague, path: &str) -> Value {
    let path = format!("/api/v1/supervision{path}");
    let answer = bureau.ask(who, Method::GET, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// Everything is there; the office and its lobby have that many square metres.
async fn assess(bureau: &Bureau, office: &str, on: &str, area: u32, lobby: u32) {
    let catalogue = get(bureau, notary_of(office), "/catalogue").await;
    let items = catalogue["window"]["items"].as_array().unwrap().iter();
    let items: Vec<Value> = items
        .filter(|item| item["former"] == false)
        .map(|item| match item["id"].as_str().unwrap() {
            "1.area" => json!({ "item": "1.area", "answer": "measured", "value": area, "evidence": "房产证".repeat(150) }),
            "3.lobby" => json!({ "item": "3.lobby", "answer": "measured", "value": lobby }),
            "9.queue" => json!({ "item": "9.queue", "answer": "not_applicable" }),
            "7.computer" => json!({ "item": "7.computer", "answer": "per_notary", "value": 6, "notaries": 6 }),
            id if item["measure"].is_object() => json!({ "item": id, "answer": "measured", "value": 1 }),
            // Together more than any other request may have.
            id => json!({ "item": id, "answer": "yes", "evidence": "见照片".repeat(60) }),
        })
        .collect();
    let body = json!({ "kind": "self_assessment", "assessed_on": on, "items": items });
    let filed = file(bureau, notary_of(office), "", body, "").await;
    assert_eq!(filed.status, 201, "{}", filed.text());
}

#[tokio::test]
async fn the_bureau_sees_every_offices_score_of_a_year_and_whose_is_missing() {
    let bureau = Bureau::open().await;
    assess(&bureau, "hangzhou", "2023-12-05", 480, 30).await;
    assess(&bureau, "hangzhou", "2024-06-03", 480, 60).await;
    assess(&bureau, "hangzhou", "2024-12-02", 520, 60).await;
    let long = "UPDATE office SET created_at = '2023-03-01'";
    sqlx::query(long)
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();

    let board = get(&bureau, supervisor(), "/windows").await;
    assert_eq!(
        (&board["year"], &board["years"]),
        (&json!(2024), &json!([2024, 2023]))
    );
    // Twenty working days behind the year.
    assert_eq!(board["due_on"], "2025-02-05");
    let lines = board["items"].as_array().unwrap();
    let of = |office: &str| {
        lines
            .iter()
            .find(|line| line["office_id"] == office)
            .unwrap()
    };
    let hangzhou = of("hangzhou");
    assert_eq!(hangzhou["state"], "filed");
    assert_eq!(hangzhou["newest"]["assessed_on"], "2024-12-02");
    assert_eq!(
        hangzhou["newest"]["score"],
        json!({ "met": 57, "of": 57, "unmet": [] })
    );
    assert_eq!(
        hangzhou["before"]["score"]["unmet"],
        json!(["1.area", "3.lobby"])
    );
    let xiaoshan = of("xiaoshan");
    assert_eq!(
        (&xiaoshan["state"], &xiaoshan["newest"]),
        (&json!("overdue"), &Value::Null)
    );

    // Of an earlier year what was known of it; a notary sees the own office alone.
    let board = get(&bureau, supervisor(), "/windows?year=2023").await;
    let line = &board["items"][0];
    assert_eq!(
        (&line["newest"]["assessed_on"], &line["before"]),
        (&json!("2023-12-05"), &Value::Null)
    );
    let own = get(&bureau, notary_of("xiaoshan"), "/windows").await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert!(!own.to_string().contains("hangzhou"), "{own}");
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_is_late_with_the_window_of_a_year_in_which_it_did_not_take_part() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    let joined = "UPDATE office SET created_at = '2025-11-03' WHERE office_id = 'xiaoshan'";
    let long = "UPDATE office SET created_at = '2023-03-01' WHERE office_id = 'hangzhou'";
    for sql in [joined, long] {
        sqlx::query(sql).execute(pool).await.unwrap();
    }
    for (year, states) in [
        (2024, ["overdue", "not_asked"]),
        (2025, ["overdue", "overdue"]),
    ] {
        let board = get(&bureau, supervisor(), &format!("/windows?year={year}")).await;
        let lines = board["items"].as_array().unwrap().iter();
        let shown: Vec<&Value> = lines.map(|line| &line["state"]).collect();
        assert_eq!(shown, states, "{year}");
    }
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_is_late_with_the_window_of_a_year_that_ended_while_it_was_revoked() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    for sql in [
        "UPDATE office SET created_at = '2021-03-01'",
        "INSERT INTO office_absence (office_id, revoked_at, reinstated_at)
         VALUES ('xiaoshan', '2022-11-03', '2024-05-06')",
    ] {
        sqlx::query(sql).execute(pool).await.unwrap();
    }
    for (year, of_xiaoshan) in [
        (2021, "overdue"),
        (2022, "away"),
        (2023, "away"),
        (2024, "overdue"),
    ] {
        let path = format!("/windows?year={year}");
        let board = get(&bureau, supervisor(), &path).await;
        let lines = board["items"].as_array().unwrap().iter();
        let shown: Vec<&Value> = lines.map(|line| &line["state"]).collect();
        assert_eq!(shown, ["overdue", of_xiaoshan], "{year}");
        let own = get(&bureau, notary_of("xiaoshan"), &path).await;
        assert_eq!(own["items"][0]["state"], of_xiaoshan, "{year}");
    }
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_assessment_that_came_in_time_and_was_mended_later_is_not_late() {
    let bureau = Bureau::open().await;
    let recorded = async |area: u32, at: &'static str| {
        assess(&bureau, "hangzhou", "2024-06-03", area, 60).await;
        let at = format!("UPDATE filing SET recorded_at = '{at}' WHERE recorded_at > '2025-12-31'");
        let pool = &bureau.hub.db.pool;
        sqlx::query(AssertSqlSafe(at)).execute(pool).await.unwrap();
        let board = get(&bureau, supervisor(), "/windows").await;
        let lines = board["items"].as_array().unwrap().iter();
        let line = lines.clone().find(|line| line["office_id"] == "hangzhou");
        let newest = &line.unwrap()["newest"];
        (newest["late"].clone(), newest["score"]["unmet"].clone())
    };
    let in_time = recorded(480, "2025-02-05 12:00+08").await;
    assert_eq!(in_time, (json!(false), json!(["1.area"])));
    let mended = recorded(520, "2025-03-03 12:00+08").await;
    assert_eq!(mended, (json!(false), json!([])));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_sees_each_item_its_threshold_what_is_missing_and_how_it_was() {
    let bureau = Bureau::open().await;
    let path = "/windows/hangzhou";
    let empty = get(&bureau, notary_of("hangzhou"), path).await;
    assert_eq!(empty["assessment"], Value::Null);
    assert!(
        empty["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["verdict"] == "unanswered")
    );

    assess(&bureau, "hangzhou", "2024-06-03", 480, 60).await;
    assess(&bureau, "hangzhou", "2024-12-02", 520, 60).await;
    let newest = get(&bureau, notary_of("hangzhou"), path).await;
    let history: Vec<_> = newest["history"].as_array().unwrap().iter().collect();
    assert_eq!(history.len(), 2);
    assert_eq!(newest["assessment"], *history[0]);
    let item = |window: &Value, id: &str| {
        let items = window["items"].as_array().unwrap().iter();
        items
            .clone()
            .find(|item| item["item"] == id)
            .unwrap()
            .clone()
    };
    let area = item(&newest, "1.area");
    assert_eq!(
        (&area["threshold"], &area["verdict"]),
        (&json!(500), &json!("met"))
    );
    assert_eq!(area["answer"]["evidence"], "房产证".repeat(150));
    assert_eq!(item(&newest, "9.queue")["verdict"], "not_applicable");

    let older = get(
        &bureau,
        supervisor(),
        "/windows/hangzhou?assessed_on=2024-06-03",
    )
    .await;
    assert_eq!(item(&older, "1.area")["verdict"], "unmet");
    let path = "/api/v1/supervision/windows/hangzhou?assessed_on=2024-06-04";
    let none = bureau
        .ask(supervisor(), Method::GET, path, Value::Null)
        .await;
    assert_eq!(none.status, 404);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_assessment_is_judged_by_the_level_that_the_office_had_on_its_day() {
    let bureau = Bureau::open().await;
    let change = "INSERT INTO office_period (office_id, valid_from, name, level, district_code, counts_under)
                  SELECT office_id, d, name, l, district_code, office_id
                    FROM office, (VALUES (date '1900-01-01', 'county'), (date '2024-07-01', 'municipal')) AS p (d, l)
                   WHERE office_id = 'hangzhou'";
    sqlx::query(change)
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    assess(&bureau, "hangzhou", "2024-06-03", 300, 40).await;
    assess(&bureau, "hangzhou", "2024-12-02", 300, 40).await;
    let window = get(&bureau, supervisor(), "/windows/hangzhou").await;
    let history = window["history"].as_array().unwrap().iter();
    let unmet: Vec<_> = history.map(|one| &one["score"]["unmet"]).collect();
    assert_eq!(unmet, [&json!(["1.area", "3.lobby"]), &json!([])]);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_level_that_is_corrected_scores_again_what_was_assessed_under_it() {
    let bureau = Bureau::open().await;
    assess(&bureau, "hangzhou", "2024-06-03", 300, 40).await;
    let pool = &bureau.hub.db.pool;
    let stored = async || {
        let scores = "SELECT items_met, items FROM filing WHERE kind = 'self_assessment'";
        let (met, of): (i16, i16) = sqlx::query_as(scores).fetch_one(pool).await.unwrap();
        json!([met, of])
    };
    let shown = async || {
        let board = get(&bureau, supervisor(), "/windows").await;
        let lines = board["items"].as_array().unwrap().iter();
        let line = lines.clone().find(|line| line["office_id"] == "hangzhou");
        let score = &line.unwrap()["newest"]["score"];
        json!([score["met"], score["of"]])
    };
    let municipal = stored().await;
    assert_eq!(municipal, shown().await);
    let county = Change {
        name: None,
        level: Some(Level::County),
        district: None,
        belonging: None,
    };
    let office = "hangzhou".parse().unwrap();
    restructure::change(
        pool,
        office,
        date!(2020 - 01 - 01),
        &county,
        date!(2026 - 01 - 01),
    )
    .await
    .unwrap();
    assert_ne!(stored().await, municipal);
    assert_eq!(stored().await, shown().await);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_catalogue_has_a_form_for_every_kind_with_its_deadline_and_every_item_of_the_window() {
    let bureau = Bureau::open().await;
    let catalogue = get(&bureau, notary_of("hangzhou"), "/catalogue").await;
    let kinds = catalogue["filing_kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 13);
    let of = |code: &str| kinds.iter().find(|kind| kind["kind"] == code).unwrap();
    assert_eq!(
        of("refusal")["deadline"]["text_zh"],
        "自发生之日起 5 个工作日内"
    );
    let monthly = &of("service_counts")["deadline"];
    assert_eq!(monthly["text_zh"], "每月结束后 5 个工作日内");
    assert!(monthly["due_on"].as_str().unwrap() > monthly["period"]["last_day"].as_str().unwrap());
    assert_eq!(of("instruction")["deadline"], Value::Null);
    let items = catalogue["window"]["items"].as_array().unwrap();
    let (former, asked): (Vec<_>, Vec<_>) = items.iter().partition(|item| item["former"] == true);
    assert_eq!((asked.len(), former.len()), (58, 5));
    // Of states in which an office is told nothing it is not asked which it wants.
    let states = |catalogue: &Value| catalogue["inspection_states"].as_array().unwrap().len();
    let bureaus = get(&bureau, supervisor(), "/catalogue").await;
    assert_eq!((states(&catalogue), states(&bureaus)), (3, 5));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_form_that_was_filled_in_wrongly_says_in_chinese_what_to_mend() {
    let bureau = Bureau::open().await;
    let period = json!({ "first_day": "2024-04-01", "last_day": "2024-06-30" });
    let body =
        json!({ "kind": "satisfaction", "period": period, "asked": 1, "answers": [0, 0, 0, 0, 2] });
    let refused = file(&bureau, notary_of("hangzhou"), "", body, "").await;
    assert_eq!(
        (refused.status, &refused.json()["field"]),
        (400, &json!("answers"))
    );
    assert_eq!(
        refused.json()["detail_zh"],
        "各分值的答卷合计不得多于发放份数。"
    );
    bureau.hub.app.stop().await.unwrap();
}
