//! Whatever the order in which cases come, the persons are the same, and so is what follows from them.

use std::collections::BTreeSet;

use crate::city::Hub;
use crate::record::Case;
use crate::town::{Dice, cases, contents, count, drain, offices, persons, send_by};

/// In chunks of any size, linked now and then.
async fn send(hub: &Hub, dice: &mut Dice, cases: &[(&'static str, Case)]) {
    let mut offices = offices(hub).await;
    let linking = hub.linking();
    let mut rest = cases;
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(rest.len().min(1 + dice.below(40)));
        rest = later;
        send_by(hub, &mut offices, chunk).await;
        if dice.one_in(2) {
            drain(&hub.pool, &linking).await;
        }
    }
    drain(&hub.pool, &linking).await;
}

#[tokio::test]
async fn one_data_set_in_twenty_orders_gives_the_same_persons_links_and_findings() {
    let mut dice = Dice(2012);
    let mut town = cases(&mut dice, 90, 180);
    let mut first = None;
    for order in 0..20 {
        let hub = Hub::start().await;
        send(&hub, &mut dice, &town).await;
        let held = (persons(&hub.pool).await, contents(&hub.pool).await);
        let people = count(&held.0);
        assert!(people < 200 && people > 60, "{people} persons of 90 people");
        for basis in ["number", "person"] {
            let begins = format!("finding {basis}");
            assert!(held.1.iter().any(|it| it.starts_with(&begins)), "{basis}");
        }
        match &first {
            None => first = Some(held),
            Some(first) => {
                let (persons, contents) = first;
                assert!(*persons == held.0, "order {order} gives other persons");
                let (before, now): (BTreeSet<_>, BTreeSet<_>) =
                    (contents.iter().collect(), held.1.iter().collect());
                let other: Vec<_> = before.symmetric_difference(&now).collect();
                assert!(other.is_empty(), "order {order}: {other:#?}");
            }
        }
        hub.stop().await;
        dice.shuffle(&mut town);
    }
}
