//! The program as an operator runs it: real processes, a real private PostgreSQL.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notary_hub::embedded::Postgres;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use program::Site;

impl Site {
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn with_password(&self, arguments: &[&str]) {
        let mut child = self
            .command(arguments)
            .arg("--password-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"correct horse battery\n").unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success(), "{arguments:?}");
    }

    /// What operators' commands left in the audit log.
    fn recorded(&self) -> Vec<String> {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let postgres = Postgres::start_or_join(&self.path("data/postgres"))
                .await
                .unwrap();
            let mut hub = PgConnection::connect(postgres.url()).await.unwrap();
            let entries = "SELECT actor || ' ' || action || ' ' || outcome FROM audit_entry ORDER BY entry_no";
            let entries = sqlx::query_scalar(entries).fetch_all(&mut hub);
            let entries = entries.await.unwrap();
            postgres.stop().await.unwrap();
            entries
        })
    }

    fn serve(&self) -> Serving {
        let mut child = self
            .command(&["serve"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in log.by_ref() {
            let line = line.unwrap();
            said.push(line.clone());
            if line.contains("\"ready\"") {
                break;
            }
        }
        assert!(self.path("data/addresses.json").exists(), "{said:?}");
        // Somebody has to read on, or the hub blocks when the pipe is full.
        let later = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&later);
        let reader = std::thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                collected.lock().unwrap().push(line);
            }
        });
        Serving {
            child,
            later,
            reader,
        }
    }

    fn address(&self, listener: &str) -> SocketAddr {
        let addresses = fs::read(self.path("data/addresses.json")).unwrap();
        let addresses: Value = serde_json::from_slice(&addresses).unwrap();
        addresses[listener].as_str().unwrap().parse().unwrap()
    }
}

struct Serving {
    child: Child,
    /// What it logged after `ready`.
    later: Arc<Mutex<Vec<String>>>,
    reader: std::thread::JoinHandle<()>,
}

impl Serving {
    fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    fn signal(&self) {
        rustix::process::kill_process(self.id(), rustix::process::Signal::TERM).unwrap();
    }

    /// SIGTERM; returns the exit code and what was logged after `ready`.
    fn terminate(self) -> (Option<i32>, Vec<String>) {
        self.signal();
        self.end()
    }

    fn end(mut self) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < deadline, "the hub does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        self.reader.join().unwrap();
        (code, self.later.lock().unwrap().clone())
    }

    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self
            .later
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains(text))
        {
            assert!(Instant::now() < deadline, "the log never says: {text}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

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
fn what_is_done_about_offices_is_recorded_while_a_hub_serves() {
    let site = Site::new("");
    site.json(&["init"]);
    let serving = site.serve();
    let office = ["office", "add", "hzgl", "--name", "杭州市某某公证处"];
    site.json(
        &[
            &office[..],
            &["--level", "municipal", "--district", "330102"],
        ]
        .concat(),
    );
    site.json(&["enroll-token", "hzgl"]);
    site.json(&["office", "refuse-late-renewal", "hzgl"]);
    site.json(&["office", "allow-late-renewal", "hzgl"]);
    site.json(&["office", "revoke", "hzgl"]);
    assert_eq!(
        site.run(&["office", "revoke", "nowhere"]).status.code(),
        Some(1)
    );
    let done = [
        "office.add",
        "enrolment.make_token",
        "office.refuse_late_renewal",
        "office.allow_late_renewal",
        "office.revoke",
    ];
    let done = done.map(|action| format!("operator {action} done"));
    assert_eq!(site.recorded(), done);
    assert_eq!(serving.terminate().0, Some(0));
}

#[test]
fn figures_are_verified_and_a_cell_that_differs_is_named() {
    let site = Site::new("");
    site.json(&["init"]);
    let equal = site.json(&["stats", "verify"]);
    assert_eq!(equal["differences"].as_array().unwrap().len(), 0);
    assert_eq!(site.said(&["stats", "verify"]), "equal: 0 cells");

    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let postgres = Postgres::start_or_join(&site.path("data/postgres"))
            .await
            .unwrap();
        let mut hub = PgConnection::connect(postgres.url()).await.unwrap();
        sqlx::query(
            "INSERT INTO rollup_delta (office_id, cut, begins_on, matter_type, foreign_relation, notary, accepted)
             VALUES ('hzgl', 'matter', '2024-03-01', 'will', 'domestic', '', 3)",
        )
        .execute(&mut hub)
        .await
        .unwrap();
        postgres.stop().await.unwrap();
    });
    let different = site.run(&["stats", "verify", "--json"]);
    assert_eq!(different.status.code(), Some(1));
    let verification: Value = serde_json::from_slice(&different.stdout).unwrap();
    let cell = &verification["differences"][0];
    assert_eq!(cell["matter_type"], "will");
    assert_eq!(
        (&cell["held"]["accepted"], &cell["counted"]["accepted"]),
        (&3.into(), &0.into())
    );
    assert!(text(&different.stderr).contains("1 cells"), "{different:?}");
    let rebuilt = site.json(&["stats", "rebuild"]);
    assert_eq!(
        (&rebuilt["cells"], &rebuilt["persons"]),
        (&0.into(), &0.into())
    );
    let mended = site.json(&["stats", "verify"]);
    assert_eq!(mended["differences"], Value::Array(Vec::new()));
}

#[test]
fn rules_are_checked_replayed_and_put_in_force_while_a_hub_serves() {
    let site = Site::new("");
    site.json(&["init"]);
    let serving = site.serve();
    let shipped = site.json(&["rules", "show"]);
    let shipped = shipped["content"].as_str().unwrap();
    let next = shipped.replacen("version = \"2\"", "version = \"3\"", 1);
    let file = site.path("next.toml");
    let name = file.to_str().unwrap();

    fs::write(&file, next.replacen("\"decedent\"", "\"descedent\"", 1)).unwrap();
    for command in ["check", "simulate", "activate"] {
        let refused = site.run(&["rules", command, name]);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        let said = text(&refused.stderr);
        for part in ["next.toml", "line 16", "descedent"] {
            assert!(said.contains(part), "{command}: {said}");
        }
    }
    let changed = shipped.replacen("window_days = 3653", "window_days = 3652", 1);
    fs::write(&file, changed).unwrap();
    let refused = site.run(&["rules", "activate", name]);
    assert!(
        text(&refused.stderr).contains("new `version`"),
        "{refused:?}"
    );

    fs::write(&file, next).unwrap();
    let simulated = site.json(&["rules", "simulate", name]);
    assert_eq!(
        (&simulated["from"], &simulated["to"]),
        (&"2".into(), &"3".into())
    );
    assert_eq!(simulated["changes"].as_array().unwrap().len(), 0);
    assert_eq!(
        site.json(&["rules", "list"]).as_array().unwrap().len(),
        1,
        "nothing is written"
    );
    let activated = site.json(&["rules", "activate", name]);
    assert_eq!(activated["replaced"], "2");
    let standing = site.json(&["rules", "list"]);
    assert_eq!(
        (&standing[0]["in_force"], &standing[1]["in_force"]),
        (&false.into(), &true.into())
    );
    serving.wait_for("rules taken up");
    let done = ["operator rules.activate done"; 2];
    assert_eq!(
        site.recorded(),
        done,
        "the switch and its end, and nothing that failed"
    );
    assert_eq!(serving.terminate().0, Some(0));
}

#[test]
fn rules_of_supervision_and_tariffs_are_checked_judged_by_and_put_in_force_while_a_hub_serves() {
    let site = Site::new("");
    site.json(&["init"]);
    let serving = site.serve();
    let tariff = site.json(&["supervision", "rules", "show", "tariff"]);
    let (version, shipped) = (
        tariff["version"].as_str().unwrap(),
        tariff["content"].as_str().unwrap(),
    );
    let file = site.path("tariff.toml");
    let name = file.to_str().unwrap();
    let with =
        |command: &str| ["supervision", "rules", command, "--tariff", name].map(str::to_owned);
    let run = |command: &str| site.run(&with(command).each_ref().map(String::as_str));
    let json = |command: &str| site.json(&with(command).each_ref().map(String::as_str));

    fs::write(
        &file,
        shipped.replacen("\"inheritance\"", "\"inheritence\"", 1),
    )
    .unwrap();
    for command in ["check", "simulate", "activate"] {
        let refused = run(command);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        let said = text(&refused.stderr);
        for part in ["tariff.toml", "line ", "inheritence"] {
            assert!(said.contains(part), "{command}: {said}");
        }
    }
    fs::write(&file, shipped.replacen("min = 120", "min = 119", 1)).unwrap();
    assert!(text(&run("activate").stderr).contains("new `version`"));

    fs::write(&file, shipped.replacen(version, "next", 1)).unwrap();
    let simulated = json("simulate");
    let to = simulated["to"].as_str().unwrap();
    assert!(to.ends_with("/next"), "{simulated}");
    assert!(
        simulated["from"].as_str().unwrap().ends_with(version),
        "{simulated}"
    );
    let listed = site.json(&["supervision", "rules", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 2, "nothing is written");
    let activated = json("activate");
    assert_eq!(
        activated["replaced"],
        json!([{ "part": "tariff", "version": version }])
    );
    serving.wait_for("rules of supervision taken up");
    // Without a file both parts are the shipped ones again.
    let back = site.json(&["supervision", "rules", "activate"]);
    assert_eq!(
        back["replaced"],
        json!([{ "part": "tariff", "version": "next" }])
    );
    let done = ["operator supervision.activate done"; 2];
    assert_eq!(site.recorded(), done);
    assert_eq!(serving.terminate().0, Some(0));
}

#[test]
fn reports_are_shown_frozen_and_written_to_files_for_somebody_who_works_with_them() {
    let site = Site::new("");
    site.json(&["init"]);
    for (login, role) in [("li", "analyst"), ("chen", "operator")] {
        let add = ["user", "add", login, "--role", role];
        site.with_password(&[&add[..], &["--display-name", "统计科"]].concat());
    }
    let report = |arguments: &[&str]| site.json(&[&["report", "--by", "li"], arguments].concat());
    assert_eq!(report(&["show", "2024-03"])["period"], "2024-03");
    assert_eq!(report(&["freeze", "2024-03"])["issue"], 1);
    let again = [
        "freeze",
        "2024-03",
        "--in-place-of",
        "1",
        "--reason",
        "补报",
    ];
    assert_eq!(report(&again)["reason"], "补报");
    let listed = report(&["list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["frozen_by_name"], "统计科");
    for (file, begins) in [
        ("march.xlsx", &b"PK"[..]),
        ("march.html", b"<!doctype html>"),
    ] {
        let to = site.path(file);
        let to = to.to_str().unwrap();
        assert_eq!(report(&["export", "2024-03", "--to", to])["issue"], 2);
        assert!(fs::read(to).unwrap().starts_with(begins), "{file}");
    }
    let refused = |arguments: &[&str]| {
        let output = site.run(&[&["report"], arguments].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = refused(&["--by", "li", "freeze", "2024-03"]);
    assert!(
        code == Some(1) && said.contains("published another issue"),
        "{said}"
    );
    let (code, said) = refused(&["--by", "chen", "list"]);
    assert!(
        code == Some(2) && said.contains("analysts and supervisors"),
        "{said}"
    );
    let (code, said) = refused(&["--by", "wang", "list"]);
    assert!(
        code == Some(1) && said.contains("no active account wang"),
        "{said}"
    );
    let log = site.recorded();
    assert_eq!(
        log[log.len() - 4..],
        [
            "operator report.freeze done",
            "operator report.reissue done",
            "operator report.export done",
            "operator report.export done",
        ]
    );
}

#[test]
fn accounts_are_changed_by_command() {
    let site = Site::new("");
    site.json(&["init"]);
    let add = ["user", "add", "li", "--role", "analyst"];
    site.with_password(&[&add[..], &["--display-name", "统计科"]].concat());
    site.with_password(&["user", "passwd", "li"]);
    let listed = || site.json(&["user", "list"])[0].clone();
    assert_eq!(listed()["disabled"], false);
    site.json(&["user", "disable", "li"]);
    assert_eq!(listed()["disabled"], true);
    site.json(&["user", "enable", "li"]);
    site.json(&["user", "sessions", "revoke", "li"]);
    site.json(&["user", "role", "li", "--role", "operator"]);
    assert_eq!(
        (listed()["disabled"].clone(), listed()["role"].clone()),
        (false.into(), "operator".into())
    );
    let enrolled = site.json(&["user", "totp", "enrol", "li"]);
    assert_eq!(enrolled["recovery_codes"].as_array().unwrap().len(), 10);
    assert!(
        enrolled["uri"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/notary-hub:li?")
    );
    assert_eq!(listed()["second_factor"], true);
    site.json(&["user", "totp", "reset", "li"]);
    assert_eq!(listed()["second_factor"], false);
    site.json(&["user", "provider", "link", "li", "4711"]);
    site.json(&["user", "provider", "unlink", "li"]);

    let text_list = text(&site.run(&["user", "list"]).stdout);
    assert!(text_list.contains("统计科"), "{text_list}");
    for command in [
        &["user", "disable", "nobody"][..],
        &["user", "totp", "enrol", "nobody"],
        &[
            "user", "role", "li", "--role", "notary", "--office", "nowhere",
        ],
    ] {
        assert_eq!(site.run(command).status.code(), Some(1), "{command:?}");
    }
    let without_office = site.run(&["user", "role", "li", "--role", "notary"]);
    assert_eq!(without_office.status.code(), Some(2));
    let done = [
        "add",
        "change_password",
        "disable",
        "enable",
        "end_sessions",
        "change_role",
        "enrol_second_factor",
        "reset_second_factor",
        "link_provider",
        "unlink_provider",
    ];
    let done = done.map(|action| format!("operator account.{action} done"));
    assert_eq!(site.recorded(), done, "each once, and nothing that failed");
}

#[test]
fn keys_follow_one_another_by_command_and_only_in_turn() {
    let site = Site::new("");
    site.json(&["init"]);
    let before = site.json(&["session-key", "rotate"]);
    let after = site.json(&["session-key", "rotate"]);
    assert_eq!(after["keys"][2], before["signing"]);
    let replaced = site.json(&["session-key", "rotate", "--compromised"]);
    assert_ne!(replaced["signing"], after["keys"][1]);

    for out_of_turn in ["activate", "retire"] {
        let refused = site.run(&["ca", out_of_turn]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains("notary-hub ca rotate"));
    }
    for (step, phase, trusted) in [
        ("rotate", "prepared", 2),
        ("activate", "activated", 2),
        ("retire", "single", 1),
    ] {
        assert_eq!(site.json(&["ca", step])["phase"], phase);
        let listed = site.json(&["ca", "list"]);
        assert_eq!(listed["cas"].as_array().unwrap().len(), trusted);
    }
    let made_again = site.json(&["init"]);
    let anchors = fs::read_to_string(made_again["ca_file"].as_str().unwrap()).unwrap();
    assert_eq!(anchors.matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(
        site.json(&["enrol", "pending"]).as_array().unwrap().len(),
        0
    );
    let no_such_key = site.run(&["enrol", "approve", &"0".repeat(64)]);
    assert_eq!(no_such_key.status.code(), Some(1));
    let done = [
        "session_key.rotate",
        "session_key.rotate",
        "session_key.replace",
        "ca.rotate",
        "ca.activate",
        "ca.retire",
    ];
    let done = done.map(|action| format!("operator {action} done"));
    assert_eq!(site.recorded(), done, "each once, and nothing that failed");
}

#[test]
fn a_next_token_key_is_made_taken_back_and_never_has_an_id_that_was_given_before() {
    let site = Site::new("");
    site.json(&["init"]);
    let present = fs::read(site.path("data/pki/token.key")).unwrap();
    let next = site.path("data/pki/next-token.key");

    assert_eq!(site.json(&["token-key", "rotate"])["next"], 2);
    assert_eq!(fs::metadata(&next).unwrap().mode() & 0o777, 0o600);
    let refused = site.run(&["token-key", "rotate"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("under way"));
    let status = site.json(&["token-key", "status"]);
    assert_eq!(
        (&status["present"], &status["next"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(status["next_in_this_folder"], true);

    assert_eq!(site.json(&["token-key", "withdraw"])["withdrawn"], 2);
    assert!(!next.exists());
    let refused = site.run(&["token-key", "withdraw"]);
    assert_eq!(refused.status.code(), Some(1));
    let again = site.json(&["token-key", "rotate", "--token-algorithm", "hmac_sm3"]);
    assert_eq!(again["next"], 3, "an agent may have the second key still");
    assert!(fs::read_to_string(&next).unwrap().contains("hmac_sm3"));
    fs::remove_file(&next).unwrap();
    let elsewhere = site.run(&["token-key", "status"]);
    assert!(text(&elsewhere.stdout).contains("copy next-token.key"));

    let kept = fs::read(site.path("data/pki/token.key")).unwrap();
    assert_eq!(kept, present, "nothing changes for the present one");
    let done = ["rotate", "withdraw", "rotate"];
    let done = done.map(|action| format!("operator token_key.{action} done"));
    assert_eq!(site.recorded(), done, "each once, and nothing that failed");
}

#[test]
fn the_key_that_was_to_follow_is_the_only_one_once_the_city_has_gone_over() {
    let site = Site::new("");
    site.json(&["init"]);
    let refused = site.run(&["token-key", "retire"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("no change of the token key is under way"));
    site.json(&["token-key", "rotate"]);
    let (present, next) = (
        site.path("data/pki/token.key"),
        site.path("data/pki/next-token.key"),
    );
    let (former, made) = (fs::read(&present).unwrap(), fs::read(&next).unwrap());

    let done = site.json(&["token-key", "retire"]);
    assert_eq!((&done["key_id"], &done["left"]), (&json!(2), &json!(0)));
    assert_eq!(fs::read(&present).unwrap(), made);
    assert!(!next.exists());
    let refused = site.run(&["token-key", "withdraw"]);
    assert_eq!(refused.status.code(), Some(1), "nothing brings it back");
    let status = site.json(&["token-key", "status"]);
    assert_eq!(
        (&status["present"], &status["next"]),
        (&json!(2), &Value::Null)
    );

    // As a crash between the two would leave it.
    fs::copy(&present, &next).unwrap();
    fs::write(&present, &former).unwrap();
    assert_eq!(site.json(&["token-key", "status"])["present"], 2);
    assert_eq!(fs::read(&present).unwrap(), made);
    fs::write(&present, &former).unwrap();
    let lost = site.run(&["token-key", "status"]);
    assert!(text(&lost.stderr).contains("copy token.key"));
    fs::write(&present, &made).unwrap();
    assert_eq!(site.json(&["token-key", "rotate"])["next"], 3);
    let done = ["rotate", "retire", "rotate"];
    let done = done.map(|action| format!("operator token_key.{action} done"));
    assert_eq!(site.recorded(), done);
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
fn a_wrong_configuration_ends_with_2_and_a_word_on_what_to_do() {
    for (extra, expected) in [
        ("[agnets]\nlisten = '127.0.0.1:0'", "did you mean `agents`?"),
        ("[log]\nfromat = 'json'", "did you mean `format`?"),
        ("[identity]\nsession_ttl = 'soon'", "identity.session_ttl"),
        ("[log", "line 5"),
    ] {
        let site = Site::new(extra);
        for command in [&["check-config"][..], &["serve"], &["init"]] {
            let output = site.run(command);
            assert_eq!(output.status.code(), Some(2), "{extra}");
            let said = text(&output.stderr);
            assert!(said.contains(expected), "{said}");
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        }
        assert!(!site.path("data").exists(), "nothing was made");
    }
    let site = Site::new("");
    fs::remove_file(site.path("hub.toml")).unwrap();
    let output = site.run(&["check-config", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(
        said["error"]
            .as_str()
            .unwrap()
            .contains("deploy/notary-hub.toml")
    );
}

#[test]
fn a_configuration_that_cannot_work_is_not_passed() {
    for (extra, expected) in [
        ("database.url = 'mysql://hub@db/hub'", "database.url"),
        (
            "[oidc]\nissuer = 'https://id.example.org'\nclient_id = 'hub'\nca_file = 'none.pem'",
            "none.pem",
        ),
    ] {
        let output = Site::new(extra).run(&["check-config"]);
        assert_eq!(output.status.code(), Some(2), "{extra}");
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_error_is_told_with_its_cause() {
    let output = Site::new("").run(&["rules", "check", "/nope/rules.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("/nope/rules.toml: No such file"), "{said}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let site = Site::new("");
    let mut child = (site.command(&["check-config"]))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_usage_ends_with_2() {
    let site = Site::new("");
    for arguments in [
        &["dance"][..],
        &[
            "office",
            "add",
            "HZ",
            "--name",
            "x",
            "--level",
            "municipal",
            "--district",
            "330102",
        ],
        &[
            "office",
            "add",
            "hz",
            "--name",
            "x",
            "--level",
            "royal",
            "--district",
            "330102",
        ],
        &[
            "office",
            "add",
            "hz",
            "--name",
            "x",
            "--level",
            "county",
            "--district",
            "hangzhou",
        ],
        &[
            "office",
            "add",
            "hz",
            "--name",
            "",
            "--level",
            "county",
            "--district",
            "330102",
        ],
        &[
            "user",
            "add",
            "wang",
            "--role",
            "notary",
            "--display-name",
            "x",
            "--password-stdin",
        ],
        &[
            "user",
            "add",
            "wang",
            "--role",
            "king",
            "--display-name",
            "x",
            "--password-stdin",
        ],
        &["enroll-token", "hz", "--ttl", "soon"],
    ] {
        let output = site.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_hub_without_keys_says_how_to_make_them() {
    let site = Site::new("");
    let output = site.run(&["serve"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("notary-hub init"));
}

#[test]
fn what_is_in_force_is_shown_without_secrets() {
    let site = Site::new("database.url = 'postgres://hub:s3cret@db/hub'");
    for json in [&["check-config"][..], &["check-config", "--json"]] {
        let output = site
            .command(json)
            .env("NOTARY_HUB__INGEST__WRITERS", "3")
            .output()
            .unwrap();
        assert!(output.status.success());
        let said = text(&output.stdout);
        assert!(
            said.contains("hub:***@db") && !said.contains("s3cret"),
            "{said}"
        );
        assert!(
            said.contains("writers = 3") || said.contains("\"writers\":3"),
            "{said}"
        );
    }
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
