//! What passes though nothing happens, and what is over.

use notary_hub::store::supervision::work;
use notary_proto::hub::v1::CaseState;

use crate::city::Hub;
use crate::record::case;
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
    let change = async |sql: &'static str| sqlx::query(sql).execute(&hub.pool).await.unwrap();
    change("UPDATE office SET created_at = '2024-01-01'").await;
    supervision(&hub).look(TODAY).await.unwrap();
    let owed = "SELECT count(*) FROM filing_missing";
    assert!(hub.count(owed).await > 0);
    change("UPDATE office SET status = 'revoked'").await;
    let mut connection = hub.pool.acquire().await.unwrap();
    work::add_office(&mut connection, office.office_id)
        .await
        .unwrap();
    supervision(&hub).drain(TODAY).await.unwrap();
    assert_eq!(hub.count(owed).await, 0);
}
