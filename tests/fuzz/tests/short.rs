//! The short run: the corpus, and the same few thousand changes of it every time.

use std::path::PathBuf;

use fuzz_targets::{Target, mutate::mutate, targets};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Changes tried of one target's inputs. Files and databases behind a parser make it slower by as much.
fn changes(target: &Target) -> usize {
    match target.name {
        "csv" | "workbook" | "push" | "mapping" | "agent_config" | "weights" | "rules" => 300,
        _ => 3_000,
    }
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name);
    let mut files: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.expect("a file of the corpus").path())
            .collect(),
        Err(_) => Vec::new(),
    };
    files.sort_unstable();
    let kept = files
        .into_iter()
        .map(|file| std::fs::read(file).expect("a file of the corpus"));
    let seeds = target.seeds.iter().map(|seed| seed.to_vec());
    seeds.chain(kept).collect()
}

#[test]
fn no_parser_at_an_edge_breaks_on_the_corpus_or_near_it() {
    for target in targets() {
        let inputs = corpus(&target);
        assert!(
            !inputs.is_empty(),
            "{} has something to begin with",
            target.name
        );
        (target.run)(b"");
        for input in &inputs {
            (target.run)(input);
        }
        let mut dice = ChaCha8Rng::seed_from_u64(2012);
        for _ in 0..changes(&target) {
            let input = &inputs[dice.random_range(0..inputs.len())];
            let other = &inputs[dice.random_range(0..inputs.len())];
            let changed = mutate(input, other, &mut dice);
            let run = std::panic::AssertUnwindSafe(|| (target.run)(&changed));
            if std::panic::catch_unwind(run).is_err() {
                panic!("{} breaks on {}", target.name, changed.escape_ascii());
            }
        }
    }
}

#[test]
fn every_target_has_a_name_of_its_own() {
    let mut names: Vec<_> = targets().iter().map(|target| target.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
