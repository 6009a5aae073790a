//! Document numbers, made from a number that is unique in the city, so that no two documents collide.
use linkage::vocabulary::Sex;
use time::Date;

use crate::dice::shuffle;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// Resident ID, GB 11643: area, birth date, order number (odd = male), check digit.
/// `half_order` < 500 is the order number without its parity.
pub(crate) fn resident_id(area: &str, birth_on: Date, half_order: u32, sex: Sex) -> String {
    let order = half_order * 2 + u32::from(sex == Sex::Male);
    let mut number = format!(
        "{area}{:04}{:02}{:02}{order:03}",
        birth_on.year(),
        u8::from(birth_on.month()),
        birth_on.day()
    );
    number.push(check_digit(&number));
    number
}

fn check_digit(body: &str) -> char {
    let sum: u32 = body
        .bytes()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    char::from(CHECKS[(sum % 11) as usize])
}

/// The number with its last character replaced by another that cannot be right.
pub(crate) fn with_bad_check(number: &str) -> String {
    let mut wrong = number.to_owned();
    let last = wrong.pop().expect("a document number is not empty");
    let other = match last {
        'X' => '0',
        '9' => '3',
        digit @ '0'..='8' => char::from(digit as u8 + 1),
        _ => '0',
    };
    wrong.push(other);
    wrong
}

/// The number with its third last character, an order digit of a resident ID, replaced by its neighbour: one
/// wrong character always fails both standards' checks.
pub(crate) fn mistyped(number: &str) -> String {
    let at = number.len() - 3;
    let wrong = match number.as_bytes()[at] {
        b'9' => '8',
        digit @ b'0'..=b'8' => char::from(digit + 1),
        _ => '0',
    };
    format!("{}{wrong}{}", &number[..at], &number[at + 1..])
}

/// The 15-digit form in use until 1999; only for births of the twentieth century.
pub(crate) fn legacy(number: &str) -> Option<String> {
    (number.len() == 18 && &number[6..8] == "19")
        .then(|| format!("{}{}", &number[..6], &number[8..17]))
}

/// The number in full-width digits.
pub(crate) fn full_width(number: &str) -> String {
    number
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() {
                char::from_u32(c as u32 + 0xFEE0).unwrap_or(c)
            } else {
                c
            }
        })
        .collect()
}

/// The number in groups, as people read it aloud.
pub(crate) fn grouped(number: &str) -> String {
    match number.len() {
        18 => format!("{} {} {}", &number[..6], &number[6..14], &number[14..]),
        _ => format!(" {number} "),
    }
}

/// 港澳居民来往内地通行证: H or M and eight digits. `serial` < 10^8.
pub(crate) fn hong_kong_macao_permit(serial: u64) -> String {
    let letter = if serial.is_multiple_of(5) { 'M' } else { 'H' };
    format!("{letter}{:08}", shuffle(serial, 100_000_000))
}

/// 台湾居民来往大陆通行证: eight digits. `serial` < 10^8.
pub(crate) fn taiwan_permit(serial: u64) -> String {
    format!("{:08}", shuffle(serial, 100_000_000))
}

/// A passport number of two letters and seven digits. `serial` < 10^7.
pub(crate) fn passport(serial: u64) -> String {
    format!("EK{:07}", shuffle(serial, 10_000_000))
}

/// A passport of a citizen, of another series than the foreigners' here. `serial` < 10^7.
pub(crate) fn own_passport(serial: u64) -> String {
    format!("EJ{:07}", shuffle(serial, 10_000_000))
}

const CREDIT: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// 统一社会信用代码, GB 32100: 91 (market regulation, company), area, organisation code, check character.
/// `serial` < 10^6.
pub(crate) fn credit_code(area: &str, serial: u64) -> String {
    let organisation = format!("MA{:06}", shuffle(serial, 1_000_000));
    // GB 11714: letters count from A = 10.
    let sum: u32 = organisation
        .chars()
        .zip(ORGANISATION_WEIGHTS)
        .map(|(c, weight)| c.to_digit(36).expect("letters and digits only") * weight)
        .sum();
    let organisation_check = match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from(b'0' + digit as u8),
    };
    let mut code = format!("91{area}{organisation}{organisation_check}");
    let mut weight = 1;
    let mut sum = 0;
    for byte in code.bytes() {
        let value = CREDIT
            .iter()
            .position(|c| *c == byte)
            .expect("no other characters are in it") as u32;
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    code.push(char::from(CREDIT[((31 - sum % 31) % 31) as usize]));
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    /// The example of GB 11643-1999.
    #[test]
    fn the_standards_example_comes_out() {
        assert_eq!(
            resident_id("110105", date!(1949 - 12 - 31), 1, Sex::Female),
            "11010519491231002X"
        );
    }

    #[test]
    fn a_legacy_number_has_no_century_and_no_check() {
        assert_eq!(
            legacy("11010519491231002X").as_deref(),
            Some("110105491231002")
        );
        assert_eq!(legacy("330106200501010015"), None);
    }
}
