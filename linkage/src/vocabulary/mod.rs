//! Closed code lists of the field. A code is the form stored in SQL, sent in TOML and shown in logs;
//! the Chinese label is for people.

mod case_state;
mod party;
mod purpose;
mod reason;
mod reject_rule;

pub use case_state::{CaseState, IllegalStep};
pub use party::{PartyKind, PartyRole, Sex};
pub use purpose::Purpose;
pub use reason::{ExcuseReason, ReasonCode};
pub use reject_rule::{FoundBy, RejectRule, Remedy};

/// A text that is no code of the vocabulary. It does not carry the text, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code of {vocabulary}; known are: {}", known.join(", "))]
pub struct UnknownCode {
    /// Name of the vocabulary, e.g. `party_role`.
    pub vocabulary: &'static str,
    /// The codes it has.
    pub known: &'static [&'static str],
}

/// Declares an enum with a code and a Chinese label for each variant, and what every vocabulary offers:
/// `ALL`, `code`, `label_zh`, `Display` and `FromStr` by code, serde by code.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident, $vocabulary:literal {
        $($(#[$variant_meta:meta])* $variant:ident = $code:literal $label:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* #[doc = concat!($label, " (`", $code, "`)")] $variant),+
        }

        impl $name {
            /// Every value, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The Chinese label for people.
            #[must_use]
            pub const fn label_zh(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::vocabulary::UnknownCode;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::vocabulary::UnknownCode {
                        vocabulary: $vocabulary,
                        known: &[$($code),+],
                    }),
                }
            }
        }

        $crate::text::serde_as_text!($name);
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// Where a certificate is to be used, in the bureau's four classes.
    ForeignRelation, "foreign_relation" {
        Domestic = "domestic" "国内",
        Foreign = "foreign" "涉外",
        HongKongMacao = "hong_kong_macao" "涉港澳",
        Taiwan = "taiwan" "涉台",
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fmt::Debug, str::FromStr};

    use super::*;
    use crate::{
        identifier::IdentifierKind,
        matter::{CaseReference, Severity, Shown},
        subject::SubjectKind,
        token::TokenAlgorithm,
    };

    fn codes_round_trip<T: Copy + Debug + PartialEq + FromStr<Err = UnknownCode>>(
        all: &[T],
        code: fn(T) -> &'static str,
        label: fn(T) -> &'static str,
    ) {
        let codes: HashSet<_> = all.iter().map(|&value| code(value)).collect();
        assert_eq!(codes.len(), all.len(), "codes are distinct");
        for &value in all {
            assert_eq!(code(value).parse(), Ok(value));
            assert!(!label(value).is_empty());
            let code = code(value);
            let other_case = match code.to_lowercase() {
                lower if lower == code => code.to_uppercase(),
                lower => lower,
            };
            let is_sign = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            assert!(code.bytes().all(is_sign));
            assert!(other_case.parse::<T>().is_err(), "codes are exact");
        }
        assert!("".parse::<T>().is_err());
    }

    #[test]
    fn every_code_of_every_vocabulary_round_trips() {
        codes_round_trip(CaseState::ALL, CaseState::code, CaseState::label_zh);
        codes_round_trip(
            ForeignRelation::ALL,
            ForeignRelation::code,
            ForeignRelation::label_zh,
        );
        codes_round_trip(PartyRole::ALL, PartyRole::code, PartyRole::label_zh);
        codes_round_trip(PartyKind::ALL, PartyKind::code, PartyKind::label_zh);
        codes_round_trip(Sex::ALL, Sex::code, Sex::label_zh);
        codes_round_trip(ReasonCode::ALL, ReasonCode::code, ReasonCode::label_zh);
        codes_round_trip(
            ExcuseReason::ALL,
            ExcuseReason::code,
            ExcuseReason::label_zh,
        );
        codes_round_trip(
            IdentifierKind::ALL,
            IdentifierKind::code,
            IdentifierKind::label_zh,
        );
        codes_round_trip(SubjectKind::ALL, SubjectKind::code, SubjectKind::label_zh);
        codes_round_trip(
            TokenAlgorithm::ALL,
            TokenAlgorithm::code,
            TokenAlgorithm::label_zh,
        );
        codes_round_trip(Severity::ALL, Severity::code, Severity::label_zh);
        codes_round_trip(RejectRule::ALL, RejectRule::code, RejectRule::label_zh);
        codes_round_trip(FoundBy::ALL, FoundBy::code, FoundBy::label_zh);
        codes_round_trip(Purpose::ALL, Purpose::code, Purpose::label_zh);
        codes_round_trip(Shown::ALL, Shown::code, Shown::label_zh);
        codes_round_trip(
            CaseReference::ALL,
            CaseReference::code,
            CaseReference::label_zh,
        );
    }

    #[test]
    fn an_unknown_code_names_the_vocabulary_and_its_codes_but_not_the_text() {
        let error = "330106199003078813"
            .parse::<Sex>()
            .expect_err("no sex")
            .to_string();
        assert_eq!(error, "not a code of sex; known are: male, female");
    }
}
