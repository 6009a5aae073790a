//! The bureau's oversight: what it has on file of the offices, what they file, and what the rules point at.

use std::fs;
use std::time::Duration;

use anyhow::bail;
use sandbox::{Agent, Breaches, Bureau, LeftOut, Setting, oversight, poll};
use serde_json::json;
use synthetic_city::{City, Filing};
use time::{OffsetDateTime, macros::offset};

use super::cast;

/// Everything is judged within minutes.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// What the bureau came to, beside what the offices did.
pub(super) struct Oversight {
    pub(super) breaches: Breaches,
    pub(super) left_out: LeftOut,
}

/// Puts on file what offices may do, before they send their cases.
pub(super) async fn register(bureau: &Bureau, city: &City) -> anyhow::Result<()> {
    let rest = bureau
        .rest()?
        .sign_in(cast::OPERATOR, cast::PASSWORD)
        .await?;
    for office in city.offices() {
        let profile = serde_json::to_value(oversight::profile(office))?;
        let path = format!("/api/v1/offices/{}/profile", office.id);
        rest.put(&path, profile).await?;
    }
    Ok(())
}

/// Lets every office file what it filed in the city's past, and all cases be judged with it.
pub(super) async fn judge(setting: &mut Setting) -> anyhow::Result<Oversight> {
    let pool = setting.bureau.database().await?;
    let city = setting.town.city();
    let mut filed = Vec::new();
    for (agent, &office) in setting.agents.iter().zip(&setting.offices) {
        let filings = [city.filings(office), oversight::assessments(office)].concat();
        file(agent, &filings).await?;
        oversight::date_back(&pool, &filings).await?;
        filed.push((office, filings));
    }
    setting.bureau.run(&["supervision", "replay"]).await?;
    let waits = "SELECT EXISTS (SELECT FROM supervision_work)";
    poll::holds("all cases are judged", LIMIT, async || {
        let waits: bool = sqlx::query_scalar(waits).fetch_one(&pool).await?;
        Ok(!waits)
    })
    .await?;
    let today = OffsetDateTime::now_utc().to_offset(offset!(+8)).date();
    Ok(Oversight {
        breaches: Breaches::take(city, &setting.offices, &pool, today).await?,
        left_out: LeftOut::take(city, &filed, &pool, today).await?,
    })
}

/// `office-agent file`.
async fn file(agent: &Agent, filings: &[Filing]) -> anyhow::Result<()> {
    let list: Vec<_> = filings
        .iter()
        .map(|filing| {
            json!({
                "kind": filing.kind, "filing_id": filing.filing_id, "source_case_id": filing.source_case_id,
                "text": filing.text, "fields": filing.fields,
            })
        })
        .collect();
    let path = agent.data_dir().join("filings.json");
    fs::write(&path, serde_json::to_vec(&list)?)?;
    let answer = agent.run(&["file", &path.to_string_lossy()]).await?;
    if answer.code != Some(0) {
        bail!("filings of {}: {}", agent.office_id(), answer.err.trim());
    }
    Ok(())
}
