//! Which page comes next: whole passes in the order of reading, rows without a watermark now and then.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::cursor::{SqlCursor, Value, earlier, is_ordered_as_text, not_in_the_future};
use super::keyset::Range;
use super::link::Link;
use crate::config::SqlSource;
use crate::source::row::{Found, digest};
use crate::source::{Page, SourceError};

/// How often rows without a watermark are read again.
const UNMARKED_EVERY: Duration = Duration::from_secs(600);
/// How often a last watermark that more rows share than a page holds is read again while nothing new comes.
const LONG_TAIL_EVERY: Duration = Duration::from_secs(300);

/// Which rows the next page reads.
#[derive(Debug)]
enum Turn {
    Marked,
    /// Rows without a watermark, behind a key; and how many there were so far.
    Unmarked(Option<Value>, u64),
}

/// What is known of a source beside its cursor.
pub(super) struct Passes {
    pub(super) source: SqlSource,
    turn: Turn,
    unmarked_at: Option<Instant>,
    /// When a look from the last watermark on took more than one page and ended.
    long_pass_at: Option<Instant>,
    /// Digest of the last pass of one page.
    last_page: Option<[u8; 32]>,
    /// Of rows that lack something.
    notes: Vec<String>,
    /// Of the watermark that reading has come to.
    mark_note: Option<&'static str>,
}

/// Where the highest watermark lies in the future.
const IN_THE_FUTURE: &str = "有行的 watermark 在未来，请更正；在此之前每次重读最近一天 \
    (a row's watermark lies in the future; correct it, until then the last day is read again each time)";
/// Where it is text that is no date.
const AS_TEXT: &str = "watermark 按文本排序（如 2024/9/30 排在 2024/10/1 之后），部分修改要到每周重读时才会读到；请在 query 中改为日期时间 \
    (the watermark is ordered as text, 2024/9/30 behind 2024/10/1: some changes come with the weekly reading only; make it a date or time in the query)";

impl Passes {
    pub(super) fn new(source: SqlSource) -> Self {
        Self {
            source,
            turn: Turn::Marked,
            unmarked_at: None,
            long_pass_at: None,
            last_page: None,
            notes: Vec::new(),
            mark_note: None,
        }
    }

    fn told(&self) -> Vec<String> {
        let mark_note = self.mark_note.map(str::to_owned);
        mark_note.into_iter().chain(self.notes.clone()).collect()
    }

    /// Reads a page over `link` in one transaction.
    pub(super) async fn read(
        &mut self,
        link: &mut Link,
        stored: Option<&str>,
    ) -> Result<Page, SourceError> {
        link.begin().await?;
        let page = match std::mem::replace(&mut self.turn, Turn::Marked) {
            Turn::Marked => self.marked(link, stored).await?,
            Turn::Unmarked(after, count) => self.unmarked(link, after, count).await?,
        };
        link.end().await?;
        Ok(page)
    }

    async fn marked(&mut self, link: &mut Link, stored: Option<&str>) -> Result<Page, SourceError> {
        let columns = [self.source.watermark.clone(), self.source.key.clone()];
        let mut cursor = SqlCursor::restore(stored, columns);
        let quiet = cursor.pass.is_none()
            && self.is_tail_resting()
            && match &cursor.last {
                Some(last) => !link.is_anything_after(last).await?,
                None => false,
            };
        if quiet {
            return Ok(self.end_of_pass(Vec::new(), None));
        }
        let range = self.range(&cursor)?;
        let mut highest = cursor.pass.as_ref().map(|pass| pass.highest.clone());
        let (mut rows, mut more) = link.page(&range).await?;
        if more && highest.is_none() {
            // What was highest must be asked before the pass begins: not every table keeps the transaction's moment.
            highest = link.highest().await?;
            (rows, more) = link.page(&range).await?;
        }
        let last = rows.last().map(|row| link.position(row)).transpose()?;
        if let (Some(overlap), Some(at)) = (self.source.overlap, &last)
            && earlier(&at.watermark, overlap.get()).is_none()
        {
            return Err(SourceError::OverlapWithoutTime);
        }
        let found = link.assemble(rows).await?;
        if let (Some(at), true) = (&last, more) {
            let highest = highest.unwrap_or_else(|| at.watermark.clone());
            cursor.go_on(at.clone(), highest);
            return Ok(Page {
                found,
                cursor: Some(cursor.to_text()),
                told_at: None,
                more,
                wait: None,
                notes: self.told(),
            });
        }
        let was_long = cursor.pass.is_some();
        // The first reading of all is long too, and says nothing about the tail.
        self.long_pass_at = (was_long && cursor.begin.is_some()).then(Instant::now);
        cursor.finish(last);
        // Kept as a bound of today: what changes while the agent is off is not behind it.
        let begin = cursor.begin.as_ref();
        if let Some(bound) = begin.and_then(|at| not_in_the_future(at, OffsetDateTime::now_utc())) {
            cursor.begin = Some(bound);
        }
        if was_long {
            self.last_page = None;
        }
        if !was_long && self.is_known(&found) {
            return Ok(self.end_of_pass(Vec::new(), None));
        }
        Ok(self.end_of_pass(found, Some(cursor.to_text())))
    }

    /// Whether a pass of one page gave the same rows as the one before: the usual answer when nothing happens.
    fn is_known(&mut self, found: &[Found]) -> bool {
        let digest = digest(found);
        self.last_page.replace(digest) == Some(digest)
    }

    fn range(&mut self, cursor: &SqlCursor) -> Result<Range, SourceError> {
        if let Some(pass) = &cursor.pass {
            return Ok(Range::After(pass.at.clone()));
        }
        let Some(begin) = &cursor.begin else {
            return Ok(Range::All);
        };
        let now = OffsetDateTime::now_utc();
        let last = cursor.last.as_ref().map_or(begin, |last| &last.watermark);
        self.mark_note = match not_in_the_future(last, now) {
            Some(_) => Some(IN_THE_FUTURE),
            None => is_ordered_as_text(last).then_some(AS_TEXT),
        };
        let begin = not_in_the_future(begin, now).unwrap_or_else(|| begin.clone());
        Ok(Range::From(match self.source.overlap {
            None => begin,
            Some(overlap) => {
                earlier(&begin, overlap.get()).ok_or(SourceError::OverlapWithoutTime)?
            }
        }))
    }

    /// A migration gives a hundred thousand rows one watermark; reading them all at every poll would be all we do.
    fn is_tail_resting(&self) -> bool {
        self.long_pass_at
            .is_some_and(|at| at.elapsed() < LONG_TAIL_EVERY)
    }

    fn end_of_pass(&mut self, found: Vec<Found>, cursor: Option<String>) -> Page {
        let due = self
            .unmarked_at
            .is_none_or(|at| at.elapsed() >= UNMARKED_EVERY);
        if due {
            self.turn = Turn::Unmarked(None, 0);
        }
        Page {
            found,
            cursor,
            told_at: None,
            more: due,
            wait: None,
            notes: self.told(),
        }
    }

    async fn unmarked(
        &mut self,
        link: &mut Link,
        after: Option<Value>,
        count: u64,
    ) -> Result<Page, SourceError> {
        let (rows, more) = link.page(&Range::Unmarked(after)).await?;
        let count = count + rows.len() as u64;
        let last = rows.last().map(|row| link.key(row)).transpose()?;
        let found = link.assemble(rows).await?;
        if more {
            self.turn = Turn::Unmarked(last, count);
        } else {
            self.unmarked_at = Some(Instant::now());
            self.notes = notes(count, link.keyless().await?);
        }
        Ok(Page {
            found,
            cursor: None,
            told_at: None,
            more,
            wait: None,
            notes: self.told(),
        })
    }
}

fn notes(unmarked: u64, keyless: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if unmarked > 0 {
        let minutes = UNMARKED_EVERY.as_secs() / 60;
        notes.push(format!(
            "{unmarked} 行没有 watermark，仅每 {minutes} 分钟重读一次 \
             ({unmarked} rows have no watermark; they are read again every {minutes} minutes only)"
        ));
    }
    if keyless > 0 {
        notes.push(format!(
            "{keyless} 行没有主键，未读取 ({keyless} rows have no key and are not read)"
        ));
    }
    notes
}
