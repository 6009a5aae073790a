//! What passes though nothing happens, and what is over.

use notary_hub::store;
use notary_proto::hub::v1::CaseState;
use time::macros::date;

use crate::city::Hub;
use crate::record::{case, day};
use crate::{TODAY, supervision};

#[tokio::test]
async fn a_case_whose_limit_runs_is_looked_at_again_and_one_that_ended_is_not() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let under_way = case("C1").accepted("2024-08-30");
    office.taken(&hub, vec![under_way.clone()]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    let look = "SELECT look_on::text FROM supervision_look";
    assert_eq!(hub.text(look).await.unwrap(), "2024-09-24");
    let ended = under_way.revision(2).state(CaseState::Terminated);
    office.taken(&hub, vec![ended]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(look).await, None);
}

#[tokio::test]
async fn an_office_that_is_closed_owes_nothing_any_more() {
    let hub = Hub::start().await;
    let office = hub.office("hangzhou").await;
    change(&hub, "UPDATE office SET created_at = '2024-01-01'").await;
    supervision(&hub).look(TODAY).await.unwrap();
    let owed = "SELECT count(*) FROM filing_missing";
    assert!(hub.count(owed).await > 0);
    store::office::revoke(&hub.pool, office.office_id)
        .await
        .unwrap();
    supervision(&hub).look(TODAY).await.unwrap();
    assert_eq!(hub.count(owed).await, 0);
}

#[tokio::test]
async fn an_office_that_was_let_in_again_owes_what_it_owed_before_and_nothing_of_the_time_between()
{
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    change(&hub, "UPDATE office SET created_at = '2024-01-01'").await;
    store::office::revoke(&hub.pool, office.office_id)
        .await
        .unwrap();
    change(&hub, "UPDATE office SET revoked_at = '2024-03-10'").await;
    store::office::revocation::reinstate(&hub.pool, office.office_id)
        .await
        .unwrap();
    // One before, and one between.
    let of = |key: &str, closed_on: &str| {
        let mut refused = case(key).state(CaseState::Refused).fee(0);
        (refused.0.accepted_day, refused.0.closed_day) = (None, Some(day(closed_on)));
        refused.0.reason_code = "falsehood".to_owned();
        refused
    };
    let refused = vec![of("R1", "2024-02-05"), of("R2", "2024-04-08")];
    office.taken(&hub, refused).await;
    supervision(&hub).look(TODAY).await.unwrap();
    let owed = "SELECT string_agg(kind || ' ' || last_day, ', ' ORDER BY kind, last_day) FROM filing_missing";
    assert_eq!(
        hub.text(owed).await.unwrap(),
        "service_counts 2024-01-31, service_counts 2024-02-29, special_paper 2024-01-31, special_paper 2024-02-29"
    );
    let found = "SELECT string_agg(about_key, ' ') FROM supervision_finding WHERE rule_id = 'REFUSAL_UNFILED'";
    assert_eq!(hub.text(found).await.unwrap(), "R1");
}

#[tokio::test]
async fn what_an_office_owed_before_it_was_away_for_years_it_owes_again_and_is_not_told_twice() {
    let hub = Hub::start().await;
    let office = hub.office("hangzhou").await;
    change(&hub, "UPDATE office SET created_at = '2022-03-10'").await;
    let owed = async || {
        let owed = "SELECT string_agg(kind || ' ' || last_day, ', ' ORDER BY kind, last_day) FROM filing_missing";
        hub.text(owed).await.unwrap_or_default()
    };
    let told = "SELECT count(*) FROM notice WHERE text_zh LIKE '%已逾期，请补报%'";
    // Of March and the first quarter; the paper of April came.
    change(
        &hub,
        "INSERT INTO filing (office_id, filing_id, kind, text, recorded_at, detail, happened_on)
         VALUES ('hangzhou', gen_random_uuid(), 'special_paper', '', '2022-05-04', '{}', '2022-04-20')",
    )
    .await;
    supervision(&hub).look(date!(2022 - 05 - 20)).await.unwrap();
    let before = "quality_follow_up 2022-03-31, satisfaction 2022-03-31, service_counts 2022-03-31, \
                  service_counts 2022-04-30, special_paper 2022-03-31";
    assert_eq!(owed().await, before);
    assert_eq!(hub.count(told).await, 5);
    store::office::revoke(&hub.pool, office.office_id)
        .await
        .unwrap();
    change(&hub, "UPDATE office SET revoked_at = '2022-05-21'").await;
    supervision(&hub).look(date!(2025 - 12 - 01)).await.unwrap();
    assert_eq!(owed().await, "");
    store::office::revocation::reinstate(&hub.pool, office.office_id)
        .await
        .unwrap();
    change(
        &hub,
        "UPDATE office_absence SET reinstated_at = '2026-01-10'",
    )
    .await;
    supervision(&hub).look(date!(2026 - 01 - 12)).await.unwrap();
    assert_eq!(owed().await, before, "and nothing of the time between");
    assert_eq!(hub.count(told).await, 5);
    // It stays so until it comes.
    change(
        &hub,
        "INSERT INTO filing (office_id, filing_id, kind, text, recorded_at, detail, happened_on)
         VALUES ('hangzhou', gen_random_uuid(), 'special_paper', '', '2026-01-12', '{}', '2022-03-31')",
    )
    .await;
    supervision(&hub).look(date!(2026 - 01 - 13)).await.unwrap();
    assert!(!owed().await.contains("special_paper"));
}

const MISSING_OF: &str = "SELECT count(*) FROM filing_missing WHERE (kind, last_day) IN
     (('self_assessment', '2024-12-31'), ('service_counts', '2023-01-31'))";

#[tokio::test]
async fn what_was_filed_at_the_beginning_of_a_long_period_is_not_missing_two_years_later() {
    let hub = Hub::start().await;
    hub.office("hangzhou").await;
    change(&hub, "UPDATE office SET created_at = '2024-01-01'").await;
    change(
        &hub,
        "INSERT INTO filing (office_id, filing_id, kind, text, recorded_at, detail, happened_on)
         VALUES ('hangzhou', gen_random_uuid(), 'self_assessment', '', '2024-03-01', '{}', '2024-03-01')",
    )
    .await;
    for today in [date!(2026 - 03 - 04), date!(2026 - 12 - 06)] {
        supervision(&hub).look(today).await.unwrap();
        assert_eq!(hub.count(MISSING_OF).await, 0, "{today}");
    }
}

#[tokio::test]
async fn what_never_came_is_missing_until_it_comes_however_long_ago_it_was() {
    let hub = Hub::start().await;
    hub.office("hangzhou").await;
    change(&hub, "UPDATE office SET created_at = '2023-01-01'").await;
    for today in [date!(2023 - 06 - 01), date!(2027 - 06 - 01)] {
        supervision(&hub).look(today).await.unwrap();
        assert_eq!(hub.count(MISSING_OF).await, 1, "{today}");
    }
    change(
        &hub,
        "INSERT INTO filing (office_id, filing_id, kind, text, recorded_at, detail, happened_on)
         VALUES ('hangzhou', gen_random_uuid(), 'service_counts', '', now(), '{}', '2023-01-20')",
    )
    .await;
    supervision(&hub).look(date!(2027 - 06 - 01)).await.unwrap();
    let left = "SELECT count(*) FROM filing_missing WHERE kind = 'service_counts' AND last_day = '2023-01-31'";
    assert_eq!(hub.count(left).await, 0);
}

#[tokio::test]
async fn each_account_of_a_wrong_certificate_is_asked_for() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    change(&hub, "UPDATE office SET created_at = '2024-01-01'").await;
    let wrong = |state, closed_on: &str| {
        let mut wrong = case("C1").issued("2024-03-08").number(1).state(state);
        wrong.0.closed_day = Some(day(closed_on));
        wrong
    };
    // Corrected on Wednesday 2024-05-08, and revoked on Monday 07-01: the accounts are due on 05-29 and 07-22.
    let corrected = wrong(CaseState::Corrected, "2024-05-08");
    let revoked = wrong(CaseState::Revoked, "2024-07-01").revision(2);
    let asked =
        "SELECT count(*) FROM notice WHERE kind = 'report_wanted' AND source_case_id = 'C1'";
    for (wrong, today, told) in [
        (corrected, date!(2024 - 05 - 28), 1),
        (revoked, date!(2024 - 07 - 19), 2),
    ] {
        office.taken(&hub, vec![wrong]).await;
        for _ in 0..2 {
            supervision(&hub).look(today).await.unwrap();
            assert_eq!(hub.count(asked).await, told, "{today}");
        }
    }
}

async fn change(hub: &Hub, sql: &'static str) {
    sqlx::query(sql).execute(&hub.pool).await.unwrap();
}
