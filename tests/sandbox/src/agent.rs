//! An office's agent: its configuration beside the office's mapping, its command line, and the agent itself.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::clock::Clock;
use crate::memory::{self, Memory};
use crate::process::Running;
use crate::{Inquiry, programs};

/// Where an agent finds the hub.
#[derive(Clone, Debug)]
pub struct HubAt {
    /// `host:port` for agents.
    pub agents: String,
    /// `host:port` for people.
    pub people: String,
    pub ca_file: PathBuf,
}

/// What a command of the agent came to.
#[derive(Clone, Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// What was printed, as JSON.
    ///
    /// # Errors
    /// When it is not.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.out)
            .with_context(|| format!("not JSON: {}{}", self.out, self.err))
    }
}

/// What `office-agent status --json` says.
#[derive(Clone, Debug)]
pub struct Status(pub Value);

impl Status {
    /// Everything the sources have is at the hub.
    pub fn is_caught_up(&self) -> bool {
        let sources = self.0["sources"].as_array();
        self.0["waiting"] == 0
            && sources.is_some_and(|sources| {
                let mut all = sources.iter();
                all.all(|source| source["caught_up"] == true)
            })
    }

    /// Highest sequence given out.
    ///
    /// # Errors
    /// When the status does not say.
    pub fn last_sequence(&self) -> anyhow::Result<u64> {
        self.number("last_sequence")
    }

    /// Highest sequence of which the agent knows that the hub has committed it.
    ///
    /// # Errors
    /// When the status does not say.
    pub fn acked_sequence(&self) -> anyhow::Result<u64> {
        self.number("acked_sequence")
    }

    fn number(&self, name: &str) -> anyhow::Result<u64> {
        let number = self.0[name].as_u64();
        number.with_context(|| format!("the status has no {name}: {}", self.0))
    }

    /// Open refusals, the newest first.
    pub fn refused(&self) -> Vec<Refused> {
        let list = self.0["rejects"].as_array();
        let text =
            |reject: &Value, name: &str| reject[name].as_str().unwrap_or_default().to_owned();
        list.into_iter()
            .flatten()
            .map(|reject| Refused {
                rule_id: text(reject, "rule_id"),
                field: text(reject, "field"),
                record_key: text(reject, "source_case_id"),
            })
            .collect()
    }
}

/// A record that an agent lists as refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub rule_id: String,
    pub field: String,
    pub record_key: String,
}

/// An agent in its office's folder.
#[derive(Debug)]
pub struct Agent {
    office_id: String,
    folder: PathBuf,
    running: Option<Running>,
    /// Its own, if it has one.
    clock: Option<Clock>,
}

impl Agent {
    /// Writes the agent's configuration into the office's folder, from the sources the office has.
    ///
    /// # Errors
    /// When the folder is not an office's.
    pub fn install(folder: &Path, office_id: &str, hub: &HubAt) -> anyhow::Result<Self> {
        let agent = Self {
            office_id: office_id.to_owned(),
            folder: folder.canonicalize()?,
            running: None,
            clock: None,
        };
        agent.find_hub_at(hub)?;
        Ok(agent)
    }

    /// Writes the configuration anew with another hub; takes effect at the next start.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn find_hub_at(&self, hub: &HubAt) -> anyhow::Result<()> {
        let sources = fs::read_to_string(self.folder.join("source.toml"))?;
        let text = format!(
            "data_dir = 'agent'\n\n[hub]\nagents = 'https://{}'\npeople = 'https://{}'\nca_file = '{}'\n\n\
             [local]\nlisten = '127.0.0.1:0'\n\n[log]\nformat = 'json'\n\n{sources}",
            hub.agents,
            hub.people,
            hub.ca_file.display()
        );
        Ok(fs::write(self.config_file(), text)?)
    }

    /// Goes by a clock of its own from its next start on.
    pub fn go_by(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    pub fn office_id(&self) -> &str {
        &self.office_id
    }

    pub fn config_file(&self) -> PathBuf {
        self.folder.join("office-agent.toml")
    }

    /// Where it listens on loopback; it says so once it runs.
    ///
    /// # Errors
    /// When it has not said so.
    pub fn local_address(&self) -> anyhow::Result<SocketAddr> {
        let text = fs::read(self.data_dir().join("addresses.json")).context("the agent runs")?;
        let addresses: Value = serde_json::from_slice(&text)?;
        let local = addresses["local"].as_str().context("a local address")?;
        Ok(local.parse()?)
    }

    /// The outbox, the identity.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("agent")
    }

    /// What the agent said, over all its lives.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("office-agent.log")
    }

    /// A command that is not run yet.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(programs::office_agent()?);
        command
            .args(arguments)
            .arg("--config")
            .arg(self.config_file())
            .env_remove("OFFICE_AGENT_CONFIG");
        if let Some(clock) = &self.clock {
            clock.give(&mut command);
        }
        Ok(command)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it cannot be run; what it comes to is in the answer.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Answer> {
        run(self.command(arguments)?).await
    }

    /// `enroll` with a join token.
    ///
    /// # Errors
    /// When the agent says why not.
    pub async fn enroll(&self, join_token: &str) -> anyhow::Result<()> {
        let answer = self.run(&["enroll", "--token", join_token]).await?;
        if answer.code != Some(0) {
            bail!("enrolling {}: {}", self.office_id, answer.err.trim());
        }
        Ok(())
    }

    /// `run`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let command = self.command(&["run"])?;
        self.running = Some(Running::start(command, &self.log_file())?);
        Ok(())
    }

    /// Fails when it has ended by itself.
    ///
    /// # Errors
    /// With the end of its log.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        self.running()?
            .must_run()
            .with_context(|| format!("the agent of {}", self.office_id))
    }

    /// kill -9.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let running = self.running.take().context("the agent does not run")?;
        running.kill().await
    }

    /// SIGTERM; returns how it ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        let running = self.running.take().context("the agent does not run")?;
        running.terminate().await
    }

    /// The agent itself.
    ///
    /// # Errors
    /// When it does not run.
    pub fn running(&mut self) -> anyhow::Result<&mut Running> {
        self.running.as_mut().context("the agent does not run")
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The agent's, as the operating system counts.
    ///
    /// # Errors
    /// When it does not run.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        let running = self.running.as_ref().context("the agent does not run")?;
        Ok(running.id())
    }

    /// Its memory.
    ///
    /// # Errors
    /// When it does not run.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        memory::of(self.process_id()?)
    }

    /// `status --json`.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn status(&self) -> anyhow::Result<Status> {
        let answer = self.run(&["status", "--json"]).await?;
        Ok(Status(answer.json()?))
    }

    /// `check --json`: a notary's look-up.
    ///
    /// # Errors
    /// When the command cannot be run.
    pub async fn check(
        &self,
        inquiry: &Inquiry,
        login: &str,
        password: &str,
    ) -> anyhow::Result<Answer> {
        self.ask(&["check", "--json", "--login", login], inquiry, password)
            .await
    }

    /// `check` as a person reads it.
    ///
    /// # Errors
    /// When the command cannot be run.
    pub async fn check_as_text(
        &self,
        inquiry: &Inquiry,
        login: &str,
        password: &str,
    ) -> anyhow::Result<Answer> {
        self.ask(&["check", "--login", login], inquiry, password)
            .await
    }

    async fn ask(
        &self,
        arguments: &[&str],
        inquiry: &Inquiry,
        password: &str,
    ) -> anyhow::Result<Answer> {
        let mut command = self.command(arguments)?;
        command
            .args(inquiry.arguments())
            .env("OFFICE_AGENT_PASSWORD", password);
        run(command).await
    }
}

async fn run(mut command: Command) -> anyhow::Result<Answer> {
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Answer {
        code: output.status.code(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    })
}
