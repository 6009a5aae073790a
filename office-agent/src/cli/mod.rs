//! The command line of `office-agent`.

mod asking;
mod check;
mod check_config;
mod enroll;
mod file;
mod import;
mod map;
mod outbox;
mod output;
mod owner;
mod person;
mod quality;
mod reconcile;
mod reread;
mod status;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{self, AppError};
use crate::config::{Config, ConfigError};
use crate::telemetry::logs;
use output::Output;

const EXIT_CODES: &str = "\
Exit codes: 0 done (check: nothing found), 1 failed, 2 wrong usage or configuration, 3 outbox check
found damage, 10 check found something, 11 map or quality found something to mend.
Any key of the configuration can be overridden, e.g. OFFICE_AGENT__LOG__FILTER=debug.";

/// Exit code of a reading that found something for the office to mend.
const TO_MEND: u8 = 11;

/// Hands a notary office's cases to the citywide hub.
#[derive(Debug, Parser)]
#[command(name = "office-agent", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Configuration file; deploy/office-agent.toml is a sample.
    #[arg(
        long,
        global = true,
        env = "OFFICE_AGENT_CONFIG",
        hide_env_values = true,
        default_value = "office-agent.toml"
    )]
    config: PathBuf,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Get this office's certificate and the city's token key, with a join token from the operator.
    Enroll {
        /// As printed by `notary-hub enroll-token`; works once.
        #[arg(long, env = "OFFICE_AGENT_TOKEN", hide_env_values = true)]
        token: String,
    },
    /// Read the office's sources and hand them to the hub until SIGTERM.
    Run,
    /// Read the sources and say what would be taken and what refused; with --dry-run, which is needed.
    Map(map::Args),
    /// Read one CSV or XLSX file by a folder source's mapping, wherever the file lies.
    Import(import::Args),
    /// Say whether the agent on this machine runs and its outbox answers; fails when not.
    Health,
    /// What waits, what was refused and how to mend it, and what the hub wants people to know.
    Status(status::Args),
    /// Read the sources and name the cases with something to correct, field by field; they are taken all the same.
    Quality(quality::Args),
    /// Ask the hub whether a person or a thing is known in the city, before accepting.
    Check(check::Args),
    /// Ask the hub to tell when another office opens a matter.
    #[command(subcommand)]
    Watch(watch::Command),
    /// Hand in what is not a case: reports, refusals, complaints, special paper, self-assessment.
    File(file::Args),
    /// Compare with the hub what it holds of this office, and heal the differences; a running agent does so daily.
    Reconcile,
    /// Read sources from their beginning again; only what differs is sent. A changed mapping or query has it done by itself.
    Reread(reread::Args),
    /// Find damage in the outbox, and mend it.
    #[command(subcommand)]
    Outbox(outbox::Args),
    /// Say what is wrong with the configuration, or print what is in force.
    CheckConfig,
}

impl Command {
    fn uses_data_dir(&self) -> bool {
        !matches!(self, Self::Map(_) | Self::Quality(_) | Self::CheckConfig)
    }
}

/// Why a command ended without being done.
#[derive(Debug)]
enum Failure {
    /// Exit code 2.
    Usage(String),
    /// Exit code 1.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let of_configuration = error.is::<ConfigError>()
            || matches!(error.downcast_ref(), Some(AppError::Mapping { .. }));
        match of_configuration {
            true => Self::Usage(error.to_string()),
            false => Self::Failed(error),
        }
    }
}

/// Runs the command line to its end.
pub async fn run(cli: Cli) -> ExitCode {
    let output = Output::new(cli.json);
    match execute(cli, &output).await {
        Ok(code) => code,
        Err(Failure::Usage(problem)) => {
            output.failed(&problem);
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            output.failed(&with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with all that it came from; many say that themselves.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// The machine has no room for a runtime.
pub fn no_runtime(error: &std::io::Error) -> ExitCode {
    Output::new(false).failed(&format!("start: {error}"));
    ExitCode::FAILURE
}

async fn execute(cli: Cli, output: &Output) -> Result<ExitCode, Failure> {
    let config = Config::load(&cli.config)?;
    if cli.command.uses_data_dir() {
        owner::check(&config.data_dir)?;
    }
    match cli.command {
        Command::Enroll { token } => enroll::enroll(&config, &token, output).await?,
        Command::Run => {
            logs::init(&config.log)?;
            app::run(config).await?;
        }
        Command::Map(args) => return map::map(&config, &args, output).await,
        Command::Import(args) => import::import(&config, &args, output).await?,
        Command::Health => status::health(&config, output).await?,
        Command::Status(args) => status::status(&config, &args, output).await?,
        Command::Quality(args) => return quality::quality(&config, &args, output).await,
        Command::Check(args) => return check::check(&config, args, output).await,
        Command::Watch(command) => watch::watch(&config, command, output).await?,
        Command::File(args) => file::file(&config, &args, output).await?,
        Command::Reconcile => reconcile::reconcile(&config, output).await?,
        Command::Reread(args) => reread::reread(&config, &args, output).await?,
        Command::Outbox(args) => return outbox::outbox(&config, &args, output),
        Command::CheckConfig => check_config::check_config(&config, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_error_is_told_with_its_cause_and_the_cause_once() {
        let missing = || std::io::Error::other("no such file");
        let bare = anyhow::Error::new(missing()).context("read /nope");
        assert_eq!(with_causes(&bare), "read /nope: no such file");
        let said = anyhow::Error::new(missing()).context("read /nope: no such file");
        assert_eq!(with_causes(&said), "read /nope: no such file");
    }

    /// The words of a command as a shell makes them.
    fn words(command: &str) -> Vec<String> {
        let print = format!("printf '%s\\0' {command}");
        let output = std::process::Command::new("sh")
            .args(["-c", &print])
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{command}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn the_documented_questions_can_be_asked() {
        use linkage::token::{TokenAlgorithm, TokenKey};

        let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
        let document = include_str!("../../../docs/integrator.md").replace("\\\n", " ");
        let examples = document
            .lines()
            .filter(|line| line.starts_with("office-agent ") && line.contains("--party"));
        let mut asked = Vec::new();
        for example in examples {
            let cli = Cli::try_parse_from(words(example)).expect(example);
            let (name, question) = match cli.command {
                Command::Check(args) => ("check", args.asked().0),
                Command::Watch(watch::Command::Add(add)) => ("watch add", add.matter.question()),
                _ => panic!("{example}"),
            };
            question.tokenised(&key).expect(example);
            asked.push(name);
        }
        assert_eq!(asked, ["check", "watch add"]);
    }

    #[test]
    fn the_help_text_is_as_reviewed() {
        // Whatever terminal the tests run in.
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut text = command.render_long_help().to_string();
        for name in [
            "enroll",
            "status",
            "map",
            "quality",
            "import",
            "check",
            "file",
            "watch",
            "watch add",
            "watch list",
            "watch remove",
            "reread",
            "outbox check",
        ] {
            let mut sub = &mut command;
            for word in name.split(' ') {
                sub = sub.find_subcommand_mut(word).expect("the command exists");
            }
            text.push_str(&format!("\n--- {name}\n{}", sub.render_long_help()));
        }
        insta::assert_snapshot!(text);
    }
}
