//! Rules and tariffs that are replaced while a hub runs.

use std::sync::Arc;

use http::Method;
use notary_hub::audit::{Audit, key_file};
use notary_hub::statistics::calendar::Calendar;
use notary_hub::store;
use notary_hub::supervision::activation::{ActivationError, activate};
use notary_hub::supervision::edition::{Edition, EditionError, Part};
use notary_hub::supervision::replay::{Found, simulate};
use serde_json::Value;
use time::macros::date;
use tokio_util::sync::CancellationToken;

use super::{findings, judged, late, supervisor};
use crate::client::Bureau;

/// The shipped rules with ten working days more, and a rule that was not there before in place of another.
fn next() -> Edition {
    let shipped = Edition::shipped();
    let [(_, rules), _] = shipped
        .texts()
        .map(|(part, text)| (part, text.content.clone()));
    let rules = rules
        .replacen("version = \"", "version = \"next-", 1)
        .replacen(
            "working_days = 15\nrow = \"N4\"",
            "working_days = 60\nrow = \"N4\"",
            1,
        )
        .replacen(
            "id = \"PRACTICE_AREA_PARTY\"",
            "id = \"AREA_OF_THE_PARTY\"",
            1,
        );
    shipped.with(Some(rules), None).unwrap()
}

async fn simulated(bureau: &Bureau, edition: &Edition) -> Found {
    let (pool, calendar) = (&bureau.hub.db.pool, Calendar::builtin());
    simulate(pool, &edition.rules, &calendar, date!(2026 - 11 - 26), None)
        .await
        .unwrap()
}

async fn put_in_force(bureau: &Bureau, edition: &Edition) -> Result<u64, ActivationError> {
    let key = Arc::new(key_file::load_or_make(&bureau.hub.keys.config).unwrap());
    let (audit, log) = Audit::new(store::pool::audit(&bureau.hub.db.url).unwrap(), key);
    let stop = CancellationToken::new();
    let log = tokio::spawn(log.run(stop.clone()));
    let done = activate(&bureau.hub.db.pool, &audit, edition).await;
    stop.cancel();
    log.await.unwrap();
    done.map(|done| done.cases)
}

async fn version_told(bureau: &Bureau) -> String {
    let path = "/api/v1/supervision/rules";
    let rules = bureau
        .ask(supervisor(), Method::GET, path, Value::Null)
        .await;
    rules.json()["version"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_another_version_would_change_is_told_before_and_done_by_running_hubs_after_it_is_put_in_force()
 {
    let bureau = Bureau::open().await;
    let cases = vec![late("C1"), late("C2").number(2)];
    bureau.seed.office(&bureau.hub, "hangzhou", cases).await;
    judged(&bureau).await;
    let shipped = Edition::shipped();
    let before = findings(&bureau, supervisor(), "?rule=TIME_LIMIT").await;
    assert_eq!(before.len(), 2);

    // Nothing changes under what is in force, and nothing is written by asking.
    let same = simulated(&bureau, &shipped).await;
    assert_eq!(same.cases, 2);
    assert!(
        same.rules
            .values()
            .all(|of| of.opens + of.clears + of.alters + of.reopens == 0)
    );
    assert_eq!(same.rules["TIME_LIMIT"].hits, 2);
    let next = next();
    let found = simulated(&bureau, &next).await;
    assert_eq!(
        (
            found.rules["TIME_LIMIT"].hits,
            found.rules["TIME_LIMIT"].clears
        ),
        (0, 2)
    );
    assert_eq!(found.rules["TIME_LIMIT"].examples[0].about_key, "C1");
    let texts = "SELECT count(*) FROM supervision_text";
    let texts: i64 = sqlx::query_scalar(texts)
        .fetch_one(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(texts, 2, "one of each part");
    assert_eq!(version_told(&bureau).await, shipped.rules.version);

    assert_eq!(put_in_force(&bureau, &next).await.unwrap(), 2);
    judged(&bureau).await;
    let after = findings(&bureau, supervisor(), "?rule=TIME_LIMIT").await;
    assert!(after.is_empty(), "open and cleared: {after:?}");
    assert_eq!(version_told(&bureau).await, next.rules.version);
    let again = simulated(&bureau, &next).await;
    assert!(again.rules.values().all(|of| of.opens + of.clears == 0));

    // And back: the same edition again does nothing, the one before opens what it cleared.
    assert_eq!(put_in_force(&bureau, &next).await.unwrap(), 0);
    assert_eq!(
        simulated(&bureau, &shipped).await.rules["TIME_LIMIT"].opens,
        2
    );
    assert_eq!(put_in_force(&bureau, &shipped).await.unwrap(), 2);
    judged(&bureau).await;
    let back = findings(&bureau, supervisor(), "?rule=TIME_LIMIT").await;
    assert_eq!(back.len(), 2, "{back:?}");
    assert_eq!(back[0]["rules_version"], shipped.rules.version);
    let log = bureau.log().await;
    let switches = log
        .iter()
        .filter(|entry| entry.action == "supervision.activate" && entry.outcome == "done");
    assert_eq!(switches.count(), 2);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_changed_text_under_a_known_version_is_refused_and_rules_are_asked_for_by_their_own_ids()
{
    let bureau = Bureau::open().await;
    let shipped = Edition::shipped();
    let [_, (_, tariff)] = shipped
        .texts()
        .map(|(part, text)| (part, text.content.clone()));
    let changed = tariff.replacen("rate = 200", "rate = 201", 1);
    let changed = shipped.with(None, Some(changed)).unwrap();
    let refused = put_in_force(&bureau, &changed).await;
    assert!(matches!(
        refused,
        Err(ActivationError::Edition(EditionError::Changed {
            part: Part::Tariff,
            ..
        }))
    ));

    let by_rule =
        |id: &str| format!("/api/v1/statistics?measures=findings&group_by=rule&rule={id}");
    let ask = async |id: &str| {
        let path = by_rule(id);
        bureau
            .ask(supervisor(), Method::GET, &path, Value::Null)
            .await
            .status
    };
    assert_eq!(
        (
            ask("AREA_OF_THE_PARTY").await,
            ask("PRACTICE_AREA_PARTY").await
        ),
        (400, 200)
    );
    put_in_force(&bureau, &next()).await.unwrap();
    bureau.taken_up(&next().rules.version).await;
    assert_eq!(
        (
            ask("AREA_OF_THE_PARTY").await,
            ask("PRACTICE_AREA_PARTY").await
        ),
        (200, 400)
    );
    bureau.hub.app.stop().await.unwrap();
}

impl Bureau {
    /// The hub says that this version is in force.
    async fn taken_up(&self, version: &str) {
        while version_told(self).await != version {
            tokio::task::yield_now().await;
        }
    }
}
