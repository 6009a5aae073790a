mod duplicates;
mod judge;
mod pairs;
pub mod seed;
