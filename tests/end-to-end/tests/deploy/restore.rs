//! The restore drill: the hub's database is put back to an older state, and the offices bring what it lacks.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use sandbox::poll::{PATIENCE, holds};
use sandbox::process::Running;
use sandbox::{Bureau, BureauOptions, Setting, Systems};
use synthetic_city::CityPlan;
use tempfile::TempDir;

use crate::file;

/// A script of `deploy/` for this hub.
fn script(name: &str, arguments: &[&str], bureau: &Bureau) -> Command {
    let mut command = Command::new(file(name));
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(bureau.data_dir())
        .env("NOTARY_HUB", bureau.command(&[]).unwrap().get_program());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a script to its end; returns what it prints.
fn run(name: &str, arguments: &[&str], bureau: &Bureau) -> String {
    let output = script(name, arguments, bureau).output().unwrap();
    assert!(output.status.success(), "{name}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Two offices whose cases are at the hub, in a folder of their own.
async fn settled_city() -> (TempDir, Setting) {
    let folder = tempfile::tempdir().unwrap();
    // The private PostgreSQL may run as another user, who must get there.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let plan = CityPlan {
        offices: 6,
        ..CityPlan::of_size(122, 600)
    };
    let options = BureauOptions::default();
    let mut setting = Setting::build(folder.path(), &plan, Systems::Files, &options, &[1, 3])
        .await
        .unwrap();
    setting.start_agents().unwrap();
    setting.settled().await.unwrap();
    (folder, setting)
}

/// Ends agents and hub.
async fn stop(setting: &mut Setting) {
    for agent in &mut setting.agents {
        agent.stop().await.unwrap();
    }
    setting.bureau.close().await.unwrap();
}

async fn epochs(setting: &mut Setting) -> Vec<String> {
    let pool = setting.bureau.database().await.unwrap();
    let epochs = "SELECT hub_epoch::text FROM hub_state
                  UNION ALL (SELECT epoch::text FROM sync_position ORDER BY office_id)";
    sqlx::query_scalar(epochs).fetch_all(&pool).await.unwrap()
}

#[tokio::test]
async fn a_hub_restored_from_an_older_backup_gets_from_the_offices_what_it_lost() {
    let (folder, mut setting) = settled_city().await;
    let backups = folder.path().join("backups");
    let to = backups.to_str().unwrap();
    let from = run("backup.sh", &["base", "--to", to], &setting.bureau);
    let before = epochs(&mut setting).await;
    assert!(Path::new(&from).join("checkpoints").is_dir());
    let noted = "SELECT base_backup_at > now() - interval '1 hour' FROM hub_state";
    let pool = setting.bureau.database().await.unwrap();
    let noted: Option<bool> = sqlx::query_scalar(noted).fetch_one(&pool).await.unwrap();
    assert_eq!(noted, Some(true), "the alert goes by it");
    // As `backup.sh wal` makes it, which may run although the restore does without.
    fs::create_dir(backups.join("wal")).unwrap();
    let changes = setting.town.live_on().await.unwrap();
    assert!(changes > 0);
    let late = setting.settled().await.unwrap();

    stop(&mut setting).await;
    let config = setting.bureau.config_file();
    let config = config.to_str().unwrap();
    let restoring = ["--from", &from, "--config", config];
    run("restore.sh", &restoring, &setting.bureau);
    assert_eq!(put_aside(to), 1);
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

#[tokio::test]
async fn with_every_change_taken_as_it_is_made_nothing_is_lost_and_the_keys_come_back_apart() {
    let (folder, mut setting) = settled_city().await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (backups, wal, safe) = (path("backups"), path("backups/wal"), path("safe"));
    let from = run("backup.sh", &["base", "--to", &backups], &setting.bureau);
    let taking = script("backup.sh", &["wal", "--to", &backups], &setting.bureau);
    let taking = Running::start(taking, &folder.path().join("wal.log")).unwrap();
    let refused = script("backup.sh", &["keys", "--to", &backups], &setting.bureau).output();
    assert!(
        said(&refused.unwrap()).contains("apart"),
        "keys do not go beside the database"
    );
    let keys = run("backup.sh", &["keys", "--to", &safe], &setting.bureau);
    assert!(setting.town.live_on().await.unwrap() > 0);
    let late = setting.settled().await.unwrap();
    let pool = setting.bureau.database().await.unwrap();
    holds("all changes are taken", PATIENCE, async || {
        let taken = "SELECT count(*) FROM pg_stat_replication
                      WHERE application_name = 'pg_receivewal' AND flush_lsn >= pg_current_wal_lsn()";
        Ok(sqlx::query_scalar::<_, i64>(taken).fetch_one(&pool).await? == 1)
    })
    .await
    .unwrap();
    stop(&mut setting).await;
    taking.terminate().await.unwrap();

    // A new machine, but for the configuration.
    let data = setting.bureau.data_dir();
    fs::remove_dir_all(data.join("pki")).unwrap();
    let config = setting.bureau.config_file();
    let config = config.to_str().unwrap();
    let restoring = ["--from", &from, "--wal", &wal, "--config", config];
    let refused = script("restore.sh", &restoring, &setting.bureau).output();
    assert!(said(&refused.unwrap()).contains("no keys"));
    let unpacked = Command::new("tar")
        .args(["-xf", &keys, "-C"])
        .arg(&data)
        .status();
    assert!(unpacked.unwrap().success());
    run("restore.sh", &restoring, &setting.bureau);
    assert!(!data.join("postgres/restored_wal").exists());
    // What is written from now on does not continue it.
    assert_eq!(put_aside(&backups), 1);
    assert!(!Path::new(&wal).exists());

    setting.bureau.open().await.unwrap();
    let restored = setting.reckon().await.unwrap();
    assert_eq!(restored.complaints(), Vec::<String>::new());
    assert_eq!(restored.at_hub(), late.at_hub(), "without any agent");
    setting.start_agents().unwrap();
    assert!(setting.town.live_on().await.unwrap() > 0);
    let after = setting.settled().await.unwrap();
    assert_eq!((after.lost(), after.repeated()), (0, 0));
    setting.close().await.unwrap();
}

/// Logs that a restore has put aside in a folder of backups.
fn put_aside(backups: &str) -> usize {
    let files = fs::read_dir(backups).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("wal.before-")).count()
}

/// Names of the finished segments in a folder, the oldest first.
fn segments(wal: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(wal)
        .into_iter()
        .flatten()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.contains('.'))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_no_copy_needs_any_more_goes_with_the_copy_that_needed_it() {
    let (folder, mut setting) = settled_city().await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (backups, wal) = (path("backups"), path("backups/wal"));
    let older = run("backup.sh", &["base", "--to", &backups], &setting.bureau);
    let taking = script("backup.sh", &["wal", "--to", &backups], &setting.bureau);
    let taking = Running::start(taking, &folder.path().join("wal.log")).unwrap();
    let pool = setting.bureau.database().await.unwrap();
    holds("three segments are taken", PATIENCE, async || {
        let fill = "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, 'test', 'some')";
        sqlx::query(fill).execute(&pool).await?;
        Ok(segments(&wal).len() >= 3)
    })
    .await
    .unwrap();
    let taken = segments(&wal);
    let keeping = ["base", "--to", &backups, "--keep", "1"];
    let newer = run("backup.sh", &keeping, &setting.bureau);
    assert!(!Path::new(&older).exists());
    let label = fs::read_to_string(Path::new(&newer).join("database/backup_label")).unwrap();
    let needed = segments(&wal);
    assert!(!needed.contains(&taken[0]), "{taken:?} {needed:?}");
    for segment in &needed {
        let first = label.split("(file ").nth(1).unwrap();
        assert!(segment.as_str() >= &first[..24], "{segment}: {label}");
    }
    taking.terminate().await.unwrap();
    stop(&mut setting).await;
}
