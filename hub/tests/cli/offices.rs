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
