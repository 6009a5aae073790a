//! What the hub says that it holds is what was sent.

use std::collections::BTreeMap;

use notary_hub::identity::Role;
use notary_hub::ingest::decode::content_hash;
use notary_hub::store;
use notary_hub::store::scope::Scope;
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{CaseDigest, DigestRequest, DigestResponse, MonthDigest};
use time::macros::date;
use tonic::Status;
use uuid::Uuid;

use crate::agent::Agent;
use crate::record::{Case, case, day};
use crate::support::hub::{Hub, reason};

async fn digest(hub: &Hub, agent: &Agent, months: Vec<i32>) -> Result<DigestResponse, Status> {
    SyncServiceClient::new(hub.agents(&agent.office))
        .digest(DigestRequest {
            months,
            found: None,
        })
        .await
        .map(tonic::Response::into_inner)
}

/// Three months: two by acceptance, one by application alone; and a case without any day.
fn sent() -> Vec<Case> {
    let mut applied = case("C4");
    applied.0.accepted_day = None;
    applied.0.applied_day = Some(day("2023-12-31"));
    let mut dayless = case("C5");
    dayless.0.accepted_day = None;
    dayless.0.applied_day = None;
    vec![
        case("C1").accepted("2024-03-31"),
        case("C2").accepted("2024-03-01").fee(3),
        case("C3").accepted("2024-04-01").revision(7),
        applied,
        dayless,
    ]
}

fn expected(months: &[&str]) -> Vec<MonthDigest> {
    let mut digests = BTreeMap::<i32, MonthDigest>::new();
    for (case, month) in sent().into_iter().zip(months) {
        let month = day(month);
        let held = digests.entry(month).or_insert_with(|| MonthDigest {
            month,
            cases: 0,
            digest: vec![0; 16],
        });
        held.cases += 1;
        for (held, byte) in held.digest.iter_mut().zip(hash(case)) {
            *held ^= byte;
        }
    }
    digests.into_values().collect()
}

fn hash(mut case: Case) -> Vec<u8> {
    content_hash(&mut case.0).to_vec()
}

#[tokio::test]
async fn digests_are_those_of_what_was_sent_month_by_month_and_case_by_case() {
    let hub = Hub::start().await;
    let (agent, other) = (
        Agent::enrol(&hub, "hzgl").await,
        Agent::enrol(&hub, "hzqt").await,
    );
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, sent()).await;
    stream.acked(5).await;
    let months = [
        "2024-03-01",
        "2024-03-01",
        "2024-04-01",
        "2023-12-01",
        "1970-01-01",
    ];
    let held = digest(&hub, &agent, Vec::new()).await.unwrap();
    assert_eq!(held.months, expected(&months));
    assert!(held.cases.is_empty());

    let asked = vec![day("2024-04-01"), day("2023-12-01")];
    let held = digest(&hub, &agent, asked).await.unwrap();
    let [_, _, third, fourth, _] = sent().try_into().unwrap();
    let of = |case: Case| CaseDigest {
        source_case_id: case.0.source_case_id.clone(),
        revision: case.0.revision,
        content_hash: hash(case),
    };
    assert_eq!(held.cases, [of(third), of(fourth)]);

    let others = digest(&hub, &other, Vec::new()).await.unwrap();
    assert!(others.months.is_empty(), "an office sees its own alone");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn only_first_days_of_months_can_be_asked_for() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let refused = digest(&hub, &agent, vec![day("2024-04-02")]).await;
    assert_eq!(reason(&refused.unwrap_err()), "FIELD_INVALID");
    hub.app.stop().await.unwrap();
}

/// hzqt has a part in one of hzgl's cases, of which its notaries may read.
#[tokio::test]
async fn without_the_check_an_agent_still_compares_with_no_case_of_another_office() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    crate::support::add_office(&hub.db.pool, "hzqt").await;
    let (mut stream, _) = agent.open(&hub).await;
    stream.send(1, sent()).await;
    stream.acked(5).await;
    sqlx::query(
        "INSERT INTO details_request (request_id, asking_office, asked_by, case_reference, purpose, audit_entry,
                                      holding_office, source_case_id, question, asked_at, due_on)
         VALUES ($1, 'hzqt', $1, '1', 'before_acceptance', 1, 'hzgl', 'C1', '?', now(), '2024-05-01')",
    )
    .bind(Uuid::now_v7())
    .execute(&hub.db.pool)
    .await
    .unwrap();
    let notary = Role::Notary("hzqt".parse().unwrap());
    let of_hzgl = async |scope: Scope| {
        let mut reading = scope.read(&hub.db.pool).await.unwrap();
        let (office, none) = ("hzgl".parse().unwrap(), date!(1970 - 01 - 01));
        let months = store::case::digest::by_month(&mut reading, office, none).await;
        let march = [date!(2024 - 03 - 01)];
        let cases = store::case::digest::by_case(&mut reading, office, &march, none).await;
        (months.unwrap().len(), cases.unwrap().len())
    };
    assert_eq!(
        of_hzgl(Scope::of_agent("hzgl".parse().unwrap())).await,
        (4, 2)
    );
    assert_eq!(of_hzgl(Scope::of(notary)).await, (1, 1), "a part in one");
    assert_eq!(
        of_hzgl(Scope::of_agent("hzqt".parse().unwrap())).await,
        (0, 0)
    );
    hub.app.stop().await.unwrap();
}
