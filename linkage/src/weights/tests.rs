use super::*;

const SHIPPED: &str = include_str!("../../data/weights.toml");

#[test]
fn the_shipped_weights_are_consistent_and_say_where_they_come_from() {
    let weights = Weights::builtin();
    let provenance = weights.provenance();
    assert!(!provenance.data.is_empty() && !provenance.method.is_empty());
    assert_ne!(
        provenance.seed, provenance.measured_seed,
        "quality is measured on data not trained on"
    );
    assert!(provenance.f1 > 0.9, "{provenance:?}");
}

#[test]
fn what_is_written_is_read_back() {
    let written = Weights::builtin().to_toml();
    let read = Weights::parse(&written).expect("own writing is readable");
    assert_eq!(read.to_toml(), written);
    assert_eq!(written, SHIPPED, "the file is as `make train` writes it");
}

fn parse_with(from: &str, to: &str) -> WeightsError {
    let changed = SHIPPED.replacen(from, to, 1);
    assert_ne!(changed, SHIPPED, "{from} is in the file");
    Weights::parse(&changed).expect_err("the file is inconsistent now")
}

/// Replaces the first line that begins so.
fn parse_with_line(begin: &str, line: &str) -> WeightsError {
    let old = SHIPPED
        .lines()
        .find(|line| line.starts_with(begin))
        .expect("the line is in the file");
    parse_with(old, line)
}

#[test]
fn inconsistent_files_are_refused_with_the_reason() {
    assert!(matches!(
        parse_with("[levels.sex]", "[levels.shoe_size]"),
        WeightsError::Text(_)
    ));
    assert!(matches!(
        parse_with_line("homophone", "homonym = { m = 0.01, u = 0.01 }"),
        WeightsError::Levels { field: Field::Name }
    ));
    assert!(matches!(
        parse_with_line("homophone", "homophone = { m = 0.0, u = 0.01 }"),
        WeightsError::Probability { field: Field::Name }
    ));
    assert!(matches!(
        parse_with_line("homophone", "homophone = { m = 0.9, u = 0.01 }"),
        WeightsError::Sum { field: Field::Name }
    ));
    assert!(matches!(
        parse_with_line("prior", "prior = 1.0"),
        WeightsError::Prior
    ));
    assert!(matches!(
        parse_with_line("rarest_name", "rarest_name = 0.0"),
        WeightsError::RarestName
    ));
    assert!(matches!(
        parse_with_line("review", "review = 1e9"),
        WeightsError::Thresholds
    ));
}

#[test]
fn no_level_may_outweigh_full_agreement() {
    let sex = SHIPPED.find("[levels.sex]").expect("sex has weights");
    let next = SHIPPED[sex + 1..]
        .find("[levels.")
        .expect("fields follow it")
        + sex
        + 1;
    let backwards =
        "[levels.sex]\nequal = { m = 0.2, u = 0.5 }\ndifferent = { m = 0.8, u = 0.5 }\n\n";
    let text = format!("{}{backwards}{}", &SHIPPED[..sex], &SHIPPED[next..]);
    assert!(matches!(
        Weights::parse(&text),
        Err(WeightsError::Order { field: Field::Sex })
    ));
}
