//! Possible persons, listed and side by side.

use std::num::NonZeroU32;
use std::time::Duration;

use http::Method;
use notary_hub::alarm::{Alarms, Kind};
use notary_hub::config::LookupAlarm;
use notary_hub::identity::{Person, Role};
use notary_hub::review::{Review, ReviewError};
use notary_proto::hub::v1::Party;
use serde_json::Value;
use tokio::time::timeout;
use uuid::Uuid;

use super::seed::{Pairs, QUEUE, applicant, here, mandate, mention, refused, supervisor, there};
use crate::client::Colleague;
use crate::support::seed::notary;

fn names(items: &[Value]) -> Vec<String> {
    let items = items.iter();
    items
        .map(|item| {
            let mut names = [0, 1].map(|side| item["sides"][side]["name"].as_str().unwrap());
            names.sort_unstable();
            names.join(" ")
        })
        .collect()
}

#[tokio::test]
async fn the_bureau_sees_every_open_pair_the_heaviest_first_and_a_notary_the_own_offices() {
    let pairs = Pairs::open().await;
    let all = pairs.queue(supervisor(), "open").await;
    assert_eq!(names(&all), ["张** 章**", "王** 王**", "李* 李*"]);
    assert_eq!(all[0]["weight"], 9.0);
    let own = pairs.queue(here(), "open").await;
    assert_eq!(names(&own), ["张** 章**", "王** 王**"]);
    let theirs = pairs.queue(there(), "open").await;
    assert_eq!(names(&theirs), ["张** 章**", "李* 李*"]);
    let of_yuhang = format!("{QUEUE}?office=yuhang");
    let (bureau, get) = (&pairs.bureau, Method::GET);
    let answer = bureau
        .ask(supervisor(), get.clone(), &of_yuhang, Value::Null)
        .await;
    assert_eq!(
        names(answer.json()["items"].as_array().unwrap()),
        ["李* 李*"]
    );
    let answer = bureau.ask(here(), get, &of_yuhang, Value::Null).await;
    assert_eq!(refused(&answer), (403, "PERMISSION_DENIED".to_owned()));
}

#[tokio::test]
async fn pages_leave_nothing_out_and_tell_nothing_twice() {
    let pairs = Pairs::open().await;
    let mut path = format!("{QUEUE}?limit=1");
    let mut seen = Vec::new();
    loop {
        let answer = pairs
            .bureau
            .ask(supervisor(), Method::GET, &path, Value::Null)
            .await;
        let page = answer.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{QUEUE}?limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, pairs.queue(supervisor(), "open").await);
    assert_eq!(seen.len(), 3);
    for bad in ["cursor=W10", "state=closed", "limit=0"] {
        let path = format!("{QUEUE}?{bad}");
        let answer = pairs
            .bureau
            .ask(supervisor(), Method::GET, &path, Value::Null)
            .await;
        assert_eq!(refused(&answer), (400, "FIELD_INVALID".to_owned()), "{bad}");
    }
}

#[tokio::test]
async fn a_pair_is_shown_side_by_side_and_explained_in_both_languages() {
    let pairs = Pairs::open().await;
    let answer = pairs.read(here(), pairs.across).await;
    assert_eq!(answer.status, 200);
    let pair = answer.json();
    assert_eq!(pair["one_person"], false);
    let sides = pair["sides"].as_array().unwrap();
    let of = |office: &str| {
        sides
            .iter()
            .find(|side| side["office_id"] == office)
            .unwrap()
    };
    let (own, other) = (of("hangzhou"), of("xiaoshan"));
    assert_eq!(
        (&own["name"], &other["name"]),
        (&"张**".into(), &"章**".into())
    );
    assert_eq!(own["birth_year"], 1990);
    assert_eq!(own["sex_zh"], "女");
    assert_eq!(own["district_zh"], "西湖区");
    assert_eq!(own["id_kind_zh"], "居民身份证");
    assert_eq!(own["id_tail"], "002X");
    assert_eq!(own["cases"][0]["source_case_id"], "KEY-1");
    assert_eq!(other["cases"][0]["source_case_id"], Value::Null);
    assert_eq!(other["cases"][0]["matter_type_zh"], "委托");
    assert_eq!(other["cases"][0]["role_zh"], "申请人");
    let (zh, en) = (&pair["explanation"]["zh"], &pair["explanation"]["en"]);
    assert!(zh.as_str().unwrap().contains("出生日期 相同 +"), "{zh}");
    assert!(en.as_str().unwrap().contains("birth equal +"), "{en}");
    assert!(zh.as_str().unwrap().contains('→'), "{zh}");
}

#[tokio::test]
async fn nothing_that_is_shown_or_recorded_undoes_the_masks() {
    let pairs = Pairs::open().await;
    let mut texts = Vec::new();
    for pair in [pairs.across, pairs.within] {
        texts.push(pairs.read(here(), pair).await.text().to_owned());
        texts.push(
            pairs
                .decide(here(), pair, "not_same")
                .await
                .text()
                .to_owned(),
        );
    }
    for state in ["open", "in_force"] {
        let path = format!("{QUEUE}?state={state}&limit=1");
        let answer = pairs
            .bureau
            .ask(here(), Method::GET, &path, Value::Null)
            .await;
        texts.push(answer.text().to_owned());
    }
    let log = pairs.bureau.log().await.into_iter();
    texts.extend(log.map(|entry| format!("{entry:?}")));
    for text in &texts {
        for hidden in ["国", "强", "小明", "晓", "1990-", "03-07", "KEY-2"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        // What stands for a number is told to nobody: a node's id is made of it.
        for pair in [pairs.across, pairs.within] {
            assert!(
                pair.iter()
                    .all(|side| !text.contains(&side.node.to_string()))
            );
        }
    }
}

#[tokio::test]
async fn another_offices_sealed_case_is_not_there_and_the_attempt_is_recorded() {
    let pairs = Pairs::open().await;
    let (hub, seed) = (&pairs.bureau.hub, &pairs.bureau.seed);
    let sealed = [
        mention("hangzhou", "KEY-7", 7),
        mention("xiaoshan", "WILL-8", 8),
    ];
    seed.office(
        hub,
        "hangzhou",
        vec![mandate("KEY-7", applicant("周五", 7))],
    )
    .await;
    let will = mandate("WILL-8", applicant("周五", 8)).matter("will");
    seed.office(hub, "xiaoshan", vec![will]).await;
    pairs.linked(sealed, 8_000).await;

    assert_eq!(pairs.queue(here(), "open").await.len(), 2);
    assert_eq!(pairs.queue(there(), "open").await.len(), 3);
    assert_eq!(pairs.queue(supervisor(), "open").await.len(), 4);
    let yuhang = Colleague::new(notary("yuhang"));
    for (who, pair) in [(here(), sealed), (yuhang, pairs.across)] {
        for answer in [
            pairs.read(who, pair).await,
            pairs.decide(who, pair, "same").await,
        ] {
            assert_eq!(refused(&answer), (404, "NOT_FOUND".to_owned()));
            assert_eq!(pairs.bureau.log().await.pop().unwrap().outcome, "denied");
        }
    }
    assert_eq!(pairs.read(there(), sealed).await.status, 200);
    let nothing = [pairs.across[0], pairs.within[0]];
    let answer = pairs.read(here(), nothing).await;
    assert_eq!(refused(&answer), (404, "NOT_FOUND".to_owned()));
    assert_eq!(pairs.bureau.log().await.pop().unwrap().outcome, "no_hit");
}

/// Who stands in a birth is nobody else's business, and a criminal record is told of before acceptance alone.
#[tokio::test]
async fn a_party_that_the_rules_do_not_name_to_other_offices_is_compared_by_the_bureau_alone() {
    let pairs = Pairs::open().await;
    let (hub, seed) = (&pairs.bureau.hub, &pairs.bureau.seed);
    for (matter, name, keys, n) in [
        ("birth", "周五", ["KEY-7", "KEY-8"], 7),
        ("criminal_record", "吴六", ["KEY-9", "KEY-10"], 9),
    ] {
        let unnamed = [
            mention("hangzhou", keys[0], n),
            mention("xiaoshan", keys[1], n + 1),
        ];
        let own = mandate(keys[0], applicant(name, n));
        seed.office(hub, "hangzhou", vec![own]).await;
        let other = mandate(keys[1], applicant(name, n + 1)).matter(matter);
        seed.office(hub, "xiaoshan", vec![other]).await;
        pairs.linked(unnamed, 8_000).await;
        let answer = pairs.read(here(), unnamed).await;
        assert_eq!(refused(&answer), (404, "NOT_FOUND".to_owned()), "{matter}");
        assert_eq!(pairs.read(supervisor(), unnamed).await.status, 200);
    }
    assert_eq!(
        names(&pairs.queue(here(), "open").await),
        ["张** 章**", "王** 王**"]
    );
}

#[tokio::test]
async fn of_somebody_else_a_notary_sees_the_cases_alone_in_which_they_may_be_named() {
    let pairs = Pairs::open().await;
    let (hub, seed) = (&pairs.bureau.hub, &pairs.bureau.seed);
    // With less said of the person, so that the mandate's party stays the one that is compared.
    let others = ["birth", "criminal_record", "gift"].map(|matter| {
        let key = format!("KEY-{matter}");
        let party = Party {
            birth_day: None,
            address_district: String::new(),
            ..applicant("章国强", 2)
        };
        mandate(&key, party).matter(matter)
    });
    seed.office(hub, "xiaoshan", others.into()).await;
    pairs.linked(pairs.across, 9_000).await;
    let matters = async |who| {
        let pair = pairs.read(who, pairs.across).await.json();
        let sides = pair["sides"].as_array().unwrap().iter();
        let mut other = sides.filter(|side| side["office_id"] == "xiaoshan");
        let cases = other.next().unwrap()["cases"].as_array().unwrap().clone();
        let matters = cases.iter().map(|case| case["matter_type"].as_str());
        let mut matters: Vec<String> = matters.map(|code| code.unwrap().to_owned()).collect();
        matters.sort_unstable();
        matters
    };
    assert_eq!(matters(here()).await, ["gift", "mandate"]);
    assert_eq!(
        matters(supervisor()).await,
        ["birth", "criminal_record", "gift", "mandate"]
    );
}

#[tokio::test]
async fn who_reads_one_pair_after_another_raises_an_alarm_and_is_suspended_where_alarms_block() {
    let pairs = Pairs::open().await;
    let api = pairs.bureau.hub.app.rest();
    let limits = LookupAlarm {
        person_subjects: NonZeroU32::MIN,
        blocks: true,
        ..LookupAlarm::default()
    };
    let alarms = Alarms::new(api.pool.clone(), api.audit.clone(), limits);
    let notary = Person::new(Uuid::now_v7(), notary("hangzhou"));
    let review = Review::new(
        &api.pool,
        &api.audit,
        &api.models,
        &alarms,
        &api.rules,
        &notary,
    )
    .unwrap();
    review.pair(pairs.within.map(|side| side.id)).await.unwrap();
    let supervisor = Person::new(Uuid::now_v7(), Role::Supervisor);
    assert!(
        alarms.list(&supervisor, None, 9).await.unwrap().is_empty(),
        "the own office's persons are no secret"
    );
    let across = pairs.across.map(|side| side.id);
    review.pair(across).await.unwrap();
    let refused = async {
        loop {
            if let Err(error) = review.pair(across).await {
                return error;
            }
        }
    };
    let refused = timeout(Duration::from_secs(30), refused).await.unwrap();
    assert!(matches!(refused, ReviewError::Suspended), "{refused}");
    let raised = alarms.list(&supervisor, None, 9).await.unwrap();
    assert_eq!(raised[0].kind, Kind::ManySubjects);
}
