//! Filings from the console's form, and what the rules make of them.

use http::Method;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::{file, findings, judged, notary_of, refused, supervisor};
use crate::client::{Bureau, Colleague};
use crate::record::{case, person};
use notary_hub::identity::Role;
use notary_proto::hub::v1::PartyRole;

const TEXT: &str = "见卷宗";

#[tokio::test]
async fn a_refusal_nobody_filed_is_found_and_a_late_filing_does_not_undo_it() {
    let bureau = Bureau::open().await;
    // Nothing is asked for of a time before the office took part.
    sqlx::query("UPDATE office SET created_at = '2024-01-01'")
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![refused("C1")])
        .await;
    judged(&bureau).await;
    let found = findings(&bureau, supervisor(), "").await;
    assert_eq!(found[0]["rule_id"], "REFUSAL_UNFILED");
    assert_eq!(found[0]["evidence"]["filed_on"], Value::Null);

    // The case says when it was refused, whatever the filing does.
    let body = json!({ "kind": "refusal", "refused_on": "2026-01-05", "remedy_told": true });
    let receipt = file(&bureau, notary_of("hangzhou"), "C1", body, TEXT).await;
    assert_eq!(
        (receipt.status, &receipt.json()["late"]),
        (201, &true.into())
    );
    assert_eq!(receipt.json()["due_on"], "2024-03-12");
    let log = bureau.log().await;
    let recorded = log.iter().find(|entry| entry.action == "filing.submit");
    let recorded = recorded.map(|entry| (entry.office_id.as_deref(), entry.outcome.as_str()));
    assert_eq!(recorded, Some((Some("hangzhou"), "done")));
    judged(&bureau).await;
    let found = findings(&bureau, supervisor(), "?rule=REFUSAL_UNFILED").await;
    assert_ne!(found[0]["evidence"]["filed_on"], Value::Null);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_complaint_is_overdue_until_its_outcome_and_special_paper_adds_up() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let complaint = json!({ "kind": "complaint", "received_on": "2024-06-03", "subject": "fee" });
    let filed = file(&bureau, notary, "", complaint, TEXT).await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    let paper = json!({
        "kind": "special_paper", "period": { "first_day": "2024-06-01", "last_day": "2024-06-30" },
        "movements": [
            { "movement": "received", "series": "ZJ", "first_no": 1, "last_no": 100, "moved_on": "2024-06-03" },
            { "movement": "used", "series": "ZJ", "first_no": 1, "last_no": 101, "moved_on": "2024-06-28" },
        ],
    });
    assert_eq!(file(&bureau, notary, "", paper, TEXT).await.status, 201);
    judged(&bureau).await;
    let mut rules: Vec<_> = findings(&bureau, supervisor(), "").await;
    rules.sort_by_key(|finding| finding["rule_id"].to_string());
    let rules: Vec<_> = rules
        .iter()
        .map(|finding| (finding["rule_id"].clone(), finding["about"].clone()))
        .collect();
    assert_eq!(
        rules,
        [
            ("COMPLAINT_OVERDUE".into(), "filing".into()),
            ("PAPER_OUT_OF_RANGE".into(), "paper".into()),
        ]
    );

    let about = filed.json()["filing_id"].clone();
    let outcome = json!({ "kind": "outcome", "about": about, "decided_on": "2026-01-05", "result": "not_upheld" });
    // Another office's complaint is nobody's to close.
    assert_eq!(
        file(&bureau, notary_of("xiaoshan"), "", outcome.clone(), TEXT)
            .await
            .status,
        400
    );
    let closed = file(&bureau, notary, "", outcome, TEXT).await;
    assert_eq!(closed.status, 201);
    // It was to be decided by 25 June, whatever day the office says it decided on.
    assert_eq!(closed.json()["due_on"], "2024-06-28");
    judged(&bureau).await;
    // What counts is when the hub received it, whatever day the office says it decided on.
    let overdue = findings(&bureau, supervisor(), "?rule=COMPLAINT_OVERDUE").await;
    let closed_on = &overdue[0]["evidence"]["closed_on"];
    assert!(closed_on.as_str().unwrap() > "2026-", "{closed_on}");

    let path = "/api/v1/supervision/filings?kind=complaint";
    let listed = bureau
        .ask(
            Colleague::new(Role::Supervisor),
            Method::GET,
            path,
            Value::Null,
        )
        .await
        .json();
    assert_eq!(listed["items"][0]["closed_on"], *closed_on);
    assert_eq!(listed["items"][0]["body"]["subject"], "fee");
    let others = bureau
        .ask(notary_of("xiaoshan"), Method::GET, path, Value::Null)
        .await
        .json();
    assert!(others["items"].as_array().unwrap().is_empty());
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_day_of_a_complaint_stands_as_it_was_first_told_and_is_never_behind_its_arrival() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let filing_id = Uuid::now_v7();
    let complained = async |day: &str| {
        let body = json!({ "kind": "complaint", "received_on": day, "subject": "fee" });
        let filing =
            json!({ "filing_id": filing_id, "source_case_id": "", "text": TEXT, "body": body });
        let path = "/api/v1/supervision/filings";
        bureau.ask(notary, Method::POST, path, filing).await
    };
    let tomorrow = OffsetDateTime::now_utc().to_offset(UtcOffset::from_hms(8, 0, 0).unwrap())
        + Duration::days(1);
    let refused = complained(&tomorrow.date().to_string()).await;
    assert_eq!(
        (refused.status, &refused.json()["field"]),
        (400, &"detail".into())
    );
    assert_eq!(complained("2024-06-03").await.status, 201);
    let moved = complained("2024-09-02").await;
    assert_eq!(
        (moved.status, moved.problem()),
        (409, "FILING_ID_TAKEN".to_owned())
    );
    judged(&bureau).await;
    let overdue = findings(&bureau, supervisor(), "?rule=COMPLAINT_OVERDUE").await;
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0]["evidence"]["received_on"], "2024-06-03");
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_number_in_a_text_a_day_to_come_and_an_empty_declaration_are_refused() {
    let bureau = Bureau::open().await;
    let notary = notary_of("hangzhou");
    let complaint =
        |day: &str| json!({ "kind": "complaint", "received_on": day, "subject": "fee" });
    let numbered = file(
        &bureau,
        notary,
        "",
        complaint("2024-06-03"),
        "电话 138 0000 0000",
    )
    .await;
    assert_eq!(numbered.status, 400);
    assert_eq!(numbered.json()["reason"], "NUMBER_IN_TEXT");
    assert_eq!(numbered.json()["field"], "text");
    assert!(!numbered.text().contains("138"));
    let to_come = file(&bureau, notary, "", complaint("2099-06-03"), TEXT).await;
    assert_eq!(to_come.status, 400);
    let period = json!({ "first_day": "2024-06-01", "last_day": "2099-06-30" });
    let unfinished = json!({ "kind": "service_counts", "period": period, "legal_aid": 1, "home_visits": 2, "fee_waivers": 0 });
    let unfinished = file(&bureau, notary, "", unfinished, "").await;
    assert_eq!(
        (unfinished.status, &unfinished.json()["field"]),
        (400, &"detail".into())
    );
    let empty = json!({ "kind": "recusal", "licence_no": "N1", "kin": [] });
    let empty = file(&bureau, notary, "", empty, "").await;
    assert_eq!((empty.status, &empty.json()["field"]), (400, &"kin".into()));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_relatives_token_is_kept_for_the_rules_and_told_to_nobody() {
    let bureau = Bureau::open().await;
    let token = "0123456789abcdef0123456789abcdef";
    let kin = json!([{ "relation": "parent", "token": token }]);
    let body = json!({ "kind": "recusal", "licence_no": "N1", "kin": kin });
    let notary = notary_of("hangzhou");
    let filed = file(&bureau, notary, "", body, "").await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    let kept = "SELECT encode(token, 'hex') FROM recusal";
    let kept: String = sqlx::query_scalar(kept)
        .fetch_one(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(kept, token);
    let path = "/api/v1/supervision/filings";
    let listed = bureau.ask(notary, Method::GET, path, Value::Null).await;
    let kin = &listed.json()["items"][0]["body"]["kin"];
    assert_eq!(*kin, json!([{ "relation": "parent" }]));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_case_of_a_notarys_relative_is_found_once_the_relative_is_declared() {
    let bureau = Bureau::open().await;
    let mut of_kin = case("C1")
        .parties(vec![person(PartyRole::Testator, 0xaa)])
        .issued("2024-03-06");
    of_kin.0.notary_licence_no = "N1".to_owned();
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![of_kin])
        .await;
    judged(&bureau).await;
    let recusal = async || findings(&bureau, supervisor(), "?rule=RECUSAL").await;
    assert!(recusal().await.is_empty());
    let kin = json!([{ "relation": "parent", "token": "aa".repeat(16) }]);
    let body = json!({ "kind": "recusal", "licence_no": "N1", "withdrawn": false, "kin": kin });
    let filed = file(&bureau, notary_of("hangzhou"), "", body, "").await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    judged(&bureau).await;
    assert_eq!(recusal().await[0]["about_key"], "C1");
    // It was somebody else.
    let body = json!({ "kind": "recusal", "licence_no": "N1", "withdrawn": true, "kin": [] });
    let filed = file(&bureau, notary_of("hangzhou"), "", body, "").await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    judged(&bureau).await;
    assert!(recusal().await.is_empty());
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_notarys_new_declaration_replaces_the_former_and_no_other_notarys() {
    let bureau = Bureau::open().await;
    let declared = async |licence: &str, tokens: &[&str]| {
        let kin = tokens
            .iter()
            .map(|token| json!({ "relation": "parent", "token": token.repeat(16) }));
        let kin: Vec<Value> = kin.collect();
        let body = json!({ "kind": "recusal", "licence_no": licence, "withdrawn": kin.is_empty(), "kin": kin });
        let filed = file(&bureau, notary_of("hangzhou"), "", body, "").await;
        assert_eq!(filed.status, 201, "{}", filed.text());
        let kept =
            "SELECT licence_no || ' ' || left(encode(token, 'hex'), 2) FROM recusal ORDER BY 1";
        let pool = &bureau.hub.db.pool;
        sqlx::query_scalar::<_, String>(kept)
            .fetch_all(pool)
            .await
            .unwrap()
    };
    assert_eq!(declared("N1", &["aa", "bb"]).await, ["N1 aa", "N1 bb"]);
    assert_eq!(declared("N2", &["aa"]).await, ["N1 aa", "N1 bb", "N2 aa"]);
    assert_eq!(
        declared("N1", &["bb", "cc"]).await,
        ["N1 bb", "N1 cc", "N2 aa"]
    );
    assert_eq!(declared("N1", &[]).await, ["N2 aa"]);
    bureau.hub.app.stop().await.unwrap();
}
