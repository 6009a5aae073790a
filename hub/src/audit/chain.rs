//! The hash chain that the log was before it was a tree. Nothing is appended to it any more; what stands in it is still
//! verified: chain_hash = SHA-256(previous chain_hash ‖ canonical bytes of the entry).

use sha2::{Digest, Sha256};

use super::recorded::Recorded;

/// SHA-256 over an entry and everything before it.
pub type ChainHash = [u8; 32];

/// What stands before the first entry.
pub const GENESIS: ChainHash = [0; 32];

/// Where the chain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// 0 when there was none.
    pub entries: i64,
    pub head: ChainHash,
}

impl Recorded {
    /// What the chain's value is if nothing was changed.
    pub fn hash_behind(&self, previous: &ChainHash) -> ChainHash {
        let mut hash = Sha256::new().chain_update(previous);
        for field in self.fields() {
            match field {
                Some(bytes) => {
                    hash.update([1]);
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
                None => hash.update([0]),
            }
        }
        hash.finalize().into()
    }

    /// Every field as bytes, in an order that never changes. Each is hashed with its length before it, so that
    /// no two different entries give the same input.
    fn fields(&self) -> [Option<Vec<u8>>; 9] {
        let text = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let microseconds = self.recorded_at.unix_timestamp_nanos() / 1000;
        let mut detail = self.detail.clone();
        detail.sort_all_objects();
        [
            Some(self.entry_no.to_be_bytes().to_vec()),
            Some(microseconds.to_be_bytes().to_vec()),
            Some(self.actor.as_bytes().to_vec()),
            text(&self.office_id),
            Some(self.action.as_bytes().to_vec()),
            Some(self.outcome.as_bytes().to_vec()),
            text(&self.purpose),
            text(&self.case_reference),
            Some(detail.to_string().into_bytes()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::audit::{Action, Actor, Entry, Outcome};

    /// The values come from the version that wrote chains.
    #[test]
    fn a_chain_that_was_written_before_still_fits() {
        let entry = Entry {
            actor: Actor::Nobody,
            office_id: "hzgl".parse().ok(),
            action: Action::CheckApplication,
            outcome: Outcome::NoHit,
            purpose: Some("before_acceptance"),
            case_reference: Some("2024-1".into()),
            detail: json!({"b": 1, "a": ["x"]}),
        };
        let recorded = Recorded {
            entry_no: 1,
            recorded_at: datetime!(2024-08-15 09:00:00.123456 UTC),
            ..Recorded::unplaced(entry)
        };
        let first = recorded.hash_behind(&GENESIS);
        assert_eq!(
            HEXLOWER.encode(&first),
            "9729a60d00355eab868f95c36034f0fc1e42d26716728527fc5eb5b2f9d98e4a"
        );
        assert_ne!(recorded.hash_behind(&first), first);
    }
}
