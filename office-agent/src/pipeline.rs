//! From what a source found to what the outbox keeps.

use std::fmt;
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

    /// What the outbox is to keep of a find. Never fails: what is no case is a reject.
    #[must_use]
    pub fn entry(&self, found: Found) -> Entry {
        let mapped = match found {
            Found::Row(row) => self.mapping.case(&row),
            Found::Malformed { location, fields } => Err(Reject::malformed(location, fields)),
        };
        match mapped {
            Ok(case) => Entry::Case(Box::new(self.record(&case))),
            Err(reject) => Entry::Rejected(minimise::rejected(&reject, (self.clock)())),
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
