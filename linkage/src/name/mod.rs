//! Names of natural and legal persons: one form for matching, a masked form for showing.

mod mask;
mod normalise;

pub use mask::{mask, mask_as};
pub use normalise::normalise;
