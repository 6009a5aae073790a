//! The restore drill: the hub's database is put back to an older state, and the offices bring what it lacks.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use sandbox::{Bureau, BureauOptions, Setting, Systems};
use synthetic_city::CityPlan;

use crate::file;

/// Runs a script to its end; returns what it prints.
fn run(name: &str, arguments: &[&str], bureau: &Bureau) -> String {
    let output = Command::new(file(name))
        .args(arguments)
        .arg("--data-dir")
        .arg(bureau.data_dir())
        .env("NOTARY_HUB", bureau.command(&[]).unwrap().get_program())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn epochs(setting: &mut Setting) -> Vec<String> {
    let pool = setting.bureau.database().await.unwrap();
    let epochs = "SELECT hub_epoch::text FROM hub_state
                  UNION ALL (SELECT epoch::text FROM sync_position ORDER BY office_id)";
    sqlx::query_scalar(epochs).fetch_all(&pool).await.unwrap()
}

#[tokio::test]
async fn a_hub_restored_from_an_older_backup_gets_from_the_offices_what_it_lost() {
    let folder = tempfile::tempdir().unwrap();
    // The private PostgreSQL may run as another user, who must get there.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let plan = CityPlan {
        offices: 6,
        ..CityPlan::of_size(122, 600)
    };
    let mut setting = Setting::build(
        folder.path(),
        &plan,
        Systems::Files,
        &BureauOptions::default(),
        &[1, 3],
    )
    .await
    .unwrap();
    let backups = folder.path().join("backups");
    let to = backups.to_str().unwrap();
    setting.start_agents().unwrap();
    setting.settled().await.unwrap();
    let from = run("backup.sh", &["base", "--to", to], &setting.bureau);
    let before = epochs(&mut setting).await;
    assert!(Path::new(&from).join("checkpoints").is_dir());
    let changes = setting.town.live_on().await.unwrap();
    assert!(changes > 0);
    let late = setting.settled().await.unwrap();

    for agent in &mut setting.agents {
        agent.stop().await.unwrap();
    }
    setting.bureau.close().await.unwrap();
    let config = setting.bureau.config_file();
    let config = config.to_str().unwrap();
    let restoring = ["--from", &from, "--config", config];
    run("restore.sh", &restoring, &setting.bureau);
    setting.bureau.open().await.unwrap();
    let lacking = setting.reckon().await.unwrap();
    assert!(!lacking.complaints().is_empty(), "it is the older state");
    setting.start_agents().unwrap();
    let refilled = setting.settled().await.unwrap();
    assert_eq!(refilled.at_hub(), late.at_hub());
    assert_eq!((refilled.lost(), refilled.repeated()), (0, 0));
    let after = epochs(&mut setting).await;
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before, after, "the hub's epoch and every office's are new");
    }
    setting.close().await.unwrap();
}
