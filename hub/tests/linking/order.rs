//! Whatever the order in which cases come, the persons are the same.

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
async fn one_data_set_in_twenty_orders_gives_the_same_persons_and_links() {
    let mut dice = Dice(2012);
    let mut town = cases(&mut dice, 90, 180);
    let mut first = None;
    for order in 0..20 {
        let hub = Hub::start().await;
        send(&hub, &mut dice, &town).await;
        let held = (persons(&hub.pool).await, contents(&hub.pool).await);
        let people = count(&held.0);
        assert!(people < 200 && people > 60, "{people} persons of 90 people");
        match &first {
            None => first = Some(held),
            Some(first) => assert!(*first == held, "order {order} gives other persons"),
        }
        hub.stop().await;
        dice.shuffle(&mut town);
    }
}
