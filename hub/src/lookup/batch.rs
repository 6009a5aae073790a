//! One matter with many parties and things: all are looked for in one state of the city's cases, each is answered and
//! recorded by itself, and nobody is told anything before all of it is recorded.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use linkage::matter::RuleSet;
use metrics::{counter, histogram};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::check::{Lookup, LookupError};
use super::disclosure;
use super::hit::{Hit, hit};
use super::persons::Persons;
use super::question::{About, Asker, Question};
use super::record::{asked_about, entry, told};
use super::search::{Search, living, with_persons_in};
use super::severity::{Intake, graded};
use crate::alarm::Asked;
use crate::audit::{Action, Entry, Outcome, Receipt};
use crate::store::lookup::{Freshness, Wanted};
use crate::store::tx;
use crate::telemetry::metrics::{LOOKUP_SECONDS, LOOKUPS};

/// What a notary hears.
#[derive(Clone, Debug)]
pub struct BatchAnswer {
    /// One for each party, then one for each subject.
    pub answers: Vec<SubjectAnswer>,
    pub feeds: Arc<[Freshness]>,
}

/// What is known of one party or subject.
#[derive(Clone, Debug)]
pub struct SubjectAnswer {
    pub hits: Vec<Hit>,
    pub truncated: bool,
    pub receipt: Receipt,
}

impl Lookup {
    /// Answers a batch, or records that it is denied.
    pub async fn batch_check(
        &self,
        asker: Asker,
        question: Question,
    ) -> Result<BatchAnswer, LookupError> {
        let begun = Instant::now();
        let _under_way = self.traffic.enter();
        let count = u32::try_from(question.parties.len() + question.subjects.len());
        let count = NonZeroU32::new(count.unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        self.admit(asker, &question, Action::BatchCheck, count)
            .await?;
        let rules = self.rules.current();
        let intake = Intake::new(&rules, &question, asker, OffsetDateTime::now_utc());
        let searches = self.searches(&rules, asker, &question).await?;
        let feeds = self.feeds.now().await?;

        let look_ups = searches
            .iter()
            .map(|(about, search)| recorded(asker, &question, *about, search));
        let receipts = self.record_all(look_ups.collect()).await?;
        let mut answers = Vec::with_capacity(receipts.len());
        for ((_, search), receipt) in searches.into_iter().zip(receipts) {
            counter!(LOOKUPS, "outcome" => outcome(&search).code()).increment(1);
            let grades = graded(&intake, &search.found, search.truncated);
            let found = search.found.into_iter().zip(search.persons).zip(grades);
            answers.push(SubjectAnswer {
                hits: found
                    .map(|(found, grade)| hit(&rules, asker, found, grade))
                    .collect(),
                truncated: search.truncated,
                receipt,
            });
        }
        histogram!(LOOKUP_SECONDS).record(begun.elapsed().as_secs_f64());
        Ok(BatchAnswer { answers, feeds })
    }

    async fn searches(
        &self,
        rules: &RuleSet,
        asker: Asker,
        question: &Question,
    ) -> Result<Vec<(About, Search)>, LookupError> {
        // A dead connection is found here rather than by the snapshot.
        drop(living(&self.pools.hub).await?);
        let mut snapshot = tx::snapshot(&self.pools.hub).await?;
        let parties = (0..question.parties.len()).map(About::Party);
        let subjects = (0..question.subjects.len()).map(About::Subject);
        let opened = disclosure::wanted(rules, question);
        let mut searches = Vec::with_capacity(parties.len() + subjects.len());
        for about in parties.chain(subjects) {
            let wanted = Wanted {
                party_tokens: Vec::new(),
                subject_tokens: Vec::new(),
                ..opened.clone()
            };
            let (wanted, persons) = self.one(&mut snapshot, question, about, wanted).await?;
            let search = with_persons_in(&mut snapshot, rules, asker, wanted, persons.as_ref());
            searches.push((about, search.await?));
        }
        snapshot.commit().await?;
        Ok(searches)
    }

    /// What is wanted of one of the question's parties or subjects.
    async fn one(
        &self,
        connection: &mut PgConnection,
        question: &Question,
        about: About,
        mut wanted: Wanted,
    ) -> Result<(Wanted, Option<Persons>), LookupError> {
        let mut persons = None;
        match about {
            About::Party(at) => {
                let (models, parties) = (&self.models, &question.parties);
                let number = parties[at].verified();
                wanted.party_tokens = number.map(|number| number.token).into_iter().collect();
                persons = Persons::candidates(connection, models, parties, [at]).await?;
            }
            About::Subject(at) => wanted.subject_tokens = vec![question.subjects[at].1],
        }
        Ok((wanted, persons))
    }
}

fn outcome(search: &Search) -> Outcome {
    match search.found.is_empty() {
        true => Outcome::NoHit,
        false => Outcome::Hit,
    }
}

/// One of the batch, as the alarms and as the log take it.
fn recorded(asker: Asker, question: &Question, about: About, search: &Search) -> (Asked, Entry) {
    let (parties, subjects) = match about {
        About::Party(at) => (&question.parties[at..=at], &[][..]),
        About::Subject(at) => (&[][..], &question.subjects[at..=at]),
    };
    let outcome = outcome(search);
    let mut detail = asked_about(question, parties, subjects);
    detail["told"] = told(&search.found);
    detail["truncated"] = search.truncated.into();
    (
        Asked::about(asker, question, [about], |_| outcome == Outcome::Hit),
        entry(asker, question, Action::BatchCheck, outcome, detail),
    )
}
