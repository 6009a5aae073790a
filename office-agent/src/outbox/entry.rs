//! What goes into the outbox and what became of it.

use notary_proto::hub::v1 as wire;
use prost::Message;
use sha2::{Digest, Sha256};

/// One record for the hub.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A case. A `revision` of 0 means that the office's system has none: the outbox gives one.
    Case(Box<wire::CaseRecord>),
    /// A source record that could not become a case.
    Rejected(wire::RejectedRecord),
}

/// What the outbox did with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It waits for the hub.
    Stored,
    /// The outbox had it already, or something newer; nothing is sent.
    Unchanged,
    /// It is other than what was sent, under a lower revision: nothing is sent, the hub would take no notice.
    Behind,
}

/// Where a source stands, in the source's own words. Stored with the entries read up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Tells contents of one case apart: first 16 bytes of SHA-256 over the record with revision 0, without its tokens under
/// the next key.
pub(super) fn content_hash(record: &wire::CaseRecord) -> [u8; 16] {
    let digest = match record {
        wire::CaseRecord {
            revision: 0,
            next_tokens: None,
            ..
        } => Sha256::digest(record.encode_to_vec()),
        _ => {
            let mut plain = record.clone();
            (plain.revision, plain.next_tokens) = (0, None);
            Sha256::digest(plain.encode_to_vec())
        }
    };
    std::array::from_fn(|i| digest[i])
}
