//! systemd's units, and what the programs tell systemd.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use notary_hub::embedded::testing::fresh_database;
use sandbox::process::Running;
use sandbox::{BureauOptions, Setting, Systems};
use synthetic_city::CityPlan;
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::time::{Duration, timeout};

use crate::file;

/// 2.0, in systemd's tenths.
const MOST_EXPOSED: &str = "--threshold=20";

#[test]
#[expect(
    clippy::print_stderr,
    reason = "nobody should take a skipped check for a passed one"
)]
fn no_unit_leaves_its_service_more_exposed_than_two_of_ten() {
    for unit in [
        "notary-hub.service",
        "office-agent.service",
        "notary-hub-backup.service",
        "notary-hub-wal.service",
    ] {
        let output = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", MOST_EXPOSED])
            .arg(file("systemd").join(unit))
            .output();
        let output = match output {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("skipped: there is no systemd-analyze on this machine");
                return;
            }
            output => output.unwrap(),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        let verdict = said.lines().last().unwrap_or_default();
        assert!(output.status.success(), "{unit}: {verdict}");
        assert!(verdict.contains("exposure level"), "{unit}: {said}");
    }
}

/// The other end of `NOTIFY_SOCKET`.
struct Manager {
    folder: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { folder, socket }
    }

    /// Starts a program as its manager, which expects to hear of it every quarter of a second.
    fn start(&self, mut command: Command, log: &Path) -> Running {
        command
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .env("WATCHDOG_USEC", "250000");
        Running::start(command, log).unwrap()
    }

    async fn next(&self) -> String {
        let mut buffer = [0; 256];
        let heard = timeout(Duration::from_secs(60), self.socket.recv(&mut buffer)).await;
        let length = heard.expect("the program says something").unwrap();
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    }

    /// The program is ready, then alive again and again, and says when it stops.
    async fn is_told_everything(&self, program: Running) {
        assert_eq!(self.next().await, "READY=1");
        for _ in 0..3 {
            assert_eq!(self.next().await, "WATCHDOG=1");
        }
        let end = tokio::spawn(program.terminate());
        let stopping = loop {
            match self.next().await.as_str() {
                "WATCHDOG=1" => {}
                other => break other.to_owned(),
            }
        };
        assert_eq!(stopping, "STOPPING=1");
        assert_eq!(end.await.unwrap().unwrap().code(), Some(0));
    }
}

#[tokio::test]
async fn both_programs_tell_systemd_that_they_are_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let options = BureauOptions {
        database_url: Some(fresh_database().await.url),
        ..BureauOptions::default()
    };
    let plan = CityPlan {
        offices: 6,
        ..CityPlan::of_size(122, 100)
    };
    let mut setting = Setting::build(folder.path(), &plan, Systems::Files, &options, &[0])
        .await
        .unwrap();
    setting.bureau.close().await.unwrap();
    let manager = Manager::new();
    let hub = setting.bureau.command(&["serve"]).unwrap();
    let hub = manager.start(hub, &setting.bureau.log_file());
    manager.is_told_everything(hub).await;
    let agent = setting.agents[0].command(&["run"]).unwrap();
    let agent = manager.start(agent, &setting.agents[0].log_file());
    manager.is_told_everything(agent).await;
}
