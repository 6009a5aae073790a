//! Readings of characters in Hanyu Pinyin without tones, several for a polyphone, and those of surnames.

use super::{
    surname,
    table::{Table, padded},
};

static READINGS: Table<23> = Table::new(include_bytes!("../../data/pinyin.txt"));
const LONGEST: usize = 6;

/// One toneless syllable, five bits a letter; zero is none. Packed so that readings are compared as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Syllable(u32);

impl Syllable {
    pub(super) const NONE: Self = Self(0);

    /// From ASCII letters, lower case, six at most; anything else ends it.
    pub(super) fn pack(letters: &[u8]) -> Self {
        Self(
            letters
                .iter()
                .take(LONGEST)
                .take_while(|letter| letter.is_ascii_lowercase())
                .fold(0, |packed, letter| {
                    packed << 5 | u32::from(letter - b'a' + 1)
                }),
        )
    }

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Its letters, first to last.
    pub(super) fn letters(self) -> impl Iterator<Item = u8> {
        (0..LONGEST as u32)
            .rev()
            .map(move |place| (self.0 >> (5 * place) & 31) as u8)
            .filter(|&letter| letter > 0)
            .map(|letter| letter - 1 + b'a')
    }
}

/// Up to three readings, the usual one first.
pub(super) type Readings = [Syllable; 3];

/// Readings of a character in standard form, as part of a given name or word.
pub(super) fn readings(c: char) -> Readings {
    if c < '\u{3400}' {
        return Readings::default();
    }
    READINGS
        .find(&padded(c))
        .map_or_else(Readings::default, |line| {
            std::array::from_fn(|at| Syllable::pack(&line[at * LONGEST..(at + 1) * LONGEST]))
        })
}

/// Readings of a character that begins a name: a surname has its own (曾 zeng, 单 shan, 仇 qiu).
pub(super) fn surname_readings(c: char) -> Readings {
    match surname::readings(c) {
        Some(own) => {
            let mut own = own
                .split(' ')
                .map(|reading| Syllable::pack(reading.as_bytes()));
            std::array::from_fn(|_| own.next().unwrap_or(Syllable::NONE))
        }
        None => readings(c),
    }
}

/// Whether the two have a reading in common.
pub(super) fn sound_alike(a: &Readings, b: &Readings) -> bool {
    a.iter()
        .any(|reading| !reading.is_none() && b.contains(reading))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(readings: Readings) -> Vec<String> {
        readings
            .iter()
            .filter(|reading| !reading.is_none())
            .map(|reading| reading.letters().map(char::from).collect())
            .collect()
    }

    #[test]
    fn polyphones_have_all_their_readings_the_usual_one_first() {
        assert_eq!(spelled(readings('张')), ["zhang"]);
        assert_eq!(spelled(readings('曾')), ["ceng", "zeng"]);
        assert_eq!(spelled(readings('吕')), ["lv"]);
        assert_eq!(spelled(readings('庄')), ["zhuang"]);
        assert!(spelled(readings('A')).is_empty());
    }

    #[test]
    fn surnames_are_read_as_surnames() {
        for (c, reading) in [
            ('曾', "zeng"),
            ('单', "shan"),
            ('仇', "qiu"),
            ('查', "zha"),
            ('解', "xie"),
            ('王', "wang"),
        ] {
            assert_eq!(spelled(surname_readings(c))[0], reading, "{c}");
        }
    }

    #[test]
    fn every_line_holds_a_character_and_a_reading() {
        for line in READINGS.lines() {
            let c = line.chars().next().expect("no line is empty");
            assert!(!readings(c)[0].is_none(), "{line}");
        }
    }
}
