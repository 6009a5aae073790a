//! A whole hub: its listeners, its services, its end. Over real TLS, against a real database.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use notary_hub::identity::Role;
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::identity::pki::authority::ProvenKey;
use notary_hub::store;
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use notary_proto::hub::v1::enrollment_service_client::EnrollmentServiceClient;
use notary_proto::hub::v1::session_service_client::SessionServiceClient;
use notary_proto::hub::v1::{CreateSessionRequest, EnrollRequest, RenewRequest, TokenAlgorithm};
use rustls_pki_types::CertificateDer;
use support::hub::{Hub, ders, reason};
use support::{add_office, client, csr, get};
use time::OffsetDateTime;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

#[tokio::test]
async fn an_office_enrols_over_the_wire_and_renews_with_its_certificate() {
    let hub = Hub::start().await;
    let mut office = hub.enrol("hzgl").await;
    let token_key = office.enrolled.token_key.clone().unwrap();
    assert_eq!(office.enrolled.office_id, "hzgl");
    assert_eq!(
        office.enrolled.trust_anchors_der,
        [client::ca(&hub.keys).to_vec()]
    );
    assert_eq!(token_key.secret, hub.keys.pki.token_keys.present.secret());
    assert_eq!(token_key.algorithm(), TokenAlgorithm::HmacSha256);

    let (key, csr_der) = csr();
    let renewed = CertificateServiceClient::new(hub.agents(&office))
        .renew(RenewRequest { csr_der })
        .await
        .unwrap();
    office.key = key.serialize_der();
    office.chain = ders(&renewed.get_ref().certificate_chain_der);
    let mut health = HealthClient::new(hub.agents(&office));
    let answer = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.get_ref().status(), ServingStatus::Serving);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_back_from_a_holiday_renews_and_goes_on() {
    let hub = Hub::start().await;
    add_office(&hub.db.pool, "hzgl").await;
    let (key, csr_der) = csr();
    let proven = ProvenKey::from_csr(&csr_der).unwrap();
    let last_week = OffsetDateTime::now_utc() - Duration::from_secs(7 * 24 * 3600);
    let authority = &hub.keys.pki.authority;
    let old = authority
        .certify_office("hzgl".parse().unwrap(), &proven, last_week)
        .unwrap();
    let agents = |chain: Vec<CertificateDer<'static>>| {
        let identity = Some((chain, key.serialize_der()));
        let config = client::config(client::ca(&hub.keys), identity, &[b"h2"]);
        client::channel(hub.app.addresses().agents, config)
    };

    let ended = agents(vec![old.der]);
    let refused = HealthClient::new(ended.clone())
        .check(HealthCheckRequest::default())
        .await;
    assert_eq!(reason(&refused.unwrap_err()), "CERTIFICATE_ENDED");
    let renewed = CertificateServiceClient::new(ended)
        .renew(RenewRequest { csr_der })
        .await;
    let chain = ders(&renewed.unwrap().get_ref().certificate_chain_der);
    let answer = HealthClient::new(agents(chain))
        .check(HealthCheckRequest::default())
        .await;
    assert_eq!(answer.unwrap().get_ref().status(), ServingStatus::Serving);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn refusals_say_why_in_a_form_that_programs_and_staff_understand() {
    let hub = Hub::start().await;
    let mut enrollment = EnrollmentServiceClient::new(hub.people());
    let unknown = EnrollRequest {
        join_token: "x".into(),
        csr_der: csr().1,
    };
    let refused = enrollment.enroll(unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(reason(&refused), "JOIN_TOKEN_INVALID");
    let details = refused.get_error_details();
    assert!(
        details
            .localized_message()
            .unwrap()
            .message
            .contains("注册码")
    );

    let office = hub.enrol("hzgl").await;
    let mut certificates = CertificateServiceClient::new(hub.agents(&office));
    let csr_der = vec![1, 2, 3];
    let refused = certificates
        .renew(RenewRequest { csr_der })
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "CSR_INVALID");
    let details = refused.get_error_details();
    assert_eq!(
        details.bad_request().unwrap().field_violations[0].field,
        "csr_der"
    );
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_revoked_office_is_refused_and_cut_off_within_five_seconds() {
    let hub = Hub::start().await;
    let (revoked, other) = (hub.enrol("hzgl").await, hub.enrol("hzqt").await);
    let mut watching = HealthClient::new(hub.agents(&revoked))
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    watching.message().await.unwrap();
    let mut others_watching = HealthClient::new(hub.agents(&other))
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    others_watching.message().await.unwrap();

    store::office::revoke(&hub.db.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), watching.message()).await;
    assert!(ended.expect("the open stream ends").is_err());

    let mut again = CertificateServiceClient::new(hub.agents(&revoked));
    let csr_der = csr().1;
    let refused = again.renew(RenewRequest { csr_der }).await.unwrap_err();
    assert_eq!(reason(&refused), "OFFICE_REVOKED");
    let mut others = HealthClient::new(hub.agents(&other));
    others
        .check(HealthCheckRequest::default())
        .await
        .expect("the other office goes on");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_person_signs_in_over_the_wire() {
    let hub = Hub::start().await;
    let li = NewAccount {
        login: "li",
        display_name: "统计科",
        role: Role::Analyst,
    };
    let pepper = &hub.keys.pki.account_keys.passwords;
    account::add(&hub.db.pool, pepper, li, "correct horse battery")
        .await
        .unwrap();
    let mut sessions = SessionServiceClient::new(hub.people());
    let request = |password: &str| CreateSessionRequest {
        login: "li".into(),
        password: password.into(),
        otp: String::new(),
    };
    let session = sessions
        .create_session(request("correct horse battery"))
        .await
        .unwrap();
    let person = hub
        .keys
        .pki
        .session_keys
        .verify(&session.get_ref().access_token);
    assert_eq!(person.unwrap().person.role, Role::Analyst);
    let log = store::audit::after(&hub.db.pool, 0, 10).await.unwrap();
    let actions: Vec<&str> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["session.create"]);
    let refused = sessions.create_session(request("wrong")).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "SIGN_IN_REFUSED")
    );
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn each_listener_has_its_own_services_alone() {
    let hub = Hub::start().await;
    let office = hub.enrol("hzgl").await;
    let csr_der = csr().1;
    let renewing = CertificateServiceClient::new(hub.people())
        .renew(RenewRequest { csr_der })
        .await;
    assert_eq!(renewing.unwrap_err().code(), Code::Unimplemented);
    let enrolling = EnrollmentServiceClient::new(hub.agents(&office))
        .enroll(EnrollRequest::default())
        .await;
    assert_eq!(enrolling.unwrap_err().code(), Code::Unimplemented);
    let signing_in = SessionServiceClient::new(hub.agents(&office))
        .create_session(CreateSessionRequest::default())
        .await;
    assert_eq!(signing_in.unwrap_err().code(), Code::Unimplemented);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_message_beyond_four_mebibytes_is_refused() {
    let hub = Hub::start().await;
    let large = EnrollRequest {
        join_token: String::new(),
        csr_der: vec![0; 5 << 20],
    };
    let refused = EnrollmentServiceClient::new(hub.people())
        .enroll(large)
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::OutOfRange);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopping_hub_says_so_before_it_goes() {
    let hub = Hub::start().await;
    let addresses = *hub.app.addresses();
    let announced = std::fs::read(hub.keys.config.addresses_file()).unwrap();
    assert_eq!(
        serde_json::from_slice::<notary_hub::app::Addresses>(&announced).unwrap(),
        addresses
    );
    let mut watching = HealthClient::new(hub.people())
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    let standing = watching.message().await.unwrap().unwrap();
    assert_eq!(standing.status(), ServingStatus::Serving);
    let stopping = tokio::spawn(hub.app.stop());
    let standing = watching.message().await.unwrap().unwrap();
    assert_eq!(standing.status(), ServingStatus::NotServing);
    stopping.await.unwrap().unwrap();
    assert!(TcpStream::connect(addresses.people).await.is_err());
    assert!(TcpStream::connect(addresses.metrics).await.is_err());
    assert!(!hub.keys.config.addresses_file().exists());
}

#[tokio::test]
async fn monitoring_finds_health_and_metrics_on_loopback() {
    let hub = Hub::start().await;
    hub.enrol("hzgl").await;
    let (status, body) = get(hub.app.addresses().metrics, "/healthz").await;
    assert_eq!((status, body.as_str()), (200, "serving\n"));
    let (status, body) = get(hub.app.addresses().metrics, "/metrics").await;
    assert_eq!(status, 200);
    for expected in [
        "notary_hub_build_info{version=",
        "notary_hub_certificates_issued_total{occasion=\"enrol\"}",
        "notary_hub_rpc_duration_seconds_bucket{service=\"notary.hub.v1.EnrollmentService\"",
        "# HELP notary_hub_connections_open ",
    ] {
        assert!(body.contains(expected), "{expected} in\n{body}");
    }
    assert!(!body.contains("公证处"), "no names in metrics");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_monitor_that_never_finishes_its_request_does_not_keep_the_hub_from_stopping() {
    let hub = Hub::start().await;
    let mut monitor = TcpStream::connect(hub.app.addresses().metrics)
        .await
        .unwrap();
    monitor
        .write_all(b"GET /metrics HTTP/1.1\r\n")
        .await
        .unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(60), hub.app.stop()).await;
    stopped.expect("it stops").unwrap();
}
