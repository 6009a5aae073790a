//! The hub's program with a folder of its own, for tests that run real processes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with a configuration, and the hub's data in `data`.
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// `extra` is appended to the configuration file.
    pub fn new(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The private PostgreSQL may run as another user, who must get there.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let config = format!(
            "data_dir = 'data'\nagents.listen = '127.0.0.1:0'\npeople.listen = '127.0.0.1:0'\n\
             metrics.listen = '127.0.0.1:0'\n{extra}"
        );
        fs::write(folder.path().join("hub.toml"), config).unwrap();
        Self { folder }
    }

    /// The keys of another hub of the same database.
    #[allow(dead_code)]
    pub fn keyed_as(&self, pki: &Path) {
        let own = self.path("data/pki");
        fs::create_dir_all(&own).unwrap();
        fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
        for file in fs::read_dir(pki).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), own.join(file.file_name())).unwrap();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notary-hub"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.path("hub.toml"));
        command.env_remove("NOTARY_HUB_CONFIG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
    /// What a command says that does what it should.
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
