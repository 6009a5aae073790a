//! Signing out.

use http::{Method, Request};
use http_body_util::Full;
use notary_hub::identity::Role;

use crate::client::Bureau;
use crate::support::seed::session;

#[tokio::test]
async fn a_session_is_over_once_it_was_signed_out() {
    let bureau = Bureau::open().await;
    let (mine, other) = (
        session(&bureau.hub, Role::Analyst),
        session(&bureau.hub, Role::Analyst),
    );
    let send = async |method, path: &str, token: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(Full::default())
            .unwrap();
        bureau.send(request).await
    };
    let statistics = "/api/v1/statistics";
    assert_eq!(send(Method::GET, statistics, &mine).await.status, 200);
    let sessions = "/api/v1/sessions";
    assert_eq!(send(Method::DELETE, sessions, &mine).await.status, 204);
    for (method, path) in [(Method::GET, statistics), (Method::DELETE, sessions)] {
        let answer = send(method, path, &mine).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (401, "UNAUTHENTICATED".to_owned())
        );
    }
    assert_eq!(send(Method::GET, statistics, &other).await.status, 200);
    let log = bureau.log().await.into_iter();
    let ended: Vec<_> = log.filter(|e| e.action == "session.delete").collect();
    assert_eq!(
        ended.len(),
        1,
        "signing out is recorded, a failed attempt is nobody's"
    );
    assert_eq!(ended[0].outcome, "done");
}
