//! Another version of the rules over a city's cases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::signature::Ed25519KeyPair;
use notary_hub::audit::{Audit, CheckpointKey};
use notary_hub::duplicates::activation::{self, Activation};
use notary_hub::duplicates::simulation;
use notary_hub::rules::Edition;
use notary_hub::store;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;

/// A narrower window, another severity, one rule less, and one that asks for less to be the same.
fn next_edition() -> Edition {
    let changes = [
        (
            "party = [\"decedent\"]\nwindow_days = 3653",
            "party = [\"decedent\"]\nwindow_days = 30",
        ),
        (
            "id = \"MANDATE_SAME_PROPERTY\"\nseverity = \"conflict\"",
            "id = \"MANDATE_SAME_PROPERTY\"\nseverity = \"duplicate\"",
        ),
        (
            "id = \"GUARDIANSHIP_SAME_WARD\"",
            "id = \"ONE_WARD_ONE_GUARDIAN\"",
        ),
        (
            "party = [\"applicant\"]\nplace_of_use = true\nwindow_days = 180\nnotice_zh = \"同一申请人就",
            "party = [\"applicant\"]\nwindow_days = 3653\nnotice_zh = \"同一申请人就",
        ),
    ];
    let Edition { mut text, rules } = Edition::shipped();
    let line = |version: &str| format!("version = \"{version}\"");
    text = text.replacen(&line(rules.version()), &line("next"), 1);
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    Edition::parse(text).unwrap()
}

type Pair = [String; 4];

/// Rule and severity of each pair that has an open finding.
async fn findings(pool: &PgPool) -> BTreeMap<Pair, (String, String)> {
    let rows: Vec<(String, String, String, String, String, String)> = sqlx::query_as(
        "SELECT rule_id, severity, left_office, left_case, right_office, right_case FROM duplicate_finding
          WHERE closed_at IS NULL",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.into_iter()
        .map(|(rule, severity, lo, lc, ro, rc)| ([lo, lc, ro, rc], (rule, severity)))
        .collect()
}

/// Everything that rules bring about, in words.
async fn contents(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT 'finding ' || f::text FROM duplicate_finding f
         UNION ALL SELECT 'key ' || k::text FROM matter_key k
         UNION ALL SELECT 'notice ' || n::text FROM notice n
         UNION ALL SELECT 'rules ' || r::text FROM rules_version r
         ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn activate(hub: &Hub, edition: &Edition) -> Activation {
    let key = CheckpointKey::new("test".into(), Ed25519KeyPair::generate().unwrap());
    let url = &hub.database.url;
    let (audit, log) = Audit::new(store::pool::audit(url).unwrap(), Arc::new(key));
    let stop = CancellationToken::new();
    let log = tokio::spawn(log.run(stop.clone()));
    let writers = store::pool::writers(url, 2).unwrap();
    let done = activation::activate(&writers, &audit, edition, |_| {}).await;
    stop.cancel();
    log.await.unwrap();
    done.unwrap()
}

#[tokio::test]
async fn what_a_simulation_shows_is_what_the_activation_changes() {
    let hub = Hub::with_a_city(3_000).await;
    let pool = &hub.database.pool;
    Edition::shipped().register(pool).await.unwrap();
    activate(&hub, &Edition::shipped()).await;
    let (before, next) = (findings(pool).await, next_edition());

    let untouched = contents(pool).await;
    let writers = store::pool::writers(&hub.database.url, 2).unwrap();
    let simulated = simulation::simulate(&writers, &next.rules, None, i64::MAX)
        .await
        .unwrap();
    assert_eq!(
        contents(pool).await,
        untouched,
        "a simulation writes nothing"
    );

    let done = activate(&hub, &next).await;
    let replaced = Edition::shipped().rules.version().to_owned();
    assert_eq!(done.replaced.as_ref(), Some(&replaced));
    let after = findings(pool).await;
    let pairs: BTreeSet<&Pair> = before.keys().chain(after.keys()).collect();
    let changed: BTreeSet<_> = pairs
        .into_iter()
        .filter(|pair| before.get(*pair) != after.get(*pair))
        .map(|pair| {
            let severity =
                |of: &BTreeMap<Pair, (String, String)>| of.get(pair).map(|it| it.1.clone());
            let rule = after.get(pair).or(before.get(pair)).unwrap().0.clone();
            (pair.clone(), rule, severity(&before), severity(&after))
        })
        .collect();
    let shown: BTreeSet<_> = simulated
        .differences
        .iter()
        .cloned()
        .map(|it| {
            let pair = [it.left_office, it.left_case, it.right_office, it.right_case];
            (pair, it.rule_id, it.severity_before, it.severity_after)
        })
        .collect();
    assert_eq!(shown, changed);
    let kinds: BTreeSet<&str> = simulated
        .differences
        .iter()
        .map(|it| it.change.as_str())
        .collect();
    let every_kind = ["closed", "opened", "rule_changed", "severity_changed"];
    assert!(kinds.iter().eq(every_kind.iter()), "{kinds:?}");
    let again = simulation::simulate(&writers, &next.rules, None, 1)
        .await
        .unwrap();
    assert_eq!(again.differences, [], "nothing is left to change");

    let audited: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', actor, detail ->> 'step', detail ->> 'version') FROM audit_entry
          WHERE action = 'rules.activate' ORDER BY entry_no",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let expected = [
        format!("operator done {replaced}"),
        "operator switch next".to_owned(),
        "operator done next".to_owned(),
    ];
    assert_eq!(audited, expected);
}
