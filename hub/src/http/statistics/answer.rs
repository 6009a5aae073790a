//! Tables and what they are made of, as they are answered.

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::statistics::dimension::Dimension;
use crate::statistics::layout::{self, Layout};
use crate::statistics::measure::{self, Measure, Number, Unit};
use crate::statistics::period::Grain;
use crate::statistics::query::{Query, Table};
use crate::supervision::rule::Rules;

/// A table of figures: `rows[i].figures[j]` stands in `columns[j]`, and so does `totals[j]`.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsTable)]
pub(in crate::http) struct TableAnswer {
    /// The moment that all of it was read at.
    #[serde(with = "time::serde::rfc3339")]
    as_of: OffsetDateTime,
    /// Whether the persons whom offices served were ever counted; null is what is told of them until then.
    persons_counted: bool,
    /// Of a period that is not over, the day up to which it is compared, each figure with as much of the time before; what is
    /// counted by months alone is not compared then.
    compared_until: Option<String>,
    /// First day of the period; absent when it is open.
    from: Option<String>,
    /// Last day of the period.
    to: Option<String>,
    /// What a row stands for, in the order of its `keys`.
    dimensions: Vec<DimensionName>,
    columns: Vec<ColumnAnswer>,
    rows: Vec<RowAnswer>,
    totals: Vec<FigureAnswer>,
}

/// A dimension by its code and Chinese name.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsDimensionName)]
pub(super) struct DimensionName {
    code: &'static str,
    name_zh: &'static str,
}

/// What stands in a column.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsColumn)]
pub(super) struct ColumnAnswer {
    /// Code of the measure.
    measure: &'static str,
    name_zh: &'static str,
    unit: Unit,
    change: Change,
    /// The value of the pivot's dimension; null without a pivot, and where all its values are added up.
    pivot: Option<Label>,
}

/// A code and what people call it.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = StatisticsLabel)]
pub(super) struct Label {
    code: String,
    name_zh: String,
}

/// A row.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsRow)]
pub(super) struct RowAnswer {
    /// What the row stands for, one for each of `dimensions`.
    keys: Vec<Label>,
    figures: Vec<FigureAnswer>,
}

/// A figure beside what it is compared with. Comparisons are null where the period is open.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsFigure)]
pub(super) struct FigureAnswer {
    /// Null where nothing can be said, e.g. a share of nothing.
    #[schema(value_type = Option<f64>)]
    value: Option<Number>,
    /// The same period of the year before.
    #[schema(value_type = Option<f64>)]
    year_before: Option<Number>,
    /// The period before.
    #[schema(value_type = Option<f64>)]
    period_before: Option<Number>,
    /// 同比: the change against `year_before`, as the column's `change` says.
    year_on_year: Option<f64>,
    /// 环比: the change against `period_before`.
    period_on_period: Option<f64>,
}

/// How a change is told.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = StatisticsChange)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// (now − before) ÷ before.
    Relative,
    /// now − before.
    Difference,
}

/// What can be asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsCatalogue)]
pub(in crate::http) struct Catalogue {
    measures: Vec<MeasureAnswer>,
    dimensions: Vec<DimensionAnswer>,
}

/// A measure and its definition.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsMeasure)]
pub(super) struct MeasureAnswer {
    code: &'static str,
    name_zh: &'static str,
    unit: Unit,
    change: Change,
    definition_zh: &'static str,
    /// The article it rests on.
    article_zh: Option<&'static str>,
    /// The facts it is counted from.
    source: &'static str,
    source_zh: &'static str,
    /// Codes of the dimensions it has figures by.
    dimensions: Vec<&'static str>,
    /// Whether rows add up to the total; where they do not, the total is counted by itself.
    additive: bool,
}

/// A dimension, and its values where they are a closed list.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsDimension)]
pub(super) struct DimensionAnswer {
    code: &'static str,
    name_zh: &'static str,
    /// Whether it cuts time; a table has one such dimension at most.
    time: bool,
    values: Vec<Label>,
}

pub(super) fn catalogue(rules: &Rules) -> Catalogue {
    Catalogue {
        measures: measure::ALL.iter().map(MeasureAnswer::from).collect(),
        dimensions: Dimension::ALL
            .into_iter()
            .map(|dimension| DimensionAnswer::of(dimension, rules))
            .collect(),
    }
}

impl TableAnswer {
    pub(super) fn of(query: &Query, table: &Table, layout: Layout) -> Self {
        let day = |day| Grain::Day.label(day);
        Self {
            as_of: table.as_of,
            persons_counted: table.persons_counted,
            compared_until: table.compared_until.map(day),
            from: query.period.first.map(day),
            to: query.period.last.map(day),
            dimensions: layout
                .dimensions
                .into_iter()
                .map(DimensionName::from)
                .collect(),
            columns: layout.columns.into_iter().map(ColumnAnswer::from).collect(),
            rows: layout.rows.into_iter().map(RowAnswer::from).collect(),
            totals: layout.totals.into_iter().map(FigureAnswer::from).collect(),
        }
    }
}

impl From<Dimension> for DimensionName {
    fn from(dimension: Dimension) -> Self {
        Self {
            code: dimension.code(),
            name_zh: dimension.name_zh(),
        }
    }
}

impl From<layout::Column> for ColumnAnswer {
    fn from(column: layout::Column) -> Self {
        let measure = column.measure;
        Self {
            measure: measure.code,
            name_zh: measure.name_zh,
            unit: measure.unit,
            change: measure.unit.into(),
            pivot: column.pivot.map(Label::from),
        }
    }
}

impl From<layout::Label> for Label {
    fn from(label: layout::Label) -> Self {
        Self {
            code: label.code,
            name_zh: label.name_zh,
        }
    }
}

impl From<layout::Line> for RowAnswer {
    fn from(line: layout::Line) -> Self {
        Self {
            keys: line.keys.into_iter().map(Label::from).collect(),
            figures: line.figures.into_iter().map(FigureAnswer::from).collect(),
        }
    }
}

impl From<layout::Figure> for FigureAnswer {
    fn from(figure: layout::Figure) -> Self {
        Self {
            value: figure.value,
            year_before: figure.year_before,
            period_before: figure.period_before,
            year_on_year: figure.year_on_year,
            period_on_period: figure.period_on_period,
        }
    }
}

impl From<Unit> for Change {
    fn from(unit: Unit) -> Self {
        match unit.is_compared_by_difference() {
            true => Self::Difference,
            false => Self::Relative,
        }
    }
}

impl From<&'static Measure> for MeasureAnswer {
    fn from(measure: &'static Measure) -> Self {
        Self {
            code: measure.code,
            name_zh: measure.name_zh,
            unit: measure.unit,
            change: measure.unit.into(),
            definition_zh: measure.definition_zh,
            article_zh: measure.article_zh,
            source: measure.family().code(),
            source_zh: measure.family().name_zh(),
            dimensions: Dimension::ALL
                .into_iter()
                .filter(|dimension| measure.family().has(*dimension))
                .map(Dimension::code)
                .collect(),
            additive: measure.is_additive(),
        }
    }
}

impl DimensionAnswer {
    fn of(dimension: Dimension, rules: &Rules) -> Self {
        let label = |(code, name_zh): (&str, &str)| Label {
            code: code.into(),
            name_zh: name_zh.into(),
        };
        let rules = rules.rules.iter().filter(|_| dimension == Dimension::Rule);
        let rules = rules.map(|rule| (rule.id.as_str(), rule.title.as_str()));
        Self {
            code: dimension.code(),
            name_zh: dimension.name_zh(),
            time: matches!(dimension, Dimension::Time(_)),
            values: dimension
                .values()
                .into_iter()
                .chain(rules)
                .map(label)
                .collect(),
        }
    }
}
