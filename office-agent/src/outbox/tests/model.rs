//! Whatever happens in whatever order, what the hub has not committed is all there, in order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, i64)>),
    Acked(u8),
    Reopen,
    Reoffer,
    Trim(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec((0u8..6, 0i64..3), 0..6).prop_map(Step::Append),
        3 => (0u8..8).prop_map(Step::Acked),
        1 => Just(Step::Reopen),
        1 => Just(Step::Reoffer),
        1 => (0u8..40).prop_map(Step::Trim),
    ]
}

/// What should be in the outbox.
#[derive(Default)]
struct Model {
    contents: HashMap<u8, i64>,
    waiting: Vec<(String, i64)>,
}

async fn apply(bench: &mut Bench, model: &mut Model, step: Step) {
    match step {
        Step::Append(cases) => {
            let entries = cases
                .iter()
                .map(|(id, fee)| case(&id.to_string(), *fee))
                .collect();
            let done = bench.put(entries).await;
            for ((id, fee), done) in cases.into_iter().zip(done) {
                let news = model.contents.insert(id, fee) != Some(fee);
                assert_eq!(done == Disposition::Stored, news);
                if news {
                    model.waiting.push((id.to_string(), fee));
                }
            }
        }
        Step::Acked(count) => {
            let position = bench.outbox.position().await.expect("read");
            let sequence = (position.acked + u64::from(count)).min(position.last);
            bench
                .outbox
                .acked(sequence, Vec::new())
                .await
                .expect("acked");
            let gone = usize::try_from(sequence - position.acked).expect("small");
            model.waiting.drain(..gone);
        }
        Step::Reopen => bench.reopen(),
        Step::Reoffer => {
            let kept = kept(bench).await;
            bench.outbox.reoffer("other").await.expect("offered");
            model.waiting = kept;
        }
        Step::Trim(days) => {
            bench.pass(i64::from(days) * 86_400);
            bench
                .outbox
                .trim(Duration::days(30))
                .await
                .expect("trimmed");
        }
    }
}

async fn kept(bench: &Bench) -> Vec<(String, i64)> {
    let first = bench.outbox.position().await.expect("read").first_kept;
    let window = bench
        .outbox
        .read(first, 10_000, usize::MAX)
        .await
        .expect("read");
    window.records.iter().map(told).collect()
}

async fn must_agree(bench: &Bench, model: &Model) {
    let position = bench.outbox.position().await.expect("read");
    let window = bench
        .outbox
        .read(position.acked + 1, 10_000, usize::MAX)
        .await
        .expect("read");
    let waiting: Vec<_> = window.records.iter().map(told).collect();
    assert_eq!(waiting, model.waiting);
    assert_eq!(
        bench.outbox.backlog().await.expect("read"),
        model.waiting.len() as u64
    );
    assert_eq!(position.last - position.acked, model.waiting.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_unacknowledged_is_lost_repeated_or_out_of_order(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (mut bench, mut model) = (Bench::new(), Model::default());
            for step in steps {
                apply(&mut bench, &mut model, step).await;
                must_agree(&bench, &model).await;
            }
        });
    }
}
