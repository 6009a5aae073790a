//! Files that come, grow, change and go.

use std::fs;

use office_agent::config::Source;
use office_agent::source::folder::FolderReader;
use office_agent::source::read_all;

use crate::export::{Export, Office, rows, table, touch};

#[tokio::test]
async fn only_a_changed_file_is_read_again() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    export.write("b.csv", "k,v\n2,b\n");
    let mut office = export.reader();
    assert_eq!(office.read().await.len(), 2);
    assert!(office.read().await.is_empty());
    export.write("a.csv", "k,v\n1,a\n3,c\n");
    touch(&export.path("a.csv"), 5);
    let again = rows(office.read().await);
    assert_eq!(
        again
            .iter()
            .map(|row| row.location.as_str())
            .collect::<Vec<_>>(),
        ["a.csv:2", "a.csv:3"]
    );
}

#[tokio::test]
async fn a_copy_with_another_time_and_a_restart_read_nothing_again() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    let mut office = export.reader();
    assert_eq!(office.read().await.len(), 1);
    touch(&export.path("a.csv"), 5);
    office.reader = FolderReader::new(export.source()).expect("a pattern");
    assert!(office.read().await.is_empty());
    assert!(
        office
            .cursor
            .as_deref()
            .is_some_and(|cursor| cursor.contains("a.csv"))
    );
}

#[tokio::test]
async fn reading_goes_on_in_the_middle_of_a_file_after_a_restart() {
    let export = Export::csv();
    let lines: String = (0..2500).map(|number| format!("{number},v\n")).collect();
    export.write("a.csv", format!("k,v\n{lines}"));
    let mut office = export.reader();
    let mut seen = Vec::new();
    while seen.len() < 2500 {
        let page = office
            .reader
            .page(office.cursor.as_deref())
            .await
            .expect("a page");
        assert!(page.found.len() <= 1000);
        if !page.found.is_empty() {
            seen.extend(page.found);
            office.cursor = page.cursor;
            office.reader = FolderReader::new(export.source()).expect("a pattern");
        } else if let Some(wait) = page.wait {
            tokio::time::sleep(wait).await;
        }
    }
    let keys: Vec<String> = table(seen)
        .into_iter()
        .filter_map(|row| row[0].clone())
        .collect();
    assert_eq!(
        keys,
        (0..2500)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
    assert!(office.read().await.is_empty());
}

#[tokio::test]
async fn a_file_is_not_read_while_it_grows() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,");
    let mut office = export.reader();
    let page = office.reader.page(None).await.expect("a page");
    assert!(page.found.is_empty() && page.wait.is_some());
    export.write("a.csv", "k,v\n1,a\n2,b");
    touch(&export.path("a.csv"), 5);
    let page = office.reader.page(None).await.expect("a page");
    assert!(
        page.found.is_empty() && page.wait.is_some(),
        "it looked different a moment ago"
    );
    assert_eq!(office.read().await.len(), 2);
}

#[tokio::test]
async fn files_stay_as_they_are() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    let before = fs::metadata(export.path("a.csv"))
        .and_then(|meta| meta.modified())
        .expect("a time");
    export.reader().read().await;
    let after = fs::metadata(export.path("a.csv"))
        .and_then(|meta| meta.modified())
        .expect("a time");
    assert_eq!(before, after);
    assert_eq!(
        fs::read_dir(export.folder.path())
            .expect("a folder")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_folder_that_is_missing_is_an_error_and_comes_back() {
    let export = Export::csv();
    let mut source = export.source();
    source.path = export.path("later");
    let mut reader = FolderReader::new(source).expect("a pattern");
    let error = reader.page(None).await.expect_err("missing").to_string();
    assert!(error.contains("later cannot be read"), "{error}");
    fs::create_dir(export.path("later")).expect("made");
    export.write("later/a.csv", "k\n1\n");
    let mut office = Office {
        reader,
        cursor: None,
    };
    assert_eq!(office.read().await.len(), 1);
}

#[tokio::test]
async fn a_pattern_of_another_kind_is_refused() {
    let export = Export::new("pattern = '*.txt'\n");
    let error = FolderReader::new(export.source())
        .expect_err("no kind")
        .to_string();
    assert!(error.contains("`*.txt`"), "{error}");
}

#[tokio::test]
async fn reading_once_takes_files_as_they_are_and_stops_at_the_limit() {
    let export = Export::csv();
    let lines: String = (0..2500).map(|number| format!("{number},v\n")).collect();
    export.write("a.csv", format!("k,v\n{lines}"));
    export.write("bad.csv", "");
    let source = Source::Folder(export.source());
    for (limit, expected) in [(None, 2500), (Some(1500), 1500)] {
        let mut all = read_all(&source, limit).expect("a source");
        let mut count = 0;
        while let Some(found) = all.next().await.expect("rows") {
            count += found.len();
        }
        assert_eq!(count, expected);
        let bad: Vec<&str> = all
            .bad_files()
            .iter()
            .map(|bad| bad.file.as_str())
            .collect();
        if limit.is_none() {
            assert_eq!(bad, ["bad.csv"]);
        }
    }
}

#[tokio::test]
async fn a_file_that_was_away_for_a_moment_is_not_read_again() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    let mut office = export.reader();
    assert_eq!(office.read().await.len(), 1);
    fs::rename(export.path("a.csv"), export.path("a.away")).expect("away");
    assert!(office.read().await.is_empty());
    fs::rename(export.path("a.away"), export.path("a.csv")).expect("back");
    assert!(office.read().await.is_empty());
}

#[tokio::test]
async fn rows_are_as_old_as_their_file_and_not_older_than_what_it_replaces() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    touch(&export.path("a.csv"), 100);
    let mut office = export.reader();
    let mut told = Vec::new();
    for content in ["k,v\n1,b\n2,b\n", ""] {
        let mut more = true;
        while more {
            let page = office.reader.page(office.cursor.as_deref()).await;
            let page = page.expect("a page");
            if !page.found.is_empty() {
                told.extend(page.told_at);
            }
            office.cursor = page.cursor.or(office.cursor.take());
            more = page.more || page.wait.is_some();
            if let (false, Some(wait)) = (page.more, page.wait) {
                tokio::time::sleep(wait).await;
            }
        }
        // By a clock that was put back.
        export.write("a.csv", content);
        touch(&export.path("a.csv"), 5);
    }
    assert!(told[0] <= told[1], "{told:?}");
}

#[tokio::test]
async fn names_that_are_not_utf8_and_a_pattern_that_means_nothing_are_told_of() {
    use std::os::unix::ffi::OsStringExt;

    let export = Export::csv();
    for name in ["五月.csv", "六月.csv"] {
        let name = std::ffi::OsString::from_vec(crate::export::gb18030(name));
        fs::write(export.folder.path().join(name), "k\n1\n").expect("written");
    }
    let mut office = export.reader();
    assert!(office.read().await.is_empty());
    let bad = office.bad();
    assert_eq!(bad.len(), 2, "{bad:?}");
    assert!(
        bad.iter()
            .any(|bad| bad.starts_with("五月.csv: has a name")),
        "{bad:?}"
    );
    export.write("cases.xlsx", "");
    let page = office.reader.page(None).await.expect("a page");
    assert!(page.notes[0].contains("没有一个符合"), "{:?}", page.notes);
}
