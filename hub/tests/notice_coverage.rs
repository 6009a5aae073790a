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
            row[3]
                .split(',')
                .map(|id| id.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|id| id != "–")
        .collect();
    assert_eq!(named, there);
}

#[test]
fn the_tests_named_are_there() {
    let mut text = String::new();
    sources(&root().join("hub/src"), &mut text);
    sources(&root().join("hub/tests"), &mut text);
    for row in rows() {
        for name in row[4].split(',').map(|name| name.trim().trim_matches('`')) {
            assert!(
                name == "–" || text.contains(&format!("fn {name}(")),
                "{}: no test {name}",
                row[0]
            );
        }
    }
}
