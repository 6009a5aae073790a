//! What the bureau can refuse: a first certificate, and the renewal of one that has ended.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use linkage::office::OfficeId;
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::identity::OfficeIdentity;
use notary_hub::identity::enrolment::peer;
use notary_hub::identity::enrolment::{self, EnrolError, Enrolment};
use notary_hub::store;
use notary_hub::store::office::certificate::{self, Decision};
use sqlx::PgPool;

use crate::support::{self, add_office, csr};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const BY_HAND: &str = "identity.approve_enrolment = true";

/// `extra` is appended to the configuration file.
async fn enrolment(db: &TestDatabase, extra: &str) -> Enrolment {
    add_office(&db.pool, "hzgl").await;
    support::enrolment(db, extra).0
}

pub async fn token(pool: &PgPool) -> String {
    token_of(pool, "hzgl".parse().unwrap()).await
}

async fn token_of(pool: &PgPool, office_id: OfficeId) -> String {
    let hour = Duration::from_secs(3600);
    let token = enrolment::make_join_token(pool, office_id, hour).await;
    token.unwrap().unwrap().reveal()
}

pub fn identity(leaf: &[u8]) -> OfficeIdentity {
    let trust_domain = "notary.hangzhou".parse().unwrap();
    peer::identify(leaf, &trust_domain).unwrap().office
}

fn bytes(key: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_key_waits_until_the_bureau_approves_it() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db, BY_HAND).await;
    let (token, mine) = (token(&db.pool).await, csr().1);
    for _ in 0..2 {
        let waiting = enrolment.enrol(&token, &mine, ADDRESS).await;
        assert!(matches!(waiting, Err(EnrolError::AwaitingApproval)));
    }
    let other = enrolment.enrol(&token, &csr().1, ADDRESS).await;
    assert!(matches!(other, Err(EnrolError::TokenInvalid)));
    let pending = certificate::pending_enrolments(&db.pool).await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].office_id.as_str(), "hzgl");

    let (office_id, key) = (pending[0].office_id, bytes(&pending[0].key));
    let approved = certificate::decide(&db.pool, office_id, &key, Decision::Approved).await;
    assert!(approved.unwrap());
    let enrolled = enrolment.enrol(&token, &mine, ADDRESS).await.unwrap();
    assert_eq!(identity(&enrolled.chain[0]).office_id.as_str(), "hzgl");
    let again = enrolment.enrol(&token, &mine, ADDRESS).await;
    assert!(again.is_ok(), "the answer may have been lost");
    let other = enrolment.enrol(&token, &csr().1, ADDRESS).await;
    assert!(matches!(other, Err(EnrolError::TokenInvalid)));
    assert!(
        certificate::pending_enrolments(&db.pool)
            .await
            .unwrap()
            .is_empty()
    );
    let twice = certificate::decide(&db.pool, office_id, &key, Decision::Refused).await;
    assert!(!twice.unwrap(), "decided already");
}

#[tokio::test]
async fn what_one_office_vouched_for_is_approved_for_no_other() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db, BY_HAND).await;
    add_office(&db.pool, "hzqt").await;
    let [ours, theirs] = ["hzgl", "hzqt"].map(|office| office.parse().unwrap());
    let stolen = token_of(&db.pool, theirs).await;
    let key = csr().1;
    enrolment.enrol(&stolen, &key, ADDRESS).await.unwrap_err();
    let elsewhere = enrolment.enrol(&token(&db.pool).await, &key, ADDRESS).await;
    assert!(
        matches!(elsewhere, Err(EnrolError::KeyOfAnother)),
        "{elsewhere:?}"
    );
    let pending = certificate::pending_enrolments(&db.pool).await.unwrap();
    assert_eq!(pending.len(), 1);
    let hash = bytes(&pending[0].key);

    let approved = certificate::decide(&db.pool, ours, &hash, Decision::Approved).await;
    assert!(!approved.unwrap(), "it waits for the other office");
    let waiting = enrolment.enrol(&stolen, &key, ADDRESS).await;
    assert!(matches!(waiting, Err(EnrolError::AwaitingApproval)));
}

#[tokio::test]
async fn a_key_that_was_certified_for_an_office_is_no_others() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db, "").await;
    add_office(&db.pool, "hzqt").await;
    let token = token(&db.pool).await;
    let enrolled = enrolment.enrol(&token, &csr().1, ADDRESS).await.unwrap();
    let key = csr().1;
    let office = identity(&enrolled.chain[0]);
    enrolment.renew(office, &key, false).await.unwrap();
    let stolen = token_of(&db.pool, "hzqt".parse().unwrap()).await;
    let refused = enrolment.enrol(&stolen, &key, ADDRESS).await;
    assert!(
        matches!(refused, Err(EnrolError::KeyOfAnother)),
        "{refused:?}"
    );
    let own = enrolment.enrol(&stolen, &csr().1, ADDRESS).await;
    assert!(own.is_ok(), "the token is not used up");
}

#[tokio::test]
async fn a_refused_key_gets_nothing_whatever_it_tries() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db, BY_HAND).await;
    let (token, mine) = (token(&db.pool).await, csr().1);
    enrolment.enrol(&token, &mine, ADDRESS).await.unwrap_err();
    let pending = certificate::pending_enrolments(&db.pool).await.unwrap();
    let (office_id, key) = (pending[0].office_id, bytes(&pending[0].key));
    certificate::decide(&db.pool, office_id, &key, Decision::Refused)
        .await
        .unwrap();
    for csr in [mine, csr().1] {
        let refused = enrolment.enrol(&token, &csr, ADDRESS).await;
        assert!(matches!(refused, Err(EnrolError::TokenInvalid)));
    }
    let certificates: i64 = sqlx::query_scalar("SELECT count(*) FROM certificate")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(certificates, 0);
}

#[tokio::test]
async fn a_late_renewal_is_seen_and_can_be_refused() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db, "").await;
    let enrolled = enrolment
        .enrol(&token(&db.pool).await, &csr().1, ADDRESS)
        .await
        .unwrap();
    let office = identity(&enrolled.chain[0]);
    enrolment.renew(office, &csr().1, false).await.unwrap();
    let listed = &store::office::list(&db.pool).await.unwrap()[0];
    assert_eq!(
        (listed.renewed_late_at, listed.late_renewal_refused),
        (None, false)
    );
    enrolment.renew(office, &csr().1, true).await.unwrap();
    let listed = &store::office::list(&db.pool).await.unwrap()[0];
    assert!(listed.renewed_late_at.is_some());

    for (refuse, expected) in [(true, false), (false, true)] {
        store::office::refuse_late_renewal(&db.pool, office.office_id, refuse)
            .await
            .unwrap();
        let late = enrolment.renew(office, &csr().1, true).await;
        assert_eq!(late.is_ok(), expected);
        let in_time = enrolment.renew(office, &csr().1, false).await;
        assert!(in_time.is_ok(), "renewing in time is another matter");
    }
}
