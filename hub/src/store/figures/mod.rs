//! Tables of figures, cut from what each family of facts is counted of. Which columns a table has is known only when it
//! is asked for, so that its SQL is put together here, of texts that stand in this file and in the list of counts.
//!
//! | module | holds |
//! |---|---|
//! | [`overview`] | what waits for somebody |
//! | [`person_month`] | whom each office served, month by month |
//! | [`report`] | reports as they were published |
//! | [`rollup`] | the cells that cases count in |

pub mod overview;
pub mod person_month;
pub mod report;
pub mod rollup;

use linkage::matter::MatterType;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use time::Date;

use super::decode::parse;
use crate::statistics::contribution::Counts;
use crate::statistics::dimension::{Dimension, Key, Section, Value};
use crate::statistics::family::{Counted, Family};
use crate::statistics::period::{Grain, Period};
use crate::statistics::query::Filter;
use crate::statistics::structure::Structure;

/// Which figures, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    pub family: Family,
    /// Of cases.
    pub section: Section,
    /// Dimensions that the family has.
    pub group_by: &'a [Dimension],
    pub period: Period,
    /// By dimensions that the family has; others leave everything in.
    pub filter: &'a Filter,
    pub structure: &'a Structure,
    /// Rows that are read at most.
    pub most: i64,
}

/// Adds facts up. Rows come in no order.
pub async fn cut(
    connection: &mut PgConnection,
    wanted: Cut<'_>,
) -> Result<Vec<(Key, Counted)>, sqlx::Error> {
    let rows = statement(wanted).build().fetch_all(connection).await?;
    rows.iter().map(|row| read(row, wanted)).collect()
}

fn statement(wanted: Cut<'_>) -> QueryBuilder<Postgres> {
    let Cut {
        family,
        section,
        group_by,
        ..
    } = wanted;
    let keys = group_by.iter().map(|by| expression(family, section, *by));
    let columns: Vec<String> = keys
        .clone()
        .map(str::to_owned)
        .chain(sums(family))
        .collect();
    let mut sql = QueryBuilder::new(format!(
        "SELECT {} FROM {}",
        columns.join(", "),
        facts(family, section)
    ));
    let places = wanted.structure.places();
    sql.push(" JOIN unnest(");
    sql.push_bind(codes(&places, |place| place.office.as_str()));
    sql.push("::text[], ");
    sql.push_bind(codes(&places, |place| place.counts_under.as_str()));
    sql.push("::text[], ");
    sql.push_bind(codes(&places, |place| place.unit.district.as_str()));
    sql.push("::text[], ");
    sql.push_bind(codes(&places, |place| place.unit.level.code()));
    sql.push("::text[]) AS s (office_id, unit, district, level) ON s.office_id = f.office_id");
    if family.has(Dimension::MatterGroup) {
        let matters: Vec<MatterType> = MatterType::all().collect();
        sql.push(" LEFT JOIN unnest(");
        sql.push_bind(codes(&matters, |matter| matter.code()));
        sql.push("::text[], ");
        sql.push_bind(codes(&matters, |matter| matter.group().code()));
        sql.push("::text[]) AS m (matter_type, matter_group) ON m.matter_type = f.matter_type");
    }
    narrow(&mut sql, wanted);
    if !group_by.is_empty() {
        sql.push(format!(" GROUP BY {}", keys.collect::<Vec<_>>().join(", ")));
    }
    sql.push(" LIMIT ");
    sql.push_bind(wanted.most);
    sql
}

/// The period and the filters.
fn narrow(sql: &mut QueryBuilder<Postgres>, wanted: Cut<'_>) {
    let Cut {
        family,
        section,
        period,
        filter,
        ..
    } = wanted;
    sql.push(" WHERE true");
    for (day, comparison) in [(period.first, ">="), (period.last, "<=")] {
        if let Some(day) = day {
            sql.push(format!(" AND f.day {comparison} "));
            sql.push_bind(day);
        }
    }
    for (dimension, values) in filter.codes() {
        if family.has(dimension) && !values.is_empty() {
            sql.push(format!(
                " AND {} = ANY(",
                expression(family, section, dimension)
            ));
            sql.push_bind(values);
            sql.push(")");
        }
    }
}

fn codes<T>(values: &[T], code: impl Fn(&T) -> &str) -> Vec<String> {
    values.iter().map(|value| code(value).to_owned()).collect()
}

/// Where the facts of a family stand, as `f`, with the office and the day that each counts for.
fn facts(family: Family, section: Section) -> &'static str {
    match (family, section) {
        (Family::Cases, Section::Matter) => {
            "(SELECT r.*, r.begins_on AS day FROM rollup r WHERE r.cut = 'matter') f"
        }
        (Family::Cases, Section::Day) => {
            "(SELECT r.*, r.begins_on AS day FROM rollup r WHERE r.cut = 'day') f"
        }
        (Family::Cases, Section::Notary) => {
            "(SELECT r.*, r.begins_on AS day FROM rollup r WHERE r.cut = 'notary') f"
        }
        (Family::Duplicates, _) => {
            "(SELECT o.office_id, (d.found_at AT TIME ZONE 'Asia/Shanghai')::date AS day, d.finding_id, d.severity
                FROM duplicate_finding d CROSS JOIN LATERAL (VALUES (d.left_office), (d.right_office)) AS o (office_id)
               WHERE d.closed_at IS NULL) f"
        }
        (Family::LookUps, _) => "lookup_day f",
        (Family::Persons, _) => {
            "(SELECT p.office_id, p.month AS day, k.person
                FROM person_month p CROSS JOIN LATERAL unnest(p.persons) AS k (person)) f"
        }
        (Family::Findings, _) => {
            "(SELECT s.*, coalesce(s.happened_on, (s.found_at AT TIME ZONE 'Asia/Shanghai')::date) AS day
                FROM supervision_finding s WHERE s.state <> 'open' OR s.cleared_at IS NULL) f"
        }
        // Steps that were taken back leave a due day behind, which counts no more.
        (Family::Rectifications, _) => {
            "(SELECT office_id, due_on AS day, state <> 'notified' AS made,
                     rectified_late AS late
                FROM supervision_finding WHERE due_on IS NOT NULL AND state IN ('notified', 'rectified', 'verified')
               UNION ALL
              SELECT office_id, due_on, state <> 'notified', rectified_late FROM inspection_figure) f"
        }
        // What never came counts on the last day on which it was in time.
        (Family::Filings, _) => {
            "(SELECT office_id, kind, recorded_on AS day, recorded_on > due_on AS late, false AS missing FROM filing_figure
               UNION ALL
              SELECT office_id, kind, due_on, false, true FROM filing_missing) f"
        }
        // A survey or a self-assessment that was filed again for its time is the office's last word.
        (Family::Feedback, _) => {
            "(SELECT *, happened_on AS day FROM filing_figure WHERE happened_on IS NOT NULL AND newest) f"
        }
    }
}

/// What is counted of a family, in the order of its columns.
fn sums(family: Family) -> Vec<String> {
    let each = |sums: &[&str]| sums.iter().map(|sum| (*sum).to_owned()).collect();
    match family {
        Family::Cases => Counts::COLUMNS
            .iter()
            .map(|column| format!("coalesce(sum(f.{column}), 0)::bigint"))
            .collect(),
        Family::Duplicates => each(&[
            "count(DISTINCT f.finding_id) FILTER (WHERE f.severity = 'duplicate')",
            "count(DISTINCT f.finding_id) FILTER (WHERE f.severity = 'conflict')",
            "count(DISTINCT f.finding_id) FILTER (WHERE f.severity = 'related')",
        ]),
        Family::LookUps => each(&[
            "coalesce(sum(f.hit), 0)::bigint",
            "coalesce(sum(f.no_hit), 0)::bigint",
            "coalesce(sum(f.denied), 0)::bigint",
        ]),
        Family::Persons => each(&["count(DISTINCT f.person)"]),
        Family::Findings => each(&[
            "count(*) FILTER (WHERE f.state = 'open')",
            "count(*) FILTER (WHERE f.state = 'notified')",
            "count(*) FILTER (WHERE f.state = 'rectified')",
            "count(*) FILTER (WHERE f.state = 'verified')",
            "count(*) FILTER (WHERE f.state = 'dismissed')",
            "count(DISTINCT (f.office_id, f.about_key)) FILTER (WHERE f.about = 'case' AND f.state <> 'dismissed' AND f.cleared_at IS NULL)",
            "count(DISTINCT (f.office_id, f.about_key)) FILTER (WHERE f.about = 'case' AND f.state <> 'dismissed' AND f.cleared_at IS NULL AND f.concluded)",
        ]),
        Family::Rectifications => each(&[
            "count(*) FILTER (WHERE f.made OR f.day < (now() AT TIME ZONE 'Asia/Shanghai')::date)",
            "count(*) FILTER (WHERE f.made AND NOT f.late)",
        ]),
        Family::Filings => each(&[
            "count(*) FILTER (WHERE NOT f.missing)",
            "count(*) FILTER (WHERE f.late)",
            "count(*) FILTER (WHERE f.missing)",
        ]),
        Family::Feedback => each(&[
            "count(*) FILTER (WHERE f.kind = 'complaint')",
            "count(*) FILTER (WHERE f.kind = 'review')",
            "count(*) FILTER (WHERE f.kind = 'satisfaction')",
            "coalesce(sum(f.answers), 0)::bigint",
            "coalesce(sum(f.score), 0)::bigint",
            "count(*) FILTER (WHERE f.kind = 'self_assessment')",
            "coalesce(sum(f.items_met), 0)::bigint",
            "coalesce(sum(f.items), 0)::bigint",
        ]),
    }
}

/// What a dimension is in SQL.
const fn expression(family: Family, section: Section, dimension: Dimension) -> &'static str {
    match (dimension, family, section) {
        (Dimension::Office, ..) => "s.unit",
        (Dimension::District, ..) => "s.district",
        (Dimension::Level, ..) => "s.level",
        (Dimension::MatterGroup, ..) => "m.matter_group",
        (Dimension::MatterType, ..) => "f.matter_type",
        (Dimension::ForeignRelation, ..) => "f.foreign_relation",
        (Dimension::Notary, ..) => "f.notary",
        (Dimension::Rule, ..) => "f.rule_id",
        (Dimension::FindingSeverity, ..) => "f.severity",
        (Dimension::FilingKind, ..) => "f.kind",
        // What is counted by months has their first days.
        (Dimension::Time(Grain::Day), ..)
        | (Dimension::Time(Grain::Month), Family::Persons, _)
        | (Dimension::Time(Grain::Month), Family::Cases, Section::Matter | Section::Notary) => {
            "f.day"
        }
        (Dimension::Time(Grain::Month), ..) => "date_trunc('month', f.day::timestamp)::date",
        (Dimension::Time(Grain::Quarter), ..) => "date_trunc('quarter', f.day::timestamp)::date",
        (Dimension::Time(Grain::HalfYear), ..) => {
            "make_date(extract(year FROM f.day)::integer, CASE WHEN extract(month FROM f.day) < 7 THEN 1 ELSE 7 END, 1)"
        }
        (Dimension::Time(Grain::Year), ..) => "date_trunc('year', f.day::timestamp)::date",
    }
}

fn read(row: &PgRow, wanted: Cut<'_>) -> Result<(Key, Counted), sqlx::Error> {
    let width = wanted.group_by.len();
    let mut key = Key::with_capacity(width);
    for (at, dimension) in wanted.group_by.iter().enumerate() {
        key.push(match dimension {
            Dimension::Office => Value::Office(parse(row.try_get(at)?)?),
            Dimension::District => Value::District(parse(row.try_get(at)?)?),
            Dimension::Level => Value::Level(parse(row.try_get(at)?)?),
            Dimension::MatterGroup => Value::MatterGroup(parse(row.try_get(at)?)?),
            Dimension::MatterType => Value::MatterType(parse(row.try_get(at)?)?),
            Dimension::ForeignRelation => Value::ForeignRelation(parse(row.try_get(at)?)?),
            Dimension::Notary => {
                let licence: String = row.try_get(at)?;
                Value::Notary(Some(licence).filter(|licence| !licence.is_empty()))
            }
            Dimension::Rule => Value::Rule(row.try_get(at)?),
            Dimension::FindingSeverity => Value::FindingSeverity(parse(row.try_get(at)?)?),
            Dimension::FilingKind => Value::FilingKind(parse(row.try_get(at)?)?),
            Dimension::Time(_) => Value::Time(row.try_get::<Date, _>(at)?),
        });
    }
    let counted = Counted::read(wanted.family, |at| row.try_get(width + at))?;
    Ok((key, counted))
}
