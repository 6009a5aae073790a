//! What a bureau has on file of the city's offices, and a past in which offices filed what they filed.

use notary_hub::store::supervision::profile::{Notary, Profile};
use sqlx::PgPool;
use synthetic_city::{Filing, Office};

/// An office of the city as the bureau knows it.
pub fn profile(office: &Office) -> Profile {
    let excluded = office.matters_excluded().iter();
    Profile {
        licence_no: Some(format!("浙公证{}", office.id.as_str().to_uppercase())),
        matters_excluded: excluded.map(|&code| code.to_owned()).collect(),
        foreign_allowed: true,
        practice_area: vec!["3301".to_owned()],
        keeps_approval: true,
        opening_hours: "周一至周五 9:00–17:00".to_owned(),
        complaint_line: "12348".to_owned(),
        notaries: office
            .notaries
            .iter()
            .map(|notary| Notary {
                licence_no: notary.licence_no.clone(),
                name: notary.name.clone(),
                title: "公证员".to_owned(),
                active: true,
            })
            .collect(),
        ..Profile::default()
    }
}

/// Moves the time at which the hub recorded filings back to the days on which the city's offices filed. Only a test may
/// do that: a hub believes nobody's date but its own.
///
/// # Errors
/// When the database cannot be written.
pub async fn date_back(pool: &PgPool, filings: &[Filing]) -> Result<(), sqlx::Error> {
    let (ids, days): (Vec<&str>, Vec<_>) = filings
        .iter()
        .map(|filing| (filing.filing_id.as_str(), filing.filed_on))
        .unzip();
    sqlx::query(
        "UPDATE filing f SET recorded_at = (d.day + time '12:00') AT TIME ZONE 'Asia/Shanghai'
           FROM unnest($1::text[], $2::date[]) AS d (id, day) WHERE f.filing_id = d.id::uuid",
    )
    .bind(ids)
    .bind(days)
    .execute(pool)
    .await?;
    Ok(())
}
