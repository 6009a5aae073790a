//! A key in the hashing of passwords that the database does not hold (OWASP ASVS 2.4.5): whoever has the database alone tries
//! no passwords against it. A hash names the key that it was made with; those of before there was one still fit, and are
//! made anew when their owners sign in.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, KeyId, Params, ParamsBuilder, Version};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

/// What the two values that follow from the account key are for (RFC 5869, `info`).
const KEY: &[u8] = b"notary-hub password pepper";
const ID: &[u8] = b"notary-hub password pepper id";

/// The key. `Debug` does not show it.
#[derive(Clone)]
pub struct Pepper {
    key: Zeroizing<[u8; 32]>,
    /// By which hashes name it.
    id: KeyId,
}

/// Whether a password fits a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// The hash is as it would be made now.
    Yes,
    /// It was made without this key.
    Outdated,
}

impl Pepper {
    /// Derives it from the key of `pki/account.key`, which every hub of a database has.
    pub fn of(account_key: &[u8; 32]) -> Self {
        let derived = Salt::new(HKDF_SHA256, &[]).extract(account_key);
        let fill = |info: &[u8], bytes: &mut [u8; 32]| {
            let info = [info];
            let okm = derived.expand(&info, HKDF_SHA256);
            okm.and_then(|okm| okm.fill(bytes))
                .expect("32 bytes can be derived");
        };
        let mut key = Zeroizing::new([0; 32]);
        fill(KEY, &mut key);
        let mut id = [0; 32];
        fill(ID, &mut id);
        Self {
            key,
            id: KeyId::new(&id[..4]).expect("a key's id may have four bytes"),
        }
    }

    /// Argon2id hash as PHC string. Blocks for about 50 ms.
    pub(super) fn hash(&self, password: &str) -> String {
        let params = ParamsBuilder::new().keyid(self.id).build();
        let params = params.expect("the library's own parameters are good");
        self.argon2(params)
            .hash_password(password.as_bytes())
            .expect("the library's own salt is good")
            .to_string()
    }

    /// Blocks as long as [`Self::hash`].
    pub(super) fn fits(&self, password: &str, stored: &str) -> Fit {
        let Ok(hash) = PasswordHash::new(stored) else {
            return Fit::No;
        };
        let Ok(params) = Params::try_from(&hash) else {
            return Fit::No;
        };
        let (argon2, fit) = match params.keyid() {
            [] => (Argon2::default(), Fit::Outdated),
            id if id == self.id.as_ref() => (self.argon2(params), Fit::Yes),
            _ => {
                tracing::error!("a password was hashed with another account.key");
                return Fit::No;
            }
        };
        match argon2.verify_password(password.as_bytes(), &hash) {
            Ok(()) => fit,
            Err(_) => Fit::No,
        }
    }

    fn argon2(&self, params: Params) -> Argon2<'_> {
        Argon2::new_with_secret(
            self.key.as_slice(),
            Algorithm::Argon2id,
            Version::V0x13,
            params,
        )
        .expect("a secret of 32 bytes is not too long")
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery";

    #[test]
    fn a_password_fits_its_own_hash_under_its_own_key_alone() {
        let (pepper, other) = (Pepper::of(&[1; 32]), Pepper::of(&[2; 32]));
        let hash = pepper.hash(PASSWORD);
        assert!(hash.starts_with("$argon2id$") && hash.contains("keyid="));
        assert_eq!(pepper.fits(PASSWORD, &hash), Fit::Yes);
        assert_eq!(pepper.fits("correct horse batterY", &hash), Fit::No);
        assert_eq!(other.fits(PASSWORD, &hash), Fit::No);
        assert_eq!(pepper.fits(PASSWORD, "damaged"), Fit::No);
        // Without the key the hash is of no use, whatever it says of itself.
        let parsed = PasswordHash::new(&hash).expect("a hash");
        let without = Argon2::default().verify_password(PASSWORD.as_bytes(), &parsed);
        assert!(without.is_err());
    }

    #[test]
    fn a_hash_of_before_there_was_a_key_fits_and_is_told() {
        let hash = Argon2::default()
            .hash_password(PASSWORD.as_bytes())
            .expect("a hash")
            .to_string();
        let pepper = Pepper::of(&[1; 32]);
        assert_eq!(pepper.fits(PASSWORD, &hash), Fit::Outdated);
        assert_eq!(pepper.fits("correct horse batterY", &hash), Fit::No);
    }
}
