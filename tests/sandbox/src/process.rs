//! A program that runs beside us.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::Child;
use tokio::time::timeout;

use crate::poll;

/// How long a program may take to end when asked to.
const END_LIMIT: Duration = Duration::from_secs(60);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pid: Pid,
    log: PathBuf,
    pid_file: PathBuf,
}

impl Running {
    /// Starts the program; what it says is appended to `log`. Its process id stands beside the log, so that
    /// [`end_leftovers`] finds it should we be killed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        // Ctrl-C in a terminal must reach us alone: we end the others in their order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let program = command.get_program().to_owned();
        let mut command = tokio::process::Command::from(command);
        let child = command
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let id = child.id().context("the program ended at once")?;
        let pid = Pid::from_raw(id.cast_signed()).context("0 is no process")?;
        let pid_file = log.with_extension("pid");
        fs::write(&pid_file, id.to_string())?;
        Ok(Self {
            child,
            pid,
            log: log.to_owned(),
            pid_file,
        })
    }

    /// As the operating system counts.
    pub fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// The exit status, when it has ended.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Fails with the end of its log when it has ended.
    ///
    /// # Errors
    /// When it has ended.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => bail!("it ended by itself ({status}):\n{}", tail(&self.log)),
        }
    }

    /// SIGSTOP: it stands still with all it holds and does not know.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.must_run()?;
        Ok(kill_process(self.pid, Signal::STOP)?)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When it has ended.
    pub fn go_on(&mut self) -> anyhow::Result<()> {
        self.must_run()?;
        Ok(kill_process(self.pid, Signal::CONT)?)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When it had ended before, which nobody asked it to.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.must_run()?;
        self.child.kill().await?;
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// When it does not end in good time; it is killed then.
    pub async fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        kill_process(self.pid, Signal::TERM)?;
        match timeout(END_LIMIT, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("it does not end:\n{}", tail(&self.log)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.pid_file);
    }
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// Ends programs that an earlier run left behind in `folder` because it was killed, and waits for them and their
/// databases to be gone. A process is only touched if its command line names a file in `folder`.
///
/// # Errors
/// When one does not end.
pub async fn end_leftovers(folder: &Path) -> anyhow::Result<()> {
    for file in files_named(folder, |name| name.ends_with(".pid")) {
        let Some(pid) = first_line_as_pid(&file) else {
            continue;
        };
        let ours = || {
            fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| {
                String::from_utf8_lossy(&line).contains(&folder.display().to_string())
            })
        };
        // A private PostgreSQL ends by itself once its owner is gone.
        if ours() && !file.ends_with("postmaster.pid") {
            // It may end at this moment; one that stands still does not.
            let _ = kill_process(pid, Signal::TERM);
            let _ = kill_process(pid, Signal::CONT);
        }
        let what = format!("{} of an earlier run has ended", file.display());
        poll::holds(&what, END_LIMIT, async || {
            Ok(!ours() || test_kill_process(pid).is_err())
        })
        .await?;
    }
    Ok(())
}

/// SIGKILL to the PostgreSQL of a data folder, or to one of the processes that serve its connections, which takes all
/// of them along. Whoever watches over it has to start it again. Nothing happens while none runs, as right after it was
/// killed.
///
/// # Errors
/// When the process there is another program, or may not be killed.
pub fn kill_postgres(data_dir: &Path, part: Part) -> anyhow::Result<()> {
    let Some(server) = first_line_as_pid(&data_dir.join("postmaster.pid")) else {
        return Ok(());
    };
    let id = server.as_raw_nonzero();
    let Ok(line) = fs::read(format!("/proc/{id}/cmdline")) else {
        return Ok(());
    };
    ensure!(
        String::from_utf8_lossy(&line).contains(&data_dir.display().to_string()),
        "process {id} is not the server of {}",
        data_dir.display()
    );
    let pid = match part {
        Part::Server => Some(server),
        Part::Connection => served_by(server),
    };
    match pid.map(|pid| kill_process(pid, Signal::KILL)) {
        None | Some(Ok(()) | Err(Errno::SRCH)) => Ok(()),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Which process of a PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Server,
    /// One that serves a connection.
    Connection,
}

/// A child of the server that serves somebody: its title names a database's user and `[local]`.
fn served_by(server: Pid) -> Option<Pid> {
    let parent = format!("PPid:\t{}", server.as_raw_nonzero());
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let children = processes.filter(|process| {
        let read = |file: &str| fs::read_to_string(process.path().join(file)).unwrap_or_default();
        read("status").lines().any(|line| line == parent) && read("cmdline").contains("[local]")
    });
    let mut ids = children.filter_map(|child| child.file_name().to_str()?.parse().ok());
    Pid::from_raw(ids.next()?)
}

fn first_line_as_pid(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// Files up to three folders deep.
fn files_named(folder: &Path, wanted: impl Fn(&str) -> bool + Copy) -> Vec<PathBuf> {
    fn walk(folder: &Path, depth: u8, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if path.is_dir() && depth > 0 {
                walk(&path, depth - 1, wanted, found);
            } else if path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(wanted)
            {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, 3, &wanted, &mut found);
    // Programs before the databases they own, whose lock file is `postmaster.pid`.
    found.sort_by_key(|path| path.ends_with("postmaster.pid"));
    found
}
