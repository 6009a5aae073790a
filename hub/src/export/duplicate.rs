//! Duplicate applications (重复申请) as a file: what the queue of reviews shows, as far as the desk may see it, and masked
//! as it is there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{PgConnection, PgPool};

use super::Cell;
use super::subject::{READ_AT_ONCE, ReadError, day, text, within};
use crate::local_time::local_day;
use crate::review::duplicate::{FindingState, Queue};
use crate::review::mask;
use crate::store;
use crate::store::duplicate::Basis;
use crate::store::review::duplicate::{Case, Finding};

/// What is told of a finding, then of each of its two cases.
const FINDING: [&str; 10] = [
    "类别",
    "说明",
    "依据",
    "匹配权重",
    "最先受理",
    "受理日期存疑",
    "发现日期",
    "状态",
    "情况有变",
    "认定日期",
];
const CASE: [&str; 8] = [
    "公证处",
    "公证事项",
    "案件状态",
    "申请日期",
    "受理日期",
    "证号",
    "案件主键",
    "当事人",
];

pub(super) fn headers() -> Vec<String> {
    let of_case = |which: &'static str| CASE.iter().map(move |name| format!("{which}{name}"));
    let of_finding = FINDING.iter().map(|name| (*name).to_owned());
    of_finding
        .chain(of_case("甲案"))
        .chain(of_case("乙案"))
        .collect()
}

/// Reads up to `most` rows, and counts them in `done` as they come. What offices are called is read as the hub: it is public.
pub(super) async fn read(
    moment: &mut PgConnection,
    pool: &PgPool,
    queue: &Queue,
    most: usize,
    done: &AtomicU64,
) -> Result<Vec<Vec<Cell>>, ReadError> {
    let offices = store::office::list(pool).await?.into_iter();
    let offices = offices.map(|office| (office.office_id.to_string(), office.name));
    let told = Told {
        queue,
        offices: offices.collect(),
    };
    let mut rows = Vec::new();
    let mut behind = None;
    loop {
        let (findings, last) = queue.page(moment, behind, READ_AT_ONCE).await?;
        rows.extend(findings.iter().map(|finding| told.row(finding)));
        done.store(rows.len() as u64, Ordering::Relaxed);
        within(&rows, most)?;
        match last {
            Some(last) => behind = Some(last),
            None => return Ok(rows),
        }
    }
}

/// How things are told to whom the file is for.
struct Told<'a> {
    queue: &'a Queue,
    offices: HashMap<String, String>,
}

impl Told<'_> {
    fn row(&self, finding: &Finding) -> Vec<Cell> {
        let state = finding.state();
        let decision = finding.decision.as_ref();
        let is_again = state == FindingState::Open && decision.is_some();
        let first = finding.first_accepting.map(|office| office.to_string());
        // In bits, to the place that the page shows.
        let weight = finding
            .match_weight
            .map(|weight| f64::from(weight) / 1000.0);
        let of_finding = [
            text(finding.severity.label_zh()),
            text(self.queue.notice_zh(&finding.rule_id)),
            text(match finding.basis {
                Basis::Number => "证件号码相同",
                Basis::Person => "人员比对（疑似）",
            }),
            text(weight.map_or_else(String::new, |bits| format!("{bits:.1}"))),
            text(first.map_or_else(String::new, |office| self.office(&office))),
            text(if finding.back_dated { "存疑" } else { "" }),
            day(Some(local_day(finding.found_at))),
            text(state.label_zh()),
            text(if is_again { "有变" } else { "" }),
            day(decision.map(|decision| local_day(decision.decided_at))),
        ];
        let of_cases = finding.cases.iter().flat_map(|case| self.case(case));
        of_finding.into_iter().chain(of_cases).collect()
    }

    fn case(&self, case: &Case) -> [Cell; CASE.len()] {
        let key = Some(&case.source_case_id).filter(|_| self.queue.owns(case.office_id));
        let parties = case.parties.iter();
        let parties = parties.map(|party| {
            let name = mask(party.kind, &party.name);
            format!("{} {name}", party.role.label_zh())
        });
        [
            text(self.office(case.office_id.as_str())),
            text(case.matter_type.name_zh()),
            text(case.state.label_zh()),
            day(case.applied_on),
            day(case.accepted_on),
            text(case.case_no.clone().unwrap_or_default()),
            text(key.cloned().unwrap_or_default()),
            text(parties.collect::<Vec<_>>().join("、")),
        ]
    }

    fn office(&self, office_id: &str) -> String {
        let name = self.offices.get(office_id);
        name.map_or(office_id, String::as_str).to_owned()
    }
}
