//! Supervision (杭司〔2012〕122号, 三(一) 四不一要): rules point at what an office did, a person decides what to make of
//! it, and the office mends it.
//!
//! * [`rule`] and [`tariff`]: the rules and the fees in force, as data (`hub/rules/`).
//! * [`edition`]: which text of either is in force, and [`activation`]: how another one comes to be.
//! * [`facts`]: what a rule may look at, a case and its context; [`evaluate`]: what the rules make of it. Both are pure,
//!   so that history can be replayed under rules that are not in force yet.
//! * [`worker`]: takes up the cases that ingest has put down, and those of which a limit passes today.
//! * [`life`]: open → notified → rectified → verified, or dismissed; who may take which step.
//! * [`desk`]: people at work on findings. Everything they read and decide is in the audit log.
//! * [`inspection`]: 检查督导, from its plan over the notice to its end; [`taking_in`]: the findings that it takes in.
//! * [`profile`]: what the bureau has on file of an office.
//! * [`reminder`]: what an office is reminded of before it is late.
//! * [`replay`]: what the rules in force, or others, find in all of history.
//!
//! **A decision outlives re-evaluation.** A finding stands on facts: what offices stated, which is its evidence without
//! what follows from rules and reference data ([`evidence::DERIVED`]). The same facts again change nothing; other facts
//! open a finding that was verified or dismissed, and say so in its steps; a rule that does not hit any more marks the
//! finding as cleared and leaves its state to people.

pub mod activation;
pub mod desk;
pub mod edition;
pub mod evaluate;
pub mod evidence;
pub mod facts;
pub mod inspection;
pub mod life;
pub mod participation;
pub mod profile;
pub mod reminder;
pub mod replay;
pub mod rule;
pub mod taking_in;
pub mod tariff;
pub mod worker;

use linkage::office::OfficeId;
use sha2::{Digest, Sha256};
use time::Date;

use crate::codes::codes;

/// What a finding is about.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Deserialize,
    serde::Serialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A case, by the office's key.
    Case,
    /// A filing, by its id.
    Filing,
    /// Special paper, by series and first number.
    Paper,
}

codes!(About { Case = "case", Filing = "filing", Paper = "paper" });

impl About {
    /// What its key is called.
    pub const fn key_zh(self) -> &'static str {
        match self {
            Self::Case => "案件主键",
            Self::Filing => "报送编号",
            Self::Paper => "水印纸起号",
        }
    }
}

/// SHA-256 of what was stated of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FactsDigest(pub [u8; 32]);

/// A rule that hits.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub rule_id: String,
    pub severity: rule::Severity,
    pub about: About,
    pub about_key: String,
    /// The day the figures count it on.
    pub happened_on: Option<Date>,
    /// Of a case: it has ended, on that day.
    pub concluded: bool,
    /// Another office's case that it rests on. Not evidence: it is told to nobody.
    pub rests_on: Option<(OfficeId, String)>,
    /// Codes, days and amounts; never a person's data. Nothing that changes by itself, such as a number of days
    /// until today.
    pub evidence: serde_json::Value,
}

impl Hit {
    /// What a decision about it stands on.
    pub fn facts(&self) -> FactsDigest {
        let mut stated = self.evidence.clone();
        if let Some(stated) = stated.as_object_mut() {
            stated.retain(|fact, _| !evidence::DERIVED.contains(&fact.as_str()));
        }
        // An object of serde_json keeps its keys in order.
        FactsDigest(Sha256::digest(stated.to_string()).into())
    }
}
