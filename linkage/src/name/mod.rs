//! Names of natural and legal persons: one form for matching, a masked form for showing, and how two names differ.

mod compare;
mod directory;
mod edit;
mod mask;
mod normalise;
mod pinyin;
mod prepared;
mod romanised;
mod share;
mod similar;
mod surname;
mod table;
mod variant;

#[cfg(test)]
mod tests;

pub use compare::NameLevel;
pub use directory::NameDirectory;
pub use mask::{mask, mask_as};
pub use normalise::normalise;
pub use prepared::{MAX_CHARS, PreparedName};
pub use share::NameShare;
pub use similar::look_alike;
pub use variant::standard_form;
