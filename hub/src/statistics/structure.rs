//! Offices and districts in time: they merge, split and are renamed. Figures are shown on the structure of one day,
//! whatever days they are of, so that a table compares like with like.

use std::collections::BTreeMap;

use linkage::office::OfficeId;
use linkage::place::{DistrictCode, HANGZHOU};
use sqlx::PgPool;
use time::Date;

use super::dimension::{Dimension, Value};
use super::period::Grain;
use crate::store::filing;
use crate::store::office::Level;
use crate::store::office::structure::{self, BEGINNING, OfficePeriod};
use crate::store::tx;

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
    parts: BTreeMap<OfficeId, Part>,
}

/// Where the figures of an office count.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub office: OfficeId,
    pub counts_under: OfficeId,
    pub unit: &'a Unit,
}

/// A change of an office.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<String>,
    pub level: Option<Level>,
    pub district: Option<DistrictCode>,
    pub belonging: Option<Belonging>,
}

/// Where an office goes, or comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// From the day on it is part of that office.
    MergedInto(OfficeId),
    /// Until the day it was part of that office.
    SplitFrom(OfficeId),
}

/// Why an office cannot be changed so.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("there is no office {0}; see: notary-hub office list")]
    NoSuchOffice(OfficeId),
    #[error("an office is not part of itself")]
    OfItself,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
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

/// Changes what an office is from a day on; `today` says whether it is so already.
pub async fn change(
    pool: &PgPool,
    office_id: OfficeId,
    on: Date,
    change: &Change,
    today: Date,
) -> Result<(), ChangeError> {
    let mut transaction = tx::begin(pool).await?;
    let periods = structure::periods(&mut *transaction).await?;
    let known = |office_id| periods.iter().any(|period| period.office_id == office_id);
    let other = match change.belonging {
        Some(Belonging::MergedInto(other) | Belonging::SplitFrom(other)) => other,
        None => office_id,
    };
    if change.belonging.is_some() && other == office_id {
        return Err(ChangeError::OfItself);
    }
    for office_id in [office_id, other] {
        if !known(office_id) {
            return Err(ChangeError::NoSuchOffice(office_id));
        }
    }
    for period in changed(&periods, office_id, on, change) {
        structure::put(&mut transaction, &period).await?;
        if period.valid_from <= today {
            structure::rename(&mut transaction, office_id, &period.part.unit).await?;
        }
    }
    if change.level.is_some() {
        // A window is held against what its office had to have on the day.
        filing::score_again(&mut transaction, Some(office_id)).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The periods to be written, from the first to the last: what the office was until the day, what it is from it on,
/// and what it is said to become later.
fn changed(
    periods: &[OfficePeriod],
    office_id: OfficeId,
    on: Date,
    change: &Change,
) -> Vec<OfficePeriod> {
    let mut own: Vec<OfficePeriod> = (periods.iter())
        .filter(|period| period.office_id == office_id)
        .cloned()
        .collect();
    let at = own.partition_point(|period| period.valid_from < on);
    if own.get(at).is_none_or(|period| period.valid_from != on) {
        let mut before = own[at.saturating_sub(1)].clone();
        before.valid_from = on;
        own.insert(at, before);
    }
    for (number, period) in own.iter_mut().enumerate() {
        let part = &mut period.part;
        if number < at {
            if let Some(Belonging::SplitFrom(other)) = change.belonging {
                part.counts_under = other;
            }
            continue;
        }
        match change.belonging {
            Some(Belonging::MergedInto(other)) => part.counts_under = other,
            Some(Belonging::SplitFrom(_)) => part.counts_under = office_id,
            None => {}
        }
        // What a later change says of itself stays.
        if number == at {
            part.unit.name = change
                .name
                .clone()
                .unwrap_or_else(|| part.unit.name.clone());
            part.unit.level = change.level.unwrap_or(part.unit.level);
            part.unit.district = change.district.unwrap_or(part.unit.district);
        }
    }
    debug_assert!(on <= BEGINNING || own[0].valid_from <= BEGINNING);
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn office(id: &str) -> OfficeId {
        id.parse().expect("an office id")
    }

    fn always(id: &str) -> OfficePeriod {
        OfficePeriod {
            office_id: office(id),
            valid_from: BEGINNING,
            part: Part {
                counts_under: office(id),
                unit: Unit {
                    name: id.to_owned(),
                    level: Level::County,
                    district: "330104".parse().expect("a district"),
                },
            },
        }
    }

    fn apply(periods: &mut Vec<OfficePeriod>, id: &str, on: Date, change: &Change) {
        let changed = changed(periods, office(id), on, change);
        periods.retain(|period| period.office_id != office(id));
        periods.extend(changed);
    }

    fn under(periods: &[OfficePeriod], day: Date) -> Vec<(String, String)> {
        let structure = Structure::on(day, periods);
        let places = structure.places();
        let pairs = places
            .iter()
            .map(|place| (place.office.to_string(), place.counts_under.to_string()));
        pairs.collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(a, b): &(&str, &str)| (a.to_string(), b.to_string());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn figures_follow_mergers_of_mergers_and_offices_that_were_split_off() {
        let mut periods = vec![always("aa"), always("bb"), always("cc"), always("dd")];
        let belonging = |belonging| Change {
            belonging: Some(belonging),
            ..Change::default()
        };
        let merged = belonging(Belonging::MergedInto(office("bb")));
        apply(&mut periods, "aa", date!(2015 - 01 - 01), &merged);
        let merged = belonging(Belonging::MergedInto(office("cc")));
        apply(&mut periods, "bb", date!(2020 - 01 - 01), &merged);
        let split = belonging(Belonging::SplitFrom(office("cc")));
        apply(&mut periods, "dd", date!(2022 - 01 - 01), &split);
        for (day, expected) in [
            (
                date!(2014 - 12 - 31),
                [("aa", "aa"), ("bb", "bb"), ("cc", "cc"), ("dd", "cc")],
            ),
            (
                date!(2015 - 01 - 01),
                [("aa", "bb"), ("bb", "bb"), ("cc", "cc"), ("dd", "cc")],
            ),
            (
                date!(2021 - 12 - 31),
                [("aa", "cc"), ("bb", "cc"), ("cc", "cc"), ("dd", "cc")],
            ),
            (
                date!(2022 - 01 - 01),
                [("aa", "cc"), ("bb", "cc"), ("cc", "cc"), ("dd", "dd")],
            ),
        ] {
            assert_eq!(under(&periods, day), pairs(&expected), "{day}");
        }
    }

    #[test]
    fn a_new_name_holds_from_its_day_until_the_next() {
        let mut periods = vec![always("aa")];
        let named = |name: &str| Change {
            name: Some(name.to_owned()),
            ..Change::default()
        };
        apply(&mut periods, "aa", date!(2022 - 01 - 01), &named("third"));
        apply(&mut periods, "aa", date!(2018 - 01 - 01), &named("second"));
        for (day, expected) in [
            (date!(2017 - 12 - 31), "aa"),
            (date!(2018 - 01 - 01), "second"),
            (date!(2022 - 01 - 01), "third"),
        ] {
            let structure = Structure::on(day, &periods);
            assert_eq!(structure.parts[&office("aa")].unit.name, expected);
        }
    }

    #[test]
    fn offices_that_are_part_of_each_other_end_no_query() {
        let mut periods = vec![always("aa"), always("bb")];
        periods[0].part.counts_under = office("bb");
        periods[1].part.counts_under = office("aa");
        let alone = pairs(&[("aa", "aa"), ("bb", "bb")]);
        assert_eq!(under(&periods, date!(2024 - 01 - 01)), alone);
    }

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
