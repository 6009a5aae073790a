//! Parsers of the agent: what the office's own systems hand over, and the files of its steward.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use linkage::token::{TokenAlgorithm, TokenKey};
use office_agent::config::{Config, FolderSource, Source};
use office_agent::mapping::Mapping;
use office_agent::outbox::{Entry, Outbox};
use office_agent::pipeline::Pipeline;
use office_agent::source::push::PushEndpoint;
use office_agent::source::read_all;
use office_agent::source::row::{Columns, Found, Row};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::{Target, text};

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "mapping",
        run: mapping,
        seeds: &[include_bytes!("../../../office-agent/examples/push/mapping.toml")],
    },
    Target {
        name: "agent_config",
        run: config,
        seeds: &[include_bytes!("../../../deploy/office-agent.toml")],
    },
    Target {
        name: "row",
        run: row,
        seeds: &["id=A-1\nstate=accepted\nmatter_type=inheritance\napplied_on=2024-03-05\naccepted_on=2024年3月6日\nfee_charged=200.00\nlegal_aid=0\nparties:role=applicant\nparties:kind=natural\nparties:name=张伟\nparties:identifier_kind=resident_id\nparties:identifier=11010519491231002X".as_bytes()],
    },
    Target {
        name: "csv",
        run: csv,
        seeds: &["案号,状态\n\"A-1\",受理\n".as_bytes(), b"\xef\xbb\xbfa;b\r\n1;2\r\n", b"\xb0\xb8\xba\xc5,a\n1,2\n"],
    },
    Target {
        name: "workbook",
        run: workbook,
        seeds: &[include_bytes!("../corpus/workbook/one-sheet.xlsx")],
    },
    Target {
        name: "push",
        run: push,
        seeds: &["{\"rows\":[{\"id\":\"A-1\",\"state\":\"accepted\",\"parties\":[{\"name\":\"张伟\"}]}]}".as_bytes()],
    },
];

const PUSH_MAPPING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../office-agent/examples/push/mapping.toml"
);

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| {
    let mapping = Mapping::load(Path::new(PUSH_MAPPING)).expect("the example is a mapping");
    Pipeline::new(
        mapping,
        TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]),
    )
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
});

/// A folder of this process, for parsers that read files.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

fn written(name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = FOLDER.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, bytes).expect("written");
    path
}

fn mapping(bytes: &[u8]) {
    let _ = Mapping::load(&written("mapping.toml", bytes));
}

fn config(bytes: &[u8]) {
    let _ = Config::load(&written("office-agent.toml", bytes));
}

/// Lines `column=value`, or `child:column=value` for a child's only row. Whatever is in the cells, the row becomes a
/// case or a named reject, and no number of a document leaves the office.
fn row(bytes: &[u8]) {
    const NUMBER: &str = "11010519491231002X";
    let text = text(bytes);
    let mut own = Vec::new();
    let mut children: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        match name.split_once(':') {
            Some((child, column)) => {
                let child = children.entry(child.to_owned()).or_default();
                child.push((column.to_owned(), value.to_owned()));
            }
            None => own.push((name.to_owned(), value.to_owned())),
        }
    }
    let mut row = row_of(own);
    row.children = children
        .into_iter()
        .map(|(child, cells)| (child, vec![row_of(cells)]))
        .collect();
    match PIPELINE.entry(Found::Row(row)) {
        Entry::Case(case) => {
            let shown = format!("{case:?}");
            assert!(!shown.contains(NUMBER), "a number left the office");
        }
        Entry::Rejected(reject) => assert!(!reject.rule_id.is_empty()),
    }
}

fn row_of(cells: Vec<(String, String)>) -> Row {
    let (names, cells): (Vec<_>, Vec<_>) = cells.into_iter().map(|(n, v)| (n, Some(v))).unzip();
    Row {
        location: "fuzz:1".to_owned(),
        columns: Columns::new(names),
        cells,
        children: BTreeMap::new(),
    }
}

fn csv(bytes: &[u8]) {
    folder("csv", "cases.csv", "*.csv", bytes);
}

fn workbook(bytes: &[u8]) {
    folder("xlsx", "cases.xlsx", "*.xlsx", bytes);
}

fn folder(folder: &str, file: &str, pattern: &str, bytes: &[u8]) {
    let path = written(&format!("{folder}/{file}"), bytes);
    let source = Source::Folder(FolderSource {
        name: "cases".parse().expect("a name"),
        mapping: "mapping.toml".into(),
        path: path.parent().expect("a folder").to_owned(),
        pattern: pattern.to_owned(),
        encoding: Default::default(),
        sheet: None,
        rescan: "30s".parse().expect("an interval"),
        children: BTreeMap::new(),
    });
    RUNTIME.block_on(async {
        let mut all = read_all(&source, Some(1_000)).expect("the source can be meant");
        while let Ok(Some(page)) = all.next().await {
            assert!(!page.is_empty());
            for found in page {
                let _ = PIPELINE.entry(found);
            }
        }
    });
}

/// Whatever is posted, the door answers, and with an office's own words.
fn push(bytes: &[u8]) {
    let status = RUNTIME.block_on(async {
        let outbox = Outbox::open(FOLDER.path().join("outbox.sqlite")).expect("an outbox");
        let endpoint = PushEndpoint::new(
            outbox,
            [("cases".parse().expect("a name"), PIPELINE.clone())],
        );
        let request = Request::post("/v1/push/cases")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(bytes.to_vec()))
            .expect("a request");
        endpoint
            .router()
            .oneshot(request)
            .await
            .expect("infallible")
            .status()
    });
    assert!(
        status == StatusCode::OK || status.is_client_error(),
        "{status}"
    );
}
