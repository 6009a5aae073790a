//! Everything linked anew comes to what case after case comes to.

use linkage::cluster::Judgement;
use linkage::node::MentionId;
use sqlx::PgPool;

use crate::city::Hub;
use crate::town::{
    Dice, cases, contents, decide, drain, offices, pairs, persons, relinked, send, send_by,
    take_back,
};

/// What people might decide: a pair they were asked about, a pair of two numbers, and two mentions of one number.
async fn decisions(pool: &PgPool) -> Vec<(MentionId, MentionId, Judgement)> {
    let asked = pairs(
        pool,
        "SELECT low_mention, high_mention FROM link WHERE decision = 'possible' ORDER BY low, high LIMIT 3",
    );
    let joined = pairs(
        pool,
        "SELECT low_mention, high_mention FROM link WHERE decision = 'same' ORDER BY low, high LIMIT 3",
    );
    let numbered = pairs(
        pool,
        "SELECT (array_agg(mention_id ORDER BY mention_id))[1], (array_agg(mention_id ORDER BY mention_id))[2]
           FROM mention JOIN link_node USING (node_id) WHERE number IS NOT NULL
          GROUP BY node_id HAVING count(*) > 2 ORDER BY node_id LIMIT 3",
    );
    let judged = |judgement| move |(one, other)| (one, other, judgement);
    let mut decisions: Vec<_> = asked
        .await
        .into_iter()
        .map(judged(Judgement::Same))
        .collect();
    decisions.extend(joined.await.into_iter().map(judged(Judgement::NotSame)));
    decisions.extend(numbered.await.into_iter().map(judged(Judgement::NotSame)));
    assert_eq!(decisions.len(), 9, "the town gives something to decide");
    decisions
}

#[tokio::test]
async fn all_at_once_comes_to_what_case_after_case_comes_to_and_decisions_outlive_it() {
    let mut dice = Dice(2012);
    let town = cases(&mut dice, 90, 180);
    let (bit_by_bit, at_once) = (Hub::start().await, Hub::start().await);
    for hub in [&bit_by_bit, &at_once] {
        send(hub, &town).await;
    }
    drain(&bit_by_bit.pool, &bit_by_bit.linking()).await;
    let expected = contents(&bit_by_bit.pool).await;
    assert_eq!(relinked(&bit_by_bit.pool).await.changed_rows, 0);

    let first = relinked(&at_once.pool).await;
    assert!(contents(&at_once.pool).await == expected, "a first load");
    assert_eq!(first.mentions as usize, persons(&at_once.pool).await.len());
    // Everything waits still, for whatever follows from persons; there is nothing left to link.
    drain(&at_once.pool, &at_once.linking()).await;
    assert!(
        contents(&at_once.pool).await == expected,
        "then the workers"
    );

    let decided = decisions(&bit_by_bit.pool).await;
    decide(&bit_by_bit.pool, &decided).await;
    drain(&bit_by_bit.pool, &bit_by_bit.linking()).await;
    let with_decisions = contents(&bit_by_bit.pool).await;
    assert!(with_decisions != expected, "decisions do something");
    assert_eq!(relinked(&bit_by_bit.pool).await.changed_rows, 0);
    assert!(contents(&bit_by_bit.pool).await == with_decisions);
    let contested = relinked(&bit_by_bit.pool).await.contested_numbers;
    assert_eq!(contested, 3);

    take_back(&bit_by_bit.pool, &decided).await;
    drain(&bit_by_bit.pool, &bit_by_bit.linking()).await;
    assert!(contents(&bit_by_bit.pool).await == expected, "taken back");
    assert_eq!(relinked(&bit_by_bit.pool).await.changed_rows, 0);
    for hub in [bit_by_bit, at_once] {
        hub.stop().await;
    }
}

#[tokio::test]
async fn what_changed_since_the_workers_saw_it_is_linked_and_put_down_for_what_follows() {
    let mut dice = Dice(7);
    let town = cases(&mut dice, 60, 120);
    let (early, late) = town.split_at(80);
    let (hub, reference) = (Hub::start().await, Hub::start().await);
    send(&reference, &town).await;
    drain(&reference.pool, &reference.linking()).await;

    let mut offices = offices(&hub).await;
    send_by(&hub, &mut offices, early).await;
    drain(&hub.pool, &hub.linking()).await;
    let before = persons(&hub.pool).await;
    // Rows that linkage never came to see, and a mark of its own that was lost.
    send_by(&hub, &mut offices, late).await;
    sqlx::query("DELETE FROM link_work")
        .execute(&hub.pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM link WHERE decision = 'same'")
        .execute(&hub.pool)
        .await
        .unwrap();
    relinked(&hub.pool).await;
    assert!(contents(&hub.pool).await == contents(&reference.pool).await);

    let after = persons(&hub.pool).await;
    let moved: Vec<&String> = after
        .iter()
        .filter(|(mention, person)| before.get(*mention) != Some(*person))
        .map(|(mention, _)| mention)
        .collect();
    let waiting: Vec<String> = sqlx::query_scalar(
        "SELECT office_id || ' ' || source_case FROM link_work, unnest(source_case_ids) AS source_case",
    )
    .fetch_all(&hub.pool)
    .await
    .unwrap();
    let is_waiting = |mention: &&String| {
        waiting
            .iter()
            .any(|case| mention.starts_with(&format!("{case} ")))
    };
    assert!(
        moved.iter().all(is_waiting),
        "whose person changed waits for what follows"
    );
    assert!(waiting.len() < 120, "and nothing else does");
    for hub in [hub, reference] {
        hub.stop().await;
    }
}
