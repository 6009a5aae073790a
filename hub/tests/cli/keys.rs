//! Keys of the audit log, of sessions and of the city, which follow one another by command.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use serde_json::{Value, json};

use crate::program::Site;
use crate::text;

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
    let no_such_key = site.run(&["enrol", "approve", "hzgl", &"0".repeat(64)]);
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
    assert_eq!(site.done(), done, "each once, and nothing that failed");
}

#[test]
fn the_first_keys_are_all_there_before_the_first_start() {
    let site = Site::new("");
    site.json(&["init"]);
    assert!(site.path("data/pki/checkpoint.key").exists());
}

#[test]
fn root_makes_no_keys_that_the_services_user_could_not_read() {
    let site = Site::new("");
    site.json(&["init"]);
    let pki = || {
        let files = fs::read_dir(site.path("data/pki")).unwrap();
        files
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect::<Vec<_>>()
    };
    let before = pki();
    // Only root may give a directory away; others cannot be in this position.
    if chown(site.path("data"), Some(65_534), None).is_err() {
        return;
    }
    for command in [&["session-key", "rotate"][..], &["ca", "rotate"], &["init"]] {
        let refused = site.run(command);
        assert_eq!(refused.status.code(), Some(1), "{command:?}");
        let said = text(&refused.stderr);
        assert!(said.contains("id 65534; run this as"), "{said}");
    }
    assert_eq!(pki(), before);
    site.said(&["check-config"]);
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
    assert_eq!(site.done(), done, "each once, and nothing that failed");
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
    assert_eq!(site.done(), done);
}
