//! Commands about people.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, bail};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Failure, Output, UserArgs};
use crate::app::Database;
use crate::config::Config;
use crate::identity::Role;
use crate::identity::account::{self, NewAccount};

pub(super) async fn add(config: &Config, args: UserArgs, output: &Output) -> Result<(), Failure> {
    let role = Role::new(args.role, args.office)
        .map_err(|error| Failure::Usage(format!("{error} (--office)")))?;
    let password = match args.password_stdin {
        true => first_line()?,
        false => ask()?,
    };
    let database = Database::open_or_join(config).await?;
    let account = NewAccount {
        login: &args.login,
        display_name: args.display_name.trim(),
        role,
    };
    let added = account::add(&database.general, account, &password).await;
    database.close().await?;
    let account_id = added?;
    output.print(
        &json!({ "account_id": account_id, "login": args.login, "role": args.role.code() }),
        || format!("added {} as {}", args.login, args.role.code()),
    )?;
    Ok(())
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
