//! A model of the disk: what is durable, what is pending, and what may be left when the power fails.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::trace::Event;

/// What is written whole or not at all.
const SECTOR: usize = 512;

/// Whether the disk does what it is told. Those that do not show that the test finds what is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    Honest,
    /// Says that a file's content is durable when it is not.
    ForgetsFiles,
    /// The same of the names in a folder.
    ForgetsFolders,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    /// By its place among the files.
    File(usize),
}

type Names = BTreeMap<PathBuf, Node>;

/// Names in one folder that change in one step.
#[derive(Clone, Debug)]
struct Naming {
    folder: PathBuf,
    names: Vec<(PathBuf, Option<Node>)>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Arc<[u8]> },
    Resize(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Any bytes may be in it.
    mapped: bool,
}

/// The disk at a moment.
#[derive(Debug)]
pub(crate) struct State {
    kind: Disk,
    files: Vec<File>,
    /// As programs see them.
    seen: Names,
    durable: Names,
    pending: Vec<Naming>,
}

impl State {
    pub(crate) fn empty(kind: Disk) -> Self {
        Self {
            kind,
            files: Vec::new(),
            seen: Names::new(),
            durable: Names::new(),
            pending: Vec::new(),
        }
    }

    /// Does what the recorded program did.
    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::Made(path) => {
                if !self.seen.contains_key(path) {
                    self.files.push(File::default());
                    self.name(vec![(path.clone(), Some(Node::File(self.files.len() - 1)))]);
                }
            }
            Event::FolderMade(path) => self.name(vec![(path.clone(), Some(Node::Folder))]),
            Event::Written { path, at, bytes } => self.change(
                path,
                Change::Write {
                    at: *at,
                    bytes: Arc::clone(bytes),
                },
            ),
            Event::Resized { path, len } => self.change(path, Change::Resize(*len)),
            Event::Mapped(path) => {
                if let Some(file) = self.file(path) {
                    file.mapped = true;
                }
            }
            Event::Synced(path) => self.sync(path),
            Event::Removed(path) => self.name(vec![(path.clone(), None)]),
            Event::Renamed { from, to } => self.rename(from, to),
            Event::Said(_) => {}
        }
    }

    /// Within one folder in one step; between two, each for itself.
    fn rename(&mut self, from: &Path, to: &Path) {
        let node = self.seen.get(from).copied();
        let (gone, come) = ((from.to_owned(), None), (to.to_owned(), node));
        if from.parent() == to.parent() {
            self.name(vec![gone, come]);
        } else {
            self.name(vec![come]);
            self.name(vec![gone]);
        }
    }

    fn name(&mut self, names: Vec<(PathBuf, Option<Node>)>) {
        let folder = names.first().and_then(|(path, _)| path.parent());
        let naming = Naming {
            folder: folder.unwrap_or(Path::new("")).to_owned(),
            names,
        };
        naming.give(&mut self.seen);
        self.pending.push(naming);
    }

    fn file(&mut self, path: &Path) -> Option<&mut File> {
        match self.seen.get(path) {
            Some(Node::File(nth)) => self.files.get_mut(*nth),
            _ => None,
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(file) = self.file(path) {
            file.pending.push(change);
        }
    }

    fn sync(&mut self, path: &Path) {
        let kind = self.kind;
        match self.file(path) {
            Some(file) if kind != Disk::ForgetsFiles => {
                for change in std::mem::take(&mut file.pending) {
                    change.make(&mut file.durable, || true);
                }
            }
            Some(_) => {}
            None if kind == Disk::ForgetsFolders => {}
            None => {
                for synced in self.pending.extract_if(.., |naming| naming.folder == path) {
                    synced.give(&mut self.durable);
                }
            }
        }
    }

    /// A file's content as programs see it.
    pub(crate) fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let Some(Node::File(nth)) = self.seen.get(path) else {
            return None;
        };
        let file = self.files.get(*nth)?;
        let mut content = file.durable.clone();
        for change in &file.pending {
            change.make(&mut content, || true);
        }
        Some(content)
    }

    /// Puts into an empty folder what may be left when the power fails now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn leave(&self, dice: &mut ChaCha8Rng, folder: &Path) -> io::Result<()> {
        let mut names = self.durable.clone();
        let fate = Fate::drawn(dice, self.pending.len());
        for (nth, naming) in self.pending.iter().enumerate() {
            if fate.spares(nth, dice) {
                naming.give(&mut names);
            }
        }
        // A folder comes before what is in it, and what is in one that is not there is gone with it.
        for (path, node) in &names {
            let place = folder.join(path);
            if !place.parent().is_some_and(Path::exists) {
                continue;
            }
            match node {
                Node::Folder => fs::create_dir(place)?,
                Node::File(nth) => write(&place, &self.files[*nth].left(dice))?,
            }
        }
        Ok(())
    }
}

/// As the agent makes its files: their owner's alone.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    options.open(path)?.write_all(content)
}

impl Naming {
    fn give(&self, all: &mut Names) {
        for (path, node) in &self.names {
            match node {
                Some(node) => all.insert(path.clone(), *node),
                None => all.remove(path),
            };
        }
    }
}

impl File {
    fn left(&self, dice: &mut ChaCha8Rng) -> Vec<u8> {
        let mut content = self.durable.clone();
        let fate = Fate::drawn(dice, self.pending.len());
        for (nth, change) in self.pending.iter().enumerate() {
            if !fate.spares(nth, dice) {
                continue;
            }
            match fate.tears(nth, dice) {
                true => change.make(&mut content, || dice.random_bool(0.5)),
                false => change.make(&mut content, || true),
            }
        }
        if self.mapped {
            dice.fill(&mut content[..]);
        }
        content
    }
}

impl Change {
    /// Makes it, but for the sectors that are not written.
    fn make(&self, content: &mut Vec<u8>, mut is_written: impl FnMut() -> bool) {
        let (mut at, mut rest) = match self {
            Self::Resize(len) => return content.resize(*len, 0),
            Self::Write { at, bytes } => (*at, &bytes[..]),
        };
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            let end = at + piece.len();
            if is_written() {
                content.resize(content.len().max(end), 0);
                content[at..end].copy_from_slice(piece);
            }
            (at, rest) = (end, behind);
        }
    }
}

/// What becomes of the changes that are pending, in the order in which they were made.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// So many are made, and of the last perhaps a part.
    First(usize),
    /// Each has this chance.
    Some(f64),
}

impl Fate {
    fn drawn(dice: &mut ChaCha8Rng, pending: usize) -> Self {
        match dice.random_range(0..6) {
            0 => Self::First(0),
            1 => Self::First(pending),
            2 => Self::First(dice.random_range(0..=pending)),
            3 => Self::Some(0.1),
            4 => Self::Some(0.5),
            _ => Self::Some(0.9),
        }
    }

    fn spares(self, nth: usize, dice: &mut ChaCha8Rng) -> bool {
        match self {
            Self::First(made) => nth < made,
            Self::Some(chance) => dice.random_bool(chance),
        }
    }

    fn tears(self, nth: usize, dice: &mut ChaCha8Rng) -> bool {
        match self {
            Self::First(made) => nth + 1 == made && dice.random_bool(0.5),
            Self::Some(_) => dice.random_bool(0.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::*;

    fn written(path: &str, byte: u8) -> Event {
        Event::Written {
            path: path.into(),
            at: 0,
            bytes: [byte; 2 * SECTOR].into(),
        }
    }

    /// What `a` can be after the power has failed: `None` when it is not there, else how many bytes of each kind.
    fn left(events: &[Event]) -> BTreeSet<Option<[usize; 2]>> {
        let mut state = State::empty(Disk::Honest);
        events.iter().for_each(|event| state.take(event));
        let left = |seed| {
            let folder = tempfile::tempdir().expect("a folder");
            let mut dice = ChaCha8Rng::seed_from_u64(seed);
            state.leave(&mut dice, folder.path()).expect("written");
            let content = fs::read(folder.path().join("a")).ok()?;
            Some([1, 2].map(|kind| content.iter().filter(|byte| **byte == kind).count()))
        };
        (0..300).map(left).collect()
    }

    #[test]
    fn content_that_is_not_synced_may_be_there_in_part_and_its_name_too() {
        let whole = 2 * SECTOR;
        let mut events = vec![Event::Made("a".into()), written("a", 1)];
        let all = [None, Some([0, 0]), Some([SECTOR, 0]), Some([whole, 0])];
        assert_eq!(left(&events), BTreeSet::from(all));
        events.push(Event::Synced("a".into()));
        assert_eq!(left(&events), BTreeSet::from([None, Some([whole, 0])]));
        events.push(Event::Synced("".into()));
        assert_eq!(left(&events), BTreeSet::from([Some([whole, 0])]));
    }

    #[test]
    fn a_file_is_replaced_in_one_step_when_the_new_one_was_synced_and_else_not() {
        let (a, b) = (|| "a".into(), || "b".into());
        let old = [
            Event::Made(a()),
            written("a", 1),
            Event::Synced(a()),
            Event::Synced("".into()),
        ];
        let new = [Event::Made(b()), written("b", 2)];
        let renamed = [Event::Renamed { from: b(), to: a() }];
        let synced = [Event::Synced(b())];
        let whole = 2 * SECTOR;
        let (is_old, is_new) = (Some([whole, 0]), Some([0, whole]));
        let safe = [&old[..], &new, &synced, &renamed].concat();
        assert_eq!(left(&safe), BTreeSet::from([is_old, is_new]));
        let torn = [&old[..], &new, &renamed].concat();
        assert!(left(&torn).contains(&Some([0, 0])));
    }
}
