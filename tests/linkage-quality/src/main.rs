//! `linkage-quality train` writes linkage/data/weights.toml; `linkage-quality measure` says how good it is.
#![expect(
    clippy::print_stdout,
    reason = "the report is what this program is for"
)]

use std::{num::NonZeroUsize, path::PathBuf, time::Instant};

use clap::Parser;
use linkage::weights::{MatchWeight, Provenance, Weights};
use linkage_quality::{
    BENCHMARK_SEED, Population, Quality, Setup, WeightsOf, benchmark_records, blocks_of, by_number,
    by_number_or_name_and_birth, city_key, compare_febrl, compare_people, frequent_errors, link,
    link_file, reach, read_clusters, read_truth, train, write_clusters, write_records,
};

#[derive(Parser)]
enum Command {
    /// Train on one city, measure on another, write the weights file.
    Train {
        /// Seed of the city to train on.
        #[arg(long, default_value_t = 2012)]
        seed: u64,
        /// Cases of either city.
        #[arg(long, default_value_t = 60_000)]
        cases: u32,
        /// Version to write into the file.
        #[arg(long, default_value = "1")]
        version: String,
        #[arg(long, default_value = "linkage/data/weights.toml")]
        out: PathBuf,
    },
    /// Write a file of records for linkers to be compared on.
    Records {
        #[arg(long, default_value_t = BENCHMARK_SEED)]
        seed: u64,
        #[arg(long, default_value_t = 100_000)]
        records: u32,
        out: PathBuf,
    },
    /// Link a file of records; one line of JSON says how long it took.
    Link {
        records: PathBuf,
        /// Where to write each record's cluster.
        out: PathBuf,
        #[arg(long, value_enum, default_value = "training")]
        weights: WeightsOf,
        #[arg(long, default_value = "2")]
        workers: NonZeroUsize,
    },
    /// Compare with Splink and with equal fields, on people and on FEBRL; a table, and the same as JSON.
    Versus {
        #[arg(long, value_delimiter = ',', default_value = "100000,1000000")]
        records: Vec<u32>,
        /// Runs of each linker on up to 100,000 records; more records are linked once.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
        #[arg(long, default_value = "2")]
        workers: u32,
        /// A Python that has the packages of versus/requirements.txt.
        #[arg(long)]
        python: PathBuf,
        #[arg(long, default_value = "tests/linkage-quality/versus")]
        scripts: PathBuf,
        #[arg(long, default_value = "target/bench")]
        directory: PathBuf,
    },
    /// Measure clusters of a file of records against its truth.
    Judge { records: PathBuf, clusters: PathBuf },
    /// Measure a weights file on a city that it was not trained on.
    Measure {
        #[arg(long, default_value_t = 2013)]
        seed: u64,
        #[arg(long, default_value_t = 60_000)]
        cases: u32,
        /// The built-in weights when left out.
        #[arg(long)]
        weights: Option<PathBuf>,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Train {
            seed,
            cases,
            version,
            out,
        } => {
            let population = Population::of_city(seed, cases)?;
            let started = Instant::now();
            let weights = train(&population, &blocks_of(&population.mentions), &version)?;
            println!(
                "trained on {} mentions in {:.1} s",
                population.mentions.len(),
                started.elapsed().as_secs_f64()
            );
            drop(population);
            let measured = Population::of_city(seed + 1, cases)?;
            let quality = measure(&weights, &measured);
            let provenance = Provenance {
                measured_seed: measured.seed,
                measured_mentions: measured.mentions.len() as u64,
                precision: round(quality.precision),
                recall: round(quality.recall),
                f1: round(quality.f1),
                b_cubed_f1: round(quality.b_cubed_f1),
                ..weights.provenance().clone()
            };
            std::fs::write(&out, weights.with_provenance(provenance).to_toml())?;
            println!("wrote {}", out.display());
        }
        Command::Measure {
            seed,
            cases,
            weights,
        } => {
            let weights = match weights {
                Some(path) => Weights::parse(&std::fs::read_to_string(path)?)?,
                None => Weights::builtin(),
            };
            measure(&weights, &Population::of_city(seed, cases)?);
        }
        Command::Records { seed, records, out } => {
            write_records(&out, &benchmark_records(seed, records)?, &city_key())?;
        }
        Command::Link {
            records,
            out,
            weights,
            workers,
        } => {
            let (persons, report) = link_file(&records, weights, workers)?;
            write_clusters(&out, &persons)?;
            println!("{}", serde_json::to_string(&report)?);
        }
        Command::Versus {
            records,
            rounds,
            workers,
            python,
            scripts,
            directory,
        } => {
            let setup = Setup {
                directory,
                python,
                scripts,
                workers,
            };
            versus(&setup, &records, rounds)?;
        }
        Command::Judge { records, clusters } => {
            let truth = read_truth(&records)?;
            let found = read_clusters(&clusters, truth.len())?;
            println!("{}", Quality::of(&found, &truth));
        }
    }
    Ok(())
}

fn versus(setup: &Setup, records: &[u32], rounds: u32) -> anyhow::Result<()> {
    std::fs::create_dir_all(&setup.directory)?;
    let mut people = Vec::new();
    for &records in records {
        let rounds = if records <= 100_000 { rounds } else { 1 };
        let compared = compare_people(setup, records, rounds)?;
        print!("{compared}");
        people.push(compared);
    }
    let febrl = compare_febrl(setup)?;
    println!();
    for compared in &febrl {
        print!("{compared}");
    }
    let report = serde_json::json!({ "workers": setup.workers, "people": people, "febrl": febrl });
    let path = setup.directory.join("linkage.json");
    std::fs::write(&path, serde_json::to_string_pretty(&report)?)?;
    println!("wrote {}", path.display());
    Ok(())
}

fn measure(weights: &Weights, population: &Population) -> Quality {
    let (mentions, truth) = (&population.mentions, &population.persons);
    println!(
        "measured on {} mentions of seed {}",
        mentions.len(),
        population.seed
    );
    println!(
        "number alone               {}",
        Quality::of(&by_number(mentions), truth)
    );
    println!(
        "number or (name, birth)    {}",
        Quality::of(&by_number_or_name_and_birth(mentions), truth)
    );
    let weights = weights.clone().scaled_to(mentions.len() as u64);
    let started = Instant::now();
    let blocks = blocks_of(mentions);
    let linked = link(&weights, mentions, &blocks);
    let found = linked.persons(mentions, weights.link());
    let quality = Quality::of(&found, truth);
    println!(
        "{} pairs compared, {} for people, {} blocks left out, {:.1} s",
        linked.compared,
        linked.possible,
        blocks.oversized(),
        started.elapsed().as_secs_f64(),
    );
    println!(
        "{:.5} of all matches share a key",
        reach(population, &blocks)
    );
    for bits in [-2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0] {
        let least = MatchWeight::from_bits(bits);
        if least >= weights.review() {
            println!(
                "link from {least:>6}           {}",
                Quality::of(&linked.persons(mentions, least), truth)
            );
        }
    }
    println!(
        "where it errs, among the pairs that share a key (name birth sex phone district related identifier):"
    );
    for (count, pattern) in frequent_errors(population, &blocks, &found)
        .into_iter()
        .take(16)
    {
        println!("{count:>8} {pattern}");
    }
    println!(
        "as shipped, from {:>6}    {quality}",
        weights.link().to_string()
    );
    quality
}

fn round(share: f64) -> f64 {
    (share * 1e5).round() / 1e5
}
