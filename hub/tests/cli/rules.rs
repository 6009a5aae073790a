//! Rules put in force by command.

use std::fs;

use notary_hub::rules::Edition;
use serde_json::json;

use crate::program::Site;
use crate::text;

#[test]
fn rules_are_checked_replayed_and_put_in_force_while_a_hub_serves() {
    let site = Site::new("");
    site.json(&["init"]);
    let serving = site.serve();
    let shipped = site.json(&["rules", "show"]);
    let shipped = shipped["content"].as_str().unwrap();
    let version = Edition::shipped().rules.version().to_owned();
    let next = shipped.replacen(&format!("version = \"{version}\""), "version = \"next\"", 1);
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
        (&version.as_str().into(), &"next".into())
    );
    assert_eq!(simulated["changes"].as_array().unwrap().len(), 0);
    assert_eq!(
        site.json(&["rules", "list"]).as_array().unwrap().len(),
        1,
        "nothing is written"
    );
    let activated = site.json(&["rules", "activate", name]);
    assert_eq!(activated["replaced"], version);
    let standing = site.json(&["rules", "list"]);
    assert_eq!(
        (&standing[0]["in_force"], &standing[1]["in_force"]),
        (&false.into(), &true.into())
    );
    serving.wait_for("rules taken up");
    let done = ["begun", "done"].map(|outcome| format!("operator rules.activate {outcome}"));
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
    let done = ["begun", "done", "begun", "done"];
    let done = done.map(|outcome| format!("operator supervision.activate {outcome}"));
    assert_eq!(site.recorded(), done);
    assert_eq!(serving.terminate().0, Some(0));
}
