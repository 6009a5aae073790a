//! Reading an SQLite database: every row comes, in whatever way rows come about while it is read.

mod interleaving;
mod office;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use office_agent::config::SqlSource;
use office_agent::source::SourceError;
use office_agent::source::row::Row;
use office_agent::source::sql::SqlReader;

use crate::office::{CASES, Kept, Office, row};

async fn first_page(source: SqlSource) -> Result<Vec<Row>, SourceError> {
    let page = SqlReader::new(source).page(None).await?;
    Ok(page.found.into_iter().map(row).collect())
}

fn expect_error<T>(result: Result<T, SourceError>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn rows_of_one_watermark_are_all_read_across_pages() {
    let office = Office::new();
    for id in ["a", "b", "c", "d", "e"] {
        office.put(id, id, Some("2024-01-01 10:00:00"));
    }
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(2)));
    kept.catch_up(&mut reader).await;
    assert_eq!(
        kept.rows.keys().map(String::as_str).collect::<Vec<_>>(),
        ["a", "b", "c", "d", "e"]
    );
    assert_eq!(kept.read, 5, "each once");
}

#[tokio::test]
async fn a_row_that_joins_the_last_watermark_behind_the_cursor_is_read() {
    let office = Office::new();
    office.put("m", "1", Some("2024-01-01 10:00:00"));
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(10)));
    kept.catch_up(&mut reader).await;
    office.put("a", "late", Some("2024-01-01 10:00:00"));
    office.put("m", "2", Some("2024-01-01 10:00:00"));
    office.put("z", "new", Some("2024-01-01 10:00:01"));
    kept.catch_up(&mut reader).await;
    let rows: Vec<_> = kept
        .rows
        .iter()
        .map(|(id, title)| (id.as_str(), title.as_str()))
        .collect();
    assert_eq!(rows, [("a", "late"), ("m", "2"), ("z", "new")]);
}

#[tokio::test]
async fn a_late_commit_is_read_within_the_overlap_only() {
    for (overlap, expected) in [("", 1), ("overlap = '10m'\n", 2)] {
        let office = Office::new();
        office.put("a", "", Some("2024-01-01 10:00:00"));
        let source = office.source(10, &format!("{CASES}{overlap}"));
        let (mut kept, mut reader) = (Kept::default(), SqlReader::new(source));
        kept.catch_up(&mut reader).await;
        office.put("late", "", Some("2024-01-01 09:55:00"));
        kept.catch_up(&mut reader).await;
        assert_eq!(kept.rows.len(), expected, "{overlap}");
    }
}

#[tokio::test]
async fn a_watermark_in_the_future_keeps_no_later_change_from_being_read() {
    let office = Office::new();
    office.put("a", "", Some("2024-01-01 10:00:00"));
    office.put("typing error", "", Some("2099-01-01 00:00:00"));
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(10)));
    kept.catch_up(&mut reader).await;
    let now = "INSERT INTO gz_case VALUES ('now', '', datetime('now', '+8 hours'))";
    office.db.execute(now, []).expect("written");
    let page = reader.page(kept.cursor.as_deref()).await.expect("a page");
    assert!(page.notes[0].contains("在未来"), "{:?}", page.notes);
    kept.take(page);
    assert!(kept.rows.contains_key("now"));
    let cursor = kept.cursor.as_deref().unwrap_or_default();
    assert!(
        !cursor.contains(r#""begin":{"text":"2099"#),
        "or a change while the agent is off would be missed: {cursor}"
    );
}

#[tokio::test]
async fn a_watermark_that_is_ordered_as_text_is_told_of() {
    let office = Office::new();
    office.put("a", "", Some("2024/9/30"));
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(10)));
    kept.catch_up(&mut reader).await;
    let page = reader.page(kept.cursor.as_deref()).await.expect("a page");
    assert!(page.notes[0].contains("按文本排序"), "{:?}", page.notes);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_opened_anew() {
    let office = Office::new();
    office.put("a", "old", Some("2024-01-01 10:00:00"));
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(10)));
    kept.catch_up(&mut reader).await;
    let other = Office::new();
    other.put("a", "new", Some("2024-01-02 10:00:00"));
    other.put("b", "", Some("2024-01-02 10:00:00"));
    std::fs::rename(other.path(), office.path()).expect("replaced");
    kept.catch_up(&mut reader).await;
    assert_eq!(kept.rows["a"], "new");
    assert_eq!(kept.rows.len(), 2);
}

#[tokio::test]
async fn text_of_another_encoding_is_read_by_it_or_refused_by_the_columns_name() {
    let office = Office::new();
    let gbk = encoding_rs::GB18030.encode("张三").0.into_owned();
    let put =
        "INSERT INTO gz_case VALUES (CAST(?1 AS TEXT), CAST(?1 AS TEXT), '2024-01-01 10:00:00')";
    office.db.execute(put, [&gbk]).expect("written");
    let put = "INSERT INTO gz_party VALUES (CAST(?1 AS TEXT), 1, CAST(?1 AS TEXT))";
    office.db.execute(put, [&gbk]).expect("written");
    let error = expect_error(first_page(office.cases(10)).await);
    assert!(
        error.contains("the column `id` holds text that is not UTF-8"),
        "{error}"
    );
    let rest = format!(
        "{CASES}encoding = 'gb18030'\n[children.parties]\nquery = 'SELECT * FROM gz_party'\nparent_key = 'case_id'\n"
    );
    let rows = first_page(office.source(10, &rest)).await.expect("a page");
    assert_eq!(rows[0].get("title"), Some("张三"));
    assert_eq!(
        rows[0].children["parties"][0].get("name"),
        Some("张三"),
        "joined by such a key"
    );
}

#[tokio::test]
async fn nothing_is_handed_on_while_nothing_changes() {
    let office = Office::new();
    office.put("a", "", Some("2024-01-01 10:00:00"));
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(10)));
    kept.catch_up(&mut reader).await;
    for _ in 0..3 {
        kept.catch_up(&mut reader).await;
    }
    assert_eq!(kept.read, 1);
}

#[tokio::test]
async fn a_reader_goes_on_from_a_kept_cursor_in_the_middle() {
    let office = Office::new();
    for number in 0..20 {
        office.put(&format!("{number:02}"), "", Some("2024-01-01 10:00:00"));
    }
    let mut kept = Kept::default();
    while kept.take(
        SqlReader::new(office.cases(7))
            .page(kept.cursor.as_deref())
            .await
            .expect("a page"),
    ) && kept.rows.len() < 20
    {}
    assert_eq!((kept.rows.len(), kept.read), (20, 20));
}

#[tokio::test]
async fn rows_without_a_watermark_are_read_and_told_of() {
    let office = Office::new();
    office.put("a", "", Some("2024-01-01 10:00:00"));
    for id in ["x", "y", "z"] {
        office.put(id, "", None);
    }
    office
        .db
        .execute(
            "INSERT INTO gz_case VALUES (NULL, 'no key', '2024-01-01')",
            [],
        )
        .expect("written");
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(office.cases(2)));
    kept.catch_up(&mut reader).await;
    assert_eq!(kept.rows.len(), 4);
    let page = reader.page(kept.cursor.as_deref()).await.expect("a page");
    assert_eq!(
        page.notes,
        [
            "3 行没有 watermark，仅每 10 分钟重读一次 (3 rows have no watermark; they are read again every 10 minutes only)",
            "1 行没有主键，未读取 (1 rows have no key and are not read)",
        ]
    );
}

#[tokio::test]
async fn children_come_with_their_parent_in_order() {
    let office = Office::new();
    for id in ["a", "b", "c"] {
        office.put(id, "", Some("2024-01-01"));
    }
    office
        .db
        .execute_batch("INSERT INTO gz_party VALUES ('c', 2, '丙二'), ('a', 1, '甲'), ('c', 1, '丙一'), ('gone', 1, '无')")
        .expect("written");
    let children = "[children.parties]\nquery = 'SELECT * FROM gz_party'\nparent_key = 'case_id'\norder_by = 'no'\n";
    let rows = first_page(office.source(10, &format!("{CASES}{children}")))
        .await
        .expect("a page");
    let names = |row: &Row| {
        let parties = row
            .children
            .get("parties")
            .map(Vec::as_slice)
            .unwrap_or_default();
        parties
            .iter()
            .map(|party| party.get("name").unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rows.iter().map(names).collect::<Vec<_>>(),
        [vec!["甲"], vec![], vec!["丙一", "丙二"]]
    );
    assert_eq!(rows[0].children["parties"][0].location, "sql:cases:parties");
}

#[tokio::test]
async fn values_of_every_kind_are_text() {
    let office = Office::new();
    let query = "query = \"SELECT 1 AS id, 5 AS w, 0.1 AS r, 80.0 AS whole, 1e16 AS big, x'00ff' AS bytes, NULL AS n, '张' AS t, 9007199254740993 AS i\"";
    let source = office.source(10, &format!("{query}\nwatermark = 'w'\nkey = 'id'\n"));
    let rows = first_page(source).await.expect("a page");
    let cells: Vec<_> = rows[0].cells.iter().map(Option::as_deref).collect();
    let some = Some;
    assert_eq!(
        cells,
        [
            some("1"),
            some("5"),
            some("0.1"),
            some("80"),
            some("10000000000000000"),
            None,
            None,
            some("张"),
            some("9007199254740993"),
        ]
    );
}

#[tokio::test]
async fn whole_numbers_are_compared_as_numbers_to_the_last_digit() {
    let office = Office::new();
    office
        .db
        .execute_batch(
            "CREATE TABLE v (id INTEGER PRIMARY KEY, title TEXT, ver INTEGER);
             INSERT INTO v SELECT value, '', 9007199254740990 + value FROM generate_series(1, 12)",
        )
        .or_else(|_| {
            office.db.execute_batch(
                "INSERT INTO v WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 12)
                 SELECT value, '', 9007199254740990 + value FROM n",
            )
        })
        .expect("written");
    let source = office.source(
        5,
        "query = 'SELECT * FROM v'\nwatermark = 'ver'\nkey = 'id'\n",
    );
    let (mut kept, mut reader) = (Kept::default(), SqlReader::new(source));
    kept.catch_up(&mut reader).await;
    assert_eq!((kept.rows.len(), kept.read), (12, 12));
}

#[tokio::test]
async fn what_is_wrong_in_the_configuration_is_said() {
    let office = Office::new();
    office.put("a", "", Some("2024-01-01"));
    let error = |rest: &'static str| {
        let source = office.source(10, rest);
        async move { expect_error(first_page(source).await) }
    };
    assert_eq!(
        error("query = 'SELECT id, updated_at FROM gz_case'\nwatermark = 'gxsj'\nkey = 'id'\n")
            .await,
        "the query gives no column `gxsj`; it gives: id, updated_at",
    );
    assert!(
        error("query = 'SELECT id, id, updated_at FROM gz_case'\nwatermark = 'updated_at'\nkey = 'id'\n")
            .await
            .contains("gives the column `id` twice")
    );
    assert!(
        error("query = 'SELECT * FROM nowhere'\nwatermark = 'updated_at'\nkey = 'id'\n")
            .await
            .contains("no such table")
    );
    assert!(
        error("query = \"SELECT 'k' AS id, updated_at FROM gz_case UNION ALL SELECT 'k', '2024-01-01'\"\nwatermark = 'updated_at'\nkey = 'id'\n")
            .await
            .contains("`id` is not unique")
    );
    assert!(
        error("query = 'SELECT id, 5 AS updated_at FROM gz_case'\nwatermark = 'updated_at'\nkey = 'id'\noverlap = '5m'\n")
            .await
            .starts_with("`overlap` needs"),
    );
}

#[tokio::test]
async fn a_query_that_writes_changes_nothing() {
    let office = Office::new();
    office.put("a", "", Some("2024-01-01"));
    let source = office.source(
        10,
        "query = \"DELETE FROM gz_case RETURNING id, updated_at\"\nwatermark = 'updated_at'\nkey = 'id'\n",
    );
    expect_error(first_page(source).await);
    let left: i64 = office
        .db
        .query_row("SELECT count(*) FROM gz_case", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(left, 1);
}

#[tokio::test]
async fn a_missing_or_foreign_file_is_no_database_and_is_not_made() {
    let office = Office::new();
    let missing = office.folder.path().join("missing.db");
    let foreign = office.folder.path().join("foreign.db");
    std::fs::write(&foreign, "no database at all, just a text of some length").expect("written");
    for path in [&missing, &foreign] {
        let text = format!(
            "name = 'x'\nmapping = 'm'\nurl = 'sqlite:{}'\n{CASES}",
            path.display()
        );
        let source: SqlSource = toml::from_str(&text).expect("a source");
        let error = expect_error(first_page(source).await);
        assert!(
            error.starts_with("the database cannot be reached"),
            "{error}"
        );
    }
    assert!(!missing.exists());
}

#[tokio::test]
async fn the_office_can_write_however_long_the_agents_turn_takes_to_come() {
    let office = Office::new();
    for number in 0..5 {
        office.put(&format!("{number}"), "", Some("2024-01-01 10:00:00"));
    }
    let mut reader = SqlReader::new(office.cases(2));
    let mut page = pin!(reader.page(None));
    // The reader's task gets one turn after each write and none during it: a lock kept from turn to turn never ends.
    while page
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_pending()
    {
        office.put("9", "changed", Some("2024-01-01 10:00:01"));
    }
}
