//! A defect of the hub's own while it stores: one office waits for it to be mended, the others do not.

use notary_hub::ingest::Ingest;
use notary_hub::ingest::batch::{Job, Outcome};
use notary_hub::ingest::decode::Decoded;

use crate::city::{Hub, Office};
use crate::record::case;

fn job(ingest: &Ingest, office: &Office, cases: &[&str], fee_fen: Option<i64>) -> Job {
    let decoded = cases.iter().map(|name| {
        let mut decoded = ingest.decode(case(name).into());
        if let (Decoded::Case(case), Some(fen)) = (&mut decoded, fee_fen) {
            case.figures.fee_charged_fen = fen;
        }
        decoded
    });
    Job {
        office_id: office.office_id,
        epoch: office.epoch,
        first_sequence: 1,
        records: decoded.collect(),
        backlog: 0,
        token_key: None,
    }
}

#[tokio::test]
async fn records_at_which_the_hub_panics_hold_up_their_own_office_alone_and_only_until_it_is_mended()
 {
    let hub = Hub::start().await;
    let [first, bad, good] = ["hzgl", "hangzhou", "xiaoshan"];
    let (first, bad, good) = (
        hub.office(first).await,
        hub.office(bad).await,
        hub.office(good).await,
    );
    let (ingest, writers) = hub.single();
    // While the only writer waits for a feed, two offices' records come to stand together.
    let mut holder = hub.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM sync_position FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let ahead = ingest
        .submit(job(&ingest, &first, &["C1"], None))
        .await
        .unwrap();
    // No check lets such a fee through, and the sum of two is too much for its type.
    let beyond = job(&ingest, &bad, &["C1", "C2"], Some(i64::MAX));
    let beyond = ingest.submit(beyond).await.unwrap();
    let beside = ingest
        .submit(job(&ingest, &good, &["C1", "C2"], None))
        .await
        .unwrap();
    holder.rollback().await.unwrap();

    assert!(matches!(ahead.await, Ok(Outcome::Committed { .. })));
    assert_eq!(beyond.await, Ok(Outcome::NotStored));
    assert!(matches!(
        beside.await,
        Ok(Outcome::Committed {
            committed_sequence: 2,
            ..
        })
    ));
    assert_eq!(hub.count("SELECT count(*) FROM case_record").await, 3);
    assert_eq!(
        hub.count("SELECT count(*) FROM reject").await,
        0,
        "the records are not at fault"
    );

    // As after an upgrade: they come again, to the same writer.
    let again = ingest
        .submit(job(&ingest, &bad, &["C1", "C2"], None))
        .await
        .unwrap();
    assert!(matches!(
        again.await,
        Ok(Outcome::Committed {
            committed_sequence: 2,
            ..
        })
    ));
    writers.shutdown(std::time::Duration::from_secs(30)).await;
    hub.figures_are_right().await;
}
