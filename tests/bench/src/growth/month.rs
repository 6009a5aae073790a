//! One month's cases by office and matter, asked of the hub as an analyst's program does, and of the cases themselves.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use notary_hub::identity::Role;
use notary_hub::identity::account::{self, NewAccount};
use sandbox::rest::Rest;
use sqlx::{PgPool, Row};
use time::Date;

use super::Cells;
use crate::site::Hub;

const LOGIN: &str = "bench-analyst";
const PASSWORD: &str = "correct horse battery";

/// An analyst who is signed in.
#[derive(Debug)]
pub(super) struct Analyst {
    rest: Rest,
    path: String,
}

impl Analyst {
    pub(super) async fn sign_in(hub: &Hub, month: Date) -> anyhow::Result<Self> {
        let analyst = NewAccount {
            login: LOGIN,
            display_name: "bench",
            role: Role::Analyst,
        };
        account::add(&hub.pool, &hub.pepper, analyst, PASSWORD).await?;
        let rest = Rest::new(hub.addresses().people, &hub.ca_file)?;
        let (year, number) = (month.year(), u8::from(month.month()));
        let period = format!("{year}-{number:02}");
        Ok(Self {
            rest: rest.sign_in(LOGIN, PASSWORD).await?,
            path: format!(
                "/api/v1/statistics?group_by=office,matter_type&measures=accepted&from={period}&to={period}"
            ),
        })
    }

    /// Asks once, over a connection that is there before: from the question to the last byte of the answer. The hub would
    /// close one that is kept while the others count.
    pub(super) async fn ask(&self) -> anyhow::Result<(Duration, Cells)> {
        let mut connection = self.rest.keep().await?;
        let begun = Instant::now();
        let answer = connection.get(&self.path).await?;
        let took = begun.elapsed();
        let rows = answer["rows"].as_array().context("a table has rows")?;
        let cells = rows.iter().map(|row| {
            let key = |at: usize| row["keys"][at]["code"].as_str().map(str::to_owned);
            let cases = row["figures"][0]["value"].as_i64();
            Some(((key(0)?, key(1)?), cases?))
        });
        let cells: Cells = cells
            .collect::<Option<_>>()
            .context("rows have keys and figures")?;
        // Rows that count nothing stand there for what they are compared with.
        Ok((
            took,
            cells.into_iter().filter(|(_, cases)| *cases > 0).collect(),
        ))
    }
}

/// The month with the most cases.
pub(super) async fn busiest(pool: &PgPool) -> anyhow::Result<Date> {
    let month = sqlx::query_scalar(
        "SELECT date_trunc('month', accepted_on)::date FROM case_record WHERE accepted_on IS NOT NULL
          GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
    );
    Ok(month.fetch_one(pool).await?)
}

/// The same of the cases: what an analyst with SQL would write. Two processes may work on it, as PostgreSQL is set.
pub(super) async fn grouped(pool: &PgPool, month: Date) -> anyhow::Result<(Duration, Cells)> {
    let begun = Instant::now();
    let rows = sqlx::query(
        "SELECT office_id, matter_type, count(*) FROM case_record
          WHERE state <> 'withdrawn' AND accepted_on >= $1 AND accepted_on < ($1 + interval '1 month')::date
          GROUP BY office_id, matter_type",
    )
    .bind(month)
    .fetch_all(pool)
    .await?;
    let took = begun.elapsed();
    let mut cells = Cells::new();
    for row in rows {
        cells.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
    }
    ensure!(!cells.is_empty(), "the busiest month has cases");
    Ok((took, cells))
}
