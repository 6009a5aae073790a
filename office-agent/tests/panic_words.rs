//! What a defect says: nothing of the values it happened on.

use std::process::Command;

use office_agent::telemetry::panics::keep_values_out;

#[test]
#[ignore = "run by the other test, in a process of its own"]
fn a_defect() {
    keep_values_out();
    let cell = "张三330106199001011234".to_owned();
    assert!(cell.is_empty(), "inside {cell:?}");
}

#[test]
fn a_defect_tells_its_place_and_no_value() {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["a_defect", "--exact", "--ignored", "--nocapture"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("panic_words.rs:"), "{said}");
    assert!(!said.contains("330106"), "{said}");
}
