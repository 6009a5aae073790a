//! Watching the cases arrive.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::bail;
use sandbox::{Agent, Setting, poll};
use sqlx::PgPool;
use tokio::time::{Instant, sleep};

use super::terminal::Progress;

/// A hundred thousand cases take a minute or two; a slow machine may take longer.
const LIMIT: Duration = Duration::from_secs(15 * 60);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Where an office's feed stands at the hub.
#[derive(Clone, Copy, Debug)]
struct Feed {
    committed: u64,
    backlog: u64,
}

/// Waits until every agent has read its sources to their end and the hub has committed all of it. Returns the
/// seconds it took.
pub(super) async fn watch(setting: &mut Setting) -> anyhow::Result<f64> {
    let pool = setting.bureau.database().await?;
    let lengths: Vec<u64> = setting
        .offices
        .iter()
        .map(|&office| u64::from(setting.town.city().offices()[office].cases))
        .collect();
    let names = setting.agents.iter().map(Agent::office_id);
    let parts: Vec<(&str, u64)> = names.zip(lengths.iter().copied()).collect();
    let mut progress = Progress::new("city", lengths.iter().sum(), &parts);
    let mut arrived = vec![false; setting.agents.len()];
    let deadline = Instant::now() + LIMIT;
    while arrived.contains(&false) {
        if Instant::now() > deadline {
            bail!(
                "not everything arrived within {} minutes",
                LIMIT.as_secs() / 60
            );
        }
        sleep(LOOK_EVERY).await;
        let feeds = feeds(&pool).await?;
        let mut whole = 0;
        for (index, agent) in setting.agents.iter_mut().enumerate() {
            agent.must_run()?;
            let Some(feed) = feeds.get(agent.office_id()) else {
                continue;
            };
            whole += feed.committed;
            progress.set_part(index, feed.committed);
            // The agent alone knows whether its sources have more; it is only asked when the hub has all of it.
            if !arrived[index] && feed.committed > 0 && feed.backlog == 0 {
                arrived[index] = agent.status().await?.is_caught_up();
            }
        }
        progress.set_whole(whole);
        progress.tick();
    }
    Ok(progress.finish())
}

/// Waits until nothing waits for linkage any more. Returns the seconds it took.
pub(super) async fn linked(setting: &mut Setting) -> anyhow::Result<f64> {
    let pool = setting.bureau.database().await?;
    let begun = Instant::now();
    let waits = "SELECT EXISTS (SELECT FROM link_work)";
    poll::holds("all persons are linked", LIMIT, async || {
        let waits: bool = sqlx::query_scalar(waits).fetch_one(&pool).await?;
        Ok(!waits)
    })
    .await?;
    Ok(begun.elapsed().as_secs_f64())
}

/// The most that an agent holds in memory, MB.
pub(super) fn agent_memory(setting: &Setting) -> anyhow::Result<f64> {
    let mut most = 0.0_f64;
    for agent in &setting.agents {
        most = most.max(agent.memory()?.now);
    }
    Ok(most)
}

async fn feeds(pool: &PgPool) -> Result<HashMap<String, Feed>, sqlx::Error> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as("SELECT office_id, committed_sequence, backlog FROM sync_position")
            .fetch_all(pool)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(office, committed, backlog)| {
            let feed = Feed {
                committed: committed.unsigned_abs(),
                backlog: backlog.unsigned_abs(),
            };
            (office, feed)
        })
        .collect())
}
