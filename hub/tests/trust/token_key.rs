//! The city's token key and the one that is to follow it, as offices get them from a running hub.

use std::time::Duration;

use linkage::token::TokenAlgorithm;
use notary_hub::identity::pki::token_key_file;
use notary_hub::store::{token_key, tx};
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{DigestRequest, RenewRequest, RenewResponse};
use tokio::time::{interval, timeout};
use tonic::Request;

use crate::support::csr;
use crate::support::hub::{Hub, Office, reason};

async fn renewed(hub: &Hub, office: &Office) -> RenewResponse {
    let csr_der = csr().1;
    CertificateServiceClient::new(hub.agents(office))
        .renew(RenewRequest { csr_der })
        .await
        .unwrap()
        .into_inner()
}

/// Renews until what the hub hands out is `as_wanted`.
async fn renewed_until(
    hub: &Hub,
    office: &Office,
    as_wanted: impl Fn(&RenewResponse) -> bool,
) -> RenewResponse {
    let renewing = async {
        // An office has two dozen renewals at once.
        let mut ticks = interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            let answer = renewed(hub, office).await;
            if as_wanted(&answer) {
                return answer;
            }
        }
    };
    timeout(Duration::from_secs(30), renewing)
        .await
        .expect("the running hub takes the step in")
}

#[tokio::test]
async fn a_running_hub_hands_the_next_key_out_beside_the_present_one_until_it_is_taken_back() {
    let hub = Hub::start().await;
    let dir = hub.keys.config.pki_dir();
    let early = hub.enrol("hzgl").await;
    assert!(early.enrolled.next_token_key.is_none());
    assert!(renewed(&hub, &early).await.next_token_key.is_none());

    token_key_file::make_next(&dir, 2, TokenAlgorithm::HmacSm3).unwrap();
    let made = token_key_file::load(&dir).unwrap().next.unwrap();
    let answer = renewed_until(&hub, &early, |answer| answer.next_token_key.is_some()).await;
    let late = hub.enrol("hzqt").await;
    assert_eq!(late.enrolled.token_key, early.enrolled.token_key);
    for next in [answer.next_token_key, late.enrolled.next_token_key] {
        let next = next.unwrap();
        assert_eq!(next.key_id, 2);
        assert_eq!(
            next.algorithm(),
            notary_proto::hub::v1::TokenAlgorithm::HmacSm3
        );
        assert_eq!(next.secret, made.secret());
    }

    token_key_file::remove_next(&dir).unwrap();
    renewed_until(&hub, &early, |answer| answer.next_token_key.is_none()).await;
    hub.app.stop().await.unwrap();
}

/// Asks what the hub holds of the office, under a key if one is told; the reason of a refusal.
async fn compared(hub: &Hub, office: &Office, told: Option<u32>) -> Result<(), String> {
    let mut request = Request::new(DigestRequest::default());
    if let Some(told) = told {
        request.metadata_mut().insert("token-key-id", told.into());
    }
    let mut agent = SyncServiceClient::new(hub.agents(office));
    let answer = agent.digest(request).await;
    answer.map(drop).map_err(|status| reason(&status))
}

#[tokio::test]
async fn a_running_hub_follows_when_another_one_of_its_database_has_gone_over() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let dir = hub.keys.config.pki_dir();
    let office = hub.enrol("hzgl").await;
    assert_eq!(compared(&hub, &office, None).await, Ok(()));
    let id = token_key::begin(pool, 1, "hmac_sha256").await.unwrap();
    let id = id.expect("no change is under way");
    token_key_file::make_next(&dir, id, TokenAlgorithm::HmacSha256).unwrap();
    let made = token_key_file::load(&dir).unwrap().next.unwrap();
    assert_eq!(compared(&hub, &office, Some(1)).await, Ok(()));

    tx::tx(pool, "test.in_force", async |transaction| {
        token_key::put_in_force(transaction, id).await
    })
    .await
    .unwrap();
    let unknown = Err("TOKEN_KEY_UNKNOWN".to_owned());
    assert_eq!(compared(&hub, &office, None).await, unknown);
    assert_eq!(compared(&hub, &office, Some(1)).await, unknown);
    assert_eq!(compared(&hub, &office, Some(id)).await, Ok(()));
    let is_new = |answer: &RenewResponse| {
        let key = answer.token_key.as_ref();
        key.is_some_and(|key| key.key_id == id)
    };
    let answer = renewed_until(&hub, &office, is_new).await;
    assert_eq!(answer.token_key.unwrap().secret, made.secret());
    assert!(answer.next_token_key.is_none());
    let late = hub.enrol("hzqt").await;
    assert_eq!(late.enrolled.token_key.unwrap().secret, made.secret());
    let here = token_key_file::load(&dir).unwrap();
    assert_eq!(here.present.id(), id);
    hub.app.stop().await.unwrap();
}
