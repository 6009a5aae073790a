//! The same case twice in one file, or in one table, with other content: both are taken, and one of them counts.

use std::collections::HashMap;

use serde::Serialize;

use super::row::place;

/// Repeats kept; the count is of all.
const MOST: usize = 50;

/// Looks for repeats in rows as they are read, file by file.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    place: String,
    /// What counts of each case of this place so far.
    seen: HashMap<String, Version>,
    kept: Vec<Repeat>,
    count: u64,
}

/// A row of a case.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) location: String,
    /// As [`super::row::content`].
    pub(crate) content: [u8; 32],
    /// The office's own revision, when it keeps one.
    pub(crate) revision: Option<u64>,
}

/// Two rows of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Repeat {
    pub(crate) source_case_id: String,
    /// Where the row stands that counts.
    pub(crate) counts: String,
    /// Where the other stands.
    pub(crate) other: String,
}

impl Repeats {
    /// Takes a good row in.
    pub(crate) fn see(&mut self, source_case_id: &str, version: Version) {
        let here = place(&version.location);
        if here != self.place {
            here.clone_into(&mut self.place);
            self.seen.clear();
        }
        let Some(before) = self.seen.get_mut(source_case_id) else {
            self.seen.insert(source_case_id.to_owned(), version);
            return;
        };
        if before.content == version.content {
            return;
        }
        let other = match version.revision > before.revision || version.revision.is_none() {
            true => std::mem::replace(before, version),
            false => version,
        };
        self.count += 1;
        if self.kept.len() < MOST {
            self.kept.push(Repeat {
                source_case_id: source_case_id.to_owned(),
                counts: before.location.clone(),
                other: other.location,
            });
        }
    }

    /// The first of them.
    pub(crate) fn kept(&self) -> &[Repeat] {
        &self.kept
    }

    /// For people; empty when there is none.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if self.count > 0 {
            text.push_str("the same case twice in one place, with other content\n");
        }
        for repeat in &self.kept {
            let Repeat {
                source_case_id: id,
                counts,
                other,
            } = repeat;
            text.push_str(&format!("  case {id}: {counts} counts, {other} does not\n"));
        }
        let more = self.count - self.kept.len() as u64;
        if more > 0 {
            text.push_str(&format!("  and {more} more\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(repeats: &mut Repeats, location: &str, content: u8, revision: Option<u64>) {
        let version = Version {
            location: location.to_owned(),
            content: [content; 32],
            revision,
        };
        repeats.see("a", version);
    }

    fn counts(repeats: &Repeats) -> Vec<(&str, &str)> {
        let kept = repeats.kept().iter();
        kept.map(|it| (it.counts.as_str(), it.other.as_str()))
            .collect()
    }

    #[test]
    fn the_later_line_counts_where_the_office_keeps_no_revision() {
        let mut repeats = Repeats::default();
        see(&mut repeats, "x.csv:2", 1, None);
        see(&mut repeats, "x.csv:3", 1, None);
        assert_eq!(counts(&repeats), [], "the same content is no contradiction");
        see(&mut repeats, "x.csv:4", 2, None);
        assert_eq!(counts(&repeats), [("x.csv:4", "x.csv:2")]);
        assert!(repeats.text().contains("x.csv:4 counts, x.csv:2 does not"));
    }

    #[test]
    fn the_higher_revision_counts_where_it_keeps_one() {
        let mut repeats = Repeats::default();
        see(&mut repeats, "x.csv:2", 1, Some(7));
        see(&mut repeats, "x.csv:3", 2, Some(6));
        see(&mut repeats, "x.csv:4", 3, Some(8));
        assert_eq!(
            counts(&repeats),
            [("x.csv:2", "x.csv:3"), ("x.csv:4", "x.csv:2")]
        );
    }

    #[test]
    fn another_file_may_have_a_case_anew() {
        let mut repeats = Repeats::default();
        see(&mut repeats, "x.csv:2", 1, None);
        see(&mut repeats, "y.csv:2", 2, None);
        assert_eq!(counts(&repeats), []);
        assert_eq!(repeats.text(), "");
    }
}
