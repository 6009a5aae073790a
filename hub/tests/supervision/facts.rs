//! What rules look at is read as it was stated, of cases, of offices and of what they filed.

use notary_hub::store::supervision::profile;
use notary_hub::supervision::profile::Profile;
use notary_proto::hub::v1::{CaseState, PartyRole};

use crate::city::Hub;
use crate::record::{case, day, home, person};
use crate::{TODAY, supervision};

const FOUND: &str =
    "SELECT string_agg(about_key || ' ' || rule_id, ', ' ORDER BY about_key, rule_id)
                       FROM supervision_finding WHERE cleared_at IS NULL";

#[tokio::test]
async fn rules_see_the_certificates_of_a_case_and_what_is_on_file_of_its_office() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let mut three = case("C1")
        .matter("birth")
        .parties(vec![person(PartyRole::Applicant, 1)])
        .issued("2024-03-06");
    three.0.certificates = 3;
    let mut elsewhere = case("C2")
        .matter("inheritance")
        .parties(vec![person(PartyRole::Applicant, 2)])
        .subjects(vec![home(3)])
        .issued("2024-03-06")
        .fee(30_000);
    elsewhere.0.subjects[0].district_code = "330206".to_owned();
    office.taken(&hub, vec![three, elsewhere]).await;
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.text(FOUND).await.unwrap(), "C1 FEE_BELOW_TARIFF");

    let on_file = Profile {
        practice_area: vec!["3301".parse().unwrap()],
        keeps_approval: true,
        ..Profile::default()
    };
    profile::put(&hub.pool, office.office_id, &on_file)
        .await
        .unwrap();
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(
        hub.text(FOUND).await.unwrap(),
        "C1 APPROVAL_MISSING, C1 FEE_BELOW_TARIFF, C2 APPROVAL_MISSING, C2 PRACTICE_AREA"
    );
}

#[tokio::test]
async fn a_filing_came_on_the_day_that_it_was_in_shanghai() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let change = async |sql: &'static str| sqlx::query(sql).execute(&hub.pool).await.unwrap();
    change("UPDATE office SET created_at = '2024-01-01'").await;
    // Refused on Tuesday 2024-03-05: Tuesday 03-12 is the fifth working day.
    let mut refused = case("C1").state(CaseState::Refused).fee(0);
    (refused.0.accepted_day, refused.0.closed_day) = (None, Some(day("2024-03-05")));
    refused.0.reason_code = "falsehood".to_owned();
    office.taken(&hub, vec![refused]).await;
    change(
        "INSERT INTO filing (office_id, filing_id, kind, source_case_id, text, recorded_at, detail)
         VALUES ('hangzhou', gen_random_uuid(), 'refusal', 'C1', '', '2024-03-12 16:30+00', '{}')",
    )
    .await;
    supervision(&hub).drain(TODAY).await.unwrap();
    let filed_on = "SELECT evidence ->> 'filed_on' FROM supervision_finding";
    assert_eq!(hub.text(filed_on).await.as_deref(), Some("2024-03-13"));
}
