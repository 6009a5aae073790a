//! Certificates that were taken back: neither they nor what was renewed with them is good for anything again.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::identity::enrolment::{EnrolError, Enrolment};
use notary_hub::identity::pki::authority::{Authority, ProvenKey};
use notary_hub::identity::revocation::{Revocation, Revocations};
use notary_hub::identity::session::{Session, TokenError};
use notary_hub::identity::{OfficeIdentity, Role};
use notary_hub::store;
use notary_hub::store::office::revocation::{self, Reinstatement};
use notary_proto::hub::v1::RenewRequest;
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use rustls_pki_types::CertificateDer;
use sqlx::PgPool;
use time::OffsetDateTime;
use tonic::transport::Channel;

use crate::approval::{identity, token};
use crate::support::hub::{Hub, reason};
use crate::support::{self, Keys, add_office, client, csr, pepper};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse battery";

fn enrolment(db: &TestDatabase) -> (Enrolment, Arc<Authority>) {
    support::enrolment(db, "")
}

async fn renewed(enrolment: &Enrolment, office: OfficeIdentity) -> OfficeIdentity {
    let chain = enrolment.renew(office, &csr().1, false).await;
    identity(&chain.unwrap()[0])
}

/// A certificate of hzgl's that ended, though within the grace, with its key.
async fn ended(pool: &PgPool, authority: &Authority) -> (CertificateDer<'static>, Vec<u8>) {
    let (key, csr_der) = csr();
    let proven = ProvenKey::from_csr(&csr_der).unwrap();
    let last_week = OffsetDateTime::now_utc() - Duration::from_secs(7 * 24 * 3600);
    let office_id = "hzgl".parse().unwrap();
    let certificate = authority
        .certify_office(office_id, &proven, last_week)
        .unwrap();
    store::office::certificate::insert(pool, office_id, &certificate, false)
        .await
        .unwrap();
    (certificate.der, key.serialize_der())
}

#[tokio::test]
async fn what_was_renewed_with_a_lost_certificate_goes_with_it() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let (enrolment, _) = enrolment(&db);
    let office_id = "hzgl".parse().unwrap();
    let before = enrolment
        .enrol(&token(&db.pool).await, &csr().1, ADDRESS)
        .await
        .unwrap();
    let (token_of_lost, key_of_lost) = (token(&db.pool).await, csr().1);
    let lost = enrolment
        .enrol(&token_of_lost, &key_of_lost, ADDRESS)
        .await
        .unwrap();
    let (before, lost) = (identity(&before.chain[0]), identity(&lost.chain[0]));
    let child = renewed(&enrolment, lost).await;
    let grandchild = renewed(&enrolment, child).await;

    let taken = revocation::take_back(&db.pool, office_id, Some(lost.serial)).await;
    assert_eq!(taken.unwrap(), Some(3));
    let (revocations, _) = Revocations::load(db.pool.clone()).await.unwrap();
    for certificate in [lost, child, grandchild] {
        let renewing = enrolment.renew(certificate, &csr().1, false).await;
        assert!(matches!(renewing, Err(EnrolError::CertificateRevoked)));
        assert_eq!(revocations.of(&certificate), Some(Revocation::Certificate));
    }
    assert!(!revocations.is_revoked(&before), "another machine's");
    let by_token = enrolment.enrol(&token_of_lost, &key_of_lost, ADDRESS).await;
    assert!(
        matches!(by_token, Err(EnrolError::TokenInvalid)),
        "the lost key has no other way"
    );

    let again = revocation::take_back(&db.pool, office_id, Some(lost.serial)).await;
    assert_eq!(again.unwrap(), Some(0));
    let rest = revocation::take_back(&db.pool, office_id, None).await;
    assert_eq!(rest.unwrap(), Some(1));
    add_office(&db.pool, "hzqt").await;
    let others = "hzqt".parse().unwrap();
    let of_another = revocation::take_back(&db.pool, others, Some(lost.serial)).await;
    assert_eq!(of_another.unwrap(), None);
    let anew = enrolment
        .enrol(&token(&db.pool).await, &csr().1, ADDRESS)
        .await;
    assert!(anew.is_ok(), "the office begins again with a new key");
}

#[tokio::test]
async fn a_revoked_certificate_does_not_come_back_by_ending() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let (enrolment, authority) = enrolment(&db);
    let (leaf, _) = ended(&db.pool, &authority).await;
    let lapsed = identity(&leaf);
    let late = enrolment.renew(lapsed, &csr().1, true).await;
    assert!(late.is_ok(), "it ended not long ago");

    revocation::take_back(&db.pool, lapsed.office_id, None)
        .await
        .unwrap();
    let late = enrolment.renew(lapsed, &csr().1, true).await;
    assert!(matches!(late, Err(EnrolError::CertificateRevoked)));
    let (revocations, _) = Revocations::load(db.pool.clone()).await.unwrap();
    assert_eq!(revocations.of(&lapsed), Some(Revocation::Certificate));
}

#[tokio::test]
async fn whoever_holds_a_revoked_certificate_that_has_ended_is_told_so() {
    let hub = Hub::start().await;
    add_office(&hub.db.pool, "hzgl").await;
    let (leaf, key) = ended(&hub.db.pool, &hub.keys.pki.authority).await;
    let config = client::config(client::ca(&hub.keys), Some((vec![leaf], key)), &[b"h2"]);
    let channel: Channel = client::channel(hub.app.addresses().agents, config);
    let mut certificates = CertificateServiceClient::new(channel);
    let request = || RenewRequest { csr_der: csr().1 };
    certificates
        .renew(request())
        .await
        .expect("it ended lately");
    revocation::take_back(&hub.db.pool, "hzgl".parse().unwrap(), None)
        .await
        .unwrap();
    let refused = certificates.renew(request()).await.unwrap_err();
    assert_eq!(reason(&refused), "CERTIFICATE_REVOKED");
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn no_renewal_slips_through_while_a_certificate_is_being_revoked() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let (enrolment, _) = enrolment(&db);
    for _ in 0..10 {
        let enrolled = enrolment
            .enrol(&token(&db.pool).await, &csr().1, ADDRESS)
            .await
            .unwrap();
        let lost = identity(&enrolled.chain[0]);
        let renew = async || enrolment.renew(lost, &csr().1, false).await;
        let (.., taken) = tokio::join!(
            renew(),
            renew(),
            renew(),
            revocation::take_back(&db.pool, lost.office_id, Some(lost.serial)),
        );
        taken.unwrap();
        let good: i64 =
            sqlx::query_scalar("SELECT count(*) FROM certificate WHERE revoked_at IS NULL")
                .fetch_one(&db.pool)
                .await
                .unwrap();
        assert_eq!(good, 0);
    }
}

#[tokio::test]
async fn a_reinstated_office_begins_again_and_nothing_of_before_comes_back() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let (enrolment, authority) = enrolment(&db);
    let office_id = "hzgl".parse().unwrap();
    let lapsed = identity(&ended(&db.pool, &authority).await.0);
    let enrolled = enrolment
        .enrol(&token(&db.pool).await, &csr().1, ADDRESS)
        .await;
    let held = identity(&enrolled.unwrap().chain[0]);
    let unused = token(&db.pool).await;

    let none = revocation::reinstate(&db.pool, office_id).await;
    assert_eq!(none.unwrap(), Reinstatement::NotRevoked);
    assert!(
        enrolment.renew(held, &csr().1, false).await.is_ok(),
        "it goes on"
    );
    let nowhere = revocation::reinstate(&db.pool, "nowhere".parse().unwrap()).await;
    assert_eq!(nowhere.unwrap(), Reinstatement::NoOffice);

    assert!(store::office::revoke(&db.pool, office_id).await.unwrap());
    let back = revocation::reinstate(&db.pool, office_id).await;
    assert_eq!(back.unwrap(), Reinstatement::Done { certificates: 3 });
    let (revocations, _) = Revocations::load(db.pool.clone()).await.unwrap();
    for (before, late) in [(held, false), (lapsed, true)] {
        let renewing = enrolment.renew(before, &csr().1, late).await;
        assert!(matches!(renewing, Err(EnrolError::CertificateRevoked)));
        assert_eq!(revocations.of(&before), Some(Revocation::Certificate));
    }
    let by_token = enrolment.enrol(&unused, &csr().1, ADDRESS).await;
    assert!(matches!(by_token, Err(EnrolError::TokenInvalid)));

    let anew = enrolment
        .enrol(&token(&db.pool).await, &csr().1, ADDRESS)
        .await;
    let anew = identity(&anew.unwrap().chain[0]);
    assert!(!revocations.is_revoked(&anew));
    assert!(enrolment.renew(anew, &csr().1, false).await.is_ok());
}

#[tokio::test]
async fn sessions_of_before_stay_ended_when_their_office_is_reinstated() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let sessions = support::sessions(&db.pool, &keys, []).await;
    let mut before = Vec::new();
    for (login, office_id) in [("wang", "hzgl"), ("zhao", "hzqt")] {
        add_office(&db.pool, office_id).await;
        let notary = NewAccount {
            login,
            display_name: "公证员",
            role: Role::Notary(office_id.parse().unwrap()),
        };
        account::add(&db.pool, &pepper(), notary, PASSWORD)
            .await
            .unwrap();
        before.push(sessions.sign_in(login, PASSWORD).await.unwrap());
    }
    let office_id = "hzgl".parse().unwrap();
    store::office::revoke(&db.pool, office_id).await.unwrap();
    revocation::reinstate(&db.pool, office_id).await.unwrap();

    // As a hub reads it that was not asked.
    let elsewhere = support::sessions(&db.pool, &keys, []).await;
    let of = |session: &Session| elsewhere.verify(&session.access_token);
    assert_eq!(of(&before[0]), Err(TokenError::Ended));
    assert!(of(&before[1]).is_ok(), "another office's goes on");
    let anew = elsewhere.sign_in("wang", PASSWORD).await.unwrap();
    assert!(of(&anew).is_ok(), "whoever has the password signs in again");
}

#[tokio::test]
async fn an_agent_that_was_revoked_by_mistake_speaks_again_once_it_has_enrolled_anew() {
    let hub = Hub::start().await;
    let before = hub.enrol("hzgl").await;
    let office_id = "hzgl".parse().unwrap();
    store::office::revoke(&hub.db.pool, office_id)
        .await
        .unwrap();
    revocation::reinstate(&hub.db.pool, office_id)
        .await
        .unwrap();
    let renew = async |channel: Channel| {
        let request = RenewRequest { csr_der: csr().1 };
        CertificateServiceClient::new(channel).renew(request).await
    };
    let refused = renew(hub.agents(&before)).await.unwrap_err();
    assert_eq!(reason(&refused), "CERTIFICATE_REVOKED");
    let anew = hub.enrol_again("hzgl").await;
    renew(hub.agents(&anew)).await.expect("it takes part again");
    hub.app.stop().await.unwrap();
}
