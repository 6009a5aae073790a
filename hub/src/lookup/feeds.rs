//! How fresh every office's feed is. Every answer says so; asking the database each time would double a
//! look-up's work, so that what was read within a second is told again.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::store::lookup::{Freshness, freshness};

/// How long what was read is good.
const GOOD_FOR: Duration = Duration::from_secs(1);

type Read = (Instant, Arc<[Freshness]>);

/// The offices' feeds as they were at most a second ago.
#[derive(Debug)]
pub struct Feeds {
    pool: PgPool,
    last: Mutex<Option<Read>>,
}

impl Feeds {
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            last: Mutex::new(None),
        }
    }

    /// All offices' feeds, by office id. One caller reads while the others wait for the same.
    pub async fn now(&self) -> Result<Arc<[Freshness]>, sqlx::Error> {
        let mut last = self.last.lock().await;
        if let Some((at, feeds)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            return Ok(Arc::clone(feeds));
        }
        let feeds: Arc<[Freshness]> = freshness(&self.pool).await?.into();
        *last = Some((Instant::now(), Arc::clone(&feeds)));
        Ok(feeds)
    }
}
