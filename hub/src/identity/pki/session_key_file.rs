//! `session.key`: Ed25519 keys in PKCS #8 PEM. The first signs, the second will sign after the next rotation and is
//! believed already, so that hubs need not take a rotation in at the same moment; the third signed before.

use std::path::Path;

use rcgen::{KeyPair, PKCS_ED25519};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::authority::{AuthorityError, damaged};
use super::secret_file;
use crate::identity::session::SessionKeys;

const FILE: &str = "session.key";

/// Makes the keys unless they are there.
pub(super) fn create(dir: &Path) -> Result<(), AuthorityError> {
    match dir.join(FILE).exists() {
        true => Ok(()),
        false => write(dir, &[random()?, random()?]),
    }
}

pub(super) fn load(dir: &Path) -> Result<SessionKeys, AuthorityError> {
    SessionKeys::from_pem(&secret_file::read(&dir.join(FILE))?)
        .map_err(|error| damaged(FILE, error))
}

/// Lets the next key sign. The one that signed is believed until the next rotation.
pub fn rotate(dir: &Path) -> Result<SessionKeys, AuthorityError> {
    let keys = read(dir)?;
    let previous = keys[0].clone();
    let signing = match keys.get(1) {
        Some(next) => next.clone(),
        None => random()?,
    };
    write(dir, &[signing, random()?, previous])?;
    load(dir)
}

/// Replaces every key: all sessions end. For keys that may be known to somebody else.
pub fn replace(dir: &Path) -> Result<SessionKeys, AuthorityError> {
    write(dir, &[random()?, random()?])?;
    load(dir)
}

fn random() -> Result<Zeroizing<String>, AuthorityError> {
    Ok(Zeroizing::new(
        KeyPair::generate_for(&PKCS_ED25519)?.serialize_pem(),
    ))
}

fn read(dir: &Path) -> Result<Vec<Zeroizing<String>>, AuthorityError> {
    let pem = secret_file::read(&dir.join(FILE))?;
    let keys: Vec<_> = PrivatePkcs8KeyDer::pem_slice_iter(&pem)
        .map(|der| {
            let der = der.map_err(|error| damaged(FILE, error))?;
            let key = KeyPair::try_from(&der).map_err(|error| damaged(FILE, error))?;
            Ok(Zeroizing::new(key.serialize_pem()))
        })
        .collect::<Result<_, AuthorityError>>()?;
    match keys.is_empty() {
        true => Err(damaged(FILE, "no key in it")),
        false => Ok(keys),
    }
}

fn write(dir: &Path, keys: &[Zeroizing<String>]) -> Result<(), AuthorityError> {
    let mut pem = Zeroizing::new(String::new());
    for key in keys {
        pem.push_str(key);
    }
    Ok(secret_file::write(&dir.join(FILE), 0o600, pem.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(keys: &SessionKeys) -> Vec<String> {
        keys.ids().map(str::to_owned).collect()
    }

    #[test]
    fn a_rotation_promotes_the_next_key_and_keeps_the_previous_one() {
        let dir = tempfile::tempdir().expect("a folder");
        create(dir.path()).expect("made");
        let first = ids(&load(dir.path()).expect("good"));
        let second = ids(&rotate(dir.path()).expect("rotated"));
        assert_eq!(second[0], first[1], "the next one signs");
        assert_eq!(second[2], first[0], "the previous one is believed");
        let third = ids(&rotate(dir.path()).expect("rotated"));
        assert_eq!((&third[0], &third[2]), (&second[1], &second[0]));
        assert!(!third.contains(&first[0]), "two rotations end a key");
        let replaced = ids(&replace(dir.path()).expect("replaced"));
        assert!(!replaced.iter().any(|id| third.contains(id)));
    }
}
