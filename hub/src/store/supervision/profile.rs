//! `office_profile` and `notary`: what the bureau has on file, and the public part of it.

use linkage::matter::MatterType;
use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::{PgPool, query, query_as, query_scalar};
use utoipa::ToSchema;

use super::{facts, work};
use crate::store::decode::parse;
use crate::store::tx;
use crate::supervision::profile::{Notary, PracticeArea, Profile};

/// An office as the public sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Listed {
    pub office_id: String,
    pub name: String,
    /// municipal or county.
    pub level: String,
    pub district_code: String,
    pub licence_no: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub practice_area: Vec<PracticeArea>,
    pub foreign_allowed: bool,
    pub address: String,
    pub telephone: String,
    pub opening_hours: String,
    pub complaint_line: String,
    pub services: String,
    /// Those who practise.
    pub notaries: Vec<ListedNotary>,
}

/// A notary as the public sees one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListedNotary {
    pub licence_no: String,
    pub name: String,
    pub title: String,
}

/// Why a profile was not put on file.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error("there is no such office")]
    NoOffice,
    /// 公证法 art. 23 (1).
    #[error("a notary of the list practises at another office")]
    PractisesElsewhere,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Of `notary`: one licence practises at one office.
const PRACTISES_ONCE: &str = "notary_practises_once";

fn refused(error: sqlx::Error) -> PutError {
    match error
        .as_database_error()
        .and_then(|error| error.constraint())
    {
        Some(PRACTISES_ONCE) => PutError::PractisesElsewhere,
        _ => error.into(),
    }
}

/// What is on file; nothing but defaults where nothing is. `None` when there is no such office.
pub async fn read(pool: &PgPool, office_id: OfficeId) -> Result<Option<Profile>, sqlx::Error> {
    let row = query!(
        r#"SELECT p.licence_no AS "licence_no?", coalesce(p.matters_excluded, '{}') AS "matters_excluded!",
                  coalesce(p.foreign_allowed, true) AS "foreign_allowed!", coalesce(p.practice_area, '{}') AS "practice_area!",
                  coalesce(p.keeps_approval, false) AS "keeps_approval!", coalesce(p.address, '') AS "address!",
                  coalesce(p.telephone, '') AS "telephone!", coalesce(p.opening_hours, '') AS "opening_hours!",
                  coalesce(p.complaint_line, '') AS "complaint_line!", coalesce(p.services, '') AS "services!",
                  coalesce(p.data_steward, '') AS "data_steward!"
             FROM office o LEFT JOIN office_profile p ON p.office_id = o.office_id WHERE o.office_id = $1"#,
        office_id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let notaries = query_as!(
        Notary,
        "SELECT licence_no, name, title, active FROM notary WHERE office_id = $1 ORDER BY licence_no",
        office_id.as_str(),
    )
    .fetch_all(pool)
    .await?;
    Ok(Some(Profile {
        licence_no: row.licence_no,
        matters_excluded: matters(&row.matters_excluded)?,
        foreign_allowed: row.foreign_allowed,
        practice_area: areas(&row.practice_area)?,
        keeps_approval: row.keeps_approval,
        address: row.address,
        telephone: row.telephone,
        opening_hours: row.opening_hours,
        complaint_line: row.complaint_line,
        services: row.services,
        data_steward: row.data_steward,
        notaries,
    }))
}

fn matters(codes: &[String]) -> Result<Vec<MatterType>, sqlx::Error> {
    codes.iter().map(|code| parse(code)).collect()
}

fn areas(codes: &[String]) -> Result<Vec<PracticeArea>, sqlx::Error> {
    codes.iter().map(|code| parse(code)).collect()
}

/// Replaces what is on file; when rules look at what changed, the office's cases come before them again.
pub async fn put(pool: &PgPool, office_id: OfficeId, profile: &Profile) -> Result<(), PutError> {
    let mut transaction = tx::begin(pool).await?;
    let there = query_scalar!(
        r#"SELECT EXISTS (SELECT FROM office WHERE office_id = $1) AS "there!""#,
        office_id.as_str()
    )
    .fetch_one(&mut *transaction)
    .await?;
    if !there {
        return Err(PutError::NoOffice);
    }
    let before = facts::office(&mut transaction, office_id).await?;
    let excluded = profile.matters_excluded.iter();
    let excluded: Vec<&str> = excluded.map(|matter| matter.code()).collect();
    let area: Vec<&str> = profile
        .practice_area
        .iter()
        .map(PracticeArea::as_str)
        .collect();
    query!(
        r#"INSERT INTO office_profile (office_id, licence_no, matters_excluded, foreign_allowed, practice_area,
                                       keeps_approval, address, telephone, opening_hours, complaint_line, services,
                                       data_steward)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           ON CONFLICT (office_id) DO UPDATE SET
               licence_no = excluded.licence_no, matters_excluded = excluded.matters_excluded,
               foreign_allowed = excluded.foreign_allowed, practice_area = excluded.practice_area,
               keeps_approval = excluded.keeps_approval, address = excluded.address, telephone = excluded.telephone,
               opening_hours = excluded.opening_hours, complaint_line = excluded.complaint_line,
               services = excluded.services,
               data_steward = excluded.data_steward, updated_at = now()"#,
        office_id.as_str(),
        profile.licence_no,
        &excluded as &[&str],
        profile.foreign_allowed,
        &area as &[&str],
        profile.keeps_approval,
        profile.address,
        profile.telephone,
        profile.opening_hours,
        profile.complaint_line,
        profile.services,
        profile.data_steward,
    )
    .execute(&mut *transaction)
    .await?;
    query!(
        "DELETE FROM notary WHERE office_id = $1",
        office_id.as_str()
    )
    .execute(&mut *transaction)
    .await?;
    let column = |of: fn(&Notary) -> &str| profile.notaries.iter().map(of).collect::<Vec<_>>();
    let active: Vec<bool> = profile
        .notaries
        .iter()
        .map(|notary| notary.active)
        .collect();
    query!(
        r#"INSERT INTO notary (office_id, licence_no, name, title, active)
           SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) AS n"#,
        office_id.as_str(),
        &column(|notary| &notary.licence_no) as &[&str],
        &column(|notary| &notary.name) as &[&str],
        &column(|notary| &notary.title) as &[&str],
        &active,
    )
    .execute(&mut *transaction)
    .await
    .map_err(refused)?;
    if facts::office(&mut transaction, office_id).await? != before {
        work::add_all(&mut transaction, office_id).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The directory: offices that take part, with those of their notaries who practise.
pub async fn directory(pool: &PgPool) -> Result<Vec<Listed>, sqlx::Error> {
    let rows = query!(
        r#"SELECT o.office_id, o.name, o.level, o.district_code, p.licence_no AS "licence_no?",
                  coalesce(p.practice_area, '{}') AS "practice_area!", coalesce(p.foreign_allowed, true) AS "foreign_allowed!",
                  coalesce(p.address, '') AS "address!", coalesce(p.telephone, '') AS "telephone!",
                  coalesce(p.opening_hours, '') AS "opening_hours!", coalesce(p.complaint_line, '') AS "complaint_line!",
                  coalesce(p.services, '') AS "services!"
             FROM office o LEFT JOIN office_profile p ON p.office_id = o.office_id
            WHERE o.status = 'active' ORDER BY o.office_id"#
    )
    .fetch_all(pool)
    .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        listed.push(Listed {
            office_id: row.office_id,
            name: row.name,
            level: row.level,
            district_code: row.district_code,
            licence_no: row.licence_no,
            practice_area: areas(&row.practice_area)?,
            foreign_allowed: row.foreign_allowed,
            address: row.address,
            telephone: row.telephone,
            opening_hours: row.opening_hours,
            complaint_line: row.complaint_line,
            services: row.services,
            notaries: Vec::new(),
        });
    }
    let notaries = query!(
        "SELECT office_id, licence_no, name, title FROM notary WHERE active ORDER BY office_id, licence_no"
    )
    .fetch_all(pool)
    .await?;
    for notary in notaries {
        if let Ok(at) = listed.binary_search_by(|office| office.office_id.cmp(&notary.office_id)) {
            listed[at].notaries.push(ListedNotary {
                licence_no: notary.licence_no,
                name: notary.name,
                title: notary.title,
            });
        }
    }
    Ok(listed)
}
