//! An inspection that takes in what the rules point at: its notice tells of it, and it ends with it.

use http::Method;
use serde_json::{Value, json};

use super::{findings, judged, late, notary_of, supervisor, take};
use crate::client::{Answer, Bureau, Colleague};

const PATH: &str = "/api/v1/supervision/inspections";

async fn put(bureau: &Bureau, who: Colleague, id: &str, findings: &[&Value]) -> Answer {
    let ids: Vec<&Value> = findings
        .iter()
        .map(|finding| &finding["finding_id"])
        .collect();
    let path = format!("{PATH}/{id}/findings");
    bureau
        .ask(who, Method::PUT, &path, json!({ "finding_ids": ids }))
        .await
}

async fn step(bureau: &Bureau, who: Colleague, id: &str, body: Value) -> Answer {
    bureau
        .ask(who, Method::POST, &format!("{PATH}/{id}/steps"), body)
        .await
}

#[tokio::test]
async fn an_inspection_notifies_of_findings_that_it_takes_in_and_is_closed_when_people_are_done_with_them()
 {
    let bureau = Bureau::open().await;
    let of = |key: &str, number| late(key).number(number);
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![of("C1", 1), of("C2", 2)])
        .await;
    bureau
        .seed
        .office(&bureau.hub, "xiaoshan", vec![of("X1", 3)])
        .await;
    judged(&bureau).await;
    let (bureaus, office) = (supervisor(), notary_of("hangzhou"));
    let own = findings(&bureau, bureaus, "?office=hangzhou").await;
    let others = findings(&bureau, bureaus, "?office=xiaoshan").await;
    assert_eq!((own.len(), others.len()), (2, 1));

    let plan =
        json!({ "office_id": "hangzhou", "subject": "办证期限", "planned_on": "2026-03-02" });
    let planned = bureau.ask(bureaus, Method::POST, PATH, plan).await.json();
    let id = planned["inspection_id"].as_str().unwrap();
    assert_eq!(put(&bureau, office, id, &[&own[0]]).await.status, 403);
    for wrong in [vec![&own[0], &others[0]], vec![&own[0], &own[0]]] {
        let refused = put(&bureau, bureaus, id, &wrong).await;
        assert_eq!(
            (refused.status, &refused.json()["field"]),
            (400, &"finding_ids".into())
        );
    }
    // The last word counts: what is not named is left out again.
    assert_eq!(put(&bureau, bureaus, id, &[&own[0]]).await.status, 200);
    let taken = put(&bureau, bureaus, id, &[&own[0], &own[1]]).await;
    assert_eq!(
        (
            taken.status,
            taken.json()["findings"].as_array().unwrap().len()
        ),
        (200, 2)
    );

    let record = json!({ "step": "record", "reason": "现场检查", "items": ["大厅面积不足"] });
    assert_eq!(step(&bureau, bureaus, id, record).await.status, 200);
    assert!(findings(&bureau, office, "").await.is_empty());
    let issue = json!({ "step": "issue", "reason": "依据122号文", "due_on": "2099-01-31" });
    assert_eq!(step(&bureau, bureaus, id, issue).await.status, 200);
    assert_eq!(put(&bureau, bureaus, id, &[]).await.status, 409);
    let told = findings(&bureau, office, "?state=notified").await;
    assert_eq!((told.len(), &told[0]["due_on"]), (2, &"2099-01-31".into()));
    let read = bureau
        .ask(office, Method::GET, &format!("{PATH}/{id}"), Value::Null)
        .await
        .json();
    assert_eq!(read["findings"].as_array().unwrap().len(), 2);
    let notice = bureau
        .ask(
            office,
            Method::GET,
            &format!("{PATH}/{id}/notice"),
            Value::Null,
        )
        .await;
    for part in [
        "大厅面积不足",
        "超过法定期限出具公证书",
        "案件主键 C2",
        "公证法第三十条",
    ] {
        assert!(notice.text().contains(part), "{part}");
    }

    let rectify = json!({ "step": "rectify", "reason": "已整改" });
    assert_eq!(step(&bureau, office, id, rectify).await.status, 200);
    assert_eq!(
        take(&bureau, office, &told[0], "rectify", None)
            .await
            .status,
        200
    );
    let close = json!({ "step": "close", "reason": "复查合格" });
    let refused = step(&bureau, bureaus, id, close.clone()).await;
    assert_eq!(
        (refused.status, refused.problem()),
        (409, "FINDINGS_OPEN".into())
    );
    let said = refused.json()["detail_zh"].as_str().unwrap().to_owned();
    for part in [
        "超过法定期限出具公证书（案件主键 C",
        "，待核实）",
        "，待整改）",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("TIME_LIMIT"), "{said}");
    assert_eq!(
        take(&bureau, bureaus, &told[0], "verify", None)
            .await
            .status,
        200
    );
    assert_eq!(step(&bureau, bureaus, id, close.clone()).await.status, 409);
    assert_eq!(
        take(&bureau, bureaus, &told[1], "dismiss", None)
            .await
            .status,
        200
    );
    assert_eq!(step(&bureau, bureaus, id, close).await.status, 200);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_is_notified_of_what_no_rule_finds_any_more() {
    let bureau = Bureau::open().await;
    let (bureaus, office) = (supervisor(), notary_of("hangzhou"));
    let both = vec![late("C1"), late("C2").number(2)];
    bureau.seed.office(&bureau.hub, "hangzhou", both).await;
    judged(&bureau).await;
    let found = findings(&bureau, bureaus, "").await;
    let plan =
        json!({ "office_id": "hangzhou", "subject": "办证期限", "planned_on": "2026-03-02" });
    let planned = bureau.ask(bureaus, Method::POST, PATH, plan).await.json();
    let id = planned["inspection_id"].as_str().unwrap();
    let taken = put(&bureau, bureaus, id, &[&found[0], &found[1]]).await;
    assert_eq!(taken.status, 200);

    // The office mends the day of one.
    let in_time = vec![late("C1").issued("2024-03-08").revision(2)];
    bureau.seed.office(&bureau.hub, "hangzhou", in_time).await;
    judged(&bureau).await;
    let of = |key: &str| {
        let of = |finding: &&Value| finding["about_key"] == key;
        found.iter().find(of).unwrap()
    };
    let (gone, left) = (of("C1"), of("C2"));
    let notified = take(&bureau, bureaus, gone, "notify", Some("2099-01-31")).await;
    assert_eq!(
        (notified.status, notified.problem()),
        (409, "FACTS_CHANGED".into())
    );
    let listed = async |who| {
        let path = format!("{PATH}/{id}");
        let read = bureau
            .ask(who, Method::GET, &path, Value::Null)
            .await
            .json();
        let findings = read["findings"].as_array().unwrap().iter();
        let keys = findings.map(|finding| finding["about_key"].as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(listed(bureaus).await, ["C2"]);
    let again = put(&bureau, bureaus, id, &[gone, left]).await;
    assert_eq!(again.status, 400, "{}", again.text());

    let record = json!({ "step": "record", "reason": "现场检查", "items": ["大厅面积不足"] });
    assert_eq!(step(&bureau, bureaus, id, record).await.status, 200);
    let issue = json!({ "step": "issue", "reason": "依据122号文", "due_on": "2099-01-31" });
    assert_eq!(step(&bureau, bureaus, id, issue).await.status, 200);
    let told = findings(&bureau, office, "").await;
    assert_eq!((told.len(), &told[0]["about_key"]), (1, &"C2".into()));

    // What the notice told of stays in it, also when it is over.
    let late = vec![late("C2").number(2).issued("2024-03-08").revision(2)];
    bureau.seed.office(&bureau.hub, "hangzhou", late).await;
    judged(&bureau).await;
    assert_eq!(listed(office).await, ["C2"]);
    let dismissed = take(&bureau, bureaus, left, "dismiss", None).await;
    assert_eq!(dismissed.status, 200, "{}", dismissed.text());
    let rectify = json!({ "step": "rectify", "reason": "已整改" });
    assert_eq!(step(&bureau, office, id, rectify).await.status, 200);
    let close = json!({ "step": "close", "reason": "复查合格" });
    assert_eq!(step(&bureau, bureaus, id, close).await.status, 200);
    bureau.hub.app.stop().await.unwrap();
}
