//! What the hub wants people at the office to know, by kind and the gravest kind first: reminders are many, and a
//! duplicate must not drown among them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::left_out;
use crate::outbox::{KeptNotice, Summary};
use crate::status::time_zh;

/// Notices of one kind printed unless all are asked for.
pub(super) const OF_A_KIND: usize = 20;

/// Kinds of the contract, what they are called, and in which order they are printed. Others come behind.
const KINDS: [(&str, &str); 6] = [
    ("DUPLICATE_FOUND", "发现重复或冲突"),
    ("RECTIFICATION_ASKED", "要求整改"),
    ("DETAILS_ASKED", "他处请求核实"),
    ("DETAILS_ANSWERED", "核实已答复"),
    ("MATTER_OPENED", "关注的事项"),
    ("REPORT_WANTED", "报送提醒"),
];

pub(super) fn write(text: &mut String, outbox: &Summary, of_a_kind: usize) -> fmt::Result {
    let mut by_kind: BTreeMap<(usize, &str), Vec<&KeptNotice>> = BTreeMap::new();
    for notice in &outbox.notices {
        let kind = notice.kind.as_str();
        by_kind.entry((rank(kind), kind)).or_default().push(notice);
    }
    for ((rank, kind), notices) in by_kind {
        let called = KINDS.get(rank).map_or(kind, |(_, called)| called);
        let listed = notices.len() as u64;
        let count = outbox.notice_counts.get(kind).copied().unwrap_or(listed);
        writeln!(text, "\n平台通知：{called}　{count} 条")?;
        for notice in notices.iter().take(of_a_kind) {
            one(text, notice)?;
        }
        left_out(
            text,
            count.saturating_sub(of_a_kind.min(notices.len()) as u64),
        )?;
    }
    Ok(())
}

fn rank(kind: &str) -> usize {
    let known = KINDS.iter().position(|(known, _)| *known == kind);
    known.unwrap_or(KINDS.len())
}

fn one(text: &mut String, notice: &KeptNotice) -> fmt::Result {
    let case = match notice.source_case_id.as_str() {
        "" => String::new(),
        id => format!("案件 {id}　"),
    };
    let at = time_zh(notice.created_at);
    writeln!(text, "  {at} {case}{}", notice.text_zh)
}

#[cfg(test)]
mod tests {
    use notary_proto::hub::v1::NoticeKind;

    use super::*;

    fn notices(kind: &str, count: usize) -> Vec<KeptNotice> {
        let notice = |at| KeptNotice {
            notice_id: format!("{kind}{at}"),
            kind: kind.to_owned(),
            source_case_id: format!("c{at}"),
            text_zh: format!("{kind} {at}"),
            created_at: 0,
        };
        (0..count).map(notice).collect()
    }

    fn printed(outbox: &Summary, of_a_kind: usize) -> String {
        let mut text = String::new();
        write(&mut text, outbox, of_a_kind).expect("a text");
        text
    }

    #[test]
    fn duplicates_come_first_and_no_kind_crowds_out_another() {
        let outbox = Summary {
            notices: [
                notices("REPORT_WANTED", 65),
                notices("NEWS", 1),
                notices("DUPLICATE_FOUND", 11),
            ]
            .concat(),
            notice_counts: [("REPORT_WANTED".to_owned(), 70)].into(),
            ..Summary::default()
        };
        let text = printed(&outbox, OF_A_KIND);
        let heads: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("平台通知"))
            .collect();
        assert_eq!(
            heads,
            [
                "平台通知：发现重复或冲突　11 条",
                "平台通知：报送提醒　70 条",
                "平台通知：NEWS　1 条"
            ]
        );
        assert_eq!(text.matches("DUPLICATE_FOUND ").count(), 11);
        assert_eq!(text.matches("REPORT_WANTED ").count(), OF_A_KIND);
        assert!(text.contains("还有 50 条"), "{text}");
        let all = printed(&outbox, usize::MAX);
        assert_eq!(all.matches("REPORT_WANTED ").count(), 65);
        assert!(all.contains("还有 5 条"), "what is not told either: {all}");
    }

    #[test]
    fn every_kind_of_the_contract_has_its_place() {
        let kinds = (1..).map_while(|number| NoticeKind::try_from(number).ok());
        let named: Vec<&str> = kinds
            .map(|kind| kind.as_str_name().trim_start_matches("NOTICE_KIND_"))
            .collect();
        assert_eq!(named.len(), KINDS.len());
        assert!(
            named.iter().all(|kind| rank(kind) < KINDS.len()),
            "{named:?}"
        );
    }
}
