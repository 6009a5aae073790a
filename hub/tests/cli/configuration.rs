//! What a person is told whose words or configuration are wrong, and what is shown of what is in force.

use std::fs;

use serde_json::Value;

use crate::program::Site;
use crate::text;

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
