//! The life of a finding, told over REST.

use http::Method;
use serde_json::Value;

use super::{findings, judged, late, notary_of, supervisor, take};
use crate::client::Bureau;

const DUE: &str = "2099-01-31";

#[tokio::test]
async fn the_bureau_finds_and_notifies_the_office_rectifies_and_the_bureau_verifies() {
    let bureau = Bureau::open().await;
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![late("C1")])
        .await;
    judged(&bureau).await;
    let (supervisor, office, other) = (supervisor(), notary_of("hangzhou"), notary_of("xiaoshan"));

    let found = findings(&bureau, supervisor, "").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["rule_id"], "TIME_LIMIT");
    assert_eq!(
        (&found[0]["state"], &found[0]["about_key"]),
        (&"open".into(), &"C1".into())
    );
    let nonsense = bureau
        .ask(
            supervisor,
            Method::GET,
            "/api/v1/supervision/findings?rule=%00",
            Value::Null,
        )
        .await;
    assert_eq!(
        (nonsense.status, nonsense.problem()),
        (400, "FIELD_INVALID".to_owned())
    );
    // Before the bureau has made up its mind nobody else hears of it.
    assert!(findings(&bureau, office, "").await.is_empty());
    assert_eq!(
        take(&bureau, office, &found[0], "rectify", None)
            .await
            .status,
        404
    );

    assert_eq!(
        take(&bureau, supervisor, &found[0], "notify", None)
            .await
            .status,
        400
    );
    let past = take(&bureau, supervisor, &found[0], "notify", Some("2024-06-03")).await;
    assert_eq!(past.status, 400, "its day is not to lie before today");
    let notified = take(&bureau, supervisor, &found[0], "notify", Some(DUE)).await;
    assert_eq!(
        (notified.status, &notified.json()["state"]),
        (200, &"notified".into())
    );
    let told = "SELECT count(*) FROM notice WHERE office_id = 'hangzhou' AND source_case_id = 'C1'
                   AND kind = 'rectification_asked' AND text_zh LIKE '%2099-01-31%'";
    let told: i64 = sqlx::query_scalar(told)
        .fetch_one(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(told, 1);

    let seen = findings(&bureau, office, "?state=notified").await;
    assert_eq!(seen.len(), 1);
    assert!(findings(&bureau, other, "").await.is_empty());
    assert_eq!(
        take(&bureau, office, &seen[0], "verify", None).await.status,
        403
    );
    assert_eq!(
        take(&bureau, supervisor, &seen[0], "rectify", None)
            .await
            .status,
        403
    );
    assert_eq!(
        take(&bureau, office, &seen[0], "rectify", None)
            .await
            .status,
        200
    );
    assert_eq!(
        take(&bureau, office, &seen[0], "rectify", None)
            .await
            .status,
        409
    );
    assert_eq!(
        take(&bureau, supervisor, &seen[0], "verify", None)
            .await
            .status,
        200
    );

    let id = found[0]["finding_id"].as_str().unwrap();
    let path = format!("/api/v1/supervision/findings/{id}");
    let life = bureau
        .ask(office, Method::GET, &path, Value::Null)
        .await
        .json();
    let steps: Vec<_> = life["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].clone())
        .collect();
    assert_eq!(steps, ["verify", "rectify", "notify"]);
    let log = bureau.log().await;
    assert_eq!(
        log.iter()
            .filter(|entry| entry.action == "supervision.step" && entry.outcome == "done")
            .count(),
        3
    );
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_dismissed_stays_so_until_the_facts_change() {
    let bureau = Bureau::open().await;
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![late("C1")])
        .await;
    judged(&bureau).await;
    let supervisor = supervisor();
    let found = findings(&bureau, supervisor, "").await;
    assert_eq!(
        take(&bureau, supervisor, &found[0], "dismiss", None)
            .await
            .status,
        200
    );

    // The case moves on, and the rule sees what it saw.
    let same = late("C1").revision(2).fee(13_000);
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![same])
        .await;
    judged(&bureau).await;
    assert_eq!(
        findings(&bureau, supervisor, "").await[0]["state"],
        "dismissed"
    );

    let later = late("C1").revision(3).issued("2024-05-20");
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![later])
        .await;
    judged(&bureau).await;
    let again = findings(&bureau, supervisor, "?state=open").await;
    assert_eq!(again[0]["evidence"]["issued_on"], "2024-05-20");
    // Whoever read the old facts decides about nothing.
    assert_eq!(
        take(&bureau, supervisor, &found[0], "dismiss", None)
            .await
            .status,
        409
    );

    let in_time = late("C1").revision(4).issued("2024-03-06");
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![in_time])
        .await;
    judged(&bureau).await;
    assert!(findings(&bureau, supervisor, "").await.is_empty());
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_rectification_is_overdue_behind_its_day_and_not_on_it() {
    let bureau = Bureau::open().await;
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![late("C1")])
        .await;
    judged(&bureau).await;
    let found = findings(&bureau, supervisor(), "").await;
    let notified = take(&bureau, supervisor(), &found[0], "notify", Some(DUE)).await;
    assert_eq!(notified.status, 200);
    for (days_ago, overdue) in [(0, false), (1, true)] {
        let due = "UPDATE supervision_finding SET due_on = (now() AT TIME ZONE 'Asia/Shanghai')::date - $1";
        sqlx::query(due)
            .bind(days_ago)
            .execute(&bureau.hub.db.pool)
            .await
            .unwrap();
        let shown = findings(&bureau, supervisor(), "").await;
        assert_eq!(shown[0]["overdue"], overdue, "{days_ago}");
        let listed = findings(&bureau, supervisor(), "?overdue=true").await;
        assert_eq!(listed.len(), usize::from(overdue), "{days_ago}");
    }
    bureau.hub.app.stop().await.unwrap();
}
