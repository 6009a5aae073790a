//! A private PostgreSQL from the machine's installed binaries: the hub's database where none is
//! configured, and every test's. It listens on a Unix socket alone, runs under an unprivileged user
//! when started as root, and ends with the process that owns it, however that ends.

mod account;
mod binaries;
mod server;
pub mod testing;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use account::Account;
use binaries::Binaries;
use server::Server;

/// Name of the hub's database in the private cluster.
const DATABASE: &str = "notary_hub";
/// Name of the socket, which stands for the port.
const SOCKET: &str = ".s.PGSQL.5432";
/// Bytes that a Unix socket's path may have (`sun_path` of unix(7), without its last).
const SOCKET_PATH_LIMIT: usize = 107;
/// How long the server may take until it answers, or says that it recovers: that may take hours after a restore.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// How long an earlier server on the same data may take to end.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(60);

/// What a COMMIT promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives power loss. What the hub runs with.
    Full,
    /// Survives the server's crash but not the machine's; for data that can be made again.
    Relaxed,
}

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error(
        "no PostgreSQL 15 or newer on this machine; install it (Debian: apt install postgresql) or set NOTARY_HUB_PG_BIN to its bin folder"
    )]
    NoBinaries,
    #[error(
        "the database in {} is of PostgreSQL {major}, whose programs are not on this machine or not in NOTARY_HUB_PG_BIN; install them (Debian: apt install postgresql-{major}), or take the database to a newer version (docs/upgrading.md)",
        data_dir.display()
    )]
    OtherVersion { data_dir: PathBuf, major: u32 },
    #[error("no unprivileged user to run PostgreSQL as; create the user `postgres`")]
    NoAccount,
    #[error(
        "user {user} cannot reach {} because {} lets nobody else in; run this as the user whose folder it is (sudo -u), or choose a data_dir that others may reach (chmod o+x)",
        wanted.display(), barrier.display()
    )]
    Unreachable {
        user: String,
        wanted: PathBuf,
        barrier: PathBuf,
    },
    #[error("{what} {}: {source}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("initdb failed: {0}")]
    Initdb(String),
    #[error("PostgreSQL did not start; end of {}:\n{tail}", log.display())]
    NotReady { log: PathBuf, tail: String },
    #[error("another PostgreSQL is still running on {}", .0.display())]
    Occupied(PathBuf),
    #[error(
        "no database in {}: `notary-hub init` makes one. Where the hub has another one, this command has to see its database.url as well: an environment file of the service is not read here",
        .0.display()
    )]
    NoDatabase(PathBuf),
    #[error(
        "PostgreSQL runs on {}, but its socket in {} does not answer: {source}; run this as the user whose database it is. A folder in /tmp may be the service's own (PrivateTmp): a data_dir of a shorter path has the socket beside it",
        data_dir.display(), socket_dir.display()
    )]
    Unanswered {
        data_dir: PathBuf,
        socket_dir: PathBuf,
        source: sqlx::Error,
    },
    #[error("prepare the private database: {0}")]
    Database(#[from] sqlx::Error),
}

/// A running private PostgreSQL, owned or joined.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    socket_dir: PathBuf,
    /// Present when this process owns the server.
    server: Option<Server>,
}

impl Postgres {
    /// Starts the server on `data_dir`, making the cluster and its database on first use. Waits for an
    /// earlier server on the same data to end.
    pub async fn start(data_dir: &Path, durability: Durability) -> Result<Self, EmbeddedError> {
        let binaries = Binaries::find(data_dir)?;
        let account = Account::for_server()?;
        account.prepare(data_dir)?;
        let socket_dir = socket_dir(data_dir);
        refuse_link(&socket_dir)?;
        account.prepare(&socket_dir)?;
        if !data_dir.join("PG_VERSION").exists() {
            binaries.initdb(data_dir, &account).await?;
        }
        wait_for_predecessor(data_dir).await?;
        let mut server = Server::spawn(&binaries, &account, data_dir, &socket_dir, durability)?;
        let mut admin = connect_when_ready(&socket_dir, &mut server).await?;
        ensure_database(&mut admin).await?;
        admin.close().await?;
        Ok(Self {
            url: url(&socket_dir, DATABASE),
            socket_dir,
            server: Some(server),
        })
    }

    /// Whether there is a cluster in `data_dir`.
    pub fn is_made(data_dir: &Path) -> Result<bool, EmbeddedError> {
        let version = data_dir.join("PG_VERSION");
        version.try_exists().map_err(|source| EmbeddedError::File {
            what: "look for",
            path: version,
            source,
        })
    }

    /// Joins the server that another process runs on `data_dir`, or starts it when none does; makes no cluster. Waits for
    /// one that starts, ends, or recovers from a crash.
    pub async fn start_or_join(data_dir: &Path) -> Result<Self, EmbeddedError> {
        if !Self::is_made(data_dir)? {
            return Err(EmbeddedError::NoDatabase(data_dir.to_owned()));
        }
        let mut deadline = Instant::now() + PREDECESSOR_LIMIT;
        while server::is_alive(data_dir) {
            let socket_dir = server::socket_dir(data_dir).unwrap_or_else(|| socket_dir(data_dir));
            let url = url(&socket_dir, DATABASE);
            match PgConnection::connect(&url).await {
                Ok(_) => {
                    return Ok(Self {
                        url,
                        socket_dir,
                        server: None,
                    });
                }
                Err(error) if is_starting(&error) => deadline = Instant::now() + PREDECESSOR_LIMIT,
                Err(source) if Instant::now() > deadline || is_closed(&socket_dir) => {
                    return Err(EmbeddedError::Unanswered {
                        data_dir: data_dir.to_owned(),
                        socket_dir,
                        source,
                    });
                }
                Err(_) => {}
            }
            sleep(Duration::from_millis(30)).await;
        }
        Self::start(data_dir, Durability::Full).await
    }

    /// Connection URL of the hub's database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connection URL of another database of the same cluster.
    pub fn url_of(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    /// Fast shutdown; returns when the server has ended. A joined server goes on running.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        match self.server {
            Some(server) => server.stop().await,
            None => Ok(()),
        }
    }
}

fn url(socket_dir: &Path, database: &str) -> String {
    format!(
        "postgres:///{database}?host={}&user=postgres",
        socket_dir.display()
    )
}

/// Where the socket goes: beside the data, because a service may have a /tmp of its own that operators' commands do not
/// see. Where that is too long for a socket's address, a folder for temporary files, under a name that the data's path
/// decides.
fn socket_dir(data_dir: &Path) -> PathBuf {
    let absolute = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let mut name = absolute.file_name().unwrap_or_default().to_owned();
    name.push("-run");
    let beside = absolute.with_file_name(name);
    match beside.join(SOCKET).as_os_str().len() <= SOCKET_PATH_LIMIT {
        true => beside,
        false => temporary_socket_dir(&absolute),
    }
}

fn temporary_socket_dir(data_dir: &Path) -> PathBuf {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let name = data_encoding::HEXLOWER.encode(&hash[..8]);
    std::env::temp_dir().join(format!("notary-pg-{name}"))
}

/// Whether the socket's folder is not there for this process, or not open to it: no waiting helps.
fn is_closed(socket_dir: &Path) -> bool {
    std::fs::read_dir(socket_dir).is_err()
}

/// The name can be foreseen and everybody may write beside it: whoever put a link there would choose which folder is
/// given to the server's user.
fn refuse_link(socket_dir: &Path) -> Result<(), EmbeddedError> {
    match std::fs::symlink_metadata(socket_dir) {
        Ok(found) if !found.is_dir() => Err(EmbeddedError::File {
            what: "make a folder for the socket at",
            path: socket_dir.to_owned(),
            source: io::ErrorKind::NotADirectory.into(),
        }),
        _ => Ok(()),
    }
}

async fn wait_for_predecessor(data_dir: &Path) -> Result<(), EmbeddedError> {
    let deadline = Instant::now() + PREDECESSOR_LIMIT;
    while server::is_alive(data_dir) {
        if Instant::now() > deadline {
            return Err(EmbeddedError::Occupied(data_dir.to_owned()));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn connect_when_ready(
    socket_dir: &Path,
    server: &mut Server,
) -> Result<PgConnection, EmbeddedError> {
    let url = url(socket_dir, "postgres");
    let mut deadline = Instant::now() + READY_LIMIT;
    loop {
        match PgConnection::connect(&url).await {
            Ok(connection) => return Ok(connection),
            Err(error) if server.is_running() && is_starting(&error) => {
                deadline = Instant::now() + READY_LIMIT;
                sleep(Duration::from_millis(30)).await;
            }
            Err(_) if server.is_running() && Instant::now() < deadline => {
                sleep(Duration::from_millis(30)).await;
            }
            Err(_) => return Err(server.not_ready()),
        }
    }
}

/// Whether the server says that it is not ready yet: cannot_connect_now.
fn is_starting(error: &sqlx::Error) -> bool {
    let database = error.as_database_error();
    database.is_some_and(|error| error.code().as_deref() == Some("57P03"))
}

async fn ensure_database(admin: &mut PgConnection) -> Result<(), EmbeddedError> {
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'notary_hub')")
            .fetch_one(&mut *admin)
            .await?;
    if !exists {
        sqlx::query("CREATE DATABASE notary_hub")
            .execute(admin)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_the_data_as_far_as_its_path_has_room() {
        assert_eq!(
            socket_dir(Path::new("/var/lib/notary-hub/postgres")),
            Path::new("/var/lib/notary-hub/postgres-run")
        );
        let of_length = |length: usize| {
            let rest = "/postgres-run/.s.PGSQL.5432".len();
            PathBuf::from(format!("/{}/postgres", "d".repeat(length - rest - 1)))
        };
        let fits = socket_dir(&of_length(SOCKET_PATH_LIMIT));
        assert_eq!(fits.join(SOCKET).as_os_str().len(), SOCKET_PATH_LIMIT);
        assert!(fits.ends_with("postgres-run"));
        let elsewhere = socket_dir(&of_length(SOCKET_PATH_LIMIT + 1));
        assert!(elsewhere.starts_with(std::env::temp_dir()));
    }

    #[test]
    fn a_link_where_the_sockets_folder_goes_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (elsewhere, link) = (folder.path().join("elsewhere"), folder.path().join("link"));
        std::fs::create_dir(&elsewhere).expect("made");
        std::os::unix::fs::symlink(&elsewhere, &link).expect("made");
        let refusal = refuse_link(&link).expect_err("a link");
        assert!(refusal.to_string().contains("link"));
        assert!(refuse_link(&elsewhere).is_ok());
        assert!(refuse_link(&folder.path().join("nothing yet")).is_ok());
    }
}
