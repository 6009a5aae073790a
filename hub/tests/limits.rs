//! The transport's limits as a peer meets them.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use support::client;
use support::gateway::Gateway;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

struct Frame {
    kind: u8,
    payload: Vec<u8>,
}

async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    Some(Frame {
        kind: head[3],
        payload,
    })
}

/// Settings by their number (RFC 9113, 6.5.2), and how far the connection's window was opened.
async fn announced(stream: &mut (impl AsyncRead + Unpin)) -> (HashMap<u16, u32>, u32) {
    let mut settings = HashMap::new();
    loop {
        let frame = read_frame(stream)
            .await
            .expect("settings, then a window update");
        match frame.kind {
            SETTINGS => settings.extend(frame.payload.chunks(6).map(|setting| {
                (
                    u16::from_be_bytes([setting[0], setting[1]]),
                    u32::from_be_bytes(setting[2..6].try_into().unwrap()),
                )
            })),
            WINDOW_UPDATE => {
                let opened = u32::from_be_bytes(frame.payload.try_into().unwrap());
                return (settings, opened + 65_535);
            }
            _ => {}
        }
    }
}

async fn connect(gateway: &Gateway, protocol: &[u8]) -> TlsStream<TcpStream> {
    let config = client::config(client::ca(&gateway.keys), None, &[protocol]);
    client::connect(gateway.address, Arc::new(config))
        .await
        .unwrap()
}

/// Reads until the hub closes, with the clock running on whenever nothing happens. The hub must not take
/// longer than the ten seconds it gives a handshake, a first request or a header.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let mut rest = Vec::new();
    // A connection cut without a farewell is an end as well.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(begun.elapsed() < Duration::from_secs(11));
    tokio::time::resume();
    rest
}

#[tokio::test]
async fn agents_are_told_the_limits_of_their_streams() {
    let gateway = Gateway::agents("").await;
    let (key, csr) = support::csr();
    let proven = notary_hub::identity::pki::authority::ProvenKey::from_csr(&csr).unwrap();
    let authority = &gateway.keys.pki.authority;
    let now = time::OffsetDateTime::now_utc();
    let office = authority
        .certify_office("hzgl".parse().unwrap(), &proven, now)
        .unwrap();
    let identity = Some((vec![office.der], key.serialize_der()));
    let config = client::config(client::ca(&gateway.keys), identity, &[b"h2"]);
    let mut tls = client::connect(gateway.address, Arc::new(config))
        .await
        .unwrap();
    tls.write_all(PREFACE).await.unwrap();
    let (settings, window) = announced(&mut tls).await;
    assert_eq!(settings.get(&3), Some(&64), "concurrent streams");
    assert_eq!(settings.get(&4), Some(&(4 << 20)), "stream window");
    assert_eq!(settings.get(&5), Some(&(16 << 10)), "frame size");
    assert_eq!(settings.get(&6), Some(&(16 << 10)), "header list");
    assert_eq!(window, 8 << 20, "connection window");
}

#[tokio::test]
async fn people_are_told_the_limits_of_their_streams() {
    let gateway = Gateway::people("").await;
    let mut tls = connect(&gateway, b"h2").await;
    tls.write_all(PREFACE).await.unwrap();
    let (settings, window) = announced(&mut tls).await;
    assert_eq!(settings.get(&3), Some(&100), "concurrent streams");
    assert_eq!(settings.get(&4), Some(&(256 << 10)), "stream window");
    assert_eq!(settings.get(&6), Some(&(16 << 10)), "header list");
    assert_eq!(window, 1 << 20, "connection window");
}

#[tokio::test]
async fn whoever_does_not_finish_a_handshake_is_let_go() {
    let gateway = Gateway::people("").await;
    let mut silent = TcpStream::connect(gateway.address).await.unwrap();
    assert!(rest(&mut silent).await.is_empty());
    let mut half = TcpStream::connect(gateway.address).await.unwrap();
    half.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    assert!(rest(&mut half).await.is_empty());
}

#[tokio::test]
async fn whoever_asks_nothing_is_let_go() {
    let gateway = Gateway::people("").await;
    let mut without_preface = connect(&gateway, b"h2").await;
    assert!(rest(&mut without_preface).await.is_empty());
    let mut with_preface = connect(&gateway, b"h2").await;
    with_preface.write_all(PREFACE).await.unwrap();
    rest(&mut with_preface).await;
}

#[tokio::test]
async fn half_a_header_does_not_hold_a_connection() {
    let gateway = Gateway::people("").await;
    let mut tls = connect(&gateway, b"http/1.1").await;
    tls.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        .await
        .unwrap();
    rest(&mut tls).await;
}

#[tokio::test]
async fn headers_beyond_all_measure_are_refused() {
    let gateway = Gateway::people("").await;
    let mut tls = connect(&gateway, b"http/1.1").await;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    // The hub may close before it has read everything.
    let _ = tls.write_all(request.as_bytes()).await;
    let answer = rest(&mut tls).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[tokio::test]
async fn one_address_does_not_take_all_connections() {
    let gateway = Gateway::people("[limits]\nconnections_per_address = 2").await;
    let one = connect(&gateway, b"h2").await;
    let _two = connect(&gateway, b"h2").await;
    let config = || Arc::new(client::config(client::ca(&gateway.keys), None, &[b"h2"]));
    assert!(
        client::connect(gateway.address, config()).await.is_err(),
        "a third"
    );
    drop(one);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while client::connect(gateway.address, config()).await.is_err() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the place is free again"
        );
    }
}

#[tokio::test]
async fn an_old_connection_is_asked_to_reconnect() {
    let gateway = Gateway::people("[limits]\nconnection_age = '1s'").await;
    let mut tls = connect(&gateway, b"h2").await;
    tls.write_all(PREFACE).await.unwrap();
    loop {
        let frame = read_frame(&mut tls)
            .await
            .expect("a farewell before the end");
        if frame.kind == GOAWAY {
            break;
        }
    }
}

#[tokio::test]
async fn a_drained_listener_lets_nobody_in_and_says_farewell() {
    let gateway = Gateway::people("").await;
    let mut tls = connect(&gateway, b"h2").await;
    tls.write_all(PREFACE).await.unwrap();
    announced(&mut tls).await;
    gateway.stop.drain.cancel();
    loop {
        let frame = read_frame(&mut tls)
            .await
            .expect("a farewell before the end");
        if frame.kind == GOAWAY {
            break;
        }
    }
    assert!(TcpStream::connect(gateway.address).await.is_err());
}

#[tokio::test]
async fn noise_on_the_port_disturbs_nobody() {
    let gateway = Gateway::people("").await;
    for noise in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 4096],
        &[0xff; 70_000],
        b"SSH-2.0-x\r\n",
    ] {
        let mut tcp = TcpStream::connect(gateway.address).await.unwrap();
        // The hub may close while it is still being shouted at.
        let _ = tcp.write_all(noise).await;
        rest(&mut tcp).await;
    }
    let mut tls = connect(&gateway, b"h2").await;
    tls.write_all(PREFACE).await.unwrap();
    announced(&mut tls).await;
}
