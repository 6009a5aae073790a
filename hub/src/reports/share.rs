//! Shares of a number that is not told itself, but that readers know in part: the summands that are shown.
//!
//! A share to many digits names what it is divided by, and with it the summands that are left out. So it is told in whole
//! percents, and only where that fits every size that the number may have.

use super::column::SMALL;

/// What readers know of the number that a share is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Every summand is told.
    Told,
    /// Some are left out; with one of each of them it comes to so many, and may be more.
    AtLeast(i64),
}

/// The share in whole percents: `None` where it would tell readers of how many it is. The part that is not counted in
/// it, and of what is counted as well, is none or not small.
pub(super) fn told(part: i64, whole: i64, size: Size) -> Option<f64> {
    let percent = percent(part, whole);
    let is_open = match size {
        Size::Told => true,
        Size::AtLeast(least) => (least..=whole * 2).all(|whole| fits(percent, whole)),
    };
    is_open.then_some(percent as f64 / 100.0)
}

fn percent(part: i64, whole: i64) -> i64 {
    (part * 200 + whole).div_euclid(whole * 2)
}

/// Whether anything that may be told is this share of so many.
fn fits(percent: i64, whole: i64) -> bool {
    let at_least = |percent_twice: i64| -(-whole * percent_twice).div_euclid(200);
    let first = at_least(percent * 2 - 1).max(0);
    let last = (at_least(percent * 2 + 1) - 1).min(whole);
    (first..=last).any(|part| may_be_told(part, whole))
}

fn may_be_told(part: i64, whole: i64) -> bool {
    let others = whole - part;
    others == 0 || (others > SMALL && (part == 0 || part > SMALL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_number_that_is_known_is_told() {
        assert_eq!(told(3, 7, Size::Told), Some(0.43));
        assert_eq!(told(0, 2, Size::Told), Some(0.0));
        assert_eq!(
            told(1, 200, Size::Told),
            Some(0.01),
            "half a percent is one"
        );
    }

    #[test]
    fn a_share_that_only_some_numbers_have_is_not_told() {
        // 6 of 7 are 86 in a hundred; of 8 nothing is.
        assert_eq!(told(6, 7, Size::Told), Some(0.86));
        assert_eq!(told(6, 7, Size::AtLeast(5)), None);
        // Of a hundred and more something is always any share.
        assert_eq!(told(179, 192, Size::AtLeast(190)), Some(0.93));
        assert_eq!(told(190, 190, Size::AtLeast(188)), Some(1.0));
        // 4 in a hundred of 112 are 5, but of 101 they would be 4, which is not told.
        assert_eq!(told(107, 112, Size::AtLeast(101)), None);
    }

    #[test]
    fn one_that_is_left_out_is_not_given_away_by_the_share() {
        // 10 certificates and a refusal, 5 of the 11 with findings: of 12 to 19 nothing is 55 in a hundred.
        assert_eq!(told(6, 11, Size::AtLeast(11)), None);
    }

    #[test]
    fn what_fits_is_what_rounds_to_it() {
        for whole in 1..=120 {
            for percent_told in 0..=100 {
                let parts = (0..=whole).filter(|part| may_be_told(*part, whole));
                let rounds = parts
                    .map(|part| percent(part, whole))
                    .any(|percent| percent == percent_told);
                assert_eq!(
                    fits(percent_told, whole),
                    rounds,
                    "{percent_told} of {whole}"
                );
            }
        }
    }
}
