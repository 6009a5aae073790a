//! The command line of `notary-hub`.

mod account;
mod audit;
mod ca;
mod enrol;
mod health;
mod honey;
mod jobs;
mod office;
mod output;
mod owner;
mod persons;
mod record;
mod report;
mod rules;
mod setup;
mod stats;
mod supervision;
mod token_key;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::token::TokenAlgorithm;
use time::Date;

use crate::app;
use crate::config::{Config, ConfigError, Span};
use crate::identity::Serial;
use crate::statistics::period;
use crate::store::office::Level;
use crate::telemetry::logs;
use account::UserCommand;
use audit::AuditCommand;
use ca::CaCommand;
use enrol::EnrolCommand;
use honey::HoneyCommand;
use output::Output;
use persons::PersonsCommand;
use record::{change, look};
use report::ReportArgs;
use rules::RulesCommand;
use supervision::SupervisionCommand;
use token_key::TokenKeyCommand;
use work::WorkCommand;

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 audit verify found a fault.
Any key of the configuration can be overridden, e.g. NOTARY_HUB__LOG__FILTER=debug.";

/// The citywide notarial data-sharing hub.
#[derive(Debug, Parser)]
#[command(name = "notary-hub", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Configuration file; deploy/notary-hub.toml is a sample.
    #[arg(
        long,
        global = true,
        env = "NOTARY_HUB_CONFIG",
        hide_env_values = true,
        default_value = "notary-hub.toml"
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
    /// Make the CA, the keys and the database; what is there stays.
    Init {
        /// How tokens are computed in this city; not to be changed later.
        #[arg(
            long,
            default_value = "hmac_sha256",
            value_name = "hmac_sha256|hmac_sm3"
        )]
        token_algorithm: TokenAlgorithm,
    },
    /// Bring the database to this version's schema.
    Migrate,
    /// After restoring the database from a backup: let offices hand over again what they keep.
    Restored,
    /// Run the hub until SIGTERM.
    Serve,
    /// Say whether the hub on this machine serves; fails when it does not.
    Health,
    /// Offices.
    #[command(subcommand)]
    Office(OfficeCommand),
    /// Print a one-time token with which an office's agent enrols.
    EnrollToken {
        office_id: OfficeId,
        /// How long it can be used.
        #[arg(long, default_value = "24h")]
        ttl: Span,
    },
    /// Keys that ask for an office's first certificate and wait for the bureau.
    #[command(subcommand)]
    Enrol(EnrolCommand),
    /// The city's certificate authority and its successor.
    #[command(subcommand)]
    Ca(CaCommand),
    /// People.
    #[command(subcommand)]
    User(UserCommand),
    /// The keys that sign sessions.
    #[command(subcommand)]
    SessionKey(SessionKeyCommand),
    /// The key that tokens are made with, and the one that is to follow it.
    #[command(subcommand)]
    TokenKey(TokenKeyCommand),
    /// What makes two cases the same matter, and what of a case may be told.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Which parties are one person: link everything anew, train weights, say how it stands and why.
    #[command(subcommand)]
    Persons(PersonsCommand),
    /// Figures.
    #[command(subcommand)]
    Stats(StatsCommand),
    /// Work beside the answers that failed again and again.
    #[command(subcommand)]
    Work(WorkCommand),
    /// Long actions: what is under way and how far, and what became of the last ones.
    Jobs,
    /// Period reports: what is published, and what would be now.
    Report(ReportArgs),
    /// Planted identities that raise an alarm when somebody looks one up.
    #[command(subcommand)]
    Honey(HoneyCommand),
    /// The rules of supervision.
    #[command(subcommand)]
    Supervision(SupervisionCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Say what is wrong with the configuration, or print what is in force.
    CheckConfig,
}

impl Command {
    fn uses_data_dir(&self) -> bool {
        !matches!(self, Self::CheckConfig | Self::Health)
    }
}

#[derive(Debug, Subcommand)]
enum OfficeCommand {
    /// Add an office.
    Add(OfficeArgs),
    /// Say what an office is called, is or sits in from a day on, or that it merged or split: figures of before and after
    /// can be shown either way.
    Change(OfficeChangeArgs),
    /// List offices.
    List,
    /// End an office's part: open streams are cut, new calls refused, within 5 seconds.
    Revoke { office_id: OfficeId },
    /// Take a revocation back: the office takes part again once its agent has enrolled with a new token. Certificates and
    /// join tokens of before stay revoked.
    Reinstate { office_id: OfficeId },
    /// Take an office's certificates back when a machine or a key was lost, also for renewal. Within 5 seconds streams are
    /// cut and calls refused; it has to enrol again, with a new key.
    RevokeCertificates {
        office_id: OfficeId,
        /// Serial number (hexadecimal): this one and all that were issued to the office after it; all when left out.
        #[arg(long, value_name = "SERIAL")]
        since: Option<Serial>,
    },
    /// Do not let an office renew a certificate that has ended; it has to enrol again.
    RefuseLateRenewal { office_id: OfficeId },
    /// Let it, within identity.renewal_grace, as by default.
    AllowLateRenewal { office_id: OfficeId },
}

#[derive(Debug, Args)]
struct OfficeArgs {
    /// Short stable code, e.g. hzgl.
    office_id: OfficeId,
    /// Chinese name.
    #[arg(long)]
    name: String,
    /// municipal 市属 or county 县(市)区.
    #[arg(long)]
    level: LevelArg,
    /// GB/T 2260 code of its seat, e.g. 330106.
    #[arg(long)]
    district: DistrictCode,
}

#[derive(Debug, Args)]
#[group(id = "changes", required = true, multiple = true,
        args = ["name", "level", "district", "merged_into", "split_from", "independent"])]
struct OfficeChangeArgs {
    office_id: OfficeId,
    /// First day on which it is so, e.g. 2021-04-09.
    #[arg(long, value_parser = day)]
    on: Date,
    /// New Chinese name.
    #[arg(long)]
    name: Option<String>,
    /// New level.
    #[arg(long)]
    level: Option<LevelArg>,
    /// New district.
    #[arg(long)]
    district: Option<DistrictCode>,
    /// The office it became part of.
    #[arg(long, conflicts_with_all = ["split_from", "independent"])]
    merged_into: Option<OfficeId>,
    /// The office it was part of before; add it first.
    #[arg(long, conflicts_with = "independent")]
    split_from: Option<OfficeId>,
    /// It is part of no other office; on the day of a merger that was a mistake it takes that back.
    #[arg(long)]
    independent: bool,
}

/// A day such as 2021-04-09.
fn day(text: &str) -> Result<Date, &'static str> {
    period::day(text).ok_or("expected a day such as 2021-04-09")
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArg {
    Municipal,
    County,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Municipal => Self::Municipal,
            LevelArg::County => Self::County,
        }
    }
}

#[derive(Debug, Subcommand)]
enum SessionKeyCommand {
    /// Let the next key sign; the present one is believed until the next rotation. A running hub takes it in.
    Rotate {
        /// The keys may be known to somebody: replace all, which ends every session.
        #[arg(long)]
        compromised: bool,
    },
}

#[derive(Debug, Subcommand)]
enum StatsCommand {
    /// Recompute every figure from the cases; fails and names the cells when any differs.
    Verify,
    /// Count every figure again from the cases, in the place of what is held, and the persons served. Ingest waits
    /// meanwhile.
    Rebuild,
}

/// Why a command ended without being done.
#[derive(Debug)]
enum Failure {
    /// Exit code 2.
    Usage(String),
    /// Exit code 1.
    Failed(anyhow::Error),
    /// Exit code 3: what was to be verified is not what it was.
    AtFault(String),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<ConfigError>() {
            Some(problem) => Self::Usage(problem.to_string()),
            None => Self::Failed(error),
        }
    }
}

/// Runs the command line to its end.
pub async fn run(cli: Cli) -> ExitCode {
    let output = Output::new(cli.json);
    match execute(cli, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(problem)) => {
            output.failed(&problem);
            ExitCode::from(2)
        }
        Err(Failure::AtFault(problem)) => {
            output.failed(&problem);
            ExitCode::from(3)
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

async fn execute(cli: Cli, output: &Output) -> Result<(), Failure> {
    let command = match cli.command {
        Command::Audit(command) if command.is_offline() => {
            return audit::run(None, command, output).await;
        }
        command => command,
    };
    let config = Config::load(&cli.config)?;
    if command.uses_data_dir() {
        owner::check(&config.data_dir)?;
    }
    match command {
        Command::Init { token_algorithm } => setup::init(&config, token_algorithm, output).await,
        Command::Migrate => setup::migrate(&config, output).await,
        Command::Restored => setup::restored(&config, output).await,
        Command::Serve => {
            logs::init(&config.log)?;
            Ok(app::serve(config).await?)
        }
        Command::Health => health::health(&config, output).await,
        Command::Office(OfficeCommand::Add(args)) => office::add(&config, args, output).await,
        Command::Office(OfficeCommand::Change(args)) => office::alter(&config, args, output).await,
        Command::Office(OfficeCommand::List) => office::list(&config, output).await,
        Command::Office(OfficeCommand::Revoke { office_id }) => {
            office::revoke(&config, office_id, output).await
        }
        Command::Office(OfficeCommand::Reinstate { office_id }) => {
            office::reinstate(&config, office_id, output).await
        }
        Command::Office(OfficeCommand::RevokeCertificates { office_id, since }) => {
            office::revoke_certificates(&config, office_id, since, output).await
        }
        Command::Office(OfficeCommand::RefuseLateRenewal { office_id }) => {
            office::refuse_late_renewal(&config, office_id, true, output).await
        }
        Command::Office(OfficeCommand::AllowLateRenewal { office_id }) => {
            office::refuse_late_renewal(&config, office_id, false, output).await
        }
        Command::EnrollToken { office_id, ttl } => {
            office::enroll_token(&config, office_id, Duration::from(ttl), output).await
        }
        Command::Enrol(command) => enrol::run(&config, command, output).await,
        Command::Ca(command) => ca::run(&config, command, output).await,
        Command::User(command) => account::run(&config, command, output).await,
        Command::SessionKey(SessionKeyCommand::Rotate { compromised }) => {
            setup::rotate_session_key(&config, compromised, output).await
        }
        Command::TokenKey(command) => token_key::run(&config, command, output).await,
        Command::Persons(command) => persons::run(&config, command, output).await,
        Command::Honey(command) => honey::run(&config, command, output).await,
        Command::Audit(command) => audit::run(Some(&config), command, output).await,
        Command::Rules(command) => rules::run(&config, command, output).await,
        Command::Stats(StatsCommand::Verify) => stats::verify(&config, output).await,
        Command::Stats(StatsCommand::Rebuild) => stats::rebuild(&config, output).await,
        Command::Work(command) => work::run(&config, command, output).await,
        Command::Jobs => jobs::list(&config, output).await,
        Command::Report(args) => report::run(&config, args, output).await,
        Command::Supervision(command) => supervision::run(&config, command, output).await,
        Command::CheckConfig => setup::check_config(&config, output),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Whatever terminal the tests run in.
    const WIDTH: usize = 100;

    #[test]
    fn the_help_text_is_as_reviewed() {
        insta::assert_snapshot!(Cli::command().term_width(WIDTH).render_long_help());
    }

    #[test]
    fn the_help_texts_about_who_may_speak_are_as_reviewed() {
        let mut text = String::new();
        let mut command = Cli::command().term_width(WIDTH);
        command.build();
        for name in [
            "office",
            "enrol",
            "ca",
            "user",
            "session-key",
            "token-key",
            "persons",
            "audit",
            "rules",
            "report",
            "work",
        ] {
            let command = command
                .find_subcommand_mut(name)
                .expect("there is such a command");
            text.push_str(&format!("== {name}\n{}\n", command.render_help()));
        }
        insta::assert_snapshot!(text);
    }
}
