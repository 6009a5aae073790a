//! A source is read for ever: what is read is in the outbox with its cursor, failures pass, nothing is read for nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notary_proto::hub::v1::{CaseRecord, RejectedRecord};
use office_agent::config::{Source, SourceName};
use office_agent::outbox::{Entry, Outbox};
use office_agent::source::row::Found;
use office_agent::source::{Doing, SourceState, SourceStates, run};
use rusqlite::Connection;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

struct Agent {
    folder: tempfile::TempDir,
    outbox: Outbox,
    states: SourceStates,
    source: Source,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Agent {
    fn new(source: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let outbox = Outbox::open(folder.path().join("outbox.sqlite")).expect("an outbox");
        let source = toml::from_str(&source(folder.path())).expect("a source");
        Self {
            folder,
            outbox,
            states: SourceStates::default(),
            source,
            running: None,
        }
    }

    fn start(&mut self) {
        self.start_with(entry);
    }

    fn start_with(&mut self, entry: impl Fn(Found) -> Entry + Send + Sync + 'static) {
        let stop = CancellationToken::new();
        let (source, outbox, states) = (
            self.source.clone(),
            self.outbox.clone(),
            self.states.clone(),
        );
        let task = tokio::spawn(run(source, entry, outbox, states, stop.clone()));
        self.running = Some((stop, task));
    }

    async fn stop(&mut self) {
        let (stop, task) = self.running.take().expect("it runs");
        stop.cancel();
        task.await.expect("it ends well");
    }

    fn name(&self) -> SourceName {
        self.source.name().clone()
    }

    async fn until(&self, wanted: impl FnMut(&SourceState) -> bool) -> SourceState {
        let wait = self.states.wait_for(self.source.name(), wanted);
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("it comes to that")
    }

    async fn until_stored(&self, records: u64) {
        let mut grown = self.outbox.grown();
        let wait = async {
            while self.outbox.backlog().await.expect("an answer") < records {
                grown.changed().await.expect("the outbox is open");
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("it is stored");
        assert_eq!(self.outbox.backlog().await.expect("an answer"), records);
    }
}

/// Keeps a row's key and title.
fn entry(found: Found) -> Entry {
    match found {
        Found::Row(row) => Entry::Case(Box::new(CaseRecord {
            source_case_id: row.get("id").unwrap_or_default().to_owned(),
            matter_type: row.get("title").unwrap_or_default().to_owned(),
            ..CaseRecord::default()
        })),
        Found::Malformed { location, .. } => Entry::Rejected(RejectedRecord {
            source_location: location,
            rule_id: "ROW_MALFORMED".to_owned(),
            ..RejectedRecord::default()
        }),
    }
}

fn database(folder: &Path) -> PathBuf {
    folder.join("cases.db")
}

fn sql(folder: &Path) -> String {
    format!(
        "kind = 'sql'\nname = 'cases'\nmapping = 'm'\nurl = 'sqlite:{}'\nquery = 'SELECT * FROM c'\nwatermark = 'at'\n\
         key = 'id'\npoll = '10ms'\npage_rows = 3\n",
        database(folder).display()
    )
}

fn make_database(folder: &Path) -> Connection {
    let db = Connection::open(database(folder)).expect("a database");
    db.execute_batch("CREATE TABLE c (id TEXT PRIMARY KEY, title TEXT, at INTEGER)")
        .expect("a table");
    db
}

fn put(db: &Connection, id: &str, title: &str, at: i64) {
    db.execute("INSERT OR REPLACE INTO c VALUES (?, ?, ?)", (id, title, at))
        .expect("written");
}

#[tokio::test]
async fn a_database_is_followed_and_a_restart_goes_on() {
    let mut agent = Agent::new(sql);
    let db = make_database(agent.folder.path());
    for number in 0..10 {
        put(&db, &format!("{number}"), "a", number);
    }
    agent.start();
    agent.until_stored(10).await;
    put(&db, "3", "changed", 20);
    agent.until_stored(11).await;
    agent.stop().await;
    put(&db, "new", "b", 21);
    agent.states = SourceStates::default();
    agent.start();
    agent.until_stored(12).await;
    let state = agent.until(|state| state.doing == Doing::Waiting).await;
    assert!(state.rows < 10, "not everything again: {}", state.rows);
    agent.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_told_of_and_read_when_it_comes() {
    let mut agent = Agent::new(sql);
    agent.start();
    let state = agent.until(|state| state.doing == Doing::Failing).await;
    assert!(
        state
            .problem
            .is_some_and(|problem| problem.starts_with("the database cannot be reached"))
    );
    let db = make_database(agent.folder.path());
    put(&db, "1", "a", 1);
    agent.until_stored(1).await;
    let state = agent.until(|state| state.doing == Doing::Waiting).await;
    assert_eq!(state.problem, None);
    agent.stop().await;
}

#[tokio::test]
async fn rows_that_did_not_get_into_the_outbox_are_read_again() {
    let mut agent = Agent::new(sql);
    let db = make_database(agent.folder.path());
    put(&db, "1", "a", 1);
    let broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&broken);
    agent.start_with(move |found| {
        assert!(!switch.load(Ordering::SeqCst), "the first pages are lost");
        entry(found)
    });
    agent.until(|state| state.doing == Doing::Failing).await;
    assert_eq!(
        agent.outbox.cursor(&agent.name()).await.expect("an answer"),
        None
    );
    broken.store(false, Ordering::SeqCst);
    agent.until_stored(1).await;
    agent.stop().await;
}

#[tokio::test]
async fn a_folder_is_followed_and_sends_only_what_differs() {
    let mut agent = Agent::new(|folder| {
        let path = folder.join("export");
        fs::create_dir(&path).expect("made");
        format!(
            "kind = 'folder'\nname = 'export'\nmapping = 'm'\npath = '{}'\npattern = '*.csv'\nrescan = '50ms'\n",
            path.display()
        )
    });
    let export = agent.folder.path().join("export");
    fs::write(export.join("a.csv"), "id,title\n1,a\n2,b\n").expect("written");
    fs::write(export.join("bad.csv"), "").expect("written");
    agent.start();
    agent.until_stored(2).await;
    let state = agent.until(|state| !state.bad_files.is_empty()).await;
    assert_eq!(state.bad_files[0].file, "bad.csv");
    // Another size, so that the change shows whatever the clock's resolution.
    fs::write(export.join("a.csv"), "id,title\n1,a\n2,other\n3,c\n4\n").expect("written");
    agent.until_stored(5).await;
    fs::write(export.join("bad.csv"), "id,title\n5,e\n").expect("written");
    agent.until_stored(6).await;
    agent.until(|state| state.bad_files.is_empty()).await;
    agent.stop().await;
}
