//! Which files of a folder are meant.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use encoding_rs::GB18030;

use super::cursor::Print;

/// A file that matches.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) print: Print,
}

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Files that the pattern means, the oldest first: what was exported later has the last word.
    pub(super) files: Vec<Seen>,
    /// Names that are not UTF-8, as they were probably meant.
    pub(super) misnamed: Vec<String>,
    /// Files that it does not mean.
    pub(super) others: usize,
}

/// Looks which files of a folder a pattern means.
pub(super) fn scan(folder: &Path, pattern: &str) -> io::Result<Scanned> {
    let mut scanned = Scanned::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = match entry.file_name().into_string() {
            Ok(name) => name,
            Err(name) => {
                // Several such names would be one, read as they are.
                let name = GB18030.decode(name.as_bytes()).0.into_owned();
                if matches(pattern, &name) {
                    scanned.misnamed.push(name);
                }
                continue;
            }
        };
        // Excel locks a workbook with a file `~$…` beside it.
        if name.starts_with(['.', '~']) {
            continue;
        }
        let path = entry.path();
        // A file may go while we look; it is then not there.
        let Ok(Some(print)) = look(&path) else {
            continue;
        };
        match matches(pattern, &name) {
            true => scanned.files.push(Seen { name, path, print }),
            false => scanned.others += 1,
        }
    }
    let files = &mut scanned.files;
    files.sort_by(|a, b| (a.print.changed, &a.name).cmp(&(b.print.changed, &b.name)));
    scanned.misnamed.sort();
    Ok(scanned)
}

/// Size and time of a file; `None` when it is a folder or something else.
pub(super) fn look(path: &Path) -> io::Result<Option<Print>> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Ok(None);
    }
    let since = |at: std::time::SystemTime| at.duration_since(UNIX_EPOCH).ok();
    let changed = meta.modified().ok().and_then(since);
    Ok(Some(Print {
        size: meta.len(),
        changed: changed.map_or(0, |at| i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)),
    }))
}

/// Whether a name matches a pattern with `*` and `?`; Latin capitals and small letters are the same.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let [pattern, name]: [Vec<char>; 2] =
        [pattern, name].map(|text| text.to_ascii_lowercase().chars().collect());
    // Where to go on after the last star when the rest does not match.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_a_name() {
        for (pattern, name, expected) in [
            ("*.csv", "gz-2024-01.csv", true),
            ("*.csv", "GZ.CSV", true),
            ("*.csv", "gz.csv.tmp", false),
            ("gz-*-Q?.csv", "gz-2024-Q1.csv", true),
            ("gz-*-Q?.csv", "gz-2024-Q.csv", false),
            ("办证*.xlsx", "办证信息2024.xlsx", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXc", false),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn hidden_files_locks_and_folders_are_not_meant() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [".a.csv", "~$a.csv", "a.csv", "a.tmp"] {
            fs::write(folder.path().join(name), "x").expect("a file");
        }
        fs::create_dir(folder.path().join("b.csv")).expect("a folder");
        let found = scan(folder.path(), "*.csv").expect("readable");
        let files = found.files.iter();
        let names: Vec<_> = files.map(|seen| seen.name.as_str()).collect();
        assert_eq!((names, found.others), (vec!["a.csv"], 1));
    }
}
