//! Finding PostgreSQL's programs: those that the data is of, or the newest where there is none yet.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;
use super::account::Account;

/// Oldest major version the schema is written for.
const OLDEST: u32 = 15;

/// A folder with `postgres` and `initdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// For the cluster in `data_dir`, or the one to be made there: `NOTARY_HUB_PG_BIN`, else of Debian's folders, the newest
    /// first, `pg_config` and the PATH the first that fits.
    pub(super) fn find(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let made_by = made_by(data_dir)?;
        let folders = match std::env::var_os("NOTARY_HUB_PG_BIN") {
            Some(folder) => vec![PathBuf::from(folder)],
            None => debian_folders()
                .into_iter()
                .chain(pg_config_folder())
                .chain(path_folders())
                .collect(),
        };
        let found = folders.into_iter().filter_map(Self::in_folder);
        choose(found, made_by).ok_or_else(|| match made_by {
            None => EmbeddedError::NoBinaries,
            Some(major) => EmbeddedError::OtherVersion {
                data_dir: data_dir.to_owned(),
                major,
            },
        })
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
        (major >= OLDEST && folder.join("initdb").is_file()).then_some(Self { folder, major })
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

/// A cluster is of one major version for good: another one's programs refuse it.
fn choose(mut found: impl Iterator<Item = Binaries>, made_by: Option<u32>) -> Option<Binaries> {
    found.find(|binaries| made_by.is_none_or(|major| binaries.major == major))
}

/// The major version that the cluster in `data_dir` is of.
fn made_by(data_dir: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = data_dir.join("PG_VERSION");
    let failed = |source| EmbeddedError::File {
        what: "read",
        path: path.clone(),
        source,
    };
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(text) => match text.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(_) => Err(failed(ErrorKind::InvalidData.into())),
        },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> impl Iterator<Item = Binaries> {
        [17, 16, 15].into_iter().map(|major| Binaries {
            folder: format!("/usr/lib/postgresql/{major}/bin").into(),
            major,
        })
    }

    #[test]
    fn a_cluster_gets_the_programs_that_it_is_of_and_a_new_one_the_newest() {
        for (made_by, chosen) in [(None, Some(17)), (Some(15), Some(15)), (Some(14), None)] {
            let chosen_for = choose(found(), made_by).map(|binaries| binaries.major);
            assert_eq!(chosen_for, chosen, "{made_by:?}");
        }
    }

    #[test]
    fn a_cluster_says_what_it_is_of() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(made_by(folder.path()).expect("none yet"), None);
        let version = folder.path().join("PG_VERSION");
        fs::write(&version, "15\n").expect("written");
        assert_eq!(made_by(folder.path()).expect("read"), Some(15));
        fs::write(&version, "").expect("written");
        let spoiled = made_by(folder.path()).expect_err("no version").to_string();
        assert!(spoiled.contains("PG_VERSION"), "{spoiled}");
    }

    #[test]
    fn where_only_another_version_is_installed_it_says_which_one_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("PG_VERSION"), "9\n").expect("written");
        let refused = Binaries::find(folder.path()).expect_err("too old to be taken");
        let said = refused.to_string();
        assert!(said.contains("apt install postgresql-9"), "{said}");
    }
}
