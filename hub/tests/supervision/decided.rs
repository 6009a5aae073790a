//! What people decided stands until somebody states something else.

use notary_hub::statistics::calendar::Calendar;
use notary_hub::supervision::edition::Current;
use notary_hub::supervision::rule::{BUILTIN, Rules};
use notary_hub::supervision::tariff::Tariff;
use notary_hub::supervision::worker::Supervision;
use notary_proto::hub::v1::{CaseState, PartyRole};
use sqlx::PgPool;

use crate::city::Hub;
use crate::record::{Case, case, day, home, person};
use crate::{TODAY, late, supervision};

const STATE: &str = "SELECT state FROM supervision_finding WHERE cleared_at IS NULL";
const REFUSED_ELSEWHERE: &str = "SELECT about_key FROM supervision_finding
                                  WHERE rule_id = 'REFUSED_ELSEWHERE' AND cleared_at IS NULL";

async fn change(pool: &PgPool, sql: &'static str) {
    sqlx::query(sql).execute(pool).await.unwrap();
}

#[tokio::test]
async fn a_finding_that_was_dismissed_is_not_opened_by_another_limit_but_by_another_day() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![late("C1")]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    change(
        &hub.pool,
        "UPDATE supervision_finding SET state = 'dismissed'",
    )
    .await;

    let text = BUILTIN.replacen("working_days = 15", "working_days = 14", 1);
    let rules = Rules::parse(&text, Tariff::builtin()).unwrap();
    let stricter = Supervision::new(hub.pool.clone(), Current::new(rules), Calendar::builtin());
    let due = "SELECT evidence ->> 'due_on' FROM supervision_finding";
    let before = hub.text(due).await;
    office
        .taken(&hub, vec![late("C1").revision(2).fee(13_000)])
        .await;
    stricter.drain(TODAY).await.unwrap();
    assert_ne!(hub.text(due).await, before);
    assert_eq!(hub.text(STATE).await.unwrap(), "dismissed");

    let later = late("C1").revision(3).issued("2024-05-20");
    office.taken(&hub, vec![later]).await;
    stricter.drain(TODAY).await.unwrap();
    assert_eq!(hub.text(STATE).await.unwrap(), "open");
}

fn mortgage(source_case_id: &str) -> Case {
    case(source_case_id)
        .matter("gift")
        .parties(vec![person(PartyRole::Donor, 1)])
        .subjects(vec![home(2)])
}

fn refused(source_case_id: &str) -> Case {
    let mut refused = mortgage(source_case_id).state(CaseState::Refused);
    (refused.0.accepted_day, refused.0.closed_day) = (None, Some(day("2024-03-01")));
    refused.0.reason_code = "falsehood".to_owned();
    refused
}

#[tokio::test]
async fn what_rests_on_another_offices_refusal_goes_with_it() {
    let hub = Hub::start().await;
    let (mut one, mut other) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![refused("R1")]).await;
    other.taken(&hub, vec![mortgage("C1")]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(REFUSED_ELSEWHERE).await.unwrap(), "C1");
    // It had been accepted after all.
    one.taken(&hub, vec![mortgage("R1").revision(2)]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(REFUSED_ELSEWHERE).await, None);
}
