//! Accounts: made, changed, locked and ended by command.

use crate::program::Site;
use crate::text;

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
    assert_eq!(site.done(), done, "each once, and nothing that failed");
}
