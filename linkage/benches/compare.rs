//! How many names are prepared, and mentions compared and scored, in a second on one core.

use divan::{Bencher, black_box, counter::ItemsCount};
use linkage::{
    block,
    compare::Mention,
    name::{NameShare, PreparedName},
    vocabulary::Sex,
    weights::Weights,
};
use time::{Date, Duration, macros::date};

const NAMES: [&str; 12] = [
    "张伟",
    "章伟",
    "張國強",
    "张国强",
    "张国栋",
    "李静",
    "欧阳文正",
    "ZHANG WEI",
    "张*",
    "买买提·艾力",
    "王芳",
    "刘洋",
];

fn main() {
    divan::main();
}

fn mentions() -> Vec<Mention> {
    let birth = |at: usize| -> Date { date!(1970 - 01 - 01) + Duration::days(at as i64 % 7) };
    (0..256)
        .map(|at| Mention {
            name_share: Some(NameShare::of(1 + at as u64, 1_000)),
            birth: Some(birth(at)),
            sex: Some(if at % 2 == 0 { Sex::Male } else { Sex::Female }),
            ..Mention::named(NAMES[at % NAMES.len()])
        })
        .collect()
}

fn every_pair(bencher: Bencher<'_, '_>, compare: impl Fn(&Mention, &Mention) -> i32 + Sync) {
    let mentions = mentions();
    bencher
        .counter(ItemsCount::new(mentions.len() * mentions.len()))
        .bench(|| {
            let mut sum = 0_i32;
            for a in &mentions {
                for b in &mentions {
                    sum = sum.wrapping_add(compare(black_box(a), black_box(b)));
                }
            }
            sum
        });
}

#[divan::bench]
fn compare_names(bencher: Bencher<'_, '_>) {
    every_pair(bencher, |a, b| {
        a.name.compare(&b.name).map_or(0, |level| level as i32)
    });
}

#[divan::bench]
fn score_mentions(bencher: Bencher<'_, '_>) {
    let weights = Weights::builtin();
    every_pair(bencher, |a, b| weights.score(a, b).weight.millibits());
}

#[divan::bench]
fn prepare_names(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(NAMES.len()))
        .bench(|| NAMES.map(|name| PreparedName::new(black_box(name))));
}

#[divan::bench]
fn make_blocking_keys(bencher: Bencher<'_, '_>) {
    let mentions = mentions();
    bencher.counter(ItemsCount::new(mentions.len())).bench(|| {
        let mut keys = Vec::with_capacity(block::MAX_KEYS * mentions.len());
        for mention in &mentions {
            block::keys(black_box(mention), &mut keys);
        }
        keys.len()
    });
}
