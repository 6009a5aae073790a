//! Mentions of natural persons in a synthetic city, with the truth about whose they are.

use std::{collections::HashMap, num::NonZeroUsize};

use linkage::{
    bulk::share_names,
    compare::Mention,
    identifier::{IdentifierKind, resident_id_check_character},
    name::NameDirectory,
    phone::PhoneNumber,
    place::DistrictCode,
    token::{Token, TokenAlgorithm, TokenKey},
    vocabulary::PartyKind,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use synthetic_city::{Case, City, CityPlan, Document, Party};

use crate::{
    address::{Home, Homes},
    record::{Number, Record},
    slip,
};

/// Households of 10,000 mentions' persons that have a twin who comes to the offices as often.
const TWINS: u32 = 150;
/// Mentions of 10,000 whose number was never asked for, beside those that the city leaves out.
const NO_NUMBER: u32 = 1_500;
/// Cases of 10,000 in which everybody is reached by the first party's phone.
const ONE_PHONE: u32 = 1_500;

/// Mentions, each with the number of its person.
#[derive(Debug)]
pub struct Population {
    pub seed: u64,
    pub mentions: Vec<Mention>,
    /// Whose the mention is; equal for mentions of one person.
    pub persons: Vec<u64>,
}

impl Population {
    /// Every natural person mentioned in a city of so many cases.
    pub fn of_city(seed: u64, cases: u32) -> anyhow::Result<Self> {
        let records = records_of_city(seed, cases)?;
        let (mut names, key) = (NameDirectory::default(), city_key());
        let mut population = Self {
            seed,
            mentions: Vec::with_capacity(records.len()),
            persons: Vec::with_capacity(records.len()),
        };
        for record in &records {
            population.mentions.push(record.mention(&mut names, &key));
            population.persons.push(record.person);
        }
        share_names(&mut population.mentions, NonZeroUsize::MIN);
        Ok(population)
    }
}

/// What the offices wrote down of every natural person mentioned in a city of so many cases.
pub fn records_of_city(seed: u64, cases: u32) -> anyhow::Result<Vec<Record>> {
    let city = City::generate(&CityPlan::of_size(seed, cases))?;
    let mut offices = Offices::new(seed);
    for office in 0..city.offices().len() {
        for case in city.cases(office).filter(|case| case.flaw.is_none()) {
            offices.write(&case);
        }
    }
    Ok(offices.records)
}

/// So many records of a city that is large enough, in no order.
pub fn benchmark_records(seed: u64, records: u32) -> anyhow::Result<Vec<Record>> {
    // A case has 1.35 natural persons, twins included.
    let mut all = records_of_city(seed, records / 4 * 3 + records / 50 + 100)?;
    all.shuffle(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x5f1e));
    anyhow::ensure!(
        all.len() >= records as usize,
        "the city has too few mentions"
    );
    all.truncate(records as usize);
    Ok(all)
}

/// The key that stands for the city's in every synthetic one.
pub fn city_key() -> TokenKey {
    TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32])
}

/// The city's offices at work: they mistype, leave out and mask.
struct Offices {
    seed: u64,
    key: TokenKey,
    dice: ChaCha8Rng,
    records: Vec<Record>,
    /// Persons by the phone that the city gave them.
    persons: HashMap<String, u64>,
    homes: Homes,
}

impl Offices {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            key: city_key(),
            dice: ChaCha8Rng::seed_from_u64(seed),
            records: Vec::new(),
            persons: HashMap::new(),
            homes: Homes::new(seed),
        }
    }

    fn write(&mut self, case: &Case) {
        let numbers: Vec<Option<Number>> = case
            .parties
            .iter()
            .map(|party| Number::of(party.document.as_ref()?, &self.key))
            .collect();
        let shared = self
            .dice
            .random_ratio(ONE_PHONE, 10_000)
            .then(|| case.parties[0].phone.clone())
            .flatten();
        let natural = || {
            let all = case.parties.iter().enumerate();
            all.filter(|(_, party)| party.kind == PartyKind::Natural)
        };
        let persons: Vec<u64> = natural().map(|(_, party)| self.person(party)).collect();
        let home = self.homes.of(&persons);
        for ((at, party), person) in natural().zip(persons) {
            let related: Vec<Token> = numbers
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .filter_map(|(_, number)| Some(number.as_ref()?.verified()?.token))
                .collect();
            let party = &Party {
                phone: shared.clone().or_else(|| party.phone.clone()),
                ..party.clone()
            };
            self.write_person(party, person, &related, home);
            // Whether a person has a twin is a property of the person.
            let has_twin =
                ChaCha8Rng::seed_from_u64(self.seed ^ person << 20).random_ratio(TWINS, 10_000);
            if has_twin && let Some(twin) = twin_of(party) {
                self.write_person(&twin, person | 1 << 63, &related, home);
            }
        }
    }

    /// The city gives every person a phone of their own, and never mistypes it: it tells who is who.
    fn person(&mut self, party: &Party) -> u64 {
        let next = self.persons.len() as u64;
        let phone = party.phone.clone().unwrap_or_default();
        *self.persons.entry(phone).or_insert(next)
    }

    fn write_person(&mut self, party: &Party, person: u64, related: &[Token], home: Home) {
        let mut party = party.clone();
        slip::apply(&mut self.dice, &mut party);
        if self.dice.random_ratio(NO_NUMBER, 10_000) {
            party.document = None;
        }
        let phone = party.phone.as_deref();
        self.records.push(Record {
            person,
            number: party
                .document
                .as_ref()
                .and_then(|document| Number::of(document, &self.key)),
            birth: party.birth_on,
            sex: party.sex,
            phone: phone.and_then(|phone| PhoneNumber::parse(phone).ok()),
            district: DistrictCode::parse(party.district).ok(),
            address: self.homes.written(home),
            related: related.iter().copied().collect(),
            name: party.name,
        });
    }
}

/// Born on one day into one household, with a character of the name in common and the next order number but one.
fn twin_of(party: &Party) -> Option<Party> {
    let document = party
        .document
        .as_ref()
        .filter(|document| document.kind == IdentifierKind::ResidentId)?;
    let number = document.number.as_str();
    if number.len() != 18 || !number.is_ascii() {
        return None;
    }
    let order: u32 = number[14..17].parse().ok()?;
    let body = format!("{}{:03}", &number[..14], (order + 2) % 1_000);
    let check = body
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| resident_id_check_character(&body))?;
    let mut name: Vec<char> = party.name.chars().collect();
    let last = name.last_mut()?;
    *last = if *last == '明' { '亮' } else { '明' };
    Some(Party {
        name: name.into_iter().collect(),
        document: Some(Document {
            kind: document.kind,
            number: format!("{body}{check}"),
        }),
        ..party.clone()
    })
}
