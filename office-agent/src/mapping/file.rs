//! The mapping file as TOML writes it. Reading it is compiling it: rules that exist are valid.

use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::place::DistrictCode;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{
    CaseState, ExcuseReason, ForeignRelation, PartyKind, PartyRole, ReasonCode, Sex,
};
use serde::Deserialize;

use super::code::{Flag, PlaceCode};
use super::rule::{CodeRule, Column, ColumnRule, DateRule, MoneyRule, TextRule};
use super::value::Text;
use crate::source::row::Row;

/// A whole mapping file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Columns that are known and not wanted, of the rows and of all their children.
    #[serde(default)]
    pub(super) ignore: Vec<String>,
    pub(super) case: CaseRules,
    #[serde(rename = "party")]
    pub(super) parties: Vec<PartyRules>,
    #[serde(default, rename = "subject")]
    pub(super) subjects: Vec<SubjectRules>,
    #[serde(default)]
    pub(super) excused: Vec<ExcusedRules>,
}

/// Rules of a part of the case, by their fields.
pub(super) type Rules<'a> = Vec<(&'static str, &'a dyn ColumnRule)>;

impl File {
    /// The parts that a list of the case is read from; `None` when there is no such list.
    pub(super) fn list(&self, list: &str) -> Option<Vec<(Place<'_>, Rules<'_>)>> {
        match list {
            "parties" => Some(self.parties.iter().map(PartyRules::part).collect()),
            "subjects" => Some(self.subjects.iter().map(SubjectRules::part).collect()),
            "excused" => Some(self.excused.iter().map(ExcusedRules::part).collect()),
            _ => None,
        }
    }
}

/// Where the rows of a part of the case come from: child rows, or the case's own row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Name of the child; the case's own row without one.
    pub(super) child: Option<&'a str>,
    /// The part is there when this column is not blank; always without one.
    pub(super) when: Option<&'a Column>,
}

impl<'a> Place<'a> {
    /// The case's own row, always.
    pub(super) const OWN: Place<'static> = Place {
        child: None,
        when: None,
    };

    /// How many rows of the part there are.
    pub(super) fn count(self, row: &Row) -> usize {
        self.rows(row).count()
    }

    /// Rows of the part.
    pub(super) fn rows(self, row: &'a Row) -> impl Iterator<Item = &'a Row> {
        let rows = match self.child {
            Some(child) => row.children.get(child).map_or(&[][..], Vec::as_slice),
            None => std::slice::from_ref(row),
        };
        rows.iter()
            .filter(move |row| self.when.is_none_or(|column| column.cell(row).is_some()))
    }
}

/// Declares a table of rules: its serde form, and a walk over the rules that are there.
macro_rules! rules {
    ($(#[$meta:meta])* $name:ident {
        $(needs { $($(#[$needed_meta:meta])* $needed:ident: $needed_type:ty,)+ })?
        $(may { $($(#[$allowed_meta:meta])* $allowed:ident: $allowed_type:ty,)+ })?
        $(place { $child:ident, $when:ident })?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $($($(#[$needed_meta])* pub(super) $needed: $needed_type,)+)?
            $($($(#[$allowed_meta])* pub(super) $allowed: Option<$allowed_type>,)+)?
            $($child: Option<String>, $when: Option<Column>,)?
        }

        impl $name {
            /// Every field that there may be a rule for.
            #[cfg(test)]
            pub(super) const FIELDS: &[&str] = &[
                $($(stringify!($needed)),+,)? $($(stringify!($allowed)),+,)?
            ];

            /// The rules that are there, by their fields.
            pub(super) fn rules(&self) -> Rules<'_> {
                #[allow(unused_mut)]
                let mut rules: Rules<'_> =
                    vec![$($((stringify!($needed), &self.$needed)),+)?];
                $($(rules.extend(
                    self.$allowed.as_ref().map(|rule| (stringify!($allowed), rule as &dyn ColumnRule)),
                );)+)?
                rules
            }

            $(pub(super) fn place(&self) -> Place<'_> {
                Place { child: self.$child.as_deref(), when: self.$when.as_ref() }
            }

            fn part(&self) -> (Place<'_>, Rules<'_>) {
                (self.place(), self.rules())
            })?
        }
    };
}

rules! {
    /// Rules of the case's own fields.
    CaseRules {
        needs {
            source_case_id: TextRule,
            state: CodeRule<CaseState>,
            matter_type: CodeRule<MatterType>,
            foreign_relation: CodeRule<ForeignRelation>,
        }
        may {
            case_no: TextRule,
            place_of_use: CodeRule<PlaceCode>,
            notary_licence_no: TextRule,
            notary_name: TextRule,
            applied_on: DateRule,
            accepted_on: DateRule,
            issued_on: DateRule,
            closed_on: DateRule,
            reason_code: CodeRule<ReasonCode>,
            fee_charged: MoneyRule,
            fee_reduced: MoneyRule,
            fee_reduction_reason: CodeRule<Text<64>>,
            amount: MoneyRule,
            legal_aid: CodeRule<Flag>,
            home_visit: CodeRule<Flag>,
            major: CodeRule<Flag>,
            discussed: CodeRule<Flag>,
            approved_on: DateRule,
            approver_licence_no: TextRule,
            certificates: TextRule,
            revision: TextRule,
            modified_at: DateRule,
        }
    }
}

rules! {
    /// Rules of parties that come from one place.
    PartyRules {
        needs {
            role: CodeRule<PartyRole>,
            kind: CodeRule<PartyKind>,
            name: TextRule,
        }
        may {
            identifier_kind: CodeRule<IdentifierKind>,
            identifier: TextRule,
            sex: CodeRule<Sex>,
            birth_on: DateRule,
            phone: TextRule,
            address_district: CodeRule<DistrictCode>,
        }
        place { child, when }
    }
}

rules! {
    /// Rules of subjects that come from one place.
    SubjectRules {
        needs {
            kind: CodeRule<SubjectKind>,
            number: TextRule,
        }
        may {
            district_code: CodeRule<DistrictCode>,
        }
        place { child, when }
    }
}

rules! {
    /// Rules of excused days that come from one place.
    ExcusedRules {
        needs {
            first_on: DateRule,
            last_on: DateRule,
        }
        may {
            reason: CodeRule<ExcuseReason>,
        }
        place { child, when }
    }
}
