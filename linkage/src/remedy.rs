//! Why a record is in quarantine and what an office's staff do about it, by rule. docs/integrator.md has the same list.

/// A rule by which a record is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// What is wrong, in a few words, Chinese.
    pub label_zh: &'static str,
    /// How to mend it, Chinese.
    pub remedy_zh: &'static str,
}

/// What there is to say about a rule; of one that is not known, what always helps.
#[must_use]
pub fn remedy(rule_id: &str) -> Remedy {
    let (label_zh, remedy_zh) = match rule_id {
        "KEY_MISSING" => ("缺少案件主键", "该行没有案件主键。请在办证系统中补填。"),
        "FIELD_MISSING" => (
            "必填字段为空",
            "当前状态必填的字段为空。请在办证系统中补填。",
        ),
        "COLUMN_MISSING" => (
            "缺少列",
            "文件或查询中没有所列的列。请核对导出的列名，或在映射文件中更正列名并重启采集程序。",
        ),
        "FIELD_TOO_LONG" => (
            "内容过长",
            "内容超过长度上限。请缩短，或在映射中改用其他列。",
        ),
        "CODE_UNKNOWN" => (
            "代码未登记",
            "代码未在映射中登记。请在映射文件的 codes 中补充并重启采集程序，或更正该行。",
        ),
        "DATE_ILLEGAL" => ("日期不合法", "日期不存在或格式不符。请更正。"),
        "NUMBER_ILLEGAL" => (
            "金额或编号不合法",
            "不是有效的金额或编号（长编号在表格中须存为文本）。请更正。",
        ),
        "ROW_MALFORMED" => (
            "列数不符",
            "该行列数与表头不一致（如内容中的逗号未加引号）。请将更正后的该行放入新的导出文件。",
        ),
        "IDENTIFIER_UNREADABLE" => (
            "证件号码无法读取",
            "证件号码为空、过长或含控制字符。请更正。",
        ),
        "FIELD_INVALID" => (
            "字段不符合规范",
            "平台未接受该字段（缺失或超长）。请在办证系统中更正。",
        ),
        "REVISION_CONFLICT" => (
            "同一版本内容不同",
            "同一版本号报送了不同内容。请取消 revision 映射，或保证每次修改递增。",
        ),
        "OUTBOX_DAMAGED" => (
            "发送队列记录损坏",
            "发送队列中该记录已损坏。请停止程序，运行 office-agent outbox check --mend，再启动。",
        ),
        "CASE_NO_TAKEN" => ("证号重复", "本处另一案件已使用此证号。请更正其中之一。"),
        _ => ("其他", "请在办证系统中更正；更正后自动重新报送。"),
    };
    Remedy {
        label_zh,
        remedy_zh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_rule_has_a_remedy_of_its_own() {
        let page = include_str!("../../docs/integrator.md");
        let rules: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .filter(|rule| rule.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        assert!(rules.len() >= 11, "{rules:?}");
        for rule in rules {
            assert_ne!(remedy(rule), remedy("anything else"), "{rule}");
        }
    }
}
