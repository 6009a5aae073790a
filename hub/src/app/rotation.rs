//! Keys that are changed by command while the hub runs: it takes them in by itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::identity::Sessions;
use crate::identity::enrolment::Enrolment;
use crate::identity::pki::authority::{Authority, AuthorityError};
use crate::identity::pki::server_certificate::ServerCertificate;
use crate::identity::pki::token_key_file;
use crate::identity::pki::{Pki, PkiError};
use crate::store::token_key;

/// Why the folder does not have the token key that the database says is the city's.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error(
        "the city's token key is key {in_force}, and this folder has key {present}: copy token.key from the hub that \
         went over to it, or restore folder and database from one backup"
    )]
    Elsewhere { in_force: u32, present: u32 },
    #[error(
        "the city's token key is its first by the database, and this folder has key {present}: restore folder and \
         database from one backup"
    )]
    Ahead { present: u32 },
    #[error(
        "pki/token.key holds another key {id} than the one that the tokens in the database are made with: nothing would be \
         found; restore it from the backup of the keys (deploy/backup.sh keys)"
    )]
    Another { id: u32 },
    #[error(transparent)]
    File(#[from] AuthorityError),
    #[error("read which token key is in force: {0}")]
    Database(#[from] sqlx::Error),
}

/// Takes a change of the token key to its end in the folder, once the database says that it came into force, and sees
/// that the key is the database's. Done once, it changes nothing.
pub async fn settle(config: &Config, pool: &PgPool) -> Result<(), SettleError> {
    let dir = config.pki_dir();
    follow(&dir, pool).await?;
    let present = token_key_file::load(&dir)?.present;
    let (id, check_value) = (present.id(), token_key_file::check_value(&present));
    match token_key::is_known_by(pool, id, &check_value).await? {
        true => Ok(()),
        false => Err(SettleError::Another { id }),
    }
}

async fn follow(dir: &Path, pool: &PgPool) -> Result<(), SettleError> {
    let standing = token_key::standing(pool).await?;
    let present = token_key_file::load(dir)?.present.id();
    match standing.present {
        None if token_key::is_of_a_change(pool, present).await? => {
            Err(SettleError::Ahead { present })
        }
        None => Ok(()),
        Some(key) if key.id == present => Ok(()),
        Some(key) => match token_key_file::promote_next(dir, key.id)? {
            true => Ok(()),
            false => Err(SettleError::Elsewhere {
                in_force: key.id,
                present,
            }),
        },
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is made of the files in the pki folder and may change.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) config: Config,
    pub(super) pool: PgPool,
    pub(super) authority: Arc<Authority>,
    pub(super) certificate: Arc<ServerCertificate>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) enrolment: Arc<Enrolment>,
}

impl Keys {
    /// Looks at the folder until `stop`. Files that cannot be read change nothing: a step is half done, or wrong, and
    /// what was read before stays in force.
    pub(super) async fn follow(self, stop: CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let dir = self.config.pki_dir();
        // Not what is there now: a step may have been taken while the hub was starting.
        let mut taken = None;
        let mut unsettled = None;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match settle(&self.config, &self.pool).await {
                Ok(()) => unsettled = None,
                Err(error) => say_once(&mut unsettled, &error),
            }
            let Ok(seen) = look(&dir) else { continue };
            if taken.as_ref() == Some(&seen) {
                continue;
            }
            match self.take_in() {
                Ok(()) => {
                    tracing::info!(ca = ?self.authority.phase(), "keys taken in");
                    taken = Some(seen);
                }
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the pki folder could not be taken in; what was read before stays in force"
                ),
            }
        }
    }

    fn take_in(&self) -> Result<(), PkiError> {
        let pki = Pki::load(&self.config)?;
        // First what the hub presents, then what it tells others to trust.
        self.certificate
            .renew_if_due(&self.config, &pki.authority, OffsetDateTime::now_utc())?;
        self.authority.replace(pki.authority);
        self.sessions.replace_keys(pki.session_keys);
        self.enrolment.replace_token_keys(pki.token_keys);
        Ok(())
    }
}

fn say_once(said: &mut Option<String>, error: &SettleError) {
    let words = error.to_string();
    if said.as_ref() != Some(&words) {
        tracing::error!(
            error = words,
            "the token key in the folder is not the city's"
        );
        *said = Some(words);
    }
}

/// Names and times of the files that commands change.
fn look(dir: &Path) -> io::Result<BTreeMap<OsString, SystemTime>> {
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        // Written by this hub itself, or not written to its end.
        if name != "server.pem" && !name.to_string_lossy().ends_with(".partial") {
            seen.insert(name, entry.metadata()?.modified()?);
        }
    }
    Ok(seen)
}
