//! Who is not answered, and that every denial is recorded.

use futures_util::future::join_all;
use notary_hub::identity::Role;
use notary_hub::store;
use notary_proto::hub::v1::{CheckApplicationRequest, LookupPurpose, PartyRole};
use tonic::Code;
use tonic_types::StatusExt;

use crate::notary::{Counter, about, thing, who};
use crate::support::hub::reason;
use crate::support::seed::{notary, session_of};

fn question() -> CheckApplicationRequest {
    about(
        "mandate",
        vec![who(PartyRole::Principal, 1)],
        vec![thing(1)],
    )
}

fn at_place(place_of_use: &str) -> CheckApplicationRequest {
    CheckApplicationRequest {
        place_of_use: place_of_use.to_owned(),
        ..question()
    }
}

/// The reason, and what the log's only new entry says of it.
async fn denied(counter: &Counter, question: CheckApplicationRequest) -> (String, String) {
    let before = counter.log().await.len();
    let status = counter.ask(question).await.unwrap_err();
    let log = counter.log().await;
    assert_eq!(log.len(), before + 1);
    let entry = log.last().unwrap();
    assert_eq!(entry.outcome, "denied");
    assert_eq!(entry.office_id.as_deref(), Some("hangzhou"));
    let denied = entry.detail["denied"].as_str().unwrap();
    (reason(&status), denied.to_owned())
}

fn says(reason: &str, denied: &str) -> (String, String) {
    (reason.to_owned(), denied.to_owned())
}

#[tokio::test]
async fn without_a_purpose_or_a_case_of_ones_own_there_is_no_answer() {
    let counter = Counter::open().await;
    let without_purpose = CheckApplicationRequest {
        purpose: LookupPurpose::Unspecified.into(),
        ..question()
    };
    assert_eq!(
        denied(&counter, without_purpose).await,
        says("PURPOSE_REQUIRED", "no_purpose")
    );
    let of_the_bureau = CheckApplicationRequest {
        purpose: LookupPurpose::Supervision.into(),
        ..question()
    };
    assert_eq!(
        denied(&counter, of_the_bureau).await,
        says("PERMISSION_DENIED", "purpose_of_the_bureau")
    );
    let without_reference = CheckApplicationRequest {
        case_reference: "  ".to_owned(),
        ..question()
    };
    assert_eq!(
        denied(&counter, without_reference).await,
        says("CASE_REFERENCE_REQUIRED", "no_case_reference")
    );
}

#[tokio::test]
async fn a_notary_speaks_through_the_own_offices_certificate_alone() {
    let mut counter = Counter::open().await;
    counter.signed_in_as(notary("xiaoshan"));
    assert_eq!(
        denied(&counter, question()).await,
        says("OFFICE_MISMATCH", "other_office")
    );
}

#[tokio::test]
async fn nobody_but_a_notary_looks_up() {
    let mut counter = Counter::open().await;
    for role in [Role::Analyst, Role::Supervisor, Role::Operator] {
        counter.signed_in_as(role);
        assert_eq!(
            denied(&counter, question()).await,
            says("PERMISSION_DENIED", "not_a_notary")
        );
    }
    counter.session = None;
    assert_eq!(
        denied(&counter, question()).await,
        says("UNAUTHENTICATED", "no_session")
    );
    counter.session = Some("made.up.token".to_owned());
    assert_eq!(
        denied(&counter, question()).await,
        says("UNAUTHENTICATED", "no_session")
    );
    let nobody = &counter.log().await[3];
    assert_eq!(nobody.actor, "office:hangzhou");
}

/// A case system that has lost its session, or a certificate in the wrong hands.
#[tokio::test]
async fn whoever_is_denied_again_and_again_is_counted_and_delays_no_other() {
    let mut counter = Counter::open().await;
    let session = counter.session.take();
    let mut refused = Vec::new();
    // Several at once: a machine that needed a second for each would never come beyond the budget.
    while !refused.iter().any(|one| one == "RATE_LIMITED") {
        assert!(refused.len() < 2000, "nobody is counted");
        let asked = join_all((0..20).map(|_| counter.ask(question()))).await;
        refused.extend(asked.into_iter().map(|answer| reason(&answer.unwrap_err())));
    }
    assert!(each_of(&refused) >= 60);
    let log = counter.log().await;
    let counted: Vec<_> = log.iter().filter(|one| one.action == "request").collect();
    let [counted] = counted[..] else {
        panic!("one entry of a minute: {counted:?}")
    };
    assert_eq!(counted.actor, "office:hangzhou");
    assert_eq!(counted.detail, serde_json::json!({ "count": 1 }));
    assert_eq!(log.len() as u64, each_of(&refused) + 1);
    // Its notaries are others, and are answered.
    counter.session = session;
    counter.answer(question()).await;
    let mut of_the_bureau = question();
    of_the_bureau.purpose = LookupPurpose::Supervision.into();
    assert_eq!(
        denied(&counter, of_the_bureau).await,
        says("PERMISSION_DENIED", "purpose_of_the_bureau")
    );
    // What was only counted is recorded at the latest when the hub stops.
    let pool = counter.hub.db.pool.clone();
    counter.hub.app.stop().await.unwrap();
    let log = store::audit::after(&pool, 0, 1000).await.unwrap();
    let told = log.iter().filter(|one| one.action == "request");
    let told: u64 = told.map(|one| one.detail["count"].as_u64().unwrap()).sum();
    assert_eq!(told, refused.len() as u64 - each_of(&refused));
}

fn each_of(refused: &[String]) -> u64 {
    let each = refused.iter().filter(|one| *one == "UNAUTHENTICATED");
    each.count() as u64
}

#[tokio::test]
async fn a_malformed_question_names_its_field() {
    let counter = Counter::open().await;
    let mut short_token = question();
    short_token.subjects[0].token = vec![1; 15];
    let mut no_role = question();
    no_role.parties[0].role = 0;
    let mut no_identifier = question();
    no_identifier.parties[0].identifier = None;
    for (field, malformed) in [
        ("subjects[0].token", short_token),
        ("parties[0].role", no_role),
        ("parties[0].identifier", no_identifier),
        ("matter_type", about("magic", question().parties, vec![])),
        ("parties", about("mandate", vec![], vec![])),
        (
            "parties",
            about("mandate", vec![who(PartyRole::Principal, 1); 17], vec![]),
        ),
        ("subjects", about("mandate", vec![], vec![thing(1); 17])),
        (
            "case_reference",
            CheckApplicationRequest {
                case_reference: "1\0".to_owned(),
                ..question()
            },
        ),
        (
            "case_reference",
            CheckApplicationRequest {
                case_reference: "一".repeat(65),
                ..question()
            },
        ),
        ("place_of_use", at_place("jp")),
        ("place_of_use", at_place("JPN")),
        ("place_of_use", at_place("日")),
    ] {
        let status = counter.ask(malformed).await.unwrap_err();
        assert_eq!(reason(&status), "FIELD_INVALID");
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
    }
    let log = counter.log().await;
    assert_eq!(log.len(), 12);
    assert!(
        log.iter()
            .all(|entry| entry.detail["denied"] == "field_invalid")
    );
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let mut counter =
        Counter::with("lookup.person_per_minute = 2\nlookup.office_per_minute = 3").await;
    counter.answer(question()).await;
    counter.answer(question()).await;
    let status = counter.ask(question()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "RATE_LIMITED");
    assert!(status.get_error_details().retry_info().is_some());
    // A colleague has a budget as well, until the office's is spent.
    let colleague = uuid::Uuid::now_v7();
    counter.session = Some(session_of(&counter.hub, colleague, notary("hangzhou")));
    counter.answer(question()).await;
    assert_eq!(
        denied(&counter, question()).await,
        says("RATE_LIMITED", "budget_spent")
    );
    let last = counter.log().await.pop().unwrap();
    assert_eq!(last.actor, colleague.to_string());
    assert_eq!(last.purpose.as_deref(), Some("before_acceptance"));
}
