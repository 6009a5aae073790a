//! A case and its revisions.

use notary_proto::hub::v1::{CaseState, PartyRole};

use crate::city::Hub;
use crate::record::{case, home, person};

#[tokio::test]
async fn a_new_revision_replaces_the_case_and_its_children_and_the_old_one_stays_in_history() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let before = case("C1").parties(vec![
        person(PartyRole::Testator, 1),
        person(PartyRole::Related, 2),
    ]);
    office
        .taken(&hub, vec![before.subjects(vec![home(7)])])
        .await;
    office
        .taken(&hub, vec![case("C1").revision(2).issued("2024-03-20")])
        .await;

    assert_eq!(
        hub.text("SELECT state FROM case_record").await.unwrap(),
        "issued"
    );
    assert_eq!(hub.count("SELECT count(*) FROM party").await, 1);
    assert_eq!(hub.count("SELECT count(*) FROM subject").await, 0);
    let kept = "SELECT (content->>'state') || ' ' || jsonb_array_length(content->'parties') || ' '
                       || jsonb_array_length(content->'subjects') || ' ' || revision FROM case_history";
    assert_eq!(hub.text(kept).await.unwrap(), "accepted 2 1 1");
    hub.figures_are_right().await;
}

#[tokio::test]
async fn every_revision_of_one_batch_leaves_its_history() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(
            &hub,
            vec![
                case("C1").state(CaseState::Applied),
                case("C1").revision(2).fee(5),
                case("C2"),
                case("C1").revision(3).issued("2024-03-20"),
            ],
        )
        .await;
    let revisions = "SELECT string_agg(revision::text, ' ' ORDER BY revision) FROM case_history";
    assert_eq!(hub.text(revisions).await.unwrap(), "1 2");
    assert_eq!(
        hub.text("SELECT revision::text FROM case_record WHERE source_case_id = 'C1'")
            .await
            .unwrap(),
        "3"
    );
    hub.figures_are_right().await;
}

#[tokio::test]
async fn an_older_revision_changes_nothing() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(&hub, vec![case("C1").revision(5).fee(500)])
        .await;
    office
        .taken(&hub, vec![case("C1").revision(4).fee(400)])
        .await;
    assert_eq!(
        hub.text("SELECT revision || ' ' || fee_charged_fen FROM case_record")
            .await
            .unwrap(),
        "5 500"
    );
    assert_eq!(hub.count("SELECT count(*) FROM case_history").await, 0);
}

#[tokio::test]
async fn a_newer_revision_with_the_same_content_moves_only_the_number() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![case("C1")]).await;
    office.taken(&hub, vec![case("C1").revision(9)]).await;
    assert_eq!(
        hub.text("SELECT revision::text FROM case_record")
            .await
            .unwrap(),
        "9"
    );
    assert_eq!(hub.count("SELECT count(*) FROM case_history").await, 0);
}

#[tokio::test]
async fn the_same_revision_with_other_content_is_refused_until_a_newer_one_settles_it() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![case("C1").fee(1)]).await;
    assert_eq!(
        office.taken(&hub, vec![case("C1").fee(2)]).await,
        ["REVISION_CONFLICT"]
    );
    assert_eq!(
        hub.text("SELECT fee_charged_fen::text FROM case_record")
            .await
            .unwrap(),
        "1"
    );
    let open = "SELECT count(*) FROM reject WHERE resolved_at IS NULL";
    assert_eq!(hub.count(open).await, 1);
    office
        .taken(&hub, vec![case("C1").revision(2).fee(2)])
        .await;
    assert_eq!(hub.count(open).await, 0);
    hub.figures_are_right().await;
}

#[tokio::test]
async fn a_conflict_within_one_batch_keeps_the_first() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let rejects = office
        .taken(&hub, vec![case("C1").fee(1), case("C1").fee(2)])
        .await;
    assert_eq!(rejects, ["REVISION_CONFLICT"]);
    assert_eq!(
        hub.text("SELECT fee_charged_fen::text FROM case_record")
            .await
            .unwrap(),
        "1"
    );
}

#[tokio::test]
async fn a_case_number_belongs_to_one_case_of_an_office() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let mut other = hub.office("xiaoshan").await;
    office.taken(&hub, vec![case("C1").number(1)]).await;
    assert_eq!(
        office
            .taken(&hub, vec![case("C2").number(1), case("C3").number(2)])
            .await,
        ["CASE_NO_TAKEN"]
    );
    assert!(
        other
            .taken(&hub, vec![case("C2").number(1)])
            .await
            .is_empty()
    );
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 3);
}

const NUMBERS: &str =
    "SELECT string_agg(source_case_id || substring(case_no from '第(.*)号'), ' ' ORDER BY source_case_id)
       FROM case_record";

#[tokio::test]
async fn a_case_number_that_one_case_leaves_is_free_for_the_next_in_the_same_batch() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(&hub, vec![case("C1").number(1), case("C2").number(2)])
        .await;
    // C1 and C2 change numbers with each other, by way of a third one.
    let swap = vec![
        case("C1").revision(2).number(3),
        case("C2").revision(2).number(1),
        case("C1").revision(3).number(2),
    ];
    assert!(office.taken(&hub, swap).await.is_empty());
    assert_eq!(hub.text(NUMBERS).await.unwrap(), "C12 C21");
}

#[tokio::test]
async fn cases_change_numbers_with_each_other_in_one_step() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let first = (1..=5).map(|serial| case(&format!("C{serial}")).number(serial));
    office.taken(&hub, first.collect()).await;
    let second = |of: u32, serial| case(&format!("C{of}")).revision(2).number(serial);
    let changed = vec![
        second(1, 2),
        second(2, 1),
        second(3, 4),
        second(4, 5),
        second(5, 3),
    ];
    assert_eq!(office.taken(&hub, changed).await, Vec::<String>::new());
    assert_eq!(hub.text(NUMBERS).await.unwrap(), "C12 C21 C34 C45 C53");
    assert_eq!(hub.count("SELECT count(*) FROM case_history").await, 5);
    hub.figures_are_right().await;
}

#[tokio::test]
async fn a_number_is_not_handed_on_by_a_case_that_keeps_it() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let first = (1..=4).map(|serial| case(&format!("C{serial}")).number(serial));
    office.taken(&hub, first.collect()).await;
    // The third wants the fourth's, which is not heard of; so neither of the others gets what it wants.
    let second = |of: u32, serial| case(&format!("C{of}")).revision(2).number(serial);
    let along = vec![second(1, 2), second(2, 3), second(3, 4)];
    assert_eq!(office.taken(&hub, along).await, ["CASE_NO_TAKEN"; 3]);
    assert_eq!(hub.text(NUMBERS).await.unwrap(), "C11 C22 C33 C44");
}

#[tokio::test]
async fn a_withdrawn_case_leaves_its_number_to_the_one_that_was_meant() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let withdrawn = || case("C1").number(1).revision(2).state(CaseState::Withdrawn);
    office
        .taken(&hub, vec![case("C1").number(1), case("C3").number(3)])
        .await;
    assert!(office.taken(&hub, vec![withdrawn()]).await.is_empty());
    assert!(
        office
            .taken(&hub, vec![case("C2").number(1)])
            .await
            .is_empty()
    );
    // Before it is said that the other is withdrawn, in the same batch.
    let other = case("C3").number(3).revision(2).state(CaseState::Withdrawn);
    assert!(
        office
            .taken(&hub, vec![case("C4").number(3), other])
            .await
            .is_empty()
    );
    assert_eq!(hub.text(NUMBERS).await.unwrap(), "C11 C21 C33 C43");
    // Not withdrawn after all: two cases have it now.
    let again = case("C1").number(1).revision(3);
    assert_eq!(office.taken(&hub, vec![again]).await, ["CASE_NO_TAKEN"]);
}

#[tokio::test]
async fn no_two_cases_have_one_number_whatever_is_sent() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let (mut draw, mut refused) = (7_u64, 0);
    let mut below = |bound: u64| {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (draw >> 33) % bound
    };
    for batch in 0..60_u64 {
        let records = (0..8).map(|place| {
            let record = case(&format!("C{}", below(6))).revision(1 + batch * 8 + place);
            let record = record
                .number(below(5) as u32)
                .fee((batch * 8 + place) as i64);
            match below(6) {
                0 => record.state(CaseState::Withdrawn),
                _ => record,
            }
        });
        // Two of one number would break the index, and with it the batch.
        refused += office.taken(&hub, records.collect()).await.len();
    }
    assert!((20..400).contains(&refused), "{refused} refused");
    hub.figures_are_right().await;
}

#[tokio::test]
async fn an_illegal_step_is_stored_and_pointed_at_for_good() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office
        .taken(&hub, vec![case("C1").number(1).issued("2024-03-20")])
        .await;
    office
        .taken(&hub, vec![case("C1").number(1).revision(2)])
        .await;
    office
        .taken(&hub, vec![case("C1").number(1).revision(3).fee(3)])
        .await;
    assert_eq!(
        hub.text("SELECT state FROM case_record").await.unwrap(),
        "accepted"
    );
    let step =
        "SELECT detail || ' ' || revision FROM quality_finding WHERE rule_id = 'ILLEGAL_STEP'";
    assert_eq!(hub.text(step).await.unwrap(), "issued -> accepted 2");
}

#[tokio::test]
async fn findings_about_a_revision_go_with_it() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let agent = person(PartyRole::Agent, 3);
    let before = case("C1").parties(vec![person(PartyRole::Testator, 1), agent]);
    office.taken(&hub, vec![before.issued("2024-02-01")]).await;
    let rules = "SELECT string_agg(rule_id, ' ' ORDER BY rule_id) FROM quality_finding";
    assert_eq!(
        hub.text(rules).await.unwrap(),
        "AGENT_NOT_ALLOWED CASE_NO_MISSING DATE_ORDER"
    );
    office
        .taken(
            &hub,
            vec![case("C1").revision(2).number(1).issued("2024-03-20")],
        )
        .await;
    assert_eq!(hub.text(rules).await, None);
}
