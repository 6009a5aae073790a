//! A person's tool.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use notary_hub::audit::Recorded;
use notary_hub::identity::Role;
use notary_hub::store;
use rustls_pki_types::CertificateDer;
use serde_json::Value;
use uuid::Uuid;

use crate::support::hub::Hub;
use crate::support::seed::{Seed, session, session_of};
use crate::support::{add_office, client};

/// A hub with two offices.
pub struct Bureau {
    pub hub: Hub,
    pub seed: Seed,
}

/// Somebody with an account.
#[derive(Clone, Copy, Debug)]
pub struct Colleague {
    pub account_id: Uuid,
    pub role: Role,
}

impl Colleague {
    pub fn new(role: Role) -> Self {
        Self {
            account_id: Uuid::now_v7(),
            role,
        }
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The reason of a problem, which is whole.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(!problem["detail_zh"].as_str().unwrap().is_empty());
        problem["reason"].as_str().unwrap().to_owned()
    }
}

/// Over a connection of its own.
pub async fn send(
    address: SocketAddr,
    ca: CertificateDer<'static>,
    mut request: Request<Full<Bytes>>,
) -> Answer {
    let config = client::config(ca, None, &[b"http/1.1"]);
    let tls = client::connect(address, Arc::new(config)).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
        .await
        .unwrap();
    tokio::spawn(connection);
    request
        .headers_mut()
        .insert("host", "localhost".parse().unwrap());
    let answer = sender.send_request(request).await.unwrap();
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.into_body().collect().await.unwrap().to_bytes(),
    }
}

impl Bureau {
    pub async fn open() -> Self {
        let hub = Hub::start().await;
        add_office(&hub.db.pool, "hangzhou").await;
        add_office(&hub.db.pool, "xiaoshan").await;
        Self {
            seed: Seed::new(&hub),
            hub,
        }
    }

    pub async fn get(&self, role: Role, path: &str) -> Answer {
        self.get_as(role, path, "application/json").await
    }

    pub async fn get_as(&self, role: Role, path: &str, accept: &str) -> Answer {
        let session = session(&self.hub, role);
        let request = Request::get(path)
            .header("accept", accept)
            .header("authorization", format!("Bearer {session}"));
        self.send(request.body(Full::default()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        let body = Bytes::from(body.to_owned());
        self.send(request.body(Full::new(body)).unwrap()).await
    }

    /// Signed in as somebody in particular.
    pub async fn ask(&self, who: Colleague, method: Method, path: &str, body: Value) -> Answer {
        let session = session_of(&self.hub, who.account_id, who.role);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {session}"));
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        self.send(request.body(Full::new(body)).unwrap()).await
    }

    /// Signed in as nobody.
    pub async fn plain(&self, method: Method, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        self.send(request.body(Full::default()).unwrap()).await
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let ca = client::ca(&self.hub.keys);
        send(self.hub.app.addresses().people, ca, request).await
    }

    pub async fn log(&self) -> Vec<Recorded> {
        store::audit::after(&self.hub.db.pool, 0, 10_000)
            .await
            .unwrap()
    }
}
