//! MariaDB: values as text without loss, watermarks to the microsecond, read only.

use std::sync::atomic::{AtomicU32, Ordering};

use end_to_end::mariadb::MariaDb;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use office_agent::config::Source;

use crate::kept::{Kept, Reader, cell, read_all, sql_source};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A fresh database with these statements run, and its URL.
async fn office(statements: &[&str]) -> (Conn, String) {
    let server = MariaDb::shared_url().await;
    let name = format!("office_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let (address, _) = server.rsplit_once('/').expect("a url with a database");
    let url = format!("{address}/{name}");
    let mut admin = Conn::new(Opts::from_url(server).expect("a url"))
        .await
        .expect("the server");
    admin
        .query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))
        .await
        .expect("made");
    admin.query_drop(format!("USE {name}")).await.expect("used");
    admin.query_drop("SET sql_mode = ''").await.expect("set");
    for statement in statements {
        admin.query_drop(*statement).await.expect("run");
    }
    (admin, url)
}

#[tokio::test]
async fn every_type_of_value_is_text_as_people_write_it() {
    let (_admin, url) = office(&[
        "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME(6), d DATE, none DATE, n DECIMAL(14,2), big DECIMAL(40,10), f DOUBLE, \
         b TINYINT(1), u BIGINT UNSIGNED, c CHAR(10), v VARCHAR(100), j JSON, e ENUM('甲','乙'), y YEAR, bits BIT(8), \
         ti TIME, gbk VARCHAR(20) CHARACTER SET gbk, txt LONGTEXT, bl BLOB, bin BINARY(4))",
        "INSERT INTO t VALUES (1, '2024-02-29 10:11:12.123456', '2024-02-29', '0000-00-00', 80.10, 12345678901234567890.5, 0.1, \
         1, 18446744073709551615, '杭州', '王小𠮷', '{\"a\": 1}', '乙', 2024, b'101', '08:30:00', '张三', '长', x'00ff', 'abcd')",
    ])
    .await;
    let rows = read_all(sql_source(&url, "SELECT * FROM t", 10, ""))
        .await
        .expect("rows");
    for (column, expected) in [
        ("id", "1"),
        ("at", "2024-02-29 10:11:12.123456"),
        ("d", "2024-02-29"),
        ("none", "NULL"),
        ("n", "80.10"),
        ("big", "12345678901234567890.5000000000"),
        ("f", "0.1"),
        ("b", "1"),
        ("u", "18446744073709551615"),
        ("c", "杭州"),
        ("v", "王小𠮷"),
        ("j", "{\"a\": 1}"),
        ("e", "乙"),
        ("y", "2024"),
        ("bits", "5"),
        ("ti", "08:30:00"),
        ("gbk", "张三"),
        ("txt", "长"),
    ] {
        assert_eq!(cell(&rows[0], column), expected, "{column}");
    }
    assert_eq!(rows[0].columns.position("bl"), None, "bytes are not read");
    assert_eq!(rows[0].columns.position("bin"), None, "bytes are not read");
}

#[tokio::test]
async fn watermarks_of_every_type_page_without_loss() {
    let micro = "'2024-01-01' + INTERVAL (seq DIV 3) MICROSECOND";
    for (kind, value) in [
        ("DATETIME(6)", micro),
        ("TIMESTAMP(6)", micro),
        ("VARCHAR(40)", micro),
        ("DATETIME", "'2024-01-01' + INTERVAL (seq DIV 3) SECOND"),
        ("DATE", "'2024-01-01' + INTERVAL (seq DIV 3) DAY"),
        ("BIGINT", "9007199254740990 + seq DIV 3"),
        ("BIGINT UNSIGNED", "18446744073709551515 + seq DIV 3"),
        ("DECIMAL(20,6)", "seq DIV 3 / 1000000"),
        ("DOUBLE", "seq DIV 3 / 10"),
    ] {
        let (_admin, url) = office(&[
            &format!("CREATE TABLE t (id VARCHAR(20) PRIMARY KEY, at {kind} NULL)"),
            &format!("INSERT INTO t SELECT CONCAT('k', seq), {value} FROM seq_1_to_50"),
        ])
        .await;
        let source = Source::Sql(sql_source(&url, "SELECT * FROM t;", 7, ""));
        let (mut kept, mut reader) = (Kept::default(), Reader::new(&source));
        kept.catch_up(&mut reader, "id").await;
        assert_eq!((kept.rows.len(), kept.read), (50, 50), "{kind}");
    }
}

#[tokio::test]
async fn a_late_commit_within_the_overlap_is_read() {
    let (mut admin, url) = office(&[
        "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME)",
        "INSERT INTO t VALUES (1, '2024-01-01 10:00:00')",
    ])
    .await;
    let source = Source::Sql(sql_source(&url, "SELECT * FROM t", 7, "overlap = '10m'\n"));
    let (mut kept, mut reader) = (Kept::default(), Reader::new(&source));
    kept.catch_up(&mut reader, "id").await;
    admin
        .query_drop("INSERT INTO t VALUES (2, '2024-01-01 09:51:00')")
        .await
        .expect("written");
    kept.catch_up(&mut reader, "id").await;
    assert_eq!(kept.rows.len(), 2);
}

#[tokio::test]
async fn children_find_their_parent_as_the_database_compares() {
    let (_admin, url) = office(&[
        "CREATE TABLE t (id VARCHAR(20) PRIMARY KEY, at INT)",
        "CREATE TABLE p (case_id VARCHAR(20), no INT, name VARCHAR(20))",
        "INSERT INTO t VALUES ('AB1', 1), ('CD2', 2)",
        "INSERT INTO p VALUES ('ab1', 2, '乙'), ('AB1 ', 1, '甲'), ('CD2', 1, '丙')",
    ])
    .await;
    let children =
        "[children.parties]\nquery = 'SELECT * FROM p'\nparent_key = 'case_id'\norder_by = 'no'\n";
    let rows = read_all(sql_source(&url, "SELECT * FROM t", 10, children))
        .await
        .expect("rows");
    let mut names: Vec<&str> = rows[0].children["parties"]
        .iter()
        .map(|row| cell(row, "name"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["乙", "甲"]);
    assert_eq!(rows[1].children["parties"].len(), 1);
}

#[tokio::test]
async fn a_query_cannot_write() {
    let (mut admin, url) = office(&[
        "CREATE TABLE t (id INT PRIMARY KEY, at INT)",
        "INSERT INTO t VALUES (1, 1)",
        "CREATE FUNCTION spoil() RETURNS INT BEGIN DELETE FROM t; RETURN 1; END",
    ])
    .await;
    let error = read_all(sql_source(&url, "SELECT spoil() AS id, 1 AS at", 10, "")).await;
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("READ ONLY"), "{error}");
    let left: Option<u32> = admin
        .query_first("SELECT count(*) FROM t")
        .await
        .expect("counted");
    assert_eq!(left, Some(1));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words() {
    let (mut admin, url) = office(&["CREATE TABLE t (id INT PRIMARY KEY, at INT)"]).await;
    let twice = read_all(sql_source(&url, "SELECT *, 1 AS id FROM t", 10, "")).await;
    assert!(
        twice
            .expect_err("twice")
            .to_string()
            .contains("gives the column `id` twice")
    );
    let wrong = url.replacen("mysql://city:", "mysql://city:wrong", 1);
    let refused = read_all(sql_source(&wrong, "SELECT * FROM t", 10, "")).await;
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .starts_with("the database refuses the login")
    );

    let mut reader =
        office_agent::source::sql::SqlReader::new(sql_source(&url, "SELECT * FROM t", 10, ""));
    reader.page(None).await.expect("a page");
    let threads: Vec<u64> = admin
        .query("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        .await
        .expect("threads");
    for thread in threads {
        admin
            .query_drop(format!("KILL {thread}"))
            .await
            .expect("killed");
    }
    reader.page(None).await.expect_err("cut");
    reader.page(None).await.expect("connected anew");
}
