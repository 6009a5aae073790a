//! Commands about the audit log.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use time::Date;

use super::{Failure, Output, day};
use crate::app::Database;
use crate::audit::checkpoint::VerifierKey;
use crate::audit::offline::{self, Evidence, Verdict};
use crate::audit::{Checkpoints, export, key_file, prune};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print the public key of checkpoints. Keep it apart from this machine: verifying needs it.
    Key,
    /// Sign the log as it is now, keep the checkpoint and print it.
    Checkpoint,
    /// Write the whole log to a file, for verifying elsewhere.
    Export {
        /// Must not exist yet.
        file: PathBuf,
    },
    /// Verify the log against checkpoints that were kept. Ends with 3 and names the first fault when there is one.
    Verify(VerifyArgs),
    /// Take what was recorded before a day out of the log. Its hashes stay, so that proofs and checkpoints still hold;
    /// refused unless a kept checkpoint covers it and everything fits.
    Prune {
        /// First day that stays, e.g. 2024-01-01, in UTC.
        #[arg(long, value_parser = day)]
        before: Date,
    },
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Folder of kept checkpoints: the hub's own, or better a copy from elsewhere.
    #[arg(long)]
    checkpoints: PathBuf,
    /// An export; neither a database nor a configuration is needed.
    #[arg(
        long,
        conflicts_with = "database",
        required_unless_present = "database"
    )]
    export: Option<PathBuf>,
    /// The hub's database.
    #[arg(long)]
    database: bool,
    /// Public key, as `audit key` prints it; several when hubs have their own. Left out with --database: this hub's.
    #[arg(long, required_unless_present = "database")]
    key: Vec<VerifierKey>,
}

impl AuditCommand {
    /// Whether it is done without a configuration.
    pub(super) fn is_offline(&self) -> bool {
        matches!(self, Self::Verify(args) if args.export.is_some())
    }
}

/// `config` is None for what [`AuditCommand::is_offline`].
pub(super) async fn run(
    config: Option<&Config>,
    command: AuditCommand,
    output: &Output,
) -> Result<(), Failure> {
    let config = config.ok_or_else(|| anyhow!("this command needs a configuration"));
    match command {
        AuditCommand::Key => key(config?, output),
        AuditCommand::Checkpoint => checkpoint(config?, output).await,
        AuditCommand::Export { file } => export(config?, file, output).await,
        AuditCommand::Verify(VerifyArgs {
            checkpoints,
            export: Some(export),
            key,
            ..
        }) => {
            let evidence = Evidence::read(&checkpoints, &key)?;
            verified(
                &offline::verify_export(open(&export)?, &evidence).await?,
                output,
            )
        }
        AuditCommand::Verify(args) => verify_database(config?, args, output).await,
        AuditCommand::Prune { before } => prune(config?, before, output).await,
    }
}

fn key(config: &Config, output: &Output) -> Result<(), Failure> {
    let key = key_file::load_or_make(config)?.verifier().to_string();
    output.print(&json!({ "key": key }), || key.clone())?;
    Ok(())
}

async fn checkpoint(config: &Config, output: &Output) -> Result<(), Failure> {
    let key = Arc::new(key_file::load_or_make(config)?);
    let database = Database::open_or_join(config).await?;
    let published = match Checkpoints::open(database.general.clone(), key, config.checkpoint_dir())
    {
        Ok(checkpoints) => checkpoints.publish().await,
        Err(error) => Err(error.into()),
    };
    database.close().await?;
    let checkpoint = published?.ok_or_else(|| anyhow!("the log is empty"))?;
    let (size, root) = (checkpoint.head.size, HEXLOWER.encode(&checkpoint.head.root));
    output.print(
        &json!({ "size": size, "root": root, "checkpoint": checkpoint.note }),
        || checkpoint.note.clone(),
    )?;
    Ok(())
}

async fn export(config: &Config, file: PathBuf, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let written = export_to(&file, &database).await;
    database.close().await?;
    let entries = written?;
    output.print(&json!({ "entries": entries, "file": file }), || {
        format!("{entries} entries in {}", file.display())
    })?;
    Ok(())
}

/// It holds who asked for whom: nobody else reads it.
async fn export_to(file: &Path, database: &Database) -> anyhow::Result<i64> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let out = options
        .open(file)
        .with_context(|| format!("make {}", file.display()))?;
    let entries = export::write(&database.general, BufWriter::new(&out)).await?;
    out.sync_all()?;
    Ok(entries)
}

fn open(file: &PathBuf) -> anyhow::Result<BufReader<File>> {
    let export = File::open(file).with_context(|| format!("read {}", file.display()))?;
    Ok(BufReader::with_capacity(1 << 20, export))
}

async fn verify_database(
    config: &Config,
    args: VerifyArgs,
    output: &Output,
) -> Result<(), Failure> {
    let keys = match args.key.is_empty() {
        true => vec![key_file::load_or_make(config)?.verifier().clone()],
        false => args.key,
    };
    let evidence = Evidence::read(&args.checkpoints, &keys)?;
    let database = Database::open_or_join(config).await?;
    let verdict = offline::verify_database(&database.general, &evidence).await;
    database.close().await?;
    verified(&verdict?, output)
}

fn verified(verdict: &Verdict, output: &Output) -> Result<(), Failure> {
    output.print(&shown(verdict), || text(verdict))?;
    match verdict.is_intact() {
        true => Ok(()),
        false => Err(Failure::AtFault(
            "the audit log, or a checkpoint, is not what it was; keep everything as it is and see docs/audit.md".into(),
        )),
    }
}

fn shown(verdict: &Verdict) -> Value {
    let log = &verdict.log;
    let broken = log.broken.map(|broken| {
        json!({ "entry_no": broken.entry_no, "through": broken.through, "fault": broken.fault.code() })
    });
    let checkpoints: Vec<Value> = verdict
        .checkpoints
        .iter()
        .map(|flaw| json!({ "file": flaw.path, "fault": flaw.fault.code(), "problem": flaw.problem() }))
        .collect();
    json!({
        "intact": verdict.is_intact(),
        "through": log.through,
        "vouched": log.vouched,
        "size": log.head.size,
        "root": HEXLOWER.encode(&log.head.root),
        "checkpoints": verdict.agreed,
        "first_broken": broken,
        "bad_checkpoints": checkpoints,
    })
}

fn text(verdict: &Verdict) -> String {
    let log = &verdict.log;
    let mut text = String::new();
    // Writing to a String cannot fail.
    for flaw in &verdict.checkpoints {
        let code = flaw.fault.code();
        let _ = writeln!(text, "{code}: {}: {}", flaw.path.display(), flaw.problem());
    }
    if let Some(broken) = log.broken {
        let code = broken.fault.code();
        let _ = match broken.entry_no == broken.through {
            true => writeln!(text, "{code}: entry {}", broken.entry_no),
            false => writeln!(
                text,
                "{code}: between entries {} and {}",
                broken.entry_no, broken.through
            ),
        };
    }
    let _ = writeln!(
        text,
        "{} entries fit, {} of them vouched for by {} checkpoints",
        log.through, log.vouched, verdict.agreed
    );
    text
}

async fn prune(config: &Config, before: Date, output: &Output) -> Result<(), Failure> {
    let key = Arc::new(key_file::load_or_make(config)?);
    let database = Database::open_or_join(config).await?;
    let (pool, writing) = (&database.general, database.audit.clone());
    let pruned = prune::before(pool, writing, key, &config.checkpoint_dir(), before).await;
    database.close().await?;
    let pruned = pruned?;
    output.print(
        &json!({ "through": pruned.through, "entries": pruned.entries }),
        || match pruned.entries {
            0 => "nothing to prune".into(),
            entries => format!("pruned {entries} entries, up to number {}", pruned.through),
        },
    )?;
    Ok(())
}
