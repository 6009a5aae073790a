//! A case as the hub knows it, what is wrong with it, and why a record may be refused. Pure: values of
//! these types have passed every check of the wire contract, and nothing here does I/O.

pub mod quality;
pub mod reject;

use linkage::case_no::CaseNo;
use linkage::identifier::IdentifierKind;
use linkage::matter::{MatterKey, MatterType, RulesDigest};
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::subject::SubjectKind;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, ForeignRelation, PartyKind, PartyRole, Sex};
use time::{Date, OffsetDateTime};

use crate::statistics::contribution::Figures;

/// First 16 bytes of SHA-256 over the wire record with revision 0 and without next tokens: equal content, equal hash.
pub type ContentHash = [u8; 16];

/// A case's key at the hub: the office and its own system's key.
pub type CaseKey<'a> = (OfficeId, &'a str);

/// One case at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub source_case_id: String,
    pub revision: i64,
    pub figures: Figures,
    pub case_no: Option<CaseNo>,
    pub place_of_use: Option<String>,
    pub notary_name: Option<String>,
    pub reason_code: Option<String>,
    pub fee_reduction_reason: Option<String>,
    pub amount_fen: i64,
    pub major: bool,
    pub discussed: bool,
    pub approved_on: Option<Date>,
    pub approver_licence_no: Option<String>,
    /// Certificates that the fee was charged for, when the office says so.
    pub certificates: Option<i32>,
    pub parties: Vec<Party>,
    pub subjects: Vec<Subject>,
    /// Keys under which another office's case would be the same matter; sorted.
    pub matter_keys: Vec<MatterKey>,
    /// The rules by which they are.
    pub keyed_under: RulesDigest,
    pub modified_at: Option<OffsetDateTime>,
    pub content_hash: ContentHash,
    /// While the city changes its token key.
    pub next_tokens: Option<NextTokens>,
}

/// A case's tokens under the key that is to follow the city's token key.
#[derive(Clone, Debug, PartialEq)]
pub struct NextTokens {
    /// Of that key.
    pub key_id: i32,
    /// The record's with these tokens in the place of its own.
    pub content_hash: ContentHash,
    /// Of the parties, in their order.
    pub parties: Vec<PartyTokens>,
    /// Of the subjects, in their order.
    pub subjects: Vec<Token>,
}

/// A party's tokens under the next key, each where the party has its like.
#[derive(Clone, Debug, PartialEq)]
pub struct PartyTokens {
    pub identifier: Option<Token>,
    /// Of an unverified identifier.
    pub segments: Option<Segments>,
    pub phone: Option<Token>,
}

/// One party (当事人) of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    pub role: PartyRole,
    pub kind: PartyKind,
    pub name: String,
    pub sex: Option<Sex>,
    pub birth_date: Option<Date>,
    pub identifier: Option<PartyIdentifier>,
    pub phone_token: Option<Token>,
    pub address_district: Option<DistrictCode>,
}

/// What is known of a party's identity document: never its number.
#[derive(Clone, Debug, PartialEq)]
pub struct PartyIdentifier {
    pub kind: IdentifierKind,
    pub token: Token,
    pub check: Check,
    /// Up to four last characters of the number.
    pub tail: Option<String>,
}

/// Whether the number's check digit held at the office.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    Verified,
    /// Takes no part in exact matching; the tokens of its segments may count as evidence.
    Unverified {
        segments: Option<Segments>,
    },
}

/// Tokens of the segments of a number: area and birth, birth and order, order and check digit.
pub type Segments = [Token; 3];

/// One thing (标的) a case is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub kind: SubjectKind,
    pub token: Token,
    /// Up to six last characters of the number.
    pub tail: Option<String>,
    pub district_code: Option<DistrictCode>,
}

/// What the hub holds of a case, as far as a newer revision depends on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub revision: i64,
    pub content_hash: ContentHash,
    pub case_no: Option<String>,
    pub figures: Figures,
    /// When the hub first saw the case.
    pub first_recorded_at: OffsetDateTime,
}

impl Case {
    pub fn state(&self) -> CaseState {
        self.figures.state
    }

    pub fn matter_type(&self) -> MatterType {
        self.figures.matter_type
    }

    pub fn foreign_relation(&self) -> ForeignRelation {
        self.figures.foreign_relation
    }
}

impl PartyIdentifier {
    /// The token, when it may take part in exact matching.
    pub fn verified(&self) -> Option<Token> {
        match self.check {
            Check::Verified => Some(self.token),
            Check::Unverified { .. } => None,
        }
    }
}
