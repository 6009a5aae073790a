//! The table of `docs/API-DESIGN.md` is the router's.

use std::collections::BTreeMap;

use crate::roles::behind_a_gate;

/// Routes of the document, and who may use them.
fn documented() -> BTreeMap<String, [bool; 4]> {
    let document = include_str!("../../../docs/API-DESIGN.md");
    let (_, table) = document.split_once("## Routes\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let mut routes = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let named = cells.next().unwrap();
        let allowed: Vec<bool> = cells.map(|cell| cell != "–").collect();
        for route in named.split('`').skip(1).step_by(2) {
            let (method, path) = route.split_once(' ').unwrap();
            let route = format!("{method} /api/v1{path}");
            let twice = routes.insert(route, allowed.clone().try_into().unwrap());
            assert_eq!(twice, None, "{row}");
        }
    }
    routes
}

#[test]
fn the_document_has_every_route_with_its_roles_and_no_other() {
    let (documented, there) = (documented(), behind_a_gate());
    for (route, allowed) in &there {
        assert_eq!(documented.get(route), Some(allowed), "{route}");
    }
    let gone: Vec<_> = documented
        .keys()
        .filter(|route| !there.contains_key(*route))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}
