//! The wire's enumerations as the field's vocabulary. Unspecified and unknown numbers are `None`.

use linkage::identifier::IdentifierKind;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{CaseState, ForeignRelation, PartyKind, PartyRole};
use notary_proto::hub::v1 as wire;

/// One function for each enumeration, whose values have the same names on both sides.
macro_rules! from_wire {
    ($($function:ident: $name:ident { $($value:ident)+ })+) => {
        $(pub fn $function(number: i32) -> Option<$name> {
            match wire::$name::try_from(number).ok()? {
                wire::$name::Unspecified => None,
                $(wire::$name::$value => Some($name::$value),)+
            }
        })+
    };
}

from_wire! {
    case_state: CaseState {
        Applied Accepted Refused UnderReview Approved Issued Archived Rejected Terminated Corrected Revoked
        Withdrawn
    }
    foreign_relation: ForeignRelation { Domestic Foreign HongKongMacao Taiwan }
    party_role: PartyRole {
        Applicant Testator Decedent Heir Principal Agent Donor Donee Debtor Creditor Adopter Adoptee
        Counterpart Ward Guardian Related
    }
    party_kind: PartyKind { Natural Legal }
    identifier_kind: IdentifierKind {
        ResidentId HongKongMacaoPermit TaiwanPermit ResidencePermit ForeignPermanentResident Passport
        CreditCode
    }
    subject_kind: SubjectKind { RealEstateUnit RealEstateCertificate Contract Vehicle Certificate }
}
