//! kill -9 while the hub takes cases in: the figures are what the cases come to, every cell. The hub is a real process
//! with its private PostgreSQL.

use std::process::Child;
use std::time::{Duration, Instant};

use notary_proto::hub::v1::{CaseState, Hello};
use uuid::Uuid;

use crate::agent::Stream;
use crate::record::{Case, case, day};
use crate::support::client::Identity;
use crate::support::program::Site;

const KILLS: u64 = 4;
/// Records of a batch, and batches that the hub may have at once without having said that they are durable.
const BATCH: u64 = 5;
const AT_ONCE: u64 = 8;
/// Acknowledged before the kill; by then more are under way.
const ACKED: u64 = 2 * BATCH;
/// Cases, so that nearly every record is a revision.
const CASES: u64 = 14;

/// What stands in the outbox at a sequence: the same every time it is sent.
fn record(sequence: u64) -> Case {
    const STATES: [CaseState; 7] = [
        CaseState::Accepted,
        CaseState::Issued,
        CaseState::Corrected,
        CaseState::Withdrawn,
        CaseState::Issued,
        CaseState::Revoked,
        CaseState::Terminated,
    ];
    let state = STATES[usize::try_from(sequence / CASES + sequence).unwrap() % STATES.len()];
    let mut case = case(&format!("C{}", sequence % CASES))
        .revision(sequence)
        .state(state)
        .fee(i64::try_from(sequence).unwrap() * 100);
    let days = i32::try_from(sequence % 50).unwrap();
    case.0.accepted_day = Some(day("2024-02-20") + days);
    if state != CaseState::Accepted {
        case.0.issued_day = Some(day("2024-02-25") + 2 * days);
    }
    case.0.notary_licence_no = format!("1330100{}", sequence % 3);
    case
}

/// An office's outbox, and a hub that may die.
struct Feed {
    site: Site,
    identity: Identity,
    epoch: Uuid,
}

impl Feed {
    /// A stream, and the last sequence that is durable.
    async fn open(&self) -> (Stream, u64) {
        let channel = self.site.channel("agents", Some(self.identity.clone()));
        let mut stream = Stream::over(channel).await.unwrap();
        let hello = Hello {
            agent_version: "0.1.0".to_owned(),
            epoch: self.epoch.to_string(),
            office_id: "hzgl".to_owned(),
            ..Default::default()
        };
        stream.greet(hello).await;
        let welcome = stream.welcomed().await;
        (stream, welcome.committed_sequence)
    }

    /// Sends batches from `after` on.
    async fn send(&self, stream: &Stream, after: u64, batches: u64) -> u64 {
        for batch in 0..batches {
            let first = after + batch * BATCH + 1;
            let records: Vec<Case> = (first..first + BATCH).map(record).collect();
            stream.send(first, records).await;
        }
        after + batches * BATCH
    }

    /// The hub dies when some of what it was sent is acknowledged and the rest is not.
    async fn kill_while_it_takes_in(&self, hub: &mut Child) {
        let (mut stream, committed) = self.open().await;
        self.send(&stream, committed, AT_ONCE).await;
        stream.acked(committed + ACKED).await;
        hub.kill().unwrap();
        hub.wait().unwrap();
        // Its PostgreSQL ends with it; a command that comes meanwhile would be cut off.
        let lock = self.site.path("data/postgres/postmaster.pid");
        let deadline = Instant::now() + Duration::from_secs(60);
        while lock.exists() {
            assert!(Instant::now() < deadline, "PostgreSQL is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many cells were compared, of figures that are exact.
    fn verified(&self) -> u64 {
        let said = self.site.said(&["stats", "verify"]);
        let cells = said.strip_prefix("equal: ").unwrap();
        cells.strip_suffix(" cells").unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn figures_are_exact_whenever_the_hub_is_killed() {
    let site = Site::new("");
    site.said(&["init"]);
    let office = ["office", "add", "hzgl", "--name", "杭州市某某公证处"];
    let place = ["--level", "municipal", "--district", "330102"];
    site.said(&[&office[..], &place].concat());
    let mut hub = site.serve();
    let feed = Feed {
        identity: site.enrol("hzgl").await,
        site,
        epoch: Uuid::now_v7(),
    };
    for _ in 0..KILLS {
        feed.kill_while_it_takes_in(&mut hub).await;
        assert!(feed.verified() > 0);
        hub = feed.site.serve();
    }
    // What was under way when it died comes again, and counts once.
    let (mut stream, committed) = feed.open().await;
    assert!(committed >= KILLS * ACKED, "{committed}");
    let last = feed.send(&stream, committed, AT_ONCE).await;
    stream.acked(last).await;
    assert!(feed.verified() > CASES);
    hub.kill().unwrap();
    hub.wait().unwrap();
}
