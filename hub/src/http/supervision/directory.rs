//! The directory (annex (四)2, the public part): open to everybody, as JSON and as a page.

use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::Date;
use utoipa::ToSchema;

use super::tariff::PublishedTariff;
use crate::http::Api;
use crate::http::html::{Page, escaped};
use crate::http::params::Today;
use crate::http::problem::Problem;
use crate::store::supervision::profile::{self, Listed};

/// Offices that take part, and what their services cost.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Directory {
    items: Vec<ListedOffice>,
    /// The table in force today, which is one for all offices; absent when there is none.
    tariff: Option<PublishedTariff>,
}

/// An office as the public sees it.
#[derive(Serialize, ToSchema)]
struct ListedOffice {
    #[serde(flatten)]
    office: Listed,
    /// Names of `practice_area`, in its order; empty where no area is fixed.
    practice_area_zh: Vec<String>,
}

/// Offices, what they publish, who practises there, and the tariff in force. Open to everybody.
#[utoipa::path(get, path = "/api/v1/directory", operation_id = "listDirectory", responses((status = 200, body = Directory)))]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Today(today): Today,
) -> Result<Json<Directory>, Problem> {
    Ok(Json(directory(&api, today).await?))
}

/// The same as a page.
pub(in crate::http) async fn page(
    State(api): State<Api>,
    Today(today): Today,
) -> Result<Page, Problem> {
    Ok(shown(&directory(&api, today).await?))
}

async fn directory(api: &Api, today: Date) -> Result<Directory, Problem> {
    let offices = profile::directory(&api.pool).await?;
    let rules = api.supervision.rules.rules();
    let tariff = &rules.tariff;
    Ok(Directory {
        items: offices.into_iter().map(ListedOffice::from).collect(),
        tariff: tariff
            .in_force(today)
            .map(|table| PublishedTariff::of(&tariff.version, table)),
    })
}

impl From<Listed> for ListedOffice {
    fn from(office: Listed) -> Self {
        let area = office.practice_area.iter();
        Self {
            practice_area_zh: area.map(|area| area.name_zh().to_owned()).collect(),
            office,
        }
    }
}

fn shown(directory: &Directory) -> Page {
    let mut body = String::from("<h1>公证机构名录</h1>");
    for listed in &directory.items {
        let office = &listed.office;
        let area = listed.practice_area_zh.join("、");
        // Writing to a String cannot fail.
        let _ = write!(body, "<h2>{}</h2><dl>", escaped(&office.name));
        for (term, text) in [
            (
                "执业许可证号",
                office.licence_no.as_deref().unwrap_or_default(),
            ),
            ("执业区域", &area),
            ("地址", &office.address),
            ("电话", &office.telephone),
            ("办公时间", &office.opening_hours),
            ("监督投诉电话", &office.complaint_line),
            ("业务范围、程序、须知与承诺", &office.services),
        ] {
            if !text.is_empty() {
                let _ = write!(body, "<dt>{term}</dt><dd>{}</dd>", escaped(text));
            }
        }
        let notaries: Vec<String> = office
            .notaries
            .iter()
            .map(|notary| escaped(&format!("{}（{}）", notary.name, notary.licence_no)))
            .collect();
        if !notaries.is_empty() {
            let _ = write!(body, "<dt>公证员</dt><dd>{}</dd>", notaries.join("、"));
        }
        body.push_str("</dl>");
    }
    if let Some(tariff) = &directory.tariff {
        tariff.show(&mut body);
    }
    Page::new("公证机构名录", &body)
}
