//! Offering again what the hub refused because of another case, or of itself: once that is mended, nothing of the refused
//! case changes, and its source does not bring it again.

use linkage::vocabulary::RejectRule;
use notary_proto::hub::v1 as wire;
use rusqlite::{Transaction, params};
use time::OffsetDateTime;

use super::decide::REFUSED_AGAIN_AFTER;
use super::{Outbox, OutboxError, append, compare, reject};

impl Outbox {
    /// Offers again what the hub refused long enough ago for a reason that does not lie in the case.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub async fn offer_refused_again(&self) -> Result<(), OutboxError> {
        let now = (self.clock)();
        let last = self.worker.write(move |tx| offer_again(tx, now)).await?;
        if let Some(last) = last {
            self.grown.send_replace(last);
        }
        Ok(())
    }
}

/// Offered again at once; the others have their turn later. A mapping that gives all cases one number must not fill the
/// disk with them.
const AT_ONCE: u32 = 100;

/// Puts refused cases into the outbox again, those first that wait longest. Returns the last sequence given out, if any was.
fn offer_again(tx: &Transaction<'_>, now: OffsetDateTime) -> Result<Option<u64>, OutboxError> {
    let refused: Vec<(String, i64)> = tx
        .prepare(
            "SELECT source_case_id, position FROM known_case
             WHERE refused_at <= ?1 AND position IS NOT NULL
               AND EXISTS (SELECT 1 FROM reject
                            WHERE reject.source_case_id = known_case.source_case_id AND origin = ?2
                              AND (rule_id IN (?4, ?6)
                                   -- Until another case has gone out nothing can be different.
                                   OR rule_id = ?3
                                      AND position < (SELECT max(position) FROM known_case WHERE refused_at IS NULL)))
             ORDER BY refused_at LIMIT ?5",
        )?
        .query_map(
            params![
                now.unix_timestamp() - REFUSED_AGAIN_AFTER,
                reject::HUB,
                RejectRule::CaseNoTaken.code(),
                RejectRule::StoreRefused.code(),
                AT_ONCE,
                RejectRule::StoredUnreadable.code()
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<Result<_, _>>()?;
    let mut last = None;
    for (id, position) in refused {
        // One that is let go of comes with its source's next reading.
        let Some(case) = compare::kept_case(tx, position)? else {
            continue;
        };
        reject::clear_case(tx, &id)?;
        last = Some(append::put(tx, wire::record::Payload::Case(case))?);
        tx.prepare_cached(
            "UPDATE known_case SET refused_at = NULL, position = (SELECT last_position FROM state)
             WHERE source_case_id = ?1",
        )?
        .execute(params![id])?;
    }
    Ok(last)
}
