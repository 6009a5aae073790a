//! Period reports.

mod differencing;
mod publish;

use http::Method;
use notary_hub::identity::Role;
use serde_json::{Value, json};

use crate::client::{Answer, Bureau, Colleague};

async fn publish(bureau: &Bureau, period: &str, body: Value) -> Answer {
    let path = format!("/api/v1/reports/{period}/issues");
    let analyst = Colleague::new(Role::Analyst);
    bureau.ask(analyst, Method::POST, &path, body).await
}

pub async fn published(bureau: &Bureau, period: &str) -> Value {
    let answer = publish(bureau, period, json!({})).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}
