//! Duplicate applications between offices.

use notary_proto::hub::v1::{CaseState, PartyRole};

use crate::city::Hub;
use crate::record::{Case, case, person};

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

/// Two hubs store the two sides at the same moment. A trigger holds each of them after its look for duplicates and
/// before its commit, until the other has come as far. Without the locks on stripes both come there, having seen
/// nothing; with them the second waits before its look, and the first goes on after a moment.
#[tokio::test]
async fn first_acceptances_at_the_same_moment_always_find_each_other() {
    let hub = Hub::start().await;
    let (one, two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    meet_before_commit(&hub).await;
    let (other_hub, _writers) = hub.another();
    for round in 1..=4_u8 {
        let (a, b) = (format!("A{round}"), format!("B{round}"));
        tokio::join!(
            one.send_at(
                &hub.ingest,
                round.into(),
                vec![inheritance(&a, round).into()]
            ),
            two.send_at(
                &other_hub,
                round.into(),
                vec![inheritance(&b, round).into()]
            ),
        );
    }
    assert_eq!(hub.count("SELECT count(*) FROM duplicate_finding").await, 4);
    assert_eq!(hub.count("SELECT count(*) FROM notice").await, 8);
}

/// The position is the last thing a transaction writes.
async fn meet_before_commit(hub: &Hub) {
    sqlx::raw_sql(
        "CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE began timestamptz := clock_timestamp();
         BEGIN
             PERFORM pg_advisory_xact_lock_shared(77, 0);
             WHILE (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 77 AND granted) < 2
                   AND clock_timestamp() < began + interval '300 milliseconds' LOOP
                 PERFORM pg_sleep(0.005);
             END LOOP;
             -- Time for the other to see that both are here.
             PERFORM pg_sleep(0.05);
             RETURN NULL;
         END $$;
         CREATE TRIGGER meet AFTER UPDATE ON sync_position FOR EACH STATEMENT EXECUTE FUNCTION meet();",
    )
    .execute(&hub.pool)
    .await
    .unwrap();
}
