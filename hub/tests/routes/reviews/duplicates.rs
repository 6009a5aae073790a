//! Findings of the duplicate rules, and what people make of them.

use http::{Method, Request};
use http_body_util::Full;
use notary_hub::identity::Role;
use notary_hub::linking::Linking;
use notary_hub::linking::model::Models;
use notary_hub::rules::Rules;
use notary_hub::store;
use notary_proto::hub::v1::{Party, PartyRole, Sex};
use serde_json::{Value, json};

use crate::client::{Answer, Bureau, Colleague};
use crate::record::{Case, case, day, person};
use crate::support::seed::notary;

const QUEUE: &str = "/api/v1/reviews/duplicates";
const DECISIONS: &str = "/api/v1/reviews/duplicates/decisions";

fn inheritance(key: &str, decedent: u8) -> Case {
    case(key)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

/// hangzhou and xiaoshan share an estate.
async fn estate() -> Bureau {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    seed.office(hub, "hangzhou", vec![inheritance("KEY-A", 1)])
        .await;
    seed.office(hub, "xiaoshan", vec![inheritance("KEY-B", 1).number(5)])
        .await;
    bureau
}

async fn queue(bureau: &Bureau, who: Colleague, state: &str) -> Vec<Value> {
    let path = format!("{QUEUE}?state={state}");
    let answer = bureau.ask(who, Method::GET, &path, Value::Null).await;
    assert_eq!(answer.status, 200);
    answer.json()["items"].as_array().unwrap().clone()
}

async fn decide(bureau: &Bureau, who: Colleague, finding: &Value, decision: &str) -> Answer {
    let body = json!({
        "finding_id": finding["finding_id"], "decision": decision, "facts": finding["facts"],
        "reason": "两处受理的是同一遗产",
    });
    bureau.ask(who, Method::POST, DECISIONS, body).await
}

async fn withdraw(bureau: &Bureau, who: Colleague, decision: &Value) -> Answer {
    let id = decision["decision_id"].as_str().unwrap();
    let body = json!({ "reason": "误操作" });
    let path = format!("{DECISIONS}/{id}/withdraw");
    bureau.ask(who, Method::POST, &path, body).await
}

async fn read(bureau: &Bureau, who: Colleague, finding: &Value) -> Answer {
    let id = finding["finding_id"].as_str().unwrap();
    let path = format!("{QUEUE}/{id}");
    bureau.ask(who, Method::GET, &path, Value::Null).await
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

#[tokio::test]
async fn a_decision_takes_a_finding_out_of_the_queue_and_undoing_it_puts_it_back() {
    let bureau = estate().await;
    let supervisor = Colleague::new(Role::Supervisor);
    let before = queue(&bureau, supervisor, "open").await;
    assert_eq!(before.len(), 1);
    let decided = decide(&bureau, supervisor, &before[0], "dismissed").await;
    assert_eq!(decided.status, 201);
    assert!(queue(&bureau, supervisor, "open").await.is_empty());
    assert!(queue(&bureau, supervisor, "confirmed").await.is_empty());
    let dismissed = queue(&bureau, supervisor, "dismissed").await;
    assert_eq!(dismissed[0]["decision"]["reason"], "两处受理的是同一遗产");

    let undone = withdraw(&bureau, supervisor, &decided.json()).await;
    assert_eq!(undone.status, 200);
    assert_eq!(queue(&bureau, supervisor, "open").await, before);
    let history = read(&bureau, supervisor, &before[0]).await.json();
    assert_eq!(history["decisions"][0]["decision"], "dismissed");
    assert_eq!(history["decisions"][0]["withdrawn"]["reason"], "误操作");
}

#[tokio::test]
async fn a_decision_stands_while_the_facts_stand_and_is_shown_when_they_changed() {
    let bureau = estate().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    let supervisor = Colleague::new(Role::Supervisor);
    let found = queue(&bureau, supervisor, "open").await;
    let first = decide(&bureau, supervisor, &found[0], "confirmed").await;
    seed.office(hub, "hangzhou", vec![inheritance("KEY-A", 1)])
        .await;
    assert_eq!(queue(&bureau, supervisor, "confirmed").await.len(), 1);

    seed.office(hub, "hangzhou", vec![inheritance("KEY-A", 1).revision(2)])
        .await;
    let again = queue(&bureau, supervisor, "open").await;
    assert_eq!(again[0]["finding_id"], found[0]["finding_id"]);
    assert_eq!(again[0]["facts_changed"], true);
    assert_eq!(again[0]["decision"]["decision"], "confirmed");
    let stale = decide(&bureau, supervisor, &found[0], "confirmed").await;
    assert_eq!(refused(&stale), (409, "FACTS_CHANGED".to_owned()));

    let second = decide(&bureau, supervisor, &again[0], "dismissed").await;
    assert_eq!(second.status, 201);
    let early = withdraw(&bureau, supervisor, &first.json()).await;
    assert_eq!(refused(&early), (409, "DECISION_OVER".to_owned()));
    assert_eq!(
        withdraw(&bureau, supervisor, &second.json()).await.status,
        200
    );
    assert_eq!(queue(&bureau, supervisor, "open").await, again);
}

#[tokio::test]
async fn deciding_again_changes_nothing_and_deciding_otherwise_is_a_conflict() {
    let bureau = estate().await;
    let (one, other) = (
        Colleague::new(notary("hangzhou")),
        Colleague::new(Role::Supervisor),
    );
    let found = queue(&bureau, one, "open").await;
    let first = decide(&bureau, one, &found[0], "confirmed").await;
    let again = decide(&bureau, one, &found[0], "confirmed").await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json(), again.json());
    for (who, decision) in [
        (one, "dismissed"),
        (other, "confirmed"),
        (other, "dismissed"),
    ] {
        let answer = decide(&bureau, who, &found[0], decision).await;
        assert_eq!(refused(&answer), (409, "ALREADY_DECIDED".to_owned()));
    }
    let undone = withdraw(&bureau, one, &first.json()).await;
    let repeated = withdraw(&bureau, one, &first.json()).await;
    assert_eq!((undone.status, repeated.status), (200, 200));
    assert_eq!(undone.json(), repeated.json());
    let late = withdraw(&bureau, other, &first.json()).await;
    assert_eq!(refused(&late), (409, "DECISION_OVER".to_owned()));
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_wins() {
    let bureau = estate().await;
    let people = [
        Colleague::new(notary("hangzhou")),
        Colleague::new(notary("xiaoshan")),
    ];
    let found = queue(&bureau, people[0], "open").await;
    let (one, other) = tokio::join!(
        decide(&bureau, people[0], &found[0], "confirmed"),
        decide(&bureau, people[1], &found[0], "dismissed"),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let decided = bureau.log().await.into_iter();
    assert_eq!(decided.filter(|e| e.action == "review.decide").count(), 1);
}

#[tokio::test]
async fn a_notary_sees_masked_names_and_not_the_other_offices_key_or_reason() {
    let bureau = estate().await;
    let (here, there) = (
        Colleague::new(notary("hangzhou")),
        Colleague::new(notary("xiaoshan")),
    );
    let found = queue(&bureau, here, "open").await;
    let cases = &found[0]["cases"];
    assert_eq!(cases[0]["source_case_id"], "KEY-A");
    assert_eq!(cases[1]["source_case_id"], Value::Null);
    assert_eq!(cases[1]["parties"][0]["name"], "张*");
    assert_eq!(cases[1]["parties"][0]["role_zh"], "被继承人");
    decide(&bureau, there, &found[0], "confirmed").await;
    let answer = read(&bureau, here, &found[0]).await;
    assert_eq!(answer.json()["decisions"][0]["reason"], Value::Null);
    for hidden in ["KEY-B", "张三", "002X", "两处受理"] {
        assert!(!answer.text().contains(hidden), "{hidden}");
    }
    let written = read(&bureau, there, &found[0]).await.json();
    assert_eq!(written["decisions"][0]["reason"], "两处受理的是同一遗产");
    for entry in bureau.log().await {
        let text = entry.detail.to_string();
        assert!(!text.contains("KEY-") && !text.contains("张") && !text.contains("两处"));
    }
}

async fn csv(bureau: &Bureau, who: Colleague, state: &str) -> Answer {
    let session = crate::support::seed::session_of(&bureau.hub, who.account_id, who.role);
    let request = Request::get(format!("{QUEUE}?state={state}"))
        .header("accept", "text/csv")
        .header("authorization", format!("Bearer {session}"));
    bureau.send(request.body(Full::default()).unwrap()).await
}

#[tokio::test]
async fn a_file_has_what_the_queue_has_masked_as_it_is_there_and_taking_it_is_recorded() {
    let bureau = estate().await;
    let here = Colleague::new(notary("hangzhou"));
    let supervisor = Colleague::new(Role::Supervisor);
    let file = csv(&bureau, here, "open").await;
    assert_eq!(file.status, 200, "{}", file.text());
    let text = file.text();
    for shown in [
        "杭州市xiaoshan公证处",
        "KEY-A",
        "被继承人 张*",
        "证件号码相同",
        "待处理",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    for hidden in ["KEY-B", "张三", "002X"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let last = bureau.log().await.pop().unwrap();
    assert_eq!(
        (last.action.as_str(), last.outcome.as_str()),
        ("review.export", "done")
    );
    assert_eq!(last.detail["form"], "csv");

    let all = csv(&bureau, supervisor, "open").await;
    assert!(all.text().contains("KEY-A") && all.text().contains("KEY-B"));
    let found = queue(&bureau, supervisor, "open").await;
    decide(&bureau, supervisor, &found[0], "confirmed").await;
    let lines = async |state| csv(&bureau, supervisor, state).await.text().lines().count();
    assert_eq!((lines("open").await, lines("confirmed").await), (1, 2));
    for outside in [Role::Analyst, Role::Operator] {
        let refused = csv(&bureau, Colleague::new(outside), "open").await;
        assert_eq!(refused.status, 403);
    }
}

#[tokio::test]
async fn what_is_not_the_own_offices_or_is_sealed_is_not_there_and_the_attempt_is_recorded() {
    let bureau = estate().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    crate::support::add_office(&hub.db.pool, "yuhang").await;
    // Two wills of one testator: neither office may hear of the other's.
    let will = |key| case(key).parties(vec![person(PartyRole::Testator, 7)]);
    seed.office(hub, "hangzhou", vec![will("W1")]).await;
    seed.office(hub, "xiaoshan", vec![will("W2")]).await;
    let supervisor = Colleague::new(Role::Supervisor);
    let all = queue(&bureau, supervisor, "open").await;
    let of = |rule: &str| all.iter().find(|f| f["rule_id"] == rule).unwrap();
    let (estate, wills) = (of("INHERITANCE_SAME_DECEDENT"), of("WILL_SAME_TESTATOR"));
    for (office, hidden) in [("yuhang", estate), ("hangzhou", wills), ("xiaoshan", wills)] {
        let who = Colleague::new(notary(office));
        let rows = csv(&bureau, who, "open").await.text().lines().count() - 1;
        assert_eq!(rows, queue(&bureau, who, "open").await.len(), "{office}");
        let listed = queue(&bureau, who, "open").await;
        assert!(
            listed
                .iter()
                .all(|f| f["finding_id"] != hidden["finding_id"])
        );
        let before = bureau.log().await.len();
        for answer in [
            read(&bureau, who, hidden).await,
            decide(&bureau, who, hidden, "confirmed").await,
        ] {
            assert_eq!(refused(&answer), (404, "NOT_FOUND".to_owned()));
        }
        let log = bureau.log().await;
        let outcomes: Vec<_> = log[before..].iter().map(|e| e.outcome.as_str()).collect();
        assert_eq!(outcomes, ["denied", "denied"], "{office}");
    }
    let other = bureau
        .get(notary("hangzhou"), &format!("{QUEUE}?office=yuhang"))
        .await;
    assert_eq!(refused(&other), (403, "PERMISSION_DENIED".to_owned()));
}

#[tokio::test]
async fn a_notary_takes_back_the_own_decision_alone_and_a_supervisor_anybodys() {
    let bureau = estate().await;
    let (here, there) = (
        Colleague::new(notary("hangzhou")),
        Colleague::new(notary("xiaoshan")),
    );
    let found = queue(&bureau, here, "open").await;
    let decided = decide(&bureau, here, &found[0], "confirmed").await.json();
    let theirs = withdraw(&bureau, there, &decided).await;
    assert_eq!(refused(&theirs), (403, "PERMISSION_DENIED".to_owned()));
    let last = bureau.log().await.pop().unwrap();
    assert_eq!(
        (last.action.as_str(), last.outcome.as_str()),
        ("review.withdraw", "denied")
    );
    let supervisor = Colleague::new(Role::Supervisor);
    assert_eq!(withdraw(&bureau, supervisor, &decided).await.status, 200);
}

#[tokio::test]
async fn every_page_reading_and_decision_has_one_entry() {
    let bureau = estate().await;
    let supervisor = Colleague::new(Role::Supervisor);
    let found = queue(&bureau, supervisor, "open").await;
    read(&bureau, supervisor, &found[0]).await;
    let decided = decide(&bureau, supervisor, &found[0], "confirmed")
        .await
        .json();
    withdraw(&bureau, supervisor, &decided).await;
    let nothing = json!({ "finding_id": uuid::Uuid::now_v7() });
    read(&bureau, supervisor, &nothing).await;
    let log = bureau.log().await.into_iter();
    let entries: Vec<_> = log.map(|e| format!("{} {}", e.action, e.outcome)).collect();
    let expected = [
        "review.list done",
        "review.read done",
        "review.decide done",
        "review.withdraw done",
        "review.read no_hit",
    ];
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn pages_leave_nothing_out_and_tell_nothing_twice() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    let cases = |side: &str| {
        (1..=5)
            .map(|n| inheritance(&format!("{side}{n}"), n))
            .collect()
    };
    seed.office(hub, "hangzhou", cases("A")).await;
    seed.office(hub, "xiaoshan", cases("B")).await;
    let supervisor = Colleague::new(Role::Supervisor);
    let mut path = format!("{QUEUE}?limit=2");
    let mut seen = Vec::new();
    loop {
        let answer = bureau
            .ask(supervisor, Method::GET, &path, Value::Null)
            .await;
        let page = answer.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{QUEUE}?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, queue(&bureau, supervisor, "open").await);
    assert_eq!(seen.len(), 5);
    let bad = format!("{QUEUE}?cursor=W10");
    let answer = bureau.ask(supervisor, Method::GET, &bad, Value::Null).await;
    assert_eq!(refused(&answer), (400, "FIELD_INVALID".to_owned()));
}

#[tokio::test]
async fn a_reason_is_a_sentence_without_numbers_of_persons() {
    let bureau = estate().await;
    let supervisor = Colleague::new(Role::Supervisor);
    let found = queue(&bureau, supervisor, "open").await;
    for reason in ["", "见身份证110105194912310021"] {
        let body = json!({
            "finding_id": found[0]["finding_id"], "decision": "confirmed", "facts": found[0]["facts"],
            "reason": reason,
        });
        let answer = bureau.ask(supervisor, Method::POST, DECISIONS, body).await;
        assert_eq!(refused(&answer), (400, "FIELD_INVALID".to_owned()));
        assert_eq!(answer.json()["field"], "reason");
        assert!(!answer.text().contains("1101051949"));
    }
}

/// Somebody with a name that nobody else has, once with a number and once without.
#[tokio::test]
async fn a_finding_by_persons_says_whom_it_rests_on_and_their_pair_says_why() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    let numbered = Party {
        name: "欧阳国强".to_owned(),
        birth_day: Some(day("1948-07-19")),
        sex: Sex::Male.into(),
        phone_token: vec![7; 16],
        address_district: "330106".to_owned(),
        ..person(PartyRole::Decedent, 1)
    };
    let unnumbered = Party {
        identifier: None,
        ..numbered.clone()
    };
    let estate = |key: &str, party| case(key).matter("inheritance").parties(vec![party]);
    seed.office(hub, "hangzhou", vec![estate("KEY-A", numbered)])
        .await;
    seed.office(hub, "xiaoshan", vec![estate("KEY-B", unnumbered)])
        .await;
    let pool = &hub.db.pool;
    let linking = Linking::new(pool.clone(), Models::default(), Rules::shipped());
    while !store::linking::work::is_drained(pool).await.unwrap() {
        linking.drain().await.unwrap();
    }

    let notary = Colleague::new(notary("hangzhou"));
    let finding = &queue(&bureau, notary, "open").await[0];
    assert_eq!(finding["basis"], "person");
    assert!(finding["match_weight"].as_f64().unwrap() > 0.0);
    let told = read(&bureau, notary, finding).await.json();
    let pairs = told["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 1);
    let (low, high) = (&pairs[0]["low"], &pairs[0]["high"]);
    let path = format!(
        "/api/v1/reviews/persons/{}/{}",
        low.as_str().unwrap(),
        high.as_str().unwrap()
    );
    let pair = bureau.ask(notary, Method::GET, &path, Value::Null).await;
    assert_eq!(pair.status, 200);
    let pair = pair.json();
    assert_eq!(pair["one_person"], true);
    assert!(!pair["explanation"]["fields"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_finding_by_numbers_rests_on_no_comparison() {
    let bureau = estate().await;
    let supervisor = Colleague::new(Role::Supervisor);
    let finding = &queue(&bureau, supervisor, "open").await[0];
    assert_eq!(finding["basis"], "number");
    let told = read(&bureau, supervisor, finding).await.json();
    assert_eq!(told["pairs"], json!([]));
}
