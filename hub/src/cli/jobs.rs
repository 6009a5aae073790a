//! Long actions, for whoever comes back to one.

use serde_json::json;

use super::{Failure, Output};
use crate::app::Database;
use crate::config::Config;
use crate::jobs::Job;
use crate::local_time::local_time;
use crate::store::job;

/// As many as are shown.
const MOST: i64 = 20;

pub(super) async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let jobs = job::list(&database.general, None, None, MOST).await;
    database.close().await?;
    let jobs = jobs?;
    Ok(output.print(&json!({ "items": jobs }), || text(&jobs))?)
}

fn text(jobs: &[Job]) -> String {
    let line = |job: &Job| {
        let far = match (job.done, job.total) {
            (0, 0) => String::new(),
            (done, 0) => format!(" {done}"),
            (done, total) => format!(" {done} of {total}"),
        };
        format!(
            "{:<8}  {:<9}  begun {} by {}; {}{far}, said at {}",
            job.kind.code(),
            job.state.text(),
            local_time(job.started_at),
            job.started_by,
            job.step.code(),
            local_time(job.reported_at),
        )
    };
    match jobs {
        [] => "there was no long action yet".to_owned(),
        jobs => jobs.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}
