//! Who may no longer speak is cut off however much others ask of the database.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use notary_hub::identity::Role;
use notary_hub::store;
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{Bureau, send};
use crate::support::client::ca;
use crate::support::seed::session;

/// Whether all connections for what has none of its own are waiting: six of 32.
const BUSY: &str =
    "SELECT count(*) >= 6 AND count(*) = count(*) FILTER (WHERE wait_event_type = 'Lock')
     FROM pg_stat_activity WHERE application_name = 'notary-hub' AND datname = current_database()";

#[tokio::test]
async fn a_revocation_cuts_open_streams_within_five_seconds_while_statistics_take_every_connection()
{
    let bureau = Bureau::open().await;
    let hub = &bureau.hub;
    let office = hub.enrol_again("hangzhou").await;
    let mut watching = HealthClient::new(hub.agents(&office))
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    watching.message().await.unwrap();
    let mut holder = hub.db.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE rollup_cell IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let analyst = session(hub, Role::Analyst);
    for _ in 0..24 {
        let request = Request::get("/api/v1/statistics?group_by=office&from=2024")
            .header("authorization", format!("Bearer {analyst}"));
        let request = request.body(Full::default()).unwrap();
        let (people, ca) = (hub.app.addresses().people, ca(&hub.keys));
        tokio::spawn(send(people, ca, request));
    }
    while !sqlx::query_scalar::<_, bool>(BUSY)
        .fetch_one(&hub.db.pool)
        .await
        .unwrap()
    {}
    store::office::revoke(&hub.db.pool, "hangzhou".parse().unwrap())
        .await
        .unwrap();
    let ended = timeout(Duration::from_secs(5), watching.message()).await;
    assert!(ended.expect("the open stream ends").is_err());
}
