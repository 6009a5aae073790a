//! What a notary hears.

use notary_proto::hub::v1::{
    BatchCheckRequest, CaseState, FindPersonRequest, LookupHit, LookupParty, MatchSeverity,
    MatchedOn, PartyKind, PartyRole,
};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::notary::{Counter, about, mistyped, thing, who};
use crate::record::{Case, case, day, home, person};

/// The rules look at a window around today.
fn days_ago(days: i64) -> String {
    let day = time::OffsetDateTime::now_utc().date() - time::Duration::days(days);
    day.to_string()
}

fn inheritance(key: &str, decedent: u8) -> Case {
    case(key)
        .matter("inheritance")
        .accepted(&days_ago(2))
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

fn mandate(key: &str, principal: u8, house: u8) -> Case {
    case(key)
        .matter("mandate")
        .accepted(&days_ago(2))
        .parties(vec![person(PartyRole::Principal, principal)])
        .subjects(vec![home(house)])
}

fn matters(hits: &[LookupHit]) -> Vec<(&str, &str, MatchSeverity)> {
    hits.iter()
        .map(|hit| {
            (
                hit.office_id.as_str(),
                hit.matter_type.as_str(),
                hit.severity(),
            )
        })
        .collect()
}

#[tokio::test]
async fn the_same_estate_at_another_office_is_a_duplicate_and_who_was_first_is_named() {
    let counter = Counter::open().await;
    let there = inheritance("A", 1).number(7).accepted(&days_ago(8));
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    let answer = counter
        .answer(about(
            "inheritance",
            vec![who(PartyRole::Decedent, 1)],
            vec![],
        ))
        .await;
    let hit = answer.hits.first().expect("a hit");
    assert_eq!(answer.hits.len(), 1);
    assert_eq!(
        (hit.office_id.as_str(), hit.office_name.as_str()),
        ("xiaoshan", "杭州市xiaoshan公证处")
    );
    assert_eq!(hit.case_no, "（2024）浙杭证民字第7号");
    assert_eq!(hit.state(), CaseState::Accepted);
    assert_eq!(hit.accepted_day, Some(day(&days_ago(8))));
    assert_eq!(hit.matched_on, [i32::from(MatchedOn::Identifier)]);
    assert_eq!(hit.masked_names, ["张*"]);
    assert_eq!(hit.severity(), MatchSeverity::Duplicate);
    assert!(hit.first_accepting);
    assert!(!answer.truncated);
}

#[tokio::test]
async fn of_two_duplicates_only_the_earlier_acceptance_is_named_first() {
    let counter = Counter::open().await;
    crate::support::add_office(&counter.hub.db.pool, "yuhang").await;
    for (office, on) in [("xiaoshan", 8), ("yuhang", 6)] {
        let there = vec![inheritance("A", 1).accepted(&days_ago(on))];
        counter.seed.office(&counter.hub, office, there).await;
    }
    let question = about("inheritance", vec![who(PartyRole::Decedent, 1)], vec![]);
    let answer = counter.answer(question).await;
    let first: Vec<_> = answer
        .hits
        .iter()
        .filter(|hit| hit.first_accepting)
        .map(|hit| hit.office_id.as_str())
        .collect();
    assert_eq!((answer.hits.len(), first), (2, vec!["xiaoshan"]));
}

#[tokio::test]
async fn a_house_is_found_by_its_own_number_whoever_comes_with_it() {
    let counter = Counter::open().await;
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![mandate("A", 1, 5)])
        .await;
    let answer = counter
        .answer(about(
            "gift",
            vec![who(PartyRole::Donor, 2)],
            vec![thing(5)],
        ))
        .await;
    assert_eq!(
        matters(&answer.hits),
        [("xiaoshan", "mandate", MatchSeverity::Conflict)]
    );
    assert_eq!(answer.hits[0].matched_on, [i32::from(MatchedOn::Subject)]);
}

#[tokio::test]
async fn the_own_offices_cases_and_unconnected_ones_are_told_newest_acceptance_first() {
    let counter = Counter::open().await;
    let own = vec![
        mandate("A", 1, 5).accepted(&days_ago(9)),
        mandate("B", 1, 6).accepted(&days_ago(7)),
    ];
    counter.seed.office(&counter.hub, "hangzhou", own).await;
    let there = case("C")
        .matter("contract")
        .parties(vec![person(PartyRole::Applicant, 1)])
        .accepted(&days_ago(8));
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    let answer = counter
        .answer(about(
            "mandate",
            vec![who(PartyRole::Principal, 1)],
            vec![thing(5)],
        ))
        .await;
    assert_eq!(
        matters(&answer.hits),
        [
            ("hangzhou", "mandate", MatchSeverity::Unspecified),
            ("xiaoshan", "contract", MatchSeverity::Unspecified),
            ("hangzhou", "mandate", MatchSeverity::Conflict),
        ]
    );
    let both = [MatchedOn::Identifier, MatchedOn::Subject].map(i32::from);
    assert_eq!(answer.hits[2].matched_on, both);
}

#[tokio::test]
async fn whoever_was_nowhere_is_not_found_and_that_is_recorded_as_well() {
    let counter = Counter::open().await;
    let answer = counter
        .answer(about(
            "mandate",
            vec![who(PartyRole::Principal, 1)],
            vec![thing(5)],
        ))
        .await;
    assert!(answer.hits.is_empty());
    let log = counter.log().await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].outcome, "no_hit");
}

#[tokio::test]
async fn a_number_whose_check_digit_fails_matches_nothing() {
    let counter = Counter::open().await;
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![inheritance("A", 1)])
        .await;
    let mistyped = mistyped(PartyRole::Decedent, 1);
    let answer = counter
        .answer(about("inheritance", vec![mistyped], vec![]))
        .await;
    assert!(answer.hits.is_empty());
}

/// "Nothing found" would be said of somebody whom nobody looked for.
#[tokio::test]
async fn a_number_whose_check_digit_fails_is_asked_about_with_a_name_or_not_at_all() {
    let counter = Counter::open().await;
    let nameless = LookupParty {
        name: String::new(),
        ..mistyped(PartyRole::Decedent, 1)
    };
    let field = |status: Status| {
        let details = status.get_error_details();
        details.bad_request().unwrap().field_violations[0]
            .field
            .clone()
    };
    let parties = vec![who(PartyRole::Heir, 2), nameless.clone()];
    let asked = about("inheritance", parties.clone(), vec![]);
    let refused = counter.ask(asked.clone()).await.unwrap_err();
    assert_eq!(field(refused), "parties[1].name");
    let batch = BatchCheckRequest {
        purpose: asked.purpose,
        case_reference: asked.case_reference.clone(),
        matter_type: asked.matter_type.clone(),
        parties,
        ..BatchCheckRequest::default()
    };
    let refused = counter.batch(batch).await.unwrap_err();
    assert_eq!(field(refused), "parties[1].name");
    let find = FindPersonRequest {
        purpose: asked.purpose,
        case_reference: asked.case_reference,
        matter_type: asked.matter_type,
        person: Some(nameless),
    };
    let refused = counter.find(find).await.unwrap_err();
    assert_eq!(field(refused), "person.name");
}

#[tokio::test]
async fn an_unverified_number_of_a_case_is_never_found() {
    let counter = Counter::open().await;
    let mut party = person(PartyRole::Decedent, 1);
    party.identifier.as_mut().unwrap().verified = false;
    let there = case("A").matter("inheritance").parties(vec![party]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    let answer = counter
        .answer(about(
            "inheritance",
            vec![who(PartyRole::Decedent, 1)],
            vec![],
        ))
        .await;
    assert!(answer.hits.is_empty());
}

#[tokio::test]
async fn a_will_is_told_to_nobody_but_those_who_settle_its_testators_estate() {
    let counter = Counter::open().await;
    let wills = vec![
        case("W1").parties(vec![person(PartyRole::Testator, 1)]),
        // The heir has made a will, too, and is alive.
        case("W2").parties(vec![person(PartyRole::Testator, 2)]),
    ];
    counter.seed.office(&counter.hub, "xiaoshan", wills).await;
    for sealed in [
        about("mandate", vec![who(PartyRole::Principal, 1)], vec![]),
        about("will", vec![who(PartyRole::Testator, 1)], vec![]),
        about("inheritance", vec![who(PartyRole::Heir, 1)], vec![]),
    ] {
        let answer = counter.answer(sealed).await;
        assert!(answer.hits.is_empty() && !answer.truncated);
    }
    let estate = vec![who(PartyRole::Decedent, 1), who(PartyRole::Heir, 2)];
    let answer = counter.answer(about("inheritance", estate, vec![])).await;
    assert_eq!(
        matters(&answer.hits),
        [("xiaoshan", "will", MatchSeverity::Related)]
    );
}

#[tokio::test]
async fn a_withdrawn_record_is_not_told() {
    let counter = Counter::open().await;
    let gone = inheritance("A", 1).state(CaseState::Withdrawn);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![gone])
        .await;
    let answer = counter
        .answer(about(
            "inheritance",
            vec![who(PartyRole::Decedent, 1)],
            vec![],
        ))
        .await;
    assert!(answer.hits.is_empty());
}

#[tokio::test]
async fn a_hundred_cases_are_told_and_that_there_are_more() {
    let counter = Counter::open().await;
    let many = (0..101).map(|n| mandate(&format!("M{n}"), 1, n)).collect();
    counter.seed.office(&counter.hub, "xiaoshan", many).await;
    let question = about("mandate", vec![who(PartyRole::Principal, 1)], vec![]);
    let answer = counter.answer(question.clone()).await;
    assert_eq!((answer.hits.len(), answer.truncated), (100, true));
    let one_less = mandate("M0", 9, 0).revision(2);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![one_less])
        .await;
    let answer = counter.answer(question).await;
    assert_eq!((answer.hits.len(), answer.truncated), (100, false));
}

#[tokio::test]
async fn a_fact_is_a_duplicate_for_one_place_of_use_and_something_to_look_at_where_one_is_unknown()
{
    let counter = Counter::open().await;
    let fact = |key: &str, number, place: &str| {
        let mut fact = case(key)
            .matter("birth")
            .accepted(&days_ago(1))
            .parties(vec![person(PartyRole::Applicant, number)]);
        fact.0.place_of_use = place.to_owned();
        fact
    };
    let facts = vec![fact("A", 1, ""), fact("B", 2, "US")];
    counter.seed.office(&counter.hub, "xiaoshan", facts).await;
    for (number, place, severity) in [
        (1, "", MatchSeverity::Duplicate),
        (1, "US", MatchSeverity::Related),
        (2, "", MatchSeverity::Related),
        (2, "US", MatchSeverity::Duplicate),
        (2, "JP", MatchSeverity::Unspecified),
    ] {
        let mut question = about("birth", vec![who(PartyRole::Applicant, number)], vec![]);
        question.place_of_use = place.to_owned();
        let answer = counter.answer(question).await;
        let expected = [("xiaoshan", "birth", severity)];
        assert_eq!(matters(&answer.hits), expected, "{number} for {place:?}");
    }
    let log = counter.log().await;
    let asked = &log.last().unwrap().detail;
    assert_eq!(asked["place_of_use"], "JP");
}

#[tokio::test]
async fn an_organisation_is_masked_as_one() {
    let counter = Counter::open().await;
    let mut bank = person(PartyRole::Creditor, 1);
    bank.kind = PartyKind::Legal.into();
    bank.name = "杭州联合农村商业银行".to_owned();
    let debt = case("A").matter("enforceable_debt").parties(vec![bank]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![debt])
        .await;
    let question = about(
        "enforceable_debt",
        vec![who(PartyRole::Creditor, 1)],
        vec![],
    );
    let answer = counter.answer(question).await;
    assert_eq!(answer.hits[0].masked_names, ["杭州****"]);
}

#[tokio::test]
async fn an_office_without_new_cases_is_up_to_date_while_its_agent_is_heard_and_nothing_waits() {
    let counter = Counter::open().await;
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![inheritance("A", 1)])
        .await;
    let pool = &counter.hub.db.pool;
    let quiet = "UPDATE sync_position SET caught_up_at = '1999-01-01 00:00Z', backlog = 0, last_seen_at = '2001-01-01 00:00Z'";
    sqlx::query(quiet).execute(pool).await.unwrap();
    let question = about("mandate", vec![who(PartyRole::Principal, 9)], vec![]);
    let answer = counter.answer(question).await;
    let xiaoshan = answer.feeds.iter().find(|f| f.office_id == "xiaoshan");
    let at = xiaoshan.unwrap().caught_up_at.unwrap();
    assert_eq!(at.seconds, 978_307_200, "as of when it was last heard");
}

#[tokio::test]
async fn every_offices_feed_is_told_with_its_freshness() {
    let counter = Counter::open().await;
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![inheritance("A", 1)])
        .await;
    let answer = counter
        .answer(about("mandate", vec![who(PartyRole::Principal, 9)], vec![]))
        .await;
    let feeds: Vec<_> = answer
        .feeds
        .iter()
        .map(|feed| {
            let caught_up = feed.caught_up_at.is_some() && feed.last_commit_at.is_some();
            (feed.office_id.as_str(), caught_up, feed.connected)
        })
        .collect();
    assert_eq!(
        feeds,
        [("hangzhou", false, false), ("xiaoshan", true, true)]
    );
}
