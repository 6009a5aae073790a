//! Romanised names: 张伟 as ZHANG WEI, Wei Zhang or ZHANGWEI.

use super::{
    pinyin::{Readings, Syllable},
    prepared::PreparedName,
};

/// Whether `latin` spells `han` in Hanyu Pinyin, with the surname first or last. Polyphones may take any of their
/// readings; ü is V, U or YU, as passports of different years have it.
pub(super) fn spells(han: &PreparedName, latin: &PreparedName) -> bool {
    let surname = usize::from(han.0.surname_len);
    let readings =
        |range: std::ops::Range<usize>| han.0.characters[range].iter().map(|c| &c.readings);
    let len = han.0.characters.len();
    let mut letters = [0; super::prepared::MAX_CHARS];
    for (to, from) in letters.iter_mut().zip(&latin.0.characters) {
        // The script is Latin: nothing but A to Z.
        *to = (from.standard as u8).to_ascii_lowercase();
    }
    let letters = &letters[..latin.0.characters.len()];
    let surname = surname.min(len);
    spelled(letters, readings(0..len))
        || spelled(letters, readings(surname..len).chain(readings(0..surname)))
}

/// Whether the letters are the readings one after another, nothing left over.
fn spelled<'a>(letters: &[u8], mut of: impl Iterator<Item = &'a Readings> + Clone) -> bool {
    let Some(readings) = of.next() else {
        return letters.is_empty();
    };
    readings
        .iter()
        .filter(|reading| !reading.is_none())
        .any(|reading| {
            [b"v".as_slice(), b"u", b"yu"].iter().any(|umlaut| {
                strip(letters, *reading, umlaut).is_some_and(|rest| spelled(rest, of.clone()))
            })
        })
}

/// What follows the reading at the beginning of the letters, ü being written as `umlaut`.
fn strip<'a>(mut letters: &'a [u8], reading: Syllable, umlaut: &[u8]) -> Option<&'a [u8]> {
    let mut has_umlaut = false;
    for letter in reading.letters() {
        let written = if letter == b'v' { umlaut } else { &[letter] };
        has_umlaut |= letter == b'v';
        letters = letters.strip_prefix(written)?;
    }
    // A reading without ü is tried once.
    (has_umlaut || umlaut == b"v").then_some(letters)
}
