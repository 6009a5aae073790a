//! Self-assessments as people look at them: the bureau all offices of a year side by side, and whose is missing; an
//! office its own, and how it was before. An assessment is judged by the level that the office had on its day.

use std::collections::BTreeSet;

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::PgConnection;
use time::{Date, Month};
use utoipa::ToSchema;

use super::FilingKind;
use super::body::Body;
use super::deadline::Deadlines;
use super::window::{Score, Window};
use crate::codes::codes;
use crate::statistics::calendar::Calendar;
use crate::statistics::structure::Structure;
use crate::store::filing::assessment::{self as store, Assessment};
use crate::store::office::Level;
use crate::store::office::structure::{self, OfficePeriod};
use crate::store::supervision::participation;
use crate::supervision::participation::Participation;

/// An office that takes part, as it is today.
#[derive(Clone, Debug)]
pub struct House {
    pub office_id: OfficeId,
    pub name: String,
    pub level: Level,
    pub participation: Participation,
}

/// An assessment and what it comes to.
#[derive(Clone, Debug)]
pub struct Scored {
    pub assessment: Assessment,
    /// Of the office on the day of the assessment.
    pub level: Level,
    pub score: Score,
}

/// Whether an office assessed its window in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AssessmentState)]
pub enum State {
    /// 已报送
    Filed,
    /// 未到期
    Awaited,
    /// 逾期未报
    Overdue,
    /// 尚未接入: the year was over before the office took part.
    NotAsked,
    /// 停用期间: the office was revoked when the year ended, or when its assessment was due.
    Away,
}

codes!(State {
    Filed = "filed" "已报送",
    Awaited = "awaited" "未到期",
    Overdue = "overdue" "逾期未报",
    NotAsked = "not_asked" "尚未接入",
    Away = "away" "停用期间",
});

/// An office in the board.
#[derive(Clone, Debug)]
pub struct Line {
    pub house: House,
    pub state: State,
    /// The newest of the year.
    pub newest: Option<Scored>,
    /// The newest of the years before.
    pub before: Option<Scored>,
}

/// All offices in a year.
#[derive(Clone, Debug)]
pub struct Board {
    pub year: i32,
    /// Years that have assessments, and the one that is shown; the newest first.
    pub years: Vec<i32>,
    /// The last day on which the year's assessment is in time.
    pub due_on: Option<Date>,
    pub lines: Vec<Line>,
}

/// The window of one office.
#[derive(Clone, Debug)]
pub struct OfficeWindow {
    pub house: House,
    /// The one that is looked at; none when the office never assessed its window.
    pub shown: Option<Scored>,
    /// All of them, the newest first.
    pub history: Vec<Scored>,
}

/// What decides when an assessment is due.
#[derive(Clone, Copy, Debug)]
pub struct Duty<'a> {
    pub deadlines: &'a Deadlines,
    pub calendar: &'a Calendar,
    pub today: Date,
}

impl Duty<'_> {
    fn due_on(&self, year: i32) -> Option<Date> {
        self.deadlines
            .due_on(FilingKind::SelfAssessment, last_day(year), self.calendar)
    }
}

fn last_day(year: i32) -> Option<Date> {
    Date::from_calendar_date(year, Month::December, 31).ok()
}

impl State {
    /// Of a year of which there is no assessment.
    fn unfiled(part: &Participation, year: i32, due_on: Option<Date>, today: Date) -> Self {
        let has_joined = part.since.is_none_or(|since| since.year() <= year);
        match last_day(year).zip(due_on) {
            _ if !has_joined => Self::NotAsked,
            Some((last, due)) if !part.covers(last, due) => Self::Away,
            Some((_, due)) if due < today => Self::Overdue,
            _ => Self::Awaited,
        }
    }
}

/// The board of a year, by default of the newest in which anybody assessed a window; with `own` of that office alone.
///
/// # Errors
/// When the database cannot be read.
pub async fn board(
    connection: &mut PgConnection,
    own: Option<OfficeId>,
    year: Option<i32>,
    duty: Duty<'_>,
) -> Result<Board, sqlx::Error> {
    let periods = structure::periods(&mut *connection).await?;
    let houses = houses(connection, &periods, own, duty.today).await?;
    let scored = scored(connection, &periods, own).await?;
    let mut years: BTreeSet<i32> = scored.iter().map(Scored::year).collect();
    let year = year
        .or_else(|| years.last().copied())
        .unwrap_or_else(|| duty.today.year());
    years.insert(year);
    let due_on = duty.due_on(year);
    let lines = houses.into_iter().map(|house| {
        let of_office = || scored.iter().filter(|one| one.is_of(house.office_id));
        let newest = of_office().find(|one| one.year() == year).cloned();
        let before = of_office().find(|one| one.year() < year).cloned();
        let state = match &newest {
            Some(_) => State::Filed,
            None => State::unfiled(&house.participation, year, due_on, duty.today),
        };
        Line {
            house,
            state,
            newest,
            before,
        }
    });
    Ok(Board {
        year,
        lines: lines.collect(),
        years: years.into_iter().rev().collect(),
        due_on,
    })
}

/// The window of an office, as assessed on a day or else the last time. `None` when there is no such office or no
/// assessment of that day.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_office(
    connection: &mut PgConnection,
    office_id: OfficeId,
    assessed_on: Option<Date>,
    today: Date,
) -> Result<Option<OfficeWindow>, sqlx::Error> {
    let periods = structure::periods(&mut *connection).await?;
    let house = houses(connection, &periods, Some(office_id), today).await?;
    let Some(house) = house.into_iter().next() else {
        return Ok(None);
    };
    let history = scored(connection, &periods, Some(office_id)).await?;
    let wanted = |one: &&Scored| assessed_on.is_none_or(|day| one.assessment.assessed_on == day);
    let shown = history.iter().find(wanted).cloned();
    if shown.is_none() && assessed_on.is_some() {
        return Ok(None);
    }
    Ok(Some(OfficeWindow {
        house,
        shown,
        history,
    }))
}

/// Offices that stand for themselves and take part.
async fn houses(
    connection: &mut PgConnection,
    periods: &[OfficePeriod],
    only: Option<OfficeId>,
    today: Date,
) -> Result<Vec<House>, sqlx::Error> {
    let mut taking_part = participation::of_active(&mut *connection).await?;
    let structure = Structure::on(today, periods);
    let places = structure.places().into_iter();
    Ok(places
        .filter(|place| place.office == place.counts_under)
        .filter(|place| only.is_none_or(|only| only == place.office))
        .filter_map(|place| {
            Some(House {
                office_id: place.office,
                name: place.unit.name.clone(),
                level: place.unit.level,
                participation: taking_part.remove(&place.office)?,
            })
        })
        .collect())
}

/// What an office's self-assessment comes to at the level that it had on that day, as the board and the figures have it;
/// `None` of everything else that is filed.
pub fn assessed(body: &Body, office_id: OfficeId, periods: &[OfficePeriod]) -> Option<Score> {
    match body {
        Body::SelfAssessment { items, assessed_on } => {
            let level = level_on(periods, office_id, *assessed_on)?;
            Some(Window::builtin().score(level, items))
        }
        _ => None,
    }
}

async fn scored(
    connection: &mut PgConnection,
    periods: &[OfficePeriod],
    office: Option<OfficeId>,
) -> Result<Vec<Scored>, sqlx::Error> {
    let assessments = store::list(connection, office).await?;
    Ok(assessments
        .into_iter()
        .filter_map(|assessment| {
            let level = level_on(periods, assessment.office_id, assessment.assessed_on)?;
            Some(Scored {
                score: Window::builtin().score(level, &assessment.answers),
                level,
                assessment,
            })
        })
        .collect())
}

/// Periods are in order; the first one reaches back to the beginning.
fn level_on(periods: &[OfficePeriod], office_id: OfficeId, day: Date) -> Option<Level> {
    let newest_first = periods.iter().rev();
    let mut of_office =
        newest_first.filter(|period| period.office_id == office_id && period.valid_from <= day);
    of_office.next().map(|period| period.part.unit.level)
}

impl Scored {
    fn year(&self) -> i32 {
        self.assessment.assessed_on.year()
    }

    fn is_of(&self, office_id: OfficeId) -> bool {
        self.assessment.office_id == office_id
    }
}
