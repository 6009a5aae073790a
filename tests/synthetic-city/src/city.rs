//! The city: offices laid out once, cases written down on demand, so that a million of them need no memory.
use std::collections::HashMap;
use std::sync::Arc;

use linkage::matter::MatterType;
use time::{Date, Duration};

use crate::breach::Breach;
use crate::calendar::Calendar;
use crate::case::Case;
use crate::dice::{Dice, Draw};
use crate::filing::Asked;
use crate::matter::{PROFILES, Profile};
use crate::office::{Office, lay_out};
use crate::plan::{CityPlan, PlanError};
use crate::planting::{Place, Planting};
use crate::scribe::Scribe;
use crate::script::Script;
use crate::truth::number;

/// Days between two steps of the city's life.
const STEP: Duration = Duration::days(30);
/// Steps the calendar reaches.
pub(crate) const MOST_STEPS: u32 = 20;

/// A city at one step of its life. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct City {
    ground: Arc<Ground>,
    step: u32,
}

/// What does not change from step to step.
#[derive(Debug)]
struct Ground {
    plan: CityPlan,
    calendar: Calendar,
    offices: Vec<Office>,
    /// Catalogue entry of each profile.
    matters: Vec<MatterType>,
    planting: Planting,
    /// Breaches that are there whatever the dice say: one of each, so that no city is too small for one.
    certain: HashMap<Place, Breach>,
}

/// Cases of an office, from its first, among which the place of a certain breach is looked for.
const LOOKED_AT: u32 = 300;

impl City {
    /// Lays out the offices and decides what is planted where. Cases are made when asked for.
    pub fn generate(plan: &CityPlan) -> Result<Self, PlanError> {
        plan.check()?;
        let offices = lay_out(plan.seed, plan.offices, plan.cases);
        let calendar = Calendar::new(plan.from, plan.to);
        let planting = Planting::sow(plan, &offices, &calendar);
        let matters = PROFILES
            .iter()
            .map(|profile| {
                profile
                    .code
                    .parse()
                    .expect("profiles carry catalogue codes")
            })
            .collect();
        let ground = Ground {
            plan: plan.clone(),
            calendar,
            offices,
            matters,
            planting,
            certain: HashMap::new(),
        };
        let mut city = Self {
            ground: Arc::new(ground),
            step: 0,
        };
        for (nth, breach) in Breach::all().enumerate() {
            if let Some(place) = city.place_for(breach, nth) {
                let ground = Arc::get_mut(&mut city.ground).expect("nobody has the city yet");
                ground.certain.insert(place, breach);
            }
        }
        Ok(city)
    }

    /// The first case, from the nth office on, in which a breach breaks its rule.
    fn place_for(&self, breach: Breach, nth: usize) -> Option<Place> {
        let offices = self.offices().len();
        let places = (0..offices).flat_map(|office| {
            let office = (nth + office) % offices;
            (0..self.offices()[office].cases.min(LOOKED_AT)).map(move |ordinal| (office, ordinal))
        });
        let mut places = places.filter(|place| !self.ground.certain.contains_key(place));
        places.find(|&(office, ordinal)| {
            let free = self.planting().script(office, ordinal).is_none();
            let fits = || breach.fits(&self.script(office, ordinal).0, &self.offices()[office]);
            free && fits() && self.is_broken(breach, &self.written(office, ordinal, Some(breach)))
        })
    }

    fn is_broken(&self, breach: Breach, case: &Case) -> bool {
        if case.flaw.is_some() {
            return false;
        }
        let broken = || case.breaches.contains(&breach.rule_id());
        let unfiled = |rule_id| {
            Asked::by(case).any(|asked| {
                asked.rule_id == rule_id && asked.filed_on(self, case.office).is_none()
            })
        };
        match breach {
            Breach::Recusal => {
                let first = case
                    .parties
                    .first()
                    .and_then(|party| party.document.as_ref());
                case.state.is_accepted_or_later() && first.and_then(number).is_some()
            }
            // Nobody reported it either.
            Breach::MajorNotDiscussed => broken() && unfiled("MAJOR_UNREPORTED"),
            Breach::WrongCertificate => unfiled(breach.rule_id()),
            _ => broken(),
        }
    }

    /// The same city `steps` × 30 days after the plan's end: cases have moved on, some were corrected, and some
    /// rejected records were fixed. Step 0 is the city as generated; at most 20 steps are known.
    pub fn evolve(&self, step: u32) -> Self {
        Self {
            ground: Arc::clone(&self.ground),
            step: step.min(MOST_STEPS),
        }
    }

    pub fn plan(&self) -> &CityPlan {
        &self.ground.plan
    }

    pub fn step(&self) -> u32 {
        self.step
    }

    pub fn offices(&self) -> &[Office] {
        &self.ground.offices
    }

    pub(crate) fn planting(&self) -> &Planting {
        &self.ground.planting
    }

    /// Cases of one office, in order of application.
    ///
    /// # Panics
    /// When the city has no office of that index.
    pub fn cases(&self, office: usize) -> impl Iterator<Item = Case> + '_ {
        (0..self.ground.offices[office].cases).map(move |ordinal| self.case(office, ordinal))
    }

    /// Cases of one office whose content this step changed.
    pub fn changes(&self, office: usize) -> impl Iterator<Item = Case> + '_ {
        let before = self.evolve(self.step.saturating_sub(1));
        self.cases(office)
            .filter(move |case| before.case(case.office, case.ordinal).revision != case.revision)
    }

    /// The day the city is seen on.
    pub fn today(&self) -> Date {
        self.day_of(self.step)
    }

    /// The day a step's amendments are made on.
    pub(crate) fn day_of(&self, step: u32) -> Date {
        self.ground.plan.to + STEP * step as i32
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.ground.calendar
    }

    pub(crate) fn matter_type(&self, profile: &Profile) -> MatterType {
        let index = PROFILES.iter().position(|known| known.code == profile.code);
        self.ground.matters[index.expect("every profile is in the table")]
    }

    /// One case of an office.
    pub fn case(&self, office: usize, ordinal: u32) -> Case {
        self.written(office, ordinal, self.breach(office, ordinal))
    }

    fn written(&self, office: usize, ordinal: u32, breach: Option<Breach>) -> Case {
        let house = &self.ground.offices[office];
        let (mut script, dice) = self.script(office, ordinal);
        if let Some(breach) = breach {
            breach.bend(&mut script, house);
        }
        Scribe {
            city: self,
            house,
            office,
            ordinal,
            script: &script,
            breach,
            dice,
        }
        .write()
    }

    /// What the office does wrong in the case, if anything; never where a pair is planted.
    pub(crate) fn breach(&self, office: usize, ordinal: u32) -> Option<Breach> {
        let ground = &*self.ground;
        if ground.planting.script(office, ordinal).is_some() {
            return None;
        }
        if let Some(breach) = ground.certain.get(&(office, ordinal)) {
            return Some(*breach);
        }
        let row = u64::from(ordinal);
        let mut dice = Dice::new(ground.plan.seed, Draw::Breach, office as u64, row);
        let (script, _) = self.script(office, ordinal);
        Breach::draw(&mut dice, &script, &ground.offices[office])
    }

    fn script(&self, office: usize, ordinal: u32) -> (Script, Dice) {
        let ground = &*self.ground;
        let row = u64::from(ordinal);
        let mut dice = Dice::new(ground.plan.seed, Draw::Case, office as u64, row);
        let script = match ground.planting.script(office, ordinal) {
            Some(script) => script.clone(),
            None => Script::draw(&mut dice, &ground.offices[office]),
        };
        (script, dice)
    }
}
