//! One form for every way of writing a name.

use unicode_normalization::UnicodeNormalization;

use crate::text::{is_han, is_invisible, is_middle_dot};

/// The form in which names are compared: compatibility forms folded (NFKC: full-width letters and brackets,
/// compatibility ideographs), upper case, every middle dot `·`, no spaces next to Han characters, dots or brackets,
/// single spaces elsewhere, no invisible or control characters. Characters themselves stay: simplified and
/// traditional forms are different names here.
#[must_use]
pub fn normalise(name: &str) -> String {
    // Upper-casing can undo a composition (ΐ) and composition can follow it; NFKC on both sides settles it.
    let visible = name
        .nfkc()
        .filter(|&c| !is_invisible(c) && (!c.is_control() || c.is_whitespace()));
    let upper: String = visible.flat_map(char::to_uppercase).collect();
    let mut normalised = String::with_capacity(upper.len());
    let mut space = false;
    for c in upper.nfkc().map(|c| if is_middle_dot(c) { '·' } else { c }) {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if space
            && normalised
                .chars()
                .next_back()
                .is_some_and(|last| !is_tight(last))
            && !is_tight(c)
        {
            normalised.push(' ');
        }
        normalised.push(c);
        space = false;
    }
    normalised
}

/// Characters that no space belongs beside.
fn is_tight(c: char) -> bool {
    is_han(c) || matches!(c, '·' | '(' | ')')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_of_writing_a_name_is_one() {
        for (name, normalised) in [
            ("张三", "张三"),
            (" 张　三 ", "张三"),
            ("张\u{200B}三\u{FEFF}", "张三"),
            ("买买提•艾力", "买买提·艾力"),
            ("买买提 ・ 艾力", "买买提·艾力"),
            ("Ｊｏｈｎ　 smith", "JOHN SMITH"),
            ("杭州某某公司（有限合伙）", "杭州某某公司(有限合伙)"),
            ("\u{F9E1}四", "李四"),
            ("", ""),
        ] {
            assert_eq!(normalise(name), normalised, "{name}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(
            name in prop_oneof![any::<String>(), "[\\p{Han}A-Za-zａ-ｚ·•（）()\\s\u{200B}\u{301}ΐŉß]{0,16}"],
        ) {
            let once = normalise(&name);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn spaces_and_widths_do_not_matter_between_han(name in "[一-龥]{2,4}", gap in "[ 　\u{200B}]{0,3}") {
            let spaced: Vec<_> = name.chars().map(String::from).collect();
            prop_assert_eq!(normalise(&spaced.join(&gap)), normalise(&name));
        }
    }
}
