//! The figures that the bureau gets, against what the city's cases come to.

use std::collections::BTreeSet;

use notary_hub::statistics::dimension::{Dimension, Section, Value};
use notary_hub::statistics::family::Family;
use notary_hub::statistics::measure::{Measure, Number};
use notary_hub::statistics::period::{Grain, Period};
use notary_hub::statistics::query::{Filter, Query, table};
use sqlx::PgPool;
use synthetic_city::{City, Figures};

/// More rows than a city has offices and months.
const MOST: usize = 100_000;

/// The outcome for the offices that take part.
#[derive(Clone, Debug)]
pub struct FigureReckoning {
    /// Figures of an office and a month that are not 0.
    pub compared: usize,
    /// Figures that are not what the city's cases come to, in words.
    pub differences: Vec<String>,
}

impl FigureReckoning {
    /// Compares the city with the hub's statistics, for the offices at these positions.
    ///
    /// # Errors
    /// When the hub's database cannot be read.
    pub async fn take(city: &City, offices: &[usize], pool: &PgPool) -> anyhow::Result<Self> {
        let taking_part: BTreeSet<String> = offices
            .iter()
            .map(|&office| city.offices()[office].id.as_str().to_owned())
            .collect();
        let city = city.clone();
        let mut truth = tokio::task::spawn_blocking(move || city.figures()).await?;
        truth.retain(|(office_id, _, _), _| taking_part.contains(office_id));
        let told = told(pool, &truth).await?;
        let keys: BTreeSet<_> = truth.keys().chain(told.keys()).collect();
        let differences = keys.iter().filter_map(|key| {
            let [told, truth] = [&told, &truth].map(|of| of.get(*key).copied().unwrap_or(0));
            let (office_id, month, measure) = key;
            (told != truth)
                .then(|| format!("{measure} of {office_id} from {month}: {told}, not {truth}"))
        });
        Ok(Self {
            compared: keys.len(),
            differences: differences.collect(),
        })
    }
}

/// What the hub tells of the measures that the city counts.
async fn told(pool: &PgPool, truth: &Figures) -> anyhow::Result<Figures> {
    let codes: BTreeSet<&'static str> = truth.keys().map(|(_, _, measure)| *measure).collect();
    let query = Query {
        measures: codes
            .iter()
            .filter_map(|code| Measure::from_code(code))
            .filter(|measure| measure.family() == Family::Cases)
            .collect(),
        group_by: vec![Dimension::Office, Dimension::Time(Grain::Month)],
        pivot: None,
        period: Period::default(),
        filter: Filter::default(),
        structure_on: None,
        section: Section::Matter,
        most: MOST,
    };
    anyhow::ensure!(
        query.measures.len() == codes.len(),
        "the city counts what is no measure of cases: {codes:?}"
    );
    let mut moment = pool.begin().await?;
    let table = table(&mut moment, &query).await?;
    let mut figures = Figures::new();
    for (key, compared) in &table.cells {
        let [Value::Office(office_id), Value::Time(month)] = key.as_slice() else {
            continue;
        };
        for measure in &query.measures {
            match measure.of(&compared.now) {
                None | Some(Number::Whole(0)) => {}
                Some(number) => {
                    let key = (office_id.as_str().to_owned(), *month, measure.code);
                    figures.insert(key, number.as_f64() as i64);
                }
            }
        }
    }
    Ok(figures)
}
