//! What is hidden in the city to be found, and what only looks like it. Each pair has a household to itself,
//! so that by construction nobody else's case can match either side.
use std::collections::HashMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use time::{Date, Duration};

use crate::calendar::Calendar;
use crate::dice::{Dice, Draw};
use crate::flaw::{DocumentSlip, Slip};
use crate::lifecycle::Fate;
use crate::matter::{Cast, profile_of};
use crate::office::Office;
use crate::people::{Household, Member};
use crate::plan::CityPlan;
use crate::scenario::{self, Partner, SCENARIOS, Scenario, Side};
use crate::scribe::application_day;
use crate::script::{Blemish, Script};

/// Exact pairs per 10,000 cases, each with two cases.
const EXACT: u64 = 20;
/// Fuzzy pairs per 10,000 cases.
const FUZZY: u64 = 10;
/// Look-alike pairs per 10,000 cases.
const LOOK_ALIKE: u64 = 20;
/// Pairs per 10,000 cases of which one office refuses what another accepts later.
const REFUSED: u64 = 8;
/// Attempts at finding two free places in time before a pair is given up.
const ATTEMPTS: u32 = 400;
/// Days within which any case that is not to live has ended.
const DEAD_WITHIN: i64 = 120;

/// Why two cases must not be found although they look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookAlikeKind {
    /// Both cases are at one office.
    SameOffice,
    /// Further apart than the rule's window.
    OutsideWindow,
    /// One of them was refused, rejected, terminated or withdrawn.
    NotLive,
    /// Another person of the same name.
    SameName,
    /// The same person, for something else.
    OtherMatter,
}

/// Where a case stands: office and ordinal.
pub(crate) type Place = (usize, u32);

/// A pair that must be found.
#[derive(Clone, Debug)]
pub(crate) struct Plant {
    pub(crate) scenario: &'static Scenario,
    pub(crate) fuzzy: bool,
    pub(crate) places: [Place; 2],
}

/// A pair that must not be found.
#[derive(Clone, Debug)]
pub(crate) struct LookAlike {
    pub(crate) kind: LookAlikeKind,
    pub(crate) places: [Place; 2],
}

#[derive(Debug, Default)]
pub(crate) struct Planting {
    scripts: HashMap<Place, Script>,
    pub(crate) plants: Vec<Plant>,
    pub(crate) look_alikes: Vec<LookAlike>,
}

impl Planting {
    pub(crate) fn sow(plan: &CityPlan, offices: &[Office], calendar: &Calendar) -> Self {
        let mut sower = Sower {
            plan,
            offices,
            calendar,
            dice: Dice::new(plan.seed, Draw::Planting, 0, 0),
            next_household: offices
                .iter()
                .map(|office| u64::from(office.households))
                .sum(),
            next_company: offices
                .iter()
                .map(|office| u64::from(office.companies))
                .sum(),
            planting: Planting::default(),
        };
        let pairs = |share: u64, least: usize| {
            // Each kind at least once, but never more than a city of this size can hide.
            (u64::from(plan.cases) * share / 10_000)
                .max(least as u64)
                .min(u64::from(plan.cases) / 30)
        };
        for nth in 0..pairs(EXACT, SCENARIOS.len()) {
            sower.sow_exact(&SCENARIOS[nth as usize % SCENARIOS.len()]);
        }
        let persons: Vec<_> = SCENARIOS
            .iter()
            .filter(|scenario| scenario.needs_person)
            .collect();
        for nth in 0..pairs(FUZZY, persons.len()) {
            sower.sow_fuzzy(persons[nth as usize % persons.len()]);
        }
        for nth in 0..pairs(LOOK_ALIKE, 10) {
            sower.sow_look_alike(nth as usize);
        }
        for _ in 0..pairs(REFUSED, 4) {
            sower.sow_refused();
        }
        sower.planting
    }

    pub(crate) fn script(&self, office: usize, ordinal: u32) -> Option<&Script> {
        self.scripts.get(&(office, ordinal))
    }
}

/// How far apart in time two cases are to stand, and where.
struct Spacing {
    days: (i64, i64),
    same_office: bool,
    /// Both are old enough to have ended.
    ended: bool,
}

impl Spacing {
    /// Well inside the scenario's window, at different offices: acceptance may follow application by days.
    fn within(scenario: &Scenario) -> Self {
        Self {
            days: (1, scenario.window_days * 7 / 10),
            same_office: false,
            ended: false,
        }
    }

    /// The same, where the plan's time has room for it.
    fn in_time(&self, plan: &CityPlan) -> Option<RangeInclusive<i64>> {
        let most = self.days.1.min((plan.to - plan.from).whole_days());
        (self.days.0 <= most).then_some(self.days.0..=most)
    }
}

struct Sower<'a> {
    plan: &'a CityPlan,
    offices: &'a [Office],
    calendar: &'a Calendar,
    dice: Dice,
    next_household: u64,
    next_company: u64,
    planting: Planting,
}

impl Sower<'_> {
    fn sow_exact(&mut self, scenario: &'static Scenario) {
        if let Some(places) = self.find_places(&Spacing::within(scenario)) {
            let [left, right] = self.scripts(scenario, places);
            self.planting.plants.push(Plant {
                scenario,
                fuzzy: false,
                places,
            });
            self.put(places, [left, right]);
        }
    }

    fn sow_fuzzy(&mut self, scenario: &'static Scenario) {
        if let Some(places) = self.find_places(&Spacing::within(scenario)) {
            let [left, mut right] = self.scripts(scenario, places);
            let document = self.dice.pick(&[
                DocumentSlip::BadCheck,
                DocumentSlip::Mistyped,
                DocumentSlip::Missing,
                DocumentSlip::Other,
            ]);
            right.blemish = Blemish::Every(Slip {
                document,
                name_variant: self.dice.chance(5_000),
            });
            self.planting.plants.push(Plant {
                scenario,
                fuzzy: true,
                places,
            });
            self.put(places, [left, right]);
        }
    }

    fn sow_look_alike(&mut self, nth: usize) {
        use LookAlikeKind::*;
        let kind = [SameOffice, OutsideWindow, NotLive, SameName, OtherMatter][nth % 5];
        let scenario = match kind {
            // Windows that the plan's time leaves room beside.
            OutsideWindow => scenario::pick(&mut self.dice, |scenario| scenario.window_days <= 366),
            SameName => scenario::pick(&mut self.dice, |scenario| scenario.needs_person),
            SameOffice | NotLive | OtherMatter => scenario::pick(&mut self.dice, |_| true),
        };
        let spacing = match kind {
            SameOffice => Spacing {
                same_office: true,
                ..Spacing::within(scenario)
            },
            NotLive => Spacing {
                ended: true,
                ..Spacing::within(scenario)
            },
            OutsideWindow => {
                let window = scenario.window_days;
                Spacing {
                    days: (window + 60, window + 600),
                    same_office: false,
                    ended: false,
                }
            }
            SameName | OtherMatter => Spacing::within(scenario),
        };
        let Some(places) = self.find_places(&spacing) else {
            return;
        };
        let [left, mut right] = self.scripts(scenario, places);
        match kind {
            SameOffice | OutsideWindow => {}
            NotLive => {
                right.fate = self.dice.pick(&[
                    Fate::Refused,
                    Fate::Withdrawn,
                    Fate::Rejected,
                    Fate::Terminated,
                ]);
            }
            SameName => {
                right.household = self.new_household(right.district);
                right.namesakes_of = Some(left.household);
                right.company = self.new_company();
                right.bank = self.new_company();
            }
            OtherMatter => right = self.script(&scenario.instead, &left),
        }
        self.planting.look_alikes.push(LookAlike { kind, places });
        self.put(places, [left, right]);
    }

    /// The same matter, refused at the first office and accepted at the second, for the supervision to see. For the
    /// rules of duplicates it is a look-alike.
    fn sow_refused(&mut self) {
        let same_matter =
            |scenario: &Scenario| scenario.sides[0].matter == scenario.sides[1].matter;
        let scenario = scenario::pick(&mut self.dice, same_matter);
        let spacing = Spacing {
            days: (14, 300),
            same_office: false,
            ended: false,
        };
        let Some(mut places) = self.find_places(&spacing) else {
            return;
        };
        places.sort_by_key(|place| std::cmp::Reverse(self.day_of(*place)));
        let [left, mut right] = self.scripts(scenario, places);
        right.fate = Fate::Refused;
        let kind = LookAlikeKind::NotLive;
        self.planting.look_alikes.push(LookAlike { kind, places });
        self.put(places, [left, right]);
    }

    fn put(&mut self, places: [Place; 2], scripts: [Script; 2]) {
        self.planting
            .scripts
            .extend(places.into_iter().zip(scripts));
    }

    fn scripts(&mut self, scenario: &'static Scenario, places: [Place; 2]) -> [Script; 2] {
        let district = self.offices[places[0].0].district_code;
        let common = Script {
            profile: profile_of(scenario.sides[0].matter),
            household: self.new_household(district),
            namesakes_of: None,
            company: self.new_company(),
            bank: self.new_company(),
            by_company: false,
            protagonist: Member::Head,
            subject: None,
            district,
            place: scenario
                .abroad
                .then(|| self.dice.pick(&["US", "JP", "AU", "CA", "IT", "HK"])),
            fate: Fate::Sound,
            blemish: Blemish::None,
            unlawful_agent: false,
        };
        scenario.sides.map(|side| self.script(&side, &common))
    }

    fn script(&mut self, side: &Side, common: &Script) -> Script {
        let profile = profile_of(side.matter);
        Script {
            profile,
            bank: match side.with {
                Partner::Same => common.bank,
                Partner::Another => self.new_company(),
            },
            by_company: profile.cast == Cast::Company,
            protagonist: side.by,
            subject: side.subject,
            place: side.place.or(common.place),
            ..common.clone()
        }
    }

    fn new_household(&mut self, district: &'static str) -> u64 {
        loop {
            let number = self.next_household;
            self.next_household += 1;
            if Household::new(self.plan.seed, number, district).has_resident_ids() {
                return number;
            }
        }
    }

    fn new_company(&mut self) -> u64 {
        self.next_company += 1;
        self.next_company - 1
    }

    /// Two unused places with the spacing.
    fn find_places(&mut self, spacing: &Spacing) -> Option<[Place; 2]> {
        let days = spacing.in_time(self.plan)?;
        (0..ATTEMPTS).find_map(|_| {
            let left_office = self.any_office()?;
            let left = (
                left_office,
                self.dice.below(self.offices[left_office].cases),
            );
            let right_office = if spacing.same_office {
                left_office
            } else {
                self.any_office()?
            };
            let gap = Duration::days(i64::from(
                self.dice.between(*days.start() as i32, *days.end() as i32),
            ));
            let on = self.day_of(left);
            let wanted = if self.dice.chance(5_000) {
                on.saturating_add(gap)
            } else {
                on.saturating_sub(gap)
            };
            let right = self.place_near(right_office, wanted)?;
            let apart = (self.day_of(right) - on).whole_days().abs();
            let fits = (left_office == right_office) == spacing.same_office
                && days.contains(&apart)
                && !self.planting.scripts.contains_key(&left)
                && !self.planting.scripts.contains_key(&right)
                && (!spacing.ended
                    || self.day_of(right) + Duration::days(DEAD_WITHIN) <= self.plan.to);
            fits.then_some([left, right])
        })
    }

    fn any_office(&mut self) -> Option<usize> {
        let index = self.dice.below(self.offices.len() as u32) as usize;
        (self.offices[index].cases > 0).then_some(index)
    }

    fn day_of(&self, (office, ordinal): Place) -> Date {
        self.calendar.day(application_day(
            self.calendar,
            ordinal,
            self.offices[office].cases,
        ))
    }

    /// One of the cases applied for around `date`.
    fn place_near(&mut self, office: usize, date: Date) -> Option<Place> {
        if date < self.plan.from || date > self.plan.to {
            return None;
        }
        let cases = u64::from(self.offices[office].cases);
        let first = self.calendar.index_of(date) as u64 * cases / self.calendar.planned() as u64;
        let a_day = (cases / self.calendar.planned() as u64).max(1) as u32;
        let ordinal = first + u64::from(self.dice.below(a_day + 1));
        (ordinal < cases).then_some((office, ordinal as u32))
    }
}
