//! What an operator does about persons, with the program itself.

use notary_hub::linking::model::Models;
use serde_json::Value;
use uuid::Uuid;

use crate::city::Hub;
use crate::support::program::Site;
use crate::town::{Dice, cases, contents, drain, send};

fn ran(site: &Site, arguments: &[&str]) -> String {
    let done = site.run(arguments);
    let problem = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {problem}");
    String::from_utf8(done.stdout).unwrap()
}

fn json(site: &Site, arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    serde_json::from_str(&ran(site, &arguments)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_relinks_trains_activates_and_asks_why() {
    let mut dice = Dice(99);
    let hub = Hub::start().await;
    send(&hub, &cases(&mut dice, 120, 240)).await;
    let site = Site::new(&format!("database.url = '{}'\n", hub.url()));
    ran(&site, &["init"]);
    assert_eq!(json(&site, &["persons", "relink"])["version"], Value::Null);
    let linked = contents(&hub.pool).await;

    // Trained weights wait; a hub that runs takes them up once they are in force.
    let models = Models::default();
    let mut connection = hub.pool.acquire().await.unwrap();
    let trained = json(&site, &["persons", "train"]);
    assert!(
        trained["quality"]["f1"].as_f64().unwrap() > 0.5,
        "{trained}"
    );
    let version = trained["version"].as_str().unwrap();
    assert_eq!(
        models.in_force(&mut connection).await.unwrap().version(),
        None
    );
    assert_eq!(json(&site, &["persons", "status"])["candidate"], version);
    assert!(ran(&site, &["persons", "activate"]).contains("persons relink"));
    let in_force = models.in_force(&mut connection).await.unwrap();
    assert_eq!(in_force.version(), Some(version));
    let name = linkage::name::PreparedName::new(
        &hub.text("SELECT name FROM party LIMIT 1").await.unwrap(),
    );
    assert!(
        in_force.share_of(&name).is_some(),
        "shares of names come with them"
    );
    let status = json(&site, &["persons", "status"]);
    assert_eq!(status["is_linked_under_these"], false);
    assert_eq!(json(&site, &["persons", "relink"])["version"], version);
    assert!(
        contents(&hub.pool).await != linked,
        "other weights, other links"
    );
    let status = json(&site, &["persons", "status"]);
    assert_eq!(status["is_linked_under_these"], true);
    drain(&hub.pool, &hub.linking()).await;

    let (low, high): (Uuid, Uuid) =
        sqlx::query_as("SELECT low, high_mention FROM link ORDER BY weight DESC LIMIT 1")
            .fetch_one(&hub.pool)
            .await
            .unwrap();
    let why = ran(
        &site,
        &["persons", "explain", &low.to_string(), &high.to_string()],
    );
    assert!(why.contains("姓名") && why.contains("name "), "{why}");
    let names: Vec<String> = sqlx::query_scalar("SELECT DISTINCT name FROM party")
        .fetch_all(&hub.pool)
        .await
        .unwrap();
    assert!(
        names.iter().all(|name| !why.contains(name)),
        "masked: {why}"
    );
    let actions: Vec<String> = sqlx::query_scalar(
        "SELECT action FROM audit_entry WHERE actor = 'operator' AND action LIKE 'persons.%' AND outcome = 'done' ORDER BY 1",
    )
    .fetch_all(&hub.pool)
    .await
    .unwrap();
    let expected = [
        "persons.activate",
        "persons.explain",
        "persons.relink",
        "persons.relink",
        "persons.train",
    ];
    assert_eq!(actions, expected);
    hub.stop().await;
}
