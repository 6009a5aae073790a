//! Which of the office's own cases the quality rules point at, and where: the hub tells how many, and sees neither the
//! office's columns nor its numbers. Nothing of this is stored or sent.

use std::collections::BTreeMap;
use std::fmt;

use linkage::identifier::ParsedIdentifier;
use linkage::quality::{self, About, CaseFacts, Document, PartyFacts, QualityRule};
use serde::Serialize;

use crate::mapping::{Case, Mapping, Party, label_zh};
use crate::source::row::{Found, Row};

/// Findings of the cases of one source, as its rows come.
#[derive(Debug, Default)]
pub struct Quality {
    /// Of a case that comes again, the last row's.
    by_case: BTreeMap<String, Vec<Finding>>,
}

/// One thing to look at, for the office's staff. Holds no value of the row but its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: QualityRule,
    /// The case.
    pub source_case_id: String,
    /// Where its row stands.
    pub location: String,
    /// Canonical field.
    pub field: String,
    /// What the field is called.
    pub field_zh: String,
    /// The office's own name of the field's column, when it is read from one.
    pub column: Option<String>,
    /// What is wrong with it, where the rule alone does not say; may be empty.
    pub detail_zh: String,
}

impl Quality {
    /// Takes one find in. What is no case is refused, which others tell.
    pub fn add(&mut self, mapping: &Mapping, found: &Found) {
        let Found::Row(row) = found else {
            return;
        };
        let Ok(case) = mapping.case(row) else {
            return;
        };
        let key = case.source_case_id.as_str();
        let found = findings(&case);
        let finding = |found| Finding::new(found, &case, mapping, row);
        match found.is_empty() {
            true => self.by_case.remove(key),
            false => {
                (self.by_case).insert(key.to_owned(), found.into_iter().map(finding).collect())
            }
        };
    }

    /// All findings by rule, in the order of the cases.
    #[must_use]
    pub fn by_rule(&self) -> BTreeMap<QualityRule, Vec<&Finding>> {
        let mut by_rule: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for finding in self.by_case.values().flatten() {
            by_rule.entry(finding.rule).or_default().push(finding);
        }
        by_rule
    }
}

impl Finding {
    fn new(found: quality::Finding, case: &Case, mapping: &Mapping, row: &Row) -> Self {
        Self {
            rule: found.rule,
            source_case_id: case.source_case_id.as_str().to_owned(),
            location: row.location.clone(),
            field_zh: label_zh(&found.field),
            column: mapping.column_of(row, &found.field).map(str::to_owned),
            field: found.field,
            detail_zh: detail_zh(found.about, case),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "案件 {}　{}", self.source_case_id, self.field_zh)?;
        if let Some(column) = &self.column {
            write!(f, "（列 {column}）")?;
        }
        if !self.detail_zh.is_empty() {
            write!(f, "　{}", self.detail_zh)?;
        }
        write!(f, "　{}", self.location)
    }
}

fn findings(case: &Case) -> Vec<quality::Finding> {
    let facts = CaseFacts {
        state: case.state,
        matter_type: case.matter_type,
        has_case_no: case.case_no.is_some(),
        applied_on: case.applied_on,
        accepted_on: case.accepted_on,
        issued_on: case.issued_on,
        closed_on: case.closed_on,
    };
    quality::findings(&facts, case.parties.iter().map(facts_of))
}

fn facts_of(party: &Party) -> PartyFacts {
    PartyFacts {
        role: party.role,
        kind: party.kind,
        document: match &party.identifier {
            None => Document::None,
            Some(ParsedIdentifier::Verified(_)) => Document::Verified,
            Some(ParsedIdentifier::Unverified(identifier)) => {
                Document::Unverified(identifier.kind())
            }
        },
    }
}

fn detail_zh(about: About, case: &Case) -> String {
    let role = |at: usize| {
        case.parties
            .get(at)
            .map_or("", |party| party.role.label_zh())
    };
    match about {
        About::Case => String::new(),
        About::Before(earlier) => format!("早于{}", label_zh(earlier)),
        About::Party(at) => role(at).to_owned(),
        About::Document(at, kind) => {
            let identifier = case
                .parties
                .get(at)
                .and_then(|party| party.identifier.as_ref());
            let why = match identifier {
                Some(ParsedIdentifier::Unverified(identifier)) => identifier.reason().label_zh(),
                _ => "",
            };
            format!("{}，{}：{why}", role(at), kind.label_zh())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::row::Columns;

    const MAPPING: &str = r#"
        [case]
        source_case_id = "AJBH"
        state = "ZT"
        matter_type = { value = "mandate" }
        foreign_relation = { value = "domestic" }
        applied_on = "SQRQ"
        accepted_on = "SLRQ"
        [[party]]
        when = "SQR"
        role = { value = "principal" }
        kind = { value = "natural" }
        name = "SQR"
        identifier = "SQR_ZJH"
        [[party]]
        when = "DLR"
        role = { value = "agent" }
        kind = { value = "natural" }
        name = "DLR"
        identifier = "DLR_ZJH"
    "#;

    const NAMES: [&str; 8] = [
        "AJBH", "ZT", "SQRQ", "SLRQ", "SQR", "SQR_ZJH", "DLR", "DLR_ZJH",
    ];

    fn row(line: u32, cells: [&str; 8]) -> Found {
        Found::Row(Row {
            location: format!("a.csv:{line}"),
            columns: Columns::new(NAMES.map(str::to_owned).to_vec()),
            cells: cells.map(|cell| Some(cell.to_owned())).to_vec(),
            children: BTreeMap::new(),
        })
    }

    fn told(rows: &[Found]) -> Vec<String> {
        let mapping = Mapping::parse(MAPPING, Path::new("m.toml")).expect("a mapping");
        let mut quality = Quality::default();
        rows.iter().for_each(|found| quality.add(&mapping, found));
        let by_rule = quality.by_rule();
        let findings = by_rule.into_values().flatten();
        findings.map(ToString::to_string).collect()
    }

    const GOOD: &str = "11010519491231002X";
    const WRONG: &str = "110105194912310021";

    #[test]
    fn each_finding_names_case_field_column_and_what_is_wrong() {
        let day = "2024-06-03";
        let told = told(&[
            row(2, ["a", "accepted", day, day, "张三", GOOD, "李四", WRONG]),
            row(3, ["b", "accepted", day, "2024-06-01", "张三", "", "", ""]),
            row(4, ["c", "accepted", day, day, "张三", GOOD, "", ""]),
        ]);
        assert_eq!(
            told,
            [
                "案件 a　第2个当事人的证件号码（列 DLR_ZJH）　受托人，居民身份证：校验位不符　a.csv:2",
                "案件 b　第1个当事人的证件号码（列 SQR_ZJH）　委托人　a.csv:3",
                "案件 b　受理日期（列 SLRQ）　早于申请日期　a.csv:3",
            ]
        );
        assert!(
            told.iter()
                .all(|line| !line.contains("1949") && !line.contains("张三"))
        );
    }

    #[test]
    fn the_last_row_of_a_case_is_the_one_that_is_told_of() {
        let wrong = |line| row(line, ["a", "applied", "", "", "张三", WRONG, "", ""]);
        let good = row(3, ["a", "applied", "", "", "张三", GOOD, "", ""]);
        assert_eq!(told(&[wrong(2), good.clone()]).len(), 0);
        assert_eq!(told(&[wrong(2), good, wrong(4)]).len(), 1);
    }
}
