//! Which cells of the rollup a case counts in. Pure, and the only place that knows: the writer adds
//! new minus old, the recomputation adds everything, and both must come to the same.

use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::vocabulary::{CaseState, ForeignRelation};
use serde::Serialize;
use time::Date;

use super::calendar::Calendar;

/// Working days within which a certificate is due (公证法 art. 30).
pub const LIMIT_WORKING_DAYS: u32 = 15;

/// One cell of `rollup_month`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub office_id: OfficeId,
    /// First day of the month.
    pub month: Date,
    pub matter_type: MatterType,
    pub foreign_relation: ForeignRelation,
}

/// Declares what cells count, once: the struct, its arithmetic, and the columns that hold it.
macro_rules! counts {
    ($($name:ident),+ $(,)?) => {
        /// What a cell counts; fees in fen.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Counts {
            $(pub $name: i64,)+
        }

        impl Counts {
            /// The columns of the rollup, in the order of [`Self::values`].
            pub const COLUMNS: &[&str] = &[$(stringify!($name)),+];

            /// The values of the columns.
            pub fn values(&self) -> [i64; Self::COLUMNS.len()] {
                [$(self.$name),+]
            }

            /// Reads the columns back.
            pub fn from_values(values: [i64; Self::COLUMNS.len()]) -> Self {
                let [$($name),+] = values;
                Self { $($name),+ }
            }
        }

        impl AddAssign for Counts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }

        impl SubAssign for Counts {
            fn sub_assign(&mut self, other: Self) {
                $(self.$name -= other.$name;)+
            }
        }
    };
}

counts!(
    applied,
    accepted,
    refused,
    issued,
    rejected,
    terminated,
    corrected,
    revoked,
    within_limit,
    fee_charged_fen,
    fee_reduced_fen,
    legal_aid,
);

/// The facts of a case that figures depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    pub state: CaseState,
    pub matter_type: MatterType,
    pub foreign_relation: ForeignRelation,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub issued_on: Option<Date>,
    pub closed_on: Option<Date>,
    pub fee_charged_fen: i64,
    pub fee_reduced_fen: i64,
    pub legal_aid: bool,
    /// Working days between acceptance and issuance that do not count.
    pub excused_working_days: i16,
}

/// Changes to cells, in the order of their keys: two writers can never lock them crosswise.
pub type Deltas = BTreeMap<Cell, Counts>;

/// Adds what a case counts for.
pub fn add(deltas: &mut Deltas, office_id: OfficeId, figures: &Figures, calendar: &Calendar) {
    each(office_id, figures, calendar, |cell, measures| {
        *deltas.entry(cell).or_default() += measures;
    });
}

/// Takes away what a case counted for.
pub fn subtract(deltas: &mut Deltas, office_id: OfficeId, figures: &Figures, calendar: &Calendar) {
    each(office_id, figures, calendar, |cell, measures| {
        *deltas.entry(cell).or_default() -= measures;
    });
}

/// Each event counts in the month it happened in; a withdrawn record counts nowhere.
fn each(
    office_id: OfficeId,
    figures: &Figures,
    calendar: &Calendar,
    mut count: impl FnMut(Cell, Counts),
) {
    if figures.state == CaseState::Withdrawn {
        return;
    }
    let mut at = |day: Option<Date>, measures: Counts| {
        if let Some(day) = day {
            let cell = Cell {
                office_id,
                month: first_of_month(day),
                matter_type: figures.matter_type,
                foreign_relation: figures.foreign_relation,
            };
            count(cell, measures);
        }
    };
    let applied = figures.applied_on.or(figures.accepted_on);
    at(
        applied,
        Counts {
            applied: 1,
            ..Counts::default()
        },
    );
    at(
        figures.accepted_on,
        Counts {
            accepted: 1,
            ..Counts::default()
        },
    );
    // Fees are charged on acceptance; a case without that day still counts them where it can.
    at(
        figures.accepted_on.or(applied).or(figures.issued_on),
        Counts {
            fee_charged_fen: figures.fee_charged_fen,
            fee_reduced_fen: figures.fee_reduced_fen,
            legal_aid: i64::from(figures.legal_aid),
            ..Counts::default()
        },
    );
    at(
        figures.issued_on,
        Counts {
            issued: 1,
            within_limit: i64::from(is_within_limit(figures, calendar)),
            ..Counts::default()
        },
    );
    at(
        figures.closed_on.or(figures.issued_on).or(applied),
        ending(figures.state),
    );
}

fn ending(state: CaseState) -> Counts {
    let mut measures = Counts::default();
    match state {
        CaseState::Refused => measures.refused = 1,
        CaseState::Rejected => measures.rejected = 1,
        CaseState::Terminated => measures.terminated = 1,
        CaseState::Corrected => measures.corrected = 1,
        CaseState::Revoked => measures.revoked = 1,
        _ => {}
    }
    measures
}

fn is_within_limit(figures: &Figures, calendar: &Calendar) -> bool {
    let (Some(accepted), Some(issued)) = (figures.accepted_on, figures.issued_on) else {
        return false;
    };
    let excused = u32::try_from(figures.excused_working_days).unwrap_or(0);
    calendar
        .working_days_after(accepted, issued)
        .saturating_sub(excused)
        <= LIMIT_WORKING_DAYS
}

fn first_of_month(day: Date) -> Date {
    day.replace_day(1).expect("every month has a first day")
}
