//! Records what a program does to a folder, with strace: every call that changes a file or makes one durable.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};

use crate::promise::Mark;

/// What is recorded; `?` stands before what not every architecture has.
const CALLS: &str = "trace=openat,?open,?creat,write,pwrite64,writev,lseek,ftruncate,fsync,fdatasync,?rename,renameat,\
    renameat2,?unlink,unlinkat,?mkdir,mkdirat,mmap,truncate,fallocate,pwritev,pwritev2,copy_file_range,sendfile,splice,\
    ?link,linkat,?symlink,symlinkat,?rmdir";

/// What happened, with paths below the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file was opened that is made if it is not there.
    Made(PathBuf),
    FolderMade(PathBuf),
    Written {
        path: PathBuf,
        at: usize,
        bytes: Arc<[u8]>,
    },
    Resized {
        path: PathBuf,
        len: usize,
    },
    /// It is written to behind the recorder's back.
    Mapped(PathBuf),
    Synced(PathBuf),
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Removed(PathBuf),
    Said(Mark),
}

/// Runs a program to its end and tells what it did to the folder.
///
/// # Errors
/// When strace is missing or the program fails, or when it does what the recorder does not know.
pub(crate) fn record(program: &Command, folder: &Path) -> anyhow::Result<Vec<Event>> {
    let log = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-y",
        "-xx",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "signal=none",
    ]);
    strace
        .args(["-s", "16777216", "-e", CALLS, "-o"])
        .arg(log.path());
    strace.arg(program.get_program()).args(program.get_args());
    let ended = match strace.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("strace is not installed; run: deploy/setup.sh test")
        }
        ended => ended.context("run strace")?,
    };
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "recording {program:?}: {said}");
    let mut recorder = Recorder {
        folders: vec![fs::canonicalize(folder)?, folder.to_owned()],
        places: HashMap::new(),
        events: Vec::new(),
    };
    recorder.read(BufReader::new(File::open(log.path())?))?;
    Ok(recorder.events)
}

struct Recorder {
    /// The folder as the kernel calls it, and as the program was told of it.
    folders: Vec<PathBuf>,
    /// Where the next `write` of a file goes.
    places: HashMap<String, usize>,
    events: Vec<Event>,
}

impl Recorder {
    fn read(&mut self, log: impl BufRead) -> anyhow::Result<()> {
        // Calls that other threads' came in between of.
        let mut begun = HashMap::<String, String>::new();
        for line in log.lines() {
            let line = line?;
            let (process, text) = line.split_once(' ').context("a process and its call")?;
            let text = text.trim_start();
            if let Some(start) = text.strip_suffix(" <unfinished ...>") {
                begun.insert(process.to_owned(), start.to_owned());
                continue;
            }
            let resumed = text
                .strip_prefix("<... ")
                .and_then(|text| text.split_once(" resumed>"));
            let call = match resumed {
                Some((_, end)) => begun.remove(process).context("a call that begins")? + end,
                None => text.to_owned(),
            };
            if call.starts_with("+++") {
                continue;
            }
            let told = || {
                format!(
                    "strace says: {}",
                    call.chars().take(200).collect::<String>()
                )
            };
            self.call(&call).with_context(told)?;
        }
        Ok(())
    }

    fn call(&mut self, text: &str) -> anyhow::Result<()> {
        let (name, rest) = text.split_once('(').context("a call")?;
        let (arguments, result) = rest.rsplit_once(" = ").context("a result")?;
        let arguments = arguments
            .trim_end()
            .strip_suffix(')')
            .context("arguments")?;
        // What failed, or was cut off by the program's end, has done nothing.
        match number(result) {
            Some(returned) => self.take(&Call {
                name,
                arguments,
                result,
                returned,
            }),
            None => Ok(()),
        }
    }

    fn take(&mut self, call: &Call<'_>) -> anyhow::Result<()> {
        if call.name.starts_with("write") && call.arguments.starts_with("1<") {
            for line in call
                .quoted()?
                .concat()
                .split_inclusive(|byte| *byte == b'\n')
            {
                self.events.push(Event::Said(Mark::heard(line)?));
            }
            return Ok(());
        }
        let paths = self.paths(call)?;
        let Some(path) = paths.first().cloned() else {
            return Ok(());
        };
        match call.name {
            "open" | "openat" | "creat" => self.opened(call, path),
            "lseek" => self.place(call, call.returned),
            "write" | "writev" => {
                let at = self.places.get(call.handle()).copied().unwrap_or_default();
                self.place(call, at + call.returned);
                self.written(call, path, at)?;
            }
            "pwrite64" => self.written(call, path, call.last()?)?,
            "ftruncate" => {
                let len = call.last()?;
                self.events.push(Event::Resized { path, len });
            }
            "fsync" | "fdatasync" => self.events.push(Event::Synced(path)),
            "unlink" | "unlinkat" if !call.arguments.contains("AT_REMOVEDIR") => {
                self.events.push(Event::Removed(path));
            }
            "mkdir" | "mkdirat" => self.events.push(Event::FolderMade(path)),
            "rename" | "renameat" => self.renamed(path, paths)?,
            "renameat2" if call.arguments.ends_with(", 0") => self.renamed(path, paths)?,
            "mmap" if call.arguments.contains("MAP_PRIVATE") => {}
            "mmap" => self.events.push(Event::Mapped(path)),
            other => bail!("the model of the disk has no {other}"),
        }
        Ok(())
    }

    fn opened(&mut self, call: &Call<'_>, path: PathBuf) {
        self.places.insert(
            call.result.split('<').next().unwrap_or_default().to_owned(),
            0,
        );
        if call.name == "creat" || call.arguments.contains("O_CREAT") {
            self.events.push(Event::Made(path.clone()));
        }
        if call.name == "creat" || call.arguments.contains("O_TRUNC") {
            self.events.push(Event::Resized { path, len: 0 });
        }
    }

    fn renamed(&mut self, from: PathBuf, paths: Vec<PathBuf>) -> anyhow::Result<()> {
        let to = paths.into_iter().nth(1);
        let to = to.context("both names are in the folder")?;
        self.events.push(Event::Renamed { from, to });
        Ok(())
    }

    fn written(&mut self, call: &Call<'_>, path: PathBuf, at: usize) -> anyhow::Result<()> {
        let mut bytes = call.quoted()?.concat();
        bytes.truncate(call.returned);
        let bytes = bytes.into();
        self.events.push(Event::Written { path, at, bytes });
        Ok(())
    }

    fn place(&mut self, call: &Call<'_>, at: usize) {
        self.places.insert(call.handle().to_owned(), at);
    }

    /// The paths of a call that lie in the folder, below it. Of files that have no name any more nothing can be left.
    fn paths(&self, call: &Call<'_>) -> anyhow::Result<Vec<PathBuf>> {
        let paths = match call.name {
            "open" | "openat" | "creat" => vec![path_of_handle(call.result)?],
            "unlink" | "unlinkat" | "mkdir" | "mkdirat" | "rename" | "renameat" | "renameat2"
            | "truncate" | "link" | "linkat" | "symlink" | "symlinkat" | "rmdir" => {
                let folder = path_of_handle(call.arguments)?;
                let named = call.quoted()?.into_iter().map(path);
                named.map(|named| folder.join(named)).collect()
            }
            _ if call.arguments.contains("(deleted)") => Vec::new(),
            _ => vec![path_of_handle(call.arguments)?],
        };
        let below = |path: &PathBuf| {
            let mut below = self.folders.iter().map(|folder| path.strip_prefix(folder));
            below.find_map(Result::ok).map(Path::to_owned)
        };
        Ok(paths.iter().filter_map(below).collect())
    }
}

/// A call that succeeded.
struct Call<'a> {
    name: &'a str,
    arguments: &'a str,
    result: &'a str,
    returned: usize,
}

impl Call<'_> {
    /// Number of the first file.
    fn handle(&self) -> &str {
        self.arguments.split('<').next().unwrap_or_default()
    }

    /// The last argument, a number.
    fn last(&self) -> anyhow::Result<usize> {
        let last = self.arguments.rsplit(", ").next().unwrap_or_default();
        last.parse().context("a place in a file")
    }

    /// What stands between quotes: paths, or what was written.
    fn quoted(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        ensure!(!self.arguments.contains("\"..."), "it is cut short");
        self.arguments
            .split('"')
            .skip(1)
            .step_by(2)
            .map(unescaped)
            .collect()
    }
}

/// What a call returned, when it succeeded.
fn number(result: &str) -> Option<usize> {
    match result.strip_prefix("0x") {
        Some(address) => usize::from_str_radix(address, 16).ok(),
        None => result.split('<').next()?.trim().parse().ok(),
    }
}

/// The path of the first open file or folder in a text; empty when there is none.
fn path_of_handle(text: &str) -> anyhow::Result<PathBuf> {
    let behind = text.split_once('<').map(|(_, behind)| behind);
    let escaped = behind.and_then(|text| text.split('>').next());
    unescaped(escaped.unwrap_or_default()).map(path)
}

fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// The bytes of `\x6f\x6b`.
fn unescaped(text: &str) -> anyhow::Result<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let byte = |escaped: &[u8]| match escaped {
        [b'\\', b'x', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes = text
        .as_bytes()
        .chunks(4)
        .map(byte)
        .collect::<Option<Vec<u8>>>();
    bytes.context("bytes in hexadecimal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(log: &str) -> anyhow::Result<Vec<Event>> {
        let mut recorder = Recorder {
            folders: vec!["/d".into(), "/link".into()],
            places: HashMap::new(),
            events: Vec::new(),
        };
        let hex = |text: &str| {
            text.bytes()
                .map(|byte| format!("\\x{byte:02x}"))
                .collect::<String>()
        };
        // In the examples, what strace writes in hexadecimal stands between backquotes.
        let parts = log.split('`').enumerate();
        let log: String = parts
            .map(|(nth, part)| {
                if nth % 2 == 1 {
                    hex(part)
                } else {
                    part.to_owned()
                }
            })
            .collect();
        recorder.read(log.as_bytes())?;
        Ok(recorder.events)
    }

    #[test]
    fn calls_are_read_with_those_of_other_threads_in_between() {
        let log = "\
7 openat(AT_FDCWD</>, \"`/d/a`\", O_RDWR|O_CREAT, 0600) = 3<`/d/a`>
7 write(3<`/d/a`>, \"`one`\", 3) = 3
7 writev(3<`/d/a`>, [{iov_base=\"`t`\", iov_len=1}, {iov_base=\"`wo`\", iov_len=2}], 2) = 3
7 pwrite64(3<`/d/a`>, \"`late`\", 4, 100 <unfinished ...>
8 fsync(4<`/d`>)                = 0
7 <... pwrite64 resumed>)       = 2
7 rename(\"`/d/a`\", \"`/d/b`\") = 0
7 renameat2(AT_FDCWD<`/`>, \"`/link/b`\", AT_FDCWD<`/`>, \"`/link/e`\", 0) = 0
7 unlinkat(3<`/d`>, \"`c`\", 0) = 0
7 unlink(\"`/d/c`\") = -1 ENOENT (No such file or directory)
7 pwrite64(3<`/d/b`>(deleted), \"`x`\", 1, 0) = 1
7 openat(AT_FDCWD</>, \"`/etc/a`\", O_RDWR|O_CREAT, 0600) = 3<`/etc/a`>
7 write(1<`pipe:[1]`>, \"`{\"keeps\":3}\n`\", 12) = 12
7 +++ exited with 0 +++
";
        let written = |at, bytes: &str| Event::Written {
            path: "a".into(),
            at,
            bytes: bytes.as_bytes().into(),
        };
        let expected = vec![
            Event::Made("a".into()),
            written(0, "one"),
            written(3, "two"),
            Event::Synced("".into()),
            written(100, "la"),
            Event::Renamed {
                from: "a".into(),
                to: "b".into(),
            },
            Event::Renamed {
                from: "b".into(),
                to: "e".into(),
            },
            Event::Removed("c".into()),
            Event::Said(Mark::Keeps(3)),
        ];
        assert_eq!(events(log).expect("read"), expected);
    }

    #[test]
    fn a_call_that_the_model_does_not_know_ends_the_recording() {
        let unknown = events("7 fallocate(3<`/d/a`>, 0, 0, 4096) = 0\n").expect_err("unknown");
        assert!(format!("{unknown:#}").contains("fallocate"), "{unknown:#}");
        assert!(events("7 fallocate(3<`/e/a`>, 0, 0, 4096) = 0\n").is_ok());
        let swapped = "7 renameat2(3<`/d`>, \"`a`\", 3<`/d`>, \"`b`\", RENAME_EXCHANGE) = 0\n";
        assert!(events(swapped).is_err());
        assert!(events("7 write(3<`/d/a`>, \"`cut`\"..., 9) = 9\n").is_err());
    }
}
