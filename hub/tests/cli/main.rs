//! The program as an operator runs it: real processes, a real private PostgreSQL.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod accounts;
mod configuration;
mod figures;
mod keys;
mod life;
mod offices;
#[path = "../support/program.rs"]
mod program;
mod record;
mod rules;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notary_hub::embedded::Postgres;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use program::Site;

impl Site {
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn with_password(&self, arguments: &[&str]) {
        let mut child = self
            .command(arguments)
            .arg("--password-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"correct horse battery\n").unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success(), "{arguments:?}");
    }

    /// What operators' commands left in the audit log.
    fn recorded(&self) -> Vec<String> {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let postgres = Postgres::start_or_join(&self.path("data/postgres"))
                .await
                .unwrap();
            let mut hub = PgConnection::connect(postgres.url()).await.unwrap();
            let entries = "SELECT actor || ' ' || action || ' ' || outcome FROM audit_entry ORDER BY entry_no";
            let entries = sqlx::query_scalar(entries).fetch_all(&mut hub);
            let entries = entries.await.unwrap();
            postgres.stop().await.unwrap();
            entries
        })
    }

    /// Of that what was done to its end.
    fn done(&self) -> Vec<String> {
        let mut entries = self.recorded();
        entries.retain(|entry| entry.ends_with(" done"));
        entries
    }

    fn serve(&self) -> Serving {
        let mut child = self
            .command(&["serve"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        for line in log.by_ref() {
            let line = line.unwrap();
            said.push(line.clone());
            if line.contains("\"ready\"") {
                break;
            }
        }
        assert!(self.path("data/addresses.json").exists(), "{said:?}");
        // Somebody has to read on, or the hub blocks when the pipe is full.
        let later = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&later);
        let reader = std::thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                collected.lock().unwrap().push(line);
            }
        });
        Serving {
            child,
            later,
            reader,
        }
    }

    fn address(&self, listener: &str) -> SocketAddr {
        let addresses = fs::read(self.path("data/addresses.json")).unwrap();
        let addresses: Value = serde_json::from_slice(&addresses).unwrap();
        addresses[listener].as_str().unwrap().parse().unwrap()
    }
}

struct Serving {
    child: Child,
    /// What it logged after `ready`.
    later: Arc<Mutex<Vec<String>>>,
    reader: std::thread::JoinHandle<()>,
}

impl Serving {
    fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    fn signal(&self) {
        rustix::process::kill_process(self.id(), rustix::process::Signal::TERM).unwrap();
    }

    /// SIGTERM; returns the exit code and what was logged after `ready`.
    fn terminate(self) -> (Option<i32>, Vec<String>) {
        self.signal();
        self.end()
    }

    fn end(mut self) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < deadline, "the hub does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        self.reader.join().unwrap();
        (code, self.later.lock().unwrap().clone())
    }

    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self
            .later
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.contains(text))
        {
            assert!(Instant::now() < deadline, "the log never says: {text}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
