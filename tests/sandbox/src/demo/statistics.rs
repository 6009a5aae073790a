//! A statistics table as the bureau gets it over REST.

use anyhow::Context;
use sandbox::Bureau;
use serde_json::Value;

use super::cast;
use super::terminal::{pad, thousands};

/// Matters shown; the rest is in the totals.
const SHOWN: usize = 12;
/// What the table is asked with.
pub(super) const PATH: &str = "/api/v1/statistics?group_by=matter_type&from=2024\
                               &measures=accepted,refused,issued,within_limit_rate,fee_charged_fen";

/// The last year of the city by matter, signed in as the analyst.
pub(super) async fn table(bureau: &Bureau) -> anyhow::Result<String> {
    let rest = bureau
        .rest()?
        .sign_in(cast::ANALYST, cast::PASSWORD)
        .await?;
    let mut answer = rest.get(PATH).await?;
    let mut rows: Vec<Value> =
        serde_json::from_value(answer["rows"].take()).context("a table has rows")?;
    rows.sort_by_key(|row| std::cmp::Reverse(row["figures"][0]["value"].as_u64()));
    let mut lines = vec![format!(
        "  {} {:>9} {:>8} {:>8} {:>8} {:>14}",
        pad("2024", 34),
        "accepted",
        "refused",
        "issued",
        "in time",
        "fees, yuan"
    )];
    let name = |row: &Value| row["keys"][0]["name_zh"].as_str().unwrap_or("?").to_owned();
    let of_row = |row: &Value| line(&name(row), &row["figures"]);
    lines.extend(rows.iter().take(SHOWN).map(of_row));
    lines.push(line("all matters", &answer["totals"]));
    Ok(lines.join("\n"))
}

/// `figures` in the order of the measures asked for.
fn line(name: &str, figures: &Value) -> String {
    let number = |at: usize| figures[at]["value"].as_u64().unwrap_or(0);
    let [accepted, refused, issued] = [0, 1, 2].map(|at| thousands(number(at)));
    let in_time = figures[3]["value"]
        .as_f64()
        .map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    let yuan = thousands(number(4) / 100);
    format!(
        "  {} {accepted:>9} {refused:>8} {issued:>8} {in_time:>8} {yuan:>14}",
        pad(name, 34)
    )
}
