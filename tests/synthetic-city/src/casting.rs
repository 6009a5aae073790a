//! From a script to the people and things of a case.
use linkage::vocabulary::PartyRole;

use crate::dice::Dice;
use crate::matter::Cast;
use crate::people::{Company, Household, MOST_HOUSEHOLDS, Member, Person, Property};
use crate::script::{Script, Thing};

/// Parties in the office's order, the first being the one the case is filed under.
pub(crate) fn parties(
    seed: u64,
    dice: &mut Dice,
    script: &Script,
    room: usize,
) -> Vec<(PartyRole, Person)> {
    use PartyRole::*;
    let stage = Stage::new(seed, script);
    let own = |role| vec![(role, stage.protagonist())];
    match script.profile.cast {
        Cast::Inheritance => {
            let mut cast = vec![
                (Decedent, stage.member(Member::Elder)),
                (Heir, stage.member(Member::Head)),
            ];
            for (child, share) in [(Member::FirstChild, 3_500), (Member::SecondChild, 1_500)] {
                if dice.chance(share) && cast.len() < room {
                    cast.push((Heir, stage.member(child)));
                }
            }
            cast
        }
        Cast::Testator if script.unlawful_agent => {
            vec![
                (Testator, stage.protagonist()),
                (Agent, stage.member(Member::FirstChild)),
            ]
        }
        Cast::Testator => own(Testator),
        Cast::Mandate => {
            let mut cast = own(Principal);
            if script.protagonist == Member::Head && dice.chance(2_500) {
                cast.push((Principal, stage.member(Member::Spouse)));
            }
            cast.push((Agent, stage.member(Member::FirstChild)));
            cast
        }
        Cast::Gift => vec![
            (Donor, stage.protagonist()),
            (Donee, stage.member(Member::FirstChild)),
        ],
        Cast::Spouses => vec![
            (Applicant, stage.member(Member::Head)),
            (Counterpart, stage.member(Member::Spouse)),
        ],
        Cast::Relatives => {
            let relative = if script.protagonist == Member::Head {
                Member::FirstChild
            } else {
                Member::Head
            };
            vec![
                (Applicant, stage.protagonist()),
                (Related, stage.member(relative)),
            ]
        }
        Cast::Bereaved => vec![
            (Applicant, stage.protagonist()),
            (Related, stage.member(Member::Elder)),
        ],
        Cast::Adoption => vec![
            (Adopter, stage.member(Member::Head)),
            (Adoptee, stage.member(Member::SecondChild)),
        ],
        Cast::Guardianship => vec![
            (Ward, stage.member(Member::Elder)),
            (Guardian, stage.member(Member::Head)),
        ],
        Cast::Contract => vec![
            (Applicant, stage.protagonist()),
            (Counterpart, stage.bank()),
        ],
        Cast::Debt => vec![(Debtor, stage.protagonist()), (Creditor, stage.bank())],
        Cast::Applicant | Cast::Anyone | Cast::Company => own(Applicant),
    }
}

/// What the case is about.
pub(crate) fn subjects(script: &Script) -> Vec<Property> {
    let owner = if script.by_company {
        MOST_HOUSEHOLDS + script.company
    } else {
        script.household
    };
    let district = script.district;
    match script.subject {
        None => Vec::new(),
        Some(Thing::Unit(nth)) => vec![Property::unit(owner, nth, district)],
        Some(Thing::Certificate(nth)) => vec![Property::certificate(owner, nth, district)],
        Some(Thing::Flat(nth)) => {
            vec![
                Property::unit(owner, nth, district),
                Property::certificate(owner, nth, district),
            ]
        }
        Some(Thing::Vehicle(nth)) => vec![Property::vehicle(owner, nth)],
        Some(Thing::Contract(nth)) => vec![Property::contract(owner, nth)],
        Some(Thing::Loan(nth)) => {
            vec![
                Property::contract(owner, nth),
                Property::unit(owner, nth, district),
            ]
        }
        Some(Thing::Paper(nth)) => vec![Property::paper(owner, nth)],
    }
}

/// The people a script can call on.
struct Stage<'a> {
    seed: u64,
    script: &'a Script,
    household: Household,
    namesakes: Option<Household>,
}

impl<'a> Stage<'a> {
    fn new(seed: u64, script: &'a Script) -> Self {
        let household = |number| Household::new(seed, number, script.district);
        Self {
            seed,
            script,
            household: household(script.household),
            namesakes: script.namesakes_of.map(household),
        }
    }

    fn member(&self, who: Member) -> Person {
        let mut person = self.household.member(who);
        if let Some(namesakes) = &self.namesakes {
            person.name = namesakes.member(who).name;
        }
        person
    }

    fn protagonist(&self) -> Person {
        if self.script.by_company {
            Company(self.script.company).person(self.seed, self.script.district)
        } else {
            self.member(self.script.protagonist)
        }
    }

    fn bank(&self) -> Person {
        Company(self.script.bank).bank(self.seed, self.script.district)
    }
}
