//! What a bureau has on file of the city's offices, and a past in which offices filed what they filed.

use notary_hub::filing::window::{Answer, Form, Item, Said, Window};
use notary_hub::supervision::profile::{Notary, Profile};
use serde_json::json;
use sqlx::PgPool;
use synthetic_city::{Filing, Office};
use time::macros::date;

/// An office of the city as the bureau knows it.
pub fn profile(office: &Office) -> Profile {
    let excluded = office.matters_excluded().iter();
    Profile {
        licence_no: Some(format!("浙公证{}", office.id.as_str().to_uppercase())),
        matters_excluded: excluded
            .map(|code| code.parse().expect("of the catalogue"))
            .collect(),
        practice_area: vec!["3301".parse().expect("a city")],
        keeps_approval: true,
        opening_hours: "周一至周五 9:00–17:00".to_owned(),
        complaint_line: "12348".to_owned(),
        data_steward: "数据专管员（示例）".to_owned(),
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

/// What an office says of its window at the end of 2023 and 2024: one in five leaves the second year out, and what is
/// missing differs from office to office and becomes less.
pub fn assessments(office: usize) -> Vec<Filing> {
    let days = [date!(2023 - 12 - 05), date!(2024 - 12 - 03)];
    let filed = days.iter().take(if office % 5 == 4 { 1 } else { 2 });
    filed
        .enumerate()
        .map(|(year, &on)| {
            let items = Window::builtin().asked().enumerate();
            let items: Vec<Answer> = items
                .map(|(at, item)| answered(item, (at * 7 + office * 3) % (13 + 17 * year)))
                .collect();
            Filing {
                filing_id: format!("0000000a-0000-8000-8000-{office:08x}{:04x}", on.year()),
                kind: "self_assessment",
                source_case_id: String::new(),
                text: "",
                fields: json!({ "assessed_on": on.to_string(), "items": items }),
                filed_on: on,
            }
        })
        .collect()
}

/// An answer to an item; of chance 0 it is not met.
fn answered(item: &Item, chance: usize) -> Answer {
    let said = match (&item.form, chance) {
        (Form::YesNo {}, 0) => Said::No,
        (Form::YesNo {}, 1) if item.condition => Said::NotApplicable,
        (Form::YesNo {}, _) => Said::Yes,
        (Form::Measure { county, .. }, 0) => Said::Measured {
            value: county * 9 / 10,
        },
        (Form::Measure { municipal, .. }, _) => Said::Measured {
            value: municipal * 11 / 10,
        },
        (Form::PerNotary { .. }, chance) => Said::PerNotary {
            value: if chance == 0 { 7 } else { 9 },
            notaries: 8,
        },
    };
    Answer {
        item: item.id.clone(),
        said,
        evidence: "照片、台账存处务室".to_owned(),
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
    // They took part as long as they filed.
    sqlx::query("UPDATE office SET created_at = least(created_at, '2012-11-19')")
        .execute(pool)
        .await?;
    Ok(())
}
