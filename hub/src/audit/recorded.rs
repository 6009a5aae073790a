//! An entry as it stands in the log, and the bytes that are hashed: its leaf. docs/audit.md describes them for others.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::entry::{Action, Entry};
use super::merkle::{self, Hash};

/// Version of the leaf's form.
const VERSION: u8 = 1;

/// PostgreSQL keeps microseconds.
const RECORDED_AT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// A row of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub entry_no: i64,
    pub recorded_at: OffsetDateTime,
    pub actor: String,
    pub office_id: Option<String>,
    pub action: String,
    pub outcome: String,
    pub purpose: Option<String>,
    pub case_reference: Option<String>,
    pub detail: Value,
    /// Random bytes, so that a leaf hash alone tells nothing of what was recorded.
    pub salt: Option<Vec<u8>>,
    /// Hashes of the perfect subtrees that it completes, the leaf's own first; none of an entry of the old chain.
    pub tree: Option<Vec<u8>>,
    /// Of an entry of the old chain.
    pub chain_hash: Option<Vec<u8>>,
    /// Its content is gone, its hashes are not.
    pub pruned: bool,
}

/// The fields of a leaf, in the order of their names.
#[derive(Serialize)]
struct Leaf<'a> {
    action: &'a str,
    actor: &'a str,
    case_reference: Option<&'a str>,
    detail: Sorted<'a>,
    entry_no: i64,
    office_id: Option<&'a str>,
    outcome: &'a str,
    purpose: Option<&'a str>,
    recorded_at: String,
    salt: String,
    v: u8,
}

impl Recorded {
    /// The entry before it has a place in the log.
    pub fn unplaced(entry: Entry) -> Self {
        Self {
            actor: entry.actor.code(),
            office_id: entry.office_id.map(|office_id| office_id.to_string()),
            action: entry.action.code().into(),
            outcome: entry.outcome.code().into(),
            purpose: entry.purpose.map(Into::into),
            case_reference: entry.case_reference,
            detail: entry.detail,
            salt: Some(rand::random::<[u8; 16]>().to_vec()),
            pruned: false,
            ..Self::pruned()
        }
    }

    /// What is left of an entry when its content is gone, as the database has it.
    pub(super) fn pruned() -> Self {
        Self {
            entry_no: 0,
            recorded_at: OffsetDateTime::UNIX_EPOCH,
            actor: String::new(),
            office_id: None,
            action: String::new(),
            outcome: String::new(),
            purpose: None,
            case_reference: None,
            detail: Value::Object(serde_json::Map::new()),
            salt: None,
            tree: None,
            chain_hash: None,
            pruned: true,
        }
    }

    /// Its canonical bytes: JSON by RFC 8785.
    pub fn leaf(&self) -> Vec<u8> {
        let hex = |bytes: &Option<Vec<u8>>| {
            let bytes = bytes.as_deref().unwrap_or_default();
            data_encoding::HEXLOWER.encode(bytes)
        };
        let recorded_at = self.recorded_at.to_offset(time::UtcOffset::UTC);
        let leaf = Leaf {
            action: &self.action,
            actor: &self.actor,
            case_reference: self.case_reference.as_deref(),
            detail: Sorted(&self.detail),
            entry_no: self.entry_no,
            office_id: self.office_id.as_deref(),
            outcome: &self.outcome,
            purpose: self.purpose.as_deref(),
            recorded_at: recorded_at
                .format(RECORDED_AT)
                .expect("a time has every component of the form"),
            salt: hex(&self.salt),
            v: VERSION,
        };
        serde_json::to_vec(&leaf).expect("texts, numbers and a JSON value have a JSON form")
    }

    /// The hash that stands in the log for its leaf.
    pub fn leaf_hash(&self) -> Option<Hash> {
        self.tree.as_deref()?.first_chunk().copied()
    }

    /// What the hash of its leaf is if nothing was changed.
    pub fn hash(&self) -> Hash {
        merkle::leaf_hash(&self.leaf())
    }

    /// Whether it says that entries were pruned, and up to which number.
    pub fn pruned_through(&self) -> Option<i64> {
        (self.action == Action::PruneAudit.code())
            .then(|| self.detail.get("through")?.as_i64())
            .flatten()
    }
}

/// A JSON value with the keys of every object in order: jsonb keeps none. Keys are ASCII and numbers whole, as all that
/// is recorded has them; RFC 8785 asks for no more then.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let mut fields: Vec<(&String, &Value)> = object.iter().collect();
                fields.sort_unstable_by_key(|(key, _)| *key);
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, &Sorted(value))?;
                }
                map.end()
            }
            Value::Array(values) => serializer.collect_seq(values.iter().map(Sorted)),
            plain => plain.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::audit::{Actor, Outcome};

    fn recorded() -> Recorded {
        let entry = Entry {
            actor: Actor::Nobody,
            office_id: "hzgl".parse().ok(),
            action: Action::CheckApplication,
            outcome: Outcome::NoHit,
            purpose: Some("before_acceptance"),
            case_reference: Some("2024-接-\"1\"".into()),
            detail: json!({"b": 1, "a": ["x", {"d": false, "c": null}]}),
        };
        Recorded {
            entry_no: 7,
            recorded_at: datetime!(2024-08-15 17:00:00.123456 +8),
            salt: Some(vec![0xab; 16]),
            ..Recorded::unplaced(entry)
        }
    }

    #[test]
    fn a_leaf_is_canonical_json() {
        let leaf = String::from_utf8(recorded().leaf()).expect("UTF-8");
        assert_eq!(
            leaf,
            concat!(
                r#"{"action":"lookup.check_application","actor":"nobody","case_reference":"2024-接-\"1\"","#,
                r#""detail":{"a":["x",{"c":null,"d":false}],"b":1},"entry_no":7,"office_id":"hzgl","#,
                r#""outcome":"no_hit","purpose":"before_acceptance","recorded_at":"2024-08-15T09:00:00.123456Z","#,
                r#""salt":"abababababababababababababababab","v":1}"#
            )
        );
    }

    #[test]
    fn every_field_counts() {
        let base = recorded().hash();
        let changes: [fn(&mut Recorded); 10] = [
            |r| r.entry_no += 1,
            |r| r.recorded_at += time::Duration::microseconds(1),
            |r| r.actor = "office:hzgl".into(),
            |r| r.office_id = None,
            |r| r.action = "session.create".into(),
            |r| r.outcome = "hit".into(),
            |r| r.purpose = None,
            |r| r.case_reference = Some("2024-接-2".into()),
            |r| r.detail["b"] = 2.into(),
            |r| r.salt = Some(vec![0xac; 16]),
        ];
        for change in changes {
            let mut changed = recorded();
            change(&mut changed);
            assert_ne!(changed.hash(), base, "{changed:?}");
        }
    }

    #[test]
    fn equal_entries_have_different_leaves() {
        let entry = || Entry {
            actor: Actor::Nobody,
            office_id: None,
            action: Action::SignIn,
            outcome: Outcome::Denied,
            purpose: None,
            case_reference: None,
            detail: json!({}),
        };
        let (one, other) = (Recorded::unplaced(entry()), Recorded::unplaced(entry()));
        assert_ne!(one.hash(), other.hash());
    }
}
