//! `filing_reminder`: reminders, each sent once as a notice to the office's agent.

use std::collections::HashSet;

use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::Date;

use crate::filing::FilingKind;
use crate::store::decode::parse;
use crate::store::feed::notice::{self, NewNotice, NoticeKind};
use crate::supervision::reminder::Reminder;

/// Tells what was not told before.
pub async fn send(
    connection: &mut PgConnection,
    reminders: &[Reminder],
) -> Result<(), sqlx::Error> {
    let offices: Vec<&str> = reminders.iter().map(|r| r.office_id.as_str()).collect();
    let kinds: Vec<&str> = reminders.iter().map(|r| r.kind.code()).collect();
    let abouts: Vec<&str> = reminders.iter().map(|r| r.about.as_str()).collect();
    let new = query!(
        r#"INSERT INTO filing_reminder (office_id, kind, about)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
           ON CONFLICT (office_id, kind, about) DO NOTHING RETURNING office_id, kind, about"#,
        &offices as &[&str],
        &kinds as &[&str],
        &abouts as &[&str],
    )
    .fetch_all(&mut *connection)
    .await?;
    let new: HashSet<(String, String, String)> = new
        .into_iter()
        .map(|row| (row.office_id, row.kind, row.about))
        .collect();
    let key = |of: &Reminder| {
        let office = of.office_id.as_str().to_owned();
        (office, of.kind.code().to_owned(), of.about.clone())
    };
    let notices: Vec<NewNotice<'_>> = reminders
        .iter()
        .filter(|reminder| new.contains(&key(reminder)))
        .map(|reminder| NewNotice {
            office_id: reminder.office_id,
            source_case_id: &reminder.source_case_id,
            text_zh: reminder.text_zh.clone(),
        })
        .collect();
    notice::insert_of(connection, NoticeKind::ReportWanted, &notices).await
}

/// What an office handed in since a day of those kinds: each with the last day of its period or the day that it is about.
pub async fn filed(
    connection: &mut PgConnection,
    office_id: OfficeId,
    kinds: &[FilingKind],
    since: Date,
) -> Result<Vec<(FilingKind, Date)>, sqlx::Error> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
    let rows = query!(
        r#"SELECT DISTINCT kind, happened_on AS "happened_on!" FROM filing
            WHERE office_id = $1 AND kind = ANY($2) AND happened_on >= $3"#,
        office_id.as_str(),
        &kinds as &[&str],
        since,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.kind)?, row.happened_on)))
        .collect()
}
