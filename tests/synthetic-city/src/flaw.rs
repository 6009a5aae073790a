//! What is wrong with real data. A [`Flaw`] keeps a record from becoming a case; the rest only deserves a
//! quality finding, or nothing at all because it is to be normalised away.
use linkage::identifier::IdentifierKind;

use crate::case::{Document, Party};
use crate::dice::Dice;
use crate::office::Vendor;
use crate::people::{document, name};

/// Records of 10,000 that must end as a reject.
pub(crate) const REJECTED: u32 = 50;
/// Parties of 10,000 whose number fails its check digit.
const UNVERIFIED: u32 = 200;
/// Parties of 10,000 without a document.
const MISSING: u32 = 300;
/// Parties of 10,000 whose name is written in another way.
const VARIANT: u32 = 300;
/// Parties of 10,000 whose number is written in another way: lower case, full width, groups, 15 digits.
const RESTYLED: u32 = 400;

/// Why a record cannot become a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// The key column is empty.
    KeyMissing,
    /// The state is empty.
    StateMissing,
    /// An accepted case has no day of acceptance.
    AcceptedMissing,
    /// No party has a name.
    NameMissing,
    /// Somebody pasted a paragraph into the name.
    NameTooLong,
    /// A state that the vendor's code list does not have.
    StateUnknown,
    /// A matter that the vendor's code list does not have.
    MatterUnknown,
    /// 31 February.
    DateIllegal,
    /// A fee in words.
    FeeIllegal,
    /// Several numbers in the document column.
    IdentifierUnreadable,
    /// A line with too few fields.
    RowMalformed,
}

impl Flaw {
    /// The rule that refuses the record.
    pub fn rule_id(self) -> &'static str {
        match self {
            Flaw::KeyMissing => "KEY_MISSING",
            Flaw::StateMissing | Flaw::AcceptedMissing | Flaw::NameMissing => "FIELD_MISSING",
            Flaw::NameTooLong => "FIELD_TOO_LONG",
            Flaw::StateUnknown | Flaw::MatterUnknown => "CODE_UNKNOWN",
            Flaw::DateIllegal => "DATE_ILLEGAL",
            Flaw::FeeIllegal => "NUMBER_ILLEGAL",
            Flaw::IdentifierUnreadable => "IDENTIFIER_UNREADABLE",
            Flaw::RowMalformed => "ROW_MALFORMED",
        }
    }

    /// Canonical field at fault, where one field is.
    pub fn field(self) -> Option<&'static str> {
        match self {
            Flaw::KeyMissing => Some("source_case_id"),
            Flaw::StateMissing | Flaw::StateUnknown => Some("state"),
            Flaw::AcceptedMissing | Flaw::DateIllegal => Some("accepted_on"),
            Flaw::NameTooLong => Some("parties[0].name"),
            Flaw::MatterUnknown => Some("matter_type"),
            Flaw::FeeIllegal => Some("fee_charged"),
            Flaw::IdentifierUnreadable => Some("parties[0].identifier"),
            Flaw::NameMissing | Flaw::RowMalformed => None,
        }
    }

    /// Whether the record at least says which case it is.
    pub fn leaves_key(self) -> bool {
        !matches!(self, Flaw::KeyMissing | Flaw::RowMalformed)
    }

    /// A flaw that the vendor's system lets through. Typed columns of shape A hold neither illegal dates nor
    /// numbers, and only files lose keys or fields.
    pub(crate) fn draw(dice: &mut Dice, vendor: Vendor, accepted: bool) -> Self {
        use Flaw::*;
        let always = [
            StateMissing,
            NameMissing,
            NameTooLong,
            StateUnknown,
            MatterUnknown,
            IdentifierUnreadable,
        ];
        let untyped = [DateIllegal, DateIllegal, DateIllegal, FeeIllegal];
        let flaw = match vendor {
            Vendor::Normalised => dice.pick(&always),
            Vendor::CsvExport if dice.chance(1_500) => dice.pick(&[KeyMissing, RowMalformed]),
            Vendor::Flat | Vendor::CsvExport | Vendor::Workbook if dice.chance(4_500) => {
                dice.pick(&untyped)
            }
            _ => dice.pick(&always),
        };
        match flaw {
            DateIllegal if !accepted => FeeIllegal,
            StateMissing if accepted && dice.chance(5_000) => AcceptedMissing,
            flaw => flaw,
        }
    }
}

/// What happened to a party's data on its way into the office's system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) document: DocumentSlip,
    pub(crate) name_variant: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DocumentSlip {
    #[default]
    None,
    /// Another way of writing the same number: nothing to find.
    Restyled,
    /// The check digit fails.
    BadCheck,
    /// One of the order digits is another.
    Mistyped,
    Missing,
    /// The person showed a passport instead of the identity card.
    Other,
}

impl Slip {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        const BAD: u32 = MISSING + UNVERIFIED;
        let document = match dice.below(10_000) {
            0..MISSING => DocumentSlip::Missing,
            MISSING..BAD => {
                if dice.chance(5_000) {
                    DocumentSlip::BadCheck
                } else {
                    DocumentSlip::Mistyped
                }
            }
            n if n < BAD + RESTYLED => DocumentSlip::Restyled,
            _ => DocumentSlip::None,
        };
        Self {
            document,
            name_variant: dice.chance(VARIANT),
        }
    }

    /// Writes the party down with the slip. Returns the quality rule that the result breaks.
    pub(crate) fn apply(self, dice: &mut Dice, party: &mut Party) -> Option<&'static str> {
        if self.name_variant {
            party.name = name::variant(dice, &party.name);
        }
        let document = party.document.as_mut()?;
        let has_check = matches!(
            document.kind,
            IdentifierKind::ResidentId
                | IdentifierKind::ResidencePermit
                | IdentifierKind::CreditCode
        );
        match self.document {
            DocumentSlip::BadCheck | DocumentSlip::Mistyped if !has_check => None,
            DocumentSlip::BadCheck => {
                document.number = document::with_bad_check(&document.number);
                Some("IDENTIFIER_UNVERIFIED")
            }
            DocumentSlip::Mistyped => {
                document.number = document::mistyped(&document.number);
                Some("IDENTIFIER_UNVERIFIED")
            }
            DocumentSlip::Missing => {
                party.document = None;
                Some("IDENTIFIER_MISSING")
            }
            DocumentSlip::Restyled => {
                restyle(dice, document);
                None
            }
            DocumentSlip::Other if document.kind != IdentifierKind::ResidentId => None,
            DocumentSlip::Other => {
                *document = Document {
                    kind: IdentifierKind::Passport,
                    number: document::own_passport(u64::from(dice.below(10_000_000))),
                };
                None
            }
            DocumentSlip::None => None,
        }
    }
}

fn restyle(dice: &mut Dice, document: &mut Document) {
    let number = &document.number;
    document.number = match dice.below(4) {
        0 => number.to_lowercase(),
        1 => document::full_width(number),
        2 if document.kind == IdentifierKind::ResidentId => {
            document::legacy(number).unwrap_or_else(|| number.clone())
        }
        _ => document::grouped(number),
    };
}
