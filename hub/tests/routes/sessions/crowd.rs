//! Callers from many addresses, as a reverse proxy tells them apart.

use std::sync::Arc;

use http::Request;
use http_body_util::{Empty, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use notary_hub::identity::Role;
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use crate::client::{Answer, Bureau};
use crate::support::client;
use crate::support::hub::Hub;
use crate::support::seed::Seed;

const PASSWORD: &str = "correct horse battery";

/// A bureau with the account `li`. `extra` is appended to the hub's configuration.
async fn bureau(extra: &str) -> Bureau {
    let hub = Hub::with(extra).await;
    let account = NewAccount {
        login: "li",
        display_name: "统计科",
        role: Role::Analyst,
    };
    let pepper = &hub.keys.pki.account_keys.passwords;
    account::add(&hub.db.pool, pepper, account, PASSWORD)
        .await
        .unwrap();
    Bureau {
        seed: Seed::new(&hub),
        hub,
    }
}

async fn behind_a_proxy() -> Bureau {
    bureau("people.trusted_proxies = ['127.0.0.1']").await
}

async fn sign_in(bureau: &Bureau, from: &str, password: &str) -> Answer {
    let body = format!(r#"{{"login": "li", "password": "{password}"}}"#);
    let request = Request::post("/api/v1/sessions")
        .header("content-type", "application/json")
        .header("x-forwarded-for", from);
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    bureau.send(request).await
}

/// A request whose body does not come, once the hub waits for it.
async fn half_sent(bureau: &Bureau, from: &str) -> TlsStream<TcpStream> {
    let config = client::config(client::ca(&bureau.hub.keys), None, &[b"http/1.1"]);
    let mut tls = client::connect(bureau.hub.app.addresses().people, Arc::new(config))
        .await
        .unwrap();
    let head = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {from}\r\n\
         content-type: application/json\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n"
    );
    tls.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    tls.read_exact(&mut told).await.unwrap();
    assert_eq!(&told[..12], b"HTTP/1.1 100");
    tls
}

#[tokio::test]
async fn requests_that_are_half_sent_from_four_addresses_shut_nobody_out() {
    let bureau = behind_a_proxy().await;
    let mut held = Vec::new();
    for from in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        for _ in 0..32 {
            held.push(half_sent(&bureau, from).await);
        }
    }
    let another = sign_in(&bureau, "192.0.2.5", PASSWORD).await;
    assert_eq!(another.status, 201);
    let directory = Request::get("/directory").header("x-forwarded-for", "192.0.2.4");
    let directory = directory.body(Full::default()).unwrap();
    let without_body = bureau.send(directory).await;
    assert_eq!(without_body.status, 200);
}

/// A connection over which no more than a byte of each answer is taken, and how it ends.
async fn taking_nothing(bureau: &Bureau) -> (SendRequest<Empty<Bytes>>, JoinHandle<()>) {
    let config = client::config(client::ca(&bureau.hub.keys), None, &[b"h2"]);
    let tls = client::connect(bureau.hub.app.addresses().people, Arc::new(config))
        .await
        .unwrap();
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1)
        .handshake(TokioIo::new(tls))
        .await
        .unwrap();
    let ended = tokio::spawn(async move {
        // Cut or not, it is over.
        let _ = connection.await;
    });
    (sender, ended)
}

fn directory_for<B: Default>(uri: &str, from: &str) -> Request<B> {
    let request = Request::get(uri).header("x-forwarded-for", from);
    request.body(B::default()).unwrap()
}

#[tokio::test]
async fn whoever_takes_no_answer_has_some_on_their_way_and_no_more_and_delays_nobody_else() {
    const DIRECTORY: &str = "https://localhost/api/v1/directory";
    let bureau = behind_a_proxy().await;
    let (mut sender, _connection) = taking_nothing(&bureau).await;
    let mut untaken = Vec::new();
    loop {
        sender.ready().await.unwrap();
        let asked = sender.send_request(directory_for(DIRECTORY, "192.0.2.1"));
        let answer = asked.await.unwrap();
        if answer.status() == 503 {
            break;
        }
        assert_eq!(answer.status(), 200);
        untaken.push(answer);
        assert!(untaken.len() <= 64, "the hub holds them all");
    }
    let other = bureau.send(directory_for("/directory", "192.0.2.2")).await;
    assert_eq!(other.status, 200);
    // The answers are reset: nobody is there for them any more.
    drop(untaken);
    while bureau
        .send(directory_for("/directory", "192.0.2.1"))
        .await
        .status
        != 200
    {}
}

#[tokio::test]
async fn a_connection_whose_answer_is_not_taken_is_cut() {
    let bureau = bureau("").await;
    let (mut sender, ended) = taking_nothing(&bureau).await;
    let asked = sender.send_request(directory_for("https://localhost/directory", ""));
    let _untaken = asked.await.unwrap();
    // The clock runs on whenever nothing happens.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    ended.await.unwrap();
    let after = begun.elapsed();
    assert!(after < std::time::Duration::from_secs(40), "{after:?}");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_limits_of_its_own() {
    let bureau = behind_a_proxy().await;
    for _ in 0..4 {
        let wrong = sign_in(&bureau, "192.0.2.1", "wrong").await;
        assert_eq!(wrong.status, 401);
    }
    let fifth = sign_in(&bureau, "192.0.2.1", PASSWORD).await;
    assert_eq!(fifth.problem(), "RATE_LIMITED");
    let colleague = sign_in(&bureau, "192.0.2.2", PASSWORD).await;
    assert_eq!(colleague.status, 201);
}

#[tokio::test]
async fn nobody_else_is_believed_about_an_address() {
    let bureau = bureau("").await;
    for address in 1..5 {
        let wrong = sign_in(&bureau, &format!("192.0.2.{address}"), "wrong").await;
        assert_eq!(wrong.status, 401);
    }
    let fifth = sign_in(&bureau, "192.0.2.5", PASSWORD).await;
    assert_eq!(fifth.problem(), "RATE_LIMITED");
}

#[tokio::test]
async fn a_lock_raised_from_elsewhere_does_not_keep_the_owner_out() {
    let bureau = behind_a_proxy().await;
    let (desk, elsewhere) = ("192.0.2.1", "192.0.2.9");
    assert_eq!(sign_in(&bureau, desk, PASSWORD).await.status, 201);
    for from in ["198.51.100.1", "198.51.100.2"] {
        for _ in 0..3 {
            assert_eq!(sign_in(&bureau, from, "wrong").await.status, 401);
        }
    }
    let accounts = store::account::list(&bureau.hub.db.pool).await.unwrap();
    assert!(accounts[0].locked);
    let unknown = sign_in(&bureau, elsewhere, PASSWORD).await;
    assert_eq!(unknown.problem(), "SIGN_IN_REFUSED");
    let guess = sign_in(&bureau, desk, "wrong").await;
    assert_eq!(guess.problem(), "SIGN_IN_REFUSED");
    assert_eq!(sign_in(&bureau, desk, PASSWORD).await.status, 201);
}
