//! What recording a filing writes: the filing, once, and what follows from it: recusal, special paper, work for the rules.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use time::Date;
use uuid::Uuid;

use crate::filing::assessment::assessed;
use crate::filing::body::{Body, PaperMovement, Relative};
use crate::filing::{Filing, Receipt, SubmitError};
use crate::local_time::local_day;
use crate::store::decode::decode_error;
use crate::store::scope::{self, Scope};
use crate::store::supervision::work;
use crate::store::token_key::{self, Told};
use crate::store::{office::structure, token_key::go_over, tx};

/// Stores a filing, once; returns how it was first recorded.
pub async fn record(
    pool: &PgPool,
    scope: Scope,
    told: Told,
    filing: &Filing,
    due_on: Option<Date>,
) -> Result<Receipt, SubmitError> {
    let mut transaction = tx::begin(pool).await?;
    let token_key = token_key_of(&mut transaction, told, filing).await?;
    scope.narrow(&mut transaction).await?;
    if let Some(about) = filing.body.closes() {
        let there = query_scalar!(
            r#"SELECT EXISTS (SELECT FROM filing WHERE office_id = $1 AND filing_id = $2
                               AND kind IN ('complaint', 'review')) AS "there!""#,
            filing.office_id.as_str(),
            about,
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !there {
            return Err(SubmitError::NothingToClose);
        }
    }
    let detail =
        serde_json::to_value(filing.body.clone().without_tokens()).map_err(decode_error)?;
    let periods = structure::periods(&mut *transaction).await?;
    let score = assessed(&filing.body, filing.office_id, &periods);
    let digest = filing.digest();
    let recorded_at = query_scalar!(
        r#"INSERT INTO filing (office_id, filing_id, kind, source_case_id, text, recorded_at, detail, happened_on, due_on,
                               about, filed_by, items_met, items, digest, token_key)
           VALUES ($1, $2, $3, $4, $5, now(), $6, $7, $8, $9, $10, $11, $12, $13, $14)
           ON CONFLICT (office_id, filing_id) DO NOTHING RETURNING recorded_at"#,
        filing.office_id.as_str(),
        filing.filing_id,
        filing.body.kind().code(),
        filing.source_case_id.as_deref(),
        filing.text,
        detail,
        filing.body.happened_on(),
        due_on,
        filing.body.closes(),
        filing.filed_by,
        score.as_ref().map(|score| score.met as i16),
        score.as_ref().map(|score| score.of as i16),
        &digest,
        token_key,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let found = match recorded_at {
        Some(_) => Found::Nothing,
        None => found(&mut transaction, filing, &digest, token_key).await?,
    };
    let receipt = receipt(&mut transaction, filing).await?;
    match found {
        Found::Nothing => {
            scope::widen(&mut transaction).await?;
            follow(&mut transaction, filing).await?;
        }
        Found::Itself => {}
        Found::UnderFormerKey => {
            scope::widen(&mut transaction).await?;
            if !are_known_relatives_among(&mut transaction, filing).await? {
                return Err(SubmitError::IdTaken);
            }
            put_under_key(&mut transaction, filing, &digest, token_key).await?;
        }
        Found::Another => return Err(SubmitError::IdTaken),
    }
    transaction.commit().await?;
    Ok(receipt)
}

/// The key that came into force of those that its tokens can be made with, `None` without tokens; it does not change until
/// the transaction ends.
async fn token_key_of(
    connection: &mut PgConnection,
    told: Told,
    filing: &Filing,
) -> Result<Option<i32>, SubmitError> {
    if !filing.body.kind().has_numbers() {
        return Ok(None);
    }
    let standing = match filing.body.has_tokens() {
        true => token_key::enter_told(connection, told).await?,
        false => token_key::enter(connection).await?,
    };
    let key = standing.present.map(|key| go_over::stored(key.id));
    Ok(key.transpose()?)
}

/// What was recorded under its id already.
enum Found {
    Nothing,
    /// As it is or was before it was corrected. Of filings of before digests were kept nothing more is said.
    Itself,
    /// The same with tokens of a key that was given up.
    UnderFormerKey,
    Another,
}

async fn found(
    connection: &mut PgConnection,
    filing: &Filing,
    digest: &[u8],
    token_key: Option<i32>,
) -> Result<Found, sqlx::Error> {
    let row = query!(
        r#"SELECT coalesce(f.digest = $3, true)
                  OR EXISTS (SELECT FROM filing_former o WHERE o.office_id = f.office_id AND o.filing_id = f.filing_id
                                                           AND coalesce(o.digest = $3, true)) AS "same!",
                  f.token_key, f.detail, f.source_case_id, f.text
             FROM filing f WHERE f.office_id = $1 AND f.filing_id = $2"#,
        filing.office_id.as_str(),
        filing.filing_id,
        digest,
    )
    .fetch_one(connection)
    .await?;
    let without_tokens =
        serde_json::to_value(filing.body.clone().without_tokens()).map_err(decode_error)?;
    let is_same_otherwise = row.detail == without_tokens
        && row.source_case_id == filing.source_case_id
        && row.text == filing.text;
    Ok(match row.same {
        true => Found::Itself,
        false if is_same_otherwise && row.token_key != token_key => Found::UnderFormerKey,
        false => Found::Another,
    })
}

/// Whether the relatives that the hub itself has put under the key in force are all among those that are named now: a
/// declaration does not change under its id.
async fn are_known_relatives_among(
    connection: &mut PgConnection,
    filing: &Filing,
) -> Result<bool, sqlx::Error> {
    let Body::Recusal { kin, .. } = &filing.body else {
        return Ok(true);
    };
    query_scalar!(
        r#"SELECT NOT EXISTS (SELECT FROM recusal WHERE office_id = $1 AND filing_id = $2 AND NOT outdated
                                 AND token <> ALL($3)) AS "are!""#,
        filing.office_id.as_str(),
        filing.filing_id,
        &tokens(kin),
    )
    .fetch_one(connection)
    .await
}

fn tokens(kin: &[Relative]) -> Vec<Vec<u8>> {
    let tokens = kin.iter().filter_map(Relative::token);
    tokens.map(|token| token.as_bytes().to_vec()).collect()
}

/// The relatives of a declaration that still stands are known by their new tokens.
async fn put_under_key(
    connection: &mut PgConnection,
    filing: &Filing,
    digest: &[u8],
    token_key: Option<i32>,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE filing SET digest = $3, token_key = $4 WHERE office_id = $1 AND filing_id = $2",
        filing.office_id.as_str(),
        filing.filing_id,
        digest,
        token_key,
    )
    .execute(&mut *connection)
    .await?;
    let Body::Recusal {
        licence_no, kin, ..
    } = &filing.body
    else {
        return Ok(());
    };
    let stands = query_scalar!(
        r#"SELECT EXISTS (SELECT FROM recusal WHERE office_id = $1 AND licence_no = $2 AND filing_id = $3) AS "stands!""#,
        filing.office_id.as_str(),
        licence_no,
        filing.filing_id,
    )
    .fetch_one(&mut *connection)
    .await?;
    match stands {
        true => declare(connection, filing, licence_no, kin).await,
        false => Ok(()),
    }
}

async fn receipt(connection: &mut PgConnection, filing: &Filing) -> Result<Receipt, sqlx::Error> {
    let row = query!(
        "SELECT recorded_at, due_on FROM filing WHERE office_id = $1 AND filing_id = $2",
        filing.office_id.as_str(),
        filing.filing_id,
    )
    .fetch_one(connection)
    .await?;
    Ok(Receipt {
        recorded_at: row.recorded_at,
        due_on: row.due_on,
        late: row
            .due_on
            .is_some_and(|due| local_day(row.recorded_at) > due),
    })
}

async fn follow(connection: &mut PgConnection, filing: &Filing) -> Result<(), sqlx::Error> {
    match &filing.body {
        Body::SpecialPaper { movements, .. } => {
            put_paper(connection, filing.office_id, filing.filing_id, movements).await?;
        }
        Body::Recusal {
            licence_no, kin, ..
        } => declare(connection, filing, licence_no, kin).await?,
        _ => {}
    }
    let case = filing.source_case_id.as_deref();
    if let Some(case) = case {
        work::add_cases(connection, &[(filing.office_id, case)]).await?;
    }
    work::add_office(connection, filing.office_id).await
}

/// Puts the movements of a filing in the place of those that it had.
pub(super) async fn put_paper(
    connection: &mut PgConnection,
    office_id: OfficeId,
    filing_id: Uuid,
    movements: &[PaperMovement],
) -> Result<(), sqlx::Error> {
    query!(
        "DELETE FROM special_paper WHERE office_id = $1 AND filing_id = $2",
        office_id.as_str(),
        filing_id,
    )
    .execute(&mut *connection)
    .await?;
    let column = |of: fn(&PaperMovement) -> i64| movements.iter().map(of).collect::<Vec<_>>();
    let kinds: Vec<&str> = movements.iter().map(|m| m.movement.code()).collect();
    let series: Vec<&str> = movements.iter().map(|m| m.series.as_str()).collect();
    let cases: Vec<Option<&str>> = movements
        .iter()
        .map(|m| m.source_case_id.as_deref())
        .collect();
    let days: Vec<Date> = movements.iter().map(|m| m.moved_on).collect();
    query!(
        r#"INSERT INTO special_paper (office_id, filing_id, ordinal, movement, series, first_no, last_no, source_case_id,
                                      moved_on)
           SELECT $1, $2, (row_number() OVER ())::smallint, m.*
             FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::date[]) AS m"#,
        office_id.as_str(),
        filing_id,
        &kinds as &[&str],
        &series as &[&str],
        &column(|m| m.first_no),
        &column(|m| m.last_no),
        &cases as &[Option<&str>],
        &days,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whatever the notary declared before is replaced; cases of those declared now or before come before the rules again.
async fn declare(
    connection: &mut PgConnection,
    filing: &Filing,
    licence_no: &str,
    kin: &[Relative],
) -> Result<(), sqlx::Error> {
    let office_id = filing.office_id.as_str();
    let before = query_scalar!(
        "DELETE FROM recusal WHERE office_id = $1 AND licence_no = $2 RETURNING token",
        office_id,
        licence_no
    )
    .fetch_all(&mut *connection)
    .await?;
    let tokens = tokens(kin);
    let relations: Vec<&str> = kin
        .iter()
        .map(|relative| relative.relation.code())
        .collect();
    query!(
        r#"INSERT INTO recusal (office_id, licence_no, token, relation, filing_id)
           SELECT $1, $2, k.token, k.relation, $3 FROM unnest($4::bytea[], $5::text[]) AS k (token, relation)
           ON CONFLICT (office_id, licence_no, token) DO NOTHING"#,
        office_id,
        licence_no,
        filing.filing_id,
        &tokens,
        &relations as &[&str],
    )
    .execute(&mut *connection)
    .await?;
    let cases = query_scalar!(
        r#"SELECT DISTINCT p.source_case_id FROM party p
             JOIN case_record c ON c.office_id = p.office_id AND c.source_case_id = p.source_case_id
            WHERE p.office_id = $1 AND c.notary_licence_no = $2 AND p.id_token = ANY($3)"#,
        office_id,
        licence_no,
        &[before, tokens].concat(),
    )
    .fetch_all(&mut *connection)
    .await?;
    let cases: Vec<_> = cases
        .iter()
        .map(|case| (filing.office_id, case.as_str()))
        .collect();
    work::add_cases(connection, &cases).await
}
