//! Offices and districts in time: they merge, split and are renamed. Figures are shown on the structure of one day,
//! whatever days they are of, so that a table compares like with like.

use std::collections::{BTreeMap, BTreeSet};

use linkage::office::OfficeId;
use linkage::place::{DistrictCode, HANGZHOU};
use time::Date;

use super::dimension::{Dimension, Value};
use super::period::Grain;
use crate::store::office::Level;
use crate::store::office::structure::OfficePeriod;

/// An office as figures show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub level: Level,
    pub district: DistrictCode,
}

/// What an office is in a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Itself, or the office it was part of or went into.
    pub counts_under: OfficeId,
    pub unit: Unit,
}

/// The offices of a day.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    pub(super) parts: BTreeMap<OfficeId, Part>,
}

/// Where the figures of an office count.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub office: OfficeId,
    pub counts_under: OfficeId,
    pub unit: &'a Unit,
}

impl Structure {
    /// That of a day, of the periods of every office.
    pub fn on(day: Date, periods: &[OfficePeriod]) -> Self {
        let mut parts = BTreeMap::new();
        for period in periods.iter().filter(|period| period.valid_from <= day) {
            let mut part = period.part.clone();
            part.unit.district = district_on(part.unit.district, day);
            parts.insert(period.office_id, part);
        }
        Self { parts }
    }

    /// That of a day for those who were told of these offices already: each of them stays itself, and what was part of one
    /// of them stays so, whatever was said of the day since.
    pub fn as_told(day: Date, periods: &[OfficePeriod], told: &BTreeSet<OfficeId>) -> Self {
        let mut structure = Self::on(day, periods);
        for (office, part) in &mut structure.parts {
            if told.contains(office) {
                part.counts_under = *office;
            } else if part.counts_under == *office {
                let own = periods.iter();
                let own =
                    own.filter(|period| period.office_id == *office && period.valid_from <= day);
                let before = own.rev().map(|period| period.part.counts_under);
                part.counts_under = { before }
                    .find(|under| told.contains(under))
                    .unwrap_or(*office);
            }
        }
        structure
    }

    /// Every office that may have handed anything in.
    pub fn places(&self) -> Vec<Place<'_>> {
        let places = self.parts.keys().filter_map(|office| {
            let counts_under = self.counts_under(*office);
            Some(Place {
                office: *office,
                counts_under,
                unit: &self.parts.get(&counts_under)?.unit,
            })
        });
        places.collect()
    }

    /// Follows mergers of mergers. Two offices that are said to be part of each other stay what they are.
    fn counts_under(&self, office: OfficeId) -> OfficeId {
        let mut under = office;
        for _ in 0..self.parts.len() {
            match self.parts.get(&under) {
                Some(part) if part.counts_under != under => under = part.counts_under,
                _ => return under,
            }
        }
        office
    }

    /// Code and Chinese name of a value.
    pub fn label(&self, dimension: Dimension, value: &Value) -> (String, String) {
        let named = |code: &str, name: &str| (code.to_owned(), name.to_owned());
        match value {
            Value::Office(office_id) => {
                let part = self.parts.get(office_id);
                let code = office_id.as_str();
                named(code, part.map_or(code, |part| &part.unit.name))
            }
            Value::District(code) => named(code.as_str(), code.name_zh().unwrap_or(code.as_str())),
            Value::Level(level) => named(level.code(), level.label_zh()),
            Value::MatterGroup(group) => named(group.code(), group.label_zh()),
            Value::MatterType(matter) => named(matter.code(), matter.name_zh()),
            Value::ForeignRelation(relation) => named(relation.code(), relation.label_zh()),
            Value::Notary(Some(licence)) => named(licence, licence),
            Value::Notary(None) => named("", "未载明"),
            // What it is called, the version in force says.
            Value::Rule(id) => named(id, id),
            Value::FindingSeverity(severity) => named(severity.code(), severity.label_zh()),
            Value::FilingKind(kind) => named(kind.code(), kind.label_zh()),
            Value::Time(first) => {
                let grain = match dimension {
                    Dimension::Time(grain) => grain,
                    _ => Grain::Day,
                };
                (grain.label(*first), grain.label_zh(*first))
            }
        }
    }
}

/// The code that a district's territory had on a day, the largest part of it where it was divided.
fn district_on(code: DistrictCode, day: Date) -> DistrictCode {
    let Some(district) = code.district() else {
        return code;
    };
    let other = if district.until.is_some_and(|until| until <= day) {
        district.successors.first().copied()
    } else if district.from.is_some_and(|from| day < from) {
        let former = HANGZHOU.iter().find(|former| {
            former.is_valid_on(day) && former.successors.first() == Some(&district.code)
        });
        former.map(|former| former.code)
    } else {
        None
    };
    match other.and_then(|other| other.parse().ok()) {
        Some(other) if other != code => district_on(other, day),
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_district_has_the_code_of_the_day() {
        let on = |code: &str, day| district_on(code.parse().expect("a code"), day).to_string();
        assert_eq!(on("330104", date!(2021 - 04 - 08)), "330104");
        assert_eq!(on("330104", date!(2021 - 04 - 09)), "330102");
        assert_eq!(on("330111", date!(2014 - 01 - 01)), "330183");
        assert_eq!(on("330183", date!(2024 - 01 - 01)), "330111");
        assert_eq!(on("310101", date!(2014 - 01 - 01)), "310101");
    }
}
