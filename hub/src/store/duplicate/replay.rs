//! All cases of the hub, page by page, as the rules see them; and the tables a simulation writes to instead of the real
//! ones.

use linkage::matter::{MatterKey, MatterType};
use linkage::office::OfficeId;
use linkage::subject::SubjectKind;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, PartyRole};
use sqlx::{PgConnection, query, query_as, query_scalar};
use time::{Date, OffsetDateTime};

use crate::store::decode::{decode_error, parse};

/// A case as it stands now.
#[derive(Clone, Debug)]
pub struct Kept {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub first_recorded_at: OffsetDateTime,
    pub place_of_use: Option<String>,
    /// All of them, with their verified numbers.
    pub parties: Vec<(PartyRole, Option<Token>)>,
    pub subjects: Vec<(SubjectKind, Token)>,
    /// Keys it has at the hub, sorted, with the rank of each.
    pub keys: Vec<(MatterKey, i32)>,
}

/// Every office, in the order of a pass.
pub async fn offices(connection: &mut PgConnection) -> Result<Vec<OfficeId>, sqlx::Error> {
    let offices = query_scalar!("SELECT office_id FROM office ORDER BY office_id")
        .fetch_all(connection)
        .await?;
    offices.iter().map(|office| parse(office)).collect()
}

/// How many cases there are.
pub async fn count(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    query_scalar!(r#"SELECT count(*) AS "count!" FROM case_record"#)
        .fetch_one(connection)
        .await
}

/// Keys of the office's cases behind `behind`, in their order, at most `most`.
pub async fn names(
    connection: &mut PgConnection,
    office_id: OfficeId,
    behind: &str,
    most: i64,
) -> Result<Vec<String>, sqlx::Error> {
    query_scalar!(
        "SELECT source_case_id FROM case_record WHERE office_id = $1 AND source_case_id > $2
          ORDER BY source_case_id LIMIT $3",
        office_id.as_str(),
        behind,
        most,
    )
    .fetch_all(connection)
    .await
}

/// The office's cases behind `behind`, in the order of their keys, at most `most`.
pub async fn page(
    connection: &mut PgConnection,
    office_id: OfficeId,
    behind: &str,
    most: i64,
) -> Result<Vec<Kept>, sqlx::Error> {
    let names = names(connection, office_id, behind, most).await?;
    cases(connection, office_id, &names).await
}

/// The office's cases of these names, in the order of their keys.
pub async fn cases(
    connection: &mut PgConnection,
    office_id: OfficeId,
    names: &[String],
) -> Result<Vec<Kept>, sqlx::Error> {
    let rows = query!(
        r#"SELECT c.source_case_id, c.matter_type, c.state, c.applied_on, c.accepted_on, c.first_recorded_at, c.place_of_use,
                  ARRAY (SELECT p.role FROM party p WHERE p.office_id = c.office_id AND p.source_case_id = c.source_case_id
                            ORDER BY p.ordinal) AS "roles!",
                  ARRAY (SELECT p.id_token FROM party p WHERE p.office_id = c.office_id
                            AND p.source_case_id = c.source_case_id ORDER BY p.ordinal) AS "tokens!: Vec<Option<Vec<u8>>>",
                  ARRAY (SELECT s.kind FROM subject s WHERE s.office_id = c.office_id
                            AND s.source_case_id = c.source_case_id ORDER BY s.ordinal) AS "kinds!",
                  ARRAY (SELECT s.token FROM subject s WHERE s.office_id = c.office_id
                            AND s.source_case_id = c.source_case_id ORDER BY s.ordinal) AS "things!",
                  ARRAY (SELECT k.key FROM matter_key k WHERE k.office_id = c.office_id
                            AND k.source_case_id = c.source_case_id ORDER BY k.key) AS "keys!",
                  ARRAY (SELECT k.rank FROM matter_key k WHERE k.office_id = c.office_id
                            AND k.source_case_id = c.source_case_id ORDER BY k.key) AS "ranks!"
             FROM case_record c
            WHERE c.office_id = $1 AND c.source_case_id = ANY ($2) ORDER BY c.source_case_id"#,
        office_id.as_str(),
        names,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let keys = row.keys.iter().zip(row.ranks).map(|(key, rank)| {
                let key = MatterKey::try_from(key.as_slice()).map_err(decode_error)?;
                Ok((key, rank))
            });
            Ok(Kept {
                office_id,
                source_case_id: row.source_case_id,
                matter_type: parse(&row.matter_type)?,
                state: parse(&row.state)?,
                applied_on: row.applied_on,
                accepted_on: row.accepted_on,
                first_recorded_at: row.first_recorded_at,
                place_of_use: row.place_of_use,
                parties: parties(&row.roles, &row.tokens)?,
                subjects: subjects(&row.kinds, &row.things)?,
                keys: keys.collect::<Result<_, sqlx::Error>>()?,
            })
        })
        .collect()
}

fn parties(
    roles: &[String],
    tokens: &[Option<Vec<u8>>],
) -> Result<Vec<(PartyRole, Option<Token>)>, sqlx::Error> {
    let parties = roles.iter().zip(tokens);
    parties
        .map(|(role, token)| Ok((parse(role)?, token.as_deref().map(stored).transpose()?)))
        .collect()
}

fn subjects(
    kinds: &[String],
    tokens: &[Vec<u8>],
) -> Result<Vec<(SubjectKind, Token)>, sqlx::Error> {
    let subjects = kinds.iter().zip(tokens);
    subjects
        .map(|(kind, token)| Ok((parse(kind)?, stored(token)?)))
        .collect()
}

fn stored(token: &[u8]) -> Result<Token, sqlx::Error> {
    Token::try_from(token).map_err(decode_error)
}

/// From here on the transaction sees one moment of the database and may take its time, and whatever it writes of keys,
/// findings and notices goes into tables of its own that end with it: PostgreSQL finds a temporary table before a
/// permanent one of the same name. What the real keys are, nobody reads in it; the open findings are copied.
pub async fn shadow(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET LOCAL statement_timeout = 0",
        "CREATE TEMPORARY TABLE matter_key (LIKE public.matter_key INCLUDING ALL) ON COMMIT DROP",
        "CREATE TEMPORARY TABLE duplicate_finding (LIKE public.duplicate_finding INCLUDING ALL) ON COMMIT DROP",
        "CREATE TEMPORARY TABLE notice (LIKE public.notice INCLUDING ALL) ON COMMIT DROP",
        "INSERT INTO pg_temp.duplicate_finding SELECT * FROM public.duplicate_finding WHERE closed_at IS NULL",
    ] {
        query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Pairs of cases of which a rule says something else than before.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Difference {
    pub rule_id: String,
    /// opened, closed, severity_changed or rule_changed.
    pub change: String,
    /// How many pairs there are of this rule and change.
    pub pairs: i64,
    pub severity_before: Option<String>,
    pub severity_after: Option<String>,
    /// number or person.
    pub basis: String,
    pub left_office: String,
    pub left_case: String,
    pub right_office: String,
    pub right_case: String,
}

/// How the shadows differ from the real findings, with at most `samples` pairs of each rule and change.
pub async fn differences(
    connection: &mut PgConnection,
    samples: i64,
) -> Result<Vec<Difference>, sqlx::Error> {
    // Not checked when compiled: the temporary table is there in a simulation alone.
    query_as(
        "WITH was AS (SELECT * FROM public.duplicate_finding WHERE closed_at IS NULL),
              becomes AS (SELECT * FROM pg_temp.duplicate_finding WHERE closed_at IS NULL),
              differ AS (
                  SELECT coalesce(b.rule_id, w.rule_id) AS rule_id,
                         CASE WHEN w.rule_id IS NULL THEN 'opened' WHEN b.rule_id IS NULL THEN 'closed'
                              WHEN w.severity <> b.severity THEN 'severity_changed' ELSE 'rule_changed' END AS change,
                         w.severity AS severity_before, b.severity AS severity_after,
                         basis, left_office, left_case, right_office, right_case
                    FROM was w FULL JOIN becomes b USING (left_office, left_case, right_office, right_case, basis)
                   WHERE w.rule_id IS DISTINCT FROM b.rule_id OR w.severity IS DISTINCT FROM b.severity),
              counted AS (
                  SELECT *, count(*) OVER (PARTITION BY rule_id, change) AS pairs,
                         row_number() OVER (PARTITION BY rule_id, change
                                            ORDER BY left_office, left_case, right_office, right_case) AS place
                    FROM differ)
         SELECT rule_id, change, pairs, severity_before, severity_after, basis, left_office, left_case, right_office, right_case
           FROM counted WHERE place <= $1 ORDER BY rule_id, change, place",
    )
    .bind(samples)
    .fetch_all(connection)
    .await
}
