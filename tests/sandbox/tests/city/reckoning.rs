//! The reckoning is honest: it finds each thing that can be wrong, and nothing when nothing is.

use crate::hub::Hub;

const ONE_CASE: &str = "(office_id, source_case_id) = \
    (SELECT office_id, source_case_id FROM case_record WHERE office_id = 'hzgl' ORDER BY 2 LIMIT 1)";

#[tokio::test]
async fn a_city_that_arrived_has_no_complaints() {
    let hub = Hub::with_a_city(900).await;
    let reckoning = hub.reckon().await;
    assert_eq!(reckoning.complaints(), Vec::<String>::new());
    assert_eq!(reckoning.at_sources(), 900);
    assert_eq!(reckoning.at_hub() + reckoning.rejected(), 900);
    assert!(reckoning.rejected() > 0);
    assert!(reckoning.planted > 0);
    assert_eq!(reckoning.found, reckoning.planted);
}

#[tokio::test]
async fn a_case_that_is_missing_or_older_is_lost() {
    let hub = Hub::with_a_city(900).await;
    let older =
        format!("UPDATE case_record SET fee_charged_fen = fee_charged_fen + 1 WHERE {ONE_CASE}");
    let reckoning = hub.after(&older).await;
    assert_eq!(reckoning.lost(), 1);
    let reckoning = hub
        .after(&format!("DELETE FROM case_record WHERE {ONE_CASE}"))
        .await;
    assert_eq!(reckoning.lost(), 1);
    assert_eq!(reckoning.complaints().len(), 1);
}

#[tokio::test]
async fn a_record_refused_for_another_reason_is_lost_and_the_reason_unexplained() {
    let hub = Hub::with_a_city(900).await;
    let reckoning = hub
        .after(
            "UPDATE reject SET rule_id = 'CASE_NO_TAKEN' WHERE ctid = \
             (SELECT ctid FROM reject WHERE record_key NOT LIKE '%:%' LIMIT 1)",
        )
        .await;
    assert_eq!(reckoning.lost(), 1);
    assert_eq!(reckoning.complaints().len(), 2);
}

#[tokio::test]
async fn a_second_effect_of_one_change_is_seen() {
    let hub = Hub::with_a_city(900).await;
    let again = format!(
        "INSERT INTO case_history SELECT office_id, source_case_id, 0, now(), now(), now(), '{{}}' \
         FROM case_record WHERE {ONE_CASE}"
    );
    let reckoning = hub.after(&again).await;
    assert_eq!(reckoning.repeated(), 1);
    assert_eq!(reckoning.lost(), 0);
}

#[tokio::test]
async fn findings_that_are_missing_or_too_many_are_seen() {
    let hub = Hub::with_a_city(900).await;
    let planted = hub.reckon().await.planted;
    let reckoning = hub
        .after(
            "UPDATE duplicate_finding SET right_case = 'another' WHERE ctid = \
             (SELECT ctid FROM duplicate_finding LIMIT 1)",
        )
        .await;
    assert_eq!(reckoning.found, planted - 1);
    assert_eq!(reckoning.missed.len(), 1);
    assert_eq!(reckoning.false_findings.len(), 1);
    let reckoning = hub
        .after("DELETE FROM duplicate_finding WHERE right_case = 'another'")
        .await;
    assert_eq!(reckoning.false_findings.len(), 0);
    assert_eq!(reckoning.missed.len(), 1);
}

/// What one mistyped or missing number hides from equal numbers, persons show, and nothing else.
#[tokio::test]
async fn what_only_persons_show_is_counted_apart() {
    let hub = Hub::with_a_city(900).await;
    let before = hub.reckon().await;
    let planted: usize = before.fuzzy.values().map(|tally| tally.planted).sum();
    assert!(planted > 0);
    assert_eq!(before.missed_fuzzy.len(), planted);
    hub.link().await;
    let after = hub.reckon().await;
    assert_eq!(after.exact, before.exact);
    assert_eq!(after.complaints(), Vec::<String>::new());
    let found: usize = after.fuzzy.values().map(|tally| tally.found).sum();
    assert_eq!(found + after.missed_fuzzy.len(), planted);
    assert!(found > 0);
}
