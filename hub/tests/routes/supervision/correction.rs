//! A filing is corrected by its office: what it said is kept, what follows from it follows.

use http::Method;
use serde_json::{Value, json};

use super::{file, findings, judged, notary_of, supervisor};
use crate::client::{Answer, Bureau, Colleague};
use notary_hub::identity::Role;

const FILINGS: &str = "/api/v1/supervision/filings";

fn services(legal_aid: u32) -> Value {
    json!({
        "kind": "service_counts", "period": { "first_day": "2024-06-01", "last_day": "2024-06-30" },
        "legal_aid": legal_aid, "home_visits": 7, "fee_waivers": 3,
    })
}

fn paper(last_used: u32) -> Value {
    json!({
        "kind": "special_paper", "period": { "first_day": "2024-06-01", "last_day": "2024-06-30" },
        "movements": [
            { "movement": "received", "series": "ZJ", "first_no": 1, "last_no": 100, "moved_on": "2024-06-03" },
            { "movement": "used", "series": "ZJ", "first_no": 1, "last_no": last_used, "moved_on": "2024-06-28" },
        ],
    })
}

/// Of twenty people who all gave one score.
fn survey(score: usize) -> Value {
    let mut answers = [0; 5];
    answers[score - 1] = 20;
    json!({
        "kind": "satisfaction", "period": { "first_day": "2024-04-01", "last_day": "2024-06-30" },
        "asked": 30, "answers": answers,
    })
}

async fn filed(bureau: &Bureau, body: Value) -> Value {
    let filed = file(bureau, notary_of("hangzhou"), "", body, "").await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    filed.json()
}

async fn correct(
    bureau: &Bureau,
    who: Colleague,
    receipt: &Value,
    in_place_of: i32,
    body: Value,
) -> Answer {
    let correction = json!({ "in_place_of": in_place_of, "reason": "原数漏计", "body": body });
    let path = revisions_of(receipt);
    bureau.ask(who, Method::POST, &path, correction).await
}

fn revisions_of(receipt: &Value) -> String {
    let id = receipt["filing_id"].as_str().unwrap();
    format!("{FILINGS}/hangzhou/{id}/revisions")
}

async fn read(bureau: &Bureau, path: &str) -> Value {
    let answer = bureau
        .ask(supervisor(), Method::GET, path, Value::Null)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_corrected_count_has_a_reason_and_what_it_was_stands_beside_it() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let receipt = filed(&bureau, services(4)).await;
    let corrected = correct(&bureau, notary, &receipt, 1, services(5)).await;
    assert_eq!(corrected.status, 201, "{}", corrected.text());
    assert_eq!(corrected.json()["revision"], 2);
    let log = bureau.log().await;
    let recorded = log.iter().find(|entry| entry.action == "filing.correct");
    let recorded = recorded.map(|entry| (entry.office_id.as_deref(), entry.outcome.as_str()));
    assert_eq!(recorded, Some((Some("hangzhou"), "done")));

    // It is one filing yet, and came when it came.
    let listed = read(&bureau, &format!("{FILINGS}?kind=service_counts")).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let listed = &listed["items"][0];
    assert_eq!(listed["body"], services(5));
    assert_eq!(listed["revision"], 2);
    for stays in ["recorded_at", "due_on", "late"] {
        assert_eq!(listed[stays], receipt[stays], "{stays}");
    }
    let said = read(&bureau, &revisions_of(&receipt)).await;
    let said: Vec<_> = said["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["revision"], one["body"]["legal_aid"], one["reason"]]))
        .collect();
    assert_eq!(said, [json!([2, 5, "原数漏计"]), json!([1, 4, null])]);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn of_two_corrections_of_one_revision_the_second_reads_again() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let receipt = filed(&bureau, services(4)).await;
    let first = correct(&bureau, notary, &receipt, 1, services(5)).await;
    let again = correct(&bureau, notary, &receipt, 1, services(5)).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(again.json(), first.json());
    let other = correct(&bureau, notary, &receipt, 1, services(6)).await;
    assert_eq!(
        (other.status, other.problem()),
        (409, "NOT_THE_NEWEST".to_owned())
    );
    let next = correct(&bureau, notary, &receipt, 2, services(6)).await;
    assert_eq!((next.status, &next.json()["revision"]), (201, &3.into()));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_filed_first_is_harmless_when_it_is_sent_again_after_a_correction() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let receipt = filed(&bureau, services(4)).await;
    let corrected = correct(&bureau, notary, &receipt, 1, services(5)).await;
    assert_eq!(corrected.status, 201);
    let sent = async |legal_aid: u32| {
        let filing = json!({ "filing_id": receipt["filing_id"], "body": services(legal_aid) });
        bureau.ask(notary, Method::POST, FILINGS, filing).await
    };
    let again = sent(4).await;
    assert_eq!(again.status, 201, "{}", again.text());
    assert_eq!(again.json()["recorded_at"], receipt["recorded_at"]);
    assert_eq!(sent(9).await.problem(), "FILING_ID_TAKEN");
    let listed = read(&bureau, &format!("{FILINGS}?kind=service_counts")).await;
    assert_eq!(listed["items"][0]["body"], services(5));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_finding_about_paper_goes_when_the_count_is_put_right() {
    let bureau = Bureau::open().await;
    let receipt = filed(&bureau, paper(101)).await;
    judged(&bureau).await;
    let out_of_range = async || findings(&bureau, supervisor(), "?rule=PAPER_OUT_OF_RANGE").await;
    assert_eq!(out_of_range().await.len(), 1);
    let corrected = correct(&bureau, notary_of("hangzhou"), &receipt, 1, paper(100)).await;
    assert_eq!(corrected.status, 201, "{}", corrected.text());
    judged(&bureau).await;
    assert_eq!(out_of_range().await, Vec::<Value>::new());
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn figures_follow_a_corrected_survey_and_what_was_published_does_not() {
    let bureau = Bureau::open().await;
    let receipt = filed(&bureau, survey(5)).await;
    let published = "/api/v1/reports/2024-06/issues";
    let frozen = bureau
        .ask(supervisor(), Method::POST, published, json!({}))
        .await;
    assert_eq!(frozen.status, 201, "{}", frozen.text());
    let satisfaction = async || {
        let path =
            "/api/v1/statistics?measures=surveys,satisfaction&group_by=&from=2024-06&to=2024-06";
        let table = bureau.get(Role::Analyst, path).await.json();
        let value = |at: usize| table["totals"][at]["value"].as_f64().unwrap();
        (value(0), value(1))
    };
    let report =
        async |path: &str, report: &str| read(&bureau, path).await[report]["total"].clone();
    let issue = format!("{published}/1");
    let before = report(&issue, "report").await;
    assert_eq!(report("/api/v1/reports/2024-06", "now").await, before);
    assert_eq!(satisfaction().await, (1.0, 5.0));
    let corrected = correct(&bureau, notary_of("hangzhou"), &receipt, 1, survey(1)).await;
    assert_eq!(corrected.status, 201, "{}", corrected.text());
    assert_eq!(satisfaction().await, (1.0, 1.0));
    assert_eq!(report(&issue, "report").await, before);
    assert_ne!(report("/api/v1/reports/2024-06", "now").await, before);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_survey_that_was_corrected_last_is_the_last_word_of_its_time() {
    let bureau = Bureau::open().await;
    let first = filed(&bureau, survey(5)).await;
    filed(&bureau, survey(3)).await;
    let corrected = correct(&bureau, notary_of("hangzhou"), &first, 1, survey(4)).await;
    assert_eq!(corrected.status, 201, "{}", corrected.text());
    let path = "/api/v1/statistics?measures=satisfaction&group_by=&from=2024-06&to=2024-06";
    let table = bureau.get(Role::Analyst, path).await.json();
    assert_eq!(table["totals"][0]["value"], 4.0);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_correction_is_refused() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let receipt = filed(&bureau, services(4)).await;
    let mut july = services(5);
    july["period"] = json!({ "first_day": "2024-07-01", "last_day": "2024-07-31" });
    let complaint = json!({ "kind": "complaint", "received_on": "2024-06-03", "subject": "fee" });
    for body in [services(4), july, paper(50), survey(5)] {
        let refused = correct(&bureau, notary, &receipt, 1, body).await;
        assert_eq!(
            (refused.status, &refused.json()["field"]),
            (400, &"body".into())
        );
    }
    let told = file(&bureau, notary, "", complaint, "见卷宗").await.json();
    let later = json!({ "kind": "complaint", "received_on": "2024-07-03", "subject": "fee" });
    let path = revisions_of(&told);
    let moved = json!({ "in_place_of": 1, "reason": "更正", "text": "见卷宗", "body": later });
    let moved = bureau.ask(notary, Method::POST, &path, moved).await;
    assert_eq!(
        (moved.status, &moved.json()["field"]),
        (400, &"body".into())
    );

    let neighbour = notary_of("xiaoshan");
    let foreign = correct(&bureau, neighbour, &receipt, 1, services(5)).await;
    assert_eq!(foreign.status, 403);
    let path = revisions_of(&receipt);
    let foreign = bureau.ask(neighbour, Method::GET, &path, Value::Null).await;
    assert_eq!(foreign.status, 403);
    let none = json!({ "filing_id": "00000000-0000-0000-0000-000000000000" });
    let none = correct(&bureau, notary, &none, 1, services(5)).await;
    assert_eq!(none.status, 404);
    let unreasoned = json!({ "in_place_of": 1, "reason": " ", "body": services(5) });
    let unreasoned = bureau.ask(notary, Method::POST, &path, unreasoned).await;
    assert_eq!(
        (unreasoned.status, &unreasoned.json()["field"]),
        (400, &"reason".into())
    );
    bureau.hub.app.stop().await.unwrap();
}
