//! Names that outlive a power cut: a file's own sync keeps what is in it, that of its folder that it has a name.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the names in a folder durable as they are now.
pub(crate) fn names_in(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes durable that a file or folder is there, is another one now, or is gone.
pub(crate) fn name_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => names_in(folder),
        _ => names_in(Path::new(".")),
    }
}
