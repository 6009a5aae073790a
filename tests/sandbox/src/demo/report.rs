//! What a person wants to see of a reckoning.

use std::collections::BTreeMap;

use linkage::matter::Severity;
use sandbox::{Breaches, FigureReckoning, LeftOut, OfficeReckoning, Reckoning, Tally};
use synthetic_city::Vendor;

use super::terminal::{pad, thousands};

pub(super) fn offices(reckoning: &Reckoning) -> String {
    let mut lines = vec![format!(
        "  {} {} {:>9} {:>9} {:>8} {:>6}",
        pad("office", 38),
        pad("its own system", 24),
        "at source",
        "at hub",
        "rejected",
        "lost"
    )];
    lines.extend(reckoning.offices.iter().map(line));
    lines.push(format!(
        "  {} {} {:>9} {:>9} {:>8} {:>6}",
        pad("the city", 38),
        pad("", 24),
        thousands(reckoning.at_sources()),
        thousands(reckoning.at_hub()),
        thousands(reckoning.rejected()),
        thousands(reckoning.lost())
    ));
    lines.join("\n")
}

fn line(office: &OfficeReckoning) -> String {
    let rejected: u64 = office.rejects.values().sum();
    format!(
        "  {} {} {:>9} {:>9} {:>8} {:>6}",
        pad(&format!("{} {}", office.office_id, office.name), 38),
        pad(shape(office.vendor), 24),
        thousands(office.at_source),
        thousands(office.at_hub),
        thousands(rejected),
        thousands(office.lost.len() as u64)
    )
}

fn shape(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Normalised => "A PostgreSQL, 3 tables",
        Vendor::Flat => "B SQLite, pinyin columns",
        Vendor::CsvExport => "C CSV export, GB18030",
        Vendor::Workbook => "D XLSX, 3 sheets",
    }
}

pub(super) fn rejects(reckoning: &Reckoning) -> String {
    let lines: Vec<String> = reckoning
        .rejects_by_rule()
        .into_iter()
        .map(|(rule, count)| format!("  {rule:<24} {count:>6}"))
        .collect();
    lines.join("\n")
}

pub(super) fn duplicates(reckoning: &Reckoning) -> String {
    let table = |shown_by: &str, tallies: &BTreeMap<Severity, Tally>| {
        tallies
            .iter()
            .rev()
            .map(|(severity, tally)| {
                format!(
                    "  {shown_by:<8} {:<10} {:>5} planted {:>5} found {:>5} that are no planted pair",
                    severity.code(),
                    tally.planted,
                    tally.found,
                    tally.false_ones
                )
            })
            .collect::<Vec<_>>()
    };
    let mut lines = table("number", &reckoning.exact);
    lines.extend(table("person", &reckoning.fuzzy));
    lines.join("\n")
}

pub(super) fn breaches(breaches: &Breaches) -> String {
    let lines = breaches.by_rule.iter().map(|(rule, tally)| {
        format!(
            "  {rule:<24} {:>6} planted {:>6} found {:>6} that are none",
            tally.planted, tally.found, tally.false_ones
        )
    });
    let complaints = breaches.complaints().into_iter().take(20);
    lines
        .chain(complaints.map(|complaint| format!("  {complaint}")))
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn left_out(left_out: &LeftOut) -> String {
    let told = format!("{} periodic filings are missing", left_out.missing);
    against_the_city(told, &left_out.differences)
}

pub(super) fn figures(figures: &FigureReckoning) -> String {
    let told = format!("{} figures of an office and a month", figures.compared);
    against_the_city(told, &figures.differences)
}

fn against_the_city(told: String, differences: &[String]) -> String {
    let shown = differences.iter().take(20);
    let shown: String = shown.map(|one| format!("\n  {one}")).collect();
    format!(
        "{told}; not as the city has it: {}{shown}",
        differences.len()
    )
}

/// What went wrong, if anything did; the first twenty.
pub(super) fn complaints(reckoning: &Reckoning) -> Option<String> {
    let complaints = reckoning.complaints();
    let shown: Vec<String> = complaints
        .iter()
        .take(20)
        .map(|complaint| format!("  {complaint}"))
        .collect();
    (!shown.is_empty()).then(|| format!("{} complaints:\n{}", complaints.len(), shown.join("\n")))
}
