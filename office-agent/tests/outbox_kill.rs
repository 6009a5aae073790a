//! kill -9 in the middle of appending: what append returned for is there, whole and in order.
#![allow(clippy::unwrap_used)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use notary_proto::hub::v1 as wire;
use office_agent::outbox::{Cursor, Entry, Outbox};

const PLACE: &str = "OFFICE_AGENT_TEST_OUTBOX";
const PER_APPEND: usize = 7;

fn case(number: usize) -> Entry {
    Entry::Case(Box::new(wire::CaseRecord {
        source_case_id: format!("case-{number}"),
        ..wire::CaseRecord::default()
    }))
}

/// The child: appends for ever and says after each append how far it is. A test only in name.
#[test]
#[ignore = "the child process of the test below"]
fn append_until_killed() {
    let Ok(place) = env::var(PLACE) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let outbox = Outbox::open(place).unwrap();
        let source = "cases".parse().unwrap();
        for round in 1.. {
            let first = (round - 1) * PER_APPEND;
            let entries = (first..first + PER_APPEND).map(case).collect();
            let cursor = Some(Cursor((round * PER_APPEND).to_string()));
            outbox.append(&source, entries, cursor).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "\ndurable {}", round * PER_APPEND).unwrap();
            out.flush().unwrap();
        }
    });
}

#[tokio::test]
async fn a_killed_agent_has_lost_nothing_that_append_returned_for() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("outbox.sqlite");
    let mut least = 0;
    for appends in [1, 5, 23] {
        // A fresh file each time, so that the child's numbers begin anew.
        let _ = std::fs::remove_dir_all(folder.path());
        std::fs::create_dir(folder.path()).unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["append_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(PLACE, &place)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines
            .map_while(Result::ok)
            .filter(|line| line.starts_with("durable "))
            .take(appends)
        {
            least = line.split(' ').nth(1).unwrap().parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let outbox = Outbox::open(&place).unwrap();
        let cursor = outbox.cursor(&"cases".parse().unwrap()).await.unwrap();
        let cursor: usize = cursor.unwrap().0.parse().unwrap();
        let window = outbox.read(1, u32::MAX, usize::MAX).await.unwrap();
        assert!(cursor >= least, "{cursor} after {least} were durable");
        assert_eq!(
            window.records.len(),
            cursor,
            "the cursor and the records are of one moment"
        );
        for (number, record) in window.records.iter().enumerate() {
            let Some(wire::record::Payload::Case(case)) = &record.payload else {
                panic!("no case")
            };
            assert_eq!(case.source_case_id, format!("case-{number}"));
        }
    }
    assert!(least > 0);
}
