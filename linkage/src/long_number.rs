//! What people write that could be somebody's number: a text that leaves an office must not hold one.

/// Digits in a row that could be a phone or a document number; a day, a case number's year and serial are shorter.
const DIGITS: usize = 11;

/// Whether a text holds so many digits in a row, however wide they are and whatever separates them.
#[must_use]
pub fn is_in(text: &str) -> bool {
    let mut row = 0;
    for c in text.chars().filter(|c| !is_separator(*c)) {
        row = if c.is_numeric() { row + 1 } else { 0 };
        if row >= DIGITS {
            return true;
        }
    }
    false
}

/// What people write between the digits of a number.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '－' | '·' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_seen_however_they_are_written() {
        for text in [
            "身份证 11010519491231002X",
            "电话１３８００００００００",
            "138 0000-0000",
        ] {
            assert!(is_in(text), "{text}");
        }
    }

    #[test]
    fn days_case_numbers_and_amounts_are_none() {
        for text in [
            "见（2024）浙杭证民字第1234号，2024-06-03受理",
            "自2024-06-03至2024-06-05，标的额120000000元",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }
}
