//! Duplicate applications between offices.

use linkage::matter::MatterType;
use notary_hub::rules::Edition;
use notary_proto::hub::v1::{CaseState, PartyRole, Record, Subject, SubjectKind};

use crate::city::Hub;
use crate::record::{Case, case, home, person};
use crate::support::meet::meet_at;

fn inheritance(source_case_id: &str, decedent: u8) -> Case {
    case(source_case_id)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

const FINDINGS: &str = "SELECT string_agg(concat_ws(' ', rule_id, left_office, right_office, first_accepting,
                               CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END), ', ') FROM duplicate_finding";

#[tokio::test]
async fn two_offices_with_the_same_matter_find_each_other_and_both_are_told() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9).accepted("2024-03-05")])
        .await;
    two.taken(&hub, vec![inheritance("B", 9).accepted("2024-03-04")])
        .await;
    assert_eq!(
        hub.text(FINDINGS).await.unwrap(),
        "INHERITANCE_SAME_DECEDENT hangzhou xiaoshan xiaoshan open"
    );
    let told =
        "SELECT string_agg(office_id || ' ' || source_case_id, ', ' ORDER BY office_id) FROM notice
                 WHERE kind = 'duplicate_found' AND delivered_at IS NULL AND text_zh <> ''";
    assert_eq!(hub.text(told).await.unwrap(), "hangzhou A, xiaoshan B");
}

#[tokio::test]
async fn both_sides_in_one_transaction_make_one_finding() {
    let hub = Hub::start().await;
    let (one, two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    tokio::join!(
        one.send_at(&hub.ingest, 1, vec![inheritance("A", 9).into()]),
        two.send_at(&hub.ingest, 1, vec![inheritance("B", 9).into()]),
    );
    assert_eq!(hub.count("SELECT count(*) FROM duplicate_finding").await, 1);
    assert_eq!(hub.count("SELECT count(*) FROM notice").await, 2);
}

#[tokio::test]
async fn a_finding_closes_when_it_is_no_longer_so_and_opens_again_with_a_new_notice() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9)]).await;
    two.taken(&hub, vec![inheritance("B", 9)]).await;
    // The wrong decedent, it turns out.
    two.taken(&hub, vec![inheritance("B", 8).revision(2)]).await;
    assert!(hub.text(FINDINGS).await.unwrap().ends_with("closed"));
    two.taken(&hub, vec![inheritance("B", 9).revision(3)]).await;
    assert!(hub.text(FINDINGS).await.unwrap().ends_with("open"));
    one.taken(
        &hub,
        vec![inheritance("A", 9).revision(2).state(CaseState::Terminated)],
    )
    .await;
    assert!(hub.text(FINDINGS).await.unwrap().ends_with("closed"));
    assert_eq!(hub.count("SELECT count(*) FROM notice").await, 4);
}

#[tokio::test]
async fn a_revision_that_changes_nothing_about_the_finding_tells_nobody_again() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9)]).await;
    two.taken(&hub, vec![inheritance("B", 9)]).await;
    one.taken(&hub, vec![inheritance("A", 9).revision(2).fee(3)])
        .await;
    assert_eq!(hub.count("SELECT count(*) FROM notice").await, 2);
}

/// A will is sealed while its testator lives: that there is another one is no notice's to tell.
#[tokio::test]
async fn an_office_hears_of_anothers_will_by_an_inheritance_alone() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let will = |key| case(key).parties(vec![person(PartyRole::Testator, 9)]);
    one.taken(&hub, vec![will("A")]).await;
    two.taken(&hub, vec![will("B")]).await;
    assert!(
        hub.text(FINDINGS)
            .await
            .unwrap()
            .starts_with("WILL_SAME_TESTATOR")
    );
    assert_eq!(hub.count("SELECT count(*) FROM notice").await, 0);
    two.taken(&hub, vec![inheritance("C", 9)]).await;
    let told = "SELECT string_agg(office_id || ' ' || source_case_id, ', ' ORDER BY office_id) FROM notice";
    assert_eq!(hub.text(told).await.unwrap(), "hangzhou A, xiaoshan C");
}

/// Every pair of matters that a rule with parties or subjects is about.
fn ruled_pairs() -> Vec<(MatterType, MatterType)> {
    let rules = Edition::shipped().rules;
    let matters = || MatterType::all();
    matters()
        .flat_map(|one| matters().map(move |other| (one, other)))
        .filter(|(one, other)| rules.rules().iter().any(|rule| rule.covers(*one, *other)))
        .collect()
}

/// A case in which somebody holds every role there is, about a thing of every kind: whatever makes two cases of its
/// matter the same is in it.
fn everything(source_case_id: &str, matter: MatterType, number: u8) -> Case {
    let roles = (1..=i32::from(u8::MAX)).map_while(|role| PartyRole::try_from(role).ok());
    let kinds = (1..=i32::from(u8::MAX)).map_while(|kind| SubjectKind::try_from(kind).ok());
    let subject = |kind: SubjectKind| Subject {
        kind: kind.into(),
        ..home(number)
    };
    case(source_case_id)
        .matter(matter.code())
        .parties(roles.map(|role| person(role, number)).collect())
        .subjects(kinds.map(subject).collect())
}

/// Two hubs store the two sides of every kind of pair at the same moment. A trigger holds each of them after its look
/// for duplicates and before its commit, until the other has come as far. Without the locks on stripes both come there,
/// having seen nothing; with them the second waits before its look, and the first goes on after a moment.
#[tokio::test]
async fn first_acceptances_at_the_same_moment_always_find_each_other() {
    let hub = Hub::start().await;
    let (one, two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    meet_before_commit(&hub).await;
    let (other_hub, _writers) = hub.another();
    let pairs = ruled_pairs();
    assert!(pairs.len() > 26, "every matter with a rule is among them");
    let side = |side: &str, of: fn(&(MatterType, MatterType)) -> MatterType| -> Vec<Record> {
        (1..)
            .zip(&pairs)
            .map(|(number, pair)| {
                let key = format!("{side}{number:03}");
                everything(&key, of(pair), number).into()
            })
            .collect()
    };
    tokio::join!(
        one.send_at(&hub.ingest, 1, side("A", |pair| pair.0)),
        two.send_at(&other_hub, 1, side("B", |pair| pair.1)),
    );
    let found =
        "SELECT count(*) FROM duplicate_finding WHERE substr(left_case, 2) = substr(right_case, 2)";
    assert_eq!(hub.count(found).await, pairs.len() as i64);
}

/// By its own word hangzhou was first; but it said so only after xiaoshan's acceptance had been seen.
#[tokio::test]
async fn an_acceptance_that_is_told_of_late_is_named_first_and_flagged() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    two.taken(&hub, vec![inheritance("B", 9).accepted("2024-03-04")])
        .await;
    sqlx::query("UPDATE case_record SET first_recorded_at = '2024-03-05T09:00:00+08:00'")
        .execute(&hub.pool)
        .await
        .unwrap();
    one.taken(&hub, vec![inheritance("A", 9).accepted("2024-03-01")])
        .await;
    let named = "SELECT first_accepting || ' ' || back_dated FROM duplicate_finding";
    assert_eq!(hub.text(named).await.unwrap(), "hangzhou true");
}

/// Behind one key stand more cases than are judged: the live ones come first, the newest acceptance before older ones,
/// in whatever order they arrived.
#[tokio::test]
async fn of_too_many_cases_behind_a_key_the_newest_live_ones_are_judged() {
    let mut found = Vec::new();
    for backwards in [false, true] {
        let hub = Hub::start().await;
        let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
        let mut cases: Vec<Case> = (0..230_u32)
            .map(|at| {
                let day = format!("2024-{:02}-{:02}", 1 + at / 28, 1 + at % 28);
                let case = inheritance(&format!("B{at:03}"), 9).accepted(&day);
                match at % 23 {
                    0 => case.state(CaseState::Terminated),
                    _ => case,
                }
            })
            .collect();
        if backwards {
            cases.reverse();
        }
        two.taken(&hub, cases).await;
        one.taken(&hub, vec![inheritance("A", 9)]).await;
        let judged =
            "SELECT string_agg(right_case, ' ' ORDER BY right_case) FROM duplicate_finding";
        found.push(hub.text(judged).await.unwrap());
    }
    assert_eq!(found[0], found[1]);
    let newest: Vec<String> = (0..230_u32)
        .filter(|at| at % 23 != 0)
        .rev()
        .take(200)
        .map(|at| format!("B{at:03}"))
        .collect();
    let newest: Vec<&str> = newest.iter().rev().map(String::as_str).collect();
    assert_eq!(found[0], newest.join(" "));
}

/// However many cases an office puts behind a key, and whatever day they bear: another office's duplicate is found.
#[tokio::test]
async fn no_office_can_put_so_many_cases_behind_a_key_that_others_duplicates_are_not_found() {
    for count in [300, 1_100] {
        let hub = Hub::start().await;
        let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("yuhang").await);
        let mut crowding = hub.office("xiaoshan").await;
        one.taken(&hub, vec![inheritance("A", 9)]).await;
        let crowd =
            (0..count).map(|at| inheritance(&format!("B{at:04}"), 9).accepted("2099-12-31"));
        crowding.taken(&hub, crowd.collect()).await;
        two.taken(&hub, vec![inheritance("C", 9)]).await;
        let found = "SELECT count(*) FROM duplicate_finding
                      WHERE left_office = 'hangzhou' AND right_office = 'yuhang' AND closed_at IS NULL";
        assert_eq!(hub.count(found).await, 1, "behind {count}");
    }
}

/// An office whose own cases fill a key sees those of others all the same.
#[tokio::test]
async fn an_offices_own_cases_behind_a_key_hide_no_others() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("yuhang").await);
    two.taken(&hub, vec![inheritance("C", 9).accepted("2023-01-01")])
        .await;
    let own = (0..1_100).map(|at| inheritance(&format!("A{at:04}"), 9));
    one.taken(&hub, own.collect()).await;
    one.taken(&hub, vec![inheritance("B", 9)]).await;
    let found =
        "SELECT count(*) FROM duplicate_finding WHERE left_office = 'hangzhou' AND left_case = 'B'";
    assert_eq!(hub.count(found).await, 1);
}

/// An office whose own cases fill all that is read behind a key: what was found before is not over.
#[tokio::test]
async fn a_finding_stays_open_when_an_offices_own_cases_fill_its_key() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9).accepted("2024-03-04")])
        .await;
    two.taken(&hub, vec![inheritance("B", 9).accepted("2024-03-04")])
        .await;
    let crowd = (0..1000).map(|at| inheritance(&format!("C{at}"), 9).accepted("2024-03-05"));
    one.taken(&hub, crowd.collect()).await;
    let again = inheritance("A", 9)
        .accepted("2024-03-04")
        .revision(2)
        .fee(9);
    one.taken(&hub, vec![again]).await;
    let open = "SELECT string_agg(left_case || ' ' || right_case, ', ') FROM duplicate_finding
                 WHERE closed_at IS NULL AND left_case = 'A'";
    assert_eq!(hub.text(open).await.unwrap(), "A B");
    // What the case itself says still closes it.
    let other = inheritance("A", 8).accepted("2024-03-04").revision(3);
    one.taken(&hub, vec![other]).await;
    assert_eq!(hub.text(open).await, None);
}

/// The position is the last thing a transaction writes.
async fn meet_before_commit(hub: &Hub) {
    let trigger = "TRIGGER meet AFTER UPDATE ON sync_position FOR EACH STATEMENT";
    meet_at(&hub.pool, &[trigger]).await;
}

#[tokio::test]
async fn cases_of_one_batch_that_have_the_same_keys_find_what_is_behind_them_each() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let estate = |source_case_id: &str| {
        case(source_case_id).matter("inheritance").parties(vec![
            person(PartyRole::Decedent, 8),
            person(PartyRole::Decedent, 9),
        ])
    };
    one.taken(&hub, vec![estate("A1"), estate("A2"), inheritance("A3", 9)])
        .await;
    two.taken(&hub, vec![estate("B1"), estate("B2"), inheritance("B3", 7)])
        .await;
    let found = "SELECT string_agg(left_case || right_case, ' ' ORDER BY left_case, right_case) FROM duplicate_finding
                  WHERE left_office <> right_office AND closed_at IS NULL";
    assert_eq!(
        hub.text(found).await.unwrap(),
        "A1B1 A1B2 A2B1 A2B2 A3B1 A3B2"
    );
}

/// Somebody who gives hundreds of mandates, as a developer does: behind that person's key stands more than is looked at.
/// Whether a finding about one home still holds is asked of its two cases.
#[tokio::test]
async fn a_finding_closes_with_its_cause_though_another_key_of_its_case_is_crowded() {
    let hub = Hub::start().await;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let mandate = |key: &str, at: u8| {
        case(key)
            .matter("mandate")
            .parties(vec![person(PartyRole::Principal, 9)])
            .subjects(vec![home(at)])
    };
    let crowd = (0..300).map(|at| mandate(&format!("C{at}"), 7));
    two.taken(&hub, crowd.collect()).await;
    two.taken(&hub, vec![mandate("B", 1)]).await;
    one.taken(&hub, vec![mandate("A", 1)]).await;
    let open = "SELECT string_agg(left_case || ' ' || right_case, ', ') FROM duplicate_finding
                 WHERE closed_at IS NULL AND rule_id = 'MANDATE_SAME_PROPERTY'";
    assert_eq!(hub.text(open).await.unwrap(), "A B");
    one.taken(&hub, vec![mandate("A", 1).revision(2).fee(9)])
        .await;
    assert_eq!(hub.text(open).await.unwrap(), "A B");
    // The wrong home, it turns out.
    one.taken(&hub, vec![mandate("A", 2).revision(3)]).await;
    assert_eq!(hub.text(open).await, None);
}
