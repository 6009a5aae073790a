//! What BI tools may read.

use crate::client::Bureau;
use crate::record::{Case, case};
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
