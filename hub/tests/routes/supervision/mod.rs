//! `/api/v1/supervision` and the directory: from a case that breaks a rule to a rectification that was verified.

mod correction;
mod directory;
mod edition;
mod filing;
mod inspection;
mod inspection_of_findings;
mod loop_of_a_finding;
mod missing;
mod window;

use http::Method;
use notary_proto::hub::v1::CaseState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Bureau, Colleague};
use crate::record::{Case, case, day};
use crate::support::seed::notary;
use notary_hub::identity::Role;

/// Nothing waits for the rules any more.
pub async fn judged(bureau: &Bureau) {
    let waiting = "SELECT count(*) FROM supervision_work";
    let pool = &bureau.hub.db.pool;
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(pool)
        .await
        .unwrap()
        > 0
    {
        tokio::task::yield_now().await;
    }
}

/// A will that took longer than fifteen working days.
pub fn late(source_case_id: &str) -> Case {
    let mut late = case(source_case_id).issued("2024-04-30").number(1);
    late.0.closed_day = None;
    late
}

/// The same, refused.
pub fn refused(source_case_id: &str) -> Case {
    let mut refused = case(source_case_id).state(CaseState::Refused);
    refused.0.accepted_day = None;
    refused.0.closed_day = Some(day("2024-03-05"));
    refused.0.reason_code = "falsehood".to_owned();
    refused.0.fee_charged_fen = 0;
    refused
}

pub fn supervisor() -> Colleague {
    Colleague::new(Role::Supervisor)
}

pub fn notary_of(office: &str) -> Colleague {
    Colleague::new(notary(office))
}

pub async fn findings(bureau: &Bureau, who: Colleague, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/supervision/findings{query}");
    let answer = bureau.ask(who, Method::GET, &path, Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().unwrap().clone()
}

pub async fn take(
    bureau: &Bureau,
    who: Colleague,
    finding: &Value,
    step: &str,
    due: Option<&str>,
) -> Answer {
    let id = finding["finding_id"].as_str().unwrap();
    let body =
        json!({ "step": step, "reason": "核对卷宗", "facts": finding["facts"], "due_on": due });
    bureau
        .ask(
            who,
            Method::POST,
            &format!("/api/v1/supervision/findings/{id}/steps"),
            body,
        )
        .await
}

pub async fn file(bureau: &Bureau, who: Colleague, case: &str, body: Value, text: &str) -> Answer {
    let filing = json!({
        "filing_id": Uuid::now_v7(), "source_case_id": case, "text": text, "body": body,
    });
    bureau
        .ask(who, Method::POST, "/api/v1/supervision/filings", filing)
        .await
}

/// An inspection of the office that ended in a notice; its id.
pub async fn notified(bureau: &Bureau, office: &str, subject: &str) -> String {
    let path = "/api/v1/supervision/inspections";
    let plan = json!({ "office_id": office, "subject": subject, "planned_on": "2026-06-01" });
    let planned = bureau
        .ask(supervisor(), Method::POST, path, plan)
        .await
        .json();
    let id = planned["inspection_id"].as_str().unwrap().to_owned();
    let record = json!({ "step": "record", "reason": "现场检查", "items": ["未公示"] });
    let issue = json!({ "step": "issue", "reason": "依据122号文", "due_on": "2099-01-31" });
    for step in [record, issue] {
        let path = format!("{path}/{id}/steps");
        let taken = bureau.ask(supervisor(), Method::POST, &path, step).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
    }
    id
}
