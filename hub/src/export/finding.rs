//! Findings of supervision as a file.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::PgConnection;
use time::Date;

use super::subject::{READ_AT_ONCE, ReadError, day, office_names, text, within};
use super::{Cell, local};
use crate::store;
use crate::store::supervision::finding::{Finding, Wanted};
use crate::supervision::rule::Rules;

const HEADERS: [&str; 11] = [
    "公证处",
    "规则",
    "依据",
    "严重程度",
    "对象",
    "编号",
    "发生日期",
    "发现时间",
    "状态",
    "整改期限",
    "逾期",
];

pub(super) fn headers() -> Vec<String> {
    HEADERS.map(str::to_owned).into()
}

/// Reads up to `most` rows, and counts them in `done` as they come.
pub(super) async fn read(
    moment: &mut PgConnection,
    rules: &Rules,
    wanted: &Wanted,
    today: Date,
    most: usize,
    done: &AtomicU64,
) -> Result<Vec<Vec<Cell>>, ReadError> {
    let offices = office_names(moment).await?;
    let (mut wanted, mut rows) = (wanted.clone(), Vec::new());
    loop {
        let page = store::supervision::finding::page(moment, &wanted, READ_AT_ONCE).await?;
        let last = page.last().map(|last| (last.found_at, last.finding_id));
        let is_full = page.len() as i64 == READ_AT_ONCE;
        rows.extend(
            page.into_iter()
                .map(|found| row(found, rules, &offices, today)),
        );
        done.store(rows.len() as u64, Ordering::Relaxed);
        within(&rows, most)?;
        match last.filter(|_| is_full) {
            Some(last) => wanted.behind = Some(last),
            None => return Ok(rows),
        }
    }
}

fn row(found: Finding, rules: &Rules, offices: &HashMap<String, String>, today: Date) -> Vec<Cell> {
    let rule = rules.rule(&found.rule_id);
    let office_id = found.office_id.to_string();
    let overdue = found.is_overdue(today);
    vec![
        text(offices.get(&office_id).cloned().unwrap_or(office_id)),
        text(rule.map_or(found.rule_id.clone(), |rule| rule.title.clone())),
        text(rule.map_or_else(String::new, |rule| rule.article.clone())),
        text(found.severity.label_zh()),
        text(found.about.key_zh()),
        text(found.about_key),
        day(found.happened_on),
        text(local(found.found_at)),
        text(found.state.label_zh()),
        day(found.due_on),
        text(if overdue { "逾期" } else { "" }),
    ]
}
