//! Standing questions: who hears when another office opens a matter.

use notary_hub::identity::{Person, Role};
use notary_hub::lookup::{Asker, Denial, LookupError};
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::sync_response::Message;
use notary_proto::hub::v1::{
    CaseState, CheckApplicationRequest, IntentAction, Notice, NoticeKind, PartyRole,
    WatchMatterRequest,
};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::agent::{Agent, Stream};
use crate::notary::{Colleague, Counter, about, mistyped, thing, who};
use crate::record::{Case, case, person};
use crate::support::hub::{Hub, reason};
use crate::support::meet::meet_at_commit;
use crate::support::seed::notary;

fn watch(matter_type: &str, role: PartyRole, number: u8) -> WatchMatterRequest {
    let CheckApplicationRequest {
        purpose,
        case_reference,
        matter_type,
        parties,
        ..
    } = about(matter_type, vec![who(role, number)], vec![]);
    WatchMatterRequest {
        purpose,
        case_reference,
        matter_type,
        parties,
        ..WatchMatterRequest::default()
    }
}

pub fn of_estate(decedent: u8) -> WatchMatterRequest {
    watch("inheritance", PartyRole::Decedent, decedent)
}

pub fn estate(source_case_id: &str, decedent: u8) -> Case {
    case(source_case_id)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

fn about_to_accept(matter_type: &str, role: PartyRole, number: u8) -> CheckApplicationRequest {
    CheckApplicationRequest {
        intent: IntentAction::Register.into(),
        ..about(matter_type, vec![who(role, number)], vec![])
    }
}

/// What waits to be told: office and text, the oldest first.
async fn told(hub: &Hub) -> Vec<(String, String)> {
    let sql = "SELECT office_id, text_zh FROM notice WHERE kind = 'matter_opened' ORDER BY created_at, notice_id";
    sqlx::query_as(sql).fetch_all(&hub.db.pool).await.unwrap()
}

async fn arrives(counter: &Counter, office_id: &str, cases: Vec<Case>) {
    counter.seed.office(&counter.hub, office_id, cases).await;
}

async fn heard(stream: &mut Stream) -> Notice {
    loop {
        if let Message::Notice(notice) = stream.hear().await.unwrap() {
            return notice;
        }
    }
}

#[tokio::test]
async fn an_offices_agent_is_told_of_another_offices_case_of_the_matter_and_every_step_is_recorded()
{
    let counter = Counter::open().await;
    let hub = &counter.hub;
    let own = Agent {
        office_id: "hangzhou".to_owned(),
        office: hub.enrol_again("hangzhou").await,
        epoch: Uuid::now_v7(),
    };
    let other = Agent::enrol(hub, "yuhang").await;
    let (mut listening, _) = own.open(hub).await;
    let (mut sending, _) = other.open(hub).await;
    let put = counter.watch(of_estate(9)).await.unwrap();
    assert_eq!(put.already_open, 0);

    // The own office's case answers no question of its own.
    listening.send(1, vec![estate("A", 9)]).await;
    listening.acked(1).await;
    sending
        .send(1, vec![estate("Y1", 9), estate("Y2", 8)])
        .await;
    sending.acked(2).await;

    let notice = loop {
        let notice = heard(&mut listening).await;
        if notice.kind() == NoticeKind::MatterOpened {
            break notice;
        }
        // The own case makes the two duplicates as well.
        assert_eq!(notice.kind(), NoticeKind::DuplicateFound);
    };
    assert_eq!(
        notice.text_zh,
        "本处关注的继承事项（2024-接-1）：杭州市yuhang公证处已受理继承公证（重复），请核实。"
    );
    assert_eq!(told(hub).await.len(), 1);

    let log = counter.log().await;
    let actions: Vec<(&str, &str)> = log
        .iter()
        .map(|entry| (entry.action.as_str(), entry.outcome.as_str()))
        .collect();
    assert_eq!(
        actions,
        [
            ("lookup.watch_matter", "no_hit"),
            ("lookup.tell_watch", "hit")
        ]
    );
    assert_eq!(log[0].detail["watch"], put.watch_id);
    assert_eq!(
        (log[1].actor.as_str(), log[1].office_id.as_deref()),
        ("hub", Some("hangzhou"))
    );
    assert_eq!(log[1].case_reference.as_deref(), Some("2024-接-1"));
    assert_eq!(log[1].detail["told"][0][1], "Y1");
    assert_eq!(log[1].detail["notice"], notice.notice_id);
    assert_eq!(counter.verify().await.broken, None);
    let receipt = put.receipt.unwrap();
    assert_eq!(receipt.audit_entry, log[0].entry_no.unsigned_abs());

    // Told again on the next stream, it is recorded once all the same.
    drop(listening);
    let (mut again, _) = own.open(hub).await;
    while heard(&mut again).await.notice_id != notice.notice_id {}
    assert_eq!(counter.log().await.len(), 2);
}

#[tokio::test]
async fn a_case_is_told_of_when_it_is_accepted_and_once() {
    let counter = Counter::open().await;
    counter.watch(of_estate(9)).await.unwrap();
    let steps = [
        (1, CaseState::Applied),
        (2, CaseState::Accepted),
        (3, CaseState::UnderReview),
        (4, CaseState::Terminated),
        (5, CaseState::Accepted),
    ];
    let mut counts = Vec::new();
    for (revision, state) in steps {
        let mut sent = estate("X", 9).revision(revision).state(state);
        if state == CaseState::Applied {
            sent.0.accepted_day = None;
        }
        arrives(&counter, "xiaoshan", vec![sent]).await;
        counts.push(told(&counter.hub).await.len());
    }
    assert_eq!(counts, [0, 1, 1, 1, 1]);
    // Another case of the same matter is news.
    arrives(&counter, "xiaoshan", vec![estate("X2", 9)]).await;
    assert_eq!(told(&counter.hub).await.len(), 2);
}

#[tokio::test]
async fn nothing_is_told_after_the_question_was_taken_back_or_has_expired() {
    let counter = Counter::open().await;
    let taken_back = counter.watch(of_estate(1)).await.unwrap();
    counter.end_watch(&taken_back.watch_id).await.unwrap();
    // Once more does no harm.
    counter.end_watch(&taken_back.watch_id).await.unwrap();
    counter.watch(of_estate(2)).await.unwrap();
    sqlx::query("UPDATE standing_question SET expires_at = now()")
        .execute(&counter.hub.db.pool)
        .await
        .unwrap();
    counter.watch(of_estate(3)).await.unwrap();
    let cases = (1..=3).map(|number| estate(&format!("X{number}"), number));
    arrives(&counter, "xiaoshan", cases.collect()).await;
    let told = told(&counter.hub).await;
    assert_eq!(told.len(), 1, "of the third alone: {told:?}");
    assert_eq!(counter.watches().await.len(), 1);
    let ended = counter.log().await;
    let ended = ended
        .iter()
        .filter(|entry| entry.action == "lookup.end_watch");
    assert_eq!(ended.count(), 2);
}

#[tokio::test]
async fn a_sealed_matter_cannot_be_watched_and_no_will_answers_another_question() {
    let counter = Counter::open().await;
    for (matter, role) in [
        ("will", PartyRole::Testator),
        ("safekeeping", PartyRole::Applicant),
    ] {
        let status = counter.watch(watch(matter, role, 9)).await.unwrap_err();
        assert_eq!(reason(&status), "MATTER_SEALED");
        let details = status.get_error_details();
        let said = &details.localized_message().unwrap().message;
        assert!(said.contains("密封"), "{said}");
    }
    assert_eq!(counter.log().await[0].detail["denied"], "sealed");

    counter.watch(of_estate(9)).await.unwrap();
    let kept = case("K")
        .matter("safekeeping")
        .parties(vec![person(PartyRole::Testator, 9)]);
    let will = case("W").parties(vec![person(PartyRole::Testator, 9)]);
    arrives(&counter, "xiaoshan", vec![will, kept]).await;
    let related = "SELECT count(*) FROM matter_key JOIN standing_key USING (key)";
    let keys: i64 = sqlx::query_scalar(related)
        .fetch_one(&counter.hub.db.pool)
        .await
        .unwrap();
    assert!(keys > 0, "the keys meet, the seal holds");
    assert_eq!(told(&counter.hub).await, []);
}

#[tokio::test]
async fn of_a_matter_that_is_hardly_told_of_no_office_is_named() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    counter
        .watch(watch("adoption", PartyRole::Applicant, 9))
        .await
        .unwrap();
    // An intent says where, so that none is told.
    colleague
        .answer(about_to_accept("adoption", PartyRole::Applicant, 9))
        .await;
    assert_eq!(told(&counter.hub).await, []);
    let today = time::OffsetDateTime::now_utc().date().to_string();
    let adopted = case("X")
        .matter("adoption")
        .accepted(&today)
        .parties(vec![person(PartyRole::Applicant, 9)]);
    arrives(&counter, "xiaoshan", vec![adopted]).await;
    let told = told(&counter.hub).await;
    assert_eq!(
        told[0].1,
        "本处关注的收养关系事项（2024-接-1）：另一公证处有一件案件（重复），其事项依法不予披露。"
    );
}

/// Criminal records are told of before acceptance alone.
#[tokio::test]
async fn a_matter_is_watched_for_a_purpose_for_which_it_is_told_of() {
    let counter = Counter::open().await;
    let verifying = WatchMatterRequest {
        purpose: wire::LookupPurpose::VerifyingCase.into(),
        ..watch("criminal_record", PartyRole::Applicant, 9)
    };
    let unverified = {
        let mut request = of_estate(9);
        request.parties[0] = mistyped(PartyRole::Decedent, 9);
        request
    };
    let too_long = WatchMatterRequest {
        days: 367,
        ..of_estate(9)
    };
    for (request, field) in [
        (verifying, "purpose"),
        (unverified, "parties"),
        (too_long, "days"),
    ] {
        let status = counter.watch(request).await.unwrap_err();
        let details = status.get_error_details();
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            field
        );
    }
    let standing = "SELECT count(*) FROM standing_question";
    let standing: i64 = sqlx::query_scalar(standing)
        .fetch_one(&counter.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(standing, 0);
}

#[tokio::test]
async fn an_intent_is_told_once_and_then_the_case() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    counter.watch(of_estate(9)).await.unwrap();
    let intent = about_to_accept("inheritance", PartyRole::Decedent, 9);
    // The own one is no news.
    counter.answer(intent.clone()).await;
    colleague.answer(intent.clone()).await;
    colleague.answer(intent).await;
    arrives(&counter, "yuhang", vec![estate("Y", 9)]).await;
    let told = told(&counter.hub).await;
    let said: Vec<&str> = told
        .iter()
        .map(|(_, text)| text.split('：').nth(1).unwrap())
        .collect();
    assert_eq!(
        said,
        [
            "杭州市yuhang公证处拟受理继承公证（重复），请核实。",
            "杭州市yuhang公证处已受理继承公证（重复），请核实。"
        ]
    );
}

/// An intent stands for a day: what the office intends months later is another one.
#[tokio::test]
async fn an_intent_is_told_again_when_the_one_before_is_long_over() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let intent = about_to_accept("inheritance", PartyRole::Decedent, 9);
    let a_day_later = async || {
        let update = "UPDATE standing_event SET happened_at = happened_at - interval '1 day'";
        let update = sqlx::query(update).execute(&counter.hub.db.pool).await;
        update.unwrap();
    };
    // One stood when the question was put.
    colleague.answer(intent.clone()).await;
    counter.watch(of_estate(9)).await.unwrap();
    colleague.answer(intent.clone()).await;
    assert_eq!(told(&counter.hub).await.len(), 0);
    a_day_later().await;
    colleague.answer(intent.clone()).await;
    let first = told(&counter.hub).await;
    assert_eq!(first.len(), 1);
    let sent = sqlx::query("UPDATE notice SET delivered_at = now()");
    sent.execute(&counter.hub.db.pool).await.unwrap();
    a_day_later().await;
    colleague.answer(intent.clone()).await;
    assert_eq!(told(&counter.hub).await.len(), 2);
    // What never reached the office is told by the new one.
    a_day_later().await;
    colleague.answer(intent).await;
    assert_eq!(told(&counter.hub).await.len(), 2);
}

#[tokio::test]
async fn an_intent_that_no_rule_connects_with_the_question_is_not_counted_as_there() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let intent = CheckApplicationRequest {
        subjects: vec![thing(5)],
        ..about_to_accept("mandate", PartyRole::Principal, 9)
    };
    colleague.answer(intent).await;
    let question = WatchMatterRequest {
        subjects: vec![thing(6)],
        ..watch("mandate", PartyRole::Principal, 9)
    };
    assert_eq!(counter.watch(question).await.unwrap().already_open, 0);
    let entry = counter.log().await.pop().unwrap();
    assert_eq!(entry.detail["intents_told"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_is_there_already_is_counted_in_the_answer_and_no_notice_tells_of_it() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let intent = about_to_accept("inheritance", PartyRole::Decedent, 9);
    colleague.answer(intent.clone()).await;
    let mut applied_for = estate("X2", 9).state(CaseState::Applied);
    applied_for.0.accepted_day = None;
    arrives(&counter, "xiaoshan", vec![estate("X1", 9), applied_for]).await;
    arrives(&counter, "hangzhou", vec![estate("A", 9)]).await;

    let put = counter.watch(of_estate(9)).await.unwrap();
    assert_eq!(put.already_open, 2, "a case and an intent");
    let entry = counter.log().await.pop().unwrap();
    assert_eq!(entry.outcome, "hit");
    assert_eq!(
        entry.detail["told"],
        serde_json::json!([["xiaoshan", "X1"]])
    );
    assert_eq!(entry.detail["intents_told"][0], "yuhang");

    colleague.answer(intent).await;
    arrives(
        &counter,
        "xiaoshan",
        vec![estate("X1", 9).revision(2).fee(3)],
    )
    .await;
    assert_eq!(told(&counter.hub).await, []);
    // What was only applied for is opened now.
    arrives(&counter, "xiaoshan", vec![estate("X2", 9).revision(2)]).await;
    assert_eq!(told(&counter.hub).await.len(), 1);
}

#[tokio::test]
async fn the_same_question_put_again_stands_on_until_its_new_end() {
    let counter = Counter::open().await;
    let days = |days| WatchMatterRequest {
        days,
        ..of_estate(9)
    };
    let first = counter.watch(days(1)).await.unwrap();
    let again = counter.watch(days(30)).await.unwrap();
    assert_eq!(first.watch_id, again.watch_id);
    let seconds = |at: Option<prost_types::Timestamp>| at.unwrap().seconds;
    let longer = seconds(again.expires_at) - seconds(first.expires_at);
    assert!(
        (29 * 86_400..29 * 86_400 + 3600).contains(&longer),
        "{longer}"
    );

    let of_another_case = WatchMatterRequest {
        case_reference: "2024-接-2".to_owned(),
        ..of_estate(9)
    };
    let other = counter.watch(of_another_case).await.unwrap();
    let about_another = counter.watch(of_estate(8)).await.unwrap();
    let listed: Vec<String> = counter
        .watches()
        .await
        .into_iter()
        .map(|watch| watch.watch_id)
        .collect();
    assert_eq!(
        listed,
        [about_another.watch_id, other.watch_id, first.watch_id]
    );
}

#[tokio::test]
async fn every_office_that_asked_hears_and_sees_its_own_questions_alone() {
    let counter = Counter::open().await;
    let colleague = Colleague::of(&counter.hub, "yuhang").await;
    let own = counter.watch(of_estate(9)).await.unwrap();
    let theirs = colleague.watch(of_estate(9)).await.unwrap();
    let listed = counter.watches().await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].watch_id.as_str(), listed[0].matter_type.as_str()),
        (own.watch_id.as_str(), "inheritance")
    );
    let status = counter.end_watch(&theirs.watch_id).await.unwrap_err();
    assert_eq!(reason(&status), "WATCH_UNKNOWN");
    let status = counter.end_watch("1").await.unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");

    arrives(&counter, "xiaoshan", vec![estate("X", 9)]).await;
    let mut offices: Vec<String> = told(&counter.hub)
        .await
        .into_iter()
        .map(|(office, _)| office)
        .collect();
    offices.sort();
    assert_eq!(offices, ["hangzhou", "yuhang"]);
}

#[tokio::test]
async fn a_standing_question_costs_a_look_up_and_an_office_has_so_many() {
    let counter = Counter::with("lookup.person_per_minute = 1").await;
    counter.watch(of_estate(1)).await.unwrap();
    let status = counter.watch(of_estate(2)).await.unwrap_err();
    assert_eq!(reason(&status), "RATE_LIMITED");

    let counter = Counter::open().await;
    sqlx::query(
        "INSERT INTO standing_question (question_id, office_id, account_id, matter_type, purpose, case_reference, put_at,
                                        expires_at)
         SELECT gen_random_uuid(), 'hangzhou', gen_random_uuid(), 'inheritance', 'before_acceptance', n::text, now(),
                now() + interval '1 day' FROM generate_series(1, 200) AS n",
    )
    .execute(&counter.hub.db.pool)
    .await
    .unwrap();
    let status = counter.watch(of_estate(1)).await.unwrap_err();
    assert_eq!(reason(&status), "TOO_MANY_WATCHES");
    assert_eq!(counter.log().await[0].detail["denied"], "too_many_watches");
    // One that is over makes room.
    sqlx::query("UPDATE standing_question SET expires_at = now() WHERE case_reference = '7'")
        .execute(&counter.hub.db.pool)
        .await
        .unwrap();
    counter.watch(of_estate(1)).await.unwrap();
}

/// What was over for a month is forgotten when its office asks again, with what never reached it.
#[tokio::test]
async fn what_was_over_long_ago_is_forgotten() {
    let counter = Counter::open().await;
    let old = counter.watch(of_estate(1)).await.unwrap();
    arrives(&counter, "xiaoshan", vec![estate("X1", 1)]).await;
    counter.end_watch(&old.watch_id).await.unwrap();
    sqlx::query("UPDATE standing_question SET ended_at = now() - interval '31 days'")
        .execute(&counter.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(told(&counter.hub).await.len(), 1);
    counter.watch(of_estate(2)).await.unwrap();
    assert_eq!(told(&counter.hub).await, []);
    let left = "SELECT count(*) FROM standing_event";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(&counter.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn only_a_notary_asks_to_hear() {
    let mut counter = Counter::open().await;
    for role in [Role::Analyst, Role::Supervisor, Role::Operator] {
        counter.signed_in_as(role);
        let status = counter.watch(of_estate(1)).await.unwrap_err();
        assert_eq!(reason(&status), "PERMISSION_DENIED");
    }
    counter.signed_in_as(notary("xiaoshan"));
    let status = counter.watch(of_estate(1)).await.unwrap_err();
    assert_eq!(reason(&status), "OFFICE_MISMATCH");
}

#[tokio::test]
async fn without_the_check_a_notary_still_sees_and_ends_no_question_of_another_office() {
    let counter = Counter::open().await;
    let put = counter.watch(of_estate(9)).await.unwrap();
    let (lookup, writing) = counter.lookup();
    // A notary of yuhang whom the hub takes for one of hangzhou.
    let yuhang = Person::new(Uuid::now_v7(), notary("yuhang"));
    let mut asker = Asker::new(&yuhang, "yuhang".parse().unwrap());
    asker.office_id = "hangzhou".parse().unwrap();
    assert!(lookup.watches(asker).await.unwrap().is_empty());
    let watch_id = Uuid::parse_str(&put.watch_id).unwrap();
    let refused = lookup.end_watch(asker, watch_id).await.unwrap_err();
    assert!(
        matches!(refused, LookupError::Denied(Denial::NoSuchWatch)),
        "{refused}"
    );
    assert_eq!(counter.watches().await.len(), 1);
    writing.abort();
}

/// A trigger holds each of the two after its look and at its commit, until the other has come as far. Without the
/// locks on stripes both come there, having seen nothing; with them the second waits before its look.
#[tokio::test]
async fn a_question_and_a_case_at_the_same_moment_find_each_other() {
    let counter = Counter::open().await;
    meet_at_commit(&counter.hub.db.pool, &["standing_question", "case_record"]).await;
    for decedent in 1..=6 {
        let heard_before = told(&counter.hub).await.len();
        let (put, ()) = tokio::join!(
            counter.watch(of_estate(decedent)),
            arrives(
                &counter,
                "xiaoshan",
                vec![estate(&format!("X{decedent}"), decedent)]
            ),
        );
        let already = put.unwrap().already_open as usize;
        let heard = told(&counter.hub).await.len() - heard_before;
        assert_eq!(
            already + heard,
            1,
            "told once: {already} in the answer, {heard} by notice"
        );
    }
}
