//! Tables cut from the rollup. Which columns a table has is known only when it is asked for, so that its SQL is put
//! together here, of texts that stand in this file and in the list of counts.

use linkage::matter::MatterType;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row, query};
use time::Date;

use super::decode::parse;
use super::rollup::counts;
use crate::statistics::contribution::Counts;
use crate::statistics::dimension::{Dimension, Key, Section, Value};
use crate::statistics::period::{Grain, Period};
use crate::statistics::query::Filter;
use crate::statistics::structure::Structure;

/// Which figures, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    pub section: Section,
    pub group_by: &'a [Dimension],
    pub period: Period,
    pub filter: &'a Filter,
    pub structure: &'a Structure,
    /// Rows that are read at most.
    pub most: i64,
}

/// Adds cells up. Rows come in no order.
pub async fn cut(
    connection: &mut PgConnection,
    wanted: Cut<'_>,
) -> Result<Vec<(Key, Counts)>, sqlx::Error> {
    let Cut {
        filter, structure, ..
    } = wanted;
    let places = structure.places();
    let matters: Vec<MatterType> = MatterType::all().collect();
    let rows = query(AssertSqlSafe(sql(wanted.group_by)))
        .bind(codes(&places, |place| place.office.as_str()))
        .bind(codes(&places, |place| place.counts_under.as_str()))
        .bind(codes(&places, |place| place.unit.district.as_str()))
        .bind(codes(&places, |place| place.unit.level.code()))
        .bind(codes(&matters, |matter| matter.code()))
        .bind(codes(&matters, |matter| matter.group().code()))
        .bind(wanted.period.first)
        .bind(wanted.period.last)
        .bind(codes(&filter.offices, |office| office.as_str()))
        .bind(codes(&filter.districts, |district| district.as_str()))
        .bind(codes(&filter.levels, |level| level.code()))
        .bind(codes(&filter.matter_types, |matter| matter.code()))
        .bind(codes(&filter.matter_groups, |group| group.code()))
        .bind(codes(&filter.foreign_relations, |relation| relation.code()))
        .bind(wanted.section.code())
        .bind(wanted.most)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| read(row, wanted.group_by)).collect()
}

fn codes<T>(values: &[T], code: impl Fn(&T) -> &str) -> Vec<&str> {
    values.iter().map(code).collect()
}

fn sql(group_by: &[Dimension]) -> String {
    let keys = group_by.iter().map(|dimension| expression(*dimension));
    let sums = Counts::COLUMNS
        .iter()
        .map(|column| format!("coalesce(sum(r.{column}), 0)::bigint"));
    let columns: Vec<String> = keys.clone().map(str::to_owned).chain(sums).collect();
    let group = match group_by {
        [] => String::new(),
        _ => format!("GROUP BY {}", keys.collect::<Vec<_>>().join(", ")),
    };
    format!(
        "SELECT {columns}
           FROM rollup r
           JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS s (office_id, unit, district, level)
             ON s.office_id = r.office_id
           LEFT JOIN unnest($5::text[], $6::text[]) AS m (matter_type, matter_group) ON m.matter_type = r.matter_type
          WHERE r.cut = $15 AND ($7::date IS NULL OR r.begins_on >= $7) AND ($8::date IS NULL OR r.begins_on <= $8)
            AND (cardinality($9::text[]) = 0 OR s.unit = ANY($9))
            AND (cardinality($10::text[]) = 0 OR s.district = ANY($10))
            AND (cardinality($11::text[]) = 0 OR s.level = ANY($11))
            AND (cardinality($12::text[]) = 0 OR r.matter_type = ANY($12))
            AND (cardinality($13::text[]) = 0 OR m.matter_group = ANY($13))
            AND (cardinality($14::text[]) = 0 OR r.foreign_relation = ANY($14))
          {group} LIMIT $16",
        columns = columns.join(", "),
    )
}

/// What a dimension is in SQL.
const fn expression(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Office => "s.unit",
        Dimension::District => "s.district",
        Dimension::Level => "s.level",
        Dimension::MatterGroup => "m.matter_group",
        Dimension::MatterType => "r.matter_type",
        Dimension::ForeignRelation => "r.foreign_relation",
        Dimension::Notary => "r.notary",
        Dimension::Time(Grain::Day | Grain::Month) => "r.begins_on",
        Dimension::Time(Grain::Quarter) => "date_trunc('quarter', r.begins_on::timestamp)::date",
        Dimension::Time(Grain::HalfYear) => {
            "make_date(extract(year FROM r.begins_on)::integer, CASE WHEN extract(month FROM r.begins_on) < 7 THEN 1 ELSE 7 END, 1)"
        }
        Dimension::Time(Grain::Year) => "date_trunc('year', r.begins_on::timestamp)::date",
    }
}

fn read(row: &PgRow, group_by: &[Dimension]) -> Result<(Key, Counts), sqlx::Error> {
    let mut key = Key::with_capacity(group_by.len());
    for (at, dimension) in group_by.iter().enumerate() {
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
            Dimension::Time(_) => Value::Time(row.try_get::<Date, _>(at)?),
        });
    }
    Ok((key, counts(row, group_by.len())?))
}
