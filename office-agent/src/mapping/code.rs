//! Canonical codes that a column's own words stand for.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::place::DistrictCode;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{
    CaseState, ExcuseReason, ForeignRelation, PartyKind, PartyRole, ReasonCode, Sex, UnknownCode,
};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::value::Text;

/// A value that mapping files name by a code and cells may hold directly.
pub(super) trait Canonical: Clone + PartialEq + fmt::Debug {
    /// Reads the canonical code.
    fn from_code(code: &str) -> Result<Self, NoCode>;

    /// Reads a cell of a column that has no code map.
    fn from_cell(cell: &str) -> Option<Self> {
        Self::from_code(cell).ok()
    }
}

/// Why a text is no canonical code.
pub(super) enum NoCode {
    /// A closed list has no such code.
    NotOf(&'static [&'static str]),
    /// It does not have the form.
    Form(&'static str),
}

macro_rules! vocabularies {
    ($($name:ident)+) => {
        $(impl Canonical for $name {
            fn from_code(code: &str) -> Result<Self, NoCode> {
                code.parse().map_err(|error: UnknownCode| NoCode::NotOf(error.known))
            }
        })+
    };
}

vocabularies! {
    CaseState MatterType ForeignRelation ReasonCode PartyRole PartyKind Sex IdentifierKind SubjectKind
    ExcuseReason
}

/// Place of use: ISO 3166-1 alpha-2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PlaceCode([u8; 2]);

impl PlaceCode {
    /// Two capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for PlaceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlaceCode({})", self.as_str())
    }
}

impl FromStr for PlaceCode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_cell(text).ok_or("expected the two letters of ISO 3166-1, e.g. JP")
    }
}

impl Canonical for PlaceCode {
    fn from_code(code: &str) -> Result<Self, NoCode> {
        match code.as_bytes() {
            &[first @ b'A'..=b'Z', second @ b'A'..=b'Z'] => Ok(Self([first, second])),
            _ => Err(NoCode::Form(
                "expected the two capital letters of ISO 3166-1, e.g. JP",
            )),
        }
    }

    fn from_cell(cell: &str) -> Option<Self> {
        Self::from_code(&cell.to_ascii_uppercase()).ok()
    }
}

impl Canonical for DistrictCode {
    fn from_code(code: &str) -> Result<Self, NoCode> {
        code.parse()
            .map_err(|_| NoCode::Form("expected the six digits of GB/T 2260, e.g. 330106"))
    }

    /// Streets (9 digits) and communities (12) carry the county's code in front.
    fn from_cell(cell: &str) -> Option<Self> {
        let digits = cell.bytes().all(|b| b.is_ascii_digit());
        let county = match cell.len() {
            9 | 12 if digits => &cell[..6],
            _ => cell,
        };
        county.parse().ok()
    }
}

/// Codes that the city does not list, such as why a fee was reduced.
impl Canonical for Text<64> {
    fn from_code(code: &str) -> Result<Self, NoCode> {
        match Self::read(code) {
            Ok(Some(text)) => Ok(text),
            _ => Err(NoCode::Form("expected a code of 1 to 64 characters")),
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl Canonical for Flag {
    fn from_code(code: &str) -> Result<Self, NoCode> {
        match code {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            _ => Err(NoCode::NotOf(&["true", "false"])),
        }
    }

    fn from_cell(cell: &str) -> Option<Self> {
        match cell {
            "true" | "TRUE" | "1" | "Y" | "y" | "是" | "有" => Some(Self(true)),
            "false" | "FALSE" | "0" | "N" | "n" | "否" | "无" => Some(Self(false)),
            _ => None,
        }
    }
}

/// A canonical code in a mapping file; the empty text stands for nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Code<T>(pub(super) Option<T>);

impl<'de, T: Canonical> Deserialize<'de> for Code<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeVisitor<T>(PhantomData<T>);

        impl<T: Canonical> Visitor<'_> for CodeVisitor<T> {
            type Value = Code<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a canonical code")
            }

            fn visit_str<E: Error>(self, code: &str) -> Result<Self::Value, E> {
                if code.is_empty() {
                    return Ok(Code(None));
                }
                match T::from_code(code) {
                    Ok(value) => Ok(Code(Some(value))),
                    Err(NoCode::NotOf(known)) => Err(E::unknown_variant(code, known)),
                    Err(NoCode::Form(expected)) => Err(E::custom(expected)),
                }
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
                self.visit_str(if flag { "true" } else { "false" })
            }
        }

        deserializer.deserialize_any(CodeVisitor(PhantomData))
    }
}
