//! Open findings (`duplicate_finding`) as people page through them.

use linkage::matter::{MatterType, Severity};
use linkage::office::OfficeId;
use sqlx::{PgConnection, query};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Basis;
use crate::store::decode::parse;

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
    /// When the last finding of the page before was found, and which it is.
    pub behind: Option<(OffsetDateTime, Uuid)>,
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

/// A finding, with what is known of its two cases.
#[derive(Clone, Debug)]
pub struct Finding {
    pub finding_id: Uuid,
    pub rule_id: String,
    pub severity: Severity,
    pub cases: [Side; 2],
    pub first_accepting: Option<OfficeId>,
    pub back_dated: bool,
    pub rules_version: String,
    pub found_at: OffsetDateTime,
    pub basis: Basis,
    pub match_weight: Option<i32>,
}

/// One of the two.
#[derive(Clone, Debug)]
pub struct Side {
    pub office_id: OfficeId,
    pub source_case_id: String,
    pub case_no: Option<String>,
    pub matter_type: Option<MatterType>,
}

/// A statement about open findings with the conditions that each of them has: of whose cases, and what is sealed from
/// whoever is told. `$1` to `$4` are taken by them.
macro_rules! open_findings {
    ($wanted:ident, $select:tt, $then:tt $(, $more:expr)* $(,)?) => {{
        let (sealed, opens) = $wanted.seals();
        query!(
            "SELECT " + $select + r#"
               FROM duplicate_finding d
               LEFT JOIN case_record l ON l.office_id = d.left_office AND l.source_case_id = d.left_case
               LEFT JOIN case_record r ON r.office_id = d.right_office AND r.source_case_id = d.right_case
              WHERE d.closed_at IS NULL
                AND ($1::text IS NULL OR d.left_office = $1 OR d.right_office = $1)
                AND ($2::text IS NULL OR NOT EXISTS (
                     SELECT FROM unnest($3::text[], $4::text[]) AS seal (sealed, opens)
                      WHERE CASE WHEN d.left_office = $2 THEN r.matter_type = sealed AND l.matter_type <> opens
                                 ELSE l.matter_type = sealed AND r.matter_type <> opens END))
"# + $then,
            $wanted.office.as_ref().map(OfficeId::as_str),
            $wanted.told_to.as_ref().map(OfficeId::as_str),
            &sealed as &[&str],
            &opens as &[&str],
            $($more,)*
        )
    }};
}

/// Open findings by severity: what [`page`] would tell.
pub async fn counts(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Vec<(Severity, i64)>, sqlx::Error> {
    let rows = open_findings!(
        wanted,
        r#"d.severity, count(*) AS "count!""#,
        "GROUP BY d.severity ORDER BY d.severity",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.severity)?, row.count)))
        .collect()
}

/// Open findings, the newest first.
pub async fn page(
    connection: &mut PgConnection,
    wanted: &Wanted,
    most: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = open_findings!(
        wanted,
        r#"d.finding_id, d.rule_id, d.severity, d.left_office, d.left_case, l.case_no AS "left_case_no?",
           l.matter_type AS "left_matter_type?", d.right_office, d.right_case, r.case_no AS "right_case_no?",
           r.matter_type AS "right_matter_type?", d.first_accepting, d.back_dated, d.rules_version, d.found_at, d.basis,
           d.match_weight"#,
        "AND ($5::text IS NULL OR d.severity = $5)
         AND ($6::timestamptz IS NULL OR (d.found_at, d.finding_id) < ($6, $7))
         ORDER BY d.found_at DESC, d.finding_id DESC LIMIT $8",
        wanted.severity.map(Severity::code),
        wanted.behind.map(|(found_at, _)| found_at),
        wanted.behind.map(|(_, finding_id)| finding_id),
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Finding {
                finding_id: row.finding_id,
                rule_id: row.rule_id,
                severity: parse(&row.severity)?,
                cases: [
                    Side {
                        office_id: parse(&row.left_office)?,
                        source_case_id: row.left_case,
                        case_no: row.left_case_no,
                        matter_type: row.left_matter_type.as_deref().map(parse).transpose()?,
                    },
                    Side {
                        office_id: parse(&row.right_office)?,
                        source_case_id: row.right_case,
                        case_no: row.right_case_no,
                        matter_type: row.right_matter_type.as_deref().map(parse).transpose()?,
                    },
                ],
                first_accepting: row.first_accepting.as_deref().map(parse).transpose()?,
                back_dated: row.back_dated,
                rules_version: row.rules_version,
                found_at: row.found_at,
                basis: parse(&row.basis)?,
                match_weight: row.match_weight,
            })
        })
        .collect()
}
