//! Notices on one stream. The contract has no ack for them, so they count as delivered when the stream has outlived
//! them long enough for the transport's sign of life to have been answered behind them; one that ended earlier leaves
//! them to be told again.

use std::collections::HashSet;
use std::time::Duration;

use linkage::office::OfficeId;
use sqlx::PgPool;
use tokio::time::Instant;
use uuid::Uuid;

use crate::store::notice::{self, Notice};
use crate::transport::HttpLimits;

/// Notices told at once at most.
const AT_ONCE: i64 = 100;
/// A ping follows within the interval and is answered within the time-out, or the connection ends.
const CONFIRMED_AFTER: Duration = HttpLimits::AGENTS
    .keepalive_interval
    .saturating_add(HttpLimits::AGENTS.keepalive_timeout)
    .saturating_add(Duration::from_secs(5));

/// What a stream has told its office.
#[derive(Debug)]
pub struct Notices {
    pool: PgPool,
    office_id: OfficeId,
    told: Vec<(Instant, Uuid)>,
}

impl Notices {
    pub fn new(pool: PgPool, office_id: OfficeId) -> Self {
        Self {
            pool,
            office_id,
            told: Vec::new(),
        }
    }

    /// Notices to be told now; from here on they count as told on this stream. Remembers what was told long enough
    /// ago as delivered.
    pub async fn due(&mut self, now: Instant) -> Result<Vec<Notice>, sqlx::Error> {
        self.confirm(now).await?;
        let room = AT_ONCE - i64::try_from(self.told.len()).unwrap_or(AT_ONCE);
        if room <= 0 {
            return Ok(Vec::new());
        }
        let told: HashSet<Uuid> = self.told.iter().map(|(_, id)| *id).collect();
        let mut due = notice::waiting(&self.pool, self.office_id, AT_ONCE).await?;
        due.retain(|notice| !told.contains(&notice.notice_id));
        self.told
            .extend(due.iter().map(|notice| (now, notice.notice_id)));
        Ok(due)
    }

    async fn confirm(&mut self, now: Instant) -> Result<(), sqlx::Error> {
        let old = |told: &Instant| now.duration_since(*told) >= CONFIRMED_AFTER;
        let confirmed: Vec<Uuid> = self
            .told
            .iter()
            .filter(|(told, _)| old(told))
            .map(|(_, id)| *id)
            .collect();
        if !confirmed.is_empty() {
            notice::delivered(&self.pool, &confirmed).await?;
            self.told.retain(|(told, _)| !old(told));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::testing::fresh_database;
    use crate::store::notice::NewNotice;

    async fn put(pool: &PgPool, count: usize) {
        let office_id = "hzgl".parse().expect("an id");
        let notices: Vec<NewNotice<'_>> = (0..count)
            .map(|_| NewNotice {
                office_id,
                source_case_id: "C1",
                text_zh: "重复申请".to_owned(),
            })
            .collect();
        let mut connection = pool.acquire().await.expect("a connection");
        notice::insert(&mut connection, &notices)
            .await
            .expect("stored");
    }

    fn notices(pool: &PgPool) -> Notices {
        Notices::new(pool.clone(), "hzgl".parse().expect("an id"))
    }

    #[tokio::test]
    async fn a_stream_tells_each_notice_once_and_a_later_stream_tells_it_again() {
        let db = fresh_database().await;
        put(&db.pool, 2).await;
        let now = Instant::now();
        let mut first = notices(&db.pool);
        assert_eq!(first.due(now).await.expect("answers").len(), 2);
        put(&db.pool, 1).await;
        assert_eq!(first.due(now).await.expect("answers").len(), 1);
        // It ended before anything showed that they had arrived.
        drop(first);
        assert_eq!(notices(&db.pool).due(now).await.expect("answers").len(), 3);
    }

    #[tokio::test]
    async fn what_the_stream_has_outlived_is_delivered() {
        let db = fresh_database().await;
        put(&db.pool, 150).await;
        let now = Instant::now();
        let mut stream = notices(&db.pool);
        assert_eq!(stream.due(now).await.expect("answers").len(), 100);
        assert!(stream.due(now).await.expect("answers").is_empty());
        let later = now + CONFIRMED_AFTER;
        assert_eq!(stream.due(later).await.expect("answers").len(), 50);
        assert_eq!(
            notices(&db.pool).due(later).await.expect("answers").len(),
            50
        );
    }
}
