//! What the hub holds, read from its tables.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use linkage::matter::Severity;
use sqlx::PgPool;
use synthetic_city::PlantedKind;
use time::Date;

/// What of a case is compared: enough to tell an older content from a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) state: String,
    pub(super) matter_type: String,
    /// Applied, accepted, issued, closed.
    pub(super) days: [Option<Date>; 4],
    pub(super) fee_charged_fen: i64,
}

/// An open reject.
#[derive(Clone, Debug)]
pub(super) struct Reject {
    pub(super) record_key: String,
    pub(super) rule_id: String,
}

/// An open duplicate finding.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) rule_id: String,
    pub(super) severity: Severity,
    /// Which kind of planted pair such a finding is for: equal numbers, or persons.
    pub(super) kind: PlantedKind,
    pub(super) left: (String, String),
    pub(super) right: (String, String),
}

/// What the hub holds of one office.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) cases: HashMap<String, Facts>,
    /// Replaced revisions of each case that has some.
    pub(super) replaced: HashMap<String, u64>,
    pub(super) rejects: Vec<Reject>,
}

/// The same of all offices.
#[derive(Debug, Default)]
pub(super) struct Holdings(HashMap<String, Held>);

type CaseRow = (
    String,
    String,
    String,
    String,
    Option<Date>,
    Option<Date>,
    Option<Date>,
    Option<Date>,
    i64,
);

impl Holdings {
    pub(super) async fn load(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let mut holdings = Self::default();
        // One moment of the database, whatever arrives meanwhile.
        let mut snapshot = pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let mut cases = sqlx::query_as::<_, CaseRow>(
            "SELECT office_id, source_case_id, state, matter_type, applied_on, accepted_on, issued_on, closed_on, \
             fee_charged_fen FROM case_record",
        )
        .fetch(&mut *snapshot);
        while let Some(row) = cases.try_next().await? {
            let (office, case, state, matter_type, applied, accepted, issued, closed, fee) = row;
            let facts = Facts {
                state,
                matter_type,
                days: [applied, accepted, issued, closed],
                fee_charged_fen: fee,
            };
            holdings.of(office).cases.insert(case, facts);
        }
        drop(cases);
        let replaced: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT office_id, source_case_id, count(*) FROM case_history GROUP BY 1, 2",
        )
        .fetch_all(&mut *snapshot)
        .await?;
        for (office, case, count) in replaced {
            holdings
                .of(office)
                .replaced
                .insert(case, count.unsigned_abs());
        }
        let rejects: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT office_id, record_key, rule_id FROM reject WHERE resolved_at IS NULL",
        )
        .fetch_all(&mut *snapshot)
        .await?;
        for (office, record_key, rule_id) in rejects {
            holdings.of(office).rejects.push(Reject {
                record_key,
                rule_id,
            });
        }
        Ok(holdings)
    }

    pub(super) fn take(&mut self, office_id: &str) -> Held {
        self.0.remove(office_id).unwrap_or_default()
    }

    fn of(&mut self, office_id: String) -> &mut Held {
        self.0.entry(office_id).or_default()
    }
}

pub(super) async fn findings(pool: &PgPool) -> anyhow::Result<Vec<Finding>> {
    let rows: Vec<(String, String, String, String, String, String, String)> = sqlx::query_as(
        "SELECT rule_id, severity, basis, left_office, left_case, right_office, right_case FROM duplicate_finding \
         WHERE closed_at IS NULL",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(
            |(rule_id, severity, basis, left_office, left_case, right_office, right_case)| {
                Ok(Finding {
                    rule_id,
                    severity: severity.parse()?,
                    kind: match basis.as_str() {
                        "person" => PlantedKind::Fuzzy,
                        _ => PlantedKind::Exact,
                    },
                    left: (left_office, left_case),
                    right: (right_office, right_case),
                })
            },
        )
        .collect()
}
