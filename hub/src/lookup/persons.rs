//! Persons behind a party that no verified number tells, and records without a number behind one that it does.
//!
//! Why a case is held to be somebody's is said from cases that are told: a record in a sealed case neither finds a
//! person nor explains one, and where a case's names are not told, nor is what they are made of.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use linkage::block;
use linkage::compare::{KnownIdentifier, Mention, RelatedParties, VerifiedNumber};
use linkage::matter::Shown;
use linkage::name::PreparedName;
use linkage::node::MentionId;
use linkage::office::OfficeId;
use linkage::score::{Decision, Explanation};
use linkage::weights::MatchWeight;
use sqlx::PgConnection;

use super::question::{Description, NumberCheck, Party};
use crate::case::CaseKey;
use crate::linking::candidates::candidates;
use crate::linking::model::{Model, Models};
use crate::linking::{LinkingError, PersonId};
use crate::review;
use crate::store::linking::compared;
use crate::store::linking::person::{self, Mentioned};
use crate::store::lookup::{Found, MOST_BEHIND_A_TOKEN, MOST_OF_AN_OFFICE};

/// Candidates of one party.
const MOST_CANDIDATES: usize = 8;

/// Why a case is held to be that of a party asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonMatch {
    /// Which of the question's parties, from 0.
    pub party: usize,
    pub decision: Decision,
    /// None when records in other cases, or people, have joined the two.
    pub weight: Option<MatchWeight>,
    /// None where names may not be told.
    pub explanation: Option<Explanation>,
}

/// The persons that a question looks for.
#[derive(Debug)]
pub(super) struct Persons {
    model: Arc<Model>,
    sought: Vec<Sought>,
    cases: Vec<(OfficeId, String)>,
    /// Whether a party may be persons that were not looked at.
    is_cut: bool,
}

#[derive(Debug)]
struct Sought {
    party: usize,
    person_id: PersonId,
    by: By,
}

/// By what a person was found.
#[derive(Debug)]
enum By {
    Number(VerifiedNumber),
    Comparison(Arc<Mention>),
}

/// How near a mention is to what was asked.
#[derive(Clone, Copy)]
struct Evidence<'a> {
    decision: Decision,
    weight: MatchWeight,
    asked: &'a Mention,
    found: &'a Mention,
    /// Whether the names of both may be told.
    named: bool,
}

impl Persons {
    /// Candidates of those of the parties `of` the question that have no verified number; none when all have one.
    pub(super) async fn candidates(
        connection: &mut PgConnection,
        models: &Models,
        parties: &[Party],
        of: impl IntoIterator<Item = usize>,
    ) -> Result<Option<Self>, LinkingError> {
        let compared: Vec<(usize, &Description)> = of
            .into_iter()
            .filter_map(|at| undetermined(&parties[at]).map(|description| (at, description)))
            .collect();
        if compared.is_empty() {
            return Ok(None);
        }
        let model = models.in_force(connection).await?;
        let (mut sought, mut is_cut) = (Vec::new(), false);
        for (party, description) in compared {
            let mut asked = mention_of(parties, party, description);
            asked.name_share = model.share_of(&asked.name);
            let asked = Arc::new(asked);
            let found = candidates(&mut *connection, &asked, &model).await?;
            is_cut |= found.is_too_common || found.persons.len() > MOST_CANDIDATES;
            sought.extend(
                found
                    .persons
                    .iter()
                    .take(MOST_CANDIDATES)
                    .map(|candidate| Sought {
                        party,
                        person_id: candidate.person_id,
                        by: By::Comparison(Arc::clone(&asked)),
                    }),
            );
        }
        let persons = Self::with_cases(connection, model, sought).await?;
        Ok(Some(Self { is_cut, ..persons }))
    }

    /// The person that a party's verified number tells.
    pub(super) async fn of_number(
        connection: &mut PgConnection,
        models: &Models,
        party: usize,
        number: VerifiedNumber,
    ) -> Result<Self, LinkingError> {
        let model = models.in_force(connection).await?;
        let found = person::of_number(connection, &number).await?;
        let sought = found.into_iter().map(|person_id| Sought {
            party,
            person_id,
            by: By::Number(number),
        });
        Ok(Self::with_cases(connection, model, sought.collect()).await?)
    }

    async fn with_cases(
        connection: &mut PgConnection,
        model: Arc<Model>,
        sought: Vec<Sought>,
    ) -> Result<Self, sqlx::Error> {
        let mut persons = Self {
            model,
            sought,
            cases: Vec::new(),
            is_cut: false,
        };
        let (most, of_an_office) = (MOST_BEHIND_A_TOKEN, MOST_OF_AN_OFFICE);
        persons.cases = person::cases(connection, &persons.ids(), most, of_an_office).await?;
        Ok(persons)
    }

    fn ids(&self) -> Vec<PersonId> {
        let mut ids: Vec<PersonId> = self.sought.iter().map(|sought| sought.person_id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Of the persons, sealed ones included: what may be told is for the search to say.
    pub(super) fn cases(&self) -> Vec<(OfficeId, String)> {
        self.cases.clone()
    }

    /// Whether there may be more persons than were looked at.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Why each case found is that of a person sought. A case that nothing tellable speaks for is taken out.
    pub(super) async fn explain(
        &self,
        connection: &mut PgConnection,
        shown: impl Fn(&Found) -> Shown,
        found: &mut Vec<Found>,
    ) -> Result<Vec<Option<PersonMatch>>, sqlx::Error> {
        let cases = found
            .iter()
            .map(|found| (found.office_id.as_str(), found.source_case_id.as_str()))
            .unzip();
        let mentioned = person::in_cases(&mut *connection, &self.ids(), cases).await?;
        let ids: Vec<MentionId> = mentioned.iter().map(|one| one.mention_id).collect();
        let mentions = compared::mentions(connection, &ids, &self.model).await?;
        let named: HashSet<CaseKey<'_>> = found
            .iter()
            .filter(|found| shown(found) == Shown::Names)
            .map(key_of)
            .collect();
        let records: Vec<Record<'_>> = mentioned
            .iter()
            .filter_map(|at| {
                Some(Record {
                    at,
                    mention: mentions.get(&at.mention_id)?,
                    named: named.contains(&(at.office_id, &at.source_case_id)),
                })
            })
            .collect();
        let mut matches: HashMap<CaseKey<'_>, PersonMatch> = HashMap::new();
        for sought in &self.sought {
            for (case, told) in self.matches(sought, &records) {
                match matches.entry(case) {
                    std::collections::hash_map::Entry::Vacant(free) => {
                        free.insert(told);
                    }
                    std::collections::hash_map::Entry::Occupied(mut held) => {
                        if rank_of(&told) < rank_of(held.get()) {
                            held.insert(told);
                        }
                    }
                }
            }
        }
        let told: Vec<Option<PersonMatch>> = found
            .iter()
            .map(|found| matches.remove(&key_of(found)).map(PersonMatch::cut_down))
            .collect();
        let (kept, told) = std::mem::take(found)
            .into_iter()
            .zip(told)
            .filter(|(found, told)| found.by_identifier || found.by_subject || told.is_some())
            .unzip();
        *found = kept;
        Ok(told)
    }

    fn matches<'a>(
        &self,
        sought: &'a Sought,
        records: &[Record<'a>],
    ) -> Vec<(CaseKey<'a>, PersonMatch)> {
        let own = || {
            let of_person = |record: &&Record<'a>| record.at.person_id == sought.person_id;
            records.iter().filter(of_person)
        };
        // What a record is compared with: what was asked, or the told records that have the number.
        let asked: Vec<(&Mention, bool)> = match &sought.by {
            By::Comparison(asked) => vec![(asked.as_ref(), true)],
            By::Number(number) => own()
                .filter(|record| record.mention.verified() == Some(*number))
                .map(|record| (record.mention, record.named))
                .collect(),
        };
        let nearest = |record: &Record<'a>| {
            asked
                .iter()
                .filter_map(|(asked, named)| self.compare(asked, *named, record))
                .min_by_key(Evidence::rank)
        };
        let near: Vec<(&Record<'a>, Option<Evidence<'_>>)> =
            own().map(|record| (record, nearest(record))).collect();
        let best = near
            .iter()
            .filter_map(|(_, evidence)| *evidence)
            .min_by_key(Evidence::rank);
        let told = near.into_iter().filter_map(|(record, evidence)| {
            let told = match (&sought.by, evidence) {
                // Equal numbers say so by themselves.
                (By::Number(number), _) if record.mention.verified() == Some(*number) => {
                    return None;
                }
                (By::Number(_), evidence) => PersonMatch {
                    decision: Decision::Same,
                    ..self.told(sought.party, evidence)
                },
                (By::Comparison(_), Some(evidence)) => self.told(sought.party, Some(evidence)),
                // The person's by way of a record that is told as well.
                (By::Comparison(_), None) => PersonMatch {
                    decision: best?.decision,
                    ..self.told(sought.party, None)
                },
            };
            Some((
                (record.at.office_id, record.at.source_case_id.as_str()),
                told,
            ))
        });
        told.collect()
    }

    fn compare<'a>(
        &self,
        asked: &'a Mention,
        named: bool,
        record: &Record<'a>,
    ) -> Option<Evidence<'a>> {
        let score = self.model.weights().score(asked, record.mention);
        (score.decision != Decision::Different).then_some(Evidence {
            decision: score.decision,
            weight: score.weight,
            asked,
            found: record.mention,
            named: named && record.named,
        })
    }

    fn told(&self, party: usize, evidence: Option<Evidence<'_>>) -> PersonMatch {
        PersonMatch {
            party,
            decision: evidence.map_or(Decision::Possible, |evidence| evidence.decision),
            weight: evidence.map(|evidence| evidence.weight),
            explanation: evidence.filter(|evidence| evidence.named).map(|evidence| {
                review::explain(self.model.weights(), evidence.asked, evidence.found)
            }),
        }
    }
}

impl PersonMatch {
    /// Without an explanation no weight either: the weights of the fields are known, so that their sum tells which agree.
    fn cut_down(self) -> Self {
        Self {
            weight: self.weight.filter(|_| self.explanation.is_some()),
            ..self
        }
    }
}

/// A mention of a person sought, in a case that is told.
struct Record<'a> {
    at: &'a Mentioned,
    mention: &'a Mention,
    named: bool,
}

impl Evidence<'_> {
    /// The least is the best.
    fn rank(&self) -> (bool, Reverse<MatchWeight>) {
        (self.decision != Decision::Same, Reverse(self.weight))
    }
}

fn rank_of(told: &PersonMatch) -> (bool, Reverse<Option<MatchWeight>>) {
    (told.decision != Decision::Same, Reverse(told.weight))
}

fn key_of(found: &Found) -> CaseKey<'_> {
    (found.office_id, &found.source_case_id)
}

/// What is known of a party without a verified number.
pub(super) fn undetermined(party: &Party) -> Option<&Description> {
    match party.verified() {
        Some(_) => None,
        None => party.description.as_ref(),
    }
}

/// The first party that nobody could be found by: a name alone is shared by too many to be looked for.
pub fn unfindable(parties: &[Party]) -> Option<usize> {
    (0..parties.len()).find(|&at| {
        undetermined(&parties[at]).is_some_and(|description| {
            let mut keys = Vec::new();
            block::keys(&mention_of(parties, at, description), &mut keys);
            keys.is_empty()
        })
    })
}

/// A party as linkage compares it; the question's other numbers are those of its related parties.
fn mention_of(parties: &[Party], at: usize, description: &Description) -> Mention {
    let others = parties.iter().enumerate().filter(|(other, _)| *other != at);
    let related: RelatedParties = others
        .filter_map(|(_, party)| Some(party.verified()?.token))
        .collect();
    Mention {
        kind: description.kind,
        name_share: None,
        name: PreparedName::new(&description.name),
        birth: description.birth_date,
        sex: description.sex,
        phone: description.phone,
        district: description.district,
        related,
        identifier: parties[at].number.and_then(|number| match number.check {
            NumberCheck::Verified => None,
            NumberCheck::Unverified { segments } => Some(KnownIdentifier::Unverified {
                kind: number.kind,
                token: number.token,
                segments,
            }),
        }),
    }
}
