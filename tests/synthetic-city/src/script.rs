//! What a case is to be about before anybody writes it down: who comes, for what, with which property, and
//! how it ends. Background cases draw their script; planted ones are given theirs.
use crate::dice::Dice;
use crate::flaw::Slip;
use crate::lifecycle::Fate;
use crate::matter::{About, Cast, PLACES, PROFILES, Profile};
use crate::office::Office;
use crate::people::Member;

/// Companies of an office that are bank branches.
pub(crate) const BANKS: u64 = 3;

#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) profile: &'static Profile,
    /// Number in the city.
    pub(crate) household: u64,
    /// Another household whose members' names these people happen to bear.
    pub(crate) namesakes_of: Option<u64>,
    /// Number in the city; for matters with a company.
    pub(crate) company: u64,
    /// Number in the city; for loans.
    pub(crate) bank: u64,
    /// The matter is the company's own.
    pub(crate) by_company: bool,
    pub(crate) protagonist: Member,
    pub(crate) subject: Option<Thing>,
    /// Where the household lives and its property lies.
    pub(crate) district: &'static str,
    pub(crate) place: Option<&'static str>,
    pub(crate) fate: Fate,
    pub(crate) blemish: Blemish,
    /// An agent stands where 公证法 art. 26 asks for the person.
    pub(crate) unlawful_agent: bool,
}

/// What the matter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// The nth flat, known by its unit number.
    Unit(u64),
    /// The nth flat, known by its certificate.
    Certificate(u64),
    /// The nth flat, known by both.
    Flat(u64),
    Vehicle(u64),
    Contract(u64),
    /// The nth loan contract and the nth flat as its mortgage.
    Loan(u64),
    Paper(u64),
}

/// How well the people's data was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blemish {
    /// As often wrong as anywhere.
    Drawn,
    /// Right, though perhaps written in another way.
    None,
    /// Every party has this slip.
    Every(Slip),
}

impl Script {
    /// A script for one of the office's own people.
    pub(crate) fn draw(dice: &mut Dice, office: &Office) -> Self {
        let profile = &PROFILES[dice.weighted(PROFILES.iter().map(|profile| profile.share))];
        let protagonist = match (profile.cast, dice.below(10)) {
            (
                Cast::Inheritance | Cast::Bereaved | Cast::Spouses | Cast::Adoption | Cast::Debt,
                _,
            ) => Member::Head,
            (Cast::Testator | Cast::Guardianship, 0..5) | (_, 0) => Member::Elder,
            (Cast::Applicant | Cast::Relatives, 6..9) => Member::FirstChild,
            (_, 9) => Member::Spouse,
            _ => Member::Head,
        };
        let by_company = match profile.cast {
            Cast::Company => true,
            Cast::Anyone | Cast::Contract | Cast::Debt => dice.chance(3_000),
            _ => false,
        };
        Self {
            profile,
            household: office.first_household + u64::from(dice.below(office.households)),
            namesakes_of: None,
            company: office.first_company
                + BANKS
                + u64::from(dice.below(office.companies - BANKS as u32)),
            bank: office.first_company + u64::from(dice.below(BANKS as u32)),
            by_company,
            protagonist,
            subject: Thing::draw(dice, profile.about),
            district: office.district_code,
            place: dice
                .chance(profile.abroad)
                .then(|| PLACES[dice.weighted(PLACES.iter().map(|(_, w)| *w))].0),
            fate: Fate::draw(dice),
            blemish: Blemish::Drawn,
            unlawful_agent: dice.chance(100) && profile.cast == Cast::Testator,
        }
    }
}

impl Thing {
    fn draw(dice: &mut Dice, about: About) -> Option<Self> {
        let flat = |dice: &mut Dice| {
            let nth = u64::from(dice.below(10) / 7);
            match dice.below(10) {
                0..5 => Thing::Unit(nth),
                5..9 => Thing::Certificate(nth),
                _ => Thing::Flat(nth),
            }
        };
        match about {
            About::Nothing => None,
            About::RealEstate(share) => dice.chance(share).then(|| flat(dice)),
            About::Disposal => match dice.below(10) {
                0..6 => Some(flat(dice)),
                6 => Some(Thing::Vehicle(u64::from(dice.below(2)))),
                _ => None,
            },
            About::Contract => Some(Thing::Contract(u64::from(dice.below(4)))),
            About::MortgagedLoan => Some(Thing::Loan(4 + u64::from(dice.below(4)))),
            About::Paper => dice
                .chance(8_000)
                .then(|| Thing::Paper(u64::from(dice.below(4)))),
        }
    }
}
