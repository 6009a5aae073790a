//! A report is published again beside those that were published when less was known.

use notary_hub::identity::Role;
use notary_hub::statistics::restructure::{Belonging, Change, change};
use serde_json::{Value, json};
use time::macros::date;

use super::{publish, published};
use crate::client::Bureau;
use crate::record::{Case, case};
use crate::support::add_office;

fn accepted(month: u32, count: u32) -> Vec<Case> {
    let day = format!("2024-{month:02}-05");
    let cases = (0..count).map(|number| case(&format!("{month}-{number}")).accepted(&day));
    cases.collect()
}

/// Cases of the first months of the year.
fn quarter(counts: [u32; 3]) -> Vec<Case> {
    let months = (1..).zip(counts);
    months
        .flat_map(|(month, count)| accepted(month, count))
        .collect()
}

/// Two offices with cases enough.
async fn two() -> Bureau {
    let bureau = Bureau::open().await;
    for (office, count) in [("hangzhou", 20), ("xiaoshan", 10)] {
        let cases = quarter([count; 3]);
        bureau.seed.office(&bureau.hub, office, cases).await;
    }
    bureau
}

async fn published_again(bureau: &Bureau, period: &str) -> Value {
    let again = json!({"in_place_of": 1, "reason": "补报"});
    let answer = publish(bureau, period, again).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["report"].clone()
}

/// What is told of the cases accepted: office by office, and in total.
fn told(report: &Value) -> (Vec<(String, Option<i64>)>, Option<i64>) {
    let cell = |row: &Value| row["cells"][0]["value"].as_i64();
    let rows = report["tables"][0]["rows"].as_array().unwrap().iter();
    let rows = rows.map(|row| (row["code"].as_str().unwrap().to_owned(), cell(row)));
    (rows.collect(), cell(&report["total"]))
}

/// What was left out of an office does not follow from the rest of its table.
fn assert_open(report: &Value, office: &str) {
    let (rows, total) = told(report);
    assert!(rows.contains(&(office.to_owned(), None)), "{rows:?}");
    let hidden = rows.iter().filter(|(_, value)| value.is_none()).count();
    assert!(hidden > 1 || total.is_none(), "{rows:?} of {total:?}");
}

#[tokio::test]
async fn few_cases_of_an_office_that_joined_later_do_not_follow() {
    let bureau = two().await;
    for period in ["2024-01", "2024-02", "2024-03", "2024-Q1"] {
        published(&bureau, period).await;
    }
    add_office(&bureau.hub.db.pool, "yuhang").await;
    bureau
        .seed
        .office(&bureau.hub, "yuhang", quarter([3, 6, 7]))
        .await;
    assert_open(&published_again(&bureau, "2024-01").await, "yuhang");
}

#[tokio::test]
async fn few_cases_that_came_too_late_for_their_report_do_not_follow() {
    let bureau = two().await;
    add_office(&bureau.hub.db.pool, "yuhang").await;
    bureau
        .seed
        .office(&bureau.hub, "yuhang", quarter([0, 6, 7]))
        .await;
    for period in ["2024-01", "2024-02", "2024-03", "2024-Q1"] {
        published(&bureau, period).await;
    }
    bureau
        .seed
        .office(&bureau.hub, "yuhang", accepted(1, 3))
        .await;
    let again = published_again(&bureau, "2024-01").await;
    assert_open(&again, "yuhang");
    // The quarter as it is now would give them away with February and March, which have not changed.
    let (rows, _) = told(&published_again(&bureau, "2024-Q1").await);
    assert!(rows.contains(&("yuhang".to_owned(), None)), "{rows:?}");
}

#[tokio::test]
async fn a_merger_that_is_recorded_late_takes_no_row_from_what_was_published() {
    let bureau = two().await;
    add_office(&bureau.hub.db.pool, "yuhang").await;
    bureau
        .seed
        .office(&bureau.hub, "yuhang", accepted(1, 3))
        .await;
    let first = published(&bureau, "2024-01").await["report"].clone();
    let merged = Change {
        belonging: Some(Belonging::MergedInto("hangzhou".parse().unwrap())),
        ..Change::default()
    };
    let (office, on) = ("yuhang".parse().unwrap(), date!(2023 - 12 - 01));
    change(&bureau.hub.db.pool, office, on, &merged, on)
        .await
        .unwrap();
    let again = published_again(&bureau, "2024-01").await;
    assert_eq!(told(&again), told(&first));
    // Next year's are by the offices that there are then.
    let answer = bureau.get(Role::Analyst, "/api/v1/reports/2025-01").await;
    let (rows, _) = told(&answer.json()["now"]);
    assert!(
        rows.iter().all(|(office, _)| office != "yuhang"),
        "{rows:?}"
    );
}
