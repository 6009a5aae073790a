//! Why a record is in quarantine: in codes for programs, in Chinese for the office's staff.

/// A source record that the agent could not turn into a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentReject {
    /// The case's key at the office, or where the record stands when it has none.
    pub record_key: String,
    pub source_location: Option<String>,
    pub rule_id: String,
    pub field: String,
    /// Shape of the value, never the value.
    pub value_shape: Option<String>,
    /// A good record stands where this one, which has no key, was refused.
    pub mended: bool,
}

/// Rules of the agent, for telling them from whatever else an agent may send.
const AGENT_RULES: [&str; 11] = [
    "KEY_MISSING",
    "FIELD_MISSING",
    "FIELD_TOO_LONG",
    "CODE_UNKNOWN",
    "DATE_ILLEGAL",
    "NUMBER_ILLEGAL",
    "ROW_MALFORMED",
    "IDENTIFIER_UNREADABLE",
    "FILE_UNREADABLE",
    "COLUMN_MISSING",
    "ENCODING_UNKNOWN",
];

/// Those of a line or a column rather than a value: what goes with them is for the office, which knows its columns.
const OF_NO_VALUE: [&str; 2] = ["ROW_MALFORMED", "COLUMN_MISSING"];

/// What is kept of the shape that an agent sends. A shape of a shape is itself; of a value that slipped through, nothing is
/// kept.
pub fn kept_shape(rule_id: &str, sent: &str) -> Option<String> {
    let is_of_value = !sent.is_empty() && !OF_NO_VALUE.contains(&rule_id);
    is_of_value.then(|| linkage::shape::of(sent))
}

impl AgentReject {
    /// The rule as a metric's label: an agent cannot make up new ones.
    pub fn rule_label(&self) -> &'static str {
        AGENT_RULES
            .into_iter()
            .find(|rule| *rule == self.rule_id)
            .unwrap_or("other")
    }
}

/// Rules by which the hub itself refuses a record. The ids are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HubRule {
    /// A field breaks the wire contract.
    FieldInvalid,
    /// The same revision arrived with other content.
    RevisionConflict,
    /// Another case of the office has the case number.
    CaseNoTaken,
    /// The database refused the record; an operator should look.
    StoreRefused,
}

impl HubRule {
    const ALL: [Self; 4] = [
        Self::FieldInvalid,
        Self::RevisionConflict,
        Self::CaseNoTaken,
        Self::StoreRefused,
    ];

    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    pub const fn id(self) -> &'static str {
        match self {
            Self::FieldInvalid => "FIELD_INVALID",
            Self::RevisionConflict => "REVISION_CONFLICT",
            Self::CaseNoTaken => "CASE_NO_TAKEN",
            Self::StoreRefused => "STORE_REFUSED",
        }
    }

    /// What happened and what to do.
    pub const fn message_zh(self) -> &'static str {
        match self {
            Self::FieldInvalid => {
                "字段不符合报送规范。请在办证系统中更正后保存，程序会自动重新报送。"
            }
            Self::RevisionConflict => {
                "同一修订号先后报送了不同内容。请检查映射文件中的 revision 列，或取消该列的映射。"
            }
            Self::CaseNoTaken => "该证号已被本处另一案件使用。请核对后更正其中之一。",
            Self::StoreRefused => "平台未能保存该记录，已通知平台运维人员处理。",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_value_is_kept_and_the_value_and_words_about_columns_are_not() {
        let shape = kept_shape("DATE_ILLEGAL", "20240231");
        assert_eq!(shape.as_deref(), Some("99999999"));
        for (rule, sent) in [
            ("FIELD_MISSING", ""),
            ("COLUMN_MISSING", "状态"),
            ("ROW_MALFORMED", "表头 5 列，此行 4 列"),
        ] {
            assert_eq!(kept_shape(rule, sent), None);
        }
    }
}
