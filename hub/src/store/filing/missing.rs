//! `filing_missing`: periodic filings that never came.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::Date;

use crate::filing::FilingKind;
use crate::filing::body::Period;
use crate::filing::missing::Missing;
use crate::store::decode::parse;

/// One of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingOf {
    pub office_id: OfficeId,
    pub office_name: String,
    pub missing: Missing,
}

/// Puts what is missing of an office, of periods that ended on `since` or later, in the place of what was; what was missing
/// of earlier ones goes when its filing has come.
pub async fn replace(
    connection: &mut PgConnection,
    office_id: OfficeId,
    since: Date,
    missing: &[Missing],
) -> Result<(), sqlx::Error> {
    let kinds: Vec<&str> = missing.iter().map(|one| one.kind.code()).collect();
    let column = |of: fn(&Missing) -> Date| missing.iter().map(of).collect::<Vec<_>>();
    let last_days = column(|one| one.period.last_day);
    query!(
        r#"DELETE FROM filing_missing m
            WHERE office_id = $1 AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::date[]) AS n (kind, last_day)
                                                  WHERE n.kind = m.kind AND n.last_day = m.last_day)
              AND (last_day >= $4 OR EXISTS (SELECT FROM filing f
                                              WHERE f.office_id = m.office_id AND f.kind = m.kind
                                                AND f.happened_on BETWEEN m.first_day AND m.last_day))"#,
        office_id.as_str(),
        &kinds as &[&str],
        &last_days,
        since,
    )
    .execute(&mut *connection)
    .await?;
    query!(
        r#"INSERT INTO filing_missing (office_id, kind, first_day, last_day, due_on)
           SELECT $1, n.* FROM unnest($2::text[], $3::date[], $4::date[], $5::date[]) AS n
           ON CONFLICT (office_id, kind, last_day) DO UPDATE SET first_day = excluded.first_day, due_on = excluded.due_on
            WHERE (filing_missing.first_day, filing_missing.due_on) <> (excluded.first_day, excluded.due_on)"#,
        office_id.as_str(),
        &kinds as &[&str],
        &column(|one| one.period.first_day),
        &last_days,
        &column(|one| one.due_on),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Of an office that takes part no more nothing is missing.
pub async fn forget(connection: &mut PgConnection, office_id: OfficeId) -> Result<(), sqlx::Error> {
    query!(
        "DELETE FROM filing_missing WHERE office_id = $1",
        office_id.as_str()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Which of them are wanted: each condition leaves out what does not meet it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub office_id: Option<OfficeId>,
    pub kind: Option<FilingKind>,
    /// Of a period that ended on that day or later.
    pub from: Option<Date>,
    /// Of a period that ended on that day or before.
    pub to: Option<Date>,
}

/// What an office owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub office_id: OfficeId,
    pub office_name: String,
    pub count: i64,
    /// When the first of it was due.
    pub oldest_due_on: Date,
}

/// Where one stands in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub due_on: Date,
    pub office_id: OfficeId,
    pub kind: FilingKind,
    pub last_day: Date,
}

impl MissingOf {
    pub const fn place(&self) -> Place {
        Place {
            due_on: self.missing.due_on,
            office_id: self.office_id,
            kind: self.missing.kind,
            last_day: self.missing.period.last_day,
        }
    }
}

/// What is missing, what was due last first, behind the one that stands at `behind`.
pub async fn list(
    connection: &mut PgConnection,
    wanted: Wanted,
    behind: Option<Place>,
    most: i64,
) -> Result<Vec<MissingOf>, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, name, kind, first_day, last_day, due_on
             FROM filing_missing JOIN office USING (office_id)
            WHERE ($1::text IS NULL OR office_id = $1) AND ($2::text IS NULL OR kind = $2)
              AND ($3::date IS NULL OR last_day >= $3) AND ($4::date IS NULL OR last_day <= $4)
              AND ($5::date IS NULL OR due_on < $5 OR (due_on = $5 AND (office_id, kind, last_day) > ($6, $7, $8)))
            ORDER BY due_on DESC, office_id, kind, last_day LIMIT $9"#,
        wanted.office_id.as_ref().map(OfficeId::as_str),
        wanted.kind.map(FilingKind::code),
        wanted.from,
        wanted.to,
        behind.map(|place| place.due_on),
        behind.as_ref().map(|place| place.office_id.as_str()),
        behind.map(|place| place.kind.code()),
        behind.map(|place| place.last_day),
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MissingOf {
                office_id: parse(&row.office_id)?,
                office_name: row.name,
                missing: Missing {
                    kind: parse(&row.kind)?,
                    period: Period {
                        first_day: row.first_day,
                        last_day: row.last_day,
                    },
                    due_on: row.due_on,
                },
            })
        })
        .collect()
}

/// How much each office owes; who owes for the longest time first.
pub async fn by_office(
    connection: &mut PgConnection,
    wanted: Wanted,
) -> Result<Vec<Owed>, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, name, count(*) AS "count!", min(due_on) AS "oldest_due_on!"
             FROM filing_missing JOIN office USING (office_id)
            WHERE ($1::text IS NULL OR office_id = $1) AND ($2::text IS NULL OR kind = $2)
              AND ($3::date IS NULL OR last_day >= $3) AND ($4::date IS NULL OR last_day <= $4)
            GROUP BY office_id, name ORDER BY min(due_on), count(*) DESC, office_id"#,
        wanted.office_id.as_ref().map(OfficeId::as_str),
        wanted.kind.map(FilingKind::code),
        wanted.from,
        wanted.to,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Owed {
                office_id: parse(&row.office_id)?,
                office_name: row.name,
                count: row.count,
                oldest_due_on: row.oldest_due_on,
            })
        })
        .collect()
}
