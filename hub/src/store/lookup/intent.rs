//! `lookup_intent`: who is about to accept what.

use linkage::matter::{MatterKey, MatterType};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::decode::{decode_error, parse};

/// An intent of another office that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub office_id: OfficeId,
    pub office_name: String,
    pub matter_type: MatterType,
    pub registered_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// An intent that stands behind keys that were asked about.
#[derive(Clone, Debug)]
pub struct Behind {
    pub standing: Standing,
    /// Those keys, sorted.
    pub shared: Vec<MatterKey>,
}

/// What is asked about intents.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Other offices' alone.
    pub office_id: OfficeId,
    pub keys: &'a [MatterKey],
    /// Without those of these matters.
    pub untold: &'a [MatterType],
}

/// Registers an office's intent behind `keys`, which must not be empty, in the place of an earlier one, and returns
/// until when it stands. The caller holds the stripes of the keys.
pub async fn register(
    connection: &mut PgConnection,
    office_id: OfficeId,
    account_id: Uuid,
    matter_type: MatterType,
    keys: &[MatterKey],
) -> Result<OffsetDateTime, sqlx::Error> {
    query!(
        "DELETE FROM lookup_intent WHERE office_id = $1 AND expires_at <= clock_timestamp()",
        office_id.as_str(),
    )
    .execute(&mut *connection)
    .await?;
    // The time is that of the stripes, not of the transaction: a case that came before is older than the intent.
    let row = query!(
        r#"WITH entered AS (
               INSERT INTO lookup_intent (office_id, key, matter_type, account_id, registered_at, expires_at)
               SELECT $1, key, $2, $3, at, at + interval '24 hours'
                 FROM unnest($4::bytea[]) AS key CROSS JOIN (SELECT clock_timestamp()) AS clock (at)
                   ON CONFLICT (office_id, key) DO UPDATE
                  SET matter_type = excluded.matter_type, account_id = excluded.account_id,
                      registered_at = excluded.registered_at, expires_at = excluded.expires_at
               RETURNING expires_at)
           SELECT max(expires_at) AS "expires_at!" FROM entered"#,
        office_id.as_str(),
        matter_type.code(),
        account_id,
        &bytes(keys) as &[&[u8]],
    )
    .fetch_one(connection)
    .await?;
    Ok(row.expires_at)
}

/// Ends an office's intents behind `keys`.
pub async fn withdraw(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[MatterKey],
) -> Result<(), sqlx::Error> {
    query!(
        "DELETE FROM lookup_intent WHERE office_id = $1 AND key = ANY ($2::bytea[])",
        office_id.as_str(),
        &bytes(keys) as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Intents that stand behind the keys, the latest first, of each office one for each matter: whether it is the matter
/// asked about, or bears on it, is for the rules to say. One is over when its time is, and when a case with its key has come from its
/// office since. The connection reads as [`crate::store::scope::Searches::look_up`] has it.
pub async fn others(
    connection: &mut PgConnection,
    sought: Sought<'_>,
) -> Result<Vec<Behind>, sqlx::Error> {
    let untold: Vec<&str> = sought.untold.iter().map(|matter| matter.code()).collect();
    let rows = query!(
        r#"SELECT i.office_id, o.name, i.matter_type, max(i.registered_at) AS "registered_at!",
                  max(i.expires_at) AS "expires_at!", array_agg(i.key ORDER BY i.key) AS "shared!"
             FROM lookup_intent i JOIN office o ON o.office_id = i.office_id
            WHERE i.key = ANY ($1::bytea[]) AND i.office_id <> $2 AND i.expires_at > clock_timestamp()
              AND i.matter_type <> ALL ($3::text[])
              AND NOT EXISTS (
                  SELECT FROM matter_key k
                    JOIN case_record c ON c.office_id = k.office_id AND c.source_case_id = k.source_case_id
                   WHERE k.key = i.key AND k.office_id = i.office_id AND c.first_recorded_at >= i.registered_at)
            GROUP BY i.office_id, o.name, i.matter_type
            ORDER BY 4 DESC, i.office_id, i.matter_type"#,
        &bytes(sought.keys) as &[&[u8]],
        sought.office_id.as_str(),
        &untold as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let shared = row.shared.iter();
            Ok(Behind {
                standing: Standing {
                    office_id: parse(&row.office_id)?,
                    office_name: row.name,
                    matter_type: parse(&row.matter_type)?,
                    registered_at: row.registered_at,
                    expires_at: row.expires_at,
                },
                shared: shared
                    .map(|key| MatterKey::try_from(key.as_slice()).map_err(decode_error))
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

pub(super) fn bytes(keys: &[MatterKey]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.as_bytes().as_slice()).collect()
}
