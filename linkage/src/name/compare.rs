//! How two names differ: the comparison levels of a name.

use super::{
    edit::{differences, is_swap, one_dropped},
    pinyin::sound_alike,
    prepared::{Character, HIDDEN, PreparedName, Script},
    romanised,
    similar::look_alike,
};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// How two names differ, from the least to the most. A pair has exactly one level: the first that holds.
    /// Spaces, dots, hyphens, widths and case are no difference.
    NameLevel, "name_level" {
        /// 张伟 and 张 伟; 买买提·艾力 and 买买提艾力.
        Exact = "exact" "相同",
        /// Simplified, traditional or variant characters: 张国强 and 張國強.
        Variant = "variant" "繁简异体",
        /// One is the other in Hanyu Pinyin: 张伟 and ZHANG Wei, Wei Zhang.
        Romanised = "romanised" "拼音",
        /// One character gives way to another that sounds alike: 张伟 and 章伟, 曾静 and 增静 by the surname's zeng.
        Homophone = "homophone" "同音字",
        /// One character gives way to another that looks alike: 李末 and 李未.
        Similar = "similar" "形近字",
        /// Several characters give way to others that sound alike: 张伟 and 章炜.
        SamePinyin = "same_pinyin" "全名同音",
        /// What is shown agrees, the rest is hidden: 张*, 张○丰, 张某某 and 张三丰.
        Masked = "masked" "脱敏",
        /// Two neighbours or the words change places: 张国强 and 张强国, JOHN SMITH and SMITH JOHN.
        Reordered = "reordered" "顺序颠倒",
        /// One character more or less: 张国强 and 张强. Names of three characters, or five letters, and more.
        Dropped = "dropped" "多或少一字",
        /// One character is another: 张国强 and 张国栋. Names of three characters, or five letters, and more.
        Replaced = "replaced" "一字不同",
        /// Nothing but the surname, or a word, agrees: 张伟 and 张国强.
        Surname = "surname" "仅姓相同",
        /// 张伟 and 李强.
        Different = "different" "不同",
    }
}

/// Letters below which one edit makes another name rather than a slip: ANNA and ANNE.
const LEAST_LETTERS: usize = 5;
/// Characters below which leaving or changing one leaves no name to speak of.
const LEAST_HAN: usize = 3;

impl PreparedName {
    /// How the two differ; `None` when there is nothing to compare. It does not matter which comes first.
    ///
    /// ```
    /// use linkage::name::{NameLevel, PreparedName};
    ///
    /// let level = |a, b| PreparedName::new(a).compare(&PreparedName::new(b));
    /// assert_eq!(level("张伟", "張　偉"), Some(NameLevel::Variant));
    /// assert_eq!(level("张伟", "章伟"), Some(NameLevel::Homophone));
    /// assert_eq!(level("张伟", "Wei Zhang"), Some(NameLevel::Romanised));
    /// assert_eq!(level("张伟", ""), None);
    /// ```
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<NameLevel> {
        if self.is_missing() || other.is_missing() {
            return None;
        }
        Some(if self.0.is_masked || other.0.is_masked {
            compare_masked(&self.0.characters, &other.0.characters)
        } else if self.agrees_by(other, |character| character.written) {
            NameLevel::Exact
        } else if self.agrees_by(other, |character| character.standard) {
            NameLevel::Variant
        } else {
            self.compare_different(other)
        })
    }

    fn agrees_by(&self, other: &Self, by: fn(&Character) -> char) -> bool {
        self.0.characters.len() == other.0.characters.len()
            && self
                .0
                .characters
                .iter()
                .map(by)
                .eq(other.0.characters.iter().map(by))
    }

    fn compare_different(&self, other: &Self) -> NameLevel {
        match (self.0.script, other.0.script) {
            (Script::Han, Script::Latin) if romanised::spells(self, other) => NameLevel::Romanised,
            (Script::Latin, Script::Han) if romanised::spells(other, self) => NameLevel::Romanised,
            (Script::Han, Script::Latin) | (Script::Latin, Script::Han) => NameLevel::Different,
            (Script::Han, Script::Han) => self.compare_in_one_script(other, LEAST_HAN),
            _ => self.compare_in_one_script(other, LEAST_LETTERS),
        }
    }

    fn compare_in_one_script(&self, other: &Self, least: usize) -> NameLevel {
        let (a, b) = (&*self.0.characters, &*other.0.characters);
        if !self.0.words.is_empty() && self.0.words == other.0.words {
            return NameLevel::Reordered;
        }
        if a.len() == b.len() {
            if let Some(level) = compare_equally_long(a, b, least) {
                return level;
            }
        } else if a.len().max(b.len()) >= least && one_dropped(a, b) {
            return NameLevel::Dropped;
        }
        if self.has_surname_of(other) {
            NameLevel::Surname
        } else {
            NameLevel::Different
        }
    }

    /// The same surname, or for names of several words one in common.
    fn has_surname_of(&self, other: &Self) -> bool {
        if self.0.script == Script::Han && other.0.script == Script::Han {
            let surname = |name: &Self| {
                let len = usize::from(name.0.surname_len);
                name.0.characters[..len]
                    .iter()
                    .map(|c| c.standard)
                    .fold(0_u64, |all, c| all << 32 | u64::from(c as u32))
            };
            return surname(self) == surname(other);
        }
        self.0.words.iter().any(|word| other.0.words.contains(word))
    }
}

/// Slips of names of equal length; `None` when they differ by more.
fn compare_equally_long(a: &[Character], b: &[Character], least: usize) -> Option<NameLevel> {
    let found = differences(a, b);
    let sounds_alike = a[found.first..=found.last]
        .iter()
        .zip(&b[found.first..=found.last])
        .all(|(a, b)| a.standard == b.standard || sound_alike(&a.readings, &b.readings));
    let (one, other) = (a[found.first].standard, b[found.first].standard);
    match found.count {
        1 if sounds_alike => Some(NameLevel::Homophone),
        1 if look_alike(one, other) => Some(NameLevel::Similar),
        1 if a.len() >= least => Some(NameLevel::Replaced),
        2 if is_swap(a, b, found) => Some(NameLevel::Reordered),
        2.. if sounds_alike => Some(NameLevel::SamePinyin),
        _ => None,
    }
}

/// A hidden character agrees with any, one hidden at the end with any number of them; something shown must agree.
fn compare_masked(a: &[Character], b: &[Character]) -> NameLevel {
    let shown = |name: &[Character]| {
        name.iter()
            .rposition(|c| c.standard != HIDDEN)
            .map_or(0, |last| last + 1)
    };
    let open = |name: &[Character]| shown(name) < name.len();
    let fits =
        a.len() == b.len() || (a.len() < b.len() && open(a)) || (b.len() < a.len() && open(b));
    let pairs = || a.iter().zip(b).map(|(a, b)| (a.standard, b.standard));
    let agrees = pairs().all(|(a, b)| a == b || a == HIDDEN || b == HIDDEN);
    let any_shown = pairs().any(|(a, b)| a == b && a != HIDDEN);
    if fits && agrees && any_shown {
        NameLevel::Masked
    } else if pairs().next().is_some_and(|(a, b)| a == b && a != HIDDEN) {
        NameLevel::Surname
    } else {
        NameLevel::Different
    }
}
