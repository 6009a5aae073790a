//! The life of a case from application to archive, as days; the state at any date follows from it.
use linkage::vocabulary::{CaseState, ExcuseReason, ReasonCode};
use time::{Date, Duration};

use crate::calendar::Calendar;
use crate::case::Excused;
use crate::dice::Dice;

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Issued and archived.
    Sound,
    Refused,
    Rejected,
    Terminated,
    Withdrawn,
    Corrected,
    Revoked,
}

impl Fate {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        match dice.below(10_000) {
            0..90 => Fate::Refused,
            90..130 => Fate::Rejected,
            130..210 => Fate::Terminated,
            210..250 => Fate::Withdrawn,
            250..275 => Fate::Corrected,
            275..280 => Fate::Revoked,
            _ => Fate::Sound,
        }
    }
}

/// Grounds of refusal or rejection with rough weights.
const REASONS: [(ReasonCode, u32); 13] = [
    (ReasonCode::NoCapacity, 12),
    (ReasonCode::NoInterest, 10),
    (ReasonCode::TechnicalAppraisal, 3),
    (ReasonCode::Dispute, 15),
    (ReasonCode::Falsehood, 12),
    (ReasonCode::InsufficientProof, 22),
    (ReasonCode::UntrueOrUnlawful, 8),
    (ReasonCode::AgainstMorals, 1),
    (ReasonCode::FeeUnpaid, 3),
    (ReasonCode::OutsideScope, 4),
    (ReasonCode::OutsidePracticeArea, 6),
    (ReasonCode::AcceptedElsewhere, 2),
    (ReasonCode::Other, 2),
];

/// Working days from acceptance to issuance, without the excused ones (公证法 art. 30).
pub(crate) const LIMIT: usize = 15;

/// A case's events in order; what lies in the future has not happened yet.
#[derive(Debug)]
pub(crate) struct Timeline {
    events: Vec<(Date, CaseState)>,
    pub(crate) reason: Option<ReasonCode>,
    pub(crate) excused: Option<Excused>,
    /// Its certificate takes longer than the law allows.
    pub(crate) late: bool,
}

/// What has become of a case by some date.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) state: CaseState,
    pub(crate) accepted_on: Option<Date>,
    pub(crate) approved_on: Option<Date>,
    pub(crate) issued_on: Option<Date>,
    pub(crate) closed_on: Option<Date>,
    pub(crate) last_on: Date,
    /// Events so far, the application included.
    pub(crate) events: usize,
}

impl Timeline {
    /// The life of a case applied for on the calendar's working day `applied`.
    pub(crate) fn draw(dice: &mut Dice, calendar: &Calendar, applied: usize, fate: Fate) -> Self {
        let accepted = applied + [0, 0, 0, 0, 0, 0, 1, 1, 2, 3][dice.below(10) as usize];
        let handling = handling_days(dice);
        let issued = accepted + handling;
        let late = calendar.day(issued) + Duration::days(i64::from(dice.between(25, 95)));
        let early_end = accepted + dice.between(2, 20) as usize;
        let soon = applied + dice.between(1, 4) as usize;
        let reason = REASONS[dice.weighted(REASONS.iter().map(|(_, weight)| *weight))].0;
        let after = Duration::days(i64::from(dice.between(6, 120)));
        let excuse = excuse(dice, calendar, accepted, handling);
        let excused = excuse.map_or(0, |excuse| {
            calendar.working_days(excuse.first_on, excuse.last_on)
        });

        use CaseState::*;
        let day = |index| calendar.day(index);
        let mut events = vec![(day(applied), Applied)];
        let begun = [(day(accepted), Accepted), (day(accepted + 1), UnderReview)];
        let done = [
            (day(issued - 1).max(day(accepted + 1)), Approved),
            (day(issued), Issued),
        ];
        match fate {
            Fate::Refused => events.push((day(soon), Refused)),
            Fate::Withdrawn => events.push((day(soon), Withdrawn)),
            Fate::Rejected | Fate::Terminated => {
                events.extend(begun);
                events.push((
                    day(early_end),
                    if fate == Fate::Rejected {
                        Rejected
                    } else {
                        Terminated
                    },
                ));
            }
            Fate::Sound | Fate::Corrected | Fate::Revoked => {
                events.extend(begun);
                events.extend(done);
                events.push((late, Archived));
                match fate {
                    Fate::Corrected => events.push((late + after, Corrected)),
                    Fate::Revoked => events.push((late + after, Revoked)),
                    _ => {}
                }
            }
        }
        Self {
            events,
            reason: matches!(fate, Fate::Refused | Fate::Rejected).then_some(reason),
            excused: matches!(fate, Fate::Sound | Fate::Corrected | Fate::Revoked)
                .then_some(excuse)
                .flatten(),
            late: handling > LIMIT + excused,
        }
    }

    pub(crate) fn standing(&self, on: Date) -> Standing {
        let happened = self.events.partition_point(|(day, _)| *day <= on).max(1);
        let so_far = &self.events[..happened];
        let (last_on, state) = so_far[happened - 1];
        let day_of = |wanted| {
            so_far
                .iter()
                .find(|(_, state)| *state == wanted)
                .map(|(day, _)| *day)
        };
        use CaseState::*;
        Standing {
            state,
            accepted_on: day_of(Accepted),
            approved_on: day_of(Approved),
            issued_on: day_of(Issued),
            closed_on: matches!(
                state,
                Refused | Rejected | Terminated | Corrected | Revoked | Withdrawn
            )
            .then_some(last_on),
            last_on,
            events: happened,
        }
    }
}

/// Working days from acceptance to issuance; about 7 % take longer than the 15 of 公证法 art. 30.
fn handling_days(dice: &mut Dice) -> usize {
    let (low, high) = match dice.below(100) {
        0..30 => (2, 4),
        30..70 => (4, 8),
        70..93 => (9, 15),
        93..98 => (16, 25),
        _ => (26, 60),
    };
    dice.between(low, high) as usize
}

/// Two of three late cases, and a few others, had days that do not count.
fn excuse(
    dice: &mut Dice,
    calendar: &Calendar,
    accepted: usize,
    handling: usize,
) -> Option<Excused> {
    let wanted = dice.chance(if handling > 15 { 6_600 } else { 200 });
    let reason = match dice.below(100) {
        0..5 => ExcuseReason::ForceMajeure,
        5..60 => ExcuseReason::SupplementingMaterial,
        _ => ExcuseReason::Verification,
    };
    let first = accepted + 1;
    let last = first + handling.saturating_sub(dice.between(3, 12) as usize);
    (wanted && handling > 3).then(|| Excused {
        first_on: calendar.day(first),
        last_on: calendar.day(last.min(accepted + handling)),
        reason,
    })
}
