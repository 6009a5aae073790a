//! The answer, as JSON and as text have it.

use data_encoding::HEXLOWER;
use notary_proto::hub::v1 as wire;
use serde::Serialize;

/// What the hub knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Cases found.
    pub hits: Vec<Hit>,
    /// Whether there are more than could be told.
    pub truncated: bool,
    /// The feeds it rests on.
    pub feeds: Vec<Feed>,
    /// Proof that the question was recorded.
    pub receipt: Option<Receipt>,
    /// Other offices' intents to accept the matter.
    pub intents: Vec<Intent>,
    /// When the own intent ends, seconds since 1970; absent when none was registered.
    pub intent_expires_at: Option<i64>,
}

/// Another office's intent to accept the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// The office.
    pub office_id: String,
    /// Its name.
    pub office_name: String,
    /// Matter, catalogue code.
    pub matter_type: String,
    /// When it was registered, seconds since 1970.
    pub registered_at: Option<i64>,
    /// When it ends, seconds since 1970.
    pub expires_at: Option<i64>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Holding office.
    pub office_id: String,
    /// Its name.
    pub office_name: String,
    /// Case number; may be empty.
    pub case_no: String,
    /// Matter, catalogue code.
    pub matter_type: String,
    /// State, code.
    pub state: String,
    /// Day of acceptance, days since 1970-01-01.
    pub accepted_day: Option<i32>,
    /// What was equal: `identifier`, `subject`, `person`.
    pub matched_on: Vec<String>,
    /// Parties' names, masked.
    pub masked_names: Vec<String>,
    /// `duplicate`, `conflict`, `related`, or empty for an unconnected matter.
    pub severity: String,
    /// Whether that office accepted first.
    pub first_accepting: bool,
    /// Why it is a person's case, when an equal number does not say so.
    pub person: Option<PersonMatch>,
}

/// Why somebody is held to be the person asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonMatch {
    /// Which of the parties asked about, from 0.
    pub party: u32,
    /// `same` or `possible`.
    pub decision: String,
    /// Match weight in thousandths of a bit.
    pub weight_millibits: Option<i32>,
    /// What the weight is made of, Chinese.
    pub explanation_zh: String,
    /// The same in English.
    pub explanation_en: String,
}

/// How fresh one office's feed is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// The office.
    pub office_id: String,
    /// Its name.
    pub office_name: String,
    /// Last commit, seconds since 1970.
    pub last_commit_at: Option<i64>,
    /// When nothing last waited at its agent, seconds since 1970.
    pub caught_up_at: Option<i64>,
    /// Whether its agent is connected.
    pub connected: bool,
}

/// Proof that the question was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Number of the audit entry.
    pub audit_entry: u64,
    /// When, seconds since 1970.
    pub recorded_at: Option<i64>,
    /// Hash of the entry's leaf, hexadecimal.
    pub leaf_hash: String,
    /// Place of the leaf in the tree, from 0.
    pub leaf_index: u64,
    /// Hashes beside the way to the root, hexadecimal.
    pub inclusion_path: Vec<String>,
    /// The tree, signed by the hub.
    pub checkpoint: String,
}

impl From<wire::CheckApplicationResponse> for Answer {
    fn from(wire: wire::CheckApplicationResponse) -> Self {
        Self {
            hits: wire.hits.into_iter().map(Hit::from).collect(),
            truncated: wire.truncated,
            feeds: wire.feeds.into_iter().map(Feed::from).collect(),
            receipt: wire.receipt.map(|receipt| Receipt {
                audit_entry: receipt.audit_entry,
                recorded_at: receipt.recorded_at.map(|at| at.seconds),
                leaf_hash: HEXLOWER.encode(&receipt.leaf_hash),
                leaf_index: receipt.leaf_index,
                inclusion_path: receipt
                    .inclusion_path
                    .iter()
                    .map(|hash| HEXLOWER.encode(hash))
                    .collect(),
                checkpoint: receipt.checkpoint,
            }),
            intents: wire.intents.into_iter().map(Intent::from).collect(),
            intent_expires_at: wire.intent_expires_at.map(|at| at.seconds),
        }
    }
}

impl From<wire::LookupIntent> for Intent {
    fn from(wire: wire::LookupIntent) -> Self {
        Self {
            office_id: wire.office_id,
            office_name: wire.office_name,
            matter_type: wire.matter_type,
            registered_at: wire.registered_at.map(|at| at.seconds),
            expires_at: wire.expires_at.map(|at| at.seconds),
        }
    }
}

impl From<wire::LookupHit> for Hit {
    fn from(wire: wire::LookupHit) -> Self {
        Self {
            state: code(wire.state().as_str_name(), "CASE_STATE_"),
            severity: code(wire.severity().as_str_name(), "MATCH_SEVERITY_"),
            matched_on: wire
                .matched_on()
                .map(|matched| code(matched.as_str_name(), "MATCHED_ON_"))
                .collect(),
            office_id: wire.office_id,
            office_name: wire.office_name,
            case_no: wire.case_no,
            matter_type: wire.matter_type,
            accepted_day: wire.accepted_day,
            masked_names: wire.masked_names,
            first_accepting: wire.first_accepting,
            person: wire.person.map(PersonMatch::from),
        }
    }
}

impl From<wire::PersonMatch> for PersonMatch {
    fn from(wire: wire::PersonMatch) -> Self {
        Self {
            party: wire.party,
            decision: code(wire.decision().as_str_name(), "MATCH_DECISION_"),
            weight_millibits: wire.weight_millibits,
            explanation_zh: wire.explanation_zh,
            explanation_en: wire.explanation_en,
        }
    }
}

impl From<wire::FeedFreshness> for Feed {
    fn from(wire: wire::FeedFreshness) -> Self {
        Self {
            office_id: wire.office_id,
            office_name: wire.office_name,
            last_commit_at: wire.last_commit_at.map(|at| at.seconds),
            caught_up_at: wire.caught_up_at.map(|at| at.seconds),
            connected: wire.connected,
        }
    }
}

/// A contract's name as a code; unspecified is empty.
fn code(name: &str, prefix: &str) -> String {
    match name.strip_prefix(prefix) {
        None | Some("UNSPECIFIED") => String::new(),
        Some(name) => name.to_lowercase(),
    }
}
