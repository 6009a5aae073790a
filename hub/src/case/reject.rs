//! What an agent says of a record that it could not turn into a case.

use linkage::vocabulary::{FoundBy, RejectRule};

/// A source record that the agent could not turn into a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentReject {
    /// The case's key at the office, or where the record stands when it has none.
    pub record_key: String,
    pub source_location: Option<String>,
    /// Of [`RejectRule`], or of a later version's.
    pub rule_id: String,
    pub field: String,
    /// Shape of the value, never the value.
    pub value_shape: Option<String>,
    /// A good record stands where this one, which has no key, was refused.
    pub mended: bool,
}

/// Those of a line or a column rather than a value: what goes with them is for the office, which knows its columns.
const OF_NO_VALUE: [RejectRule; 2] = [RejectRule::RowMalformed, RejectRule::ColumnMissing];

/// What is kept of the shape that an agent sends. A shape of a shape is itself; of a value that slipped through, nothing is
/// kept.
pub fn kept_shape(rule_id: &str, sent: &str) -> Option<String> {
    let is_of_value = !sent.is_empty() && !OF_NO_VALUE.iter().any(|rule| rule.code() == rule_id);
    is_of_value.then(|| linkage::shape::of(sent))
}

impl AgentReject {
    /// The rule as a metric's label: an agent cannot make up new ones.
    pub fn rule_label(&self) -> &'static str {
        match self.rule_id.parse::<RejectRule>() {
            Ok(rule) if rule.found_by() == FoundBy::Agent => rule.code(),
            _ => "other",
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
    #[test]
    fn a_metric_counts_by_the_rules_that_an_agent_has() {
        let label = |rule_id: &str| {
            let reject = AgentReject {
                record_key: "C1".to_owned(),
                source_location: None,
                rule_id: rule_id.to_owned(),
                field: String::new(),
                value_shape: None,
                mended: false,
            };
            reject.rule_label()
        };
        assert_eq!(label("OUTBOX_DAMAGED"), "OUTBOX_DAMAGED");
        assert_eq!(label("STORE_REFUSED"), "other", "the hub's own");
        assert_eq!(label("MADE_UP"), "other");
    }
}
