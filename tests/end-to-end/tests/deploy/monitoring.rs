//! Alerts and board speak of what the programs tell.

use std::collections::{BTreeMap, BTreeSet};

use notary_hub::telemetry::exporter;
use office_agent::telemetry::metrics;
use serde_json::Value;

use crate::text;

/// Names of the series of an exposition.
fn exposed(exposition: &str) -> BTreeSet<&str> {
    exposition
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split([' ', '{']).next())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Names of our metrics in whatever text.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("notary_hub_") || word.starts_with("office_agent_"))
        .collect()
}

#[test]
fn every_metric_of_the_alerts_and_of_the_board_is_exposed() {
    let (hub, agent) = (exporter::catalogue().unwrap(), metrics::catalogue());
    let mut exposed = exposed(&hub);
    exposed.extend(self::exposed(&agent));
    for name in ["prometheus/rules.yml", "grafana/notary-hub.json"] {
        let text = text(name);
        let named = named(&text);
        assert!(named.len() > 20, "{name} names {}", named.len());
        let unknown: Vec<_> = named.difference(&exposed).collect();
        assert!(unknown.is_empty(), "{name}: nobody tells {unknown:?}");
    }
}

#[test]
fn every_panel_of_the_board_has_a_place_and_a_query_of_our_metrics() {
    let board: Value = serde_json::from_str(&text("grafana/notary-hub.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each has an id of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        let queries = panel["targets"].as_array().unwrap();
        assert!(!queries.is_empty(), "{title}");
        for query in queries {
            assert!(
                !named(query["expr"].as_str().unwrap()).is_empty(),
                "{title}"
            );
        }
    }
}

/// Alerts and whether they are for now.
#[test]
fn what_to_do_is_told_of_every_alert_and_of_no_other() {
    let rules = text("prometheus/rules.yml");
    let alerts: BTreeMap<&str, bool> = rules
        .split("- alert: ")
        .skip(1)
        .map(|alert| {
            let (name, rest) = alert.split_once('\n').unwrap();
            let rest = rest.split_once("severity: ").unwrap().1;
            (name, rest.starts_with("page"))
        })
        .collect();
    let document = text("../docs/alerts.md");
    let told: BTreeMap<&str, bool> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|row| {
            let (names, rest) = row.split_once('|').unwrap();
            let names = names.split('`').filter(|name| name.len() > 3);
            names.map(|name| (name, rest.trim().starts_with("now")))
        })
        .collect();
    assert_eq!(told, alerts);
}
