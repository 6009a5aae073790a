//! The city's token key and the one that is to follow it, as offices get them from a running hub.

use std::time::Duration;

use linkage::token::TokenAlgorithm;
use notary_hub::identity::token_key_file;
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use notary_proto::hub::v1::{RenewRequest, RenewResponse};
use tokio::time::{interval, timeout};

use crate::support::csr;
use crate::support::hub::{Hub, Office};

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
        let mut ticks = interval(Duration::from_millis(50));
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
