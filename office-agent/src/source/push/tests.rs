use std::net::SocketAddr;
use std::path::Path;

use linkage::token::{TokenAlgorithm, TokenKey};
use notary_proto::agent::v1 as agent;
use notary_proto::agent::v1::push_service_client::PushServiceClient;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::mapping::Mapping;

const MAPPING: &str = r#"
[case]
source_case_id = "id"
state = "state"
matter_type = "matter"
foreign_relation = { value = "domestic" }
fee_charged = "fee"
legal_aid = "aid"

[[party]]
child = "parties"
role = "role"
kind = "kind"
name = "name"
identifier = "number"
"#;

struct Agent {
    address: SocketAddr,
    outbox: Outbox,
    _folder: tempfile::TempDir,
}

async fn agent() -> Agent {
    agent_with(MAPPING).await
}

async fn agent_with(mapping: &str) -> Agent {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mapping.toml");
    std::fs::write(&file, mapping).expect("written");
    let mapping = Mapping::load(Path::new(&file)).expect("a mapping");
    let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
    let outbox = Outbox::open(folder.path().join("outbox.sqlite")).expect("an outbox");
    let source: SourceName = "cases".parse().expect("a name");
    let endpoint = PushEndpoint {
        patience: Duration::from_secs(2),
        ..PushEndpoint::new(outbox.clone(), [(source, Pipeline::new(mapping, key))])
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, endpoint.router()).await });
    Agent {
        address,
        outbox,
        _folder: folder,
    }
}

impl Agent {
    /// Status and body of a call with more header lines; the answer ends with the connection.
    async fn post(&self, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        let call = format!(
            "POST {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        stream.write_all(call.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered");
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (
            status.expect("a status"),
            serde_json::from_str(body).unwrap_or(Value::Null),
        )
    }

    async fn push(&self, rows: Value) -> (u16, Value) {
        let headers = "host: localhost\r\ncontent-type: application/json\r\n";
        self.post(
            "/v1/push/cases",
            headers,
            &json!({ "rows": rows }).to_string(),
        )
        .await
    }
}

fn row(id: &str) -> Value {
    json!({
        "columns": { "id": id, "state": "applied", "matter": "will", "fee": 120.5, "aid": true, "none": null },
        "children": { "parties": [{
            "role": "testator", "kind": "natural", "name": "张三", "number": 110_105_194_912_310_021_u64,
        }] },
    })
}

#[tokio::test]
async fn rows_are_durable_when_the_answer_comes() {
    let agent = agent().await;
    let refused = json!({ "columns": { "id": "c", "state": "open" } });
    let (status, body) = agent.push(json!([row("a"), refused, row("b")])).await;
    assert_eq!(status, 200);
    let expected = json!({
        "accepted": 2,
        "unchanged": 0,
        "rejects": [{ "row": 1, "rule_id": "CODE_UNKNOWN", "field": "state" }],
    });
    assert_eq!(body, expected);
    assert_eq!(agent.outbox.backlog().await.expect("read"), 3);

    let (_, body) = agent.push(json!([row("a")])).await;
    assert_eq!(
        body,
        json!({ "accepted": 0, "unchanged": 1, "rejects": [] })
    );
    assert_eq!(agent.outbox.backlog().await.expect("read"), 3);
}

#[tokio::test]
async fn grpc_takes_the_same_rows_on_the_same_port() {
    let agent = agent().await;
    agent.push(json!([row("a")])).await;
    let text = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect()
    };
    let party = agent::Row {
        columns: text(&[
            ("role", "testator"),
            ("kind", "natural"),
            ("name", "张三"),
            ("number", "110105194912310021"),
        ]),
        ..agent::Row::default()
    };
    let mut same = agent::Row {
        columns: text(&[
            ("id", "a"),
            ("state", "applied"),
            ("matter", "will"),
            ("fee", "120.50"),
            ("aid", "true"),
        ]),
        ..agent::Row::default()
    };
    same.children
        .insert("parties".to_owned(), agent::RowList { rows: vec![party] });
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", agent.address))
        .expect("an address")
        .connect()
        .await
        .expect("connects");
    let mut client = PushServiceClient::new(channel);
    let call = |source: &str, rows| agent::PushRowsRequest {
        source: source.to_owned(),
        rows,
    };
    let rows = vec![same.clone(), agent::Row::default()];
    let answer = client
        .push_rows(call("cases", rows))
        .await
        .expect("taken")
        .into_inner();
    assert_eq!((answer.accepted, answer.unchanged), (0, 1));
    assert_eq!(answer.rejects[0].rule_id, "KEY_MISSING");

    let unknown = client
        .push_rows(call("other", vec![same]))
        .await
        .expect_err("unknown");
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn a_browser_is_refused_whatever_it_sends() {
    let agent = agent().await;
    let body = json!({ "rows": [row("a")] }).to_string();
    let json = "content-type: application/json\r\n";
    for headers in [
        "host: localhost\r\norigin: http://evil.example\r\n",
        "host: localhost\r\norigin: null\r\n",
        "host: localhost\r\norigin: http://localhost\r\n",
        "host: evil.example:7800\r\n",
    ] {
        let (status, _) = agent
            .post("/v1/push/cases", &format!("{headers}{json}"), &body)
            .await;
        assert_eq!(status, 403, "{headers}");
    }
    let form = "host: localhost\r\ncontent-type: text/plain\r\n";
    assert_eq!(agent.post("/v1/push/cases", form, &body).await.0, 415);
    assert_eq!(agent.outbox.backlog().await.expect("read"), 0);
}

#[tokio::test]
async fn a_call_that_cannot_be_taken_says_why_and_stores_nothing() {
    let agent = agent().await;
    let rows: Vec<_> = (0..=MOST_ROWS).map(|at| row(&at.to_string())).collect();
    let (status, body) = agent.push(json!(rows)).await;
    assert_eq!((status, &body["reason"]), (413, &json!("TOO_MANY_ROWS")));

    let nested = json!([row("a"), { "columns": { "id": "b", "state": ["x"] } }]);
    let (status, body) = agent.push(nested).await;
    assert_eq!((status, &body["reason"]), (422, &json!("VALUE_ILLEGAL")));
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("row 1: column \"state\""))
    );

    let headers = "host: localhost\r\ncontent-type: application/json\r\n";
    let (status, body) = agent
        .post("/v1/push/other", headers, "{\"rows\": []}")
        .await;
    assert_eq!((status, &body["reason"]), (404, &json!("SOURCE_UNKNOWN")));

    let wrong = "{\"rows\": [{\"columns\": {\"number\": \"11010519491231002X\"}, \"childs\": {}}]}";
    let (status, body) = agent.post("/v1/push/cases", headers, wrong).await;
    assert_eq!((status, &body["reason"]), (422, &json!("NOT_ROWS")));
    assert!(!body.to_string().contains("1949"));
    assert_eq!(agent.outbox.backlog().await.expect("read"), 0);
}

#[tokio::test]
async fn a_body_past_the_limit_is_not_read() {
    let agent = agent().await;
    let mut stream = TcpStream::connect(agent.address).await.expect("connects");
    let head = format!(
        "POST /v1/push/cases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        MOST_BYTES + 1
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("answered");
    assert_eq!(&status, b"HTTP/1.1 413");
}

#[tokio::test]
async fn the_example_is_taken_as_it_stands() {
    let agent = agent_with(include_str!("../../../examples/push/mapping.toml")).await;
    let rows = include_str!("../../../examples/push/rows.json");
    let headers = "host: localhost\r\ncontent-type: application/json\r\n";
    let (status, body) = agent.post("/v1/push/cases", headers, rows).await;
    let expected = json!({ "accepted": 1, "unchanged": 0, "rejects": [] });
    assert_eq!((status, body), (200, expected));
}

#[tokio::test]
async fn calls_that_are_not_sent_to_their_end_do_not_keep_others_out() {
    let agent = agent().await;
    let mut unfinished = Vec::new();
    for _ in 0..AT_ONCE {
        let mut stream = TcpStream::connect(agent.address).await.expect("connects");
        let half = "POST /v1/push/cases HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                    content-length: 99\r\n\r\n{";
        stream.write_all(half.as_bytes()).await.expect("sent");
        unfinished.push(stream);
    }
    for mut stream in unfinished {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("answered");
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
}
