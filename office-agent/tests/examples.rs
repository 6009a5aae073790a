//! The examples are what they say: each configuration and the mapping it names can be used.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use office_agent::config::Config;
use office_agent::mapping::Mapping;

#[test]
fn every_example_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut loaded = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let example = entry.unwrap();
        if !example.file_type().unwrap().is_dir() {
            continue;
        }
        let config = Config::load(&example.path().join("office-agent.toml")).unwrap();
        let [source] = config.sources.as_slice() else {
            panic!("{:?} has one source", example.path())
        };
        assert!(source.mapping().starts_with(example.path()));
        let mapping = Mapping::load(source.mapping()).unwrap();
        assert!(
            mapping
                .columns()
                .values()
                .map(|columns| columns.len())
                .sum::<usize>()
                > 20
        );
        loaded.push(example.file_name().into_string().unwrap());
    }
    loaded.sort();
    assert_eq!(
        loaded,
        ["csv-export", "push", "tables", "wide-table", "workbook"]
    );
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for name in loaded {
        assert!(
            readme.contains(&format!("| `{name}` |")),
            "the README names {name}"
        );
    }
}
