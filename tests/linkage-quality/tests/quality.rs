//! The shipped weights on a small city that they were not trained on, and on hostile input.

use linkage::{compare::Mention, score::Decision, weights::Weights};
use linkage_quality::{
    Population, Quality, blocks_of, by_number, by_number_or_name_and_birth, link,
};
use time::macros::date;

const CASES: u32 = 3_000;

#[test]
fn shipped_weights_find_persons_better_than_equal_fields_do() {
    let population = Population::of_city(77, CASES).expect("a city of this size exists");
    let (mentions, truth) = (&population.mentions, &population.persons);
    let weights = Weights::builtin().scaled_to(mentions.len() as u64);
    let linked = link(&weights, mentions, &blocks_of(mentions));
    let quality = Quality::of(&linked.persons(mentions, weights.link()), truth);
    let exact = Quality::of(&by_number(mentions), truth);
    let fields = Quality::of(&by_number_or_name_and_birth(mentions), truth);
    assert!(exact.f1 < fields.f1, "the city is hard for equal numbers");
    assert!(
        1.0 - quality.f1 < 0.6 * (1.0 - fields.f1),
        "{quality} against {fields}"
    );
    assert!(quality.precision > 0.99, "{quality}");
}

#[test]
fn the_same_seed_makes_the_same_population_and_links() {
    let once = Population::of_city(5, 400).expect("a city of this size exists");
    let again = Population::of_city(5, 400).expect("a city of this size exists");
    assert_eq!(once.mentions, again.mentions);
    let weights = Weights::builtin();
    let pairs = |p: &Population| link(&weights, &p.mentions, &blocks_of(&p.mentions)).pairs;
    assert_eq!(pairs(&once), pairs(&again));
}

/// Every one of them shares phone, birth date, district and all but a character of the name with all others.
#[test]
fn ten_thousand_near_identical_people_stay_bounded() {
    let template = Population::of_city(5, 50)
        .expect("a city of this size exists")
        .mentions;
    let phone = template.iter().find_map(|mention| mention.phone);
    let mentions: Vec<Mention> = (0..10_000u32)
        .map(|n| {
            let last = char::from_u32(0x4e00 + n).unwrap_or('一');
            Mention {
                phone,
                birth: Some(date!(1990 - 03 - 07)),
                ..Mention::named(&format!("张国{last}"))
            }
        })
        .collect();
    let blocks = blocks_of(&mentions);
    assert!(
        blocks.oversized() >= 2,
        "the phone and the surname born that day are left out and counted"
    );
    let linked = link(&Weights::builtin(), &mentions, &blocks);
    assert!(linked.compared < 1_000_000, "{} pairs", linked.compared);
}

#[test]
fn pathological_names_are_compared_without_harm() {
    let weights = Weights::builtin();
    let page = "张".repeat(100_000);
    for name in [
        "",
        "*",
        "****",
        "·",
        "\u{200B}",
        "\u{301}\u{301}",
        "A",
        page.as_str(),
        "𠮷𠮷",
        "ﷺ",
        "👨‍👩‍👧",
    ] {
        let odd = Mention::named(name);
        for other in ["张伟", "Anna", name] {
            assert_ne!(
                weights.score(&odd, &Mention::named(other)).decision,
                Decision::Same,
                "{name}"
            );
        }
    }
}
