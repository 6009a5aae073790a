//! Something stored that cannot be read any more: it holds up the cases that touch it, and nobody else.

use notary_proto::hub::v1::PartyRole;

use crate::city::Hub;
use crate::record::{Case, case, person};

const OPEN: &str = "SELECT string_agg(concat_ws(' ', office_id, record_key, rule_id), ', ' ORDER BY office_id, record_key)
                      FROM reject WHERE resolved_at IS NULL";

async fn set_state(hub: &Hub, source_case_id: &str, state: &str) {
    let set = "UPDATE case_record SET state = $1 WHERE source_case_id = $2";
    sqlx::query(set)
        .bind(state)
        .bind(source_case_id)
        .execute(&hub.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_case_whose_stored_content_cannot_be_read_holds_up_itself_alone_and_only_until_it_is_mended()
 {
    let hub = Hub::start().await;
    let (mut office, other) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let cases = |revision| {
        ["C1", "C2", "C3"].map(|name| case(name).revision(revision).fee(revision as i64))
    };
    office.taken(&hub, cases(1).to_vec()).await;
    set_state(&hub, "C2", "spoiled").await;

    // One writer, so that both offices wait in one lane.
    let (ingest, writers) = hub.single();
    let newer = cases(2).map(Into::into).to_vec();
    let refused = office.hand_over(&ingest, 4, newer).await;
    let beside = other
        .hand_over(
            &ingest,
            1,
            vec![
                case("D1")
                    .parties(vec![person(PartyRole::Testator, 2)])
                    .into(),
            ],
        )
        .await;
    let beside = beside.await.unwrap();
    assert_eq!(
        format!("{beside:?}"),
        "Committed { committed_sequence: 1, rejects: [] }"
    );
    let refused = format!("{:?}", refused.await.unwrap());
    assert!(
        refused.starts_with("Committed { committed_sequence: 6"),
        "{refused}"
    );
    assert_eq!(
        hub.text(OPEN).await.unwrap(),
        "hangzhou C2 STORED_UNREADABLE"
    );
    assert_eq!(
        hub.count("SELECT sum(revision)::bigint FROM case_record WHERE office_id = 'hangzhou'")
            .await,
        5
    );

    set_state(&hub, "C2", "accepted").await;
    let again = office
        .hand_over(&ingest, 7, vec![case("C2").revision(2).fee(2).into()])
        .await;
    again.await.unwrap();
    assert_eq!(hub.text(OPEN).await, None);
    writers.shutdown(std::time::Duration::from_secs(30)).await;
    hub.figures_are_right().await;
}

#[tokio::test]
async fn what_has_to_be_compared_with_a_case_that_cannot_be_read_waits_for_it_and_is_found_then() {
    let hub = Hub::start().await;
    let (mut office, mut other) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let inheritance = |name| -> Case {
        case(name)
            .matter("inheritance")
            .parties(vec![person(PartyRole::Decedent, 9)])
    };
    office.taken(&hub, vec![inheritance("A")]).await;
    set_state(&hub, "A", "spoiled").await;
    let refused = other
        .taken(&hub, vec![case("C1"), inheritance("B"), case("C2")])
        .await;
    assert_eq!(refused, ["STORED_UNREADABLE"]);
    assert_eq!(
        hub.text(OPEN).await.unwrap(),
        "xiaoshan B STORED_UNREADABLE"
    );
    set_state(&hub, "A", "accepted").await;
    assert!(other.taken(&hub, vec![inheritance("B")]).await.is_empty());
    assert_eq!(hub.count("SELECT count(*) FROM duplicate_finding").await, 1);
    hub.figures_are_right().await;
}
