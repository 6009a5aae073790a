//! What an activation would change: the same passes, over one moment of the database, writing to tables that nobody else
//! sees and that end with the transaction. Memory is a page's; nothing of the hub is locked or written.

use linkage::matter::RuleSet;
use sqlx::{Connection, PgConnection, PgPool};
use time::Date;

use super::pass::{self, Company};
use crate::store::duplicate::replay::{self, Difference};

/// Pairs named of each rule and change.
pub const SAMPLES: i64 = 5;

/// What the rules would change.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Cases that were looked at.
    pub cases: usize,
    pub differences: Vec<Difference>,
}

/// Replays all cases under `rules`; with `since`, what concerns those of that day and later, by numbers alone. `pool` is the one of writers,
/// whose plans do not depend on statistics that new tables lack.
pub async fn simulate(
    pool: &PgPool,
    rules: &RuleSet,
    since: Option<Date>,
    samples: i64,
) -> Result<Simulation, sqlx::Error> {
    // A connection of its own: statements prepared before know the real tables.
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let mut transaction = connection.begin().await?;
    replay::shadow(&mut transaction).await?;
    let offices = replay::offices(&mut transaction).await?;
    let mut cases = 0;
    for &office_id in &offices {
        let mut behind = String::new();
        loop {
            let paged = pass::derive_keys(&mut transaction, rules, office_id, &behind).await?;
            cases += paged.cases;
            let Some(last) = paged.last else { break };
            behind = last;
        }
    }
    for &office_id in &offices {
        let mut behind = String::new();
        let company = Company::Alone;
        while let Some(last) =
            pass::seek(&mut transaction, rules, office_id, &behind, since, company)
                .await?
                .last
        {
            behind = last;
        }
    }
    for &office_id in offices.iter().filter(|_| since.is_none()) {
        let mut behind = String::new();
        while let Some(last) = pass::seek_persons(&mut transaction, rules, office_id, &behind)
            .await?
            .last
        {
            behind = last;
        }
    }
    let differences = replay::differences(&mut transaction, samples).await?;
    transaction.rollback().await?;
    connection.close().await?;
    Ok(Simulation { cases, differences })
}
