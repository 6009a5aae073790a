//! The console's page and files beside the interface.

use http::Method;
use http::Request;
use http_body_util::Full;
use notary_hub::identity::Role;

use crate::client::{Answer, Bureau};

async fn browse(bureau: &Bureau, path: &str) -> Answer {
    let request = Request::get(path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    bureau.send(request.body(Full::default()).unwrap()).await
}

/// Holds whether the console was built or not: without it the page says how to build it.
#[tokio::test]
async fn a_browser_gets_the_page_at_any_path_with_a_policy_that_runs_nothing_foreign() {
    let bureau = Bureau::open().await;
    for path in ["/", "/reviews/persons", "/statistics?by=month"] {
        let page = browse(&bureau, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        let policy = page.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "script-src 'self';",
            "connect-src 'self' http://127.0.0.1:*;",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(directive), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn the_page_hides_nothing_that_the_interface_does_not_have() {
    let bureau = Bureau::open().await;
    for path in [
        "/api",
        "/api/v1/nothing",
        "/api/v2/offices",
        "/assets/nothing.js",
        "/assets/../index.html",
    ] {
        let answer = browse(&bureau, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem(), "NOT_FOUND", "{path}");
    }
    let posted = bureau.plain(Method::POST, "/reviews").await;
    assert_eq!((posted.status, posted.problem()), (404, "NOT_FOUND".into()));
}

#[tokio::test]
async fn codes_come_with_their_names_and_with_what_to_ask_for() {
    let bureau = Bureau::open().await;
    let catalogue = bureau.get(Role::Analyst, "/api/v1/catalogue").await.json();
    let matters = catalogue["matter_types"].as_array().unwrap();
    let inheritance = matters
        .iter()
        .find(|it| it["code"] == "inheritance")
        .unwrap();
    assert_eq!(inheritance["name_zh"], "继承");
    assert_eq!(inheritance["asks_roles"][0], "decedent");
    let rules = catalogue["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["notice_zh"] != ""));
    let actions = catalogue["audit_actions"].as_array().unwrap();
    let signing_in = actions.iter().find(|it| it["code"] == "session.create");
    assert_eq!(signing_in.unwrap()["name_zh"], "登录");
}
