//! PostgreSQL: values as text without loss, watermarks to the microsecond, read only.

use notary_hub::embedded::testing::{TestDatabase, fresh_database};
use office_agent::config::Source;

use crate::kept::{Kept, Reader, cell, read_all, sql_source};

async fn office(sql: &'static str) -> TestDatabase {
    let database = fresh_database().await;
    sqlx::raw_sql(sql)
        .execute(&database.pool)
        .await
        .expect("tables");
    database
}

#[tokio::test]
async fn every_type_of_value_is_text_as_people_write_it() {
    let database = office(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamp, d date, tz timestamptz, n numeric(14,2), big numeric, f float8, \
         b boolean, c char(10), v varchar, j jsonb, u uuid, m money, i interval, a text[], blob bytea, nothing text);
         INSERT INTO t VALUES (1, '2024-02-29 10:11:12.123456', '2024-02-29', '2024-02-29 23:30:00+00', 80.10, \
         12345678901234567890.123456789, 0.1, true, '杭州', '王小𠮷', '{\"a\":1}', \
         '00000000-0000-0000-0000-000000000001', 1234.5, '90 minutes', '{a,b}', '\\x00ff', NULL);",
    )
    .await;
    let rows = read_all(sql_source(&database.url, "SELECT * FROM t", 10, ""))
        .await
        .expect("rows");
    for (column, expected) in [
        ("id", "1"),
        ("at", "2024-02-29 10:11:12.123456"),
        ("d", "2024-02-29"),
        ("tz", "2024-03-01 07:30:00+08"),
        ("n", "80.10"),
        ("big", "12345678901234567890.123456789"),
        ("f", "0.1"),
        ("b", "true"),
        ("c", "杭州"),
        ("v", "王小𠮷"),
        ("j", "{\"a\": 1}"),
        ("u", "00000000-0000-0000-0000-000000000001"),
        ("m", "1234.50"),
        ("a", "{a,b}"),
        ("nothing", "NULL"),
    ] {
        assert_eq!(cell(&rows[0], column), expected, "{column}");
    }
    assert_eq!(rows[0].columns.position("blob"), None, "bytes are not read");
}

#[tokio::test]
async fn watermarks_of_every_type_page_without_loss() {
    for kind in [
        "timestamp",
        "timestamptz",
        "text COLLATE \"C\"",
        "varchar(40)",
    ] {
        let database = fresh_database().await;
        let sql = format!(
            "CREATE TABLE t (id char(8) PRIMARY KEY, at {kind});
             INSERT INTO t SELECT 'K' || n, (timestamp '2024-01-01' + n / 3 * interval '1 microsecond')::text::{kind}
             FROM generate_series(1, 50) n"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&database.pool)
            .await
            .expect("rows");
        paged(&database.url, kind).await;
    }
    for kind in ["bigint", "numeric", "double precision", "integer"] {
        let database = fresh_database().await;
        let first: i64 = if kind == "bigint" || kind == "numeric" {
            9_007_199_254_740_990
        } else {
            5
        };
        let sql = format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, at {kind}); INSERT INTO t SELECT n, {first} + n / 3 FROM generate_series(1, 50) n"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&database.pool)
            .await
            .expect("rows");
        paged(&database.url, kind).await;
    }
}

async fn paged(url: &str, kind: &str) {
    let source = Source::Sql(sql_source(url, "SELECT * FROM t;", 7, ""));
    let (mut kept, mut reader) = (Kept::default(), Reader::new(&source));
    kept.catch_up(&mut reader, "id").await;
    assert_eq!((kept.rows.len(), kept.read), (50, 50), "{kind}");
}

#[tokio::test]
async fn a_query_cannot_write() {
    let database = office(
        "CREATE TABLE t (id int PRIMARY KEY, at int); INSERT INTO t VALUES (1, 1);
         CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING 1';",
    )
    .await;
    let error = read_all(sql_source(
        &database.url,
        "SELECT spoil() AS id, 1 AS at",
        10,
        "",
    ))
    .await;
    assert!(
        error
            .expect_err("refused")
            .to_string()
            .contains("read-only transaction")
    );
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM t")
        .fetch_one(&database.pool)
        .await
        .expect("counted");
    assert_eq!(left, 1);
}

#[tokio::test]
async fn a_cut_connection_is_an_error_and_the_next_page_connects_anew() {
    let database = office("CREATE TABLE t (id int PRIMARY KEY, at int); INSERT INTO t SELECT n, n FROM generate_series(1, 20) n").await;
    let mut reader = office_agent::source::sql::SqlReader::new(sql_source(
        &database.url,
        "SELECT * FROM t",
        7,
        "",
    ));
    let first = reader.page(None).await.expect("a page");
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'office-agent' AND datname = current_database()")
        .execute(&database.pool)
        .await
        .expect("cut");
    reader.page(first.cursor.as_deref()).await.expect_err("cut");
    let second = reader.page(first.cursor.as_deref()).await.expect("a page");
    assert_eq!(second.found.len(), 7);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words_without_values() {
    let database = office(
        "CREATE TABLE t (id int PRIMARY KEY, at int, w text); INSERT INTO t VALUES (1, 1, '张三')",
    )
    .await;
    let error = |query: &'static str, rest: &'static str| {
        let source = sql_source(&database.url, query, 10, rest);
        async move { read_all(source).await.expect_err("wrong").to_string() }
    };
    assert!(
        error("SELECT *, 1 AS id FROM t", "")
            .await
            .contains("gives the column `id` twice")
    );
    assert!(
        error("SELECT * FROM nowhere", "")
            .await
            .contains("relation \"nowhere\" does not exist")
    );
    let children = "[children.parties]\nquery = 'SELECT 1 AS no'\nparent_key = 'case_id'\n";
    assert_eq!(
        error("SELECT * FROM t", children).await,
        "the query of the child `parties` gives no column `case_id`; it gives: no"
    );
    let value = error("SELECT id, w::int AS at FROM t", "").await;
    assert!(
        value.contains("SQLSTATE 22P02") && !value.contains("张三"),
        "{value}"
    );
    let away = read_all(sql_source(
        "postgres://nobody@127.0.0.1:1/x",
        "SELECT 1",
        10,
        "",
    ))
    .await;
    assert!(
        away.expect_err("away")
            .to_string()
            .starts_with("the database cannot be reached")
    );
}
