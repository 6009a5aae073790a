//! Notices on one stream. The contract has no ack for them, so they count as delivered when the stream has outlived
//! them long enough for the transport's sign of life to have been answered behind them; one that ended earlier leaves
//! them to be told again.
//!
//! One that answers a standing question leaves behind its entry in the audit log, as every answer does.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tokio::time::Instant;
use uuid::Uuid;

use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::identity::OfficeIdentity;
use crate::store::feed::notice::{self, Notice, NoticeKind};
use crate::store::lookup::watch::{self, Answering};
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
    audit: Audit,
    office: OfficeIdentity,
    told: Vec<(Instant, Uuid)>,
}

/// Why nothing can be told now.
#[derive(Debug, thiserror::Error)]
pub enum NoticesError {
    #[error("read the notices: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Notices {
    pub fn new(pool: PgPool, audit: Audit, office: OfficeIdentity) -> Self {
        Self {
            pool,
            audit,
            office,
            told: Vec::new(),
        }
    }

    /// Notices to be told now; from here on they count as told on this stream. Remembers what was told long enough
    /// ago as delivered.
    pub async fn due(&mut self, now: Instant) -> Result<Vec<Notice>, NoticesError> {
        self.confirm(now).await?;
        let room = AT_ONCE - i64::try_from(self.told.len()).unwrap_or(AT_ONCE);
        if room <= 0 {
            return Ok(Vec::new());
        }
        let told: HashSet<Uuid> = self.told.iter().map(|(_, id)| *id).collect();
        let mut reading = self.office.scope().read(&self.pool).await?;
        let mut due = notice::waiting(&mut reading, self.office.office_id, AT_ONCE).await?;
        drop(reading);
        due.retain(|notice| !told.contains(&notice.notice_id));
        self.record(&due).await?;
        self.told
            .extend(due.iter().map(|notice| (now, notice.notice_id)));
        Ok(due)
    }

    async fn record(&self, due: &[Notice]) -> Result<(), NoticesError> {
        let answers = |notice: &&Notice| notice.kind == Some(NoticeKind::MatterOpened);
        let unrecorded = due
            .iter()
            .filter(answers)
            .filter(|notice| notice.audit_entry.is_none());
        let unrecorded: Vec<Uuid> = unrecorded.map(|notice| notice.notice_id).collect();
        if unrecorded.is_empty() {
            return Ok(());
        }
        let answers = watch::answering(&self.pool, &unrecorded).await?;
        let entries = answers.iter().map(|answer| self.entry(answer));
        let receipts = self.audit.append_all(entries.collect()).await?;
        let ids: Vec<Uuid> = answers.iter().map(|answer| answer.notice_id).collect();
        let numbers: Vec<i64> = receipts.iter().map(|receipt| receipt.entry_no).collect();
        Ok(notice::recorded(&self.pool, &ids, &numbers).await?)
    }

    fn entry(&self, answer: &Answering) -> Entry {
        let mut detail = json!({ "watch": answer.watch_id, "notice": answer.notice_id });
        match answer.source_case_id.as_str() {
            "" => detail["intents_told"] = json!([answer.by]),
            case => detail["told"] = json!([[answer.by, case]]),
        }
        Entry {
            office_id: Some(self.office.office_id),
            purpose: Some(answer.purpose.code()),
            case_reference: Some(answer.case_reference.clone()),
            ..Entry::of(Actor::Hub, Action::TellWatch, Outcome::Hit, detail)
        }
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
    use std::sync::Arc;

    use aws_lc_rs::signature::Ed25519KeyPair;

    use super::*;
    use crate::audit::checkpoint::CheckpointKey;
    use crate::embedded::testing::fresh_database;
    use crate::identity::Serial;
    use crate::store::feed::notice::NewNotice;

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
        notices_of(pool, agent("hzgl"))
    }

    fn agent(office: &str) -> OfficeIdentity {
        OfficeIdentity::new(office.parse().expect("an id"), Serial::random())
    }

    fn notices_of(pool: &PgPool, office: OfficeIdentity) -> Notices {
        let pair = Ed25519KeyPair::generate().expect("random");
        // Nothing of this kind has to be recorded.
        let (audit, _) = Audit::new(
            pool.clone(),
            Arc::new(CheckpointKey::new("test".into(), pair)),
        );
        Notices::new(pool.clone(), audit, office)
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
    async fn without_the_check_a_stream_still_tells_nothing_that_waits_for_another_office() {
        let db = fresh_database().await;
        put(&db.pool, 1).await;
        let mut taken_for_it = agent("hzqt");
        taken_for_it.office_id = agent("hzgl").office_id;
        let now = Instant::now();
        let told = notices_of(&db.pool, taken_for_it).due(now).await;
        assert!(told.expect("answers").is_empty());
        assert_eq!(notices(&db.pool).due(now).await.expect("answers").len(), 1);
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
