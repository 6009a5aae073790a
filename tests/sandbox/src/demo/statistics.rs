//! A statistics table as the bureau gets it over REST.

use anyhow::Context;
use sandbox::Bureau;
use serde_json::Value;

use super::cast;
use super::terminal::{pad, thousands};

/// The newest year's matters, signed in as the analyst.
pub(super) async fn table(bureau: &Bureau) -> anyhow::Result<String> {
    let rest = bureau
        .rest()?
        .sign_in(cast::ANALYST, cast::PASSWORD)
        .await?;
    let answer = rest
        .get("/api/v1/statistics?from=2024-01&to=2024-12&group_by=matter_type")
        .await?;
    let rows = answer["rows"].as_array().context("statistics has rows")?;
    let mut lines = vec![format!(
        "  {} {:>9} {:>9} {:>9}",
        pad("2024", 30),
        "accepted",
        "issued",
        "in time"
    )];
    lines.extend(rows.iter().map(line));
    Ok(lines.join("\n"))
}

fn line(row: &Value) -> String {
    let number = |name: &str| thousands(row[name].as_u64().unwrap_or(0));
    format!(
        "  {} {:>9} {:>9} {:>9}",
        pad(row["matter_type"].as_str().unwrap_or_default(), 30),
        number("accepted"),
        number("issued"),
        number("within_limit")
    )
}
