//! An issue as a workbook: a page for the total, then for each table one for each subject of its columns, as wide as a sheet
//! of paper takes.

use data_encoding::HEXLOWER;

use crate::export::{Cell, Page, Sheet, Title, cell, changed, local, with_unit};
use crate::reports::Issue;
use crate::reports::document::{Document, Head, Row, Table};
use crate::reports::summary::WITHHELD;

/// What is said under every table.
pub(super) const NOTE: &str =
    "＊ 表示数值小于5，或可据以推算出此类数值，不予公布；— 表示无法计算。";

pub(crate) fn pages(issue: &Issue, document: &Document) -> Vec<Page> {
    let tables = document.tables.iter().flat_map(|table| {
        let subjects = table.subjects(&document.columns).into_iter();
        subjects.map(move |columns| {
            // A document of before there were subjects has one without a name.
            let subject = columns.first().map_or("", |(_, head)| &head.subject_zh);
            let suffix = format!("（按{}）{subject}", table.name_zh);
            Page {
                name: format!("{} {subject}", table.name_zh).trim_end().to_owned(),
                title: title(issue, document, &suffix),
                sheet: of_table(document, table, &columns),
                notes: vec![NOTE.into()],
            }
        })
    });
    std::iter::once(overview(issue, document))
        .chain(tables)
        .collect()
}

fn title(issue: &Issue, document: &Document, suffix: &str) -> Title {
    Title {
        name: format!("{}{suffix}", document.title_zh),
        period: format!("第{}期　封账：{}", issue.number, frozen(issue)),
        as_of: format!("数据截至：{}", local(document.as_of)),
    }
}

/// When and by whom.
pub(super) fn frozen(issue: &Issue) -> String {
    let name = issue.frozen_by_name.as_deref().unwrap_or_default();
    format!("{} {name}", local(issue.frozen_at))
}

/// What is told of an issue beside its figures.
pub(super) fn provenance(issue: &Issue, document: &Document) -> Vec<String> {
    let reason = issue.reason.as_ref();
    let reason = reason.map(|reason| format!("重新刊发原因：{reason}"));
    let mut told = vec![
        NOTE.to_owned(),
        format!(
            "公证机构按{}的设置；同比、环比与已刊发的报表相比。",
            document.structure_on
        ),
        "重复申请、冲突和服务人数各行不能相加，各期也不能相加：涉及几处、几期的，合计只计一次。"
            .to_owned(),
        "合规率取整到百分之一，以免据以推算出不予公布的件数。".to_owned(),
    ];
    told.extend(reason);
    told.push(format!(
        "摘要（SHA-256）：{}",
        HEXLOWER.encode(&issue.digest)
    ));
    told
}

fn overview(issue: &Issue, document: &Document) -> Page {
    let columns = document.columns.iter().zip(&document.total.cells);
    let rows = columns
        .zip(&document.compared)
        .map(|((head, total), compared)| {
            vec![
                Cell::Text(with_unit(&head.name_zh, head.unit)),
                match total.withheld {
                    true => Cell::Text(WITHHELD.into()),
                    false => cell(head.unit, total.value),
                },
                cell(head.unit, compared.year_before),
                changed(head.unit, compared.year_on_year),
                cell(head.unit, compared.period_before),
                changed(head.unit, compared.period_on_period),
            ]
        });
    let mut notes = document.summary_zh.clone();
    notes.extend(provenance(issue, document));
    Page {
        name: "全市概况".into(),
        title: title(issue, document, ""),
        sheet: Sheet {
            headers: ["指标", "本期", "上年同期", "同比", "上期", "环比"]
                .map(str::to_owned)
                .into(),
            rows: rows.collect(),
            totals: None,
        },
        notes,
    }
}

/// A table with the columns of one subject.
fn of_table(document: &Document, table: &Table, columns: &[(usize, &Head)]) -> Sheet {
    let line = |row: &Row| {
        let cells = columns.iter().map(|(at, head)| match row.cells.get(*at) {
            Some(shown) if !shown.withheld => cell(head.unit, shown.value),
            _ => Cell::Text(WITHHELD.into()),
        });
        std::iter::once(Cell::Text(row.name_zh.clone()))
            .chain(cells)
            .collect()
    };
    let headers = columns.iter();
    let headers = headers.map(|(_, head)| with_unit(&head.name_zh, head.unit));
    Sheet {
        headers: std::iter::once(table.name_zh.clone())
            .chain(headers)
            .collect(),
        rows: table.rows.iter().map(line).collect(),
        totals: Some(line(&document.total)),
    }
}
