//! Hostile bearer tokens at the verifier and at a real endpoint.

use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::Role;
use notary_hub::identity::account::{self, NewAccount};
use notary_proto::hub::v1::DeleteSessionRequest;
use notary_proto::hub::v1::session_service_client::SessionServiceClient;
use sqlx::PgPool;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};
use uuid::Uuid;

use crate::forgery::Forge;
use crate::support::hub::{Hub, reason};
use crate::support::{Keys, pepper, sessions};

/// As many as the list of attacks asks for.
const LEAST: usize = 60;

async fn analyst(pool: &PgPool) -> Uuid {
    let li = NewAccount {
        login: "li",
        display_name: "统计科",
        role: Role::Analyst,
    };
    account::add(pool, &pepper(), li, "correct horse battery")
        .await
        .unwrap()
}

#[tokio::test]
async fn no_hostile_token_is_believed_by_the_verifier() {
    let db = fresh_database().await;
    let keys = Keys::new();
    let forge = Forge::of(&keys, analyst(&db.pool).await);
    let sessions = sessions(&db.pool, &keys, []).await;
    let vectors = forge.vectors();
    assert!(vectors.len() >= LEAST, "{}", vectors.len());
    for vector in &vectors {
        assert!(sessions.verify(&vector.token).is_err(), "{}", vector.what);
    }
    let own = forge.token(&forge.header(), &forge.claims());
    assert!(sessions.verify(&own).is_ok(), "the forge itself is right");

    let elsewhere = Keys::new();
    let theirs = Forge::of(&elsewhere, Uuid::now_v7());
    let theirs = theirs.token(&theirs.header(), &theirs.claims());
    assert!(sessions.verify(&theirs).is_err(), "of another environment");
}

#[tokio::test]
async fn no_hostile_token_is_believed_over_the_wire() {
    let hub = Hub::start().await;
    let forge = Forge::of(&hub.keys, analyst(&hub.db.pool).await);
    let mut sessions = SessionServiceClient::new(hub.people());
    let call = |values: &[String]| {
        let mut request = Request::new(DeleteSessionRequest {});
        for value in values {
            // Raw bytes, as an attacker's client would send them; what HTTP/2 cannot carry goes no further.
            let value = MetadataValue::try_from(value.as_bytes()).ok()?;
            request.metadata_mut().append("authorization", value);
        }
        Some(request)
    };
    let mut sent = 0;
    for vector in forge.vectors() {
        let Some(request) = call(&[format!("Bearer {}", vector.token)]) else {
            continue;
        };
        let refused = sessions.delete_session(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{}", vector.what);
        assert_eq!(reason(&refused), "UNAUTHENTICATED", "{}", vector.what);
        sent += 1;
    }
    assert!(sent >= LEAST, "{sent}");

    let good = forge.token(&forge.header(), &forge.claims());
    for (what, values) in [
        ("no header", vec![]),
        ("the header twice", vec![format!("Bearer {good}"); 2]),
        ("another scheme", vec![format!("Basic {good}")]),
        ("no scheme", vec![good.clone()]),
        ("two spaces", vec![format!("Bearer  {good}")]),
    ] {
        let refused = sessions.delete_session(call(&values).unwrap()).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated, "{what}");
    }
    let signed_out = sessions.delete_session(call(&[format!("bearer {good}")]).unwrap());
    assert!(
        signed_out.await.is_ok(),
        "the hub is there, and believes its own"
    );
    hub.app.stop().await.unwrap();
}
