//! The database behind the checks of the services that answer notaries.

use linkage::matter::{MatterKey, MatterType};
use linkage::vocabulary::PartyRole as Standing;
use notary_hub::audit::{Audit, key_file};
use notary_hub::details::{Answer, Details, DetailsError, Outcome, Request as Asked, Side};
use notary_hub::identity::{Person, Role};
use notary_hub::lookup::Asker;
use notary_hub::lookup::disclosure;
use notary_hub::rules::{Edition, Rules};
use notary_hub::store;
use notary_hub::store::lookup::intent::Sought;
use notary_hub::store::lookup::{Opened, Wanted};
use notary_hub::store::scope::{Scope, Searches};
use notary_proto::hub::v1::{CheckApplicationRequest, IntentAction, PartyRole};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::details::{City, city};
use crate::notary::{Counter, about, who};
use crate::record::{case, person};
use crate::support::seed::notary;

#[tokio::test]
async fn without_the_check_a_look_up_still_finds_no_sealed_matter_but_the_decedents() {
    let counter = Counter::open().await;
    let there = vec![
        case("W").parties(vec![person(PartyRole::Testator, 1)]),
        case("M")
            .matter("mandate")
            .parties(vec![person(PartyRole::Principal, 1)]),
    ];
    counter.seed.office(&counter.hub, "xiaoshan", there).await;
    let searches = Searches::open(&counter.hub.db.url, 2).unwrap();
    let will: MatterType = "will".parse().unwrap();
    let scope = Scope::of(notary("hangzhou"));
    let found = async |decedents: &[u8]| {
        let opened = |&n: &u8| Opened {
            matter_type: will,
            holder: Standing::Testator,
            token: [n; 16].into(),
        };
        // Nothing is said to be closed.
        let wanted = Wanted {
            party_tokens: vec![[1; 16].into()],
            opened: decedents.iter().map(opened).collect(),
            ..Wanted::default()
        };
        let reading = scope.look_up(&searches, &wanted.holders()).await;
        let mut reading = reading.unwrap();
        let found = store::lookup::find(&mut reading, &wanted, None, 10).await;
        let found = found.unwrap().found.into_iter();
        let mut keys: Vec<String> = found.map(|case| case.source_case_id).collect();
        keys.sort();
        keys
    };
    assert_eq!(found(&[]).await, ["M"]);
    assert_eq!(found(&[2]).await, ["M"], "of somebody else");
    assert_eq!(found(&[1, 2]).await, ["M", "W"]);
    let seals = disclosure::seals(&Edition::shipped().rules);
    let inheritance = "inheritance".parse().unwrap();
    assert!(
        seals.contains(&(will, inheritance)),
        "the rules seal what the policy does"
    );
}

#[tokio::test]
async fn without_the_check_a_look_up_still_hears_of_no_intent_to_make_a_will() {
    let counter = Counter::open().await;
    for (matter, role) in [
        ("will", PartyRole::Testator),
        ("inheritance", PartyRole::Decedent),
    ] {
        let question = CheckApplicationRequest {
            intent: IntentAction::Register.into(),
            ..about(matter, vec![who(role, 1)], vec![])
        };
        let registered = counter.answer(question).await;
        assert!(registered.intent_expires_at.is_some(), "{matter}");
    }
    let pool = &counter.hub.db.pool;
    let keys: Vec<Vec<u8>> = sqlx::query_scalar("SELECT key FROM lookup_intent")
        .fetch_all(pool)
        .await
        .unwrap();
    let keys: Vec<MatterKey> = keys
        .iter()
        .map(|key| key.as_slice().try_into().unwrap())
        .collect();
    let told = async |reading: &mut PgConnection| {
        // Nothing is said to be untold.
        let sought = Sought {
            office_id: "yuhang".parse().unwrap(),
            keys: &keys,
            untold: &[],
        };
        let others = store::lookup::intent::others(reading, sought);
        let others = others.await.unwrap();
        let found = store::lookup::find(reading, &Wanted::default(), Some(sought), 1).await;
        assert_eq!(found.unwrap().is_intended, !others.is_empty());
        let mut matters: Vec<&str> = others
            .iter()
            .map(|other| other.standing.matter_type.code())
            .collect();
        matters.sort_unstable();
        matters
    };
    let searches = Searches::open(&counter.hub.db.url, 2).unwrap();
    let scope = Scope::of(notary("yuhang"));
    for opened in [&[][..], &[[1; 16].into()]] {
        let mut reading = scope.look_up(&searches, opened).await.unwrap();
        assert_eq!(told(&mut reading).await, ["inheritance"]);
    }
    for nobody in [Role::Analyst, Role::Supervisor, Role::Operator] {
        let nobody = Scope::of(nobody);
        let mut reading = nobody.look_up(&searches, &[]).await.unwrap();
        assert!(told(&mut reading).await.is_empty(), "{nobody:?}");
    }
    let mut as_the_hub = pool.acquire().await.unwrap();
    assert_eq!(told(&mut as_the_hub).await, ["inheritance", "will"]);
}

#[tokio::test]
async fn without_the_check_a_notary_still_has_no_part_in_what_other_offices_ask_each_other() {
    let City {
        mut asking,
        audit_entry,
        counter,
        ..
    } = city().await;
    let asked = crate::details::question(audit_entry);
    asking.ask(asked.clone()).await.unwrap();
    let pool = store::pool::audit(&counter.hub.db.url).unwrap();
    let key = key_file::load_or_make(&counter.hub.keys.config).unwrap();
    let (audit, log) = Audit::new(pool, key.into());
    let writing = tokio::spawn(log.run(CancellationToken::new()));
    let details = Details::new(counter.hub.db.pool.clone(), audit, Rules::shipped());
    // A notary of yuhang whom the hub takes for one of either office.
    for office in ["hangzhou", "xiaoshan"] {
        let yuhang = Person::new(Uuid::now_v7(), notary("yuhang"));
        let mut asker = Asker::new(&yuhang, "yuhang".parse().unwrap());
        asker.office_id = office.parse().unwrap();
        for side in [Side::AskedByUs, Side::AskedOfUs] {
            let listed = details.list(asker, side, None, 10).await.unwrap();
            assert!(listed.is_empty(), "{office} {side:?}");
        }
        let answer = Answer::parse(&asked.request_id, Outcome::Verified, "属实。").unwrap();
        let said = details.answer(asker, answer).await.unwrap_err();
        assert!(matches!(said, DetailsError::NoSuchRequest), "{said}");
        let request = Asked::parse(&Uuid::new_v4().to_string(), audit_entry, 0, "？").unwrap();
        let said = details.request(asker, request).await.unwrap_err();
        assert!(matches!(said, DetailsError::NotTold), "{said}");
    }
    writing.abort();
}
