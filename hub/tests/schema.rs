//! The picture of the database, `docs/schema.md`: made of the catalogue of a migrated database, so that nobody has to put
//! it together from the migrations. `make schema` writes it anew.

use std::fmt::Write as _;
use std::{env, fs};

use notary_hub::embedded::testing::fresh_database;
use sqlx::PgPool;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema.md");
const HEAD: &str = "# The database

Made by `make schema` of the database as all of `migrations/` leave it, and held by a test: do not edit. What belongs together
and why is said in `hub/src/store/`, a room for each aggregate.

- Codes and office ids are compared bytewise (collation C), whatever a machine's language is.
- **Rows for** names the policies of row-level security: which rows a call's own role is shown, and may write. A table without one
  is read and written by the hub's own role alone.
";

/// Each table's name, what it is, and whether it is a view.
const RELATIONS: &str = "
    SELECT c.relname::text, obj_description(c.oid, 'pg_class'), c.relkind = 'v'
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
      AND c.relname <> '_sqlx_migrations'
    ORDER BY c.relname";

/// Name, type, what else is said of it.
const COLUMNS: &str = "
    SELECT a.attname::text,
           format_type(a.atttypid, a.atttypmod),
           concat_ws(', ',
               CASE WHEN a.attnotnull THEN NULL ELSE 'may be null' END,
               'default ' || pg_get_expr(d.adbin, d.adrelid)),
           col_description(a.attrelid, a.attnum)
    FROM pg_attribute a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum";

/// Keys first, then what must hold, then ways to find rows, then who is shown them.
const RULES: &str = "
    SELECT kind, text FROM (
        SELECT array_position('{p,u,f,x,c}', contype), CASE contype WHEN 'c' THEN 'Check' ELSE 'Key' END, pg_get_constraintdef(oid), conname::text
        FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('p', 'u', 'f', 'x', 'c')
        UNION ALL
        SELECT 6, 'Index', regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\\1'),
               indexrelid::regclass::text
        FROM pg_index
        WHERE indrelid = $1::text::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
        UNION ALL
        SELECT 7, 'Rows for', array_to_string(roles, ', ') || ', ' || lower(cmd) || ': ' || coalesce(qual, with_check),
               policyname::text
        FROM pg_policies WHERE schemaname = 'public' AND tablename = $1
        UNION ALL
        SELECT 8, 'Trigger', regexp_replace(pg_get_triggerdef(oid), '^CREATE TRIGGER ', ''), tgname::text
        FROM pg_trigger WHERE tgrelid = $1::text::regclass AND NOT tgisinternal
    ) AS rules (rank, kind, text, name)
    ORDER BY rank, name";

#[tokio::test]
async fn the_picture_of_the_database_is_of_this_database() {
    let database = fresh_database().await;
    let drawn = draw(&database.pool).await;
    if env::var_os("WRITE_SCHEMA").is_some() {
        fs::write(FILE, &drawn).expect("write the picture");
    }
    let kept = fs::read_to_string(FILE).expect("read the picture");
    assert!(drawn == kept, "{FILE} is stale: make schema");
}

#[tokio::test]
async fn every_table_says_what_it_holds() {
    let database = fresh_database().await;
    let silent: Vec<String> = relations(&database.pool)
        .await
        .into_iter()
        .filter_map(|(name, told, _)| told.is_none().then_some(name))
        .collect();
    assert!(silent.is_empty(), "COMMENT ON TABLE is missing: {silent:?}");
}

async fn relations(pool: &PgPool) -> Vec<(String, Option<String>, bool)> {
    let rows = sqlx::query_as(RELATIONS).fetch_all(pool).await;
    rows.expect("read the catalogue")
}

async fn draw(pool: &PgPool) -> String {
    let relations = relations(pool).await;
    let mut text = HEAD.to_owned();
    text += "\n| table | holds |\n|---|---|\n";
    for (name, told, _) in &relations {
        let told = told.as_deref().unwrap_or_default();
        writeln!(text, "| [{name}](#{name}) | {told} |").expect("a string takes it");
    }
    for (name, told, is_view) in &relations {
        let kind = if *is_view { " (view)" } else { "" };
        let told = told.as_deref().unwrap_or_default();
        write!(text, "\n## {name}\n{told}{kind}\n\n").expect("a string takes it");
        text += "| column | type | |\n|---|---|---|\n";
        text += &columns(pool, name).await;
        text += &rules(pool, name).await;
    }
    text
}

async fn columns(pool: &PgPool, table: &str) -> String {
    let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(COLUMNS)
        .bind(table)
        .fetch_all(pool)
        .await
        .expect("read the columns");
    let line = |(name, kind, said, told): (String, String, String, Option<String>)| {
        let said: Vec<String> = [(!said.is_empty()).then_some(said), told]
            .into_iter()
            .flatten()
            .collect();
        format!("| {name} | {kind} | {} |\n", cell(&said.join("; ")))
    };
    rows.into_iter().map(line).collect()
}

async fn rules(pool: &PgPool, table: &str) -> String {
    let rows: Vec<(String, String)> = sqlx::query_as(RULES)
        .bind(table)
        .fetch_all(pool)
        .await
        .expect("read the rules");
    let mut text = String::new();
    for (nth, (kind, rule)) in rows.iter().enumerate() {
        let gap = if nth == 0 { "\n" } else { "" };
        writeln!(text, "{gap}- {kind}: `{}`", one_line(rule)).expect("a string takes it");
    }
    text
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
