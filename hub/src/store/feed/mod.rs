//! An office's feed as people look at it: position, what is refused, what is doubtful.
//!
//! | module | holds |
//! |---|---|
//! | [`day`] | feeds and look-ups, day by day |
//! | [`notice`] | what waits to be told to an office |
//! | [`sync`] | how far each feed has come, and who speaks for it |

pub mod day;
pub mod notice;
pub mod sync;

use linkage::office::OfficeId;
use sqlx::{PgConnection, query, query_as, query_scalar};
use time::OffsetDateTime;

use super::case::digest::Drift;

/// Where a feed stands. Nothing is known of one that never spoke.
#[derive(Clone, Debug)]
pub struct Feed {
    pub office_id: OfficeId,
    pub connected: bool,
    pub committed_sequence: Option<i64>,
    pub backlog: Option<i64>,
    pub last_commit_at: Option<OffsetDateTime>,
    pub up_to_date_at: Option<OffsetDateTime>,
    pub last_seen_at: Option<OffsetDateTime>,
    pub clock_skew_ms: Option<i64>,
    pub agent_version: Option<String>,
    /// Who at the office updates and reports the data, as the bureau has it on file.
    pub data_steward: Option<String>,
    /// When the agent last compared, and in how many cases the two sides differed.
    pub compared_at: Option<OffsetDateTime>,
    pub drift: Option<Drift>,
    pub open_rejects: Vec<Count>,
    pub quality_findings: Vec<Count>,
}

/// What is known of a feed from its agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) committed_sequence: Option<i64>,
    pub(super) backlog: Option<i64>,
    /// When nothing waited at the agent as it said something.
    pub(super) caught_up_at: Option<OffsetDateTime>,
    pub(super) last_seen_at: Option<OffsetDateTime>,
}

impl Heard {
    /// When all that the office has was last known to be here (最近报齐); `None` when it never was. An office without new
    /// cases is up to date for as long as its agent is heard and has nothing waiting. An agent that has given out nothing
    /// of its epoch may not have read its sources yet.
    pub(super) fn up_to_date_at(self) -> Option<OffsetDateTime> {
        let caught_up_at = self.caught_up_at?;
        let is_heard_out = self.backlog == Some(0) && self.committed_sequence > Some(0);
        let heard_at = self.last_seen_at.filter(|_| is_heard_out);
        Some(heard_at.map_or(caught_up_at, |at| at.max(caught_up_at)))
    }
}

/// How many a rule has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub rule_id: String,
    pub count: i64,
}

/// A record in quarantine.
#[derive(Clone, Debug)]
pub struct Reject {
    pub record_key: String,
    pub rule_id: String,
    pub field: String,
    pub source_location: Option<String>,
    pub value_shape: Option<String>,
    pub found_by: String,
    pub revision: Option<i64>,
    pub first_seen_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
}

/// Whether there is such an office.
pub async fn exists(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT EXISTS (SELECT FROM office WHERE office_id = $1) AS "exists!""#,
        office_id.as_str()
    )
    .fetch_one(&mut *connection)
    .await
}

/// The feed of an office, or nothing when there is no such office.
pub async fn of(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<Option<Feed>, sqlx::Error> {
    Ok(list(connection, Some(office_id)).await?.pop())
}

/// The feeds of all offices, or of one, by office.
pub async fn list(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
) -> Result<Vec<Feed>, sqlx::Error> {
    let wanted = office_id.as_ref().map(OfficeId::as_str);
    let rows = query!(
        r#"SELECT o.office_id, s.committed_sequence AS "committed_sequence?", s.backlog AS "backlog?",
                  s.committed_at AS "committed_at?", s.caught_up_at, s.last_seen_at, s.clock_skew_ms, s.agent_version,
                  (SELECT nullif(p.data_steward, '') FROM office_profile p WHERE p.office_id = o.office_id) AS data_steward,
                  s.compared_at, s.drift_missing AS "drift_missing?", s.drift_differing AS "drift_differing?",
                  s.drift_only_at_hub AS "drift_only_at_hub?",
                  coalesce(s.last_seen_at > now() - interval '15 seconds', false) AS "connected!"
             FROM office o LEFT JOIN sync_position s ON s.office_id = o.office_id
            WHERE $1::text IS NULL OR o.office_id = $1
            ORDER BY o.office_id"#,
        wanted,
    )
    .fetch_all(&mut *connection)
    .await?;
    let rejects = query_as!(
        OfficeCount,
        r#"SELECT office_id, rule_id, count(*) AS "count!" FROM reject
            WHERE ($1::text IS NULL OR office_id = $1) AND resolved_at IS NULL
            GROUP BY office_id, rule_id ORDER BY office_id, rule_id"#,
        wanted,
    )
    .fetch_all(&mut *connection)
    .await?;
    let findings = query_as!(
        OfficeCount,
        r#"SELECT office_id, rule_id, count(*) AS "count!" FROM quality_finding
            WHERE $1::text IS NULL OR office_id = $1
            GROUP BY office_id, rule_id ORDER BY office_id, rule_id"#,
        wanted,
    )
    .fetch_all(&mut *connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Feed {
                open_rejects: counts(&rejects, &row.office_id),
                quality_findings: counts(&findings, &row.office_id),
                office_id: row
                    .office_id
                    .parse()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                connected: row.connected,
                committed_sequence: row.committed_sequence,
                backlog: row.backlog,
                last_commit_at: row.committed_at,
                up_to_date_at: Heard {
                    committed_sequence: row.committed_sequence,
                    backlog: row.backlog,
                    caught_up_at: row.caught_up_at,
                    last_seen_at: row.last_seen_at,
                }
                .up_to_date_at(),
                last_seen_at: row.last_seen_at,
                clock_skew_ms: row.clock_skew_ms,
                agent_version: row.agent_version,
                data_steward: row.data_steward,
                compared_at: row.compared_at,
                drift: row.compared_at.map(|_| Drift {
                    missing: row.drift_missing.unwrap_or_default(),
                    differing: row.drift_differing.unwrap_or_default(),
                    only_at_hub: row.drift_only_at_hub.unwrap_or_default(),
                }),
            })
        })
        .collect()
}

struct OfficeCount {
    office_id: String,
    rule_id: String,
    count: i64,
}

fn counts(of_all: &[OfficeCount], office_id: &str) -> Vec<Count> {
    let own = of_all.iter().filter(|count| count.office_id == office_id);
    own.map(|count| Count {
        rule_id: count.rule_id.clone(),
        count: count.count,
    })
    .collect()
}

/// Open rejects behind a key (record, rule, field), in the order of their keys.
pub async fn open_rejects(
    connection: &mut PgConnection,
    office_id: OfficeId,
    behind: &[String; 3],
    most: i64,
) -> Result<Vec<Reject>, sqlx::Error> {
    let [record_key, rule_id, field] = behind;
    query_as!(
        Reject,
        r#"SELECT record_key, rule_id, field, source_location, value_shape, found_by, revision, first_seen_at,
                  last_seen_at
             FROM reject
            WHERE office_id = $1 AND resolved_at IS NULL AND (record_key, rule_id, field) > ($2, $3, $4)
            ORDER BY record_key, rule_id, field LIMIT $5"#,
        office_id.as_str(),
        record_key,
        rule_id,
        field,
        most,
    )
    .fetch_all(&mut *connection)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_feed_is_up_to_date_for_as_long_as_its_agent_is_heard_with_nothing_waiting() {
        let monday = datetime!(2024-09-23 09:00 +8);
        let friday = datetime!(2024-09-27 17:00 +8);
        let quiet = Heard {
            committed_sequence: Some(7),
            backlog: Some(0),
            caught_up_at: Some(monday),
            last_seen_at: Some(friday),
        };
        let at = |heard: Heard| heard.up_to_date_at();
        assert_eq!(at(quiet), Some(friday));
        let waiting = Heard {
            backlog: Some(1),
            ..quiet
        };
        assert_eq!(at(waiting), Some(monday));
        let rebuilt = Heard {
            committed_sequence: Some(0),
            ..quiet
        };
        assert_eq!(at(rebuilt), Some(monday), "its sources may not be read yet");
        let never = Heard {
            caught_up_at: None,
            ..quiet
        };
        assert_eq!(at(never), None);
    }
}
