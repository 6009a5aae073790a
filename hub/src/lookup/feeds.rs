//! How fresh every office's feed is. Every answer says so; asking the database each time would double a
//! look-up's work, so that what was read within a second is told again.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use crate::recent::Recent;
use crate::store::lookup::{Freshness, freshness};

/// How long what was read is good.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The offices' feeds as they were at most a second ago.
#[derive(Debug)]
pub struct Feeds {
    pool: PgPool,
    last: Recent<Arc<[Freshness]>>,
}

impl Feeds {
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            last: Recent::default(),
        }
    }

    /// All offices' feeds, by office id. One caller reads while the others wait for the same.
    pub async fn now(&self) -> Result<Arc<[Freshness]>, sqlx::Error> {
        let read = async { Ok(freshness(&self.pool).await?.into()) };
        self.last.within(GOOD_FOR, read).await
    }
}
