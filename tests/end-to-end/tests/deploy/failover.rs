//! The hub across a switch of its database's primary: docs/postgresql-failover.md.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sandbox::poll::{PATIENCE, holds};
use sandbox::proxy::Proxy;
use sandbox::{BureauOptions, Setting, Systems, free_port};
use synthetic_city::CityPlan;

/// A PostgreSQL of the test's own; ends with it.
struct Cluster {
    folder: PathBuf,
    address: SocketAddr,
}

impl Cluster {
    fn at(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        if geteuid().is_root() {
            let (user, group) = (number("-u"), number("-g"));
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
        Self { folder, address }
    }

    fn primary(folder: PathBuf) -> Self {
        let cluster = Self::at(folder);
        let data = cluster.data();
        let kind = [
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ];
        run("initdb", &[&["--pgdata", &data], &kind[..]].concat());
        cluster.start();
        cluster.say("CREATE DATABASE notary_hub");
        cluster
    }

    /// Follows a primary, which waits for it with every commit from now on.
    fn standby(folder: PathBuf, primary: &Self) -> Self {
        let cluster = Self::at(folder);
        let data = cluster.data();
        let from = format!("{} application_name=standby", primary.conninfo());
        let how = [
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--wal-method=stream",
        ];
        run(
            "pg_basebackup",
            &[&["--dbname", &from, "--pgdata", &data], &how[..]].concat(),
        );
        cluster.start();
        primary.say("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        primary.say("SELECT pg_reload_conf()");
        cluster
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn conninfo(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres", self.address.port())
    }

    fn start(&self) {
        let options = format!(
            "-k {} -c listen_addresses=127.0.0.1 -c port={}",
            self.folder.display(),
            self.address.port()
        );
        let log = self.folder.join("log").display().to_string();
        let arguments = [
            "--pgdata",
            &self.data(),
            "--log",
            &log,
            "--options",
            &options,
        ];
        run("pg_ctl", &[&["start", "--wait"], &arguments[..]].concat());
    }

    fn say(&self, sql: &str) {
        run(
            "psql",
            &["--quiet", "--dbname", &self.conninfo(), "--command", sql],
        );
    }

    fn promote(&self) {
        run("pg_ctl", &["promote", "--wait", "--pgdata", &self.data()]);
    }

    /// kill -9 of the postmaster; its children end by themselves.
    fn kill(&self) {
        let file = fs::read_to_string(Path::new(&self.data()).join("postmaster.pid")).unwrap();
        let id = file.lines().next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::KILL).unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The killed one has ended.
        let stop = ["stop", "--mode=immediate", "--pgdata", &self.data()];
        let _ = as_server("pg_ctl", &stop).output();
    }
}

fn number(which: &str) -> u32 {
    let output = Command::new("id")
        .args([which, "postgres"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

/// PostgreSQL refuses to run as root.
fn as_server(program: &str, arguments: &[&str]) -> Command {
    let folder = std::env::var_os("NOTARY_HUB_PG_BIN").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| {
        let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
            .map(|folders| folders.flatten().map(|folder| folder.path()).collect())
            .unwrap_or_default();
        found.sort();
        found.pop().unwrap_or_default().join("bin")
    });
    let mut command = match geteuid().is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(folder.join(program));
            command
        }
        false => Command::new(folder.join(program)),
    };
    command.args(arguments).current_dir("/");
    command
}

fn run(program: &str, arguments: &[&str]) {
    // What a server says goes to its log: a pipe that it inherits would never end.
    let status = as_server(program, arguments)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

#[tokio::test]
#[ignore = "two clusters beside a city: make failover"]
async fn the_primary_is_killed_under_load_the_standby_promoted_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let primary = Cluster::primary(folder.path().join("first"));
    let standby = Cluster::standby(folder.path().join("second"), &primary);
    // What HAProxy does by asking Patroni who leads.
    let leader = Proxy::start(primary.address).await.unwrap();
    let port = leader.address().port();
    let options = BureauOptions {
        database_url: Some(format!(
            "postgres://postgres@127.0.0.1:{port}/notary_hub?sslmode=disable"
        )),
        ..BureauOptions::default()
    };
    let plan = CityPlan {
        offices: 6,
        ..CityPlan::of_size(122, 6_000)
    };
    let city = folder.path().join("city");
    let mut setting = Setting::build(&city, &plan, Systems::Files, &options, &[0, 1, 3])
        .await
        .unwrap();
    let hub = setting.bureau.process_id().unwrap();
    setting.start_agents().unwrap();
    let pool = setting.bureau.database().await.unwrap();
    let committed = "SELECT coalesce(sum(committed_sequence), 0)::bigint FROM sync_position";
    let mut at_hub = 0;
    holds("offices hand over", PATIENCE, async || {
        at_hub = sqlx::query_scalar::<_, i64>(committed)
            .fetch_one(&pool)
            .await?;
        Ok(at_hub > 0)
    })
    .await
    .unwrap();

    primary.kill();
    standby.promote();
    leader.redirect(standby.address);
    let after: i64 = holds_what_was_committed(&pool, committed).await;
    assert!(
        after >= at_hub,
        "{after} of {at_hub}: commits had waited for the standby"
    );
    let reckoning = setting.settled().await.unwrap();
    assert_eq!((reckoning.lost(), reckoning.repeated()), (0, 0));
    // And it goes on.
    assert!(setting.town.live_on().await.unwrap() > 0);
    let reckoning = setting.settled().await.unwrap();
    assert_eq!((reckoning.lost(), reckoning.repeated()), (0, 0));
    assert_eq!(setting.bureau.process_id().unwrap(), hub);
    setting.bureau.must_run().unwrap();
    setting.close().await.unwrap();
}

/// What the new primary has, once it answers.
async fn holds_what_was_committed(pool: &sqlx::PgPool, committed: &'static str) -> i64 {
    let mut found = None;
    holds("the new primary answers", PATIENCE, async || {
        found = sqlx::query_scalar(committed).fetch_one(pool).await.ok();
        Ok(found.is_some())
    })
    .await
    .unwrap();
    found.unwrap()
}
