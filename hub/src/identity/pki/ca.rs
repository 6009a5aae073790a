//! The city's certificate authorities as files, and their succession.
//!
//! There is one CA until it is to be followed by the next, step by step, so that nobody is left outside:
//!
//! | phase | trusted | signs offices | signs the hub itself | step that leads on |
//! |---|---|---|---|---|
//! | single | 1 | 1 | 1 | `rotate`: makes CA 2 |
//! | prepared | 1, 2 | 1 | 1 | `activate`: once every hub of the database has the files |
//! | activated | 1, 2 | 2 | 1 | `retire`: once no office could still speak with a certificate of CA 1 |
//! | single | 2 | 2 | 2 | |
//!
//! Offices learn what to trust at each renewal. The hub itself stays with the old CA until the end: by then every
//! office has renewed under the new one, and so has learnt it.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::authority::{AuthorityError, CA_LIFE, SLOW_CLOCKS, damaged, params};
use super::secret_file;
use crate::config::Config;

const STATE: &str = "ca.toml";
/// All trusted CA certificates: what a new agent is given.
const ANCHORS: &str = "anchors.pem";

/// Where a succession stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Single,
    Prepared,
    Activated,
}

/// One step of a succession.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Rotate,
    Activate,
    Retire,
}

/// A step out of turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfTurn {
    #[error("no next CA is prepared; run: notary-hub ca rotate")]
    NothingPrepared,
    #[error("the next CA is made already; run: notary-hub ca activate")]
    NotActivated,
    #[error("the old CA is trusted still; run: notary-hub ca retire")]
    NotRetired,
}

impl Phase {
    /// The phase after a step.
    pub const fn transition(self, step: Step) -> Result<Self, OutOfTurn> {
        match (self, step) {
            (Self::Single, Step::Rotate) => Ok(Self::Prepared),
            (Self::Prepared, Step::Activate) => Ok(Self::Activated),
            (Self::Activated, Step::Retire) => Ok(Self::Single),
            (Self::Single, Step::Activate | Step::Retire) => Err(OutOfTurn::NothingPrepared),
            (Self::Prepared, Step::Rotate | Step::Retire) => Err(OutOfTurn::NotActivated),
            (Self::Activated, Step::Rotate | Step::Activate) => Err(OutOfTurn::NotRetired),
        }
    }
}

/// `ca.toml`: numbers of CAs. Replaced in one step, so that a rotation is done or not. Without it there is CA 1.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct State {
    issuing: u32,
    serving: u32,
    trusted: Vec<u32>,
}

impl State {
    fn read(dir: &Path) -> Result<Self, AuthorityError> {
        let path = dir.join(STATE);
        if !path.exists() {
            return Ok(Self {
                issuing: 1,
                serving: 1,
                trusted: vec![1],
            });
        }
        let text = std::fs::read_to_string(&path).map_err(secret_file::failed("read", &path))?;
        let state: Self = toml::from_str(&text).map_err(|error| damaged(STATE, error.message()))?;
        let known = |number| state.trusted.contains(number);
        match known(&state.issuing) && known(&state.serving) {
            true => Ok(state),
            false => Err(damaged(STATE, "what signs is not trusted")),
        }
    }

    fn write(&self, dir: &Path) -> Result<(), AuthorityError> {
        let text = toml::to_string(self).expect("numbers have a TOML form");
        Ok(secret_file::write(
            &dir.join(STATE),
            0o644,
            text.as_bytes(),
        )?)
    }

    fn phase(&self) -> Phase {
        match self.trusted.len() {
            1 => Phase::Single,
            _ if self.issuing == self.serving => Phase::Prepared,
            _ => Phase::Activated,
        }
    }
}

/// A CA with its key.
#[derive(Debug)]
pub(super) struct Ca {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
}

/// What the files say: which CAs there are, and what each is for.
#[derive(Debug)]
pub(super) struct CaSet {
    pub(super) phase: Phase,
    pub(super) issuing: Ca,
    pub(super) serving: Ca,
    pub(super) trusted: Vec<CertificateDer<'static>>,
}

/// A CA as listed.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub number: u32,
    pub file: PathBuf,
    /// SHA-256 of the certificate, hexadecimal.
    pub fingerprint: String,
    pub signs_offices: bool,
    pub signs_hub: bool,
}

impl CaSet {
    pub(super) fn load(dir: &Path) -> Result<Self, AuthorityError> {
        let state = State::read(dir)?;
        Ok(Self {
            phase: state.phase(),
            issuing: load(dir, state.issuing)?,
            serving: load(dir, state.serving)?,
            trusted: state
                .trusted
                .iter()
                .map(|number| certificate(dir, *number))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// SHA-256 of a CA's certificate: how the issuer of a certificate is recorded.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// Makes the first CA unless there is one.
pub(super) fn create_first(config: &Config, now: OffsetDateTime) -> Result<(), AuthorityError> {
    let dir = config.pki_dir();
    if !dir.join("ca.pem").exists() && !dir.join(STATE).exists() {
        make(config, 1, now)?;
    }
    settle(config)
}

/// All trusted CAs.
pub fn list(config: &Config) -> Result<(Phase, Vec<Listed>), AuthorityError> {
    let dir = config.pki_dir();
    let state = State::read(&dir)?;
    let listed = |number: &u32| {
        Ok(Listed {
            number: *number,
            file: certificate_file(&dir, *number),
            fingerprint: data_encoding::HEXLOWER.encode(&fingerprint(&certificate(&dir, *number)?)),
            signs_offices: *number == state.issuing,
            signs_hub: *number == state.serving,
        })
    };
    let listed = state
        .trusted
        .iter()
        .map(listed)
        .collect::<Result<_, AuthorityError>>()?;
    Ok((state.phase(), listed))
}

/// Takes one step. Whether `Retire` leaves anybody outside is for the caller to have asked.
pub fn step(config: &Config, step: Step, now: OffsetDateTime) -> Result<Phase, AuthorityError> {
    let dir = config.pki_dir();
    let mut state = State::read(&dir)?;
    let phase = state.phase().transition(step)?;
    let newest = state.trusted.iter().copied().max().unwrap_or(1);
    match step {
        Step::Rotate => {
            make(config, newest + 1, now)?;
            state.trusted.push(newest + 1);
        }
        Step::Activate => state.issuing = newest,
        Step::Retire => {
            state.serving = newest;
            state.trusted = vec![newest];
        }
    }
    state.write(&dir)?;
    settle(config)?;
    Ok(phase)
}

/// Makes the folder what `ca.toml` says, also behind a step that was killed there: agents are given the CAs that are
/// trusted, and keys of others are gone. Done once, it changes nothing.
pub fn settle(config: &Config) -> Result<(), AuthorityError> {
    let dir = config.pki_dir();
    let State { trusted, .. } = State::read(&dir)?;
    write_anchors(&dir, &trusted)?;
    remove_before(&dir, trusted.into_iter().min().unwrap_or(1))
}

fn certificate_file(dir: &Path, number: u32) -> PathBuf {
    match number {
        1 => dir.join("ca.pem"),
        _ => dir.join(format!("ca-{number}.pem")),
    }
}

fn key_file(dir: &Path, number: u32) -> PathBuf {
    certificate_file(dir, number).with_extension("key")
}

fn make(config: &Config, number: u32, now: OffsetDateTime) -> Result<(), AuthorityError> {
    let dir = config.pki_dir();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut name = format!("notary-hub CA {}", config.identity.trust_domain);
    if number > 1 {
        name.push_str(&format!(" {number}"));
    }
    let mut params = params(&name, now, CA_LIFE);
    params.not_before -= SLOW_CLOCKS;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    // The key first: only a folder with the certificate counts as having the CA.
    let pem = Zeroizing::new(key.serialize_pem());
    secret_file::write(&key_file(&dir, number), 0o600, pem.as_bytes())?;
    let pem = certificate.pem();
    Ok(secret_file::write(
        &certificate_file(&dir, number),
        0o644,
        pem.as_bytes(),
    )?)
}

fn load(dir: &Path, number: u32) -> Result<Ca, AuthorityError> {
    let certificate = certificate(dir, number)?;
    let pem = secret_file::read(&key_file(dir, number))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| damaged("ca.key", error))?;
    let key = KeyPair::try_from(&key).map_err(|error| damaged("ca.key", error))?;
    let issuer =
        Issuer::from_ca_cert_der(&certificate, key).map_err(|error| damaged("ca.pem", error))?;
    Ok(Ca {
        issuer,
        certificate,
    })
}

fn certificate(dir: &Path, number: u32) -> Result<CertificateDer<'static>, AuthorityError> {
    let path = certificate_file(dir, number);
    let pem = std::fs::read(&path).map_err(secret_file::failed("read", &path))?;
    CertificateDer::from_pem_slice(&pem).map_err(|error| damaged("ca.pem", error))
}

fn write_anchors(dir: &Path, trusted: &[u32]) -> Result<(), AuthorityError> {
    let mut pems = Vec::new();
    for number in trusted {
        let path = certificate_file(dir, *number);
        pems.extend(std::fs::read(&path).map_err(secret_file::failed("read", &path))?);
    }
    let file = dir.join(ANCHORS);
    match std::fs::read(&file) {
        Ok(there) if there == pems => Ok(()),
        _ => Ok(secret_file::write(&file, 0o644, &pems)?),
    }
}

/// Removes what is trusted no longer: a key that could still sign is a key that can be stolen.
fn remove_before(dir: &Path, kept: u32) -> Result<(), AuthorityError> {
    for number in 1..kept {
        for path in [key_file(dir, number), certificate_file(dir, number)] {
            if path.exists() {
                std::fs::remove_file(&path).map_err(secret_file::failed("remove", &path))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_one_step_that_leads_on() {
        use Phase::{Activated, Prepared, Single};
        let table = [
            (Single, Step::Rotate, Ok(Prepared)),
            (Single, Step::Activate, Err(OutOfTurn::NothingPrepared)),
            (Single, Step::Retire, Err(OutOfTurn::NothingPrepared)),
            (Prepared, Step::Rotate, Err(OutOfTurn::NotActivated)),
            (Prepared, Step::Activate, Ok(Activated)),
            (Prepared, Step::Retire, Err(OutOfTurn::NotActivated)),
            (Activated, Step::Rotate, Err(OutOfTurn::NotRetired)),
            (Activated, Step::Activate, Err(OutOfTurn::NotRetired)),
            (Activated, Step::Retire, Ok(Single)),
        ];
        for (phase, step, next) in table {
            assert_eq!(phase.transition(step), next, "{phase:?} {step:?}");
        }
    }

    #[test]
    fn what_a_killed_step_left_undone_is_done_when_the_hub_starts() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("data_dir = '{}'", folder.path().display());
        let config = Config::parse(&text, Path::new("test.toml"), []).expect("good");
        let dir = config.pki_dir();
        let now = OffsetDateTime::now_utc();
        secret_file::make_dir(&dir).expect("made");
        create_first(&config, now).expect("made");
        let anchors = || std::fs::read(dir.join(ANCHORS)).expect("there");
        let first = anchors();
        step(&config, Step::Rotate, now).expect("in turn");
        let both = anchors();
        // Killed behind ca.toml, the step has not come to the anchors.
        std::fs::write(dir.join(ANCHORS), &first).expect("written");
        settle(&config).expect("settled");
        assert_eq!(anchors(), both);

        step(&config, Step::Activate, now).expect("in turn");
        let old = ["ca.key", "ca.pem"].map(|name| dir.join(name));
        let kept = old
            .each_ref()
            .map(|path| std::fs::read(path).expect("there"));
        step(&config, Step::Retire, now).expect("in turn");
        let last = anchors();
        std::fs::write(dir.join(ANCHORS), &both).expect("written");
        for (path, bytes) in old.iter().zip(kept) {
            std::fs::write(path, bytes).expect("written");
        }
        settle(&config).expect("settled");
        assert_eq!(anchors(), last);
        assert!(old.iter().all(|path| !path.exists()), "the old key is gone");
    }

    #[test]
    fn a_succession_ends_with_the_next_ca_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("data_dir = '{}'", folder.path().display());
        let config = Config::parse(&text, Path::new("test.toml"), []).expect("good");
        let dir = config.pki_dir();
        let now = OffsetDateTime::now_utc();
        secret_file::make_dir(&dir).expect("made");
        create_first(&config, now).expect("made");
        let first = CaSet::load(&dir).expect("good");

        step(&config, Step::Rotate, now).expect("in turn");
        let prepared = CaSet::load(&dir).expect("good");
        assert_eq!(prepared.phase, Phase::Prepared);
        assert_eq!(prepared.trusted.len(), 2);
        assert_eq!(prepared.issuing.certificate, first.issuing.certificate);

        step(&config, Step::Activate, now).expect("in turn");
        let activated = CaSet::load(&dir).expect("good");
        assert_eq!(activated.issuing.certificate, prepared.trusted[1]);
        assert_eq!(activated.serving.certificate, first.issuing.certificate);

        step(&config, Step::Retire, now).expect("in turn");
        let last = CaSet::load(&dir).expect("good");
        assert_eq!(last.trusted, [prepared.trusted[1].clone()]);
        assert_eq!(last.serving.certificate, last.issuing.certificate);
        assert!(!dir.join("ca.key").exists(), "the old key is gone");
        create_first(&config, now).expect("nothing to do");
        assert!(!dir.join("ca.pem").exists(), "init makes no CA again");
        let anchors = std::fs::read_to_string(dir.join(ANCHORS)).expect("there");
        assert_eq!(anchors.matches("BEGIN CERTIFICATE").count(), 1);
    }
}
