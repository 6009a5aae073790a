//! Supervision points at everything that the city's offices do wrong, and at nothing else.

use crate::hub::Hub;

#[tokio::test]
async fn every_kind_of_breach_is_planted_and_found_and_nothing_else_is() {
    let hub = Hub::with_a_city(6_000).await;
    let breaches = hub.supervise().await;
    assert_eq!(breaches.complaints(), Vec::<String>::new());
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
