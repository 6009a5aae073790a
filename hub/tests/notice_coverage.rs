//! What `docs/notice-coverage.md` names is there: every row of the notice, every rule, every test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Rows of the table as their cells.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/notice-coverage.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| N"));
    rows.map(|line| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    })
    .collect()
}

fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_row_of_the_notice_is_told_of() {
    let told: Vec<String> = rows().into_iter().map(|row| row[0].clone()).collect();
    let all: Vec<String> = (1..=24).map(|row| format!("N{row}")).collect();
    assert_eq!(told, all);
}

#[test]
fn the_rules_named_are_those_there_are() {
    let rules = fs::read_to_string(root().join("hub/rules/supervision.toml")).unwrap();
    let ids = rules.lines().filter_map(|line| line.strip_prefix("id = "));
    let there: BTreeSet<String> = ids.map(|id| id.trim_matches('"').to_owned()).collect();
    let named: BTreeSet<String> = rows()
        .iter()
        .flat_map(|row| {
            row[4]
                .split(',')
                .map(|id| id.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|id| id != "–")
        .collect();
    assert_eq!(named, there);
}

/// Of Rust by its name, of the console by its title.
#[test]
fn the_tests_named_are_there() {
    let mut text = String::new();
    sources(&root().join("hub/src"), &mut text);
    sources(&root().join("hub/tests"), &mut text);
    sources(&root().join("office-agent/tests"), &mut text);
    let console = read("hub/console/tests/console.spec.ts");
    for row in rows() {
        for name in ticked(&row[5]) {
            let there = text.contains(&format!("fn {name}("))
                || console.contains(&format!("test('{name}'"));
            assert!(there, "{}: no test {name}", row[0]);
        }
    }
}

#[test]
fn the_screens_named_are_pages_of_the_console() {
    let texts = read("hub/console/src/text/zh.ts");
    let (_, pages) = texts.split_once("  page: {").unwrap();
    let (pages, _) = pages.split_once("  },").unwrap();
    for row in rows() {
        assert!(!row[2].is_empty() && row[2] != "–", "{}: no screen", row[0]);
        for screen in row[2].split(", ").filter(|screen| !screen.starts_with('`')) {
            assert!(
                pages.contains(&format!("'{screen}'")),
                "{}: no page {screen}",
                row[0]
            );
        }
    }
}

#[test]
fn the_routes_and_calls_named_are_there() {
    let description = read("hub/console/openapi.json");
    let mut contract = String::new();
    for file in fs::read_dir(root().join("proto/notary/hub/v1")).unwrap() {
        contract.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for row in rows() {
        let mut named = 0;
        for name in ticked(&row[3]) {
            named += 1;
            let there = match name.split_once('.') {
                Some((service, call)) => {
                    contract.contains(&format!("service {service} "))
                        && contract.contains(&format!("rpc {call}("))
                }
                None => description.contains(&format!("\"{name}\"")),
            };
            assert!(there, "{}: no route or call {name}", row[0]);
        }
        assert!(named > 0, "{}: nothing serves it", row[0]);
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What stands between backticks; a test's title has commas of its own.
fn ticked(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
