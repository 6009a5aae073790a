//! Scoring self-assessments again: when items or levels are others than those that they were scored by.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool};

use super::assessment::assessed;
use super::window::Window;
use crate::store::filing::assessment as store;
use crate::store::{office::structure, tx};

/// How self-assessments are scored: at the level of their day.
const SCORING: &str = "2";

/// Scores all when they were scored by another window or another way than this hub's: once.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn again_if_due(pool: &PgPool) -> Result<(), sqlx::Error> {
    let basis = format!("{SCORING}-{}", Window::builtin().version);
    let mut transaction = tx::begin(pool).await?;
    if store::claim(&mut transaction, &basis).await? {
        again(&mut transaction, None).await?;
    }
    transaction.commit().await
}

/// Scores those of an office, or all, at the levels that the offices have on their days now.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn again(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
) -> Result<(), sqlx::Error> {
    let periods = structure::periods(&mut *connection).await?;
    let filed = store::filed(&mut *connection, office_id).await?;
    let scores = filed.into_iter().map(|filed| {
        let score = assessed(&filed.body, filed.office_id, &periods).unwrap_or_default();
        (filed, score)
    });
    store::put_scores(connection, &scores.collect::<Vec<_>>()).await
}
