//! From what a source found to what the outbox keeps.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use linkage::token::TokenKey;
use linkage::vocabulary::RejectRule;
use notary_proto::hub::v1 as wire;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::mapping::{Case, Mapping, Reject};
use crate::minimise;
use crate::outbox::{Clock, Entry};
use crate::source::row::{FieldCount, Found};

/// The key that is to follow the city's token key, while the hub asks for tokens under it as well.
pub type AskedKey = watch::Receiver<Option<TokenKey>>;

/// One source's mapping and the city's key.
#[derive(Clone)]
pub struct Pipeline {
    mapping: Mapping,
    key: TokenKey,
    next: Option<AskedKey>,
    clock: Clock,
}

impl Pipeline {
    /// A pipeline by the machine's clock.
    #[must_use]
    pub fn new(mapping: Mapping, key: TokenKey) -> Self {
        Self::with_clock(mapping, key, Arc::new(OffsetDateTime::now_utc))
    }

    /// A pipeline by a clock of the caller's.
    #[must_use]
    pub fn with_clock(mapping: Mapping, key: TokenKey, clock: Clock) -> Self {
        Self {
            mapping,
            key,
            next: None,
            clock,
        }
    }

    /// The same, with tokens under the next key as long as there is one.
    #[must_use]
    pub fn with_next(self, next: AskedKey) -> Self {
        Self {
            next: Some(next),
            ..self
        }
    }

    /// What the outbox is to keep of a find. Never fails: what is no case is a reject, and so is a row at which a defect
    /// shows, or it would hold up all that are behind it.
    #[must_use]
    pub fn entry(&self, found: Found) -> Entry {
        let entry = catch_unwind(AssertUnwindSafe(|| self.mapped(&found)));
        entry.unwrap_or_else(|_| self.rejected(&self.defect(&found)))
    }

    fn mapped(&self, found: &Found) -> Entry {
        let case = match found {
            Found::Row(row) => self.mapping.case(row),
            Found::Malformed { location, fields } => {
                Err(Reject::malformed(location.clone(), *fields))
            }
        };
        match case {
            Ok(case) => Entry::Case(Box::new(self.record(&case))),
            Err(reject) => self.rejected(&reject),
        }
    }

    fn rejected(&self, reject: &Reject) -> Entry {
        Entry::Rejected(minimise::rejected(reject, (self.clock)()))
    }

    fn defect(&self, found: &Found) -> Reject {
        let (location, key) = match found {
            // The defect may be in reading the key.
            Found::Row(row) => {
                let key = catch_unwind(AssertUnwindSafe(|| self.mapping.key(row)));
                (&row.location, key.ok().flatten())
            }
            Found::Malformed { location, .. } => (location, None),
        };
        Reject {
            source_case_id: key,
            location: location.clone(),
            rule: RejectRule::AgentDefect,
            field: String::new(),
            value_shape: String::new(),
        }
    }
}

impl Pipeline {
    fn record(&self, case: &Case) -> wire::CaseRecord {
        let next = self.next.as_ref().and_then(|next| {
            let key = next.borrow();
            Some(minimise::next_tokens(case, key.as_ref()?))
        });
        wire::CaseRecord {
            next_tokens: next,
            ..minimise::case(case, &self.key)
        }
    }
}

impl Reject {
    /// A line that is no row.
    #[must_use]
    pub fn malformed(location: String, fields: FieldCount) -> Self {
        let FieldCount { expected, found } = fields;
        Self {
            source_case_id: None,
            location,
            rule: RejectRule::RowMalformed,
            field: String::new(),
            value_shape: format!("表头 {expected} 列，此行 {found} 列"),
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use linkage::token::TokenAlgorithm;

    use super::*;
    use crate::source::row::{Columns, Row};

    #[test]
    fn a_row_at_which_a_defect_shows_is_refused_by_itself_under_its_key() {
        let mapping = "[case]\nsource_case_id = 'id'\nstate = 'state'\nmatter_type = { value = 'will' }\n\
                       foreign_relation = { value = 'domestic' }\n[[party]]\nrole = { value = 'testator' }\n\
                       kind = { value = 'natural' }\nname = 'name'\n";
        let mapping = Mapping::parse(mapping, Path::new("m.toml")).expect("a mapping");
        let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
        // The clock is asked for what is refused alone: the first refusal meets the defect.
        let defect = AtomicBool::new(true);
        let clock: Clock = Arc::new(move || {
            assert!(!defect.swap(false, Ordering::Relaxed), "a defect");
            OffsetDateTime::UNIX_EPOCH
        });
        let pipeline = Pipeline::with_clock(mapping, key, clock);
        let row = |id: &str, state: &str| {
            let columns = ["id", "state", "name"].map(str::to_owned);
            Found::Row(Row {
                location: format!("f.csv:{id}"),
                columns: Columns::of_filled(columns.into()),
                cells: [id, state, "张三"].map(|cell| Some(cell.to_owned())).into(),
                children: BTreeMap::new(),
            })
        };
        let Entry::Rejected(rejected) = pipeline.entry(row("1", "none of them")) else {
            panic!("no reject")
        };
        assert_eq!(rejected.rule_id, "AGENT_DEFECT");
        assert_eq!(
            (
                rejected.source_case_id.as_str(),
                rejected.source_location.as_str()
            ),
            ("1", "f.csv:1")
        );
        assert!(matches!(
            pipeline.entry(row("2", "applied")),
            Entry::Case(_)
        ));
    }
}
