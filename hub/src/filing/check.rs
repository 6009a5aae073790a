//! What types alone cannot say of a body: days, counts and ranges that can be, and nobody's number.

use std::ops::RangeInclusive;

use linkage::long_number;

use super::FilingError;
use super::body::{Body, PaperMovement, Relative};
use super::window::Window;

/// Years of what is filed: typing errors lie beyond, and days that no limit can be counted from.
const YEARS: RangeInclusive<i32> = 1949..=2149;
/// Movements of special paper in one filing.
pub(super) const MOVEMENTS: usize = 2000;
/// Relatives of one notary.
pub(super) const KIN: usize = 200;
/// Largest count that is believed.
pub(super) const MOST: u32 = 10_000_000;

type Checked = Result<(), FilingError>;

impl Body {
    pub(super) fn checked(self) -> Result<Self, FilingError> {
        day(&self)?;
        counts(&self)?;
        period(&self)?;
        match &self {
            Self::SpecialPaper { movements, .. } => paper(movements)?,
            Self::Recusal {
                licence_no,
                kin,
                withdrawn,
            } => {
                is_withdrawn_or_has(*withdrawn, kin)?;
                relatives(licence_no, kin)?;
            }
            Self::Accountability {
                responsible_licence_no,
                ..
            } => responsible(responsible_licence_no)?,
            Self::SelfAssessment { items, .. } => Window::builtin().check(items)?,
            _ => {}
        }
        Ok(self)
    }
}

fn refused(field: &str, expected: &'static str, detail_zh: &'static str) -> Checked {
    Err(FilingError::new(field, expected, detail_zh))
}

fn day(body: &Body) -> Checked {
    match body.happened_on() {
        Some(day) if !YEARS.contains(&day.year()) => refused(
            "detail",
            "a day between 1949 and 2149",
            "日期应在 1949 年至 2149 年之间。",
        ),
        _ => Ok(()),
    }
}

fn counts(body: &Body) -> Checked {
    let counts: &[u32] = match body {
        Body::Satisfaction { asked, answers, .. } => {
            let answered: u64 = answers.iter().map(|count| u64::from(*count)).sum();
            if answered > u64::from(*asked) {
                return refused(
                    "answers",
                    "no more answers than were asked for",
                    "各分值的答卷合计不得多于发放份数。",
                );
            }
            &[*asked]
        }
        Body::QualityFollowUp {
            visited,
            satisfied,
            problems,
            ..
        } => {
            if satisfied > visited || problems > visited {
                return refused(
                    "visited",
                    "no fewer than were satisfied or had problems",
                    "回访件数不得少于满意件数或发现问题件数。",
                );
            }
            &[*visited]
        }
        Body::ServiceCounts {
            legal_aid,
            home_visits,
            fee_waivers,
            ..
        } => &[*legal_aid, *home_visits, *fee_waivers],
        _ => &[],
    };
    match counts.iter().any(|count| *count > MOST) {
        true => refused("detail", "counts up to 10000000", "件数不得超过一千万。"),
        false => Ok(()),
    }
}

fn period(body: &Body) -> Checked {
    match body.period() {
        Some(period) if period.last_day < period.first_day => refused(
            "period",
            "a last day that is not before the first",
            "期间的末日不得早于首日。",
        ),
        _ => Ok(()),
    }
}

fn paper(movements: &[PaperMovement]) -> Checked {
    if !movements.iter().all(is_sound) {
        return refused(
            "movements",
            "series of up to 16 letters or digits and ranges of 0 or more, the last not below the first",
            "字轨为不超过 16 位的字母或数字，止号不得小于起号。",
        );
    }
    match movements.len() > MOVEMENTS {
        true => refused("movements", "up to 2000", "一次最多报送 2000 条收发记录。"),
        false => Ok(()),
    }
}

fn is_sound(movement: &PaperMovement) -> bool {
    let series = movement.series.chars().count() <= 16
        && movement.series.chars().all(char::is_alphanumeric)
        && !long_number::is_in(&movement.series);
    let case = movement.source_case_id.as_deref().is_none_or(is_code);
    series && case && 0 <= movement.first_no && movement.first_no <= movement.last_no
}

fn is_withdrawn_or_has(withdrawn: bool, kin: &[Relative]) -> Checked {
    match kin.is_empty() == withdrawn {
        true => Ok(()),
        false => refused(
            "kin",
            "relatives, or `withdrawn` and none",
            "请填写近亲属；确已没有需回避的近亲属的，请选择撤回申报。",
        ),
    }
}

fn relatives(licence_no: &str, kin: &[Relative]) -> Checked {
    if kin.len() > KIN || !is_licence(licence_no) {
        return refused(
            "licence_no",
            "a notary's licence and up to 200 relatives",
            "请填写公证员执业证号；近亲属不超过 200 人。",
        );
    }
    match kin.iter().all(|relative| relative.token().is_some()) {
        true => Ok(()),
        false => refused(
            "kin",
            "tokens of 32 hexadecimal digits",
            "近亲属的证件号码须在本处转为令牌后报送。",
        ),
    }
}

fn responsible(licence_no: &str) -> Checked {
    match is_licence(licence_no) {
        true => Ok(()),
        false => refused(
            "responsible_licence_no",
            "a notary's licence",
            "请填写责任公证员的执业证号。",
        ),
    }
}

fn is_licence(text: &str) -> bool {
    !text.is_empty() && is_code(text)
}

fn is_code(text: &str) -> bool {
    text.chars().count() <= 64 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filing::FilingKind;

    fn checked(kind: FilingKind, detail: &str) -> Result<Body, FilingError> {
        Body::parse(kind, detail)?.checked()
    }

    #[test]
    fn a_day_that_no_limit_can_follow_is_refused() {
        for day in ["9999-12-31", "9999-12-10", "2150-01-01", "1948-12-31"] {
            let detail = format!(r#"{{"received_on": "{day}"}}"#);
            assert!(checked(FilingKind::Review, &detail).is_err(), "{day}");
        }
        assert!(checked(FilingKind::Review, r#"{"received_on": "2149-12-31"}"#).is_ok());
    }

    #[test]
    fn counts_that_cannot_be_are_refused() {
        let more = r#"{"period": {"first_day": "2024-04-01", "last_day": "2024-06-30"}, "asked": 10, "answers": [0,0,0,0,11]}"#;
        assert_eq!(
            checked(FilingKind::Satisfaction, more)
                .expect_err("too many")
                .field,
            "answers"
        );
        let backwards = r#"{"period": {"first_day": "2024-07-01", "last_day": "2024-06-30"}, "legal_aid": 1, "home_visits": 1, "fee_waivers": 1}"#;
        assert_eq!(
            checked(FilingKind::ServiceCounts, backwards)
                .expect_err("no period")
                .field,
            "period"
        );
    }

    #[test]
    fn a_relative_is_a_token_and_never_a_number() {
        let number = r#"{"licence_no": "N1", "kin": [{"relation": "parent", "token": "11010519491231002X"}]}"#;
        assert_eq!(
            checked(FilingKind::Recusal, number)
                .expect_err("no token")
                .field,
            "kin"
        );
        let token = r#"{"licence_no": "N1", "kin": [{"relation": "parent", "token": "000102030405060708090a0b0c0d0e0f"}]}"#;
        assert!(checked(FilingKind::Recusal, token).is_ok());
    }

    #[test]
    fn relatives_are_taken_back_by_a_withdrawal_alone() {
        for (detail, is_taken) in [
            (r#"{"licence_no": "N1", "kin": []}"#, false),
            (r#"{"licence_no": "N1"}"#, false),
            (
                r#"{"licence_no": "N1", "kin": [], "withdrawn": true}"#,
                true,
            ),
            (
                r#"{"licence_no": "N1", "withdrawn": true, "kin": [{"relation": "parent", "token": "000102030405060708090a0b0c0d0e0f"}]}"#,
                false,
            ),
        ] {
            assert_eq!(
                checked(FilingKind::Recusal, detail).is_ok(),
                is_taken,
                "{detail}"
            );
        }
    }
}
