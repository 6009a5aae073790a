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
        "no PostgreSQL 15 or newer on this machine; install it from the system's packages, or set NOTARY_HUB_PG_BIN to its bin folder"
    )]
    NoBinaries,
    #[error("no unprivileged user to run PostgreSQL as; create the user `postgres`")]
    NoAccount,
    #[error(
        "user {user} cannot reach {} because {} lets nobody else in; choose a data_dir under a folder that others may enter (chmod o+x)",
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
        let binaries = Binaries::find()?;
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

    /// Joins the server that another process runs on `data_dir`, or starts it when none does. Waits for one that starts,
    /// or recovers from a crash.
    pub async fn start_or_join(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let socket_dir = socket_dir(data_dir);
        let url = url(&socket_dir, DATABASE);
        while server::is_alive(data_dir) {
            match PgConnection::connect(&url).await {
                Ok(_) => {
                    return Ok(Self {
                        url,
                        socket_dir,
                        server: None,
                    });
                }
                Err(error) if is_starting(&error) => sleep(Duration::from_millis(30)).await,
                Err(_) => break,
            }
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

/// A Unix socket's path has room for 107 bytes, so the socket stands apart from the data, under a name
/// that the data's path decides.
fn socket_dir(data_dir: &Path) -> PathBuf {
    use sha2::Digest;
    let absolute = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let hash = sha2::Sha256::digest(absolute.as_os_str().as_encoded_bytes());
    let name = data_encoding::HEXLOWER.encode(&hash[..8]);
    std::env::temp_dir().join(format!("notary-pg-{name}"))
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
