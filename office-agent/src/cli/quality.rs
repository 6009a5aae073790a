//! `office-agent quality`: which cases the quality rules point at, by reading the sources.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

use linkage::quality::QualityRule;
use serde_json::json;

use super::{Failure, Output, TO_MEND};
use crate::app;
use crate::config::{Config, Source, SourceName};
use crate::quality::{Finding, Quality};
use crate::source::read_all;

/// Findings of one rule printed unless all are asked for.
const OF_A_RULE: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One source; all when left out. Nothing can be read of a source that is pushed.
    #[arg(long)]
    source: Option<SourceName>,
    /// Print every finding, not some of each rule.
    #[arg(long)]
    all: bool,
}

pub(super) async fn quality(
    config: &Config,
    args: &Args,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let most = match args.all {
        true => usize::MAX,
        false => OF_A_RULE,
    };
    let wanted = |source: &&Source| match &args.source {
        Some(name) => source.name() == name,
        None => true,
    };
    let mut reports = Vec::new();
    let mut text = String::new();
    let mut any = false;
    for source in config.sources.iter().filter(wanted) {
        if matches!(source, Source::Push(_)) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "来源 {} 由办证系统推送，不能重新读取。",
                source.name()
            );
            continue;
        }
        let quality = read(source).await?;
        let by_rule = quality.by_rule();
        any |= !by_rule.is_empty();
        let _ = write(&mut text, source.name(), &by_rule, most);
        reports.push(json!({
            "source": source.name(),
            "findings": by_rule.values().flatten().collect::<Vec<_>>(),
        }));
    }
    if text.is_empty() {
        return Err(Failure::Usage(
            "there is no such source to read; see the names in the configuration".to_owned(),
        ));
    }
    output.print(&reports, || text)?;
    Ok(match any {
        true => ExitCode::from(TO_MEND),
        false => ExitCode::SUCCESS,
    })
}

async fn read(source: &Source) -> Result<Quality, Failure> {
    let mapping = app::mapping(source)?;
    let mut quality = Quality::default();
    let mut reading = read_all(source, None)?;
    while let Some(found) = reading.next().await? {
        found.iter().for_each(|found| quality.add(&mapping, found));
    }
    Ok(quality)
}

fn write(
    text: &mut String,
    source: &SourceName,
    by_rule: &BTreeMap<QualityRule, Vec<&Finding>>,
    most: usize,
) -> std::fmt::Result {
    if by_rule.is_empty() {
        return writeln!(text, "来源 {source}：没有发现数据质量问题。");
    }
    writeln!(
        text,
        "来源 {source}：记录照常报送，请核对后在办证系统中更正"
    )?;
    for (rule, findings) in by_rule {
        let count = findings.len();
        writeln!(text, "\n{}（{rule}）　{count} 处", rule.label_zh())?;
        for finding in findings.iter().take(most) {
            writeln!(text, "  {finding}")?;
        }
        let more = count.saturating_sub(most);
        if more > 0 {
            writeln!(
                text,
                "  ……还有 {more} 处，全部见 office-agent quality --all（或 --json）"
            )?;
        }
    }
    writeln!(text)
}
