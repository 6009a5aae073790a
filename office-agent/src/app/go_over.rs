//! Going over to the city's next token key: outbox and identity follow one after the other, and whatever comes in between
//! is taken to its end at the next start.

use std::path::Path;

use super::AppError;
use crate::identity::{self, Identity};
use crate::outbox::Outbox;

/// The office's identity, with the outbox under its token key. Nobody may be about to put in what was made under another.
pub(crate) async fn identity_under_one_key(
    data_dir: &Path,
    outbox: &Outbox,
) -> Result<Identity, AppError> {
    let identity = identity::load(data_dir)?;
    let kept_under = outbox.token_key().await?;
    if kept_under == identity.token_key().id() {
        return Ok(identity);
    }
    // The outbox has gone over and the identity has not yet.
    if let Some(moved) = identity.under_next_key(kept_under) {
        identity::store(data_dir, &moved)?;
        return Ok(moved);
    }
    // The office was enrolled again after the city had gone over.
    outbox.go_over(identity.token_key().id()).await?;
    Ok(identity)
}

/// Goes over to the key, which the identity has as the next one.
pub(super) async fn go_over(data_dir: &Path, outbox: &Outbox, key_id: u32) -> Result<(), AppError> {
    outbox.go_over(key_id).await?;
    identity_under_one_key(data_dir, outbox).await?;
    tracing::info!(key_id, "gone over to the city's new token key");
    Ok(())
}
