//! Households: a head, a spouse, two children and the head's parent, with names, ages and documents that
//! fit together.
use linkage::identifier::IdentifierKind;
use linkage::vocabulary::Sex;
use time::{Date, Duration};

use super::{Person, document, name};
use crate::dice::{Dice, Draw, shuffle};

/// Who of a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Head = 0,
    Spouse = 1,
    Elder = 2,
    FirstChild = 3,
    SecondChild = 4,
}

/// Members that a household number leaves room for.
const ROOM: u64 = 5;

/// GB/T 2260 codes of where people were first registered: Hangzhou's of today and of their youth, and places
/// that people came from.
const AREAS: [&str; 40] = [
    "330102", "330103", "330104", "330105", "330106", "330108", "330109", "330110", "330111",
    "330112", "330121", "330122", "330123", "330124", "330125", "330126", "330127", "330181",
    "330182", "330183", "330184", "330185", "330203", "330302", "330402", "330502", "330602",
    "330702", "330802", "331002", "332502", "310101", "320102", "340102", "350102", "360102",
    "410102", "420102", "510104", "610102",
];
const DAYS: u64 = 365;
/// Order numbers without parity that one member has to himself.
const ORDERS: u64 = 500 / ROOM;

/// Households that can be told apart by area, day of birth and order number, whatever the year of birth.
pub(crate) const MOST_HOUSEHOLDS: u64 = AREAS.len() as u64 * DAYS * ORDERS;

/// What makes a household, drawn once; its members are made from it on demand.
#[derive(Debug)]
pub(crate) struct Household {
    number: u64,
    seed: u64,
    /// Number within its kind, spread over the whole space.
    spread: u64,
    pub(crate) district: &'static str,
    head_surname: &'static str,
    spouse_surname: &'static str,
    head_sex: Sex,
    born: [i32; ROOM as usize],
    origin: Origin,
}

/// Where the head of a household comes from; the others have resident IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Mainland,
    HongKongMacao,
    Taiwan,
    /// From Hong Kong, Macao or Taiwan with a mainland residence permit.
    Settled,
    Foreign,
    Minority,
}

impl Household {
    /// Household `number` of the city, < `MOST_HOUSEHOLDS`, at home in `district`.
    pub(crate) fn new(seed: u64, number: u64, district: &'static str) -> Self {
        let mut dice = Dice::new(seed, Draw::Household, 0, number);
        // First children are of age in the default plan's time, and can apply or be somebody's agent.
        let head = dice.between(1942, 1976);
        let first_child = head + dice.between(22, 28);
        let origin = match dice.below(1_000) {
            0..8 => Origin::HongKongMacao,
            8..14 => Origin::Taiwan,
            14..17 => Origin::Settled,
            17..25 => Origin::Foreign,
            25..30 => Origin::Minority,
            _ => Origin::Mainland,
        };
        Self {
            number,
            seed,
            spread: shuffle(number, MOST_HOUSEHOLDS),
            district,
            head_surname: name::surname(&mut dice),
            spouse_surname: name::surname(&mut dice),
            head_sex: name::sex(&mut dice),
            born: [
                head,
                head + dice.between(-5, 4),
                head - dice.between(21, 34),
                first_child,
                first_child + dice.between(2, 6),
            ],
            origin,
        }
    }

    /// Whether everybody in it has a resident ID, whose check digit shows a slip.
    pub(crate) fn has_resident_ids(&self) -> bool {
        matches!(self.origin, Origin::Mainland | Origin::Minority)
    }

    pub(crate) fn member(&self, who: Member) -> Person {
        // The member's stream begins behind the household's own.
        let mut dice = Dice::new(self.seed, Draw::Household, 1 + who as u64, self.number);
        let sex = self.sex(who, &mut dice);
        let birth_on = self.birth_on(who);
        let serial = self.number * ROOM + who as u64;
        let origin = if who == Member::Head {
            self.origin
        } else {
            Origin::Mainland
        };
        let (document_kind, document_no) = self.document(origin, who, birth_on, sex, serial);
        Person {
            name: match origin {
                Origin::Foreign => name::foreign(&mut dice),
                Origin::Minority => name::minority(&mut dice),
                _ => name::full(&mut dice, self.surname(who), sex),
            },
            document_kind,
            document_no,
            sex: Some(sex),
            birth_on: Some(birth_on),
            phone: format!(
                "{}{:08}",
                dice.pick(&["138", "139", "136", "158", "187", "186", "133"]),
                shuffle(serial, 100_000_000)
            ),
            district: self.district,
        }
    }

    fn sex(&self, who: Member, dice: &mut Dice) -> Sex {
        match (who, self.head_sex) {
            (Member::Head, sex) => sex,
            (Member::Spouse, Sex::Male) => Sex::Female,
            (Member::Spouse, Sex::Female) => Sex::Male,
            // The elder gave the head its surname.
            (Member::Elder, _) => Sex::Male,
            (Member::FirstChild | Member::SecondChild, _) => name::sex(dice),
        }
    }

    fn surname(&self, who: Member) -> &'static str {
        let of_spouse = match who {
            Member::Head | Member::Elder => false,
            Member::Spouse => true,
            Member::FirstChild | Member::SecondChild => self.head_sex == Sex::Female,
        };
        if of_spouse {
            self.spouse_surname
        } else {
            self.head_surname
        }
    }

    fn birth_on(&self, who: Member) -> Date {
        let (year, day) = if self.origin == Origin::Settled && who == Member::Head {
            let (_, _, day, decade) = self.settled();
            (1950 + decade as i32 * 10 + self.born[0] % 10, day)
        } else {
            (
                self.born[who as usize],
                (self.spread / AREAS.len() as u64 + who as u64 * 97) % DAYS,
            )
        };
        let new_year = Date::from_ordinal_date(year, 1).expect("every year has a first day");
        new_year + Duration::days(day as i64)
    }

    /// Area, half order, day of birth and decade that spell the household's number out for a residence permit,
    /// which knows three areas only.
    fn settled(&self) -> (u64, u64, u64, u64) {
        let n = self.number;
        (n % 3, n / 3 % 500, n / 1_500 % DAYS, n / 1_500 / DAYS)
    }

    /// Area, day of birth and the member's share of the order numbers spell `spread` out; see `MOST_HOUSEHOLDS`.
    fn document(
        &self,
        origin: Origin,
        who: Member,
        birth_on: Date,
        sex: Sex,
        serial: u64,
    ) -> (IdentifierKind, String) {
        let half_order = who as u64 * ORDERS + self.spread / AREAS.len() as u64 / DAYS;
        let area = AREAS[((self.spread + who as u64 * 7) % AREAS.len() as u64) as usize];
        match origin {
            Origin::Mainland | Origin::Minority => (
                IdentifierKind::ResidentId,
                document::resident_id(area, birth_on, half_order as u32, sex),
            ),
            Origin::HongKongMacao => (
                IdentifierKind::HongKongMacaoPermit,
                document::hong_kong_macao_permit(serial),
            ),
            Origin::Taiwan => (
                IdentifierKind::TaiwanPermit,
                document::taiwan_permit(serial),
            ),
            Origin::Foreign => (IdentifierKind::Passport, document::passport(serial)),
            Origin::Settled => {
                let (area, half_order, _, _) = self.settled();
                let area = ["810000", "820000", "830000"][area as usize];
                (
                    IdentifierKind::ResidencePermit,
                    document::resident_id(area, birth_on, half_order as u32, sex),
                )
            }
        }
    }
}
