//! The restore drill: the hub's database is put back to an older state, and the offices bring what it lacks.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sandbox::poll::{PATIENCE, holds};
use sandbox::process::Running;
use sandbox::{Bureau, BureauOptions, Setting, Systems};
use sqlx::PgPool;
use synthetic_city::CityPlan;
use tempfile::TempDir;

use crate::file;

/// A script of `deploy/` for this hub.
fn script(name: &str, arguments: &[&str], bureau: &Bureau) -> Command {
    let mut command = Command::new(file(name));
    command
        .args(arguments)
        .env("NOTARY_HUB", bureau.command(&[]).unwrap().get_program());
    match name {
        "restore.sh" => command.arg("--config").arg(bureau.config_file()),
        _ => command.arg("--data-dir").arg(bureau.data_dir()),
    };
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

/// `backup.sh wal`, until it is ended.
fn taking(backups: &str, bureau: &Bureau) -> Running {
    let command = script("backup.sh", &["wal", "--to", backups], bureau);
    Running::start(command, &Path::new(backups).with_file_name("wal.log")).unwrap()
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
    run("restore.sh", &["--from", &from], &setting.bureau);
    assert!(put_aside(to)[0].join("wal").is_dir());
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
    let taking = taking(&backups, &setting.bureau);
    let refused = script("backup.sh", &["keys", "--to", &backups], &setting.bureau).output();
    assert!(
        said(&refused.unwrap()).contains("apart"),
        "keys do not go beside the database"
    );
    let keys = run("backup.sh", &["keys", "--to", &safe], &setting.bureau);
    assert!(setting.town.live_on().await.unwrap() > 0);
    let late = setting.settled().await.unwrap();
    let pool = setting.bureau.database().await.unwrap();
    all_is_taken(&pool).await;
    stop(&mut setting).await;
    taking.terminate().await.unwrap();

    // A new machine, but for the configuration.
    let data = setting.bureau.data_dir();
    fs::remove_dir_all(data.join("pki")).unwrap();
    let restoring = ["--from", &from, "--wal", &wal];
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
    let aside = put_aside(&backups);
    assert!(aside[0].join("base").is_dir() && aside[0].join("wal").is_dir());
    assert!(!Path::new(&wal).exists() && !Path::new(&from).exists());

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

#[tokio::test]
async fn a_restore_to_a_wrong_time_is_done_again_from_where_the_first_put_what_it_took() {
    let (folder, mut setting) = settled_city().await;
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (backups, wal) = (path("backups"), path("backups/wal"));
    let from = run("backup.sh", &["base", "--to", &backups], &setting.bureau);
    let first = taking(&backups, &setting.bureau);
    let pool = setting.bureau.database().await.unwrap();
    let now = "SELECT clock_timestamp()::text";
    let wrong: String = sqlx::query_scalar(now).fetch_one(&pool).await.unwrap();
    assert!(setting.town.live_on().await.unwrap() > 0);
    setting.settled().await.unwrap();
    all_is_taken(&pool).await;
    stop(&mut setting).await;
    first.terminate().await.unwrap();

    let restoring = ["--from", &from, "--wal", &wal, "--until", &wrong];
    run("restore.sh", &restoring, &setting.bureau);
    setting.bureau.open().await.unwrap();
    let early = setting.reckon().await.unwrap();
    assert!(!early.complaints().is_empty(), "it stopped at the time");
    // What the service has taken meanwhile is of another history.
    let second = taking(&backups, &setting.bureau);
    holds("it takes", PATIENCE, async || {
        Ok(fs::read_dir(&wal).is_ok_and(|files| files.count() > 0))
    })
    .await
    .unwrap();
    setting.bureau.close().await.unwrap();
    second.terminate().await.unwrap();

    let first_aside = put_aside(&backups).remove(0);
    let again = first_aside
        .join("base")
        .join(Path::new(&from).file_name().unwrap());
    let again_wal = first_aside.join("wal");
    let restoring = ["--from", again.to_str().unwrap(), "--wal"];
    let mixed = script(
        "restore.sh",
        &[&restoring[..], &[&wal]].concat(),
        &setting.bureau,
    )
    .output();
    assert!(said(&mixed.unwrap()).contains("is not the log of"));
    let again_wal = again_wal.to_str().unwrap();
    run(
        "restore.sh",
        &[&restoring[..], &[again_wal]].concat(),
        &setting.bureau,
    );
    assert!(
        again.is_dir(),
        "a third try would find it in the same place"
    );
    assert_eq!(put_aside(&backups).len(), 2);
    assert!(!Path::new(&wal).exists());
    setting.bureau.open().await.unwrap();
    let restored = setting.reckon().await.unwrap();
    assert_eq!(restored.complaints(), Vec::<String>::new());
    setting.close().await.unwrap();
}

/// Waits until `backup.sh wal` has what was written.
async fn all_is_taken(pool: &PgPool) {
    holds("all changes are taken", PATIENCE, async || {
        let taken = "SELECT count(*) FROM pg_stat_replication
                      WHERE application_name = 'pg_receivewal' AND flush_lsn >= pg_current_wal_lsn()";
        Ok(sqlx::query_scalar::<_, i64>(taken).fetch_one(pool).await? == 1)
    })
    .await
    .unwrap();
}

/// Where restores have put what was there, the first one first.
fn put_aside(backups: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(backups).unwrap();
    let mut folders: Vec<PathBuf> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("/before-"))
        .collect();
    folders.sort();
    folders
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
    let taking = taking(&backups, &setting.bureau);
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
    nothing_is_touched_where_log_and_copy_do_not_belong_together(&newer, &wal, &setting.bureau);
}

fn nothing_is_touched_where_log_and_copy_do_not_belong_together(
    from: &str,
    wal: &str,
    bureau: &Bureau,
) {
    for segment in segments(wal).iter().skip(1) {
        fs::remove_file(Path::new(wal).join(segment)).unwrap();
    }
    for file in fs::read_dir(wal).unwrap() {
        let file = file.unwrap().path();
        if file
            .extension()
            .is_some_and(|extension| extension == "partial")
        {
            fs::remove_file(file).unwrap();
        }
    }
    let restoring = ["--from", from, "--wal", wal];
    let own = |command: &mut Command| {
        command.env("NOTARY_HUB__DATABASE__URL", "postgres://hub@db/hub");
    };
    let ours = |_: &mut Command| {};
    type Change<'a> = &'a dyn Fn(&mut Command);
    let refusals: [(&[&str], Change<'_>, &str); 3] = [
        (&restoring, &ours, "does not continue"),
        (
            &["--from", from, "--until", "2026-03-01"],
            &ours,
            "needs --wal",
        ),
        (&["--from", from], &own, "database of its own"),
    ];
    for (arguments, change, why) in refusals {
        let mut command = script("restore.sh", arguments, bureau);
        change(&mut command);
        let refused = command.output().unwrap();
        assert!(!refused.status.success());
        assert!(said(&refused).contains(why), "{}", said(&refused));
    }
    let kept = fs::read_dir(bureau.data_dir()).unwrap();
    let kept = kept.map(|file| file.unwrap().file_name().into_string().unwrap());
    let kept: Vec<String> = kept.filter(|name| name.starts_with("postgres.")).collect();
    assert_eq!(
        kept,
        Vec::<String>::new(),
        "the database stands where it stood"
    );
}

#[tokio::test]
async fn a_copy_that_root_makes_is_the_hubs_users_own_who_removes_it_in_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let mut bureau = Bureau::found(&folder.path().join("bureau"), &BureauOptions::default())
        .await
        .unwrap();
    bureau.open().await.unwrap();
    // Another user's than root's, where this is root; else one's own.
    let user = fs::metadata(bureau.data_dir().join("postgres"))
        .unwrap()
        .uid();
    let root = fs::metadata(bureau.data_dir()).unwrap().uid();
    let backups = folder.path().join("backups");
    fs::create_dir(&backups).unwrap();
    // Where that user gets at it, wherever the checkout is.
    let backup = folder.path().join("backup.sh");
    fs::copy(file("backup.sh"), &backup).unwrap();
    for path in [&backups, &bureau.data_dir()] {
        chown(path, Some(user), None).unwrap();
    }
    // As root's home is, where that user finds nothing.
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
    let base = || {
        let mut command = Command::new(&backup);
        command.args(["base", "--keep", "1", "--to", "../backups"]);
        command.current_dir(&home);
        let output = command.arg("--data-dir").arg(bureau.data_dir()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", said(&output));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    };
    let first = base();
    for path in [&first, &first.join("database"), &backups.join("base")] {
        assert_eq!(
            fs::metadata(path).unwrap().uid(),
            user,
            "{}",
            path.display()
        );
    }
    // A copy is named by its second.
    let renamed = backups.join("base/20260101T000000Z");
    fs::rename(&first, &renamed).unwrap();
    assert!(base().is_dir() && !renamed.exists());
    chown(bureau.data_dir(), Some(root), None).unwrap();
    bureau.close().await.unwrap();
}
