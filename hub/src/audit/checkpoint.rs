//! Checkpoints: the size and root of the tree, signed. The form is C2SP's tlog-checkpoint in a signed note with one
//! Ed25519 signature, so that the tools of transparency logs read it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use super::merkle::TreeHead;

/// Kind of signature in key ids and keys.
const KIND: u8 = 1;
/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub head: TreeHead,
    /// The signed note.
    pub note: String,
}

/// Why a text is no checkpoint of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("not of the form of a signed checkpoint")]
    Malformed,
    #[error("of another log")]
    OtherOrigin,
    #[error("signed by none of the known keys")]
    UnknownKey,
    #[error("the signature does not fit")]
    Forged,
    #[error("its file is named after another size")]
    Renamed,
}

/// A text that is no verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a verifier key: name+hash+key, as `notary-hub audit key` prints it")]
pub struct VerifierKeyError;

/// Signs checkpoints of one log.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
    public: VerifierKey,
}

/// Believes checkpoints of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// Name of the log, and of its key.
    origin: String,
    public: [u8; 32],
}

impl CheckpointKey {
    /// `pair` signs for the log `origin`.
    pub fn new(origin: String, pair: Ed25519KeyPair) -> Self {
        let public = pair.public_key().as_ref();
        let public = public.try_into().expect("an Ed25519 key has 32 bytes");
        let public = VerifierKey { origin, public };
        Self { pair, public }
    }

    pub fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    pub fn sign(&self, head: &TreeHead) -> Checkpoint {
        let VerifierKey { origin, .. } = &self.public;
        let body = format!("{origin}\n{}\n{}\n", head.size, BASE64.encode(&head.root));
        let mut signature = self.public.id().to_vec();
        signature.extend_from_slice(self.pair.sign(body.as_bytes()).as_ref());
        Checkpoint {
            head: *head,
            note: format!("{body}\n{DASH}{origin} {}\n", BASE64.encode(&signature)),
        }
    }
}

impl VerifierKey {
    /// First bytes of SHA-256(name ‖ LF ‖ kind ‖ key).
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.origin)
            .chain_update([b'\n', KIND])
            .chain_update(self.public)
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn believes(&self, body: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public)
            .verify(body.as_bytes(), signature)
            .is_ok()
    }
}

/// Reads a checkpoint that one of `keys` has signed. Signatures of others beside it, such as witnesses', are let be.
pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, CheckpointError> {
    let (body, signatures) = split(note).ok_or(CheckpointError::Malformed)?;
    let (origin, head) = head_of(body).ok_or(CheckpointError::Malformed)?;
    if keys.iter().all(|key| key.origin != origin) {
        return Err(CheckpointError::OtherOrigin);
    }
    let mut signed = false;
    for line in signatures.lines() {
        let (name, signature) = signature_of(line).ok_or(CheckpointError::Malformed)?;
        let known = keys
            .iter()
            .find(|key| key.origin == name && signature.starts_with(&key.id()));
        if let Some(key) = known {
            if !key.believes(body, &signature[4..]) {
                return Err(CheckpointError::Forged);
            }
            signed |= name == origin;
        }
    }
    match signed {
        true => Ok(Checkpoint {
            head,
            note: note.to_owned(),
        }),
        false => Err(CheckpointError::UnknownKey),
    }
}

/// The signed text with its last line end, and the signature lines.
fn split(note: &str) -> Option<(&str, &str)> {
    let end = note.rfind("\n\n")?;
    let (body, signatures) = (&note[..=end], &note[end + 2..]);
    let controls = note.chars().any(|c| c.is_control() && c != '\n');
    (!controls && signatures.ends_with('\n')).then_some((body, signatures))
}

/// Origin, size and root. Lines that follow are extensions.
fn head_of(body: &str) -> Option<(&str, TreeHead)> {
    let mut lines = body.lines();
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    let number: u64 = size.parse().ok()?;
    let root = BASE64.decode(root.as_bytes()).ok()?;
    let head = TreeHead {
        size: number,
        root: root.try_into().ok()?,
    };
    // One number has one form.
    (number.to_string() == size && lines.all(|line| !line.is_empty())).then_some((origin, head))
}

fn signature_of(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let signature = BASE64.decode(signature.as_bytes()).ok()?;
    (!name.is_empty() && signature.len() > 4).then_some((name, signature))
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[KIND], self.public.as_slice()].concat();
        let id = HEXLOWER.encode(&self.id());
        write!(f, "{}+{id}+{}", self.origin, BASE64.encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(VerifierKeyError);
        let (origin, id, key) = (part()?, part()?, part()?);
        let key = BASE64
            .decode(key.as_bytes())
            .map_err(|_| VerifierKeyError)?;
        let public = match key.split_first() {
            Some((&KIND, public)) => public.try_into().map_err(|_| VerifierKeyError)?,
            _ => return Err(VerifierKeyError),
        };
        let origin = origin.to_owned();
        let key = Self { origin, public };
        match HEXLOWER.encode(&key.id()) == id && !key.origin.is_empty() {
            true => Ok(key),
            false => Err(VerifierKeyError),
        }
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckpointKey").field(&self.public).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(origin: &str) -> CheckpointKey {
        CheckpointKey::new(origin.into(), Ed25519KeyPair::generate().expect("random"))
    }

    fn head() -> TreeHead {
        TreeHead {
            size: 1234,
            root: [7; 32],
        }
    }

    /// From the documentation of Go's sumdb/note, whose form this is.
    #[test]
    fn a_published_note_is_believed() {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = text.parse().expect("a key");
        assert_eq!(key.to_string(), text);
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\n\
                    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let (body, signatures) = split(note).expect("a note");
        let (name, signature) = signature_of(signatures.trim_end()).expect("a signature");
        assert_eq!((name, &signature[..4]), ("PeterNeumann", &key.id()[..]));
        assert!(key.believes(body, &signature[4..]));
        assert!(!key.believes("If you think", &signature[4..]));
        assert_eq!(
            open(note, &[key]),
            Err(CheckpointError::Malformed),
            "no checkpoint"
        );
    }

    #[test]
    fn a_checkpoint_has_the_form_of_transparency_logs() {
        let key = key("notary.hangzhou/audit");
        let Checkpoint { note, .. } = key.sign(&head());
        let lines: Vec<&str> = note.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "notary.hangzhou/audit",
                "1234",
                &BASE64.encode(&[7; 32]),
                ""
            ]
        );
        assert!(lines[4].starts_with("\u{2014} notary.hangzhou/audit "));
        assert_eq!(lines.len(), 5);
        let opened = open(&note, &[key.verifier().clone()]).expect("our own");
        assert_eq!(opened.head, head());
    }

    #[test]
    fn another_logs_key_or_checkpoint_is_none_of_ours() {
        let (ours, theirs) = (key("a/audit"), key("a/audit"));
        let verifier = [ours.verifier().clone()];
        let note = theirs.sign(&head()).note;
        assert_eq!(open(&note, &verifier), Err(CheckpointError::UnknownKey));
        let note = key("b/audit").sign(&head()).note;
        assert_eq!(open(&note, &verifier), Err(CheckpointError::OtherOrigin));
        // Witnesses and other hubs may sign beside us.
        let both = format!(
            "{}{}",
            ours.sign(&head()).note,
            theirs
                .sign(&head())
                .note
                .lines()
                .last()
                .expect("a signature")
                .to_owned()
                + "\n"
        );
        assert!(open(&both, &verifier).is_ok());
    }

    #[test]
    fn a_verifier_key_with_a_slip_in_it_is_refused() {
        let text = key("a/audit").verifier().to_string();
        assert!(text.parse::<VerifierKey>().is_ok());
        for wrong in [
            &text[1..],
            &text[..text.len() - 4],
            "",
            "a+b",
            "a+00000000+AA==",
        ] {
            assert_eq!(
                wrong.parse::<VerifierKey>(),
                Err(VerifierKeyError),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_checkpoint_with_one_byte_changed_is_not_believed(
            at in any::<prop::sample::Index>(), with in 1_u8..=255,
        ) {
            let key = key("a/audit");
            let mut bytes = key.sign(&head()).note.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            let opened = String::from_utf8(bytes).ok().map(|note| open(&note, &[key.verifier().clone()]));
            prop_assert!(!matches!(opened, Some(Ok(_))));
        }

        #[test]
        fn whatever_is_read_is_refused_without_a_panic(note in "(a/audit|[0-9]{0,20}|\n|— |[A-Za-z0-9+/=]{0,44}| ){0,12}") {
            let verifier = key("a/audit").verifier().clone();
            prop_assert!(open(&note, &[verifier]).is_err());
        }
    }
}
