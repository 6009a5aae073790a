//! The keys of a hub, as they stand in `data_dir/pki`: made by `init`, read by everything else.
//!
//! | file | holds |
//! |---|---|
//! | `ca.pem`, `ca.key` | the city's CA; [`super::ca`] says what stands beside it once it was followed by another |
//! | `anchors.pem` | the certificates of all trusted CAs; agents need it to enrol |
//! | `server.pem` | this hub's certificate and key |
//! | `token.key` | the city's token key |
//! | `session.key` | Ed25519 keys of sessions: the one that signs, the next, the previous |
//! | `account.key` | AES-256 key that seals the secrets of second factors |

use linkage::token::{TokenAlgorithm, TokenKey};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::authority::{Authority, AuthorityError, damaged};
use super::second_factor::AccountKey;
use super::secret_file;
use super::session::SessionKeys;
use super::session_key_file;
use crate::config::Config;

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{} has no keys yet; run: notary-hub init", .0.display())]
    NotInitialised(std::path::PathBuf),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl From<secret_file::SecretFileError> for PkiError {
    fn from(error: secret_file::SecretFileError) -> Self {
        Self::Authority(error.into())
    }
}

/// All keys of a hub but its server certificate.
#[derive(Debug)]
pub struct Pki {
    pub authority: Authority,
    pub token_key: TokenKey,
    pub session_keys: SessionKeys,
    pub account_key: AccountKey,
}

impl Pki {
    /// Makes what is missing; what is there stays.
    pub fn create(
        config: &Config,
        algorithm: TokenAlgorithm,
        now: OffsetDateTime,
    ) -> Result<(), PkiError> {
        let dir = config.pki_dir();
        secret_file::make_dir(&dir)?;
        Authority::create(config, now)?;
        let token_key = dir.join("token.key");
        if !token_key.exists() {
            secret_file::write(
                &token_key,
                0o600,
                TokenKeyFile::random(algorithm).as_bytes(),
            )?;
        }
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
            token_key: TokenKeyFile::parse(&secret_file::read(&dir.join("token.key"))?)?,
            session_keys: session_key_file::load(&dir)?,
            account_key: account_key(&dir)?,
        })
    }
}

/// Reads `account.key`: 32 bytes in hexadecimal.
pub fn account_key(dir: &std::path::Path) -> Result<AccountKey, AuthorityError> {
    let text = secret_file::read(&dir.join("account.key"))?;
    let key = data_encoding::HEXLOWER
        .decode(text.trim_ascii())
        .map(Zeroizing::new)
        .map_err(|_| damaged("account.key", "not hexadecimal"))?;
    let key: Zeroizing<[u8; 32]> = <[u8; 32]>::try_from(key.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| damaged("account.key", "not 32 bytes"))?;
    Ok(AccountKey::new(&key))
}

/// `token.key`: TOML, the secret in hexadecimal.
#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
struct TokenKeyFile {
    id: u32,
    #[zeroize(skip)]
    algorithm: TokenAlgorithm,
    secret: String,
}

impl TokenKeyFile {
    fn random(algorithm: TokenAlgorithm) -> Zeroizing<String> {
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
        let file = Self {
            id: 1,
            algorithm,
            secret: data_encoding::HEXLOWER.encode(secret.as_slice()),
        };
        Zeroizing::new(toml::to_string(&file).expect("two texts and a number have a TOML form"))
    }

    fn parse(text: &[u8]) -> Result<TokenKey, AuthorityError> {
        let damaged = |problem: &str| damaged("token.key", problem);
        let text = std::str::from_utf8(text).map_err(|_| damaged("not UTF-8"))?;
        let file: Self = toml::from_str(text).map_err(|error| damaged(error.message()))?;
        let secret = data_encoding::HEXLOWER
            .decode(file.secret.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| damaged("the secret is not hexadecimal"))?;
        let secret = <[u8; 32]>::try_from(secret.as_slice())
            .map_err(|_| damaged("the secret has not 32 bytes"))?;
        Ok(TokenKey::new(file.id, file.algorithm, secret))
    }
}
