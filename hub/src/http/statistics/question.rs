//! A question about figures, read from query parameters.

use std::str::FromStr;

use serde::Deserialize;
use time::Date;
use utoipa::IntoParams;

use crate::http::problem::Problem;
use crate::statistics::dimension::{Dimension, Section, grain};
use crate::statistics::family::Family;
use crate::statistics::measure::{self, Measure};
use crate::statistics::period::{Grain, Period, Span, day};
use crate::statistics::query::{Filter, MOST_ROWS, Query};
use crate::supervision::rule::{RuleId, Rules};

/// Lists have commas between their items.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Question {
    /// Codes of `/statistics/measures`; those counted from cases when absent.
    measures: Option<String>,
    /// Codes of `/statistics/measures`, each once, one of time at most, that every measure asked for has; `office` when
    /// absent, nothing when empty.
    group_by: Option<String>,
    /// One of `group_by`, whose values become columns.
    pivot: Option<String>,
    /// First period, e.g. 2024, 2024-H1, 2024-Q1, 2024-01, 2024-01-31; the first there is when absent.
    from: Option<String>,
    /// Last period, included; `from` when only that is given.
    to: Option<String>,
    /// The day whose offices and districts figures are shown by, e.g. 2021-01-01; today when absent.
    structure_on: Option<String>,
    /// Offices alone.
    office: Option<String>,
    /// Districts alone, by GB/T 2260.
    district: Option<String>,
    /// Levels alone.
    level: Option<String>,
    /// Matters alone.
    matter_type: Option<String>,
    /// Groups of matters alone.
    matter_group: Option<String>,
    /// Foreign relations alone.
    foreign_relation: Option<String>,
    /// Rules of supervision alone.
    rule: Option<String>,
    /// Findings of these severities alone.
    finding_severity: Option<String>,
    /// Filings of these kinds alone.
    filing_kind: Option<String>,
}

impl Question {
    /// What is asked for; `known` are the rules of supervision that there are.
    pub(super) fn query(&self, known: &Rules) -> Result<Query, Problem> {
        let group_by = match &self.group_by {
            None => vec![Dimension::Office],
            Some(text) => dimensions(text)?,
        };
        let pivot = self.pivot.as_deref().map(|code| pivot(code, &group_by));
        let filter = Filter {
            offices: list("office", self.office.as_deref(), "office ids")?,
            districts: list("district", self.district.as_deref(), "district codes")?,
            levels: list("level", self.level.as_deref(), "municipal or county")?,
            matter_types: list("matter_type", self.matter_type.as_deref(), CATALOGUE)?,
            matter_groups: list("matter_group", self.matter_group.as_deref(), CATALOGUE)?,
            foreign_relations: list(
                "foreign_relation",
                self.foreign_relation.as_deref(),
                MEASURES,
            )?,
            rules: rules(self.rule.as_deref(), known)?,
            finding_severities: list(
                "finding_severity",
                self.finding_severity.as_deref(),
                MEASURES,
            )?,
            filing_kinds: list("filing_kind", self.filing_kind.as_deref(), MEASURES)?,
        };
        let period = period(self.from.as_deref(), self.to.as_deref(), &group_by)?;
        let measures = match &self.measures {
            None => measure::ALL
                .iter()
                .filter(|measure| measure.family() == Family::Cases)
                .collect(),
            Some(text) => measures(text)?,
        };
        had(&measures, &group_by, &filter, period)?;
        Ok(Query {
            section: section(&group_by, &filter, period)?,
            most: MOST_ROWS,
            measures,
            pivot: pivot.transpose()?,
            structure_on: self.structure_on.as_deref().map(structure_on).transpose()?,
            period,
            group_by,
            filter,
        })
    }
}

const CATALOGUE: &str = "codes of the catalogue";
const MEASURES: &str = "codes of `/statistics/measures`";

fn list<T: FromStr>(name: &str, text: Option<&str>, expected: &str) -> Result<Vec<T>, Problem> {
    let items = text.map(|text| text.split(',').map(str::parse).collect());
    items
        .unwrap_or(Ok(Vec::new()))
        .map_err(|_| Problem::field(name, expected))
}

fn rules(text: Option<&str>, known: &Rules) -> Result<Vec<RuleId>, Problem> {
    let rules: Vec<RuleId> = list("rule", text, MEASURES)?;
    match rules.iter().all(|id| known.rule(id.as_str()).is_some()) {
        true => Ok(rules),
        false => Err(Problem::field("rule", MEASURES)),
    }
}

fn measures(text: &str) -> Result<Vec<&'static Measure>, Problem> {
    let expected = "codes of `/statistics/measures`, each once";
    let mut measures: Vec<&Measure> = Vec::new();
    for code in text.split(',') {
        match Measure::from_code(code) {
            Some(measure) if measures.iter().all(|known| known.code != code) => {
                measures.push(measure);
            }
            _ => return Err(Problem::field("measures", expected)),
        }
    }
    Ok(measures)
}

fn dimensions(text: &str) -> Result<Vec<Dimension>, Problem> {
    let expected = "dimensions of `/statistics/measures`, each once, one of time at most";
    let mut dimensions = Vec::new();
    for code in text.split(',').filter(|_| !text.is_empty()) {
        let known = Dimension::from_code(code).filter(|known| !dimensions.contains(known));
        dimensions.push(known.ok_or_else(|| Problem::field("group_by", expected))?);
    }
    let of_time = |dimension: &&Dimension| matches!(dimension, Dimension::Time(_));
    match dimensions.iter().filter(of_time).count() {
        0 | 1 => Ok(dimensions),
        _ => Err(Problem::field("group_by", expected)),
    }
}

fn structure_on(text: &str) -> Result<Date, Problem> {
    day(text).ok_or_else(|| Problem::field("structure_on", "a day such as 2021-01-01"))
}

fn pivot(code: &str, group_by: &[Dimension]) -> Result<Dimension, Problem> {
    let known = Dimension::from_code(code).filter(|known| group_by.contains(known));
    known.ok_or_else(|| Problem::field("pivot", "one of `group_by`"))
}

fn period(from: Option<&str>, to: Option<&str>, group_by: &[Dimension]) -> Result<Period, Problem> {
    let expected = "a period such as 2024, 2024-H1, 2024-Q1, 2024-01 or 2024-01-31";
    let span = |name: &str, text: Option<&str>| {
        let span = text.map(|text| Span::parse(text).ok_or_else(|| Problem::field(name, expected)));
        span.transpose()
    };
    let (from, to) = (span("from", from)?, span("to", to)?);
    let period = Period {
        first: from.map(|span| span.first),
        last: to.or(from).map(|span| span.last),
    };
    let grain = grain(group_by).unwrap_or(Grain::Day);
    match period.span() {
        Some(span) if span.last < span.first => Err(Problem::field(
            "to",
            "a period that does not end before `from`",
        )),
        _ if !period.is_made_of(grain) => Err(Problem::field(
            "from",
            "whole periods of the kind that `group_by` names",
        )),
        _ => Ok(period),
    }
}

/// Every measure has figures by what is asked for.
fn had(
    measures: &[&Measure],
    group_by: &[Dimension],
    filter: &Filter,
    period: Period,
) -> Result<(), Problem> {
    let days = (!period.is_made_of(Grain::Month)).then_some(Dimension::Time(Grain::Day));
    let filters = filter.codes().into_iter();
    let filters: Vec<Dimension> = filters
        .filter(|(_, values)| !values.is_empty())
        .map(|(dimension, _)| dimension)
        .collect();
    for measure in measures {
        let code = measure.code;
        if let Some(lacking) = measure.lacks(group_by) {
            let lacking = lacking.code();
            let expected =
                format!("dimensions that every measure has; `{code}` has no `{lacking}`");
            return Err(Problem::field("group_by", &expected));
        }
        if let Some(lacking) = measure.lacks(&filters) {
            let expected =
                format!("nothing beside the measure `{code}`, which has no such dimension");
            return Err(Problem::field(lacking.code(), &expected));
        }
        if measure.lacks(days.as_slice()).is_some() {
            let expected = format!("whole months, by which `{code}` is counted");
            return Err(Problem::field("from", &expected));
        }
    }
    Ok(())
}

/// Matters, notaries and days are cut apart: the rollup would have a cell for nearly every case otherwise.
fn section(group_by: &[Dimension], filter: &Filter, period: Period) -> Result<Section, Problem> {
    let of_matters = !filter.matter_types.is_empty()
        || !filter.matter_groups.is_empty()
        || !filter.foreign_relations.is_empty();
    let mut needed: Vec<Section> = group_by.iter().filter_map(|by| by.section()).collect();
    needed.extend(of_matters.then_some(Section::Matter));
    needed.extend((!period.is_made_of(Grain::Month)).then_some(Section::Day));
    match needed.first() {
        None => Ok(Section::Matter),
        Some(section) if needed.iter().all(|other| other == section) => Ok(*section),
        Some(_) => Err(Problem::field(
            "group_by",
            "matters, notaries or days; figures are not told apart by two of them at once",
        )),
    }
}
