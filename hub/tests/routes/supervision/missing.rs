//! Periodic filings that never came: listed by office and period, counted in figures, gone when they come.

use http::Method;
use serde_json::{Value, json};

use super::{file, judged, notary_of, supervisor};
use crate::client::{Bureau, Colleague};
use notary_hub::identity::Role;

const PATH: &str = "/api/v1/supervision/filings/missing";

async fn read(bureau: &Bureau, who: Colleague, path: &str) -> Value {
    let answer = bureau.ask(who, Method::GET, path, Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// All of them, in pages of seven.
async fn missing(bureau: &Bureau, who: Colleague, query: &str) -> Vec<(String, String, String)> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{PATH}?limit=7{query}{cursor}");
        let page = read(bureau, who, &path).await;
        items.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
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
        missing(&bureau, notary_of("xiaoshan"), "&office=hangzhou").await,
        []
    );

    let figures = async |figure: usize| {
        let path =
            "/api/v1/statistics?measures=filings,filings_missing,filings_late&group_by=filing_kind";
        let table = bureau.get(Role::Analyst, path).await.json();
        let rows = table["rows"].as_array().unwrap().iter();
        let of = |row: &&Value| row["keys"][0]["code"] == "service_counts";
        rows.clone().find(of).unwrap()["figures"][figure]["value"]
            .as_u64()
            .unwrap()
    };
    assert_eq!((figures(0).await, figures(1).await), (0, months as u64));
    assert_eq!(figures(2).await, 0, "what is missing is not late");
    let asked = async || {
        let asked =
            "SELECT count(*) FROM notice WHERE office_id = 'hangzhou' AND kind = 'report_wanted'
                   AND text_zh LIKE '%已逾期，请补报%'";
        let asked = sqlx::query_scalar::<_, i64>(asked);
        asked.fetch_one(&bureau.hub.db.pool).await.unwrap()
    };
    assert_eq!(asked().await, owed.len() as i64);

    let newest = owed
        .iter()
        .find(|(_, kind, _)| kind == "service_counts")
        .unwrap();
    let period = json!({ "first_day": format!("{}-01", &newest.2[..7]), "last_day": newest.2 });
    let counts = json!({ "kind": "service_counts", "period": period, "legal_aid": 1, "home_visits": 2, "fee_waivers": 0 });
    let filed = file(&bureau, notary_of("hangzhou"), "", counts, "").await;
    assert_eq!((filed.status, &filed.json()["late"]), (201, &true.into()));
    judged(&bureau).await;
    let left = missing(&bureau, supervisor(), "&office=hangzhou").await;
    assert!(!left.contains(newest) && left.len() == owed.len() - 1);
    assert_eq!((figures(0).await, figures(1).await), (1, months as u64 - 1));
    assert_eq!(figures(2).await, 1);
    assert_eq!(asked().await, owed.len() as i64, "for each once");
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_counted_by_office_and_told_of_one_kind_or_of_some_periods() {
    let bureau = Bureau::open().await;
    for (office, days) in [("hangzhou", 100), ("xiaoshan", 400)] {
        let since =
            "UPDATE office SET created_at = now() - make_interval(days => $2) WHERE office_id = $1";
        sqlx::query(since)
            .bind(office)
            .bind(days)
            .execute(&bureau.hub.db.pool)
            .await
            .unwrap();
        let question = json!({ "kind": "instruction" });
        let filed = file(&bureau, notary_of(office), "", question, "请示").await;
        assert_eq!(filed.status, 201);
    }
    judged(&bureau).await;
    let owed = missing(&bureau, supervisor(), "").await;
    let of = |office: &str| owed.iter().filter(|(of, ..)| of == office).count() as u64;
    let answer = read(&bureau, supervisor(), &format!("{PATH}/offices")).await;
    let counted: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let office = item["office_id"].as_str().unwrap().to_owned();
            (office, item["count"].as_u64().unwrap())
        })
        .collect();
    let expected = ["xiaoshan", "hangzhou"].map(|office| (office.to_owned(), of(office)));
    assert_eq!(counted, expected, "who owes for the longest time is first");
    let own = read(&bureau, notary_of("hangzhou"), &format!("{PATH}/offices")).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);

    let papers = missing(&bureau, supervisor(), "&kind=special_paper").await;
    assert!(!papers.is_empty() && papers.iter().all(|(_, kind, _)| kind == "special_paper"));
    let last_day = &papers[0].2;
    let period = format!("&kind=special_paper&from={last_day}&to={last_day}");
    let both = missing(&bureau, supervisor(), &period).await;
    assert_eq!(both.len(), 2, "each office owes that month's: {both:?}");
    let path = format!("{PATH}/offices?kind=special_paper&from={last_day}");
    let of_it = read(&bureau, supervisor(), &path).await;
    assert_eq!(of_it["items"][1]["count"], 1);
    let wrong = bureau
        .get(Role::Supervisor, &format!("{PATH}?cursor=bm90aGluZw"))
        .await;
    assert_eq!(wrong.problem(), "FIELD_INVALID");
    bureau.hub.app.stop().await.unwrap();
}
