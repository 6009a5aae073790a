//! Every system that the synthetic city writes is read whole, and its changes after it.

use std::collections::BTreeSet;
use std::path::Path;

use end_to_end::mariadb::MariaDb;
use notary_hub::embedded::testing::fresh_database;
use office_agent::config::Source;
use serde::Deserialize;
use synthetic_city::{City, CityPlan, Flaw, Stores, Vendor};
use tokio::sync::Mutex;

use crate::kept::{Kept, Reader};

/// The city's databases have one name each.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[derive(Deserialize)]
struct Part {
    source: Vec<Source>,
}

/// The `[[source]]` part as the city wrote it, with another page size.
fn source(home: &Path, page_rows: Option<u16>) -> Source {
    let text = std::fs::read_to_string(home.join("source.toml")).expect("written");
    let part: Part = toml::from_str(&text).expect("a configuration");
    let mut source = part.source.into_iter().next().expect("one source");
    match (&mut source, page_rows) {
        (Source::Sql(source), Some(page_rows)) => source.page_rows = page_rows,
        (Source::Folder(source), _) => source.rescan = "50ms".parse().expect("a duration"),
        _ => {}
    }
    source
}

fn key_column(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Normalised => "case_id",
        Vendor::Flat => "AJBH",
        Vendor::CsvExport | Vendor::Workbook => "案件编号",
    }
}

fn has_key(flaw: Option<Flaw>) -> bool {
    !matches!(flaw, Some(Flaw::KeyMissing | Flaw::RowMalformed))
}

async fn stores() -> Stores {
    Stores {
        postgres: Some(fresh_database().await.url),
        mysql: Some(MariaDb::shared_url().await.to_owned()),
    }
}

/// Keys that an office's system holds, and how many records have none.
fn expected(city: &City, office: usize) -> (BTreeSet<String>, usize) {
    let (mut keys, mut others) = (BTreeSet::new(), 0);
    for case in city.cases(office) {
        if has_key(case.flaw) {
            keys.insert(case.source_case_id.clone());
        } else {
            others += 1;
        }
    }
    (keys, others)
}

async fn reads_every_row_once_and_changes_after(page_rows: Option<u16>, reopen: bool) {
    let _turn = ONE_AT_A_TIME.lock().await;
    let plan = CityPlan {
        cases: 900,
        ..CityPlan::default()
    };
    let city = City::generate(&plan).expect("a city");
    let stores = stores().await;
    let folder = tempfile::tempdir().expect("a folder");
    city.write(folder.path(), &stores).await.expect("written");
    let mut offices = Vec::new();
    for (index, office) in city.offices().iter().enumerate() {
        let source = source(&folder.path().join(office.id.as_str()), page_rows);
        let key = key_column(office.vendor);
        let (mut kept, mut reader) = (Kept::default(), Reader::new(&source));
        while kept.page(&mut reader, key).await {
            if reopen && matches!(source, Source::Sql(_)) {
                reader = Reader::new(&source);
            }
            // A restarted reader looks for rows without a watermark again; then everything is read.
            if reopen && kept.read >= office.cases as usize {
                break;
            }
        }
        let (keys, others) = expected(&city, index);
        assert_eq!(kept.read, keys.len(), "{} each once", office.id);
        assert_eq!(
            kept.rows.keys().cloned().collect::<BTreeSet<_>>(),
            keys,
            "{}",
            office.id
        );
        assert_eq!(kept.others, others, "{}", office.id);
        check_children(&city, index, &kept);
        offices.push((source, key, kept, reader));
    }

    let next = city.evolve(1);
    next.apply(folder.path(), &stores).await.expect("written");
    for (index, (source, key, mut kept, mut reader)) in offices.into_iter().enumerate() {
        if reopen {
            reader = Reader::new(&source);
        }
        let before = kept.rows.clone();
        kept.catch_up(&mut reader, key).await;
        let changed: BTreeSet<String> = (kept.rows.iter())
            .filter(|(key, row)| {
                before
                    .get(*key)
                    .is_none_or(|old| old.cells != row.cells || old.children != row.children)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let changes: BTreeSet<String> = (next.changes(index))
            .filter(|case| has_key(case.flaw))
            .map(|case| case.source_case_id.clone())
            .collect();
        assert_eq!(changed, changes, "{}", city.offices()[index].id);
        check_children(&next, index, &kept);
    }
}

/// Linked shapes have a case's parties as child rows, in order.
fn check_children(city: &City, office: usize, kept: &Kept) {
    let vendor = city.offices()[office].vendor;
    if !matches!(vendor, Vendor::Normalised | Vendor::Workbook) {
        return;
    }
    for case in city.cases(office).filter(|case| has_key(case.flaw)) {
        let row = &kept.rows[&case.source_case_id];
        let count = |child: &str| row.children.get(child).map_or(0, Vec::len);
        let parties = match case.flaw {
            Some(Flaw::NameMissing) => 0,
            _ => case.parties.len(),
        };
        assert_eq!(count("parties"), parties, "{}", row.location);
        assert_eq!(count("subjects"), case.subjects.len(), "{}", row.location);
        let order = if vendor == Vendor::Normalised {
            "party_no"
        } else {
            "序号"
        };
        for (number, party) in row
            .children
            .get("parties")
            .into_iter()
            .flatten()
            .enumerate()
        {
            assert_eq!(party.get(order), Some((number + 1).to_string().as_str()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_is_read_once_and_its_changes_after() {
    reads_every_row_once_and_changes_after(None, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_the_agent_is_reopened_between_small_pages() {
    reads_every_row_once_and_changes_after(Some(7), true).await;
}
