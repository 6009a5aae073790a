//! A private MariaDB for each test process, from the machine's installed binaries: own data, a Unix socket and a
//! loopback port, an unprivileged user when started as root. It ends with the process that owns it, however that ends.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use rand::RngExt;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

const FOLDER: &str = "notary-test-mariadb-";
const READY_LIMIT: Duration = Duration::from_secs(120);
/// Users tried when started as root, which MariaDB refuses to run as.
const ACCOUNTS: [&str; 2] = ["mysql", "nobody"];

/// Where distributions keep the scripts of the system tables.
const SHARES: [&str; 2] = ["/usr/share/mysql", "/usr/share/mariadb"];
const SCRIPTS: [&str; 3] = [
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
];

/// `$@` is the server's command line. File descriptor 3 is our end of life: when we end, even by SIGKILL, the pipe closes.
const WATCH: &str = r#"
exec 3<&0 </dev/null
watched=$$
trap 'kill -TERM "$server" 2>/dev/null' TERM
(read -r _ <&3; kill -TERM "$watched") &
"$@" 3<&- &
server=$!
wait "$server"
while kill -0 "$server" 2>/dev/null; do wait "$server"; done
"#;

/// Why there is no private MariaDB.
#[derive(Debug, thiserror::Error)]
pub enum MariaDbError {
    #[error("no MariaDB on this machine; deploy/setup.sh test installs it")]
    NoBinaries,
    #[error("no unprivileged user to run MariaDB as")]
    NoAccount,
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("MariaDB could not make its system tables: {0}")]
    Bootstrap(String),
    #[error("MariaDB did not start; its log: {0}")]
    NotReady(String),
    #[error("prepare MariaDB: {0}")]
    Database(#[from] mysql_async::Error),
}

/// A running private MariaDB.
#[derive(Debug)]
pub struct MariaDb {
    url: String,
    /// Stops the server when dropped: its input closes.
    _watch: Child,
}

static SHARED: OnceCell<MariaDb> = OnceCell::const_new();

impl MariaDb {
    /// URL of a database of the process's shared server, as an account that may make others. Waits for the first start.
    ///
    /// # Panics
    /// When there is no MariaDB on this machine.
    pub async fn shared_url() -> &'static str {
        let server = SHARED.get_or_try_init(Self::start).await;
        &server
            .expect("tests need MariaDB; deploy/setup.sh test installs it")
            .url
    }

    async fn start() -> Result<Self, MariaDbError> {
        remove_leftovers();
        let home = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        let server = find(&["mariadbd", "mysqld"]).ok_or(MariaDbError::NoBinaries)?;
        let account = account()?;
        fs::create_dir_all(&home)?;
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700))?;
        if let Some((uid, gid)) = account {
            chown(&home, Some(uid), Some(gid))?;
        }
        bootstrap(&server, &home, account).await?;
        let port = free_port()?;
        let watch = spawn(&server, &home, port, account)?;
        let mut admin = connect_when_ready(&home).await?;
        let url = make_account(&mut admin, port).await?;
        admin.disconnect().await?;
        Ok(Self { url, _watch: watch })
    }
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .collect();
    let places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// Whom to run as: ourselves (`None`), or when we are root somebody with fewer rights.
fn account() -> Result<Option<(u32, u32)>, MariaDbError> {
    if rustix::process::geteuid().as_raw() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |wanted: &&str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, ..] = fields[..] else {
                return None;
            };
            (name == *wanted).then_some((uid.parse().ok()?, gid.parse().ok()?))
        })
    };
    ACCOUNTS
        .iter()
        .find_map(of)
        .map(Some)
        .ok_or(MariaDbError::NoAccount)
}

fn run_as(command: &mut Command, account: Option<(u32, u32)>) {
    if let Some((uid, gid)) = account {
        command.uid(uid).gid(gid);
    }
}

/// Makes the system tables. `mariadb-install-db` does the same with programs of the client's package, which a server can
/// do without.
async fn bootstrap(
    server: &Path,
    home: &Path,
    account: Option<(u32, u32)>,
) -> Result<(), MariaDbError> {
    let scripts = SHARES
        .iter()
        .map(Path::new)
        .find(|share| share.join(SCRIPTS[0]).is_file());
    let scripts = scripts.ok_or(MariaDbError::NoBinaries)?;
    let mut sql = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n".to_owned();
    for script in SCRIPTS {
        sql += &fs::read_to_string(scripts.join(script))?;
    }
    let file = home.join("bootstrap.sql");
    fs::write(&file, sql)?;
    let data = home.join("data");
    fs::create_dir_all(&data)?;
    if let Some((uid, gid)) = account {
        chown(&data, Some(uid), Some(gid))?;
    }
    let mut command = Command::new(server);
    command
        .args([
            "--no-defaults",
            "--bootstrap",
            "--log-warnings=0",
            "--skip-name-resolve",
        ])
        .args([
            "--enforce-storage-engine=",
            "--innodb-buffer-pool-size=16M",
            "--max-allowed-packet=8M",
        ])
        .arg(format!("--datadir={}", data.display()))
        .current_dir(home)
        .stdin(File::open(file)?);
    run_as(&mut command, account);
    let output = tokio::process::Command::from(command).output().await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(MariaDbError::Bootstrap(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn spawn(server: &Path, home: &Path, port: u16, account: Option<(u32, u32)>) -> io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", WATCH, "notary-mariadb-watch"])
        .arg(server)
        .arg("--no-defaults")
        .arg(format!("--datadir={}", home.join("data").display()))
        .arg(format!("--socket={}", home.join("socket").display()))
        .arg(format!("--pid-file={}", home.join("pid").display()))
        .arg(format!("--port={port}"))
        .args([
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
        ])
        .args([
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
        ])
        .args([
            "--character-set-server=utf8mb4",
            "--max-connections=60",
            "--default-time-zone=+00:00",
        ])
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::create(home.join("log"))?)
        .process_group(0);
    run_as(&mut command, account);
    command.spawn()
}

async fn connect_when_ready(home: &Path) -> Result<Conn, MariaDbError> {
    let socket = home.join("socket").display().to_string();
    let opts: Opts = OptsBuilder::default()
        .user(Some("root"))
        .socket(Some(socket))
        .into();
    let deadline = Instant::now() + READY_LIMIT;
    loop {
        match Conn::new(opts.clone()).await {
            Ok(connection) => return Ok(connection),
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
            Err(_) => {
                let log = fs::read_to_string(home.join("log")).unwrap_or_default();
                return Err(MariaDbError::NotReady(log));
            }
        }
    }
}

/// The port is open to everybody on the machine, so the account has a password.
async fn make_account(admin: &mut Conn, port: u16) -> Result<String, MariaDbError> {
    let password = format!("{:032x}", rand::rng().random::<u128>());
    for host in ["localhost", "127.0.0.1"] {
        let create = format!("CREATE USER 'city'@'{host}' IDENTIFIED BY '{password}'");
        admin.query_drop(create).await?;
        admin
            .query_drop(format!(
                "GRANT ALL ON *.* TO 'city'@'{host}' WITH GRANT OPTION"
            ))
            .await?;
    }
    let lock = format!("SET PASSWORD = PASSWORD('{password}')");
    admin.query_drop(lock).await?;
    Ok(format!("mysql://city:{password}@127.0.0.1:{port}/mysql"))
}

/// Folders of test processes that are gone: a test process has no moment to clean up after itself.
fn remove_leftovers() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    let exists = |id: &str| Path::new("/proc").join(id).exists();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(FOLDER)) else {
            continue;
        };
        let server = fs::read_to_string(entry.path().join("pid")).unwrap_or_default();
        let serves = !server.trim().is_empty() && exists(server.trim());
        if owner.parse::<u32>().is_ok() && !exists(owner) && !serves {
            // Another test process may be removing it at this moment.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
