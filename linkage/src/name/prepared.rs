//! A name made ready for comparison once, so that millions of comparisons allocate nothing.

use std::sync::Arc;

use super::{
    normalise,
    pinyin::{self, Readings, Syllable},
    surname,
    variant::standard_form,
};
use crate::text::{fingerprint, is_dash, is_han};

/// Characters of a name that take part in comparison: no name is longer, and a pasted page stays cheap.
pub const MAX_CHARS: usize = 64;

/// What a hidden character is prepared as, however the office wrote it.
pub(super) const HIDDEN: char = '*';

/// One character of a prepared name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Character {
    pub(super) written: char,
    pub(super) standard: char,
    pub(super) readings: Readings,
}

impl Character {
    const HIDDEN: Self = Self {
        written: HIDDEN,
        standard: HIDDEN,
        readings: [Syllable::NONE; 3],
    };
}

/// In which script a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Han,
    /// ASCII letters only.
    Latin,
    /// Anything else, mixtures included.
    Other,
}

/// A name ready for comparison: normalised, without spaces, dots and hyphens, each character with its standard form
/// and readings. A clone shares it: many mentions bear one name. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedName(pub(super) Arc<Parts>);

/// What a name is prepared as.
#[derive(PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) characters: Box<[Character]>,
    /// Fingerprints of its words in ascending order; none for a name of one word.
    pub(super) words: Box<[u32]>,
    /// Of the standard form.
    fingerprint: u64,
    fingerprints: Fingerprints,
    pub(super) script: Script,
    pub(super) is_masked: bool,
    pub(super) surname_len: u8,
}

impl PreparedName {
    /// Prepares a name as an office wrote it; a blank one is prepared as a name that is missing.
    #[must_use]
    pub fn new(name: &str) -> Self {
        // Normalising may lengthen a text; the cut before it bounds the work, the cut after it the result.
        let cut: String = name.chars().take(4 * MAX_CHARS).collect();
        let name = normalise(&cut);
        let words = name
            .split(is_break)
            .filter(|word| !word.is_empty())
            .map(|word| word.chars().map(standard_form).fold(FNV_BASIS, fnv))
            .collect();
        let characters = without_breaks(&name)
            .chars()
            .take(MAX_CHARS)
            .map(|c| {
                let standard = standard_form(c);
                if is_mask(standard) {
                    return Character::HIDDEN;
                }
                Character {
                    written: c,
                    standard,
                    readings: pinyin::readings(standard),
                }
            })
            .collect();
        Self::of(characters, words)
    }

    fn of(mut characters: Vec<Character>, mut words: Vec<u32>) -> Self {
        hide_x(&mut characters);
        words.sort_unstable();
        let script = script(&characters);
        let standard = |at: usize| characters.get(at).map(|character| character.standard);
        let surname_len = standard(0).map_or(0, |first| surname::length(first, standard(1)));
        if let (Script::Han, Some(first)) = (script, characters.first_mut()) {
            first.readings = pinyin::surname_readings(first.standard);
        }
        let standard_form: String = characters.iter().map(|c| c.standard).collect();
        Self(Arc::new(Parts {
            fingerprint: fingerprint(&[standard_form.as_bytes()]),
            fingerprints: Fingerprints::of(&characters),
            is_masked: characters
                .iter()
                .any(|character| character.standard == HIDDEN),
            surname_len: u8::try_from(surname_len).unwrap_or(1),
            script,
            words: if words.len() > 1 {
                words.into()
            } else {
                Box::default()
            },
            characters: characters.into(),
        }))
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.0.characters.is_empty()
    }

    /// The name in standard characters without spaces and dots: equal for every way of writing it. Its frequency
    /// is what the term-frequency adjustment asks for.
    #[must_use]
    pub fn standard(&self) -> String {
        self.0
            .characters
            .iter()
            .map(|character| character.standard)
            .collect()
    }

    /// Fingerprint of the standard form, under which a name's share is kept.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.0.fingerprint
    }

    /// Whether some of its characters are hidden (张*, 李某某).
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.0.is_masked
    }

    /// Its characters as written, masks as `*`.
    pub fn written(&self) -> impl ExactSizeIterator<Item = char> + '_ {
        self.0.characters.iter().map(|character| character.written)
    }

    /// A Chinese name in Hanyu Pinyin, surname first, each character by its usual reading: `ZHANG GUOQIANG`. `None`
    /// for a name in another script and where a character has no known reading.
    #[must_use]
    pub fn romanised(&self) -> Option<String> {
        let known = self
            .0
            .characters
            .iter()
            .all(|character| !character.readings[0].is_none());
        if self.0.script != Script::Han || self.0.characters.is_empty() || !known {
            return None;
        }
        let mut name = String::new();
        for (at, character) in self.0.characters.iter().enumerate() {
            if at > 0 && at == usize::from(self.0.surname_len) {
                name.push(' ');
            }
            name.extend(
                character.readings[0]
                    .letters()
                    .map(|letter| char::from(letter.to_ascii_uppercase())),
            );
        }
        Some(name)
    }

    /// What blocking asks of it.
    pub(crate) fn fingerprints(&self) -> &Fingerprints {
        &self.0.fingerprints
    }
}

/// Fingerprints of a name, made with it: blocking asks for them again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprints {
    /// The standard form.
    pub(crate) standard: u32,
    /// The letters it is pronounced with, the same for 张伟, 章炜, ZHANG WEI and WEI ZHANG: a sum over syllables or
    /// letters, which no order changes.
    pub(crate) sound: u32,
    /// How the surname, or a first word, begins to sound.
    pub(crate) surname: u32,
    /// How the last character sounds.
    pub(crate) last: u32,
}

impl Fingerprints {
    fn of(characters: &[Character]) -> Self {
        let letters =
            |sum: u32, letter: u8| sum.wrapping_add(SPREAD.wrapping_pow(u32::from(letter)));
        let sound = |sum: u32, character: &Character| match character.readings[0] {
            Syllable::NONE => sum.wrapping_add(match character.standard {
                c @ 'A'..='Z' => SPREAD.wrapping_pow(u32::from(c as u8 | 0x20)),
                c => fnv(FNV_BASIS, c),
            }),
            reading => reading.letters().fold(sum, letters),
        };
        Self {
            standard: characters
                .iter()
                .fold(FNV_BASIS, |hash, character| fnv(hash, character.standard)),
            sound: characters.iter().fold(0, sound),
            surname: characters.first().map_or(0, character_fingerprint),
            last: characters.last().map_or(0, character_fingerprint),
        }
    }
}

impl std::fmt::Debug for PreparedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedName")
            .field("script", &self.0.script)
            .finish_non_exhaustive()
    }
}

const FNV_BASIS: u32 = 0x811c_9dc5;
/// Odd, so that its powers differ for all letters.
const SPREAD: u32 = 0x9e37_79b1;

fn fnv(hash: u32, c: char) -> u32 {
    (c as u32).to_be_bytes().iter().fold(hash, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

fn character_fingerprint(character: &Character) -> u32 {
    match character.readings[0] {
        Syllable::NONE => fnv(FNV_BASIS, character.standard),
        reading => reading
            .letters()
            .fold(FNV_BASIS, |hash, letter| fnv(hash, char::from(letter))),
    }
}

/// The name without what stands between its parts. A mark that stood alone may now belong to the letter before it,
/// so the rest is normalised again unless it is Han and ASCII, which nothing composes with.
fn without_breaks(name: &str) -> String {
    let rest: String = name.chars().filter(|&c| !is_break(c)).collect();
    if rest.chars().all(|c| c.is_ascii() || is_han(c)) {
        return rest;
    }
    normalise(&rest)
}

/// Stands between the parts of a name and belongs to none of them.
fn is_break(c: char) -> bool {
    c.is_whitespace() || is_dash(c) || matches!(c, '·' | '.' | ',' | '\'' | '’' | '(' | ')' | '/')
}

/// Written instead of a character that is hidden or that the office's system cannot write. Characters for private use are
/// such: systems of before GB 18030 put rare characters of names there (䶮 as U+E863), each where it liked.
fn is_mask(c: char) -> bool {
    matches!(
        c,
        '*' | '○' | '◯' | '〇' | '某' | '×' | '□' | '?' | '＊' | '#' | '\u{FFFD}'
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}'
    )
}

/// X hides a character among Han characters only (张XX): elsewhere it is a letter.
fn hide_x(characters: &mut [Character]) {
    let has_han = characters
        .iter()
        .any(|character| is_han(character.standard));
    for character in characters
        .iter_mut()
        .filter(|character| has_han && character.standard == 'X')
    {
        *character = Character::HIDDEN;
    }
}

fn script(characters: &[Character]) -> Script {
    let all = |of: fn(char) -> bool| {
        characters
            .iter()
            .all(|character| character.standard == HIDDEN || of(character.standard))
    };
    if all(is_han) {
        Script::Han
    } else if all(|c| c.is_ascii_uppercase()) {
        Script::Latin
    } else {
        Script::Other
    }
}
