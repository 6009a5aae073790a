//! Every parser at an edge, as a function of bytes that must neither panic nor hand on what is wrong.
//!
//! `cargo test -p fuzz-targets` replays `corpus/` and tries small changes of it, the same ones each time. `make fuzz`
//! lets libFuzzer search, guided by coverage, and keeps what it finds in the corpus.

mod agent;
mod hub;
mod linkage;
pub mod mutate;

/// A parser under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Name, also of its folder in the corpus.
    pub name: &'static str,
    /// Reads anything. Panics when the parser breaks a promise of its own.
    pub run: fn(&[u8]),
    /// What an input may look like when the corpus has nothing yet.
    pub seeds: &'static [&'static [u8]],
}

/// All of them.
#[must_use]
pub fn targets() -> Vec<Target> {
    [linkage::TARGETS, hub::TARGETS, agent::TARGETS].concat()
}

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    targets().into_iter().find(|target| target.name == name)
}

/// The input as text; what is no UTF-8 is replaced, as a reader would do.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The first byte chooses, the rest is text.
fn choice<'a, T: Copy>(all: &[T], bytes: &'a [u8]) -> Option<(T, std::borrow::Cow<'a, str>)> {
    let (first, rest) = bytes.split_first()?;
    Some((all[usize::from(*first) % all.len()], text(rest)))
}
