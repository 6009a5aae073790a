//! The server process and the small shell that watches over it.
//!
//! The shell holds a pipe from us on its input. When we end, even by SIGKILL, the pipe closes and the
//! shell asks PostgreSQL for a fast shutdown. When PostgreSQL itself is killed, the shell starts it again; when that
//! fails, as on a full disk, it tries again for as long as we live. Only one that never stood is given up. A fast
//! shutdown that PostgreSQL does not follow, as while it recovers from a crash, becomes an immediate one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::account::Account;
use super::binaries::Binaries;
use super::{Durability, EmbeddedError};

/// `$@` is the server's command line. File descriptor 3 is our end of life.
const WATCH: &str = r#"
exec 3<&0 </dev/null
watched=$$
stopping= stood= short=0
stop() {
    stopping=yes
    kill -INT "$server" 2>/dev/null
    (
        waited=0
        while kill -0 "$server" 2>/dev/null; do
            [ "$waited" -lt 15 ] || kill -QUIT "$server"
            waited=$((waited + 1))
            sleep 1
        done
    ) &
}
trap stop TERM
(read -r _ <&3; kill -TERM "$watched") &
while [ "$short" -lt 10 ] || [ -n "$stood" ]; do
    begun=$(date +%s)
    "$@" 3<&- &
    server=$!
    [ -z "$stopping" ] || stop
    wait "$server"
    while kill -0 "$server" 2>/dev/null; do wait "$server"; done
    [ -z "$stopping" ] || exit 0
    if [ $(($(date +%s) - begun)) -lt 10 ]; then short=$((short + 1)); else stood=yes short=0; fi
    sleep "$((short < 5 ? 1 : 5))"
    [ -z "$stopping" ] || exit 0
done
exit 1
"#;

/// How long a fast shutdown may take.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// A server that this process owns.
#[derive(Debug)]
pub(super) struct Server {
    watch: Child,
    data_dir: PathBuf,
    log: PathBuf,
}

impl Server {
    pub(super) fn spawn(
        binaries: &Binaries,
        account: &Account,
        data_dir: &Path,
        socket_dir: &Path,
        durability: Durability,
    ) -> Result<Self, EmbeddedError> {
        let log = data_dir.join("server.log");
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|source| EmbeddedError::File {
                what: "open",
                path: log.clone(),
                source,
            })?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCH, "notary-pg-watch"])
            .arg(binaries.postgres())
            .arg("-D")
            .arg(data_dir)
            .arg("-k")
            .arg(socket_dir)
            .args(settings(durability))
            .current_dir(data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(out);
        // Ctrl-C in a terminal must reach the hub alone: it drains before its database goes.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        account.run_as(&mut command);
        let watch = command.spawn().map_err(|source| EmbeddedError::File {
            what: "start",
            path: binaries.postgres(),
            source,
        })?;
        Ok(Self {
            watch,
            data_dir: data_dir.to_owned(),
            log,
        })
    }

    /// Whether the watching shell is there and the server has not given up at its first start.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.watch.try_wait(), Ok(None))
    }

    pub(super) fn not_ready(&self) -> EmbeddedError {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        EmbeddedError::NotReady {
            log: self.log.clone(),
            tail: lines[lines.len().saturating_sub(10)..].join("\n"),
        }
    }

    /// Fast shutdown, and waits for the server to be gone.
    pub(super) async fn stop(mut self) -> Result<(), EmbeddedError> {
        drop(self.watch.stdin.take());
        let deadline = Instant::now() + STOP_LIMIT;
        while self.is_running() || is_alive(&self.data_dir) {
            if Instant::now() > deadline {
                return Err(EmbeddedError::Occupied(self.data_dir.clone()));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// Whether some server runs on `data_dir`: its lock file names a process that exists.
pub(super) fn is_alive(data_dir: &Path) -> bool {
    let Ok(text) = fs::read_to_string(data_dir.join("postmaster.pid")) else {
        return false;
    };
    text.lines()
        .next()
        .and_then(|line| line.trim().parse::<u32>().ok())
        .is_some_and(|id| {
            fs::read_to_string(format!("/proc/{id}/comm"))
                .is_ok_and(|name| name.trim() == "postgres")
        })
}

/// Where the server that runs on `data_dir` says its socket is: the fifth line of its lock file.
pub(super) fn socket_dir(data_dir: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
    let line = text.lines().nth(4).filter(|line| !line.is_empty())?;
    Some(line.into())
}

fn settings(durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "max_connections=100",
        "shared_buffers=512MB",
        "effective_cache_size=4GB",
        "work_mem=32MB",
        "maintenance_work_mem=256MB",
        "max_wal_size=8GB",
        "checkpoint_timeout=15min",
        "wal_compression=lz4",
        "random_page_cost=1.1",
        "jit=off",
        "log_min_messages=warning",
        "timezone=UTC",
        "log_timezone=UTC",
    ];
    if durability == Durability::Relaxed {
        settings.extend([
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ]);
        settings.push("shared_buffers=128MB");
    }
    settings
        .into_iter()
        .flat_map(|setting| ["-c".to_owned(), setting.to_owned()])
        .collect()
}
