//! The keys of a hub, as they stand in `data_dir/pki`: made by `init`, read by everything else.
//!
//! | file | holds |
//! |---|---|
//! | `ca.pem`, `ca.key` | the city's CA; [`ca`] says what stands beside it once it was followed by another |
//! | `anchors.pem` | the certificates of all trusted CAs; agents need it to enrol |
//! | `server.pem` | this hub's certificate and key |
//! | `token.key`, `next-token.key` | the city's token key, and the one that is to follow it while the city changes its key |
//! | `session.key` | Ed25519 keys of sessions: the one that signs, the next, the previous |
//! | `account.key` | what seals the secrets of second factors, and is in every hash of a password |

pub mod authority;
pub mod ca;
pub(crate) mod secret_file;
pub mod server_certificate;
pub mod session_key_file;
pub mod token_key_file;

use linkage::token::{TokenAlgorithm, TokenKeys};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::identity::account::pepper::Pepper;
use crate::identity::account::second_factor::AccountKey;
use crate::identity::session::SessionKeys;
use authority::{Authority, AuthorityError, damaged};

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{} has no keys yet; run: notary-hub init", .0.display())]
    NotInitialised(std::path::PathBuf),
    #[error(
        "{} is lost: restore it from the backup of the keys (deploy/backup.sh keys), another one would not do; if this hub \
         never served, remove {} and run notary-hub init again", .dir.join(.file).display(), .dir.display()
    )]
    Lost {
        dir: std::path::PathBuf,
        file: &'static str,
    },
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// Made once and never again: what was made with them cannot be made with others.
const IRREPLACEABLE: [&str; 3] = ["anchors.pem", "token.key", "account.key"];

impl From<secret_file::SecretFileError> for PkiError {
    fn from(error: secret_file::SecretFileError) -> Self {
        Self::Authority(error.into())
    }
}

/// All keys of a hub but its server certificate.
#[derive(Debug)]
pub struct Pki {
    pub authority: Authority,
    pub token_keys: TokenKeys,
    pub session_keys: SessionKeys,
    pub account_keys: AccountKeys,
}

/// What `account.key` is for.
#[derive(Debug)]
pub struct AccountKeys {
    pub second_factors: AccountKey,
    pub passwords: Pepper,
}

impl Pki {
    /// Makes what is missing; what is there stays. Where some of what cannot be replaced is there, the rest is lost.
    pub fn create(
        config: &Config,
        algorithm: TokenAlgorithm,
        now: OffsetDateTime,
    ) -> Result<(), PkiError> {
        let dir = config.pki_dir();
        let there = |file: &&'static str| dir.join(file).exists();
        if let Some(file) = IRREPLACEABLE.iter().find(|file| !there(file))
            && IRREPLACEABLE.iter().any(there)
        {
            return Err(PkiError::Lost { dir, file });
        }
        secret_file::make_dir(&dir)?;
        Authority::create(config, now)?;
        token_key_file::create(&dir, algorithm)?;
        session_key_file::create(&dir)?;
        let account_key = dir.join("account.key");
        if !account_key.exists() {
            let key: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
            let text = Zeroizing::new(data_encoding::HEXLOWER.encode(key.as_slice()));
            secret_file::write(&account_key, 0o600, text.as_bytes())?;
        }
        Ok(())
    }

    /// Reads the keys.
    pub fn load(config: &Config) -> Result<Self, PkiError> {
        let dir = config.pki_dir();
        let files = ["ca.pem", "ca.toml", "token.key", "session.key"];
        if files.iter().all(|file| !dir.join(file).exists()) {
            return Err(PkiError::NotInitialised(dir));
        }
        Ok(Self {
            authority: Authority::load(config)?,
            token_keys: token_key_file::load(&dir)?,
            session_keys: session_key_file::load(&dir)?,
            account_keys: account_keys(&dir)?,
        })
    }
}

/// Reads `account.key`: 32 bytes in hexadecimal.
pub fn account_keys(dir: &std::path::Path) -> Result<AccountKeys, AuthorityError> {
    let text = secret_file::read(&dir.join("account.key"))?;
    let key = data_encoding::HEXLOWER
        .decode(text.trim_ascii())
        .map(Zeroizing::new)
        .map_err(|_| damaged("account.key", "not hexadecimal"))?;
    let key: Zeroizing<[u8; 32]> = <[u8; 32]>::try_from(key.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| damaged("account.key", "not 32 bytes"))?;
    Ok(AccountKeys {
        second_factors: AccountKey::new(&key),
        passwords: Pepper::of(&key),
    })
}
