//! Period reports.

mod differencing;
mod once;
mod publish;
mod reissue;

use http::Method;
use notary_hub::identity::Role;
use serde_json::{Value, json};

use crate::client::{Answer, Bureau, Colleague};

/// Whom an office served in a month, as linkage tells persons apart.
pub async fn served(bureau: &Bureau, office_id: &str, month: &str, persons: &[i32]) {
    sqlx::query(
        "INSERT INTO person_month (office_id, month, persons) VALUES ($1, $2::text::date, $3)",
    )
    .bind(office_id)
    .bind(format!("{month}-01"))
    .bind(persons)
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
}

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
