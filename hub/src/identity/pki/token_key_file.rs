//! `token.key` and `next-token.key`: TOML, the secret in hexadecimal. Each is written whole or not at all, so that a key
//! that was handed out is never half of another.

use std::path::Path;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use linkage::token::{TokenAlgorithm, TokenKey, TokenKeys};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::authority::{AuthorityError, damaged};
use super::secret_file;

const PRESENT: &str = "token.key";
const NEXT: &str = "next-token.key";
/// Id of a city's first key.
const FIRST: u32 = 1;

/// What the value by which a key is known is for (RFC 5869, `info`).
const CHECK: &[u8] = b"notary-hub token key check";

/// By which the database knows the key again: another key of the same id has another one, and nobody works the key out of
/// it.
pub fn check_value(key: &TokenKey) -> [u8; 16] {
    let derived = Salt::new(HKDF_SHA256, &[]).extract(key.secret());
    let info = [CHECK];
    let mut bytes = [0; 32];
    let okm = derived.expand(&info, HKDF_SHA256);
    okm.and_then(|okm| okm.fill(&mut bytes))
        .expect("32 bytes can be derived");
    let (value, _) = bytes.split_at(16);
    value.try_into().expect("16 bytes")
}

/// Makes the city's first key unless one is there.
pub(super) fn create(dir: &Path, algorithm: TokenAlgorithm) -> Result<(), AuthorityError> {
    match dir.join(PRESENT).exists() {
        true => Ok(()),
        false => write(dir, PRESENT, FIRST, algorithm),
    }
}

/// Reads the keys.
pub fn load(dir: &Path) -> Result<TokenKeys, AuthorityError> {
    let next = dir.join(NEXT).exists().then(|| read(dir, NEXT));
    Ok(TokenKeys {
        present: read(dir, PRESENT)?,
        next: next.transpose()?,
    })
}

/// Makes the key that is to follow. Nobody else may ever have had the id: agents know keys by it.
pub fn make_next(dir: &Path, id: u32, algorithm: TokenAlgorithm) -> Result<(), AuthorityError> {
    write(dir, NEXT, id, algorithm)
}

/// Puts the key that was to follow in the place of the present one, whose secret is gone then. False when the folder has
/// no next key with this id.
pub fn promote_next(dir: &Path, id: u32) -> Result<bool, AuthorityError> {
    match load(dir)?.next {
        Some(next) if next.id() == id => {
            secret_file::rename(&dir.join(NEXT), &dir.join(PRESENT))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Removes the key that was to follow, if there is one.
pub fn remove_next(dir: &Path) -> Result<(), AuthorityError> {
    Ok(secret_file::remove(&dir.join(NEXT))?)
}

fn write(dir: &Path, name: &str, id: u32, algorithm: TokenAlgorithm) -> Result<(), AuthorityError> {
    let secret: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    let stored = Stored {
        id,
        algorithm,
        secret: data_encoding::HEXLOWER.encode(secret.as_slice()),
    };
    let text =
        Zeroizing::new(toml::to_string(&stored).expect("two texts and a number have a TOML form"));
    Ok(secret_file::write(&dir.join(name), 0o600, text.as_bytes())?)
}

fn read(dir: &Path, name: &'static str) -> Result<TokenKey, AuthorityError> {
    let damaged = |problem: &str| damaged(name, problem);
    let text = secret_file::read(&dir.join(name))?;
    let text = std::str::from_utf8(&text).map_err(|_| damaged("not UTF-8"))?;
    let stored: Stored = toml::from_str(text).map_err(|error| damaged(error.message()))?;
    let secret = data_encoding::HEXLOWER
        .decode(stored.secret.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| damaged("the secret is not hexadecimal"))?;
    let secret = <[u8; 32]>::try_from(secret.as_slice())
        .map_err(|_| damaged("the secret has not 32 bytes"))?;
    Ok(TokenKey::new(stored.id, stored.algorithm, secret))
}

#[derive(Deserialize, Serialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    id: u32,
    #[zeroize(skip)]
    algorithm: TokenAlgorithm,
    secret: String,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_next_key_stands_beside_the_present_one_until_it_is_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        create(dir.path(), TokenAlgorithm::HmacSha256).expect("made");
        let before = load(dir.path()).expect("good");
        assert!(before.next.is_none());

        make_next(dir.path(), 2, TokenAlgorithm::HmacSm3).expect("made");
        create(dir.path(), TokenAlgorithm::HmacSm3).expect("what is there stays");
        let both = load(dir.path()).expect("good");
        assert_eq!(both.present.secret(), before.present.secret());
        let next = both.next.expect("a next key");
        assert_eq!((next.id(), next.algorithm()), (2, TokenAlgorithm::HmacSm3));
        assert_ne!(next.secret(), both.present.secret());
        let mode = std::fs::metadata(dir.path().join(NEXT)).expect("there");
        assert_eq!(mode.mode() & 0o777, 0o600);

        assert!(!promote_next(dir.path(), 3).expect("good"), "another key");
        remove_next(dir.path()).expect("removed");
        remove_next(dir.path()).expect("nothing is left to remove");
        assert!(load(dir.path()).expect("good").next.is_none());
    }

    #[test]
    fn the_key_that_was_to_follow_takes_the_place_of_the_present_one_once() {
        let dir = tempfile::tempdir().expect("a folder");
        create(dir.path(), TokenAlgorithm::HmacSha256).expect("made");
        make_next(dir.path(), 2, TokenAlgorithm::HmacSha256).expect("made");
        let next = load(dir.path()).expect("good").next.expect("there");
        assert!(promote_next(dir.path(), 2).expect("moved"));
        let after = load(dir.path()).expect("good");
        assert_eq!(after.present.secret(), next.secret());
        assert!(after.next.is_none());
        assert!(!promote_next(dir.path(), 2).expect("nothing to move"));
    }
}
