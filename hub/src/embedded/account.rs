//! Who the private PostgreSQL runs as: ourselves, or an unprivileged user when we are root, because
//! PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::EmbeddedError;

/// Users tried when started as root.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The server's account.
#[derive(Clone, Debug)]
pub(super) enum Account {
    Ourselves,
    Other { name: String, uid: u32, gid: u32 },
}

impl Account {
    pub(super) fn for_server() -> Result<Self, EmbeddedError> {
        if rustix::process::geteuid().as_raw() != 0 {
            return Ok(Self::Ourselves);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        CANDIDATES
            .iter()
            .find_map(|wanted| find_user(&users, wanted))
            .ok_or(EmbeddedError::NoAccount)
    }

    /// Makes `dir` the account's own (0700), and checks that the account can get there.
    pub(super) fn prepare(&self, dir: &Path) -> Result<(), EmbeddedError> {
        let failed = |what| {
            move |source| EmbeddedError::File {
                what,
                path: dir.to_owned(),
                source,
            }
        };
        fs::create_dir_all(dir).map_err(failed("make"))?;
        if let Self::Other { name, uid, gid } = self {
            check_reachable(name, dir)?;
            chown(dir, Some(*uid), Some(*gid)).map_err(failed("give away"))?;
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(failed("close"))
    }

    /// Makes `command` run as this account, with no supplementary groups.
    pub(super) fn run_as(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }
}

fn find_user(users: &str, wanted: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| *name == wanted)?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account::Other {
            name: name.to_owned(),
            uid,
            gid,
        })
    })
}

fn check_reachable(user: &str, dir: &Path) -> Result<(), EmbeddedError> {
    let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    for parent in absolute.ancestors().skip(1) {
        let open = fs::metadata(parent).is_ok_and(|meta| meta.mode() & 0o001 != 0);
        if !open {
            return Err(EmbeddedError::Unreachable {
                user: user.to_owned(),
                wanted: absolute.clone(),
                barrier: parent.to_owned(),
            });
        }
    }
    Ok(())
}
