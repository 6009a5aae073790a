//! Offices get, renew and lose their certificates; people sign in and are locked out. Against a real database.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::identity::account::{self, AddAccountError, NewAccount, Sessions, SignInError};
use notary_hub::identity::enrolment::peer;
use notary_hub::identity::enrolment::{self, EnrolError, Enrolment};
use notary_hub::identity::pki::authority::CsrError;
use notary_hub::identity::pki::server_certificate::ServerCertificate;
use notary_hub::identity::revocation::{Revocation, Revocations};
use notary_hub::identity::{OfficeIdentity, Role};
use notary_hub::store;
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use sqlx::PgPool;
use support::{Keys, add_office, csr, csr_for, pepper};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DAY: Duration = Duration::from_secs(24 * 3600);
const PASSWORD: &str = "correct horse battery";

fn enrolment(db: &TestDatabase) -> Enrolment {
    support::enrolment(db, "").0
}

async fn token(pool: &PgPool, office_id: &str, life: Duration) -> String {
    let token = enrolment::make_join_token(pool, office_id.parse().unwrap(), life).await;
    token.unwrap().expect("the office takes part").reveal()
}

fn identity(leaf: &[u8]) -> OfficeIdentity {
    let trust_domain = "notary.hangzhou".parse().unwrap();
    peer::identify(leaf, &trust_domain).unwrap().office
}

#[tokio::test]
async fn an_office_enrols_and_renews() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let enrolment = enrolment(&db);
    let token = token(&db.pool, "hzgl", DAY).await;

    let enrolled = enrolment.enrol(&token, &csr().1, ADDRESS).await.unwrap();
    assert_eq!(enrolled.office_id.as_str(), "hzgl");
    assert_eq!(enrolled.office_name, "杭州市hzgl公证处");
    assert_eq!(enrolled.chain[1..], enrolment.trust_anchors());
    let first = identity(&enrolled.chain[0]);
    assert_eq!(first.office_id.as_str(), "hzgl");

    let renewed = enrolment.renew(first, &csr().1, false).await.unwrap();
    let second = identity(&renewed[0]);
    assert_eq!(second.office_id, first.office_id);
    let recorded: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT serial FROM certificate ORDER BY issued_at")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(
        recorded,
        [first.serial.as_bytes(), second.serial.as_bytes()]
    );
}

#[tokio::test]
async fn a_join_token_belongs_to_the_first_key_that_used_it() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let enrolment = enrolment(&db);
    let token = token(&db.pool, "hzgl", DAY).await;
    let (_, mine) = csr();

    let first = enrolment.enrol(&token, &mine, ADDRESS).await.unwrap();
    let again = enrolment.enrol(&token, &mine, ADDRESS).await.unwrap();
    assert_ne!(
        first.chain[0], again.chain[0],
        "each answer has a certificate of its own"
    );
    let other = enrolment.enrol(&token, &csr().1, ADDRESS).await;
    assert!(matches!(other, Err(EnrolError::TokenInvalid)));
}

#[tokio::test]
async fn of_two_keys_racing_for_one_token_one_wins() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let enrolment = enrolment(&db);
    let token = token(&db.pool, "hzgl", DAY).await;
    let (mine, yours) = (csr().1, csr().1);
    let (mine, yours) = tokio::join!(
        enrolment.enrol(&token, &mine, ADDRESS),
        enrolment.enrol(&token, &yours, ADDRESS)
    );
    assert_eq!(
        [mine.is_ok(), yours.is_ok()]
            .iter()
            .filter(|ok| **ok)
            .count(),
        1
    );
}

#[tokio::test]
async fn tokens_that_cannot_be_used_leave_no_trace() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    add_office(&db.pool, "hzqt").await;
    let enrolment = enrolment(&db);
    let ended = token(&db.pool, "hzgl", Duration::ZERO).await;
    let of_revoked = token(&db.pool, "hzqt", DAY).await;
    store::office::revoke(&db.pool, "hzqt".parse().unwrap())
        .await
        .unwrap();
    let unknown = notary_hub::identity::enrolment::join_token::JoinToken::random().reveal();

    for token in [ended.as_str(), &of_revoked, &unknown, "", "令牌"] {
        let refused = enrolment.enrol(token, &csr().1, ADDRESS).await;
        assert!(matches!(refused, Err(EnrolError::TokenInvalid)), "{token}");
    }
    let made = enrolment::make_join_token(&db.pool, "hzqt".parse().unwrap(), DAY).await;
    assert!(made.unwrap().is_none(), "a revoked office gets no token");
    let certificates: i64 = sqlx::query_scalar("SELECT count(*) FROM certificate")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(certificates, 0);
}

#[tokio::test]
async fn only_a_proven_p256_key_is_certified() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let enrolment = enrolment(&db);
    let token = token(&db.pool, "hzgl", DAY).await;
    let mut forged = csr().1;
    *forged.last_mut().unwrap() ^= 1;
    let other_keys = [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519]
        .map(|algorithm| csr_for(&KeyPair::generate_for(algorithm).unwrap()));
    for (csr, problem) in [
        (forged, CsrError::Malformed),
        (Vec::new(), CsrError::Malformed),
        (vec![0x30; 100], CsrError::Malformed),
        (vec![0; 5000], CsrError::TooLarge),
        (other_keys[0].clone(), CsrError::UnsuitableKey),
        (other_keys[1].clone(), CsrError::UnsuitableKey),
    ] {
        let refused = enrolment.enrol(&token, &csr, ADDRESS).await;
        assert!(
            matches!(refused, Err(EnrolError::Csr(found)) if found == problem),
            "{problem}"
        );
    }
    assert!(
        enrolment.enrol(&token, &csr().1, ADDRESS).await.is_ok(),
        "the token is not used up"
    );
}

#[tokio::test]
async fn names_asked_for_in_a_request_are_ignored() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let enrolment = enrolment(&db);
    let token = token(&db.pool, "hzgl", DAY).await;
    let key = KeyPair::generate().unwrap();
    let mut wishes = rcgen::CertificateParams::default();
    wishes.subject_alt_names = vec![rcgen::SanType::URI(
        "spiffe://notary.hangzhou/office/hzqt".try_into().unwrap(),
    )];
    wishes.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let csr = wishes.serialize_request(&key).unwrap();
    let enrolled = enrolment.enrol(&token, csr.der(), ADDRESS).await.unwrap();
    assert_eq!(identity(&enrolled.chain[0]).office_id.as_str(), "hzgl");
}

#[tokio::test]
async fn an_address_that_tries_too_often_is_told_when_to_come_back() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db);
    let mut refused = None;
    for _ in 0..100 {
        if let Err(EnrolError::TooOften { retry_after }) = enrolment.enrol("x", &[], ADDRESS).await
        {
            refused = Some(retry_after);
            break;
        }
    }
    assert!(refused.is_some_and(|wait| wait > Duration::ZERO && wait <= Duration::from_secs(2)));
    let elsewhere = enrolment.enrol("x", &[], IpAddr::from([10, 0, 0, 1])).await;
    assert!(matches!(elsewhere, Err(EnrolError::TokenInvalid)));
}

#[tokio::test]
async fn all_addresses_of_an_ipv6_network_have_the_attempts_of_one() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db);
    let from = async |network: u16, host: u16| {
        let address = IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, host]);
        enrolment.enrol("x", &[], address).await.unwrap_err()
    };
    let mut refused = false;
    for host in 0..100 {
        refused |= matches!(from(1, host).await, EnrolError::TooOften { .. });
    }
    assert!(refused, "no limit in a hundred attempts");
    assert!(matches!(from(2, 0).await, EnrolError::TokenInvalid));
}

#[tokio::test]
async fn an_office_that_renews_without_end_is_told_when_to_come_back_and_the_others_go_on() {
    let db = fresh_database().await;
    let enrolment = enrolment(&db);
    let mut offices = Vec::new();
    for office_id in ["hzgl", "hzqt"] {
        add_office(&db.pool, office_id).await;
        let token = token(&db.pool, office_id, DAY).await;
        let enrolled = enrolment.enrol(&token, &csr().1, ADDRESS).await.unwrap();
        offices.push(identity(&enrolled.chain[0]));
    }
    let csr = csr().1;
    let mut renewed = 0;
    let refused = loop {
        match enrolment.renew(offices[0], &csr, false).await {
            Ok(_) => renewed += 1,
            Err(error) => break error,
        }
        assert!(renewed < 100, "there is a limit");
    };
    assert_eq!(renewed, 24);
    let EnrolError::RenewedTooOften { retry_after } = refused else {
        panic!("{refused}");
    };
    assert!(retry_after <= DAY / 24, "{retry_after:?}");
    enrolment.renew(offices[1], &csr, false).await.unwrap();
}

#[tokio::test]
async fn a_revoked_office_is_known_within_seconds() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    add_office(&db.pool, "hzqt").await;
    let enrolment = enrolment(&db);
    let mut identities = Vec::new();
    for office_id in ["hzgl", "hzqt"] {
        let token = token(&db.pool, office_id, DAY).await;
        let enrolled = enrolment.enrol(&token, &csr().1, ADDRESS).await.unwrap();
        identities.push(identity(&enrolled.chain[0]));
    }
    let (revocations, reader) = Revocations::load(db.pool.clone()).await.unwrap();
    let stop = CancellationToken::new();
    let reading = tokio::spawn(reader.run(stop.clone()));
    assert!(!revocations.is_revoked(&identities[0]));

    store::office::revoke(&db.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    let limit = Duration::from_secs(5);
    let revocation = tokio::time::timeout(limit, revocations.revoked(identities[0])).await;
    assert_eq!(revocation.expect("within five seconds"), Revocation::Office);
    assert!(
        !revocations.is_revoked(&identities[1]),
        "the other office goes on"
    );

    sqlx::query("UPDATE certificate SET revoked_at = now() WHERE serial = $1")
        .bind(identities[1].serial.as_bytes().as_slice())
        .execute(&db.pool)
        .await
        .unwrap();
    let revocation = tokio::time::timeout(limit, revocations.revoked(identities[1])).await;
    assert_eq!(
        revocation.expect("within five seconds"),
        Revocation::Certificate
    );
    stop.cancel();
    reading.await.unwrap();
}

async fn sessions(pool: &PgPool) -> Sessions {
    support::sessions(pool, &Keys::new(), []).await
}

async fn add_account(
    pool: &PgPool,
    login: &str,
    role: Role,
) -> Result<uuid::Uuid, AddAccountError> {
    let account = NewAccount {
        login,
        display_name: "统计科",
        role,
    };
    account::add(pool, &pepper(), account, PASSWORD).await
}

#[tokio::test]
async fn a_person_signs_in_and_is_known_by_the_session() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let sessions = sessions(&db.pool).await;
    let role = Role::Notary("hzgl".parse().unwrap());
    let account_id = add_account(&db.pool, "wang", role).await.unwrap();
    let session = sessions.sign_in("wang", PASSWORD).await.unwrap();
    let person = sessions.verify(&session.access_token).unwrap();
    assert_eq!((person.account_id, person.role), (account_id, role));
    assert_eq!(session.display_name, "统计科");

    store::office::revoke(&db.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    let refused = sessions.sign_in("wang", PASSWORD).await;
    assert!(
        matches!(refused, Err(SignInError::Refused)),
        "the office is revoked"
    );
}

#[tokio::test]
async fn wrong_unknown_and_disabled_are_answered_alike() {
    let db = fresh_database().await;
    let sessions = sessions(&db.pool).await;
    add_account(&db.pool, "li", Role::Analyst).await.unwrap();
    add_account(&db.pool, "old", Role::Analyst).await.unwrap();
    sqlx::query("UPDATE account SET disabled_at = now() WHERE login = 'old'")
        .execute(&db.pool)
        .await
        .unwrap();
    for (login, password) in [
        ("li", "incorrect horse"),
        ("li", ""),
        ("LI", PASSWORD),
        ("nobody", PASSWORD),
        ("old", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("li", "x".repeat(100_000).as_str()),
    ] {
        let refused = sessions.sign_in(login, password).await;
        assert!(matches!(refused, Err(SignInError::Refused)), "{login}");
    }
}

#[tokio::test]
async fn five_failures_lock_an_account_and_time_unlocks_it() {
    let db = fresh_database().await;
    let sessions = sessions(&db.pool).await;
    add_account(&db.pool, "li", Role::Analyst).await.unwrap();
    for _ in 0..4 {
        sessions.sign_in("li", "incorrect horse").await.unwrap_err();
    }
    sessions
        .sign_in("li", PASSWORD)
        .await
        .expect("four failures lock nobody");
    for _ in 0..5 {
        sessions.sign_in("li", "incorrect horse").await.unwrap_err();
    }
    sessions.sign_in("li", PASSWORD).await.expect_err("locked");
    let minutes: f64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM locked_until - now())::float8 / 60 FROM account",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert!((14.0..=15.0).contains(&minutes), "{minutes}");

    sqlx::query("UPDATE account SET locked_until = now() - interval '1 second'")
        .execute(&db.pool)
        .await
        .unwrap();
    sessions.sign_in("li", "incorrect horse").await.unwrap_err();
    sessions
        .sign_in("li", PASSWORD)
        .await
        .expect("the lock has ended");
}

#[tokio::test]
async fn failures_that_are_far_apart_are_no_row() {
    let db = fresh_database().await;
    let sessions = sessions(&db.pool).await;
    add_account(&db.pool, "li", Role::Analyst).await.unwrap();
    for _ in 0..8 {
        sessions.sign_in("li", "incorrect horse").await.unwrap_err();
        let later = "UPDATE account SET attempted_at = attempted_at - interval '15 minutes'";
        sqlx::query(later).execute(&db.pool).await.unwrap();
    }
    sessions
        .sign_in("li", PASSWORD)
        .await
        .expect("one at a time locks nobody");
}

#[tokio::test]
async fn guessing_in_parallel_gets_no_more_than_five_guesses() {
    let db = fresh_database().await;
    let sessions = Arc::new(sessions(&db.pool).await);
    add_account(&db.pool, "li", Role::Analyst).await.unwrap();
    let guesses: Vec<_> = (0..12)
        .map(|_| {
            let sessions = Arc::clone(&sessions);
            tokio::spawn(async move { sessions.sign_in("li", "incorrect horse").await.is_err() })
        })
        .collect();
    for guess in guesses {
        assert!(guess.await.unwrap());
    }
    let counted: i32 = sqlx::query_scalar("SELECT failed_attempts FROM account")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(counted, 5, "later guesses were not even compared");
}

#[tokio::test]
async fn a_hash_of_before_there_was_a_key_signs_in_and_is_made_anew() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let sessions = support::sessions(&db.pool, &keys, []).await;
    add_account(&db.pool, "li", Role::Analyst).await.unwrap();
    let hash = async || {
        let hash = "SELECT password_hash FROM account";
        let hash: String = sqlx::query_scalar(hash).fetch_one(&db.pool).await.unwrap();
        hash
    };
    let before = Argon2::default().hash_password(PASSWORD.as_bytes());
    let before = before.unwrap().to_string();
    sqlx::query("UPDATE account SET password_hash = $1")
        .bind(&before)
        .execute(&db.pool)
        .await
        .unwrap();
    sessions.sign_in("li", "another horse").await.unwrap_err();
    assert_eq!(hash().await, before);
    sessions.sign_in("li", PASSWORD).await.unwrap();
    let anew = hash().await;
    assert!(anew.contains("keyid="), "{anew}");
    sessions.sign_in("li", PASSWORD).await.unwrap();
    assert_eq!(hash().await, anew);
}

#[tokio::test]
async fn accounts_that_cannot_be_are_not_made() {
    let db = fresh_database().await;
    add_account(&db.pool, "li", Role::Analyst).await.unwrap();
    let taken = add_account(&db.pool, "li", Role::Operator).await;
    assert!(matches!(taken, Err(AddAccountError::LoginTaken)));
    let nowhere = Role::Notary("nowhere".parse().unwrap());
    let no_office = add_account(&db.pool, "wang", nowhere).await;
    assert!(matches!(no_office, Err(AddAccountError::NoSuchOffice)));
    for login in ["", "Li", "li wang", "li\n", "李"] {
        let refused = add_account(&db.pool, login, Role::Analyst).await;
        assert!(
            matches!(refused, Err(AddAccountError::LoginForm)),
            "{login}"
        );
    }
}

/// Agents trust the hub by their own machine's clock.
#[test]
fn a_hub_that_was_founded_today_is_trusted_by_a_machine_whose_clock_is_a_day_off() {
    let Keys { config, pki, .. } = &Keys::new();
    let now = OffsetDateTime::now_utc();
    ServerCertificate::load_or_make(config, &pki.authority, now).unwrap();
    let pki = config.pki_dir();
    let ca = CertificateDer::from_pem_file(pki.join("ca.pem")).unwrap();
    let server = std::fs::read(pki.join("server.pem")).unwrap();
    let server = CertificateDer::from_pem_slice(&server).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().unwrap();
    let now = UnixTime::now().as_secs();
    let day = DAY.as_secs();
    for clock in [now - day, now, now + day] {
        let clock = UnixTime::since_unix_epoch(Duration::from_secs(clock));
        let name = "localhost".try_into().unwrap();
        verifier
            .verify_server_cert(&server, &[], &name, &[], clock)
            .unwrap();
    }
}
