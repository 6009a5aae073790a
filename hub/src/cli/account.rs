//! Commands about people.

mod change;
mod second_factor;

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use linkage::office::OfficeId;
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::record::{self, Operator};
use super::{Failure, Output};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::account::{self, NewAccount};
use crate::identity::{Role, RoleKind, pki};
use crate::store;
use crate::store::account::Account;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add an account; the password is asked for.
    Add(UserArgs),
    /// List accounts.
    List,
    /// Give an account another password; it is asked for. Its sessions and any lock end.
    Passwd {
        login: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Give an account another role. Its sessions end.
    Role {
        login: String,
        #[command(flatten)]
        role: RoleArgs,
    },
    /// Keep a person from signing in. Open sessions are refused within seconds.
    Disable { login: String },
    /// Let a disabled person sign in again.
    Enable { login: String },
    /// Sessions.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Second factor.
    #[command(subcommand)]
    Totp(TotpCommand),
    /// Signing in through the bureau's identity provider ([oidc] in the configuration).
    #[command(subcommand)]
    Provider(ProviderCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// End all sessions of an account; the person may sign in again.
    Revoke { login: String },
}

#[derive(Debug, Subcommand)]
pub(super) enum TotpCommand {
    /// Make a new authenticator secret and recovery codes, printed this once; earlier ones end.
    Enrol { login: String },
    /// Take the second factor away from a person who lost it.
    Reset { login: String },
}

#[derive(Debug, Subcommand)]
pub(super) enum ProviderCommand {
    /// Let a person of the provider sign in as this account. Its sessions end.
    Link {
        login: String,
        /// The person's `sub` at the provider.
        subject: String,
    },
    /// Keep the provider's person from signing in as this account. Its sessions end.
    Unlink { login: String },
}

#[derive(Debug, Args)]
pub(super) struct RoleArgs {
    #[arg(long, value_name = "notary|analyst|supervisor|operator")]
    role: RoleKind,
    /// The office of a notary.
    #[arg(long)]
    office: Option<OfficeId>,
}

#[derive(Debug, Args)]
pub(super) struct UserArgs {
    login: String,
    #[command(flatten)]
    role: RoleArgs,
    #[arg(long)]
    display_name: String,
    #[command(flatten)]
    password: PasswordArgs,
}

#[derive(Debug, Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordArgs {
    fn read(&self) -> anyhow::Result<Zeroizing<String>> {
        match self.password_stdin {
            true => first_line(),
            false => ask(),
        }
    }
}

impl RoleArgs {
    fn role(&self) -> Result<Role, Failure> {
        Role::new(self.role, self.office)
            .map_err(|error| Failure::Usage(format!("{error} (--office)")))
    }
}

pub(super) async fn run(
    config: &Config,
    command: UserCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        UserCommand::Add(args) => add(config, args, output).await,
        UserCommand::List => list(config, output).await,
        UserCommand::Passwd { login, password } => {
            change::password(config, &login, &password.read()?, output).await
        }
        UserCommand::Role { login, role } => {
            change::role(config, &login, role.role()?, output).await
        }
        UserCommand::Disable { login } => change::disabled(config, &login, true, output).await,
        UserCommand::Enable { login } => change::disabled(config, &login, false, output).await,
        UserCommand::Sessions(SessionsCommand::Revoke { login }) => {
            change::end_sessions(config, &login, output).await
        }
        UserCommand::Totp(TotpCommand::Enrol { login }) => {
            second_factor::enrol(config, &login, output).await
        }
        UserCommand::Totp(TotpCommand::Reset { login }) => {
            second_factor::reset(config, &login, output).await
        }
        UserCommand::Provider(ProviderCommand::Link { login, subject }) => {
            change::provider(config, &login, Some(&subject), output).await
        }
        UserCommand::Provider(ProviderCommand::Unlink { login }) => {
            change::provider(config, &login, None, output).await
        }
    }
}

async fn add(config: &Config, args: UserArgs, output: &Output) -> Result<(), Failure> {
    let role = args.role.role()?;
    let password = args.password.read()?;
    let code = role.kind().code();
    let account = NewAccount {
        login: &args.login,
        display_name: args.display_name.trim(),
        role,
    };
    let pepper = pki::account_keys(&config.pki_dir())?.passwords;
    let about = json!({ "role": code, "office": role.office_id() });
    let account_id = record::change(config, Action::AddAccount, about, async |database| {
        let account_id = account::add(&database.general, &pepper, account, &password).await?;
        let detail = json!({ "account": account_id, "role": code, "office": role.office_id() });
        Ok((account_id, detail))
    })
    .await?;
    output.print(
        &json!({ "account_id": account_id, "login": args.login, "role": code }),
        || format!("added {} as {code}", args.login),
    )?;
    Ok(())
}

/// Changes the account of a login, which the log has by its id; `about` says how.
async fn change_of<T>(
    config: &Config,
    login: &str,
    action: Action,
    mut about: Value,
    work: impl AsyncFnOnce(&Database, Uuid) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let operator = Operator::begin(config).await?;
    let changed = async {
        let found = store::account::find(&operator.database.general, login).await?;
        let account_id = found.ok_or_else(|| no_account(login))?;
        about["account"] = json!(account_id);
        let changed = about.clone();
        let work = async |database: &Database| Ok((work(database, account_id).await?, changed));
        operator.change(action, about, work).await
    };
    let changed = changed.await;
    operator.end().await?;
    changed
}

fn no_account(login: &str) -> Failure {
    anyhow!("there is no account {login}; see: notary-hub user list").into()
}

async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let accounts = store::account::list(&database.general).await;
    database.close().await?;
    let accounts = accounts?;
    output.print(&accounts, || table(&accounts))?;
    Ok(())
}

fn table(accounts: &[Account]) -> String {
    let mut text = format!(
        "{:<24}  {:<10}  {:<16}  {:<8}  {:<6}  name\n",
        "login", "role", "office", "status", "factor"
    );
    for account in accounts {
        let status = match (account.disabled, account.locked) {
            (true, _) => "disabled",
            (false, true) => "locked",
            (false, false) => "active",
        };
        let factor = if account.second_factor {
            "totp"
        } else {
            "none"
        };
        let office_id = account.office_id.as_ref().map_or("-", OfficeId::as_str);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<24}  {:<10}  {office_id:<16}  {status:<8}  {factor:<6}  {}",
            account.login,
            account.role.code(),
            account.display_name
        );
    }
    text
}

fn first_line() -> anyhow::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("read the password from standard input")?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

fn ask() -> anyhow::Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        bail!("there is nobody to ask for a password; use --password-stdin");
    }
    let password = Zeroizing::new(rpassword::prompt_password("password: ")?);
    let again = Zeroizing::new(rpassword::prompt_password("again: ")?);
    if password != again {
        bail!("the two passwords differ; try again");
    }
    Ok(password)
}
