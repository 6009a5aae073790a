//! The log of who asked what, as a supervisor reads it.

use data_encoding::HEXLOWER;
use notary_hub::audit::merkle::TreeHead;
use notary_hub::audit::{archive, checkpoint, key_file};
use notary_hub::identity::Role;
use serde_json::{Value, json};

use crate::client::Bureau;

#[tokio::test]
async fn reading_the_log_is_an_entry_of_its_own() {
    let bureau = Bureau::open().await;
    let entries = "/api/v1/audit/entries?limit=1";
    let first = bureau.get(Role::Supervisor, entries).await.json();
    assert!(first["items"].as_array().unwrap().is_empty());
    bureau.get(Role::Supervisor, entries).await;
    let newest = bureau.get(Role::Supervisor, entries).await.json();
    assert_eq!(newest["items"][0]["entry_no"], 2);
    assert_eq!(newest["items"][0]["action"], "audit.list");
    let cursor = newest["next_cursor"].as_str().unwrap();
    let older = bureau
        .get(Role::Supervisor, &format!("{entries}&cursor={cursor}"))
        .await
        .json();
    assert_eq!(older["items"][0]["entry_no"], 1);
}

fn numbers(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|entry| entry["entry_no"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn the_log_is_asked_who_looked_at_what() {
    let bureau = Bureau::open().await;
    let seen = async |path: &str| {
        let path = format!("/api/v1/audit/entries{path}");
        numbers(&bureau.get(Role::Supervisor, &path).await.json())
    };
    // Entries 1 and 2: a reading and a refusal; what follows are the readings of the test itself.
    assert!(seen("").await.is_empty());
    let refused = bureau.get(Role::Analyst, "/api/v1/audit/entries").await;
    assert_eq!(refused.status, 403);
    assert_eq!(seen("?outcome=denied").await, [2]);
    assert_eq!(seen("?action=request").await, [2]);
    let before = seen("?action=audit.list&outcome=done&to=2000-01-01").await;
    assert!(before.is_empty());
    assert_eq!(
        seen("?action=audit.list&from=2000-01-01&limit=1").await,
        [5]
    );
    assert!(seen("?office_id=hangzhou").await.is_empty());
    assert!(seen("?actor=operator").await.is_empty());
    let whoever = bureau.log().await[0].actor.clone();
    let path = format!("/api/v1/audit/entries?actor={whoever}");
    let theirs = bureau.get(Role::Supervisor, &path).await.json();
    assert!(numbers(&theirs).contains(&1));
    let asked = bureau.log().await.pop().unwrap();
    assert_eq!(asked.detail, json!({ "actor": whoever }));
    // Asking about a case is looking at it; a look-up names its case in a column of its own.
    assert!(seen("?case=A-1").await.is_empty());
    let asking = bureau.log().await.pop().unwrap().entry_no;
    assert_eq!(seen("?case=A-1").await, [asking]);
    sqlx::raw_sql(
        "ALTER TABLE audit_entry DISABLE TRIGGER USER;
         UPDATE audit_entry SET case_reference = 'A-2' WHERE entry_no = 1",
    )
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
    assert_eq!(seen("?case=A-2").await, [1]);
}

#[tokio::test]
async fn a_filter_of_the_log_that_stands_for_nothing_is_named() {
    let bureau = Bureau::open().await;
    for (filter, field) in [
        ("actor=somebody", "actor"),
        ("office_id=%20", "office_id"),
        ("action=look", "action"),
        ("outcome=maybe", "outcome"),
        ("case=", "case"),
        ("from=2024-13-01", "from"),
        ("from=2024-06-03&to=2024-06-02", "to"),
    ] {
        let path = format!("/api/v1/audit/entries?{filter}");
        let answer = bureau.get(Role::Supervisor, &path).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (400, &json!(field)),
            "{filter}"
        );
    }
}

/// Each reading of the log is an entry.
async fn with_entries(bureau: &Bureau, entries: usize) {
    for _ in 0..entries {
        bureau.get(Role::Supervisor, "/api/v1/audit/entries").await;
    }
}

fn hashes(path: &Value) -> Vec<[u8; 32]> {
    let hash = |hash: &Value| {
        let hash = HEXLOWER.decode(hash.as_str().unwrap().as_bytes()).unwrap();
        hash.try_into().unwrap()
    };
    path.as_array().unwrap().iter().map(hash).collect()
}

fn open(bureau: &Bureau, note: &Value) -> TreeHead {
    let key = key_file::load_or_make(&bureau.hub.keys.config).unwrap();
    let key = [key.verifier().clone()];
    checkpoint::open(note.as_str().unwrap(), &key).unwrap().head
}

#[tokio::test]
async fn an_entry_is_proven_against_a_signed_checkpoint_that_is_kept_as_a_file() {
    let bureau = Bureau::open().await;
    with_entries(&bureau, 5).await;
    let path = "/api/v1/audit/entries/3/proof";
    let proof = bureau.get(Role::Supervisor, path).await.json();
    let head = open(&bureau, &proof["checkpoint"]);
    let entry = &bureau.log().await[2];
    assert_eq!(proof["leaf_hash"], HEXLOWER.encode(&entry.hash()));
    assert_eq!(proof["leaf_index"], 2);
    assert!(head.includes(&entry.leaf(), 2, &hashes(&proof["path"])));
    let kept = archive::list(&bureau.hub.keys.config.checkpoint_dir()).unwrap();
    assert!(kept.iter().any(|kept| kept.size == head.size));
    let newest = bureau.log().await.pop().unwrap();
    assert_eq!(newest.action, "audit.prove");
    assert_eq!(newest.detail["entry_no"], 3);
    for unknown in ["0", "-1", "999", "9223372036854775807", "x"] {
        let path = format!("/api/v1/audit/entries/{unknown}/proof");
        let answer = bureau.get(Role::Supervisor, &path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "NOT_FOUND")
        );
    }
}

#[tokio::test]
async fn a_later_log_is_proven_to_begin_with_an_earlier_one() {
    let bureau = Bureau::open().await;
    with_entries(&bureau, 9).await;
    let path = "/api/v1/audit/consistency?from=3&to=7";
    let proof = bureau.get(Role::Supervisor, path).await.json();
    let head = |tree: &Value| TreeHead {
        size: tree["size"].as_u64().unwrap(),
        root: hashes(&json!([tree["root"]]))[0],
    };
    let (from, to) = (head(&proof["from"]), head(&proof["to"]));
    assert_eq!((from.size, to.size), (3, 7));
    assert!(to.extends(&from, &hashes(&proof["path"])));
    for (unknown, status) in [
        ("from=0&to=7", 404),
        ("from=7&to=3", 404),
        ("from=3&to=99999", 404),
        ("from=3&to=18446744073709551615", 404),
        ("from=3", 400),
        ("from=-3&to=7", 400),
    ] {
        let path = format!("/api/v1/audit/consistency?{unknown}");
        let answer = bureau.get(Role::Supervisor, &path).await;
        assert_eq!(answer.status, status, "{unknown}");
    }
}

#[tokio::test]
async fn a_long_log_is_verified_part_by_part() {
    let bureau = Bureau::open().await;
    with_entries(&bureau, 6).await;
    let path = "/api/v1/audit/verification?after=4";
    let part = bureau.get(Role::Supervisor, path).await.json();
    assert_eq!((&part["after"], &part["intact"]), (&json!(4), &json!(true)));
    assert_eq!(part["through"], part["entries"]);
    let path = "/api/v1/audit/verification?after=999999";
    let nothing = bureau.get(Role::Supervisor, path).await.json();
    assert_eq!(nothing["after"], nothing["entries"]);
    sqlx::raw_sql(
        "ALTER TABLE audit_entry DISABLE TRIGGER USER; DELETE FROM audit_entry WHERE entry_no = 4",
    )
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
    let path = "/api/v1/audit/verification?after=5";
    let part = bureau.get(Role::Supervisor, path).await.json();
    assert_eq!(part["intact"], false, "the tree up to 5 cannot be known");
    assert_eq!(part["first_broken"]["fault"], "missing");
}

#[tokio::test]
async fn the_verification_names_the_first_entry_that_does_not_fit() {
    let bureau = Bureau::open().await;
    let path = "/api/v1/audit/verification";
    for entries in 0..3 {
        let verification = bureau.get(Role::Supervisor, path).await.json();
        assert_eq!(verification["intact"], true);
        assert_eq!(verification["entries"], entries);
    }
    sqlx::raw_sql(
        "ALTER TABLE audit_entry DISABLE TRIGGER USER;
         UPDATE audit_entry SET actor = 'somebody else' WHERE entry_no = 2",
    )
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
    let verification = bureau.get(Role::Supervisor, path).await.json();
    assert_eq!(verification["intact"], false);
    assert_eq!(verification["first_broken"]["entry_no"], 2);
    assert_eq!(verification["first_broken"]["fault"], "changed");
}
