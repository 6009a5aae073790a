//! A hub from its first command to the end of its process.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::Site;
use crate::text;

#[test]
fn a_hub_is_made_runs_and_ends_with_the_documented_commands() {
    let site = Site::new("");
    let made = site.json(&["init"]);
    assert_eq!(made["token_algorithm"], "hmac_sha256");
    assert!(Path::new(made["ca_file"].as_str().unwrap()).exists());
    let office = ["office", "add", "hzgl", "--name", "杭州市某某公证处"];
    let place = ["--level", "municipal", "--district", "330102"];
    site.json(&[&office[..], &place].concat());

    let serving = site.serve();
    let token = site.json(&["enroll-token", "hzgl"]);
    assert_eq!(token["join_token"].as_str().unwrap().len(), 52);
    let bare = site.run(&["enroll-token", "hzgl", "--ttl", "1h"]);
    assert_eq!(text(&bare.stdout).trim().len(), 52, "the token alone");
    let again = site.run(&[&office[..], &place].concat());
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("already"));

    let mut adding = site
        .command(&["user", "add", "li", "--role", "analyst"])
        .args(["--display-name", "统计科", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    adding
        .stdin
        .take()
        .unwrap()
        .write_all("correct horse battery\n".as_bytes())
        .unwrap();
    assert!(adding.wait().unwrap().success());

    site.json(&["office", "revoke", "hzgl"]);
    let offices = site.json(&["office", "list"]);
    assert_eq!(offices[0]["office_id"], "hzgl");
    assert_eq!(offices[0]["revoked"], true);

    let (code, log) = serving.terminate();
    assert_eq!(code, Some(0), "{log:#?}");
    for line in &log {
        serde_json::from_str::<Value>(line).expect("every line of the log is JSON");
    }
    assert!(log.last().unwrap().contains("stopped"), "{log:#?}");
    assert!(!site.path("data/postgres/postmaster.pid").exists());
}

#[test]
fn init_again_changes_nothing() {
    let site = Site::new("");
    site.json(&["init", "--token-algorithm", "hmac_sm3"]);
    let files = [
        "ca.pem",
        "ca.key",
        "anchors.pem",
        "server.pem",
        "session.key",
        "token.key",
        "account.key",
    ];
    let read = || files.map(|file| fs::read(site.path("data/pki").join(file)).unwrap());
    let before = read();
    let again = site.json(&["init"]);
    assert_eq!(
        again["token_algorithm"], "hmac_sm3",
        "what was chosen first stays"
    );
    assert_eq!(before, read());
}

#[test]
fn a_lost_token_key_is_not_replaced_by_another() {
    let site = Site::new("");
    site.json(&["init"]);
    let key = site.path("data/pki/token.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let again = site.run(&["init"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("token.key is lost"));

    // The whole folder: keys are made, and the database does not know them.
    fs::rename(site.path("data/pki"), site.path("data/former")).unwrap();
    for arguments in [["init"], ["serve"]] {
        let refused = site.run(&arguments);
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stderr);
        assert!(said.contains("another key 1"), "{said}");
    }
    fs::remove_dir_all(site.path("data/pki")).unwrap();
    fs::rename(site.path("data/former"), site.path("data/pki")).unwrap();
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(site.serve().terminate().0, Some(0));
}

/// A service has a /tmp of its own (PrivateTmp).
#[test]
fn a_command_beside_a_serving_hub_finds_its_database_though_it_sees_another_tmp() {
    let site = Site::new("");
    site.json(&["init"]);
    let serving = site.serve();
    let lock = fs::read_to_string(site.path("data/postgres/postmaster.pid")).unwrap();
    let socket = Path::new(lock.lines().nth(4).unwrap());
    assert!(socket.starts_with(site.path("data")), "{socket:?}");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = site.command(&["user", "list", "--json"]);
    let output = command.env("TMPDIR", elsewhere.path()).output().unwrap();
    assert_eq!(text(&output.stdout).trim(), "[]", "{output:?}");
    assert_eq!(serving.terminate().0, Some(0));
}

/// Else a shell without the service's `database.url` would work on a database that nobody serves.
#[test]
fn no_command_but_init_and_serve_makes_a_database() {
    let site = Site::new("");
    site.json(&["init"]);
    fs::remove_dir_all(site.path("data/postgres")).unwrap();
    for command in [
        &["user", "list"][..],
        &["office", "list"],
        &["stats", "verify"],
        &["migrate"],
        &["restored"],
    ] {
        let output = site.run(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let said = text(&output.stderr);
        for hint in ["no database in", "notary-hub init", "database.url"] {
            assert!(said.contains(hint), "{said}");
        }
    }
    assert!(!site.path("data/postgres").exists(), "nothing was made");
}

#[test]
fn running_out_of_file_descriptors_ends_nothing() {
    use rustix::process::{Resource, Rlimit, prlimit};

    let site = Site::new("");
    site.json(&["init"]);
    let serving = site.serve();
    let open = fs::read_dir(format!("/proc/{}/fd", serving.child.id()))
        .unwrap()
        .count() as u64;
    let limit = |current| Rlimit {
        current: Some(current),
        maximum: Some(4096),
    };
    let before = prlimit(Some(serving.id()), Resource::Nofile, limit(open + 4)).unwrap();
    let people = site.address("people");
    let crowd: Vec<_> = (0..40)
        .filter_map(|_| TcpStream::connect(people).ok())
        .collect();
    assert!(crowd.len() > 10, "the kernel lets them queue");
    serving.wait_for("could not be accepted");
    drop(crowd);
    let current = before.current.unwrap_or(4096).min(4096);
    prlimit(Some(serving.id()), Resource::Nofile, limit(current)).unwrap();

    assert_eq!(site.json(&["health"])["serving"], true);
    let mut people = TcpStream::connect(people).unwrap();
    people.write_all(b"no TLS at all").unwrap();
    let mut alert = Vec::new();
    people.read_to_end(&mut alert).unwrap();
    assert_eq!(alert.first(), Some(&21), "a TLS alert: somebody is there");
    assert_eq!(serving.terminate().0, Some(0));
    let stopped = site.run(&["health"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(text(&stopped.stderr).contains("no hub runs"));
}

#[test]
fn a_second_signal_ends_a_drain() {
    let site = Site::new("limits.drain = '300s'");
    site.json(&["init"]);
    let serving = site.serve();
    // A connection in the middle of its handshake has to be waited for.
    let _half = TcpStream::connect(site.address("people")).unwrap();
    serving.signal();
    serving.wait_for("draining");
    serving.signal();
    assert_eq!(serving.end().0, Some(1));
    let deadline = Instant::now() + Duration::from_secs(60);
    while site.path("data/postgres/postmaster.pid").exists() {
        assert!(Instant::now() < deadline, "its database goes with it");
        std::thread::sleep(Duration::from_millis(20));
    }
}
