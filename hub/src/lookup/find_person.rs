//! Which matters one person has at which offices.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use metrics::{counter, histogram};

use super::check::{Lookup, LookupError};
use super::disclosure;
use super::hit::{Hit, hit};
use super::intent::Intents;
use super::persons::Persons;
use super::question::{Asker, Question};
use super::record::{asked, entry, told};
use super::search::{Search, living, with_persons};
use super::severity::Grade;
use crate::alarm::Asked;
use crate::audit::{Action, Outcome, Receipt};
use crate::store::lookup::Freshness;
use crate::telemetry::metrics::{LOOKUP_SECONDS, LOOKUPS};

/// What a notary hears.
#[derive(Clone, Debug)]
pub struct PersonAnswer {
    /// The most recently accepted first.
    pub hits: Vec<Hit>,
    pub truncated: bool,
    pub feeds: Arc<[Freshness]>,
    pub receipt: Receipt,
}

impl Lookup {
    /// Answers whose first party is looked for, or records that it is denied. Cases with the person's number are told,
    /// and those of which linkage holds that they are the person's.
    pub async fn find_person(
        &self,
        asker: Asker,
        question: Question,
    ) -> Result<PersonAnswer, LookupError> {
        let begun = Instant::now();
        let _under_way = self.traffic.enter();
        let action = Action::FindPerson;
        self.admit(asker, &question, action, NonZeroU32::MIN)
            .await?;
        let rules = self.rules.current();
        let wanted = disclosure::wanted(&rules, &question);
        let mut connection = living(&self.pools.hub).await?;
        let number = question.parties.first().and_then(|party| party.verified());
        let persons = match number {
            Some(number) => {
                Some(Persons::of_number(&mut connection, &self.models, 0, number).await?)
            }
            None => {
                let (models, parties) = (&self.models, &question.parties);
                Persons::candidates(&mut connection, models, parties, 0..parties.len()).await?
            }
        };
        drop(connection);
        // Nobody is about to accept a person.
        let mut intents = Intents::default();
        let search = with_persons(
            &self.pools,
            &rules,
            asker,
            wanted,
            persons.as_ref(),
            &mut intents,
        );
        let search = search.await?;
        let asked_for = Asked::of(asker, &question, |about| search.has_found(&question, about));
        let Search {
            found,
            persons,
            truncated,
        } = search;
        let feeds = self.feeds.now().await?;

        let outcome = match found.is_empty() {
            true => Outcome::NoHit,
            false => Outcome::Hit,
        };
        let mut detail = asked(&question);
        detail["told"] = told(&found);
        detail["truncated"] = truncated.into();
        let entry = entry(asker, &question, action, outcome, detail);
        let receipt = self.record(asked_for, entry).await?;
        counter!(LOOKUPS, "outcome" => outcome.code()).increment(1);
        histogram!(LOOKUP_SECONDS).record(begun.elapsed().as_secs_f64());
        Ok(PersonAnswer {
            hits: found
                .into_iter()
                .zip(persons)
                .map(|found| hit(&rules, asker, found, Grade::default()))
                .collect(),
            truncated,
            feeds,
            receipt,
        })
    }
}
