//! The second factor of people: time-based codes of an authenticator (RFC 6238), and recovery codes for the day
//! it is lost. A code works once, at one hub.

use std::collections::HashSet;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::own_second_factor::OwnSecondFactorError;
use crate::identity::RoleKind;
use crate::store::account::second_factor as store;
use crate::store::account::{Candidate, Owner};
use crate::store::tx::tx;

/// What every authenticator does: SHA-1, six digits, thirty seconds. Other choices exist on paper alone.
const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// Steps before and after the present one whose codes are taken: telephones' clocks are not the hub's.
const STEPS_BESIDE: i64 = 1;
/// RFC 4226, section 4: 160 bits.
const SECRET_LEN: usize = 20;
const RECOVERY_CODES: usize = 10;
/// 80 bits: beyond guessing, so that a plain hash keeps it.
const RECOVERY_LEN: usize = 10;

/// Why a second factor does not let somebody in.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    #[error("no code was given")]
    Missing,
    #[error("the role needs a second factor and the account has none")]
    Unset,
    #[error("the code is wrong, of another time, or used already")]
    Wrong,
    #[error("look the second factor up: {0}")]
    Database(#[from] sqlx::Error),
}

/// Seals the secrets of second factors: AES-256-GCM under `pki/account.key`, bound to the account. Who reads the
/// database alone makes no codes.
pub struct AccountKey(LessSafeKey);

/// Checks second factors.
#[derive(Debug)]
pub struct SecondFactor {
    key: AccountKey,
    /// Roles that cannot sign in without one.
    required: HashSet<RoleKind>,
}

/// The secret that an authenticator shares with the hub.
pub struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

/// What a person is given once, to type into an authenticator and to lock away.
pub struct Enrolled {
    pub secret: TotpSecret,
    pub recovery_codes: Vec<Zeroizing<String>>,
}

impl TotpSecret {
    fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// The code of a time step (RFC 4226, section 5.3).
    pub fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.as_slice());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[tag.len() - 1] & 0x0f);
        let bytes = [
            tag[offset] & 0x7f,
            tag[offset + 1],
            tag[offset + 2],
            tag[offset + 3],
        ];
        format!("{:06}", u32::from_be_bytes(bytes) % 1_000_000)
    }

    /// The time step around `now` whose code this is.
    fn step_of(&self, code: &str, now: OffsetDateTime) -> Option<i64> {
        let present = now.unix_timestamp() / STEP_SECONDS;
        (present - STEPS_BESIDE..=present + STEPS_BESIDE)
            .rfind(|step| self.code(*step).as_bytes().ct_eq(code.as_bytes()).into())
    }

    /// The form that authenticators read (Key URI).
    pub fn uri(&self, login: &str) -> Zeroizing<String> {
        let secret = self.reveal();
        Zeroizing::new(format!(
            "otpauth://totp/notary-hub:{login}?secret={}&issuer=notary-hub&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            secret.as_str()
        ))
    }

    /// Base32, to be typed.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()))
    }
}

impl AccountKey {
    pub fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    fn seal(&self, account_id: Uuid, secret: &TotpSecret) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = nonce.to_vec();
        let mut text = secret.0.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(account_id.as_bytes()),
                &mut text,
            )
            .expect("twenty bytes can be sealed");
        sealed.append(&mut text);
        sealed
    }

    fn open(&self, account_id: Uuid, sealed: &[u8]) -> Option<TotpSecret> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let mut text = Zeroizing::new(text.to_vec());
        let secret = self
            .0
            .open_in_place(
                Nonce::try_assume_unique_for_key(nonce).ok()?,
                Aad::from(account_id.as_bytes()),
                &mut text,
            )
            .ok()?;
        let secret = <[u8; SECRET_LEN]>::try_from(&*secret).ok()?;
        Some(TotpSecret(Zeroizing::new(secret)))
    }
}

impl SecondFactor {
    pub fn new(key: AccountKey, required: impl IntoIterator<Item = RoleKind>) -> Self {
        Self {
            key,
            required: required.into_iter().collect(),
        }
    }

    /// Lets a candidate in whose password is right, or says why not. Uses the code up.
    pub(super) async fn check(
        &self,
        pool: &PgPool,
        account: &Candidate,
        code: &str,
    ) -> Result<(), SecondFactorError> {
        let account_id = account.person.account_id;
        let Some(sealed) = &account.totp_secret else {
            return match self.required.contains(&account.person.role.kind()) {
                true => Err(SecondFactorError::Unset),
                false => Ok(()),
            };
        };
        let code = code.trim();
        let used = match code.len() {
            0 => return Err(SecondFactorError::Missing),
            DIGITS => {
                let secret = self.key.open(account_id, sealed);
                if secret.is_none() {
                    tracing::error!(%account_id, "a second factor was sealed with another account.key");
                }
                let now = OffsetDateTime::now_utc();
                match secret.and_then(|secret| secret.step_of(code, now)) {
                    Some(step) => store::use_step(pool, account_id, step).await?,
                    None => false,
                }
            }
            _ => {
                let hash = recovery_hash(code);
                store::use_recovery_code(pool, account_id, &hash).await?
            }
        };
        match used {
            true => Ok(()),
            false => Err(SecondFactorError::Wrong),
        }
    }
}

/// What somebody is shown to type into an authenticator, and to confirm by a code of it.
pub struct Offer {
    pub secret: TotpSecret,
    pub login: String,
}

/// A second factor that its owner has confirmed.
pub(super) struct Taken {
    pub(super) owner: Owner,
    pub(super) recovery_codes: Vec<Zeroizing<String>>,
}

impl SecondFactor {
    /// A new secret for an account, which is not in force before it is confirmed.
    pub(super) async fn offer(
        &self,
        pool: &PgPool,
        account_id: Uuid,
    ) -> Result<TotpSecret, sqlx::Error> {
        let secret = TotpSecret::random();
        let sealed = self.key.seal(account_id, &secret);
        store::offer(pool, account_id, &sealed).await?;
        Ok(secret)
    }

    /// Puts the secret in force that was offered, if this is a code of it. The code is used up by that.
    pub(super) async fn confirm(
        &self,
        pool: &PgPool,
        account_id: Uuid,
        code: &str,
    ) -> Result<Taken, OwnSecondFactorError> {
        let offered = store::try_offer(pool, account_id).await?;
        let sealed = offered.ok_or(OwnSecondFactorError::NotOffered)?;
        let secret = self.key.open(account_id, &sealed);
        let secret = secret.ok_or(OwnSecondFactorError::NotOffered)?;
        let step = secret.step_of(code.trim(), OffsetDateTime::now_utc());
        let step = step.ok_or(OwnSecondFactorError::NewCode)?;
        let (recovery_codes, hashes) = recovery_codes();
        let taken = store::take_offer(pool, account_id, &sealed, step, &hashes);
        let owner = taken.await?;
        Ok(Taken {
            owner: owner.ok_or(OwnSecondFactorError::NotOffered)?,
            recovery_codes,
        })
    }
}

/// Codes for the day an authenticator is lost, and what is kept of them.
fn recovery_codes() -> (Vec<Zeroizing<String>>, Vec<Vec<u8>>) {
    let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let hashes = codes.iter().map(|code| recovery_hash(code).to_vec());
    let hashes = hashes.collect();
    (codes, hashes)
}

/// Gives an account a new second factor in place of any earlier one. Its sessions end.
pub async fn enrol(
    pool: &PgPool,
    key: &AccountKey,
    account_id: Uuid,
) -> Result<Enrolled, sqlx::Error> {
    let secret = TotpSecret::random();
    let sealed = key.seal(account_id, &secret);
    let (recovery_codes, hashes) = recovery_codes();
    tx(pool, "identity.second_factor", async move |tx| {
        store::replace(tx, account_id, Some(&sealed), &hashes).await
    })
    .await?;
    Ok(Enrolled {
        secret,
        recovery_codes,
    })
}

/// Takes an account's second factor away, for a person who lost both authenticator and recovery codes.
pub async fn reset(pool: &PgPool, account_id: Uuid) -> Result<(), sqlx::Error> {
    tx(pool, "identity.second_factor", async move |tx| {
        store::replace(tx, account_id, None, &[]).await
    })
    .await
}

/// Sixteen letters and digits in groups of four.
fn recovery_code() -> Zeroizing<String> {
    let bytes: Zeroizing<[u8; RECOVERY_LEN]> = Zeroizing::new(rand::random());
    let text = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_slice()).to_ascii_lowercase());
    let groups: Vec<&str> = [0, 4, 8, 12].map(|at| &text[at..at + 4]).to_vec();
    Zeroizing::new(groups.join("-"))
}

/// However it was typed: with or without hyphens and spaces, in capitals or not.
fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: Zeroizing<String> = Zeroizing::new(
        code.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect(),
    );
    Sha256::digest(plain.as_bytes()).into()
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey")
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offer")
    }
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc_secret() -> TotpSecret {
        TotpSecret(Zeroizing::new(*b"12345678901234567890"))
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000_i64, "353130"),
        ] {
            assert_eq!(rfc_secret().code(seconds / STEP_SECONDS), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_for_its_step_and_the_ones_beside_it() {
        let now = OffsetDateTime::from_unix_timestamp(1_111_111_111).expect("a time");
        let present = now.unix_timestamp() / STEP_SECONDS;
        let secret = rfc_secret();
        for (distance, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let step = present + distance;
            let found = secret.step_of(&secret.code(step), now);
            assert_eq!(found == Some(step), good, "{distance}");
        }
        for code in ["", "05047", "0504711", "05047a", "０５０４７１"] {
            assert_eq!(secret.step_of(code, now), None, "{code}");
        }
    }

    #[test]
    fn a_sealed_secret_opens_for_its_own_account_and_key_alone() {
        let (key, other) = (AccountKey::new(&[1; 32]), AccountKey::new(&[2; 32]));
        let (mine, yours) = (Uuid::now_v7(), Uuid::now_v7());
        let sealed = key.seal(mine, &rfc_secret());
        assert!(!sealed.windows(20).any(|w| w == b"12345678901234567890"));
        let opened = key.open(mine, &sealed).expect("its own");
        assert_eq!(opened.code(1), rfc_secret().code(1));
        assert!(key.open(yours, &sealed).is_none());
        assert!(other.open(mine, &sealed).is_none());
        assert!(key.open(mine, &sealed[..20]).is_none());
        assert!(key.open(mine, &[]).is_none());
    }

    #[test]
    fn a_recovery_code_reads_the_same_however_it_is_typed() {
        let code = recovery_code();
        assert_eq!(code.len(), 19);
        for typed in [
            code.to_uppercase(),
            code.replace('-', ""),
            code.replace('-', " "),
        ] {
            assert_eq!(recovery_hash(&typed), recovery_hash(&code));
        }
        assert_ne!(recovery_hash(&code), recovery_hash(&recovery_code()));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let secret = rfc_secret();
        let shown = format!("{secret:?} {:?}", AccountKey::new(&[7; 32]));
        assert!(!shown.contains(secret.reveal().as_str()), "{shown}");
    }
}
