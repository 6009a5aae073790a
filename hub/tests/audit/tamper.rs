//! A thousand seeded tamperings by somebody who owns the database, or the folder of checkpoints: an auditor with an
//! export and the checkpoints of before finds every one, and says where and what.

use std::fs;
use std::path::{Path, PathBuf};

use notary_hub::audit::archive;
use notary_hub::audit::offline::Verdict;
use notary_hub::audit::{Fault, Recorded};
use notary_hub::store;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::AssertSqlSafe;

use crate::ledger::{Ledger, consistent, key};

const TAMPERINGS: u64 = 1000;
/// Entries behind the last checkpoint.
const YOUNG: i64 = 5;
/// Entries at each checkpoint.
const COVERED: [i64; 4] = [7, 32, 61, 80];
const LAST: i64 = 80;

/// What an auditor has to find.
#[derive(Debug)]
enum Finding {
    /// Exactly that.
    At(i64, Fault),
    /// Nothing from that entry on is vouched for.
    From(i64),
    /// In the folder of checkpoints.
    Checkpoint,
}

/// Columns an entry has, and something else in them.
const CHANGES: [&str; 12] = [
    "recorded_at = recorded_at + interval '1 microsecond'",
    "actor = actor || 'x'",
    "office_id = coalesce(office_id, '') || 'x'",
    "action = 'session.create'",
    "outcome = 'hit'",
    "purpose = coalesce(purpose, '') || 'x'",
    "case_reference = coalesce(case_reference, '') || 'x'",
    "detail = detail || '{\"told\": []}'",
    "detail = detail - 'truncated'",
    "salt = decode(repeat('00', 16), 'hex')",
    "tree = overlay(tree PLACING '\\x00000000' FROM 1)",
    "chain_hash = decode(repeat('00', 32), 'hex')",
];

struct Tamperer<'a> {
    ledger: &'a Ledger,
    before: &'a [Recorded],
    rng: StdRng,
}

impl Tamperer<'_> {
    fn entry(&mut self) -> i64 {
        self.rng.random_range(1..=LAST)
    }

    async fn tamper(&mut self, kept: &Path) -> Finding {
        let k = self.entry();
        match self.rng.random_range(0..12) {
            0 => self.change(k).await,
            1 => {
                self.sql(format!("DELETE FROM audit_entry WHERE entry_no = {k}"))
                    .await;
                Finding::At(k, Fault::Missing)
            }
            2 => {
                self.sql(format!(
                    "DELETE FROM audit_entry WHERE entry_no = {k};
                     UPDATE audit_entry SET entry_no = entry_no + 1000 WHERE entry_no > {k};
                     UPDATE audit_entry SET entry_no = entry_no - 1001 WHERE entry_no > 1000"
                ))
                .await;
                Finding::At(k, Fault::Missing)
            }
            3 => self.insert(k).await,
            4 => self.swap(k).await,
            5 => {
                self.sql(format!("DELETE FROM audit_entry WHERE entry_no >= {k}"))
                    .await;
                Finding::At(k, Fault::Truncated)
            }
            6 => {
                let beyond = LAST + YOUNG + 1;
                self.sql(format!(
                    "UPDATE audit_entry SET entry_no = {beyond} WHERE entry_no = {k}"
                ))
                .await;
                Finding::At(k, Fault::Missing)
            }
            7 => self.rewrite(k, |entry| entry.outcome = "hit".into()).await,
            8 => self.roll_back(k).await,
            9 => {
                self.sql(format!(
                    "UPDATE audit_entry SET actor = '', office_id = NULL, action = '', outcome = '', purpose = NULL,
                            case_reference = NULL, detail = '{{}}', salt = NULL, pruned = true WHERE entry_no = {k}"
                ))
                .await;
                Finding::At(k, Fault::Missing)
            }
            10 => self.forge(kept),
            _ => self.misplace(kept),
        }
    }

    async fn sql(&self, sql: String) {
        self.ledger.tamper(sql).await;
    }

    async fn change(&mut self, k: i64) -> Finding {
        let change = CHANGES[self.rng.random_range(0..CHANGES.len())];
        self.sql(format!(
            "UPDATE audit_entry SET {change} WHERE entry_no = {k}"
        ))
        .await;
        Finding::At(k, Fault::Changed)
    }

    /// A copy of one entry before another.
    async fn insert(&mut self, k: i64) -> Finding {
        let copy = self.entry();
        self.sql(format!(
            "CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM audit_entry WHERE entry_no = {copy};
             UPDATE audit_entry SET entry_no = entry_no + 1001 WHERE entry_no >= {k};
             UPDATE audit_entry SET entry_no = entry_no - 1000 WHERE entry_no > 1000;
             UPDATE copied SET entry_no = {k};
             INSERT INTO audit_entry SELECT * FROM copied"
        ))
        .await;
        Finding::At(k, Fault::Inserted)
    }

    async fn swap(&mut self, k: i64) -> Finding {
        let other = match self.entry() {
            other if other == k => k % LAST + 1,
            other => other,
        };
        self.sql(format!(
            "UPDATE audit_entry SET entry_no = 1001 WHERE entry_no = {k};
             UPDATE audit_entry SET entry_no = {k} WHERE entry_no = {other};
             UPDATE audit_entry SET entry_no = {other} WHERE entry_no = 1001"
        ))
        .await;
        Finding::At(k.min(other), Fault::Reordered)
    }

    /// Everything from `k` on again, every hash fitting the others.
    async fn rewrite(&mut self, k: i64, change: impl Fn(&mut Recorded)) -> Finding {
        let mut entries = self.before.to_vec();
        change(&mut entries[usize::try_from(k).unwrap() - 1]);
        consistent(&mut entries, 1);
        self.replace(&entries).await;
        Finding::At(k, Fault::Forked)
    }

    /// The log as it was before `k`, and then other things happened.
    async fn roll_back(&mut self, k: i64) -> Finding {
        let (before, after) = self.before.split_at(usize::try_from(k).unwrap() - 1);
        let mut entries = before.to_vec();
        entries.extend(after.iter().rev().cloned());
        let keep = self.rng.random_range(before.len()..=entries.len());
        entries.truncate(keep);
        consistent(&mut entries, 1);
        self.replace(&entries).await;
        Finding::From(k)
    }

    async fn replace(&self, entries: &[Recorded]) {
        self.sql("TRUNCATE audit_entry".into()).await;
        if !entries.is_empty() {
            store::audit::insert(&self.ledger.db.pool, entries)
                .await
                .unwrap();
        }
    }

    /// A checkpoint of another tree, by somebody who lacks the key.
    fn forge(&mut self, kept: &Path) -> Finding {
        let path = self.some_checkpoint(kept);
        let mut note = fs::read(&path).unwrap();
        match self.rng.random_range(0..3) {
            0 => {
                let at = self.rng.random_range(0..note.len());
                note[at] ^= self.rng.random_range(1..=255_u8);
            }
            1 => note.truncate(self.rng.random_range(0..note.len())),
            _ => {
                let head = notary_hub::audit::merkle::TreeHead {
                    size: path.file_stem().unwrap().to_str().unwrap().parse().unwrap(),
                    root: self.rng.random(),
                };
                note = key().sign(&head).note.into_bytes();
            }
        }
        fs::write(path, note).unwrap();
        Finding::Checkpoint
    }

    /// An older checkpoint in the place of a newer one.
    fn misplace(&mut self, kept: &Path) -> Finding {
        let files = archive::list(kept).unwrap();
        let older = self.rng.random_range(0..files.len() - 1);
        let newer = self.rng.random_range(older + 1..files.len());
        fs::copy(&files[older].path, &files[newer].path).unwrap();
        Finding::Checkpoint
    }

    fn some_checkpoint(&mut self, kept: &Path) -> PathBuf {
        let mut files = archive::list(kept).unwrap();
        files.remove(self.rng.random_range(0..files.len())).path
    }
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for kept in archive::list(from).unwrap() {
        fs::copy(&kept.path, to.path().join(kept.path.file_name().unwrap())).unwrap();
    }
    to
}

/// Whether the verdict says where and what.
fn names(verdict: &Verdict, finding: &Finding) -> bool {
    let broken = verdict.log.broken;
    !verdict.is_intact()
        && match *finding {
            Finding::At(k, fault) => {
                broken.is_some_and(|b| b.fault == fault && (b.entry_no..=b.through).contains(&k))
            }
            Finding::From(k) => broken.is_some() && verdict.log.vouched < k,
            Finding::Checkpoint => {
                let codes = verdict.checkpoints.iter().map(|flaw| flaw.fault.code());
                codes.eq(["forged_checkpoint"])
            }
        }
}

#[tokio::test]
async fn a_thousand_tamperings_are_found_offline_with_the_checkpoints_of_before() {
    let mut ledger = Ledger::open().await;
    let mut there = 0;
    for covered in COVERED {
        ledger.append(covered - there).await;
        assert_eq!(ledger.checkpoint().await, covered.unsigned_abs());
        there = covered;
    }
    ledger.append(YOUNG).await;
    ledger.close().await;
    let before = ledger.entries().await;
    let untouched = ledger.audited().await;
    assert!(untouched.is_intact(), "{untouched:?}");
    assert_eq!(
        (untouched.log.through, untouched.log.vouched),
        (LAST + YOUNG, LAST)
    );

    let restore = "TRUNCATE audit_entry; INSERT INTO audit_entry SELECT * FROM untouched";
    ledger
        .tamper("CREATE TABLE untouched AS SELECT * FROM audit_entry")
        .await;
    for seed in 0..TAMPERINGS {
        let kept = copy(ledger.kept.path());
        let mut tamperer = Tamperer {
            ledger: &ledger,
            before: &before,
            rng: StdRng::seed_from_u64(seed),
        };
        let finding = tamperer.tamper(kept.path()).await;
        let verdict = ledger.audited_with(kept.path()).await;
        assert!(
            names(&verdict, &finding),
            "seed {seed}: {finding:?}, {verdict:?}"
        );
        ledger.tamper(restore).await;
    }
    assert!(ledger.audited().await.is_intact(), "nothing is left of it");
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe("SELECT count(*) FROM audit_entry"))
        .fetch_one(&ledger.db.pool)
        .await
        .unwrap();
    assert_eq!(rows, LAST + YOUNG);
}
