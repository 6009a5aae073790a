//! Second factors of accounts: sealed secrets, used codes, recovery codes, and what is offered and not in force yet.

use sqlx::{PgConnection, PgPool, PgTransaction};
use uuid::Uuid;

use crate::identity::account::own_account::{Change, ChangedBy};
use crate::store::account::Owner;
use crate::store::account::own::note_change;
use crate::store::tx;

/// Replaces an account's second factor by command: its sealed secret and the hashes of its recovery codes. Both at
/// once, or neither.
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
    replace_recovery_codes(tx, account_id, recovery_hashes).await?;
    let change = match sealed_secret {
        Some(_) => Change::SecondFactorSet,
        None => Change::SecondFactorTaken,
    };
    note_change(&mut **tx, account_id, change, ChangedBy::Operator).await
}

async fn replace_recovery_codes(
    connection: &mut PgConnection,
    account_id: Uuid,
    hashes: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM recovery_code WHERE account_id = $1",
        account_id
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO recovery_code (account_id, code_hash) SELECT $1, unnest($2::bytea[])",
        account_id,
        hashes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a sealed secret until it is confirmed, in the place of any that was offered before.
pub async fn offer(pool: &PgPool, account_id: Uuid, sealed: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO second_factor_offer (account_id, sealed, generation)
         SELECT account_id, $2, generation FROM account WHERE account_id = $1
         ON CONFLICT (account_id) DO UPDATE
            SET sealed = excluded.sealed, generation = excluded.generation, offered_at = now(), tries = 0",
        account_id,
        sealed,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Counts a try at the secret that was offered, and returns it: nothing when there is none, when it is older than ten
/// minutes, when it was tried five times, or when the account was changed since.
pub async fn try_offer(pool: &PgPool, account_id: Uuid) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!(
        "UPDATE second_factor_offer o SET tries = o.tries + 1 FROM account a
          WHERE o.account_id = $1 AND a.account_id = $1 AND o.generation = a.generation
            AND o.offered_at > now() - interval '10 minutes' AND o.tries < 5
          RETURNING o.sealed",
        account_id,
    )
    .fetch_optional(pool)
    .await
}

/// Puts the secret in force that was offered, with the code of this time step used, and ends the account's sessions. Returns
/// the owner, with the generation of those that follow; nothing when it is not on offer any more.
pub async fn take_offer(
    pool: &PgPool,
    account_id: Uuid,
    sealed: &[u8],
    step: i64,
    recovery_hashes: &[Vec<u8>],
) -> Result<Option<Owner>, sqlx::Error> {
    let mut tx = tx::begin(pool).await?;
    let row = sqlx::query!(
        "WITH taken AS (
             DELETE FROM second_factor_offer WHERE account_id = $1 AND sealed = $2 RETURNING generation)
         UPDATE account a
            SET totp_secret = $2, totp_step = $3, generation = a.generation + 1, generation_at = now()
           FROM taken
          WHERE a.account_id = $1 AND a.generation = taken.generation AND a.disabled_at IS NULL
          RETURNING a.role, a.office_id, a.display_name, a.generation",
        account_id,
        sealed,
        step,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    replace_recovery_codes(&mut tx, account_id, recovery_hashes).await?;
    note_change(
        &mut *tx,
        account_id,
        Change::SecondFactorSet,
        ChangedBy::Owner,
    )
    .await?;
    tx.commit().await?;
    Owner::read(
        account_id,
        &row.role,
        row.office_id.as_deref(),
        row.display_name,
        row.generation,
    )
    .map(Some)
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
