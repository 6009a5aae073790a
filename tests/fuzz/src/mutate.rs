//! Small changes of an input, the same ones for the same seed: enough to walk around a corpus without instrumentation.

use rand::{Rng, RngExt};

/// Bytes that mean something to some parser.
const MEANINGFUL: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\n",
    b"=",
    b"\"",
    b"[[",
    b"]]",
    b"{",
    b"}",
    b",",
    b";",
    b"-1",
    b"0",
    b"9999999999999999999",
    b"1e309",
    b"\\u0000",
    b"\xef\xbb\xbf",
    "\u{202e}".as_bytes(),
    "　".as_bytes(),
    "𠮷".as_bytes(),
    b"\xc3\x28",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"' OR 1=1",
    b"../../",
];

/// Longest input that is tried.
const LONGEST: usize = 1 << 16;

/// One to eight changes of `input`; pieces come from itself, from `other` and from what means something.
pub fn mutate(input: &[u8], other: &[u8], dice: &mut impl Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..dice.random_range(1..=8) {
        change(&mut bytes, other, dice);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], dice: &mut impl Rng) {
    let at = dice.random_range(0..=bytes.len());
    let end = dice.random_range(at..=bytes.len().min(at + 32));
    match dice.random_range(0..6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.random_range(0..8),
        1 if at < bytes.len() => bytes[at] = dice.random(),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => {
            let from = dice.random_range(0..=other.len());
            let to = dice.random_range(from..=other.len().min(from + 64));
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let piece = MEANINGFUL[dice.random_range(0..MEANINGFUL.len())];
            bytes.splice(at..end, piece.iter().copied());
        }
    }
}
