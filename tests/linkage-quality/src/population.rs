//! Mentions of natural persons in a synthetic city, with the truth about whose they are.

use std::collections::{BTreeMap, HashMap};

use linkage::{
    compare::{KnownIdentifier, Mention, VerifiedNumber},
    identifier::{IdentifierKind, ParsedIdentifier, resident_id_check_character},
    name::{NameShare, PreparedName},
    phone::PhoneNumber,
    place::DistrictCode,
    token::{Token, TokenAlgorithm, TokenKey},
    vocabulary::PartyKind,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use synthetic_city::{Case, City, CityPlan, Document, Party};

use crate::slip;

/// Households of 10,000 mentions' persons that have a twin who comes to the offices as often.
const TWINS: u32 = 150;
/// Mentions of 10,000 whose number was never asked for, beside those that the city leaves out.
const NO_NUMBER: u32 = 1_200;
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
        let city = City::generate(&CityPlan::of_size(seed, cases))?;
        let mut builder = Builder::new(seed);
        for office in 0..city.offices().len() {
            for case in city.cases(office).filter(|case| case.flaw.is_none()) {
                builder.add(&case);
            }
        }
        Ok(builder.finish())
    }
}

struct Builder {
    seed: u64,
    key: TokenKey,
    dice: ChaCha8Rng,
    mentions: Vec<Mention>,
    names: Vec<String>,
    persons: Vec<u64>,
    numbers: HashMap<String, u64>,
}

impl Builder {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            key: TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]),
            dice: ChaCha8Rng::seed_from_u64(seed),
            mentions: Vec::new(),
            names: Vec::new(),
            persons: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn add(&mut self, case: &Case) {
        let identifiers: Vec<Option<KnownIdentifier>> = case
            .parties
            .iter()
            .map(|party| party.document.as_ref().and_then(|d| self.identifier(d)))
            .collect();
        let shared = self
            .dice
            .random_ratio(ONE_PHONE, 10_000)
            .then(|| case.parties[0].phone.clone())
            .flatten();
        for (at, party) in case
            .parties
            .iter()
            .enumerate()
            .filter(|(_, party)| party.kind == PartyKind::Natural)
        {
            let related: Vec<Token> = identifiers
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .filter_map(|(_, identifier)| match identifier {
                    Some(KnownIdentifier::Verified(number)) => Some(number.token),
                    _ => None,
                })
                .collect();
            let person = self.person(party);
            let party = &Party {
                phone: shared.clone().or_else(|| party.phone.clone()),
                ..party.clone()
            };
            self.write(party, person, &related);
            // Whether a person has a twin is a property of the person.
            let has_twin =
                ChaCha8Rng::seed_from_u64(self.seed ^ person << 20).random_ratio(TWINS, 10_000);
            if has_twin && let Some(twin) = twin_of(party) {
                self.write(&twin, person | 1 << 63, &related);
            }
        }
    }

    /// The city gives every person a phone of their own, and never mistypes it: it tells who is who.
    fn person(&mut self, party: &Party) -> u64 {
        let next = self.numbers.len() as u64;
        let phone = party.phone.clone().unwrap_or_default();
        *self.numbers.entry(phone).or_insert(next)
    }

    fn write(&mut self, party: &Party, person: u64, related: &[Token]) {
        let mut party = party.clone();
        slip::apply(&mut self.dice, &mut party);
        if self.dice.random_ratio(NO_NUMBER, 10_000) {
            party.document = None;
        }
        let mention = Mention {
            kind: PartyKind::Natural,
            name: PreparedName::new(&party.name),
            name_share: None,
            birth: party.birth_on,
            sex: party.sex,
            phone: party
                .phone
                .as_deref()
                .and_then(|phone| PhoneNumber::parse(phone).ok())
                .map(|p| self.key.phone(&p)),
            district: DistrictCode::parse(party.district).ok(),
            related: related.iter().copied().collect(),
            identifier: party
                .document
                .as_ref()
                .and_then(|document| self.identifier(document)),
        };
        self.names.push(mention.name.standard());
        self.mentions.push(mention);
        self.persons.push(person);
    }

    fn identifier(&self, document: &Document) -> Option<KnownIdentifier> {
        Some(
            match ParsedIdentifier::parse(document.kind, &document.number).ok()? {
                ParsedIdentifier::Verified(identifier) => {
                    KnownIdentifier::Verified(VerifiedNumber {
                        kind: identifier.kind(),
                        token: self.key.identifier(&identifier),
                    })
                }
                ParsedIdentifier::Unverified(identifier) => KnownIdentifier::Unverified {
                    kind: identifier.kind(),
                    token: self.key.unverified(&identifier),
                    segments: self.key.segments(&identifier).try_into().ok(),
                },
            },
        )
    }

    fn finish(self) -> Population {
        let mut bearers: BTreeMap<&str, u64> = BTreeMap::new();
        for name in &self.names {
            *bearers.entry(name).or_default() += 1;
        }
        let mut mentions = self.mentions;
        let all = mentions.len() as u64;
        for (mention, name) in mentions.iter_mut().zip(&self.names) {
            mention.name_share = Some(NameShare::of(bearers[name.as_str()], all));
        }
        Population {
            seed: self.seed,
            mentions,
            persons: self.persons,
        }
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
