//! A bureau is a real hub: it can be killed, comes back where it was, and leaves nothing running.
#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use sandbox::process::end_leftovers;
use sandbox::{Bureau, BureauOptions, NewAccount};
use synthetic_city::{City, CityPlan};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn a_bureau_comes_back_at_the_same_addresses_with_what_it_knew() -> anyhow::Result<()> {
    let folder = folder();
    let mut bureau = Bureau::found(folder.path(), &BureauOptions::default()).await?;
    bureau.open().await?;
    let city = City::generate(&CityPlan::of_size(1, 100))?;
    let office = &city.offices()[0];
    bureau.add_office(office).await?;
    let account = NewAccount {
        login: "fenxi",
        display_name: "统计科",
        role: "analyst",
        office: None,
        password: "correct horse battery",
    };
    bureau.add_account(account).await?;
    let addresses = *bureau.addresses();

    bureau.kill().await?;
    assert!(!bureau.is_open());
    bureau.open().await?;
    assert_eq!(*bureau.addresses(), addresses);
    assert_eq!(bureau.join_token(office.id.as_str()).await?.len(), 52);
    let pool = bureau.database().await?;
    let offices: i64 = sqlx::query_scalar("SELECT count(*) FROM office")
        .fetch_one(&pool)
        .await?;
    assert_eq!(offices, 1);
    assert!(
        bureau.add_office(office).await.is_err(),
        "it is there already"
    );
    assert!(bureau.close().await?.success());
    assert!(!bureau.data_dir().join("postgres/postmaster.pid").exists());
    Ok(())
}

#[tokio::test]
async fn what_a_killed_run_left_behind_is_ended() -> anyhow::Result<()> {
    let folder = folder();
    let mut bureau = Bureau::found(folder.path(), &BureauOptions::default()).await?;
    bureau.open().await?;
    let metrics = bureau.addresses().metrics;
    assert!(tokio::net::TcpStream::connect(metrics).await.is_ok());
    // As if we had been killed: nobody ends the hub any more.
    let pid_file = folder.path().join("notary-hub.pid");
    assert!(pid_file.exists());
    end_leftovers(&folder.path().canonicalize()?).await?;
    assert!(tokio::net::TcpStream::connect(metrics).await.is_err());
    assert!(!bureau.data_dir().join("postgres/postmaster.pid").exists());
    Ok(())
}
