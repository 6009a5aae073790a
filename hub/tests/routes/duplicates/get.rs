//! Duplicate applications as people see them.

use notary_hub::identity::Role;
use notary_proto::hub::v1::PartyRole;
use serde_json::Value;

use crate::client::Bureau;
use crate::record::{Case, case, home, person};
use crate::support::add_office;
use crate::support::seed::notary;

fn inheritance(key: &str, decedent: u8) -> Case {
    case(key)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

fn mandate(key: &str, principal: u8) -> Case {
    case(key)
        .matter("mandate")
        .parties(vec![person(PartyRole::Principal, principal)])
        .subjects(vec![home(principal)])
}

/// hangzhou and xiaoshan share an estate and a mandate; yuhang shares another estate with xiaoshan.
async fn findings() -> Bureau {
    let bureau = Bureau::open().await;
    add_office(&bureau.hub.db.pool, "yuhang").await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    seed.office(hub, "hangzhou", vec![inheritance("A", 1), mandate("B", 2)])
        .await;
    let there = vec![
        inheritance("C", 1).number(5),
        mandate("D", 2),
        inheritance("E", 3),
    ];
    seed.office(hub, "xiaoshan", there).await;
    seed.office(hub, "yuhang", vec![inheritance("F", 3)]).await;
    bureau
}

fn items(answer: &Value) -> Vec<(String, String)> {
    let items = answer["items"].as_array().unwrap().iter();
    let mut items: Vec<_> = items
        .map(|item| {
            let office = |side: usize| item["cases"][side]["office_id"].as_str().unwrap();
            let severity = item["severity"].as_str().unwrap().to_owned();
            (severity, format!("{} {}", office(0), office(1)))
        })
        .collect();
    items.sort();
    items
}

#[tokio::test]
async fn the_bureau_sees_all_and_filters() {
    let bureau = findings().await;
    let all = bureau.get(Role::Analyst, "/api/v1/duplicates").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let of_yuhang = bureau
        .get(Role::Supervisor, "/api/v1/duplicates?office=yuhang")
        .await
        .json();
    let estate = ("duplicate".to_owned(), "xiaoshan yuhang".to_owned());
    assert_eq!(items(&of_yuhang), [estate]);
    let conflicts = bureau
        .get(Role::Analyst, "/api/v1/duplicates?severity=conflict")
        .await
        .json();
    let mandates = ("conflict".to_owned(), "hangzhou xiaoshan".to_owned());
    assert_eq!(items(&conflicts), [mandates]);
}

#[tokio::test]
async fn a_notary_sees_the_own_offices_and_not_the_others_key() {
    let bureau = findings().await;
    let own = bureau
        .get(notary("hangzhou"), "/api/v1/duplicates")
        .await
        .json();
    assert_eq!(items(&own).len(), 2);
    let estate = own["items"].as_array().unwrap().iter();
    let estate = estate
        .into_iter()
        .find(|item| item["rule_id"] == "INHERITANCE_SAME_DECEDENT")
        .unwrap();
    assert_eq!(estate["cases"][0]["source_case_id"], "A");
    assert_eq!(estate["cases"][1]["source_case_id"], Value::Null);
    assert_eq!(estate["cases"][1]["case_no"], "（2024）浙杭证民字第5号");
    let other = bureau
        .get(notary("hangzhou"), "/api/v1/duplicates?office=yuhang")
        .await;
    assert_eq!(
        (other.status, other.problem()),
        (403, "PERMISSION_DENIED".to_owned())
    );
    let actions: Vec<_> = bureau
        .log()
        .await
        .into_iter()
        .map(|e| (e.action, e.outcome))
        .collect();
    let entry = |action: &str, outcome: &str| (action.to_owned(), outcome.to_owned());
    assert_eq!(
        actions,
        [entry("duplicate.list", "done"), entry("request", "denied")]
    );
}

#[tokio::test]
async fn pages_leave_nothing_out_and_tell_nothing_twice() {
    let bureau = findings().await;
    let mut path = "/api/v1/duplicates?limit=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = bureau.get(Role::Analyst, &path).await.json();
        seen.extend(items(&page));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/duplicates?limit=1&cursor={cursor}"),
            None => break,
        }
    }
    seen.sort();
    let all = bureau.get(Role::Analyst, "/api/v1/duplicates").await.json();
    assert_eq!(seen, items(&all));
}

#[tokio::test]
async fn a_filter_that_is_none_is_refused() {
    let bureau = Bureau::open().await;
    for (query, field) in [("severity=grave", "severity"), ("office=X", "office")] {
        let answer = bureau
            .get(Role::Analyst, &format!("/api/v1/duplicates?{query}"))
            .await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, "FIELD_INVALID".to_owned())
        );
        assert_eq!(answer.json()["field"], field);
    }
}

#[tokio::test]
async fn a_notary_is_told_of_anothers_will_by_an_inheritance_alone() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    let will = |key, testator| case(key).parties(vec![person(PartyRole::Testator, testator)]);
    seed.office(hub, "hangzhou", vec![will("A", 1), inheritance("B", 2)])
        .await;
    seed.office(hub, "xiaoshan", vec![will("C", 1), will("D", 2)])
        .await;
    let rules = |answer: Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap().iter();
        let rules = items.map(|item| item["rule_id"].as_str().unwrap().to_owned());
        rules.collect()
    };
    for office in ["hangzhou", "xiaoshan"] {
        let told = bureau.get(notary(office), "/api/v1/duplicates").await;
        assert_eq!(rules(told.json()), ["WILL_FOR_INHERITANCE"], "{office}");
    }
    let all = bureau.get(Role::Supervisor, "/api/v1/duplicates").await;
    assert_eq!(rules(all.json()).len(), 2);
}
