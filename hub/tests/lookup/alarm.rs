//! Look-ups that are no notary's work, as the bureau hears of them.

use std::time::Duration;

use notary_hub::alarm::Kind;
use notary_hub::identity::{Person, Role};
use notary_hub::store::alarm::{self, Alarm};
use notary_proto::hub::v1::{
    BatchCheckRequest, FindPersonRequest, LookupParty, LookupPurpose, PartyRole,
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::notary::{Counter, about, known_as, who};
use crate::record::{case, person};
use crate::support::hub::reason;

fn supervisor() -> Person {
    Person::new(Uuid::now_v7(), Role::Supervisor)
}

/// The alarms once there is one.
async fn alarms(counter: &Counter) -> Vec<Alarm> {
    let alarms = counter.hub.app.rest().alarms;
    let raised = async {
        loop {
            let listed = alarms.list(&supervisor(), None, 50).await.unwrap();
            if !listed.is_empty() {
                return listed;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), raised)
        .await
        .expect("raised")
}

#[tokio::test]
async fn who_asks_for_a_planted_identity_raises_an_alarm_and_hears_what_everybody_hears() {
    let counter = Counter::open().await;
    alarm::plant(&counter.hub.db.pool, [7; 16].into(), "某处系统")
        .await
        .unwrap();
    let ask = |number| about("mandate", vec![who(PartyRole::Principal, number)], vec![]);
    let planted = counter.answer(ask(7)).await;
    let raised = alarms(&counter).await;
    let ordinary = counter.answer(ask(8)).await;
    assert_eq!(planted.hits, ordinary.hits);
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].kind, Kind::Honey);
    assert_eq!(raised[0].office_id.as_str(), "hangzhou");
    let receipt = planted.receipt.unwrap();
    assert_eq!(raised[0].audit_entry.unsigned_abs(), receipt.audit_entry);
    // Once is enough until somebody has looked at it.
    counter.answer(ask(7)).await;
    assert_eq!(alarms(&counter).await.len(), 1);
}

#[tokio::test]
async fn who_tries_number_after_number_is_suspended_until_the_bureau_lifts_the_alarm() {
    let counter = watched().await;
    let ask = |number| about("mandate", vec![who(PartyRole::Principal, number)], vec![]);
    for number in 0..20 {
        counter.answer(ask(number)).await;
    }
    let raised = alarms(&counter).await;
    assert_eq!(raised[0].kind, Kind::ManySubjects);
    let refused = async {
        loop {
            if let Err(status) = counter.ask(ask(1)).await {
                return status;
            }
        }
    };
    let refused = timeout(Duration::from_secs(30), refused).await.unwrap();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let log = counter.log().await;
    assert!(log.iter().any(|entry| entry.action == "alarm.raise"));
    assert!(
        log.iter()
            .any(|entry| entry.detail["denied"] == "suspended")
    );
    let (api, grounds) = (counter.hub.app.rest(), "已与本人核实".parse().unwrap());
    let by = supervisor();
    let lifted = api.alarms.lift(&by, raised[0].alarm_id, &grounds);
    assert!(lifted.await.unwrap().lifted_at.is_some());
    counter.answer(ask(1)).await;
}

fn batch(numbers: std::ops::Range<u8>) -> BatchCheckRequest {
    BatchCheckRequest {
        purpose: LookupPurpose::BeforeAcceptance.into(),
        case_reference: "2024-接-1".to_owned(),
        matter_type: "gift".to_owned(),
        parties: numbers
            .map(|number| who(PartyRole::Donee, number))
            .collect(),
        ..BatchCheckRequest::default()
    }
}

fn find(person: LookupParty) -> FindPersonRequest {
    FindPersonRequest {
        purpose: LookupPurpose::VerifyingCase.into(),
        case_reference: "2024-接-2".to_owned(),
        matter_type: "mandate".to_owned(),
        person: Some(person),
    }
}

async fn watched() -> Counter {
    Counter::with(
        "lookup.person_per_minute = 10000\nlookup.office_per_minute = 10000\n\
         lookup.alarm.person_subjects = 20\nlookup.alarm.blocks = true",
    )
    .await
}

#[tokio::test]
async fn who_asks_about_many_in_one_batch_is_suspended_from_every_kind_of_look_up() {
    let counter = watched().await;
    counter.batch(batch(0..20)).await.unwrap();
    let raised = alarms(&counter).await;
    assert_eq!(raised[0].kind, Kind::ManySubjects);
    let last = counter.log().await[19].entry_no;
    assert_eq!(
        raised[0].audit_entry, last,
        "the last of the batch raised it"
    );
    let refused = async {
        loop {
            if let Err(status) = counter.batch(batch(0..1)).await {
                return status;
            }
        }
    };
    let refused = timeout(Duration::from_secs(30), refused).await.unwrap();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let person = who(PartyRole::Principal, 1);
    let refused = counter.find(find(person.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), "PERMISSION_DENIED");
    let refused = counter.ask(about("mandate", vec![person], vec![])).await;
    assert_eq!(reason(&refused.unwrap_err()), "PERMISSION_DENIED");
}

#[tokio::test]
async fn who_looks_for_one_person_after_another_raises_an_alarm_though_only_names_are_given() {
    let counter = watched().await;
    for number in 0..10 {
        let by_number = find(who(PartyRole::Principal, number));
        counter.find(by_number).await.unwrap();
        let by_name = known_as(PartyRole::Principal, &format!("张{number}"), "1961-03-07");
        counter.find(find(by_name)).await.unwrap();
    }
    assert_eq!(alarms(&counter).await[0].kind, Kind::ManySubjects);
}

#[tokio::test]
async fn who_tries_person_after_person_beside_a_known_one_raises_an_alarm() {
    let limits = "lookup.person_per_minute = 10000\nlookup.office_per_minute = 10000\n\
                  lookup.alarm.person_misses = 10";
    let counter = Counter::with(limits).await;
    let parties = vec![person(PartyRole::Principal, 1)];
    let known = vec![case("A").matter("mandate").parties(parties)];
    counter.seed.office(&counter.hub, "xiaoshan", known).await;
    for number in 0..10 {
        let tried = known_as(PartyRole::Agent, &format!("张{number}"), "1961-03-07");
        let both = vec![who(PartyRole::Principal, 1), tried];
        let answer = counter.answer(about("mandate", both, vec![])).await;
        assert_eq!(answer.hits.len(), 1);
    }
    assert_eq!(alarms(&counter).await[0].kind, Kind::ManyMisses);
}

#[tokio::test]
async fn guesses_beside_somebody_known_are_counted_as_misses() {
    let counter = Counter::with(
        "lookup.person_per_minute = 10000\nlookup.office_per_minute = 10000\n\
         lookup.alarm.person_misses = 20",
    )
    .await;
    let known = case("A")
        .matter("mandate")
        .parties(vec![person(PartyRole::Principal, 1)]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![known])
        .await;
    for guesses in [2..12, 12..22] {
        let known = std::iter::once(1);
        let asked = known.chain(guesses);
        let asked = asked.map(|number| who(PartyRole::Principal, number));
        let answer = counter
            .answer(about("mandate", asked.collect(), vec![]))
            .await;
        assert_eq!(answer.hits.len(), 1);
    }
    assert_eq!(alarms(&counter).await[0].kind, Kind::ManyMisses);
}

#[tokio::test]
async fn one_name_with_one_phone_after_another_is_as_many_persons() {
    let counter = watched().await;
    for number in 0..20 {
        let person = LookupParty {
            phone_token: vec![number; 16],
            ..known_as(PartyRole::Principal, "张三", "1961-03-07")
        };
        counter.find(find(person)).await.unwrap();
    }
    assert_eq!(alarms(&counter).await[0].kind, Kind::ManySubjects);
}
