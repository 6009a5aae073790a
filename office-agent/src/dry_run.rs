//! What mapping would make of a source's rows, told without storing or sending anything: for whoever writes
//! the mapping file. Shows no value but keys of cases and codes that look like codes.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use linkage::shape;
use serde::{Serialize, Serializer};

use crate::mapping::{Case, Mapping, Reject};
use crate::source::repeats::{Repeats, Version};
use crate::source::row::{self, Found, Row};

/// Places shown for each kind of reject.
const MOST_PLACES: usize = 5;
/// Unknown codes shown for each column.
const MOST_CODES: usize = 50;
/// Longest text that is shown as a code, in characters.
const CODE_CHARS: usize = 20;
/// Digits in a row from which a text is a number of somebody rather than a code.
const NUMBER_DIGITS: usize = 7;

/// A report in the making, and made: rows are added one by one.
#[derive(Debug, Serialize)]
pub struct DryRun<'a> {
    #[serde(skip)]
    mapping: &'a Mapping,
    /// Columns the source showed, by child and place.
    #[serde(skip)]
    seen: BTreeMap<Option<String>, BTreeMap<String, BTreeSet<String>>>,
    /// Rows and lines that are none.
    rows: u64,
    /// Rows that would be taken.
    cases: u64,
    by_state: BTreeMap<&'static str, u64>,
    by_matter: BTreeMap<&'static str, u64>,
    rejects: Vec<RejectGroup>,
    unknown_codes: BTreeMap<String, UnknownCodes>,
    unverified_identifiers: BTreeMap<&'static str, u64>,
    #[serde(serialize_with = "kept")]
    repeats: Repeats,
}

fn kept<S: Serializer>(repeats: &Repeats, serializer: S) -> Result<S::Ok, S::Error> {
    repeats.kept().serialize(serializer)
}

/// Rejects of one rule and field.
#[derive(Debug, Serialize)]
struct RejectGroup {
    rule: &'static str,
    /// With `[]` for any position: `parties[].name`.
    field: String,
    count: u64,
    examples: Vec<Example>,
}

#[derive(Debug, Serialize)]
struct Example {
    /// Empty when the row has no usable key.
    source_case_id: String,
    location: String,
    value_shape: String,
}

/// Codes of one column that the mapping does not know.
#[derive(Debug, Default, Serialize)]
struct UnknownCodes {
    /// Code, or shape where it does not look like a code, with its rows.
    codes: BTreeMap<String, u64>,
    /// Rows with further ones.
    others: u64,
}

/// Columns by which source and mapping differ.
#[derive(Debug, Serialize)]
pub(crate) struct ColumnGaps {
    /// The source has them, the mapping neither reads nor ignores them.
    unmapped: BTreeSet<String>,
    /// The mapping reads them, the source does not have them.
    lacking: BTreeSet<String>,
}

impl<'a> DryRun<'a> {
    /// An empty report on a mapping.
    #[must_use]
    pub fn new(mapping: &'a Mapping) -> Self {
        Self {
            mapping,
            seen: BTreeMap::new(),
            rows: 0,
            cases: 0,
            by_state: BTreeMap::new(),
            by_matter: BTreeMap::new(),
            rejects: Vec::new(),
            unknown_codes: BTreeMap::new(),
            unverified_identifiers: BTreeMap::new(),
            repeats: Repeats::default(),
        }
    }

    /// Takes one find in.
    pub fn add(&mut self, found: Found) {
        self.rows += 1;
        let row = match found {
            Found::Row(row) => row,
            Found::Malformed { location, fields } => {
                return self.refuse(&Reject::malformed(location, fields));
            }
        };
        self.see(None, &row);
        for (column, code) in self.mapping.unknown_codes(&row) {
            count_code(
                self.unknown_codes.entry(column.to_owned()).or_default(),
                code,
            );
        }
        match self.mapping.case(&row) {
            Ok(case) => {
                let version = Version {
                    content: row::content(&row),
                    location: row.location,
                    revision: case.revision,
                };
                self.repeats.see(case.source_case_id.as_str(), version);
                self.take(&case);
            }
            Err(reject) => self.refuse(&reject),
        }
    }

    /// Whether all rows would be taken and all codes and columns are known.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let gaps = self.gaps();
        self.takes_all() && gaps.unmapped.is_empty() && gaps.lacking.is_empty()
    }

    /// Whether every row would be taken and every code is known; columns may be left over, or lacking where they may.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.rejects.is_empty() && self.unknown_codes.is_empty() && self.repeats.kept().is_empty()
    }

    /// The report for programs.
    ///
    /// # Errors
    /// Never for a report; the type is serde's.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Report<'r> {
            #[serde(flatten)]
            run: &'r DryRun<'r>,
            columns: ColumnGaps,
        }

        serde_json::to_string_pretty(&Report {
            run: self,
            columns: self.gaps(),
        })
    }

    fn see(&mut self, child: Option<&str>, row: &Row) {
        let places = self.seen.entry(child.map(str::to_owned)).or_default();
        let seen = places
            .entry(row::place(&row.location).to_owned())
            .or_default();
        for column in row.columns.names() {
            if !seen.contains(column) {
                seen.insert(column.clone());
            }
        }
        for (name, rows) in &row.children {
            for row in rows {
                self.see(Some(name), row);
            }
        }
    }

    fn take(&mut self, case: &Case) {
        self.cases += 1;
        *self.by_state.entry(case.state.code()).or_default() += 1;
        *self.by_matter.entry(case.matter_type.code()).or_default() += 1;
        let identifiers = case
            .parties
            .iter()
            .filter_map(|party| party.identifier.as_ref());
        for identifier in identifiers.filter(|identifier| identifier.verified().is_none()) {
            let kind = identifier.kind().code();
            *self.unverified_identifiers.entry(kind).or_default() += 1;
        }
    }

    fn refuse(&mut self, reject: &Reject) {
        let rule = reject.rule.code();
        let field = any_position(&reject.field);
        let known = self
            .rejects
            .iter()
            .position(|group| group.rule == rule && group.field == field);
        let at = known.unwrap_or_else(|| {
            self.rejects.push(RejectGroup {
                rule,
                field,
                count: 0,
                examples: Vec::new(),
            });
            self.rejects.len() - 1
        });
        if let Some(group) = self.rejects.get_mut(at) {
            group.count += 1;
            if group.examples.len() < MOST_PLACES {
                let id = reject.source_case_id.as_ref();
                group.examples.push(Example {
                    source_case_id: id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
                    location: reject.location.clone(),
                    value_shape: reject.value_shape.clone(),
                });
            }
        }
    }

    /// Each file is judged by itself: one may lack a column that the others have. Children nobody saw are not judged: no
    /// row may have had any.
    pub(crate) fn gaps(&self) -> ColumnGaps {
        let ignored: BTreeSet<&str> = self.mapping.ignored().collect();
        let known = self.mapping.columns();
        let own = known.get(&None).cloned().unwrap_or_default();
        let mut gaps = ColumnGaps {
            unmapped: BTreeSet::new(),
            lacking: BTreeSet::new(),
        };
        for (child, places) in &self.seen {
            let reads = known.get(&child.as_deref()).cloned().unwrap_or_default();
            let named = |column: &str| match child {
                Some(child) => format!("{child}.{column}"),
                None => column.to_owned(),
            };
            // A child row repeats its case's key, by which it was joined.
            let is_known = |column: &str| {
                reads.contains(column) || ignored.contains(column) || own.contains(column)
            };
            let (mut unmapped, mut lacking) = (Places::new(), Places::new());
            for (place, seen) in places.iter().filter(|(_, seen)| !seen.is_empty()) {
                for column in seen.iter().filter(|column| !is_known(column)) {
                    unmapped.entry(column).or_default().push(place);
                }
                for column in reads.iter().filter(|column| !seen.contains(**column)) {
                    lacking.entry(column).or_default().push(place);
                }
            }
            let told = |(column, at): (&str, Vec<&str>)| match at.len() == places.len() {
                true => named(column),
                false => format!("{} ({})", named(column), first_of(&at)),
            };
            gaps.unmapped.extend(unmapped.into_iter().map(told));
            gaps.lacking.extend(lacking.into_iter().map(told));
        }
        gaps
    }
}

/// Where each of some columns is, or is not.
type Places<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Some of the places, and how many more there are.
fn first_of(places: &[&str]) -> String {
    let first = &places[..places.len().min(MOST_PLACES)];
    match places.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn count_code(codes: &mut UnknownCodes, code: &str) {
    let shown = match looks_like_a_code(code) {
        true => code.to_owned(),
        false => format!("shape {}", shape::of(code)),
    };
    if codes.codes.len() == MOST_CODES && !codes.codes.contains_key(&shown) {
        codes.others += 1;
    } else {
        *codes.codes.entry(shown).or_default() += 1;
    }
}

/// Short, in one line and without a long number.
fn looks_like_a_code(text: &str) -> bool {
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    text.chars().count() <= CODE_CHARS && !text.contains(char::is_control) && digits < NUMBER_DIGITS
}

/// `parties[3].name` as `parties[].name`.
fn any_position(field: &str) -> String {
    match (field.find('['), field.find(']')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", &field[..=open], &field[close..])
        }
        _ => field.to_owned(),
    }
}

#[cfg(test)]
mod tests;
