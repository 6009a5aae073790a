//! The shape of a value that must not be shown: what a reject says instead of the value.

use crate::text::is_han;

/// Longest shape, in characters.
pub const MAX_CHARS: usize = 64;

/// Each digit as `9`, each Han character as `汉`, each other letter as `A`, control characters as `�`; punctuation
/// and spaces stay. A value longer than [`MAX_CHARS`] is cut.
#[must_use]
pub fn of(value: &str) -> String {
    value.chars().take(MAX_CHARS).map(shape_of).collect()
}

fn shape_of(c: char) -> char {
    if is_han(c) {
        '汉'
    } else if c.is_numeric() {
        '9'
    } else if c.is_alphabetic() {
        'A'
    } else if c.is_control() {
        '\u{FFFD}'
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shape_keeps_the_form_and_hides_the_value() {
        assert_eq!(of("2024-13-01"), "9999-99-99");
        assert_eq!(of("33010619900307881x"), "99999999999999999A");
        assert_eq!(of("张三 Zhang,１２\r\n"), "汉汉 AAAAA,99\u{FFFD}\u{FFFD}");
        assert_eq!(of(&"7".repeat(1000)), "9".repeat(64));
        assert_eq!(of(""), "");
    }

    proptest! {
        #[test]
        fn no_letter_or_digit_of_the_value_survives(value in any::<String>()) {
            let shape = of(&value);
            prop_assert!(shape.chars().count() <= MAX_CHARS);
            prop_assert!(shape.chars().all(|c| matches!(c, '9' | 'A' | '汉') || !c.is_alphanumeric()));
            prop_assert!(!shape.contains(char::is_control));
            prop_assert_eq!(of(&shape), shape);
        }
    }
}
