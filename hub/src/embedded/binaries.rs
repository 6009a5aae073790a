//! Finding PostgreSQL's programs, newest first.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;
use super::account::Account;

/// Oldest major version the schema is written for.
const OLDEST: u32 = 15;

/// A folder with `postgres` and `initdb`.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// `NOTARY_HUB_PG_BIN`, else the newest of Debian's folders, else `pg_config`, else the PATH.
    pub(super) fn find() -> Result<Self, EmbeddedError> {
        if let Some(folder) = std::env::var_os("NOTARY_HUB_PG_BIN") {
            return Self::in_folder(PathBuf::from(folder)).ok_or(EmbeddedError::NoBinaries);
        }
        debian_folders()
            .into_iter()
            .chain(pg_config_folder())
            .chain(path_folders())
            .find_map(Self::in_folder)
            .ok_or(EmbeddedError::NoBinaries)
    }

    fn in_folder(folder: PathBuf) -> Option<Self> {
        let version = Command::new(folder.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let version = String::from_utf8(version.stdout).ok()?;
        let major: u32 = version
            .split_whitespace()
            .find_map(|word| word.split(['.', 'd', 'b', 'r']).next()?.parse().ok())?;
        (major >= OLDEST && folder.join("initdb").is_file()).then_some(Self { folder })
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) async fn initdb(
        &self,
        data_dir: &Path,
        account: &Account,
    ) -> Result<(), EmbeddedError> {
        let mut command = Command::new(self.folder.join("initdb"));
        command
            .arg("--pgdata")
            .arg(data_dir)
            // The socket's folder is closed to everybody else; that is the authentication.
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--no-instructions"])
            .current_dir("/");
        account.run_as(&mut command);
        let output = tokio::process::Command::from(command)
            .output()
            .await
            .map_err(|error| EmbeddedError::Initdb(error.to_string()))?;
        if output.status.success() {
            Ok(())
        } else {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(EmbeddedError::Initdb(said))
        }
    }
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn pg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim()))
}

fn path_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}
