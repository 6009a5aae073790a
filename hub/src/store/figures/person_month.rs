//! `person_month`: whom each office served in each month, as linkage tells persons apart.

use sqlx::{PgConnection, PgPool, query, query_scalar};

use crate::store::tx;

/// Counts everybody anew, in the place of what was counted before. Returns how many persons there are.
pub async fn recount(pool: &PgPool) -> Result<i64, sqlx::Error> {
    let mut transaction = tx::unhurried(pool).await?;
    // Two countings come one after the other.
    query!("LOCK TABLE person_month IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    let persons = count(&mut transaction).await?;
    transaction.commit().await?;
    Ok(persons)
}

/// Counts everybody if nobody was ever counted, once linkage has caught up with the cases there are: a count in the middle
/// of an office's first load would stand until the night. Says whether anybody is counted now.
pub async fn count_first(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let now = query!(
        r#"SELECT EXISTS (SELECT FROM person_month) AS "counted!",
                  EXISTS (SELECT FROM mention)
                  AND NOT EXISTS (SELECT FROM link_work WHERE set_aside_at IS NULL) AS "due!""#
    )
    .fetch_one(pool)
    .await?;
    if !now.counted && now.due {
        recount(pool).await?;
    }
    Ok(now.counted || now.due)
}

/// Whether how many persons there are is known.
pub async fn are_counted(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    query_scalar!(r#"SELECT persons_are_counted() AS "counted!""#)
        .fetch_one(connection)
        .await
}

async fn count(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    query!("DELETE FROM person_month")
        .execute(&mut *connection)
        .await?;
    let persons = query_scalar!(
        r#"WITH person AS MATERIALIZED (
               SELECT person_id, (row_number() OVER ())::integer AS person
                 FROM (SELECT DISTINCT person_id FROM link_node) AS p),
           written AS (
               INSERT INTO person_month (office_id, month, persons)
               SELECT c.office_id, date_trunc('month', c.accepted_on::timestamp)::date, array_agg(DISTINCT p.person)
                 FROM case_record c
                 JOIN mention m ON m.office_id = c.office_id AND m.source_case_id = c.source_case_id
                 JOIN link_node n ON n.node_id = m.node_id
                 JOIN person p ON p.person_id = n.person_id
                WHERE c.accepted_on IS NOT NULL AND c.state <> 'withdrawn'
                GROUP BY 1, 2)
           SELECT count(*) AS "persons!" FROM person"#
    )
    .fetch_one(connection)
    .await?;
    Ok(persons)
}
