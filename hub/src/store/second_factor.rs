//! Second factors of accounts: sealed secrets, used codes, recovery codes.

use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

/// Replaces an account's second factor: its sealed secret and the hashes of its recovery codes. Both at once,
/// or neither.
pub async fn replace(
    tx: &mut PgTransaction<'_>,
    account_id: Uuid,
    sealed_secret: Option<&[u8]>,
    recovery_hashes: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE account SET totp_secret = $2, totp_step = NULL, generation = generation + 1,
                generation_at = now()
         WHERE account_id = $1",
        account_id,
        sealed_secret,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "DELETE FROM recovery_code WHERE account_id = $1",
        account_id
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "INSERT INTO recovery_code (account_id, code_hash) SELECT $1, unnest($2::bytea[])",
        account_id,
        recovery_hashes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Uses the code of a time step. Returns false when this or a later step was used already, here or at another hub.
pub async fn use_step(pool: &PgPool, account_id: Uuid, step: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE account SET totp_step = $2
         WHERE account_id = $1 AND (totp_step IS NULL OR totp_step < $2)",
        account_id,
        step,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses a recovery code up. Returns false when there is none of this hash.
pub async fn use_recovery_code(
    pool: &PgPool,
    account_id: Uuid,
    code_hash: &[u8; 32],
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM recovery_code WHERE account_id = $1 AND code_hash = $2",
        account_id,
        code_hash.as_slice(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
