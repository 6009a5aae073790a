//! The agent's sources and mapping against a city's own systems: every vendor's mapping file loads as it is,
//! every storable row leaves the office exactly as the model says, every flawed one ends in its rule, and no raw
//! number is in anything that could be stored, sent, logged or shown.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use linkage::token::{TokenAlgorithm, TokenKey};
use notary_proto::hub::v1 as wire;
use office_agent::config::{Config, Source};
use office_agent::dry_run::DryRun;
use office_agent::mapping::{Mapping, Reject};
use office_agent::minimise;
use office_agent::source::read_all;
use office_agent::source::row::Found;
use prost::Message;
use synthetic_city::{Case, City, CityPlan, Stores, Truth};
use time::OffsetDateTime;

const CASES: u32 = 6_000;

fn key() -> TokenKey {
    TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32])
}

/// A city whose systems are written below a folder.
async fn written() -> (City, Truth, tempfile::TempDir) {
    let plan = CityPlan {
        cases: CASES,
        ..CityPlan::default()
    };
    let city = City::generate(&plan).unwrap();
    let folder = tempfile::tempdir().unwrap();
    city.write(folder.path(), &Stores::default()).await.unwrap();
    let truth = city.truth();
    (city, truth, folder)
}

/// One office's source, configured as the city wrote it.
fn source(home: &Path) -> (Source, Mapping) {
    let part = fs::read_to_string(home.join("source.toml")).unwrap();
    let file = home.join("office-agent.toml");
    fs::write(&file, format!("data_dir = \"data\"\n\n{part}")).unwrap();
    let config = Config::load(&file).unwrap();
    let source = config.sources.into_iter().next().unwrap();
    let mapping = Mapping::load(source.mapping()).unwrap();
    (source, mapping)
}

async fn rows(source: &Source) -> Vec<Found> {
    let mut reading = read_all(source, None).unwrap();
    let mut all = Vec::new();
    while let Some(found) = reading.next().await.unwrap() {
        all.extend(found);
    }
    assert!(reading.bad_files().is_empty());
    all
}

/// (key when readable, rule, field) → how often. The field is left out where the truth names none.
type Rejects = BTreeMap<(String, String, Option<String>), u32>;

fn expected_rejects(truth: &Truth, office: &str) -> Rejects {
    let mut expected = Rejects::new();
    for reject in truth.rejects_of(office) {
        let key = match reject.key_readable {
            true => reject.source_case_id.clone(),
            false => String::new(),
        };
        let place = (key, reject.rule_id.clone(), reject.field.clone());
        *expected.entry(place).or_default() += 1;
    }
    expected
}

fn place(truth: &Truth, office: &str, reject: &Reject) -> (String, String, Option<String>) {
    let key = reject
        .source_case_id
        .as_ref()
        .map_or("", |key| key.as_str());
    let names_field = truth.rejects_of(office).any(|known| {
        known.rule_id == reject.rule.code() && known.field.as_ref() == Some(&reject.field)
    });
    let field = names_field.then(|| reject.field.clone());
    (key.to_owned(), reject.rule.code().to_owned(), field)
}

#[tokio::test]
async fn every_row_of_every_vendor_ends_as_the_truth_says() {
    let (city, truth, folder) = written().await;
    let mut taken = 0;
    for (index, office) in city.offices().iter().enumerate() {
        let id = office.id.as_str();
        let (source, mapping) = source(&folder.path().join(id));
        let cases: HashMap<String, Case> = city
            .cases(index)
            .map(|case| (case.source_case_id.clone(), case))
            .collect();
        let mut rejects = Rejects::new();
        for found in rows(&source).await {
            let mapped = match found {
                Found::Row(row) => mapping.case(&row),
                Found::Malformed { location, fields } => Err(Reject::malformed(location, fields)),
            };
            match mapped {
                Ok(case) => {
                    let known = &cases[case.source_case_id.as_str()];
                    assert_eq!(known.flaw, None, "{id}: {}", known.source_case_id);
                    let mut expected = synthetic_city::wire::record(&city, known, &key());
                    if case.revision.is_none() {
                        expected.revision = 0;
                    }
                    assert_eq!(minimise::case(&case, &key()), expected, "{id}");
                    taken += 1;
                }
                Err(reject) => *rejects.entry(place(&truth, id, &reject)).or_default() += 1,
            }
        }
        assert_eq!(rejects, expected_rejects(&truth, id), "{id}");
    }
    assert_eq!(taken + truth.rejects.len(), CASES as usize);
    assert!(!truth.rejects.is_empty());
}

/// Any eight characters in a row of a number say too much; the tail of four does not.
const TELLING: usize = 8;

/// Parts of numbers that may be nowhere outside a raw row, as written and with widths and separators normalised.
fn canaries(case: &Case) -> Vec<Vec<u8>> {
    let documents = case
        .parties
        .iter()
        .filter_map(|party| party.document.as_ref());
    let numbers = documents.map(|document| document.number.as_str());
    let phones = case
        .parties
        .iter()
        .filter_map(|party| party.phone.as_deref());
    let mut canaries = Vec::new();
    for raw in numbers.chain(phones) {
        let bare: String = raw
            .chars()
            .map(|c| match c {
                '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap(),
                c => c,
            })
            .filter(char::is_ascii_alphanumeric)
            .collect();
        for form in [raw, &bare, &bare.to_uppercase()] {
            canaries.extend(form.as_bytes().windows(TELLING).map(<[u8]>::to_vec));
        }
    }
    canaries
}

/// Returns how many canaries were looked for.
fn assert_hidden(shown: &[u8], canaries: &[Vec<u8>]) -> usize {
    let parts: HashSet<&[u8]> = shown.windows(TELLING).collect();
    for canary in canaries {
        let part = canary.as_slice();
        assert!(!parts.contains(part), "a number shows: {canary:?}");
    }
    canaries.len()
}

#[tokio::test]
async fn no_raw_number_is_in_a_record_a_reject_a_debug_output_or_the_dry_run() {
    let (city, _, folder) = written().await;
    let mut looked_at = 0;
    // One office of each vendor: the four ways a number comes in.
    for index in [0, 1, 3, 5] {
        let office = &city.offices()[index];
        let (source, mapping) = source(&folder.path().join(office.id.as_str()));
        let cases: HashMap<String, Case> = city
            .cases(index)
            .map(|case| (case.source_case_id.clone(), case))
            .collect();
        let mut run = DryRun::new(&mapping);
        for found in rows(&source).await {
            run.add(found.clone());
            let Found::Row(row) = &found else { continue };
            let mapped = mapping.case(row);
            let (key, record) = match &mapped {
                Ok(case) => (
                    case.source_case_id.as_str().to_owned(),
                    wire::record::Payload::Case(minimise::case(case, &key())),
                ),
                Err(reject) => (
                    reject
                        .source_case_id
                        .as_ref()
                        .map_or("", |key| key.as_str())
                        .to_owned(),
                    wire::record::Payload::Rejected(minimise::rejected(
                        reject,
                        OffsetDateTime::UNIX_EPOCH,
                    )),
                ),
            };
            let Some(known) = cases.get(&key) else {
                continue;
            };
            let record = wire::Record {
                payload: Some(record),
            };
            let mut shown = record.encode_to_vec();
            shown.extend(format!("{mapped:?} {row:?} {found:?}").into_bytes());
            looked_at += assert_hidden(&shown, &canaries(known));
        }
        let report = format!("{run}{run:?}{}", run.json().unwrap());
        let all: Vec<_> = cases.values().flat_map(canaries).collect();
        assert_hidden(report.as_bytes(), &all);
    }
    assert!(looked_at > 10_000, "{looked_at}");
}

#[tokio::test]
async fn the_dry_run_of_every_vendor_names_the_planted_codes_and_no_column() {
    let (city, truth, folder) = written().await;
    for office in city.offices() {
        let id = office.id.as_str();
        let (source, mapping) = source(&folder.path().join(id));
        let mut run = DryRun::new(&mapping);
        for found in rows(&source).await {
            run.add(found);
        }
        let report: serde_json::Value = serde_json::from_str(&run.json().unwrap()).unwrap();
        assert_eq!(report["rows"], u64::from(office.cases), "{id}");
        let columns = serde_json::json!({ "unmapped": [], "lacking": [] });
        assert_eq!(report["columns"], columns, "{id}");
        let unknown = report["unknown_codes"].as_object().unwrap();
        let planted = truth
            .rejects_of(id)
            .filter(|reject| reject.rule_id == "CODE_UNKNOWN");
        assert_eq!(unknown.is_empty(), planted.count() == 0, "{id}");
    }
}
