//! Which offices there are, where, and as what: figures of an office count under what it is called and belongs to.

use std::collections::BTreeMap;

use linkage::office::OfficeId;
use linkage::place::DistrictCode;

use super::dimension::{Dimension, Value};
use super::period::Grain;
use crate::store::office::{Level, Office};

/// An office as figures show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub level: Level,
    pub district: DistrictCode,
}

/// The offices of a day.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    units: BTreeMap<OfficeId, Unit>,
    /// Under which unit the figures of an office count.
    counts_under: BTreeMap<OfficeId, OfficeId>,
}

/// Where the figures of an office count.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub office: OfficeId,
    pub counts_under: OfficeId,
    pub unit: &'a Unit,
}

impl Structure {
    /// Every office as it is now.
    pub fn today(offices: Vec<Office>) -> Self {
        let counts_under = offices
            .iter()
            .map(|office| (office.office_id, office.office_id));
        Self {
            counts_under: counts_under.collect(),
            units: offices
                .into_iter()
                .map(|office| {
                    let unit = Unit {
                        name: office.name,
                        level: office.level,
                        district: office.district_code,
                    };
                    (office.office_id, unit)
                })
                .collect(),
        }
    }

    /// Every office that may have handed anything in.
    pub fn places(&self) -> Vec<Place<'_>> {
        let places = self.counts_under.iter().filter_map(|(office, under)| {
            Some(Place {
                office: *office,
                counts_under: *under,
                unit: self.units.get(under)?,
            })
        });
        places.collect()
    }

    /// Code and Chinese name of a value.
    pub fn label(&self, dimension: Dimension, value: &Value) -> (String, String) {
        let named = |code: &str, name: &str| (code.to_owned(), name.to_owned());
        match value {
            Value::Office(office_id) => {
                let unit = self.units.get(office_id);
                let code = office_id.as_str();
                named(code, unit.map_or(code, |unit| &unit.name))
            }
            Value::District(code) => named(code.as_str(), code.name_zh().unwrap_or(code.as_str())),
            Value::Level(level) => named(level.code(), level.label_zh()),
            Value::MatterGroup(group) => named(group.code(), group.label_zh()),
            Value::MatterType(matter) => named(matter.code(), matter.name_zh()),
            Value::ForeignRelation(relation) => named(relation.code(), relation.label_zh()),
            Value::Notary(Some(licence)) => named(licence, licence),
            Value::Notary(None) => named("", "未载明"),
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
