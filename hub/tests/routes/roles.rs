//! Who may use which route, every role and every route; and what every answer carries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use http::Method;
use notary_hub::identity::{Role, RoleKind};

use serde_json::Value;
use uuid::Uuid;

use crate::client::{Bureau, Colleague};
use crate::support::seed::notary;

fn roles() -> [Role; 4] {
    [
        notary("hangzhou"),
        Role::Analyst,
        Role::Supervisor,
        Role::Operator,
    ]
}

/// Route, and who of notary, analyst, supervisor and operator may use it; `docs/API-DESIGN.md` says the same.
pub const MATRIX: &[(&str, [bool; 4])] = &[
    ("/api/v1/accounts", [false, false, true, true]),
    ("/api/v1/catalogue", [true; 4]),
    ("/api/v1/feeds", [true; 4]),
    ("/api/v1/offices", [true; 4]),
    ("/api/v1/offices/hangzhou/feed", [true; 4]),
    ("/api/v1/offices/xiaoshan/feed", [false, true, true, true]),
    (
        "/api/v1/offices/hangzhou/rejects",
        [true, false, false, true],
    ),
    (
        "/api/v1/offices/xiaoshan/rejects",
        [false, false, false, true],
    ),
    ("/api/v1/duplicates", [true, true, true, false]),
    (
        "/api/v1/duplicates?office=xiaoshan",
        [false, true, true, false],
    ),
    ("/api/v1/duplicates/counts", [true, true, true, false]),
    ("/api/v1/reviews/persons", [true, false, true, false]),
    (
        "/api/v1/reviews/persons?office=xiaoshan",
        [false, false, true, false],
    ),
    ("/api/v1/reviews/duplicates", [true, false, true, false]),
    (
        "/api/v1/reviews/duplicates?office=xiaoshan",
        [false, false, true, false],
    ),
    ("/api/v1/supervision/filings", [true, false, true, false]),
    (
        "/api/v1/supervision/filings/counts",
        [true, false, true, false],
    ),
    (
        "/api/v1/supervision/filings/missing",
        [true, false, true, false],
    ),
    (
        "/api/v1/supervision/filings/missing/offices",
        [true, false, true, false],
    ),
    (
        "/api/v1/supervision/inspections",
        [true, false, true, false],
    ),
    ("/api/v1/supervision/catalogue", [true; 4]),
    ("/api/v1/supervision/windows", [true, false, true, false]),
    (
        "/api/v1/supervision/windows/hangzhou",
        [true, false, true, false],
    ),
    (
        "/api/v1/supervision/windows/xiaoshan",
        [false, false, true, false],
    ),
    ("/api/v1/supervision/findings", [true, false, true, false]),
    ("/api/v1/supervision/summary", [true, true, true, false]),
    ("/api/v1/statistics", [true, true, true, false]),
    ("/api/v1/statistics/measures", [true, true, true, false]),
    ("/api/v1/alarms", [false, false, true, true]),
    ("/api/v1/jobs", [false, false, true, true]),
    ("/api/v1/exports", [true, true, true, false]),
    ("/api/v1/work/set-aside", [false, false, true, true]),
    ("/api/v1/statistics/feeds", [true; 4]),
    (
        "/api/v1/statistics?office=xiaoshan",
        [false, true, true, false],
    ),
    ("/api/v1/statistics/overview", [true, true, true, false]),
    ("/api/v1/reports", [false, true, true, false]),
    ("/api/v1/reports/2024-03", [false, true, true, false]),
    ("/api/v1/people", [true, false, true, true]),
    ("/api/v1/audit/entries", [false, false, true, false]),
    ("/api/v1/audit/verification", [false, false, true, false]),
    ("/api/v1/audit/entries/1/proof", [false, false, true, false]),
    (
        "/api/v1/audit/consistency?from=1&to=1",
        [false, false, true, false],
    ),
];

/// Routes that need a body or an id, and who may use them.
pub const CASEWORK: &[(Method, &str, &str, [bool; 4])] = &[
    (
        Method::POST,
        "/api/v1/alarms/{alarm_id}/lift",
        r#"{"reason": "已核实"}"#,
        [false, false, true, true],
    ),
    (
        Method::POST,
        "/api/v1/work/set-aside/{work_id}/put-back",
        "",
        [false, false, false, true],
    ),
    (
        Method::GET,
        "/api/v1/reviews/persons/{low}/{high}",
        "",
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/persons/decisions",
        r#"{"low": "{low}", "high": "{high}", "decision": "same", "reason": "相同"}"#,
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/persons/decisions/{decision_id}/confirm",
        "",
        [false, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/persons/decisions/{decision_id}/decline",
        r#"{"reason": "不符"}"#,
        [false, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/persons/decisions/{decision_id}/withdraw",
        r#"{"reason": "误操作"}"#,
        [true, false, true, false],
    ),
    (
        Method::GET,
        "/api/v1/reviews/duplicates/{finding_id}",
        "",
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/duplicates/decisions",
        r#"{"finding_id": "{finding_id}", "decision": "confirmed", "reason": "相同",
            "facts": {"left_revision": 1, "right_revision": 1, "rules_version": "1"}}"#,
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/duplicates/decisions/{decision_id}/withdraw",
        r#"{"reason": "误操作"}"#,
        [true, false, true, false],
    ),
    (
        Method::GET,
        "/api/v1/supervision/findings/{finding_id}",
        "",
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/supervision/findings/{finding_id}/steps",
        r#"{"step": "dismiss", "reason": "无误",
            "facts": "0000000000000000000000000000000000000000000000000000000000000000"}"#,
        [true, false, true, false],
    ),
    (
        Method::GET,
        "/api/v1/supervision/inspections/{inspection_id}",
        "",
        [true, false, true, false],
    ),
    (
        Method::GET,
        "/api/v1/supervision/inspections/{inspection_id}/notice",
        "",
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/supervision/inspections/{inspection_id}/steps",
        r#"{"step": "close", "reason": "复查合格"}"#,
        [true, false, true, false],
    ),
    (
        Method::PUT,
        "/api/v1/supervision/inspections/{inspection_id}/findings",
        r#"{"finding_ids": []}"#,
        [false, false, true, false],
    ),
];

/// A route's path and body with its places filled.
pub fn filled(path: &str, body: &str, id: impl Fn(&str) -> String) -> (String, Value) {
    let filled = |text: &str| {
        let places = [
            "low",
            "high",
            "decision_id",
            "finding_id",
            "alarm_id",
            "inspection_id",
            "work_id",
        ]
        .iter();
        places.fold(text.to_owned(), |text, name| {
            text.replace(&format!("{{{name}}}"), &id(name))
        })
    };
    let body = match body {
        "" => Value::Null,
        body => serde_json::from_str(&filled(body)).unwrap(),
    };
    (filled(path), body)
}

#[tokio::test]
async fn reviews_are_casework_and_the_second_pair_of_eyes_is_a_supervisors() {
    let bureau = Bureau::open().await;
    for (method, path, body, allowed) in CASEWORK {
        // One that leads nowhere.
        let (path, body) = filled(path, body, |_| Uuid::now_v7().to_string());
        for (role, allowed) in roles().into_iter().zip(*allowed) {
            let before = bureau.log().await.len();
            let who = Colleague::new(role);
            let answer = bureau.ask(who, method.clone(), &path, body.clone()).await;
            let kind = role.kind().code();
            let expected = if allowed { 404 } else { 403 };
            assert_eq!(answer.status, expected, "{kind} {method} {path}");
            let log = bureau.log().await;
            let outcome = if allowed { "no_hit" } else { "denied" };
            assert_eq!(log.len(), before + 1, "{kind} {method} {path}: recorded");
            assert_eq!(log[before].outcome, outcome, "{kind} {method} {path}");
        }
        let answer = bureau.plain(method.clone(), &path).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn every_role_may_use_what_it_is_for_and_nothing_else() {
    let bureau = Bureau::open().await;
    for (path, allowed) in MATRIX {
        for (role, allowed) in roles().into_iter().zip(*allowed) {
            let before = denials(&bureau).await;
            let answer = bureau.get(role, path).await;
            let kind = role.kind().code();
            if allowed {
                assert_eq!(answer.status, 200, "{kind} {path}");
                continue;
            }
            assert_eq!(answer.status, 403, "{kind} {path}");
            assert_eq!(answer.problem(), "PERMISSION_DENIED");
            assert_eq!(
                denials(&bureau).await,
                before + 1,
                "{kind} {path}: recorded"
            );
        }
    }
    assert_eq!(roles().map(|role| role.kind()), RoleKind::ALL);
}

async fn denials(bureau: &Bureau) -> usize {
    let log = bureau.log().await;
    log.iter().filter(|entry| entry.outcome == "denied").count()
}

#[tokio::test]
async fn without_a_session_everything_but_signing_in_and_the_description_is_closed() {
    let bureau = Bureau::open().await;
    for (path, _) in MATRIX {
        let answer = bureau.plain(Method::GET, path).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.problem(), "UNAUTHENTICATED");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let description = bureau.plain(Method::GET, "/api/v1/openapi.json").await;
    assert_eq!(description.status, 200);
}

#[tokio::test]
async fn the_description_has_every_route_and_is_openapi_3_1() {
    let bureau = Bureau::open().await;
    let description = bureau
        .plain(Method::GET, "/api/v1/openapi.json")
        .await
        .json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let mut expected: BTreeSet<String> = behind_a_gate().into_keys().collect();
    expected.extend(OPEN.map(str::to_owned));
    assert_eq!(described, expected);
}

/// Routes whose answers their own tests know, and who may use them.
const OTHERS: &[(Method, &str, &str, [bool; 4])] = &[
    (Method::GET, "/api/v1/supervision/rules", "", [true; 4]),
    (Method::GET, "/api/v1/account", "", [true; 4]),
    (Method::PUT, "/api/v1/account/password", "{}", [true; 4]),
    (Method::DELETE, "/api/v1/account/sessions", "", [true; 4]),
    (
        Method::DELETE,
        "/api/v1/account/sessions/{session_id}",
        "",
        [true; 4],
    ),
    (
        Method::POST,
        "/api/v1/account/second-factor",
        "{}",
        [true; 4],
    ),
    (
        Method::PUT,
        "/api/v1/account/second-factor",
        "{}",
        [true; 4],
    ),
    (
        Method::GET,
        "/api/v1/jobs/{job_id}",
        "",
        [false, false, true, true],
    ),
    (
        Method::POST,
        "/api/v1/statistics/exports",
        r#"{"form": "csv"}"#,
        [true, true, true, false],
    ),
    (
        Method::POST,
        "/api/v1/supervision/findings/exports",
        r#"{"form": "csv"}"#,
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reviews/duplicates/exports",
        r#"{"form": "csv"}"#,
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/audit/entries/exports",
        r#"{"form": "csv"}"#,
        [false, false, true, false],
    ),
    (
        Method::GET,
        "/api/v1/exports/{export_id}",
        "",
        [true, true, true, false],
    ),
    (
        Method::DELETE,
        "/api/v1/exports/{export_id}",
        "",
        [true, true, true, false],
    ),
    (
        Method::GET,
        "/api/v1/exports/{export_id}/file",
        "",
        [true, true, true, false],
    ),
    (
        Method::GET,
        "/api/v1/offices/{office_id}/profile",
        "",
        [false, false, true, true],
    ),
    (
        Method::PUT,
        "/api/v1/offices/{office_id}/profile",
        "{}",
        [false, false, true, true],
    ),
    (
        Method::POST,
        "/api/v1/supervision/filings",
        "{}",
        [true, false, false, false],
    ),
    (
        Method::GET,
        "/api/v1/supervision/filings/{office_id}/{filing_id}/revisions",
        "",
        [true, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/supervision/filings/{office_id}/{filing_id}/revisions",
        "{}",
        [true, false, false, false],
    ),
    (
        Method::POST,
        "/api/v1/supervision/inspections",
        "{}",
        [false, false, true, false],
    ),
    (
        Method::POST,
        "/api/v1/reports/{period}/issues",
        "{}",
        [false, true, true, false],
    ),
    (
        Method::GET,
        "/api/v1/reports/{period}/issues/{issue}",
        "",
        [false, true, true, false],
    ),
];

#[tokio::test]
async fn the_other_routes_let_nobody_else_through() {
    let bureau = Bureau::open().await;
    for (method, path, body, allowed) in OTHERS {
        let path = path
            .replace("{office_id}", "hangzhou")
            .replace("{filing_id}", "00000000-0000-0000-0000-000000000000")
            .replace("{period}", "2024-03")
            .replace("{issue}", "1");
        for (role, allowed) in roles().into_iter().zip(*allowed) {
            let body = serde_json::from_str(body).unwrap_or_default();
            let who = Colleague::new(role);
            let answer = bureau.ask(who, method.clone(), &path, body).await;
            let kind = role.kind().code();
            assert_eq!(answer.status != 403, allowed, "{kind} {method} {path}");
        }
        let answer = bureau.plain(method.clone(), &path).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

/// Routes that stand open, or look for a session themselves.
const OPEN: [&str; 4] = [
    "GET /api/v1/directory",
    "POST /api/v1/sessions",
    "DELETE /api/v1/sessions",
    "POST /api/v1/sessions/provider",
];

/// Every other route, and who may use it: what some may for their own office alone is theirs.
pub fn behind_a_gate() -> BTreeMap<String, [bool; 4]> {
    let mut routes = BTreeMap::new();
    let reading = MATRIX.iter().map(|(path, allowed)| {
        let (path, _) = path.split_once('?').unwrap_or((path, ""));
        let path = path
            .replace("hangzhou", "{office_id}")
            .replace("xiaoshan", "{office_id}")
            .replace("/1/", "/{entry_no}/")
            .replace("2024-03", "{period}");
        (format!("GET {path}"), *allowed)
    });
    let others = CASEWORK
        .iter()
        .chain(OTHERS)
        .map(|(method, path, _, allowed)| (format!("{method} {path}"), *allowed));
    for (route, allowed) in reading.chain(others) {
        let may: &mut [bool; 4] = routes.entry(route).or_default();
        for (may, allowed) in may.iter_mut().zip(allowed) {
            *may |= allowed;
        }
    }
    routes
}

/// The router itself says whom it lets through: a route that neither the table nor the description knows is one too many.
#[tokio::test]
async fn no_route_lets_anybody_through_but_those_of_the_table() {
    let bureau = Bureau::open().await;
    let gates = Mutex::new(Vec::new());
    let _router = bureau.hub.app.rest().routes(|roles, route| {
        gates
            .lock()
            .unwrap()
            .push(RoleKind::ALL.map(|role| roles.contains(&role)));
        route
    });
    let mut gates = gates.into_inner().unwrap();
    let mut expected: Vec<[bool; 4]> = behind_a_gate().into_values().collect();
    gates.sort_unstable();
    expected.sort_unstable();
    assert_eq!(gates, expected);
}

#[tokio::test]
async fn no_answer_is_kept_framed_or_guessed_at() {
    let bureau = Bureau::open().await;
    for answer in [
        bureau.get(Role::Analyst, "/api/v1/statistics").await,
        bureau.plain(Method::GET, "/nothing").await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_as_well() {
    let bureau = Bureau::open().await;
    for path in ["/nothing", "/api/v1/nothing"] {
        let answer = bureau.plain(Method::GET, path).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (404, "NOT_FOUND".to_owned())
        );
    }
    let answer = bureau.plain(Method::GET, "/api/v1/sessions").await;
    assert_eq!(
        (answer.status, answer.problem()),
        (405, "METHOD_NOT_ALLOWED".to_owned())
    );
    for path in ["/api/v1/offices/nowhere/feed", "/api/v1/offices/x/feed"] {
        let answer = bureau.get(Role::Analyst, path).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (404, "NOT_FOUND".to_owned())
        );
    }
}

#[tokio::test]
async fn a_misspelt_parameter_is_refused_on_every_route() {
    let bureau = Bureau::open().await;
    for (path, allowed) in MATRIX {
        let may = |(_, allowed): &(Role, bool)| *allowed;
        let (role, _) = roles().into_iter().zip(*allowed).find(may).unwrap();
        let answer = bureau.get(role, &format!("{path}?offise=hangzhou")).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.problem(), "FIELD_INVALID");
    }
}
