//! 港澳台居民居住证 (2018): the 18 characters of GB 11643 with area 810000 for Hong Kong, 820000 for Macao and
//! 830000 for Taiwan.

use super::{Checked, IdentifierError, resident_id::check_eighteen};

pub(super) fn check(number: &str) -> Result<Checked, IdentifierError> {
    check_eighteen(number, |area| matches!(area, 810_000 | 820_000 | 830_000))
}
