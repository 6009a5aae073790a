use super::*;
use crate::{
    compare::{Agreement, BirthLevel},
    name::NameLevel,
};

fn vector(name: NameLevel, birth: BirthLevel, phone: Agreement) -> ComparisonVector {
    ComparisonVector {
        name: Some(name),
        birth: Some(birth),
        phone: Some(phone),
        ..ComparisonVector::default()
    }
}

/// Counts that two independent fields of known probabilities give: no noise, so EM must find them.
fn world(matches: f64, pairs: f64) -> PatternCounts {
    let names = [
        (NameLevel::Exact, 0.9, 0.01),
        (NameLevel::Homophone, 0.1, 0.04),
        (NameLevel::Different, 0.0, 0.95),
    ];
    let births = [
        (BirthLevel::Equal, 0.95, 0.02),
        (BirthLevel::Different, 0.05, 0.98),
    ];
    let phones = [
        (Agreement::Equal, 0.7, 0.05),
        (Agreement::Different, 0.3, 0.95),
    ];
    let mut counts = PatternCounts::default();
    for (name, name_m, name_u) in names {
        for (birth, birth_m, birth_u) in births {
            for (phone, phone_m, phone_u) in phones {
                let count = matches * name_m * birth_m * phone_m
                    + (pairs - matches) * name_u * birth_u * phone_u;
                let count = count.round() as u64;
                counts
                    .counts
                    .insert(vector(name, birth, phone).levels(), count);
                counts.pairs += count;
            }
        }
    }
    counts
}

fn m(probabilities: &Probabilities, field: Field, level: u8) -> f64 {
    probabilities[field as usize][usize::from(level)].m
}

#[test]
fn em_finds_the_probabilities_that_made_the_pairs() {
    let u = u_from_random_pairs(&world(0.0, 1e8));
    let start = first_guess(&u);
    let session = expectation_maximisation(&world(20_000.0, 1e6), &start, &[]);
    assert!((session.match_share - 0.02).abs() < 0.001, "{session:?}");
    let trained = combine(&[session], &start);
    assert!((m(&trained, Field::Name, NameLevel::Homophone as u8) - 0.1).abs() < 0.01);
    assert!((m(&trained, Field::Birth, BirthLevel::Equal as u8) - 0.95).abs() < 0.01);
    assert!((m(&trained, Field::Phone, Agreement::Equal as u8) - 0.7).abs() < 0.01);
    // Nothing was seen of it.
    assert_eq!(
        trained[Field::Related as usize],
        start[Field::Related as usize]
    );
    let prior = prior(&world(20_000.0, 1e6), &trained, 1_415, 1);
    assert!((prior - 0.02).abs() < 0.002, "{prior}");
}

#[test]
fn a_field_that_the_key_fixes_is_left_out() {
    let start = first_guess(&u_from_random_pairs(&world(0.0, 1e8)));
    let session = expectation_maximisation(&world(20_000.0, 1e6), &start, &[Field::Birth]);
    assert!(session.m[Field::Birth as usize].is_none());
    assert!(session.m[Field::Name as usize].is_some());
}

#[test]
fn tables_counted_side_by_side_are_one_table() {
    let (mut one, mut all) = (PatternCounts::default(), PatternCounts::default());
    let mut other = PatternCounts::default();
    for (at, name) in NameLevel::ALL.iter().enumerate() {
        let vector = vector(*name, BirthLevel::Equal, Agreement::Equal);
        all.add(&vector);
        if at % 2 == 0 {
            one.add(&vector)
        } else {
            other.add(&vector)
        }
    }
    one.merge(&other);
    assert_eq!(one, all);
}

#[test]
fn no_level_outweighs_full_agreement_whatever_is_seen() {
    let mut levels = vec![
        LevelProbability { m: 0.5, u: 0.1 },
        LevelProbability { m: 0.4, u: 0.01 },
        LevelProbability { m: 0.1, u: 0.89 },
    ];
    keep_order(&mut levels);
    assert!(levels[1].weight() <= levels[0].weight());
    assert!((levels.iter().map(|level| level.m).sum::<f64>() - 1.0).abs() < 1e-9);
}
