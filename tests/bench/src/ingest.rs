//! The hub taking cases in: mutual TLS, decoding, all effects, acknowledged after COMMIT.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::task::JoinSet;

use crate::agent::Agent;
use crate::load::Part;
use crate::site::Hub;

/// Sends all parts at once over streams that are open already; the time until the last ack. Sent to the same hub again
/// it is a replay under a new epoch, as after an agent lost its outbox.
pub(crate) async fn run(hub: &Hub, parts: &[Part]) -> anyhow::Result<Duration> {
    let mut ready = Vec::with_capacity(parts.len());
    let mut expected = 0;
    for part in parts {
        let agent = Agent::open(hub, part.office_id).await?;
        expected += i64::try_from(part.last_sequence()?)?;
        ready.push((agent, part.batches.clone()));
    }
    let begun = Instant::now();
    let mut sending = JoinSet::new();
    for (mut agent, batches) in ready {
        sending.spawn(async move { agent.send(batches).await });
    }
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    let took = begun.elapsed();
    let (held, rejected) = hub.held().await?;
    ensure!(
        held >= expected && rejected == 0,
        "the hub holds {held} of {expected} cases and rejected {rejected}"
    );
    Ok(took)
}
