//! Everything linked anew: after a first load, and after other weights came in force. It comes to what the workers
//! would come to, a hundred times as fast, because nothing is looked up: all parties are read, linked in memory on
//! every processor, and the differences written.
//!
//! While it runs nobody else changes persons: the workers wait, and decisions are refused with a request to come back.
//! Cases are taken in all the while. Whoever reads sees what stood before, until one commit puts everything in place.
//! What people decided is part of what is linked; a person that stays keeps its name, the least of its nodes.

mod anew;
mod rows;

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use sqlx::PgConnection;
use tokio::sync::mpsc;

use self::anew::Anew;
use super::LinkingError;
use super::decided;
use super::everyone::Everyone;
use super::model::Model;
use super::run::{Run, Runs, Step, workers};
use crate::duplicates::pass;
use crate::jobs::Begun;
use crate::rules::Rules;
use crate::store::linking::relink as store;
use crate::store::linking::{self as locks, judgement};
use crate::store::{duplicate::replay, tx};

/// Pieces that may wait to be sent.
const WAITING: usize = 8;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Relinked {
    /// Of the weights; none where they are those that come with the program.
    pub version: Option<String>,
    pub mentions: u64,
    pub nodes: u64,
    pub persons: u64,
    /// Pairs of nodes compared.
    pub pairs: u64,
    pub same: u64,
    /// Pairs that are for people to decide.
    pub possible: u64,
    /// Blocking keys left out because too many nodes have them.
    pub overfull_keys: u64,
    /// Components with too many nodes to be clustered by their links.
    pub oversize_components: u64,
    pub contested_numbers: u64,
    /// Rows of mentions, nodes, keys and links that are other than before.
    pub changed_rows: u64,
    pub seconds: f64,
}

/// Links everything anew.
pub async fn relink(runs: &Runs<'_>) -> Result<Relinked, LinkingError> {
    runs.run(Begun::Relink, relink_once).await
}

async fn relink_once(run: &Run<'_>) -> Result<Relinked, LinkingError> {
    let mut transaction = tx::begin(run.long).await?;
    prepare(&mut transaction, run).await?;
    let relinked = anew(&mut transaction, run).await?;
    transaction.commit().await?;
    follow(run).await?;
    Ok(relinked)
}

/// Lets the transaction take its time and waits until nobody else changes persons; they stand still until it ends.
pub(crate) async fn prepare(
    transaction: &mut PgConnection,
    run: &Run<'_>,
) -> Result<(), LinkingError> {
    run.at(Step::Wait, 0, 0).await?;
    store::prepare(transaction).await?;
    locks::exclude_others(transaction).await?;
    Ok(())
}

/// Links everything anew within a transaction that is prepared.
pub(crate) async fn anew(
    transaction: &mut PgConnection,
    run: &Run<'_>,
) -> Result<Relinked, LinkingError> {
    let begun = Instant::now();
    let model = Arc::new(Model::in_force(transaction).await?);
    let everyone = Everyone::read(transaction, &model, run).await?;
    decided::follow_all(transaction).await?;
    let anew = Anew {
        everyone,
        decisions: judgement::every(transaction).await?,
        workers: workers(),
        model,
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    let linking = tokio::task::spawn_blocking(move || anew.link(&sender));
    rows::write(transaction, receiver, run).await?;
    let (mut relinked, overfull) = linking.await?;
    run.at(Step::Switch, 0, 0).await?;
    let replaced = store::replace(transaction, &overfull).await?;
    relinked.changed_rows = replaced.mentions + replaced.nodes + replaced.blocks + replaced.links;
    relinked.seconds = begun.elapsed().as_secs_f64();
    Ok(relinked)
}

/// Lets duplicate findings follow the persons that stand now. A run that is cut short here is to be repeated.
async fn follow(run: &Run<'_>) -> Result<(), LinkingError> {
    let cases = replay::count(&mut *run.long.acquire().await?).await?;
    let total = u64::try_from(cases).unwrap_or(0);
    pass::follow_persons(run.long, &Rules::shipped(), async |done| {
        run.at(Step::Switch, done as u64, total).await
    })
    .await
}
