use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use linkage::token::TokenKey as Key;
use notary_proto::hub::v1::sync_response::Message as ToAgent;
use notary_proto::hub::v1::{TokenAlgorithm, TokenKey, Welcome};
use office_agent::identity;
use time::OffsetDateTime;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::Status;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::stream::refusal;
use crate::support::agent::{configured, enrolled};
use crate::support::authority::Authority;
use crate::support::hub::welcome;
use crate::support::{Agent, Hub};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_enrolled_office_is_stored_for_its_owner_alone() {
    let hub = Hub::start().await;
    let (_folder, config) = configured(&hub);
    assert_eq!(
        enrolled(&config).await.unwrap().office_id().as_str(),
        "hzgl"
    );
    let stored = identity::load(&config.data_dir).unwrap();
    assert_eq!(stored.office_name(), "杭州市某某公证处");
    assert_eq!(stored.token_key().secret(), &[7; 32]);
    let file = fs::metadata(config.data_dir.join("identity.json")).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(&config.data_dir).unwrap().mode() & 0o777,
        0o700
    );
    assert!(!config.data_dir.join("enrolment.key").exists());
}

#[tokio::test]
async fn an_answer_that_got_lost_is_asked_for_again_with_the_same_key() {
    let hub = Hub::start().await;
    let (_folder, config) = configured(&hub);
    let lost = Status::unavailable("the answer was lost on its way");
    *hub.service.not_enrolled.lock().unwrap() = Some(lost);
    enrolled(&config).await.unwrap_err();
    assert!(identity::load(&config.data_dir).is_err());
    enrolled(&config).await.unwrap();
    let keys = keys_that_asked(&hub);
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_key_that_the_hub_takes_for_another_offices_gives_way_to_a_new_one() {
    let hub = Hub::start().await;
    let (_folder, config) = configured(&hub);
    let foreign = refusal(Code::InvalidArgument, "CSR_INVALID", "");
    *hub.service.not_enrolled.lock().unwrap() = Some(foreign);
    enrolled(&config).await.unwrap();
    let keys = keys_that_asked(&hub);
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

fn keys_that_asked(hub: &Hub) -> Vec<Vec<u8>> {
    let csrs = hub.service.csrs.lock().unwrap();
    let key = |csr: &Vec<u8>| {
        let (_, csr) = X509CertificationRequest::from_der(csr).unwrap();
        csr.certification_request_info.subject_pki.raw.to_vec()
    };
    csrs.iter().map(key).collect()
}

#[tokio::test]
async fn a_hub_of_another_ca_or_name_is_not_told_the_token() {
    let hub = Hub::start().await;
    let (folder, config) = configured(&hub);
    fs::write(folder.path().join("ca.pem"), Authority::new().pem).unwrap();
    let error = enrolled(&config).await.unwrap_err().to_string();
    assert!(error.contains("not certified by the CA"), "{error}");

    let named = Hub::named("other.example").await;
    let (_folder, config) = configured(&named);
    let error = enrolled(&config).await.unwrap_err().to_string();
    assert!(error.contains("not made out to `localhost`"), "{error}");
    assert!(hub.service.csrs.lock().unwrap().is_empty());
    assert!(named.service.csrs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_renewed_certificate_is_stored_and_the_stream_goes_over_to_it() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 1).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.keys_until(1).await;
    agent.acked(1).await;
    let before = fs::read(agent.config.data_dir.join("identity.json")).unwrap();
    agent.renewal.once().await.unwrap();
    assert!(stream.is_left().await);
    let (mut stream, _) = hub.welcomed(1).await;
    assert_ne!(
        fs::read(agent.config.data_dir.join("identity.json")).unwrap(),
        before
    );
    agent.put(1..2).await;
    stream.keys_until(2).await;
    agent.acked(2).await;
}

#[tokio::test]
async fn a_certificate_that_ended_by_the_hubs_clock_is_renewed_whatever_the_own_clock_says() {
    let mut hub = Hub::start().await;
    let agent = Agent::syncing(&hub, 1).await;
    let first = agent.renewal.current.borrow().clone();
    assert!(first.renew_at() > OffsetDateTime::now_utc(), "not due");
    let stop = CancellationToken::new();
    let renewing = tokio::spawn(identity::keep_renewed(agent.renewal.clone(), stop.clone()));
    let mut identities = agent.renewal.current.subscribe();
    // The renewing may not wait yet when it is told: it is told again with each stream that the agent tries to open.
    let renewed = async {
        loop {
            let stream = hub.stream().await;
            let ended = refusal(Code::Unauthenticated, "CERTIFICATE_ENDED", "");
            stream.end(ended).await;
        }
    };
    tokio::select! {
        () = renewed => {}
        changed = timeout(PATIENCE, identities.changed()) => changed.expect("it renews").unwrap(),
    }
    stop.cancel();
    renewing.await.unwrap();
}

#[tokio::test]
async fn the_key_that_is_to_follow_is_kept_said_and_forgotten_as_the_hub_hands_it_out() {
    let mut hub = Hub::start().await;
    let agent = Agent::syncing(&hub, 1).await;
    let (mut stream, hello) = hub.welcomed(0).await;
    assert_eq!(hello.next_token_key_id, 0);
    stream.keys_until(1).await;
    let stored = || identity::load(&agent.config.data_dir).unwrap();

    *hub.service.next_token_key.lock().unwrap() = Some(TokenKey {
        key_id: 2,
        algorithm: TokenAlgorithm::HmacSm3.into(),
        secret: vec![9; 32],
    });
    agent.renewal.once().await.unwrap();
    assert!(stream.is_left().await);
    let (mut stream, hello) = hub.welcomed(1).await;
    assert_eq!(hello.next_token_key_id, 2);
    assert_eq!(stored().next_token_key().unwrap().secret(), &[9; 32]);
    assert_eq!(
        stored().token_key().secret(),
        &[7; 32],
        "tokens are made with the present one"
    );
    let file = fs::metadata(agent.config.data_dir.join("identity.json")).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);

    *hub.service.next_token_key.lock().unwrap() = None;
    agent.renewal.once().await.unwrap();
    assert!(stream.is_left().await);
    let (_, hello) = hub.welcomed(1).await;
    assert_eq!(hello.next_token_key_id, 0);
    assert!(stored().next_token_key().is_none());
}

#[tokio::test]
async fn tokens_under_the_next_key_are_made_from_when_a_hub_asks_until_it_asks_no_more() {
    let mut hub = Hub::start().await;
    let mut agent = Agent::syncing(&hub, 1).await;
    let (mut stream, _) = hub.welcomed(0).await;
    stream.keys_until(1).await;
    agent.acked(1).await;
    *hub.service.next_token_key.lock().unwrap() = Some(TokenKey {
        key_id: 2,
        algorithm: TokenAlgorithm::HmacSha256.into(),
        secret: vec![9; 32],
    });
    let source = "cases".parse().unwrap();
    // Asked for, made, and whether the source is read from its beginning for it.
    for (asked, made, read_again) in [
        (0, None, false),
        (9, None, false),
        (2, Some(2), true),
        (2, Some(2), false),
        (0, None, false),
        (2, Some(2), true),
    ] {
        agent.renewal.once().await.unwrap();
        assert!(stream.is_left().await);
        stream = hub.stream().await;
        stream.hello().await;
        let mut next_key = agent.next_key.subscribe();
        let welcome = Welcome {
            next_token_key_id: asked,
            ..welcome(agent.outbox.position().await.unwrap().acked)
        };
        stream.send(ToAgent::Welcome(welcome)).await;
        next_key.changed().await.unwrap();
        assert_eq!(next_key.borrow().as_ref().map(Key::id), made, "{asked}");
        // What it sends now, it sends after it has taken the welcome in.
        let last = agent.outbox.position().await.unwrap().last;
        let at = usize::try_from(last).unwrap();
        agent.put(at..at + 1).await;
        stream.keys_until(last + 1).await;
        agent.acked(last + 1).await;
        let asked_now = agent.outbox.asked_next_key().await.unwrap();
        assert_eq!(asked_now, made, "remembered across a restart");
        let begins = agent
            .outbox
            .begins_again(&source, |_, _| false)
            .await
            .unwrap();
        assert_eq!(begins, read_again, "{asked}");
    }
}

#[tokio::test]
async fn a_next_key_that_cannot_be_used_leaves_the_identity_as_it_is() {
    let mut hub = Hub::start().await;
    let agent = Agent::syncing(&hub, 1).await;
    let (_stream, _) = hub.welcomed(0).await;
    let before = fs::read(agent.config.data_dir.join("identity.json")).unwrap();
    *hub.service.next_token_key.lock().unwrap() = Some(TokenKey {
        key_id: 2,
        algorithm: TokenAlgorithm::HmacSha256.into(),
        secret: vec![9; 31],
    });
    let error = agent.renewal.once().await.unwrap_err().to_string();
    assert!(error.contains("not 32 bytes"), "{error}");
    let after = fs::read(agent.config.data_dir.join("identity.json")).unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn an_agent_that_enrols_during_a_change_has_both_keys() {
    let hub = Hub::start().await;
    *hub.service.next_token_key.lock().unwrap() = Some(TokenKey {
        key_id: 2,
        algorithm: TokenAlgorithm::HmacSha256.into(),
        secret: vec![9; 32],
    });
    let (_folder, config) = configured(&hub);
    enrolled(&config).await.unwrap();
    let stored = identity::load(&config.data_dir).unwrap();
    assert_eq!(stored.token_key().id(), 1);
    assert_eq!(stored.next_token_key().map(Key::id), Some(2));
}

#[tokio::test]
async fn a_certificate_the_hub_does_not_accept_is_said_so() {
    let hub = Hub::start().await;
    let mut agent = Agent::new(&hub).await;
    // Another hub under another CA at the agents' address, trusted by us but not trusting us.
    let other = Hub::start().await;
    let (_folder, config) = configured(&other);
    let theirs = enrolled(&config).await.unwrap();
    agent.config.hub.agents = config.hub.agents.clone();
    let ours = fs::read(agent.config.data_dir.join("identity.json")).unwrap();
    let mut mixed: serde_json::Value = serde_json::from_slice(&ours).unwrap();
    let file = fs::read(config.data_dir.join("identity.json")).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    mixed["trust_anchors"] = file["trust_anchors"].clone();
    drop(theirs);
    fs::write(
        agent.config.data_dir.join("identity.json"),
        mixed.to_string(),
    )
    .unwrap();
    let identity = identity::load(&agent.config.data_dir).unwrap();
    agent
        .renewal
        .current
        .send_replace(std::sync::Arc::new(identity));
    agent.start();
    let (text, text_zh) = agent.error().await;
    assert!(
        text.contains("does not accept this office's certificate"),
        "{text}"
    );
    assert!(text_zh.contains("不接受本处证书"), "{text_zh}");
}
