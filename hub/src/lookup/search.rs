//! Cases behind what a question wants.

use linkage::matter::RuleSet;
use linkage::token::Token;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use super::hit::shown_to;
use super::intent::Intents;
use super::persons::{PersonMatch, Persons};
use super::question::{About, Asker, Question};
use crate::store::lookup::{self, Cases, Found, Wanted};
use crate::store::pool::Lookups;
use crate::store::scope::{self, Searches};

/// Cases told in one answer.
pub(super) const MOST_HITS: i64 = 100;

/// Cases found, the most recently accepted first.
#[derive(Debug)]
pub(super) struct Search {
    pub found: Vec<Found>,
    /// Of each the person by whom it was found.
    pub persons: Vec<Option<PersonMatch>>,
    /// Whether there are more.
    pub truncated: bool,
}

/// By equal tokens alone, and other offices' intents with them. One statement sees one moment, in which an intent stands
/// or its case is there. Where an intent may stand it is heard of first, and cases are sought again behind it, lest neither
/// be told.
pub(super) async fn exact(
    searches: &Searches,
    asker: Asker,
    wanted: &Wanted,
    intents: &mut Intents<'_>,
) -> Result<Search, sqlx::Error> {
    let scope = asker.scope();
    let mut reading = scope.look_up(searches, &wanted.holders()).await?;
    let cases = lookup::find(&mut reading, wanted, intents.sought(), MOST_HITS).await?;
    if !cases.is_intended {
        return Ok(cases.into());
    }
    intents.hear(&mut reading).await?;
    read(&mut reading, wanted).await
}

/// By equal tokens, and by the persons that linkage holds to be those asked about.
pub(super) async fn with_persons(
    Lookups { hub, searches, .. }: &Lookups,
    rules: &RuleSet,
    asker: Asker,
    mut wanted: Wanted,
    persons: Option<&Persons>,
    intents: &mut Intents<'_>,
) -> Result<Search, sqlx::Error> {
    wanted.cases = persons.map(Persons::cases).unwrap_or_default();
    let search = exact(searches, asker, &wanted, intents).await?;
    match persons {
        None => Ok(search),
        Some(persons) => {
            let mut connection = hub.acquire().await?;
            explained(&mut connection, rules, asker, persons, search).await
        }
    }
}

/// The same within a transaction that sees one moment.
pub(super) async fn with_persons_in(
    snapshot: &mut PgConnection,
    rules: &RuleSet,
    asker: Asker,
    mut wanted: Wanted,
    persons: Option<&Persons>,
) -> Result<Search, sqlx::Error> {
    wanted.cases = persons.map(Persons::cases).unwrap_or_default();
    let (scope, holders) = (asker.scope(), wanted.holders());
    scope.narrow_to_look_up(&mut *snapshot, &holders).await?;
    let search = read(&mut *snapshot, &wanted).await?;
    scope::widen(&mut *snapshot).await?;
    match persons {
        None => Ok(search),
        Some(persons) => explained(snapshot, rules, asker, persons, search).await,
    }
}

async fn read(connection: &mut PgConnection, wanted: &Wanted) -> Result<Search, sqlx::Error> {
    Ok(lookup::find(connection, wanted, None, MOST_HITS)
        .await?
        .into())
}

impl Search {
    /// Whether it speaks of this party or thing of the question.
    pub(super) fn has_found(&self, question: &Question, about: About) -> bool {
        let by = |token: &Token| self.found.iter().any(|found| found.tokens.contains(token));
        match about {
            About::Party(at) => {
                let number = question.parties[at].verified();
                number.is_some_and(|number| by(&number.token))
                    || self.persons.iter().flatten().any(|told| told.party == at)
            }
            About::Subject(at) => by(&question.subjects[at].1),
        }
    }
}

impl From<Cases> for Search {
    fn from(Cases { found, is_cut, .. }: Cases) -> Self {
        Self {
            persons: vec![None; found.len()],
            found,
            truncated: is_cut,
        }
    }
}

async fn explained(
    connection: &mut PgConnection,
    rules: &RuleSet,
    asker: Asker,
    persons: &Persons,
    mut search: Search,
) -> Result<Search, sqlx::Error> {
    let shown = |found: &Found| shown_to(rules, asker, found);
    search.truncated |= persons.is_cut();
    search.persons = persons
        .explain(connection, shown, &mut search.found)
        .await?;
    Ok(search)
}

/// A connection that lives: the pool of look-ups does not ask before each use.
pub(super) async fn living(pool: &PgPool) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    match sqlx::Connection::ping(&mut *connection).await {
        Ok(()) => Ok(connection),
        Err(_) => {
            // Its place is another's before one is waited for.
            drop(connection.detach());
            pool.acquire().await
        }
    }
}
