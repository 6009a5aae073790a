//! The program itself: exit codes, words, and a clean end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use office_agent::app::Addresses;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::support::Hub;
use crate::support::agent::configured;
use crate::support::authority::Authority;

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn command(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_office-agent"));
    command
        .args(arguments)
        .arg("--config")
        .arg(config)
        .kill_on_drop(true);
    command
}

async fn run(config: &Path, arguments: &[&str]) -> Said {
    let output = command(config, arguments).output().await.unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn written(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("agent.toml");
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test]
async fn a_running_agent_answers_for_itself_and_ends_cleanly_on_sigterm() {
    let mut hub = Hub::start().await;
    let (folder, config) = configured(&hub);
    let file = folder.path().join("office-agent.toml");
    let enrolled = run(&file, &["enroll", "--token", "TOKEN"]).await;
    assert_eq!(enrolled.code, Some(0), "{}", enrolled.err);
    let mut child = command(&file, &["run"]).spawn().unwrap();
    let (_stream, _) = hub.welcomed(0).await;

    let status = run(&file, &["status", "--json"]).await;
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["running"], true);
    assert_eq!(status["office_id"], "hzgl");
    assert_eq!(status["waiting"], 0);
    assert_eq!(run(&file, &["health"]).await.code, Some(0));
    let second = run(&file, &["run"]).await;
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("stop it first"), "{}", second.err);

    let pid = child.id().unwrap().to_string();
    Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    assert!(child.wait().await.unwrap().success());
    assert!(!config.data_dir.join("addresses.json").exists());
    let status = run(&file, &["status", "--json"]).await;
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["running"], false);
    assert_eq!(run(&file, &["health"]).await.code, Some(1));
}

#[tokio::test]
async fn an_enrolment_says_by_which_fingerprint_the_bureau_knows_the_key_and_why_it_was_refused_in_chinese()
 {
    let hub = Hub::start().await;
    let (folder, _) = configured(&hub);
    let file = folder.path().join("office-agent.toml");
    let enroll = ["enroll", "--token", "TOKEN"];
    let mut details =
        ErrorDetails::with_error_info("ENROLMENT_PENDING", "notary-hub", HashMap::new());
    details.set_localized_message("zh-CN", "等待市平台审核。");
    let pending = Status::with_error_details(Code::FailedPrecondition, "not yet", details);
    *hub.service.not_enrolled.lock().unwrap() = Some(pending);
    let waits = run(&file, &enroll).await;
    let enrolled = run(&file, &enroll).await;
    assert_eq!((waits.code, enrolled.code), (Some(1), Some(0)));

    // As the hub reckons it, of what it was sent.
    let csrs = hub.service.csrs.lock().unwrap();
    let (_, csr) = X509CertificationRequest::from_der(&csrs[0]).unwrap();
    let key = Sha256::digest(csr.certification_request_info.subject_pki.raw);
    let key = format!("（SHA-256）：{}", HEXLOWER.encode(&key));
    for words in ["等待市平台审核。", "ENROLMENT_PENDING", &key] {
        assert!(waits.err.contains(words), "{}", waits.err);
    }
    assert!(enrolled.out.contains(&key), "{}", enrolled.out);
}

#[tokio::test]
async fn an_enrolment_that_cannot_begin_says_what_to_mend_in_chinese() {
    let hub = Hub::start().await;
    let (folder, _) = configured(&hub);
    let file = folder.path().join("office-agent.toml");
    let enroll = ["enroll", "--token", "TOKEN"];
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, "").unwrap();
    let said = run(&file, &enroll).await.err;
    assert!(said.contains("索取 anchors.pem"), "{said}");
    std::fs::write(&authority, Authority::new().pem).unwrap();
    let said = run(&file, &enroll).await.err;
    assert!(said.contains("平台证书不受信任"), "{said}");
    assert!(hub.service.csrs.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_that_never_ends_does_not_keep_the_agent_from_ending() {
    let mut hub = Hub::start().await;
    let (folder, config) = configured(&hub);
    let file = folder.path().join("office-agent.toml");
    let enrolled = run(&file, &["enroll", "--token", "TOKEN"]).await;
    assert_eq!(enrolled.code, Some(0), "{}", enrolled.err);
    let mut child = command(&file, &["run"]).spawn().unwrap();
    let (_stream, _) = hub.welcomed(0).await;
    let local = Addresses::read(&config.data_dir).unwrap().local;
    let mut call = TcpStream::connect(local).await.unwrap();
    call.write_all(b"POST /v1/push/cases HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        .await
        .unwrap();
    // An answered call shows that the one before it has been taken up.
    let status = run(&file, &["status", "--json"]).await;
    assert_eq!(status.code, Some(0));
    let pid = child.id().unwrap().to_string();
    Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .await
        .unwrap();
    assert!(child.wait().await.unwrap().success());
    drop(call);
}

/// Status and body of a call of a program on the agent's machine.
async fn posted(local: SocketAddr, path: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(local).await.unwrap();
    let call = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn a_program_of_the_office_hands_filings_in_and_is_told_what_the_hub_said() {
    let mut hub = Hub::start().await;
    let (folder, config) = configured(&hub);
    let file = folder.path().join("office-agent.toml");
    let enrolled = run(&file, &["enroll", "--token", "TOKEN"]).await;
    assert_eq!(enrolled.code, Some(0), "{}", enrolled.err);
    let _running = command(&file, &["run"]).spawn().unwrap();
    let (_stream, _) = hub.welcomed(0).await;
    let local = Addresses::read(&config.data_dir).unwrap().local;
    let kin = r#"{"kind": "recusal", "text": "申报", "fields": {"licence_no": "N1", "kin": [
                  {"relation": "parent", "id_kind": "resident_id", "id_number": "11010519491231002X"}]}}"#;
    let unsaid = r#"{"kind": "instruction"}"#;

    let (status, said) = posted(local, "/v1/filings", "", kin).await;
    assert_eq!(status, 200, "{said}");
    let receipt = &said["receipts"][0];
    assert_eq!(
        (&receipt["kind"], &receipt["due_on"], &receipt["late"]),
        (&"recusal".into(), &"2024-06-06".into(), &true.into())
    );
    {
        let filings = hub.service.filings.lock().unwrap();
        assert_eq!(receipt["filing_id"], filings[0].filing_id);
        assert!(filings[0].detail.contains("token") && !filings[0].detail.contains("1949"));
    }

    // The first is recorded, the second is named, and what could not be sent at all is refused whole.
    let (status, said) = posted(local, "/v1/filings", "", &format!("[{kin}, {unsaid}]")).await;
    assert_eq!((status, &said["filing"]), (400, &2.into()));
    let (status, said) = posted(local, "/v1/filings", "", r#"[{"kind": "rumour"}]"#).await;
    assert_eq!((status, &said["field"]), (400, &"kind".into()));
    assert_eq!(hub.service.filings.lock().unwrap().len(), 2);
    let from_a_page = "Origin: https://evil.example\r\n";
    assert_eq!(posted(local, "/v1/filings", from_a_page, kin).await.0, 403);
}

#[tokio::test]
async fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "data_dir = 'data'\n");
    let status = run(&file, &["status"]).await;
    assert_eq!(status.code, Some(0));
    assert!(status.out.contains("尚未注册"), "{}", status.out);
    let not_enrolled = run(&file, &["run"]).await;
    assert_eq!(not_enrolled.code, Some(1));
    assert!(
        not_enrolled.err.contains("office-agent enroll"),
        "{}",
        not_enrolled.err
    );
    for arguments in [vec!["check-config"], vec!["import", "x.csv"], vec!["map"]] {
        assert_eq!(run(&file, &arguments).await.code, Some(2), "{arguments:?}");
    }
    let mistyped = written(
        folder.path(),
        "data_dir = 'data'\n[hub]\nagent = 'https://x:1'\n",
    );
    let said = run(&mistyped, &["check-config"]).await;
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("did you mean `agents`?"), "{}", said.err);
}

#[tokio::test]
async fn an_address_of_no_database_does_not_pass_the_check() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("m.toml"), "").unwrap();
    let source = "[[source]]\nname = 'cases'\nkind = 'sql'\nurl = 'oracle://db/cases'\nmapping = 'm.toml'\n\
                  query = 'SELECT 1'\nwatermark = 'a'\nkey = 'b'\n";
    let file = written(folder.path(), &format!("data_dir = 'data'\n{source}"));
    let said = run(&file, &["check-config"]).await;
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("source `cases`: url:"), "{}", said.err);
}

const MAPPING: &str = "[case]\nsource_case_id = '编号'\nstate = { column = '状态', codes = { '受理' = 'accepted' } }\n\
    matter_type = { value = 'mandate' }\nforeign_relation = { value = 'domestic' }\naccepted_on = '受理日'\n\
    [[party]]\nrole = { value = 'principal' }\nkind = { value = 'natural' }\nname = '委托人'\nidentifier = '证件号'\n";

#[tokio::test]
async fn what_an_office_has_to_mend_is_named_by_case_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("exports");
    std::fs::create_dir(&exports).unwrap();
    std::fs::write(folder.path().join("m.toml"), MAPPING).unwrap();
    let source = "[[source]]\nname = 'export'\nkind = 'folder'\npath = 'exports'\npattern = '*.csv'\nmapping = 'm.toml'\n";
    let file = written(folder.path(), &format!("data_dir = 'data'\n{source}"));
    let head = "编号,状态,受理日,委托人,证件号\n";
    let good = "1,受理,2024-06-03,张三,11010519491231002X\n";
    std::fs::write(exports.join("a.csv"), format!("{head}{good}")).unwrap();
    for command in [&["map", "--dry-run"][..], &["quality"]] {
        assert_eq!(run(&file, command).await.code, Some(0), "{command:?}");
    }

    let doubtful = "2,受理,2024-06-03,李四,\n";
    let twice = "1,受理,2024-06-04,张三,11010519491231002X\n";
    let torn = "3,受理\n";
    std::fs::write(
        exports.join("a.csv"),
        format!("{head}{good}{doubtful}{twice}{torn}"),
    )
    .unwrap();
    std::fs::write(
        exports.join("b.csv"),
        "编号,受理日,委托人,证件号\n4,2024-06-03,王五,\n",
    )
    .unwrap();
    let dry = run(&file, &["map", "--dry-run"]).await;
    assert_eq!(dry.code, Some(11), "{}", dry.err);
    for said in [
        "case 1: a.csv:4 counts, a.csv:2 does not",
        "a.csv:5  表头 5 列，此行 2 列",
        "case 4, b.csv:2  状态",
        "状态 (b.csv)",
    ] {
        assert!(dry.out.contains(said), "{said}: {}", dry.out);
    }
    let quality = run(&file, &["quality"]).await;
    assert_eq!(quality.code, Some(11), "{}", quality.err);
    let line = "案件 2　第1个当事人的证件号码（列 证件号）　委托人　a.csv:3";
    assert!(quality.out.contains(line), "{}", quality.out);
    let quality = run(&file, &["quality", "--json"]).await;
    let quality: Value = serde_json::from_str(&quality.out).unwrap();
    assert_eq!(quality[0]["findings"][0]["source_case_id"], "2");
    assert_eq!(quality[0]["findings"][0]["rule"], "IDENTIFIER_MISSING");
}
