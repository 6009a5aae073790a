//! A log with checkpoints, without a hub around it.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::Ed25519KeyPair;
use notary_hub::audit::merkle::Edge;
use notary_hub::audit::offline::{self, Evidence, Verdict};
use notary_hub::audit::{
    Action, Actor, Audit, CheckpointKey, Checkpoints, Entry, Outcome, Recorded, export,
};
use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use notary_hub::store;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct Ledger {
    pub db: TestDatabase,
    pub key: Arc<CheckpointKey>,
    pub kept: TempDir,
    pub audit: Audit,
    pub checkpoints: Arc<Checkpoints>,
    writing: (CancellationToken, JoinHandle<()>),
}

pub fn key() -> Arc<CheckpointKey> {
    let pair = Ed25519KeyPair::generate().unwrap();
    Arc::new(CheckpointKey::new("notary.hangzhou/audit".into(), pair))
}

pub fn entry(number: i64) -> Entry {
    Entry {
        actor: Actor::Office("hzgl".parse().unwrap()),
        office_id: (number % 3 > 0).then(|| "hzgl".parse().unwrap()),
        action: Action::CheckApplication,
        outcome: Outcome::NoHit,
        purpose: (number % 2 > 0).then_some("before_acceptance"),
        case_reference: (number % 5 > 0).then(|| format!("2024-接-{number}")),
        detail: json!({ "number": number, "told": [["xiaoshan", "A-1"]], "truncated": false }),
    }
}

impl Ledger {
    pub async fn open() -> Self {
        Self::on(fresh_database().await).await
    }

    pub async fn on(db: TestDatabase) -> Self {
        let key = key();
        let (audit, log) = Audit::new(store::pool::audit(&db.url).unwrap(), Arc::clone(&key));
        let stop = CancellationToken::new();
        let writing = (stop.clone(), tokio::spawn(log.run(stop)));
        let kept = tempfile::tempdir().unwrap();
        let dir = kept.path().to_owned();
        let checkpoints = Checkpoints::open(db.pool.clone(), Arc::clone(&key), dir).unwrap();
        Self {
            key,
            kept,
            audit,
            checkpoints: Arc::new(checkpoints),
            writing,
            db,
        }
    }

    /// Nobody writes any more.
    pub async fn close(&mut self) {
        self.writing.0.cancel();
        (&mut self.writing.1).await.unwrap();
    }

    pub async fn append(&self, entries: i64) {
        for number in 0..entries {
            self.audit.append(entry(number)).await.unwrap();
        }
    }

    pub async fn checkpoint(&self) -> u64 {
        let published = self.checkpoints.publish().await.unwrap();
        published.unwrap().head.size
    }

    pub async fn entries(&self) -> Vec<Recorded> {
        let after = store::audit::after(&self.db.pool, 0, i64::MAX);
        after.await.unwrap()
    }

    /// As somebody who owns the database could.
    pub async fn tamper(&self, sql: impl Into<String>) {
        let sql = format!(
            "BEGIN; ALTER TABLE audit_entry DISABLE TRIGGER USER; {};
             ALTER TABLE audit_entry ENABLE TRIGGER USER; COMMIT",
            sql.into()
        );
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.db.pool);
        done.await.unwrap();
    }

    /// What an auditor says who has an export and the checkpoints in `kept`.
    pub async fn audited_with(&self, kept: &Path) -> Verdict {
        let evidence = Evidence::read(kept, &[self.key.verifier().clone()]).unwrap();
        let mut file = Vec::new();
        export::write(&self.db.pool, &mut file).await.unwrap();
        offline::verify_export(file.as_slice(), &evidence)
            .await
            .unwrap()
    }

    pub async fn audited(&self) -> Verdict {
        self.audited_with(self.kept.path()).await
    }
}

/// Gives entries numbers and hashes that fit each other, as somebody would who knows how the log is made.
pub fn consistent(entries: &mut [Recorded], first: i64) {
    let mut edge = Edge::default();
    for (number, entry) in (first..).zip(entries) {
        entry.entry_no = number;
        entry.tree = Some(edge.push(entry.hash()).concat());
    }
}
