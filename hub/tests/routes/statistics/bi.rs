//! What BI tools may read.

use linkage::matter::MatterType;
use notary_hub::store::reserved::{self, Locks};

use crate::client::Bureau;
use crate::record::{Case, case};
use crate::reports;
use crate::support::add_office;

/// So many cases of March.
fn march(office: &str, count: u32) -> Vec<Case> {
    (0..count)
        .map(|number| case(&format!("{office}{number}")))
        .collect()
}

#[tokio::test]
async fn bi_tools_read_views_without_small_cells_and_nothing_else() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    for (office, count) in [
        ("hangzhou", 9),
        ("xiaoshan", 3),
        ("yuhang", 7),
        ("lin-an", 0),
    ] {
        if !["hangzhou", "xiaoshan"].contains(&office) {
            add_office(pool, office).await;
        }
        bureau
            .seed
            .office(&bureau.hub, office, march(office, count))
            .await;
    }
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("SET ROLE notary_hub_bi")
        .execute(&mut *connection)
        .await
        .unwrap();
    let shown: Vec<(String, Option<i64>, bool)> = sqlx::query_as(
        "SELECT office_id, value, suppressed FROM bi_office_month WHERE measure = 'accepted' ORDER BY office_id",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    // Three are few; seven would give them away, because the city's total is known by matter.
    let expected = [
        ("hangzhou", Some(9), false),
        ("xiaoshan", None, true),
        ("yuhang", None, true),
    ];
    assert_eq!(
        shown,
        expected.map(|(office, value, suppressed)| (office.to_owned(), value, suppressed))
    );
    let total: Option<i64> =
        sqlx::query_scalar("SELECT value FROM bi_matter_month WHERE measure = 'accepted'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(total, Some(19));
    for closed in [
        "SELECT FROM case_record",
        "SELECT FROM rollup",
        "SELECT FROM rollup_cell",
        "SELECT FROM rollup_delta",
        "SELECT FROM party",
        "SELECT FROM audit_entry",
    ] {
        let refused = sqlx::query(closed).execute(&mut *connection).await;
        let error = refused.unwrap_err();
        let code = error
            .as_database_error()
            .and_then(|error| error.code())
            .unwrap()
            .into_owned();
        assert_eq!(code, "42501", "{closed}");
    }
    let limits: Vec<String> =
        sqlx::query_scalar("SELECT rolconfig FROM pg_roles WHERE rolname = 'notary_hub_bi'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert!(
        limits.contains(&"statement_timeout=30s".to_owned()),
        "{limits:?}"
    );
    assert!(
        limits.contains(&"default_transaction_read_only=on".to_owned()),
        "{limits:?}"
    );
    sqlx::query("RESET ROLE")
        .execute(&mut *connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_bi_tool_takes_no_lock_of_the_hubs_and_puts_nothing_down() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    // As a hub's start does; a database that is restored has lost it.
    assert_eq!(reserved::keep(pool).await.unwrap(), Locks::OfTheHub);
    let mut session = pool.acquire().await.unwrap();
    sqlx::raw_sql("SET default_transaction_read_only = off; SET ROLE notary_hub_bi")
        .execute(&mut *session)
        .await
        .unwrap();
    for attempt in [
        // The audit log's, and the stripes of matters that ingest and intents take.
        "SELECT pg_advisory_lock(x'617564697400'::bigint)",
        "SELECT pg_advisory_lock(28001, stripe) FROM generate_series(0, 255) AS stripe",
        "SELECT pg_try_advisory_xact_lock_shared(1)",
        "CREATE TEMPORARY TABLE filler AS SELECT generate_series(1, 2)",
        "SELECT lo_from_bytea(0, 'filler')",
    ] {
        let refused = sqlx::raw_sql(attempt).execute(&mut *session).await;
        let error = refused.expect_err(attempt);
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{attempt}: {error}");
    }
    session.close().await.unwrap();
}

/// Cells of a view, its first column before the measure.
async fn told(bureau: &Bureau, view: &'static str) -> Vec<(String, Option<i64>)> {
    let pool = &bureau.hub.db.pool;
    let mut reading = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL ROLE notary_hub_bi")
        .execute(&mut *reading)
        .await
        .unwrap();
    sqlx::query_as(view).fetch_all(&mut *reading).await.unwrap()
}

/// Cells of `applied` that are told where `accepted` is not.
async fn applied_alone(bureau: &Bureau, view: &str) -> i64 {
    let key = match view {
        "bi_office_month" => "office_id",
        _ => "matter_type",
    };
    let alone = format!(
        "SELECT count(*) FROM {view} a WHERE measure = 'applied' AND value > 0 AND NOT EXISTS (
             SELECT FROM {view} b WHERE b.{key} = a.{key} AND b.month = a.month AND b.measure = 'accepted' AND b.value IS NOT NULL)"
    );
    let asked = sqlx::query_scalar(sqlx::AssertSqlSafe(alone));
    asked.fetch_one(&bureau.hub.db.pool).await.unwrap()
}

const OFFICES: &str = "SELECT office_id, value FROM bi_office_month WHERE measure = 'accepted' ORDER BY month, office_id";
const MATTERS: &str = "SELECT matter_type, value FROM bi_matter_month WHERE measure = 'accepted' ORDER BY month, matter_type";

fn cells<const N: usize>(expected: [(&str, Option<i64>); N]) -> Vec<(String, Option<i64>)> {
    expected
        .map(|(code, value)| (code.to_owned(), value))
        .to_vec()
}

#[tokio::test]
async fn of_a_published_month_the_views_say_what_the_report_says_and_no_more() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    add_office(&hub.db.pool, "yuhang").await;
    seed.office(hub, "hangzhou", march("h", 9)).await;
    let mut mandates = march("x", 20);
    for case in &mut mandates[7..] {
        *case = case.clone().matter("mandate");
    }
    seed.office(hub, "xiaoshan", mandates).await;
    seed.office(hub, "yuhang", march("y", 3)).await;
    // Counted by themselves until then: three are few, and nine would give them away.
    let before = cells([("hangzhou", None), ("xiaoshan", Some(20)), ("yuhang", None)]);
    assert_eq!(told(&bureau, OFFICES).await, before);
    let both = cells([("mandate", Some(13)), ("will", Some(19))]);
    assert_eq!(told(&bureau, MATTERS).await, both);

    let published = reports::published(&bureau, "2024-03").await;
    let table = &published["report"]["tables"][0];
    let of_report = table["rows"].as_array().unwrap().iter().map(|row| {
        let cell = &row["cells"][0];
        let value = (cell["withheld"] == false).then(|| cell["value"].as_i64().unwrap());
        (row["code"].as_str().unwrap().to_owned(), value)
    });
    let mut of_report: Vec<_> = of_report.collect();
    of_report.sort();
    assert_eq!(told(&bureau, OFFICES).await, of_report);
    assert!(of_report.contains(&("yuhang".to_owned(), None)));
    assert_eq!(
        told(&bureau, MATTERS).await,
        both,
        "none is small, and the group is shown"
    );

    // What comes late is not told before it is published: who has both would see by how much they differ. A small matter
    // closes its whole group.
    let late = vec![case("late").matter("gift")];
    seed.office(hub, "hangzhou", late).await;
    assert_eq!(told(&bureau, OFFICES).await, of_report);
    assert_eq!(applied_alone(&bureau, "bi_office_month").await, 0);
    assert_eq!(applied_alone(&bureau, "bi_matter_month").await, 0);
    let closed = cells([("gift", None), ("mandate", None), ("will", None)]);
    assert_eq!(told(&bureau, MATTERS).await, closed);
}

#[tokio::test]
async fn of_a_month_within_a_published_quarter_the_views_say_nothing_until_it_is_published() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    // Three in March are few; the quarter and the other months would give them away.
    let mut all = march("h", 3);
    all.extend((0..30).map(|at| case(&format!("h-{at}")).accepted("2024-02-05")));
    seed.office(hub, "hangzhou", all).await;
    seed.office(hub, "xiaoshan", march("x", 30)).await;
    assert_eq!(told(&bureau, OFFICES).await.len(), 3);
    reports::published(&bureau, "2024-Q1").await;
    assert_eq!(told(&bureau, OFFICES).await, cells([]));
    assert_eq!(told(&bureau, MATTERS).await, cells([]));
    // An office that gives no day of application has as many applied as accepted.
    for view in ["bi_office_month", "bi_matter_month"] {
        assert_eq!(applied_alone(&bureau, view).await, 0, "{view}");
    }
    // What no report has is there as ever.
    seed.office(
        hub,
        "xiaoshan",
        (0..9)
            .map(|at| case(&format!("a-{at}")).accepted("2024-04-05"))
            .collect(),
    )
    .await;
    assert_eq!(told(&bureau, OFFICES).await, cells([("xiaoshan", Some(9))]));
}

#[tokio::test]
async fn the_views_group_matters_as_the_catalogue_does() {
    let bureau = Bureau::open().await;
    for matter in MatterType::all() {
        let group: Option<String> = sqlx::query_scalar("SELECT matter_group($1)")
            .bind(matter.code())
            .fetch_one(&bureau.hub.db.pool)
            .await
            .unwrap();
        assert_eq!(
            group.as_deref(),
            Some(matter.group().code()),
            "{}",
            matter.code()
        );
    }
}
