//! A statistics table as the bureau gets it over REST.

use anyhow::Context;
use sandbox::Bureau;
use serde_json::Value;

use super::cast;
use super::terminal::{pad, thousands};

/// Matters shown; the rest is in the totals.
const SHOWN: usize = 12;
/// What the table is asked with.
pub(super) const PATH: &str = "/api/v1/statistics?group_by=matter_type&from=2024-01&to=2024-12";

/// The last year of the city by matter, signed in as the analyst.
pub(super) async fn table(bureau: &Bureau) -> anyhow::Result<String> {
    let rest = bureau
        .rest()?
        .sign_in(cast::ANALYST, cast::PASSWORD)
        .await?;
    let mut answer = rest.get(PATH).await?;
    let mut rows: Vec<Value> =
        serde_json::from_value(answer["rows"].take()).context("a table has rows")?;
    rows.sort_by_key(|row| std::cmp::Reverse(row["accepted"].as_u64()));
    let mut lines = vec![format!(
        "  {} {:>9} {:>8} {:>8} {:>8} {:>14}",
        pad("2024", 34),
        "accepted",
        "refused",
        "issued",
        "in time",
        "fees, yuan"
    )];
    let name = |row: &Value| row["matter_type_zh"].as_str().unwrap_or("?").to_owned();
    lines.extend(rows.iter().take(SHOWN).map(|row| line(&name(row), row)));
    lines.push(line("all matters", &answer["totals"]));
    Ok(lines.join("\n"))
}

fn line(name: &str, figures: &Value) -> String {
    let number = |measure: &str| thousands(figures[measure].as_u64().unwrap_or(0));
    let in_time = figures["within_limit_rate"]
        .as_f64()
        .map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    let yuan = thousands(figures["fee_charged_fen"].as_u64().unwrap_or(0) / 100);
    format!(
        "  {} {:>9} {:>8} {:>8} {in_time:>8} {yuan:>14}",
        pad(name, 34),
        number("accepted"),
        number("refused"),
        number("issued")
    )
}
