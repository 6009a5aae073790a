//! Offices that merge, split, move and are renamed: what is said of one from a day on.

use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use sqlx::PgPool;
use time::Date;

use super::structure::Part;
use crate::filing::score;
use crate::store::office::Level;
use crate::store::office::structure::{self, BEGINNING, OfficePeriod};
use crate::store::tx;

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
    /// From the day on it is part of no other, whatever it was until then.
    Independent,
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
        Some(Belonging::MergedInto(other) | Belonging::SplitFrom(other)) => Some(other),
        Some(Belonging::Independent) | None => None,
    };
    if other == Some(office_id) {
        return Err(ChangeError::OfItself);
    }
    for office_id in [Some(office_id), other].into_iter().flatten() {
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
        score::again(&mut transaction, Some(office_id)).await?;
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
    let (before, after) = own.split_at_mut(at);
    let counts_under = change.belonging.map(|belonging| match belonging {
        Belonging::MergedInto(other) => other,
        Belonging::SplitFrom(_) | Belonging::Independent => office_id,
    });
    carry_on(after, |part| &mut part.unit.name, change.name.as_ref());
    carry_on(after, |part| &mut part.unit.level, change.level.as_ref());
    carry_on(
        after,
        |part| &mut part.unit.district,
        change.district.as_ref(),
    );
    carry_on(after, |part| &mut part.counts_under, counts_under.as_ref());
    if let Some(Belonging::SplitFrom(other)) = change.belonging {
        for period in before {
            period.part.counts_under = other;
        }
    }
    debug_assert!(on <= BEGINNING || own[0].valid_from <= BEGINNING);
    own
}

/// Says something of periods, from the first of them until one that says otherwise: what only goes on as it was is changed
/// with it, what a later change says stays.
fn carry_on<T: Clone + PartialEq>(
    periods: &mut [OfficePeriod],
    of: fn(&mut Part) -> &mut T,
    new: Option<&T>,
) {
    let Some(new) = new else { return };
    let mut former = None;
    for period in periods {
        let value = of(&mut period.part);
        if former.get_or_insert_with(|| value.clone()) != value {
            return;
        }
        *value = new.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::structure::{Structure, Unit};
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
        places(&Structure::on(day, periods))
    }

    fn places(structure: &Structure) -> Vec<(String, String)> {
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
    fn a_change_that_is_dated_back_holds_until_a_later_one_says_otherwise() {
        let mut periods = vec![always("aa"), always("bb"), always("cc")];
        let named = Change {
            name: Some("renamed".to_owned()),
            ..Change::default()
        };
        let moved = Change {
            level: Some(Level::Municipal),
            district: Some("330106".parse().expect("a district")),
            belonging: Some(Belonging::MergedInto(office("bb"))),
            ..Change::default()
        };
        let belonging = |belonging| Change {
            belonging: Some(belonging),
            ..Change::default()
        };
        apply(&mut periods, "aa", date!(2022 - 01 - 01), &named);
        apply(&mut periods, "aa", date!(2018 - 01 - 01), &moved);
        for day in [date!(2018 - 01 - 01), date!(2022 - 01 - 01)] {
            let structure = Structure::on(day, &periods);
            let part = &structure.parts[&office("aa")];
            assert_eq!(part.unit.level, Level::Municipal, "{day}");
            assert_eq!(part.unit.district.as_str(), "330106", "{day}");
            assert_eq!(part.counts_under, office("bb"), "{day}");
        }
        // It is its own from 2020 on; a merger of before is no news of then.
        let split = belonging(Belonging::Independent);
        apply(&mut periods, "aa", date!(2020 - 01 - 01), &split);
        let merged = belonging(Belonging::MergedInto(office("cc")));
        apply(&mut periods, "aa", date!(2018 - 01 - 01), &merged);
        for (day, under) in [
            (date!(2017 - 12 - 31), "aa"),
            (date!(2019 - 12 - 31), "cc"),
            (date!(2022 - 01 - 01), "aa"),
        ] {
            let structure = Structure::on(day, &periods);
            assert_eq!(
                structure.parts[&office("aa")].counts_under,
                office(under),
                "{day}"
            );
        }
    }

    #[test]
    fn a_merger_that_was_a_mistake_is_taken_back() {
        let mut periods = vec![always("aa"), always("bb")];
        let before = periods.clone();
        let belonging = |belonging| Change {
            belonging: Some(belonging),
            ..Change::default()
        };
        let on = date!(2024 - 01 - 01);
        let merged = belonging(Belonging::MergedInto(office("bb")));
        apply(&mut periods, "aa", on, &merged);
        apply(&mut periods, "aa", on, &belonging(Belonging::Independent));
        for day in [date!(2023 - 12 - 31), on, date!(2026 - 01 - 01)] {
            assert_eq!(under(&periods, day), under(&before, day), "{day}");
        }
    }

    #[test]
    fn what_was_told_of_offices_stays_told_of_them() {
        let mut periods = vec![always("aa"), always("bb"), always("cc"), always("new")];
        let belonging = |belonging| Change {
            belonging: Some(belonging),
            ..Change::default()
        };
        let on = date!(2023 - 06 - 01);
        let merged = belonging(Belonging::MergedInto(office("aa")));
        apply(&mut periods, "bb", on, &merged);
        let split = belonging(Belonging::SplitFrom(office("aa")));
        apply(&mut periods, "cc", on, &split);
        let told = ["aa", "bb"].map(office).into();
        let structure = Structure::as_told(date!(2024 - 01 - 01), &periods, &told);
        assert_eq!(
            places(&structure),
            pairs(&[("aa", "aa"), ("bb", "bb"), ("cc", "aa"), ("new", "new")])
        );
    }

    #[test]
    fn offices_that_are_part_of_each_other_end_no_query() {
        let mut periods = vec![always("aa"), always("bb")];
        periods[0].part.counts_under = office("bb");
        periods[1].part.counts_under = office("aa");
        let alone = pairs(&[("aa", "aa"), ("bb", "bb")]);
        assert_eq!(under(&periods, date!(2024 - 01 - 01)), alone);
    }
}
