//! Characters that look alike: what a hurried eye, a scan or a stroke-based input method takes for one another.

use super::table::{Table, padded};

static PAIRS: Table<9> = Table::new(include_bytes!("../../data/similar.txt"));

/// Whether two different characters look alike: one part apart in their Cangjie decomposition, of like outline
/// (four-corner code) and of nearly as many strokes, or one of the pairs that dictation exercises are made of.
///
/// ```
/// # use linkage::name::look_alike;
/// assert!(look_alike('末', '未') && look_alike('浩', '洁'));
/// assert!(!look_alike('张', '王') && !look_alike('张', '张'));
/// ```
#[must_use]
pub fn look_alike(a: char, b: char) -> bool {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let mut key = [0; 8];
    key[..4].copy_from_slice(&padded(low));
    key[4..].copy_from_slice(&padded(high));
    PAIRS.find(&key).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::standard_form;

    #[test]
    fn every_pair_is_found_from_either_side() {
        for line in PAIRS.lines() {
            let pair: Vec<char> = line.split_whitespace().flat_map(str::chars).collect();
            assert_eq!(pair.len(), 2, "{line}");
            assert!(pair[0] < pair[1], "{line}");
            assert!(look_alike(pair[0], pair[1]) && look_alike(pair[1], pair[0]));
        }
    }

    #[test]
    fn well_known_pairs_look_alike_and_strangers_do_not() {
        for (a, b) in [
            ('己', '巳'),
            ('戊', '戌'),
            ('晴', '睛'),
            ('婷', '停'),
            ('洋', '样'),
            ('玮', '炜'),
        ] {
            assert!(look_alike(a, b), "{a}{b}");
        }
        for (a, b) in [('伟', '强'), ('张', '李'), ('芳', '国')] {
            assert!(!look_alike(a, b), "{a}{b}");
        }
        assert_eq!(standard_form('未'), '未');
    }
}
