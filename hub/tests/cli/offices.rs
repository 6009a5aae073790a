//! Offices, by command.

use crate::program::Site;

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
    let certificates = site.run(&["office", "revoke-certificates", "hzgl"]);
    assert_eq!(certificates.status.code(), Some(1), "it was given none");
    site.json(&["office", "revoke", "hzgl"]);
    assert_eq!(
        site.run(&["office", "revoke", "nowhere"]).status.code(),
        Some(1)
    );
    assert_eq!(
        site.run(&["enroll-token", "hzgl"]).status.code(),
        Some(1),
        "a revoked office gets none"
    );
    site.json(&["office", "reinstate", "hzgl"]);
    site.json(&["enroll-token", "hzgl"]);
    let again = site.run(&["office", "reinstate", "hzgl"]);
    assert_eq!(again.status.code(), Some(1), "it takes part already");
    let done = [
        ("office.add", "done"),
        ("enrolment.make_token", "done"),
        ("office.refuse_late_renewal", "done"),
        ("office.allow_late_renewal", "done"),
        ("office.revoke_certificates", "failed"),
        ("office.revoke", "done"),
        ("office.revoke", "failed"),
        ("enrolment.make_token", "failed"),
        ("office.reinstate", "done"),
        ("enrolment.make_token", "done"),
        ("office.reinstate", "failed"),
    ];
    let both = done
        .map(|(action, end)| ["begun", end].map(|outcome| format!("operator {action} {outcome}")));
    assert_eq!(site.recorded(), both.concat());
    assert_eq!(serving.terminate().0, Some(0));
}
