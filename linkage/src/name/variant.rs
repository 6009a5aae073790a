//! Simplified, traditional and variant characters: one standard form for each.

use super::table::{Table, padded, unpadded};

static VARIANTS: Table<9> = Table::new(include_bytes!("../../data/variant.txt"));

/// The character of the Table of General Standard Chinese Characters (通用规范汉字表, 2013) that `c` is a traditional
/// or variant form of; `c` itself when it is in that table or has no such form. Characters of the table stay apart
/// even when one was once written for the other (喆 and 哲, 堃 and 坤): people bear both.
///
/// ```
/// # use linkage::name::standard_form;
/// assert_eq!("張鍾國".chars().map(standard_form).collect::<String>(), "张钟国");
/// assert_eq!(standard_form('喆'), '喆');
/// assert_eq!(standard_form('A'), 'A');
/// ```
#[must_use]
pub fn standard_form(c: char) -> char {
    // Below the first Han block nothing has a variant.
    if c < '\u{3400}' {
        return c;
    }
    VARIANTS.find(&padded(c)).and_then(unpadded).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_form_is_its_own() {
        for line in VARIANTS.lines() {
            let mut pair = line.split_whitespace().flat_map(str::chars);
            let (Some(variant), Some(standard)) = (pair.next(), pair.next()) else {
                panic!("{line}");
            };
            assert_eq!(standard_form(variant), standard);
            assert_eq!(standard_form(standard), standard, "{line}");
        }
    }

    #[test]
    fn names_in_either_script_are_one() {
        for (traditional, standard) in [
            ("張偉強", "张伟强"),
            ("劉國華", "刘国华"),
            ("陳靜", "陈静"),
            ("葉呂蘇", "叶吕苏"),
            ("蕭麗艷", "萧丽艳"),
            ("閻峯", "阎峰"),
        ] {
            let folded: String = traditional.chars().map(standard_form).collect();
            assert_eq!(folded, standard);
        }
    }
}
