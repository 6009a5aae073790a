//! An office that writes and looks at the same time, by the hub's own interfaces, while the city is broken: what the hub
//! has acknowledged to it, every later look shows, and no look goes back behind an earlier one. It hands over through the
//! network that breaks and looks past it, so that looks are answered whenever the hub can answer.

mod history;
mod place;
mod reader;
mod writer;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sandbox::poll::{PATIENCE, holds};
use sandbox::{Bureau, NewAccount};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use history::History;
use place::Place;
use reader::Reader;

pub(crate) use history::Verdict;

/// Look-ups are bounded by how often the witness looks, not by what a notary may ask in a minute.
pub(crate) const CONFIGURATION: &str =
    "lookup.person_per_minute = 6000\nlookup.office_per_minute = 6000\n";

/// No office of the city.
const OFFICE: &str = "witness";
const LOGIN: &str = "witness";
const PASSWORD: &str = "correct horse battery";
/// A matter of which everything is shown.
const MATTER: &str = "mandate";
/// Whatever has no answer by now has none.
const ANSWER: Duration = Duration::from_secs(5);

type Shared = Arc<Mutex<History>>;

/// A witness at work; ends when dropped.
#[derive(Debug)]
pub(crate) struct Witness {
    history: Shared,
    stop: CancellationToken,
    writing: JoinHandle<()>,
    looking: JoinHandle<Reader>,
}

impl Witness {
    /// Enrols at an open hub and begins. `hub` is where its writes go, `life` how long certificates live.
    pub(crate) async fn call(
        bureau: &Bureau,
        hub: SocketAddr,
        life: Duration,
    ) -> anyhow::Result<Self> {
        let office = ["office", "add", OFFICE, "--name", "见证公证处"];
        let where_it_is = ["--level", "county", "--district", "330106"];
        bureau.run(&[&office[..], &where_it_is].concat()).await?;
        let notary = NewAccount {
            login: LOGIN,
            display_name: "见证人",
            role: "notary",
            office: Some(OFFICE),
            password: PASSWORD,
        };
        bureau.add_account(notary).await?;
        let history = Shared::default();
        let addresses = bureau.addresses();
        let reader = Reader {
            place: Place::enrol(bureau, OFFICE, addresses.agents, life).await?,
            people: addresses.people,
            ca_file: bureau.ca_file(),
            history: Arc::clone(&history),
            channel: None,
            session: None,
        };
        let hand = Place::enrol(bureau, OFFICE, hub, life).await?;
        let stop = CancellationToken::new();
        let writing = writer::write(hand, Arc::clone(&history), stop.clone());
        Ok(Self {
            history,
            writing: tokio::spawn(writing),
            looking: tokio::spawn(reader.keep_looking(stop.clone())),
            stop,
        })
    }

    /// Ends with a last look at a city that has settled.
    ///
    /// # Errors
    /// When it ended before.
    pub(crate) async fn dismiss(mut self) -> anyhow::Result<Verdict> {
        self.stop.cancel();
        (&mut self.writing).await?;
        let mut reader = (&mut self.looking).await?;
        let what = "the hub answers the witness's last look";
        let answered = holds(what, PATIENCE, async || Ok(reader.look().await)).await;
        let mut verdict = lock(&self.history).verdict();
        let silence = answered.err().map(|error| format!("witness: {error:#}"));
        verdict.complaints.extend(silence);
        Ok(verdict)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stop.cancel();
        self.writing.abort();
        self.looking.abort();
    }
}

fn lock(history: &Shared) -> MutexGuard<'_, History> {
    history.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Of a case's person. The hub cannot tell it from one that was made with the city's key.
fn token(case: u64) -> Vec<u8> {
    let mut token = *b"witness-\0\0\0\0\0\0\0\0";
    token[8..].copy_from_slice(&case.to_be_bytes());
    token.to_vec()
}

/// Says which write a case is at.
fn case_no(write: u64) -> String {
    format!("（2024）浙杭见证民字第{write}号")
}

fn write_in(case_no: &str) -> Option<u64> {
    let (_, number) = case_no.split_once('第')?;
    number.strip_suffix('号')?.parse().ok()
}
