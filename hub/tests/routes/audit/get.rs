//! The log of who asked what, as a supervisor reads it.

use notary_hub::identity::Role;

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
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only;
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
