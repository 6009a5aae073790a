//! The text of a report, said with what its tables show and nothing else.

use super::document::{Cell, Comparison, Document, Row, Table, cell_of};
use super::period::ReportPeriod;
use crate::statistics::digits;
use crate::statistics::measure::{Number, Unit};

/// Rows that are named.
const NAMED: usize = 3;

/// What stands for a figure that is left out.
pub const WITHHELD: &str = "＊";

/// The paragraphs.
pub fn written(period: ReportPeriod, document: &Document) -> Vec<String> {
    let mut paragraphs = vec![work(period, document), quality(document)];
    let ranked = document
        .tables
        .iter()
        .filter_map(|table| ranking(document, table));
    paragraphs.extend(ranked);
    paragraphs.push(money(document));
    paragraphs.push(supervision(document));
    paragraphs
}

fn supervision(document: &Document) -> String {
    let figure = |code: &str| figure(document, code);
    format!(
        "发现监督问题{}，合规率{}，按期整改率{}；收到投诉{}（{}）；当事人满意度{}；重复申请核查{}，发现重复申请{}、冲突{}；服务当事人{}。",
        figure("findings"),
        figure("compliance_rate"),
        figure("rectification_on_time_rate"),
        figure("complaints"),
        figure("complaint_rate"),
        figure("satisfaction"),
        figure("lookups"),
        figure("duplicates"),
        figure("conflicts"),
        figure("persons"),
    )
}

fn work(period: ReportPeriod, document: &Document) -> String {
    let figure = |code: &str| figure(document, code);
    format!(
        "{}，全市公证机构共受理公证{}{}，出具公证书{}{}；不予受理{}，不予办理{}，终止{}，更正{}，撤销{}。",
        period.name_zh(),
        figure("accepted"),
        changes(document, "accepted"),
        figure("issued"),
        changes(document, "issued"),
        figure("refused"),
        figure("rejected"),
        figure("terminated"),
        figure("corrected"),
        figure("revoked"),
    )
}

fn quality(document: &Document) -> String {
    format!(
        "期限内出证率{}，办理时长中位数{}（自受理次日起计，不计期间除外）。",
        figure(document, "within_limit_rate"),
        figure(document, "handling_days_median"),
    )
}

fn money(document: &Document) -> String {
    format!(
        "受理案件收取公证费{}；减免{}，减免公证费{}；法律援助{}。",
        figure(document, "fee_charged_fen"),
        figure(document, "fee_reduced"),
        figure(document, "fee_reduced_fen"),
        figure(document, "legal_aid"),
    )
}

/// The rows with the most cases, of those that are shown.
fn ranking(document: &Document, table: &Table) -> Option<String> {
    let accepted = |row: &Row| cell_of(&document.columns, row, "accepted")?.value;
    let mut rows: Vec<(&Row, Number)> = table
        .rows
        .iter()
        .filter_map(|row| Some((row, accepted(row)?)))
        .filter(|(_, number)| number.as_f64() > 0.0)
        .collect();
    rows.sort_by(|(_, a), (_, b)| b.as_f64().total_cmp(&a.as_f64()));
    let named: Vec<String> = rows
        .iter()
        .take(NAMED)
        .map(|(row, number)| {
            format!(
                "{}（{}件）",
                row.name_zh,
                digits::grouped(number.as_f64() as i64)
            )
        })
        .collect();
    (!named.is_empty()).then(|| format!("按{}，受理较多的为{}。", table.name_zh, named.join("、")))
}

fn figure(document: &Document, code: &str) -> String {
    let column = document.columns.iter().find(|column| column.code == code);
    let unit = column.map_or(Unit::Count, |column| column.unit);
    let cell = document.total_of(code).unwrap_or_default();
    let text = shown(cell, unit);
    match (unit, cell.value) {
        (_, None) => text,
        (Unit::Count, Some(_)) => format!("{text}件"),
        (Unit::Fen, Some(_)) => format!("{text}元"),
        (Unit::Rate, Some(_)) => text,
        (Unit::Days, Some(_)) => format!("{text}个工作日"),
        (Unit::Persons, Some(_)) => format!("{text}人"),
        (Unit::Times, Some(_)) => format!("{text}次"),
        (Unit::PerTenThousand, Some(_)) => format!("每万件{text}件"),
        (Unit::Score, Some(_)) => format!("{text}分"),
    }
}

fn changes(document: &Document, code: &str) -> String {
    let at = document
        .columns
        .iter()
        .position(|column| column.code == code);
    let Comparison {
        year_on_year,
        period_on_period,
        ..
    } = at
        .and_then(|at| document.compared.get(at).copied())
        .unwrap_or_default();
    let said = [("同比", year_on_year), ("环比", period_on_period)];
    let said: Vec<String> = said
        .into_iter()
        .filter_map(|(name, change)| Some(format!("{name}{}", moved(change?))))
        .collect();
    match said.is_empty() {
        true => String::new(),
        false => format!("（{}）", said.join("，")),
    }
}

fn moved(change: f64) -> String {
    let percent = digits::percent(change.abs());
    match percent == digits::percent(0.0) {
        true => "持平".into(),
        false if change > 0.0 => format!("增长{percent}"),
        false => format!("下降{percent}"),
    }
}

/// A cell as a text.
pub fn shown(cell: Cell, unit: Unit) -> String {
    match cell.value {
        _ if cell.withheld => WITHHELD.into(),
        None => digits::NONE.into(),
        Some(number) => digits::written(number, unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_and_what_there_is_none_of_are_told_apart() {
        assert_eq!(shown(Cell::default(), Unit::Days), "—");
        let withheld = Cell {
            value: None,
            withheld: true,
        };
        assert_eq!(shown(withheld, Unit::Count), WITHHELD);
    }

    #[test]
    fn a_change_is_told_in_words() {
        assert_eq!(moved(0.000_01), "持平");
        assert_eq!(moved(-0.125), "下降12.50%");
        assert_eq!(moved(0.05), "增长5.00%");
    }
}
