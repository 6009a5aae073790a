//! kill -9 while the hub answers: no answer without its entry. The hub is a real process with its private PostgreSQL.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use notary_hub::audit::{checkpoint, merkle};
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use notary_proto::hub::v1::session_service_client::SessionServiceClient;
use notary_proto::hub::v1::{
    CheckApplicationRequest, CreateSessionRequest, IdentifierKind, IdentifierToken, LookupParty,
    LookupPurpose, PartyRole, Receipt,
};
use serde_json::Value;
use tokio::sync::mpsc;
use tonic::Request;
use tonic::transport::Channel;

use crate::support::client;
use crate::support::program::Site;

const KILLS: usize = 3;
const CLIENTS: u8 = 8;
/// Answers between two kills.
const ANSWERS: usize = 60;

const CONFIG: &str = "lookup.person_per_minute = 100000\nlookup.office_per_minute = 100000\naudit.checkpoint_every = '1s'";

impl Site {
    fn add_notary(&self) {
        let mut adding = self
            .command(&[
                "user", "add", "wang", "--role", "notary", "--office", "hzgl",
            ])
            .args(["--display-name", "公证员", "--password-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut password = adding.stdin.take().unwrap();
        password.write_all(b"correct horse battery\n").unwrap();
        drop(password);
        assert!(adding.wait().unwrap().success());
    }

    async fn sign_in(&self) -> String {
        let request = CreateSessionRequest {
            login: "wang".into(),
            password: "correct horse battery".into(),
            otp: String::new(),
        };
        let session = SessionServiceClient::new(self.channel("people", None))
            .create_session(request)
            .await
            .unwrap();
        session.into_inner().access_token
    }

    fn verify(&self, checkpoints: &Path, export: &Path, key: &str) -> Output {
        // Without the hub's configuration: that file is not there.
        Command::new(env!("CARGO_BIN_EXE_notary-hub"))
            .args(["audit", "verify", "--config", "/nowhere", "--key", key])
            .arg("--checkpoints")
            .arg(checkpoints)
            .arg("--export")
            .arg(export)
            .output()
            .unwrap()
    }
}

fn question(number: u8) -> CheckApplicationRequest {
    CheckApplicationRequest {
        purpose: LookupPurpose::BeforeAcceptance.into(),
        case_reference: "2024-接-1".into(),
        matter_type: "mandate".into(),
        parties: vec![LookupParty {
            role: PartyRole::Principal.into(),
            identifier: Some(IdentifierToken {
                kind: IdentifierKind::ResidentId.into(),
                token: vec![number; 16],
                verified: true,
                ..IdentifierToken::default()
            }),
            ..LookupParty::default()
        }],
        subjects: vec![],
        ..Default::default()
    }
}

/// Asks until the hub is gone.
async fn ask(
    channel: Channel,
    session: String,
    number: u8,
    answers: mpsc::UnboundedSender<Receipt>,
) {
    let mut client = LookupServiceClient::new(channel);
    loop {
        let mut request = Request::new(question(number));
        let bearer = format!("Bearer {session}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let Ok(answer) = client.check_application(request).await else {
            return;
        };
        let _ = answers.send(answer.into_inner().receipt.unwrap());
    }
}

/// The hub is killed while it answers; what was answered before.
async fn killed_while_answering(
    site: &Site,
    mut hub: Child,
    identity: &client::Identity,
    session: &str,
) -> Vec<Receipt> {
    let (sender, mut answers) = mpsc::unbounded_channel();
    for number in 0..CLIENTS {
        let channel = site.channel("agents", Some(identity.clone()));
        tokio::spawn(ask(channel, session.to_owned(), number, sender.clone()));
    }
    drop(sender);
    let mut receipts = Vec::new();
    while let Some(receipt) = answers.recv().await {
        receipts.push(receipt);
        if receipts.len() == ANSWERS {
            hub.kill().unwrap();
            hub.wait().unwrap();
        }
    }
    assert!(receipts.len() >= ANSWERS, "{}", receipts.len());
    receipts
}

#[tokio::test]
async fn a_hub_killed_while_it_answers_leaves_no_answer_without_its_entry() {
    let site = Arc::new(Site::new(CONFIG));
    site.said(&["init"]);
    let office = ["office", "add", "hzgl", "--name", "杭州市某某公证处"];
    let place = ["--level", "municipal", "--district", "330102"];
    site.said(&[&office[..], &place].concat());
    site.add_notary();
    let mut hub = site.serve();
    let (identity, session) = (site.enrol("hzgl").await, site.sign_in().await);
    let mut receipts = Vec::new();
    for _ in 0..KILLS {
        receipts.extend(killed_while_answering(&site, hub, &identity, &session).await);
        hub = site.serve();
    }
    let export = site.path("log.jsonl");
    site.said(&["audit", "export", export.to_str().unwrap()]);
    let key = site.said(&["audit", "key"]);
    hub.kill().unwrap();
    hub.wait().unwrap();

    let log = fs::read_to_string(&export).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verifier = [key.parse().unwrap()];
    // What the office was told is evidence by itself: each receipt holds a checkpoint.
    let told = site.path("receipts");
    fs::create_dir(&told).unwrap();
    for receipt in &receipts {
        let line = &lines[usize::try_from(receipt.audit_entry).unwrap() - 1];
        let leaf = line["leaf"].as_str().unwrap().as_bytes();
        assert_eq!(
            HEXLOWER.encode(&receipt.leaf_hash),
            HEXLOWER.encode(&merkle::leaf_hash(leaf))
        );
        let signed = checkpoint::open(&receipt.checkpoint, &verifier).unwrap();
        let path: Vec<[u8; 32]> = receipt
            .inclusion_path
            .iter()
            .map(|hash| hash.as_slice().try_into().unwrap())
            .collect();
        assert!(signed.head.includes(leaf, receipt.leaf_index, &path));
        let file = format!("{:020}.checkpoint", signed.head.size);
        fs::write(told.join(file), &receipt.checkpoint).unwrap();
    }
    for checkpoints in [site.path("data/checkpoints"), told] {
        let verified = site.verify(&checkpoints, &export, &key);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    }
    // An answer that the log does not have, as a checkpoint proves it.
    let shorter = site.path("shorter.jsonl");
    let kept: Vec<&str> = log.lines().take(20).collect();
    fs::write(&shorter, kept.join("\n") + "\n").unwrap();
    let cut = site.verify(&site.path("receipts"), &shorter, &key);
    assert_eq!(cut.status.code(), Some(3), "{cut:?}");
    let said = String::from_utf8(cut.stdout).unwrap();
    assert!(said.contains("truncated"), "{said}");
}
