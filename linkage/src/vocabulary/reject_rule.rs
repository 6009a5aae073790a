//! Why a record is refused, and what is done about it.

use super::vocabulary;

vocabulary! {
    /// A rule by which a record is refused and put into quarantine. docs/integrator.md has the same list; a test holds
    /// the two together.
    RejectRule, "reject_rule" {
        /// The row has no case key.
        KeyMissing = "KEY_MISSING" "缺少案件主键",
        /// A field that this state needs is empty.
        FieldMissing = "FIELD_MISSING" "必填字段为空",
        /// A field that this state needs cannot be filled: the source has no such column.
        ColumnMissing = "COLUMN_MISSING" "缺少列",
        /// Longer, or more of it, than the contract allows.
        FieldTooLong = "FIELD_TOO_LONG" "内容过长",
        /// A code that the mapping does not know.
        CodeUnknown = "CODE_UNKNOWN" "代码未登记",
        /// No such day.
        DateIllegal = "DATE_ILLEGAL" "日期不合法",
        /// No amount, or no number of its kind.
        NumberIllegal = "NUMBER_ILLEGAL" "金额或编号不合法",
        /// The line is no row.
        RowMalformed = "ROW_MALFORMED" "列数不符",
        /// A document number that is too long or has control characters.
        IdentifierUnreadable = "IDENTIFIER_UNREADABLE" "证件号码无法读取",
        /// A defect of the agent met the row; the others go on.
        AgentDefect = "AGENT_DEFECT" "采集程序缺陷",
        /// The record was damaged on the disk of the office's machine.
        OutboxDamaged = "OUTBOX_DAMAGED" "发送队列记录损坏",
        /// A field breaks the wire contract.
        FieldInvalid = "FIELD_INVALID" "字段不符合规范",
        /// The same revision arrived with other content.
        RevisionConflict = "REVISION_CONFLICT" "同一版本内容不同",
        /// Another case of the office has the case number.
        CaseNoTaken = "CASE_NO_TAKEN" "证号重复",
        /// The hub's database refused the record; its operators look.
        StoreRefused = "STORE_REFUSED" "平台未能保存",
        /// What the hub holds of the case, or of one to compare it with, cannot be read; its operators look.
        StoredUnreadable = "STORED_UNREADABLE" "平台原有记录无法读取",
    }
}

vocabulary! {
    /// Who finds that a record breaks a rule.
    FoundBy, "found_by" {
        /// The office's agent, before anything is sent.
        Agent = "agent" "采集程序",
        /// The hub, when it stores.
        Hub = "hub" "平台",
    }
}

impl RejectRule {
    /// Who applies the rule.
    #[must_use]
    pub const fn found_by(self) -> FoundBy {
        match self {
            Self::KeyMissing
            | Self::FieldMissing
            | Self::ColumnMissing
            | Self::FieldTooLong
            | Self::CodeUnknown
            | Self::DateIllegal
            | Self::NumberIllegal
            | Self::RowMalformed
            | Self::IdentifierUnreadable
            | Self::AgentDefect
            | Self::OutboxDamaged => FoundBy::Agent,
            Self::FieldInvalid
            | Self::RevisionConflict
            | Self::CaseNoTaken
            | Self::StoreRefused
            | Self::StoredUnreadable => FoundBy::Hub,
        }
    }

    /// What happened and what the office's staff do about it, Chinese.
    #[must_use]
    pub const fn remedy_zh(self) -> &'static str {
        match self {
            Self::KeyMissing => "该行没有案件主键。请在办证系统中补填。",
            Self::FieldMissing => "当前状态必填的字段为空。请在办证系统中补填。",
            Self::ColumnMissing => {
                "文件或查询中没有所列的列。请核对导出的列名，或在映射文件中更正列名并重启采集程序。"
            }
            Self::FieldTooLong => "内容超过长度上限。请缩短，或在映射中改用其他列。",
            Self::CodeUnknown => {
                "代码未在映射中登记。请在映射文件的 codes 中补充并重启采集程序，或更正该行。"
            }
            Self::DateIllegal => "日期不存在或格式不符。请更正。",
            Self::NumberIllegal => "不是有效的金额或编号（长编号在表格中须存为文本）。请更正。",
            Self::RowMalformed => {
                "该行列数与表头不一致（如内容中的逗号未加引号）。请将更正后的该行放入新的导出文件。"
            }
            Self::IdentifierUnreadable => "证件号码过长或含控制字符。请更正。",
            Self::AgentDefect => {
                "采集程序处理该行时出错，属程序缺陷，其他记录不受影响。请将程序日志中的位置告知平台运维人员；升级后自动重新读取。"
            }
            Self::OutboxDamaged => {
                "发送队列中该记录已损坏。请停止程序，运行 office-agent outbox check --mend，再启动。"
            }
            Self::FieldInvalid => {
                "字段不符合报送规范（缺失或超长）。请在办证系统中更正后保存，程序会自动重新报送。"
            }
            Self::RevisionConflict => {
                "同一版本号先后报送了不同内容。请取消 revision 映射，或保证每次修改递增。"
            }
            Self::CaseNoTaken => "本处另一案件已使用此证号。请核对后更正其中之一。",
            Self::StoreRefused => "平台未能保存该记录，已向平台运维人员告警；本处无需更正。",
            Self::StoredUnreadable => {
                "平台原有的该案或关联案件的记录无法读取，已向平台运维人员告警；本处无需更正，修复后自动重新报送。"
            }
        }
    }
}

/// What there is to say to people about the rule of a record in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// What is wrong, in a few words, Chinese.
    pub label_zh: &'static str,
    /// How to mend it, Chinese.
    pub remedy_zh: &'static str,
}

impl Remedy {
    /// Of the rule with that code; of one that only a later version knows, what always helps.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match code.parse::<RejectRule>() {
            Ok(rule) => Self {
                label_zh: rule.label_zh(),
                remedy_zh: rule.remedy_zh(),
            },
            Err(_) => Self {
                label_zh: "其他",
                remedy_zh: "请在办证系统中更正；更正后自动重新报送。",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_documented_rules_are_those_of_the_vocabulary() {
        let page = include_str!("../../../docs/integrator.md");
        let documented: BTreeSet<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .filter(|rule| rule.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        let known: BTreeSet<&str> = RejectRule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(documented, known);
    }

    /// What the agent and the console say, and perhaps more.
    #[test]
    fn the_chinese_manual_tells_of_every_rule_what_staff_are_told() {
        let page = include_str!("../../../docs/integrator.zh-CN.md");
        let rows: Vec<Vec<&str>> = page
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split(" | ").collect()))
            .filter(|cells: &Vec<&str>| cells.len() == 3 && cells[0].ends_with('`'))
            .filter(|cells| {
                let code = cells[0].trim_end_matches('`');
                code.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            })
            .collect();
        let told: Vec<(&str, &str)> = rows
            .iter()
            .map(|cells| (cells[0].trim_end_matches('`'), cells[1]))
            .collect();
        let known = RejectRule::ALL.iter();
        let known: Vec<_> = known.map(|rule| (rule.code(), rule.label_zh())).collect();
        assert_eq!(told, known);
        for (cells, rule) in rows.iter().zip(RejectRule::ALL) {
            assert!(
                cells[2].starts_with(rule.remedy_zh()),
                "{rule}: {}",
                cells[2]
            );
        }
    }

    #[test]
    fn every_rule_says_something_of_its_own_and_an_unknown_one_what_always_helps() {
        let said = |code| {
            let Remedy {
                label_zh,
                remedy_zh,
            } = Remedy::of(code);
            assert!(remedy_zh.ends_with('。'), "{code}");
            [label_zh, remedy_zh]
        };
        let all: BTreeSet<&str> = RejectRule::ALL
            .iter()
            .map(|rule| rule.code())
            .chain(["A_LATER_RULE"])
            .flat_map(said)
            .collect();
        assert_eq!(all.len(), 2 * (RejectRule::ALL.len() + 1));
    }
}
