//! Commands about figures.

use std::fmt::Write;

use anyhow::anyhow;
use serde_json::json;

use super::{Failure, Output, change};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::statistics::calendar::Calendar;
use crate::statistics::recount::{Recounted, recount};
use crate::statistics::verify::{self, Verification};

/// Cells named in text; JSON names all.
const NAMED: usize = 20;

pub(super) async fn verify(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let verified = verify::verify(&database.general, &Calendar::builtin()).await;
    database.close().await?;
    let verification = verified?;
    output.print(&verification, || text(&verification))?;
    match verification.differences.len() {
        0 => Ok(()),
        different => Err(anyhow!(
            "{different} cells of the rollup are not what the cases come to; published figures are in doubt"
        )
        .into()),
    }
}

pub(super) async fn rebuild(config: &Config, output: &Output) -> Result<(), Failure> {
    let recounted = change(config, Action::RebuildFigures, json!({}), async |database| {
        let recounted = recount(&database.general, &Calendar::builtin()).await?;
        let recounted = recounted.ok_or_else(|| {
            anyhow!("everything is being counted again already; see how far it is with: notary-hub jobs")
        })?;
        let detail = serde_json::to_value(recounted)?;
        Ok((recounted, detail))
    })
    .await?;
    output.print(&recounted, || {
        let Recounted { cells, persons } = recounted;
        format!("counted again: {cells} cells, {persons} persons")
    })?;
    Ok(())
}

fn text(verification: &Verification) -> String {
    let Verification { cells, differences } = verification;
    if differences.is_empty() {
        return format!("equal: {cells} cells");
    }
    let mut text = format!(
        "{:<16}  {:<10}  {:<28}  {:<16}  counts\n",
        "office", "begins on", "matter type, or cut", "relation, or notary"
    );
    for cell in differences.iter().take(NAMED) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<16}  {:<10}  {:<28}  {:<16}  held {:?}, counted {:?}",
            cell.office_id,
            cell.begins_on,
            cell.matter_type.unwrap_or(cell.cut),
            cell.foreign_relation
                .or(cell.notary.as_deref())
                .unwrap_or(""),
            cell.held,
            cell.counted
        );
    }
    if differences.len() > NAMED {
        let _ = writeln!(text, "and {} more", differences.len() - NAMED);
    }
    text
}
