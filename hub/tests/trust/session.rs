//! Sessions that end before their time, on every hub of the database.

use std::time::Duration;

use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::account::new_password::{Names, NewPassword};
use notary_hub::identity::account::second_factor::SecondFactor;
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::identity::pki::session_key_file;
use notary_hub::identity::revocation::Revocations;
use notary_hub::identity::session::TokenError;
use notary_hub::identity::{Role, Sessions, pki::Pki};
use notary_hub::store;
use notary_hub::store::account::Change;
use sqlx::PgPool;

use crate::support::{Keys, add_office, pepper};

const PASSWORD: &str = "correct horse battery";

/// Two hubs of one database, each with its own view of what is revoked.
struct Pair {
    pool: PgPool,
    keys: Keys,
    here: (Sessions, Revocations),
    there: (Sessions, Revocations),
}

async fn hub(pool: &PgPool, keys: &Keys) -> (Sessions, Revocations) {
    let pki = Pki::load(&keys.config).unwrap();
    let (revocations, _) = Revocations::load(pool.clone()).await.unwrap();
    let sessions = Sessions::new(
        pool.clone(),
        pki.session_keys,
        Duration::from_secs(900),
        revocations.clone(),
        SecondFactor::new(pki.account_keys.second_factors, []),
        pepper(),
    );
    (sessions, revocations)
}

impl Pair {
    async fn new() -> Self {
        let db = fresh_database().await;
        let keys = Keys::new();
        add_office(&db.pool, "hzgl").await;
        for (login, role) in [
            ("li", Role::Analyst),
            ("zhao", Role::Analyst),
            ("wang", Role::Notary("hzgl".parse().unwrap())),
        ] {
            let account = NewAccount {
                login,
                display_name: "某某",
                role,
            };
            account::add(&db.pool, &pepper(), account, PASSWORD)
                .await
                .unwrap();
        }
        Self {
            here: hub(&db.pool, &keys).await,
            there: hub(&db.pool, &keys).await,
            pool: db.pool,
            keys,
        }
    }

    async fn sign_in(&self, login: &str) -> String {
        let session = self.here.0.sign_in(login, PASSWORD).await.unwrap();
        session.access_token
    }

    /// What the periodic reader does.
    async fn a_second_later(&self) {
        self.here.1.refresh().await.unwrap();
        self.there.1.refresh().await.unwrap();
    }

    fn good(&self, token: &str) -> [bool; 2] {
        [
            self.here.0.verify(token).is_ok(),
            self.there.0.verify(token).is_ok(),
        ]
    }
}

#[tokio::test]
async fn signing_out_ends_one_session_here_at_once_and_elsewhere_a_second_later() {
    let hubs = Pair::new().await;
    let (mine, also_mine) = (hubs.sign_in("li").await, hubs.sign_in("li").await);
    assert_eq!(hubs.good(&mine), [true, true]);
    hubs.here.0.sign_out(&mine).await.unwrap();
    assert_eq!(hubs.here.0.verify(&mine), Err(TokenError::Ended));
    hubs.a_second_later().await;
    assert_eq!(hubs.good(&mine), [false, false]);
    assert_eq!(hubs.good(&also_mine), [true, true]);
    assert!(hubs.there.0.sign_out(&mine).await.is_err(), "a replay");
    let restarted = hub(&hubs.pool, &hubs.keys).await;
    assert!(
        restarted.0.verify(&mine).is_err(),
        "a restart forgets nothing"
    );
}

#[tokio::test]
async fn every_change_of_an_account_ends_its_sessions_and_nobody_elses() {
    let names = Names {
        login: "li".into(),
        display_name: "某某".into(),
        office_id: None,
        office_name: None,
    };
    let new_hash = NewPassword::new("another good one", &names)
        .unwrap()
        .hash(&pepper());
    let hubs = Pair::new().await;
    let other = hubs.sign_in("zhao").await;
    for (what, change) in [
        ("sessions revoked", Change::default()),
        (
            "role",
            Change {
                role: Some(Role::Supervisor),
                ..Change::default()
            },
        ),
        (
            "disabled",
            Change {
                disabled: Some(true),
                ..Change::default()
            },
        ),
        (
            "enabled",
            Change {
                disabled: Some(false),
                ..Change::default()
            },
        ),
        (
            "password",
            Change {
                password_hash: Some(&new_hash),
                ..Change::default()
            },
        ),
    ] {
        let signed_in = hubs.here.0.sign_in("li", PASSWORD).await;
        store::account::change(&hubs.pool, "li", change)
            .await
            .unwrap()
            .expect("there is such an account");
        hubs.a_second_later().await;
        match signed_in {
            Ok(session) => assert_eq!(hubs.good(&session.access_token), [false, false], "{what}"),
            Err(_) => assert_eq!(what, "enabled", "a disabled account cannot sign in"),
        }
    }
    assert_eq!(hubs.good(&other), [true, true]);
    let with_the_old = hubs.here.0.sign_in("li", PASSWORD).await;
    assert!(with_the_old.is_err());
    let session = hubs.here.0.sign_in("li", "another good one").await.unwrap();
    assert_eq!(session.person.role, Role::Supervisor);
    assert_eq!(hubs.good(&session.access_token), [true, true]);
}

#[tokio::test]
async fn the_notaries_of_a_revoked_office_have_no_sessions() {
    let hubs = Pair::new().await;
    let (notary, analyst) = (hubs.sign_in("wang").await, hubs.sign_in("li").await);
    store::office::revoke(&hubs.pool, "hzgl".parse().unwrap())
        .await
        .unwrap();
    hubs.a_second_later().await;
    assert_eq!(hubs.good(&notary), [false, false]);
    assert_eq!(hubs.good(&analyst), [true, true]);
}

#[tokio::test]
async fn sessions_outlive_a_rotation_of_their_key_and_not_its_replacement() {
    let hubs = Pair::new().await;
    let before = hubs.sign_in("li").await;
    let dir = hubs.keys.config.pki_dir();
    let rotated = session_key_file::rotate(&dir).unwrap();
    hubs.here.0.replace_keys(rotated);
    let after = hubs.sign_in("li").await;
    assert_eq!(hubs.good(&before), [true, true]);
    assert_eq!(
        hubs.good(&after),
        [true, true],
        "the other hub has not been told yet"
    );
    let replaced = session_key_file::replace(&dir).unwrap();
    hubs.here.0.replace_keys(replaced);
    assert!(hubs.here.0.verify(&before).is_err());
    assert!(hubs.here.0.verify(&after).is_err());
}
