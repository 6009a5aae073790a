//! `pki/checkpoint.key`: the Ed25519 key of checkpoints in PKCS #8 PEM. Hubs of one database share it.

use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{KeyPair, PKCS_ED25519};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::checkpoint::CheckpointKey;
use crate::config::Config;
use crate::identity::pki::authority::{AuthorityError, damaged};
use crate::identity::pki::secret_file;

const FILE: &str = "checkpoint.key";

/// Reads the key; makes it when there is none yet.
pub fn load_or_make(config: &Config) -> Result<CheckpointKey, AuthorityError> {
    let path = config.pki_dir().join(FILE);
    if !path.exists() {
        let pem = Zeroizing::new(KeyPair::generate_for(&PKCS_ED25519)?.serialize_pem());
        secret_file::write(&path, 0o600, pem.as_bytes())?;
    }
    let pem = secret_file::read(&path)?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|error| damaged(FILE, error))?;
    let pair =
        Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|error| damaged(FILE, error))?;
    Ok(CheckpointKey::new(origin(config), pair))
}

/// Name of this city's audit log.
pub fn origin(config: &Config) -> String {
    format!("{}/audit", config.identity.trust_domain)
}
