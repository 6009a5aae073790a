//! Periodic filings that never came: listed by office and period, counted in figures, gone when they come.

use http::Method;
use serde_json::{Value, json};

use super::{file, judged, notary_of, supervisor};
use crate::client::{Bureau, Colleague};
use notary_hub::identity::Role;

const PATH: &str = "/api/v1/supervision/filings/missing";

async fn missing(bureau: &Bureau, who: Colleague, query: &str) -> Vec<(String, String, String)> {
    let path = format!("{PATH}{query}");
    let answer = bureau.ask(who, Method::GET, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let items = answer.json()["items"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| {
            (
                text(&item["office_id"]),
                text(&item["kind"]),
                text(&item["period"]["last_day"]),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_periodic_filing_that_never_came_is_missing_by_office_and_period_until_it_comes() {
    let bureau = Bureau::open().await;
    let long =
        "UPDATE office SET created_at = now() - interval '400 days' WHERE office_id = 'hangzhou'";
    sqlx::query(long)
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let question = json!({ "kind": "instruction" });
    let filed = file(&bureau, notary_of("hangzhou"), "", question, "请示").await;
    assert_eq!(filed.status, 201);
    judged(&bureau).await;
    let owed = missing(&bureau, supervisor(), "").await;
    let months = owed
        .iter()
        .filter(|(_, kind, _)| kind == "service_counts")
        .count();
    assert!((12..=14).contains(&months), "{owed:?}");
    for kind in [
        "special_paper",
        "satisfaction",
        "quality_follow_up",
        "self_assessment",
    ] {
        assert!(owed.iter().any(|(_, of, _)| of == kind), "{kind}");
    }
    assert_eq!(missing(&bureau, notary_of("hangzhou"), "").await, owed);
    // The other office takes part since today, and sees nothing of its neighbour's.
    assert_eq!(
        missing(&bureau, notary_of("xiaoshan"), "?office=hangzhou").await,
        []
    );

    let figures = async |figure: usize| {
        let path = "/api/v1/statistics?measures=filings,filings_missing&group_by=filing_kind";
        let table = bureau.get(Role::Analyst, path).await.json();
        let rows = table["rows"].as_array().unwrap().iter();
        let of = |row: &&Value| row["keys"][0]["code"] == "service_counts";
        rows.clone().find(of).unwrap()["figures"][figure]["value"]
            .as_u64()
            .unwrap()
    };
    assert_eq!((figures(0).await, figures(1).await), (0, months as u64));
    let asked =
        "SELECT count(*) FROM notice WHERE office_id = 'hangzhou' AND kind = 'report_wanted'
                   AND text_zh LIKE '%已逾期，请补报%'";
    let asked: i64 = sqlx::query_scalar(asked)
        .fetch_one(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(asked, owed.len() as i64);

    let newest = owed
        .iter()
        .find(|(_, kind, _)| kind == "service_counts")
        .unwrap();
    let period = json!({ "first_day": format!("{}-01", &newest.2[..7]), "last_day": newest.2 });
    let counts = json!({ "kind": "service_counts", "period": period, "legal_aid": 1, "home_visits": 2, "fee_waivers": 0 });
    let filed = file(&bureau, notary_of("hangzhou"), "", counts, "").await;
    assert_eq!((filed.status, &filed.json()["late"]), (201, &true.into()));
    judged(&bureau).await;
    let left = missing(&bureau, supervisor(), "?office=hangzhou").await;
    assert!(!left.contains(newest) && left.len() == owed.len() - 1);
    assert_eq!((figures(0).await, figures(1).await), (1, months as u64 - 1));
    bureau.hub.app.stop().await.unwrap();
}
