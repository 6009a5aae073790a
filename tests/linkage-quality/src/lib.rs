//! Trains the weights of person linkage on a synthetic city and measures them on another: the truth about who is who
//! is known of both, and never shown to the training.

mod address;
mod file;
mod generic;
mod job;
mod measure;
mod pairs;
mod population;
mod record;
mod slip;
mod training;
mod versus;

pub use file::{Mentions, read_clusters, read_truth, write_clusters, write_records};
pub use generic::{GenericRecord, link_generic, read_generic};
pub use job::{JobReport, WeightsOf, link_file};
pub use measure::{Quality, by_number, by_number_or_name_and_birth, frequent_errors, reach};
pub use pairs::{Linked, blocks_of, link};
pub use population::{Population, benchmark_records, city_key, records_of_city};
pub use record::{Number, Record};
pub use training::train;
pub use versus::{Febrl, People, SEED as BENCHMARK_SEED, Setup, compare_febrl, compare_people};
