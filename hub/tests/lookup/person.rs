//! Persons whom no verified number tells, and the matters of one person.

use notary_hub::linking::Linking;
use notary_hub::linking::model::Models;
use notary_hub::rules::Rules;
use notary_hub::store;
use notary_proto::hub::v1::{
    FindPersonRequest, IdentifierToken, LookupParty, LookupPurpose, MatchDecision, MatchedOn,
    Party, PartyKind, PartyRole, Sex,
};

use crate::notary::{Counter, about, known_as, who};
use crate::record::{case, day, person};
use crate::support::hub::reason;

/// 张国强 as an office writes him down, without a number.
fn known(role: PartyRole, name: &str) -> Party {
    Party {
        role: role.into(),
        kind: PartyKind::Natural.into(),
        name: name.to_owned(),
        sex: Sex::Male.into(),
        birth_day: Some(day("1961-03-07")),
        phone_token: vec![9; 16],
        ..Party::default()
    }
}

fn asked(name: &str) -> LookupParty {
    known_as(PartyRole::Principal, name, "1961-03-07")
}

async fn linked(counter: &Counter) {
    let pool = &counter.hub.db.pool;
    let linking = Linking::new(pool.clone(), Models::default(), Rules::shipped());
    while !store::linking::work::is_drained(pool).await.unwrap() {
        linking.drain().await.unwrap();
    }
}

fn find(person: LookupParty) -> FindPersonRequest {
    FindPersonRequest {
        purpose: LookupPurpose::VerifyingCase.into(),
        case_reference: "2024-接-1".to_owned(),
        matter_type: "mandate".to_owned(),
        person: Some(person),
    }
}

#[tokio::test]
async fn a_person_without_a_number_is_found_by_comparison_and_it_is_said_why() {
    let counter = Counter::open().await;
    let there = case("A")
        .matter("mandate")
        .parties(vec![known(PartyRole::Principal, "张国强")]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    linked(&counter).await;

    let question = about(
        "mandate",
        vec![who(PartyRole::Agent, 3), asked("章国强")],
        vec![],
    );
    let answer = counter.answer(question).await;
    let hit = &answer.hits[0];
    assert_eq!(hit.office_id, "xiaoshan");
    assert_eq!(hit.matched_on, [i32::from(MatchedOn::Person)]);
    let person = hit.person.as_ref().unwrap();
    assert_eq!(person.party, 1);
    assert_eq!(person.decision(), MatchDecision::Same);
    assert!(person.weight_millibits.unwrap() > 0);
    assert!(
        person.explanation_zh.contains("姓名 章→张"),
        "{}",
        person.explanation_zh
    );
    assert!(person.explanation_zh.contains("出生日期 相同"));
    assert!(person.explanation_en.contains("birth equal"));
    assert!(!person.explanation_zh.contains("国强"), "masked");
    let birth = person.fields.iter().find(|field| field.field == "birth");
    assert_eq!(birth.unwrap().level, "equal");

    // The log says what was told and by which fields was asked, and no name.
    let entry = counter.log().await.pop().unwrap();
    assert_eq!(entry.detail["told"][0][1], "A");
    assert_eq!(entry.detail["parties"][1]["described_by"][0], "name");
    assert!(!entry.detail.to_string().contains("国强"));
}

#[tokio::test]
async fn a_number_whose_check_digit_fails_leads_to_candidates_and_a_stranger_to_none() {
    let counter = Counter::open().await;
    let there = case("A")
        .matter("mandate")
        .parties(vec![known(PartyRole::Principal, "张国强")]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    linked(&counter).await;
    let identifier = person(PartyRole::Principal, 1).identifier;
    let mistyped = LookupParty {
        identifier: identifier.map(|identifier| IdentifierToken {
            verified: false,
            segment_tokens: vec![vec![1; 16], vec![2; 16], vec![3; 16]],
            ..identifier
        }),
        ..asked("张国强")
    };
    let answer = counter
        .answer(about("mandate", vec![mistyped], vec![]))
        .await;
    assert_eq!(answer.hits[0].matched_on, [i32::from(MatchedOn::Person)]);

    let stranger = LookupParty {
        phone_token: vec![8; 16],
        ..known_as(PartyRole::Principal, "李建华", "1987-11-25")
    };
    let answer = counter
        .answer(about("mandate", vec![stranger], vec![]))
        .await;
    assert!(answer.hits.is_empty());
}

#[tokio::test]
async fn a_sealed_case_neither_finds_a_person_nor_explains_one() {
    let counter = Counter::open().await;
    let will = case("W").parties(vec![known(PartyRole::Testator, "张国强")]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![will])
        .await;
    linked(&counter).await;
    let estate = || {
        let decedent = known_as(PartyRole::Decedent, "张国强", "1961-03-07");
        about("inheritance", vec![decedent], vec![])
    };
    for question in [about("mandate", vec![asked("张国强")], vec![]), estate()] {
        assert!(counter.answer(question).await.hits.is_empty());
    }
    let found = counter.find(find(asked("张国强"))).await.unwrap();
    assert!(found.hits.is_empty());
    // Linked with a case that is told, it is still kept, and the explanation is the told one's.
    let there = case("M")
        .matter("mandate")
        .parties(vec![known(PartyRole::Principal, "章国强")]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    linked(&counter).await;
    let found = counter.find(find(asked("张国强"))).await.unwrap();
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.hits[0].matter_type, "mandate");
    let person = found.hits[0].person.as_ref().unwrap();
    assert!(
        person.explanation_zh.contains("张→章"),
        "{}",
        person.explanation_zh
    );
}

#[tokio::test]
async fn the_matters_of_a_person_are_those_of_the_number_and_those_that_linkage_joins_to_it() {
    let counter = Counter::open().await;
    let numbered = Party {
        identifier: person(PartyRole::Principal, 1).identifier,
        ..known(PartyRole::Principal, "张国强")
    };
    let cases = vec![
        case("A").matter("mandate").parties(vec![numbered]),
        case("B")
            .matter("gift")
            .accepted("2024-02-01")
            .parties(vec![known(PartyRole::Donor, "张国强")]),
        case("C")
            .matter("gift")
            .parties(vec![person(PartyRole::Donor, 2)]),
    ];
    counter.seed.office(&counter.hub, "xiaoshan", cases).await;
    linked(&counter).await;
    let answer = counter
        .find(find(who(PartyRole::Principal, 1)))
        .await
        .unwrap();
    let told: Vec<_> = answer
        .hits
        .iter()
        .map(|hit| (hit.matter_type.as_str(), hit.matched_on.clone()))
        .collect();
    let by_number = vec![i32::from(MatchedOn::Identifier)];
    let by_linkage = vec![i32::from(MatchedOn::Person)];
    assert_eq!(told, [("mandate", by_number), ("gift", by_linkage)]);
    let joined = answer.hits[1].person.as_ref().unwrap();
    assert_eq!(joined.decision(), MatchDecision::Same);
    assert!(
        joined.explanation_zh.contains("姓名 相同"),
        "{}",
        joined.explanation_zh
    );
    assert!(answer.receipt.is_some());

    let entry = counter.log().await.pop().unwrap();
    assert_eq!(
        (entry.action.as_str(), entry.outcome.as_str()),
        ("lookup.find_person", "hit")
    );
    assert_eq!(entry.purpose.as_deref(), Some("verifying_case"));
    assert_eq!(entry.detail["told"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nobody_finds_a_person_without_purpose_reference_or_person_and_each_attempt_is_recorded() {
    let counter = Counter::with("lookup.person_per_minute = 1").await;
    let whole = || find(who(PartyRole::Principal, 1));
    let mut wrong = vec![whole(), whole(), whole(), whole()];
    wrong[0].purpose = 0;
    wrong[1].case_reference.clear();
    wrong[2].person = None;
    wrong[3].person = Some(LookupParty {
        role: PartyRole::Heir.into(),
        ..LookupParty::default()
    });
    let mut reasons = Vec::new();
    for request in wrong {
        reasons.push(reason(&counter.find(request).await.unwrap_err()));
    }
    let expected = [
        "PURPOSE_REQUIRED",
        "CASE_REFERENCE_REQUIRED",
        "FIELD_INVALID",
        "FIELD_INVALID",
    ];
    assert_eq!(reasons, expected);
    counter.find(whole()).await.unwrap();
    let status = counter.find(whole()).await.unwrap_err();
    assert_eq!(reason(&status), "RATE_LIMITED");
    let log = counter.log().await;
    let denied = log.iter().filter(|entry| entry.outcome == "denied");
    assert_eq!((log.len(), denied.count()), (6, 5));
    assert!(log.iter().all(|entry| entry.action == "lookup.find_person"));
}

/// Namesakes born on one day, each with a number: more than are told.
#[tokio::test]
async fn an_answer_about_more_persons_than_are_told_says_that_there_are_more() {
    let counter = Counter::open().await;
    let namesake = |number: u8| {
        let party = Party {
            identifier: person(PartyRole::Principal, number).identifier,
            phone_token: vec![number; 16],
            ..known(PartyRole::Principal, "张国强")
        };
        case(&format!("A{number}"))
            .matter("mandate")
            .parties(vec![party])
    };
    counter
        .seed
        .office(&counter.hub, "xiaoshan", (1..=10).map(namesake).collect())
        .await;
    linked(&counter).await;
    let of_birth = LookupParty {
        phone_token: Vec::new(),
        ..asked("张国强")
    };
    let answer = counter
        .answer(about("mandate", vec![of_birth], vec![]))
        .await;
    assert!(answer.truncated, "{} hits", answer.hits.len());
    // Who says more hears of one.
    let with_phone = LookupParty {
        phone_token: vec![3; 16],
        ..asked("张国强")
    };
    let answer = counter
        .answer(about("mandate", vec![with_phone], vec![]))
        .await;
    assert!(!answer.hits.is_empty());
}

/// One phone on more records than are compared: nobody is found by it, and nobody is told that there is nothing.
#[tokio::test]
async fn an_answer_about_somebody_too_common_to_be_compared_says_so() {
    let counter = Counter::open().await;
    let bearers = (1..=120).map(|number: u8| {
        let party = Party {
            birth_day: None,
            ..known(PartyRole::Principal, &format!("李{number}号"))
        };
        case(&format!("B{number}"))
            .matter("mandate")
            .parties(vec![party])
    });
    counter
        .seed
        .office(&counter.hub, "xiaoshan", bearers.collect())
        .await;
    linked(&counter).await;
    let by_phone = LookupParty {
        birth_day: None,
        ..asked("王小明")
    };
    let answer = counter
        .answer(about("mandate", vec![by_phone], vec![]))
        .await;
    assert_eq!((answer.hits.len(), answer.truncated), (0, true));
}

#[tokio::test]
async fn by_a_name_alone_nobody_is_looked_for() {
    let counter = Counter::open().await;
    let bare = LookupParty {
        birth_day: None,
        phone_token: Vec::new(),
        ..asked("张国强")
    };
    let status = counter
        .ask(about("mandate", vec![bare.clone()], vec![]))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");
    let entry = counter.log().await.pop().unwrap();
    assert_eq!(entry.detail["field"], "parties[0].birth_day");
    let status = counter.find(find(bare.clone())).await.unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");
    // Beside somebody with a number it may be found as that one's relative.
    let beside = vec![bare, who(PartyRole::Agent, 3)];
    counter.answer(about("mandate", beside, vec![])).await;
}

/// The weights of the fields are published: their sum would say which fields of the hidden party agree.
#[tokio::test]
async fn where_no_names_are_told_no_match_weight_is_told_either() {
    let counter = Counter::open().await;
    let there = ["birth", "adoption"].map(|matter| {
        let party = known(PartyRole::Applicant, "张国强");
        case(matter).matter(matter).parties(vec![party])
    });
    counter
        .seed
        .office(&counter.hub, "xiaoshan", there.into())
        .await;
    linked(&counter).await;
    let answer = counter
        .answer(about("birth", vec![asked("章国强")], vec![]))
        .await;
    assert_eq!(answer.hits.len(), 2);
    for hit in &answer.hits {
        let person = hit.person.as_ref().unwrap();
        assert_eq!(person.weight_millibits, None, "{}", hit.matter_type);
        assert_eq!(person.explanation_zh, "");
    }
}
