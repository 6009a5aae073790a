//! `duplicate_finding` as people page through it.

use linkage::matter::{MatterType, Severity};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query_as};
use time::OffsetDateTime;

/// Which findings.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of which one of this office's cases is part.
    pub office: Option<OfficeId>,
    pub severity: Option<Severity>,
    /// Office whose notary reads: a sealed case of another office is left out, unless the own case opens it.
    pub told_to: Option<OfficeId>,
    /// Sealed matters, each with the one that opens it.
    pub seals: Vec<(MatterType, MatterType)>,
    pub behind: Option<Behind>,
}

impl Wanted {
    /// Codes of sealed matters, and beside each that of the one that opens it.
    fn seals(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let seals = self.seals.iter();
        seals
            .map(|(sealed, opens)| (sealed.code(), opens.code()))
            .unzip()
    }
}

/// The last finding of the page before.
#[derive(Clone, Debug)]
pub struct Behind {
    pub found_at: OffsetDateTime,
    pub rule_id: String,
    pub left_office: String,
    pub left_case: String,
    pub right_office: String,
    pub right_case: String,
}

/// A finding, with what is known of its two cases.
#[derive(Clone, Debug)]
pub struct Finding {
    pub rule_id: String,
    pub severity: String,
    pub left_office: String,
    pub left_case: String,
    pub left_case_no: Option<String>,
    pub left_matter_type: Option<String>,
    pub right_office: String,
    pub right_case: String,
    pub right_case_no: Option<String>,
    pub right_matter_type: Option<String>,
    pub first_accepting: Option<String>,
    pub back_dated: bool,
    pub rules_version: String,
    pub found_at: OffsetDateTime,
    pub basis: String,
    pub match_weight: Option<i32>,
}

/// How many findings of a severity are open.
#[derive(Clone, Debug)]
pub struct Open {
    pub severity: String,
    pub count: i64,
}

/// Open findings by severity: what [`open`] would page through.
pub async fn counts(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Vec<Open>, sqlx::Error> {
    let (sealed, opens) = wanted.seals();
    query_as!(
        Open,
        r#"SELECT d.severity, count(*) AS "count!"
             FROM duplicate_finding d
             LEFT JOIN case_record l ON l.office_id = d.left_office AND l.source_case_id = d.left_case
             LEFT JOIN case_record r ON r.office_id = d.right_office AND r.source_case_id = d.right_case
            WHERE d.closed_at IS NULL
              AND ($1::text IS NULL OR d.left_office = $1 OR d.right_office = $1)
              AND ($2::text IS NULL OR NOT EXISTS (
                   SELECT FROM unnest($3::text[], $4::text[]) AS seal (sealed, opens)
                    WHERE CASE WHEN d.left_office = $2 THEN r.matter_type = sealed AND l.matter_type <> opens
                               ELSE l.matter_type = sealed AND r.matter_type <> opens END))
            GROUP BY d.severity ORDER BY d.severity"#,
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.told_to.as_ref().map(OfficeId::as_str),
        &sealed as &[&str],
        &opens as &[&str],
    )
    .fetch_all(connection)
    .await
}

/// Open findings, the newest first.
pub async fn open(
    connection: &mut PgConnection,
    wanted: &Wanted,
    most: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    let behind = wanted.behind.as_ref();
    let (sealed, opens) = wanted.seals();
    let text = |of: fn(&Behind) -> &str| behind.map_or("", of);
    query_as!(
        Finding,
        r#"SELECT d.rule_id, d.severity, d.left_office, d.left_case, l.case_no AS "left_case_no?",
                  l.matter_type AS "left_matter_type?", d.right_office, d.right_case, r.case_no AS "right_case_no?",
                  r.matter_type AS "right_matter_type?", d.first_accepting, d.back_dated, d.rules_version, d.found_at, d.basis,
                  d.match_weight
             FROM duplicate_finding d
             LEFT JOIN case_record l ON l.office_id = d.left_office AND l.source_case_id = d.left_case
             LEFT JOIN case_record r ON r.office_id = d.right_office AND r.source_case_id = d.right_case
            WHERE d.closed_at IS NULL
              AND ($1::text IS NULL OR d.left_office = $1 OR d.right_office = $1)
              AND ($2::text IS NULL OR d.severity = $2)
              AND ($3::timestamptz IS NULL
                   OR (d.found_at, d.rule_id, d.left_office, d.left_case, d.right_office, d.right_case)
                      < ($3, $4, $5, $6, $7, $8))
              AND ($10::text IS NULL OR NOT EXISTS (
                   SELECT FROM unnest($11::text[], $12::text[]) AS seal (sealed, opens)
                    WHERE CASE WHEN d.left_office = $10 THEN r.matter_type = sealed AND l.matter_type <> opens
                               ELSE l.matter_type = sealed AND r.matter_type <> opens END))
            ORDER BY d.found_at DESC, d.rule_id DESC, d.left_office DESC, d.left_case DESC, d.right_office DESC,
                     d.right_case DESC
            LIMIT $9"#,
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.severity.map(Severity::code),
        behind.map(|behind| behind.found_at),
        text(|b| &b.rule_id),
        text(|b| &b.left_office),
        text(|b| &b.left_case),
        text(|b| &b.right_office),
        text(|b| &b.right_case),
        most,
        wanted.told_to.as_ref().map(OfficeId::as_str),
        &sealed as &[&str],
        &opens as &[&str],
    )
    .fetch_all(connection)
    .await
}
