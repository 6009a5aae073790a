//! Supervision points at everything that the city's offices do wrong, and at nothing else.

use crate::hub::Hub;

#[tokio::test]
async fn every_kind_of_breach_is_planted_and_found_and_nothing_else_is() {
    let hub = Hub::with_a_city(6_000).await;
    let breaches = hub.supervise().await;
    assert_eq!(breaches.complaints(), Vec::<String>::new());
    let left_out = hub.left_out().await;
    assert_eq!(left_out.differences, Vec::<String>::new());
    assert!(left_out.missing > 0);
    for (rule, tally) in &breaches.by_rule {
        assert!(tally.planted > 0, "the city has nothing for {rule}");
        assert_eq!(
            (tally.found, tally.false_ones),
            (tally.planted, 0),
            "{rule}"
        );
    }
}

#[tokio::test]
async fn a_finding_that_is_missing_and_one_too_many_are_seen() {
    let hub = Hub::with_a_city(900).await;
    let before = hub.supervise().await;
    assert_eq!(before.complaints(), Vec::<String>::new());
    hub.after(
        "UPDATE supervision_finding SET about_key = 'another' WHERE finding_id = \
         (SELECT finding_id FROM supervision_finding WHERE rule_id = 'TIME_LIMIT' LIMIT 1)",
    )
    .await;
    let after = hub.breaches().await;
    assert_eq!((after.missed.len(), after.false_findings.len()), (1, 1));
    let tally = after.by_rule["TIME_LIMIT"];
    assert_eq!(tally.found + 1, tally.planted);
}

#[tokio::test]
async fn a_finding_of_another_day_and_a_filing_that_is_missed_wrongly_are_seen() {
    let hub = Hub::with_a_city(900).await;
    hub.supervise().await;
    for moved in ["happened_on = happened_on + 1", "concluded = NOT concluded"] {
        hub.after(&format!(
            "UPDATE supervision_finding SET {moved} WHERE finding_id = \
             (SELECT finding_id FROM supervision_finding WHERE about = 'case' ORDER BY 1 LIMIT 1)"
        ))
        .await;
        let after = hub.breaches().await;
        assert_eq!((after.missed.len(), after.false_findings.len()), (1, 1));
    }
    hub.after(
        "INSERT INTO filing_missing (office_id, kind, first_day, last_day, due_on) \
         SELECT office_id, kind, '2023-01-01', '2023-12-31', '2024-01-29' FROM filing_missing \
          WHERE kind = 'self_assessment' LIMIT 1",
    )
    .await;
    assert_eq!(hub.left_out().await.differences.len(), 1);
}
