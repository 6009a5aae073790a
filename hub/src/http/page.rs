//! Pages behind opaque cursors: each goes on behind the last key of the one before, so that nothing is told
//! twice or left out because something was added meanwhile.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::problem::Problem;

const USUAL: i64 = 50;
const MOST: i64 = 200;
/// Longest cursor that can be one of ours: that of a reject has up to 328 characters of four bytes each.
const LONGEST: usize = 2048;

/// One page, and the cursor of the next one when there is any.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Of up to `limit` + 1 items.
    pub(super) fn cut<const N: usize>(
        mut items: Vec<T>,
        limit: i64,
        key: impl Fn(&T) -> [String; N],
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = items.len() > limit;
        items.truncate(limit);
        Self {
            next_cursor: items.last().filter(|_| more).map(|last| cursor(&key(last))),
            items,
        }
    }
}

impl<T> Page<T> {
    /// The page as it is answered.
    pub(super) fn map<U>(self, answer: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(answer).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

fn cursor(key: &[String]) -> String {
    let key = serde_json::to_vec(key).expect("texts have a JSON form");
    BASE64URL_NOPAD.encode(&key)
}

/// The key in a cursor.
pub(super) fn key<const N: usize>(cursor: Option<&str>) -> Result<Option<[String; N]>, Problem> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let read = || {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
        let key: Vec<String> = serde_json::from_slice(&bytes).ok()?;
        let clean = key.iter().all(|part| !part.contains('\0'));
        key.try_into().ok().filter(|_| clean)
    };
    match cursor.len() <= LONGEST {
        true => read().map(Some).ok_or_else(bad_cursor),
        false => Err(bad_cursor()),
    }
}

/// The cursor behind something that has a time and an id.
pub(super) fn place(at: OffsetDateTime, id: Uuid) -> [String; 2] {
    [at.format(&Rfc3339).unwrap_or_default(), id.to_string()]
}

/// Where such a page goes on: time and id of the last thing before.
pub(super) fn behind(cursor: Option<&str>) -> Result<Option<(OffsetDateTime, Uuid)>, Problem> {
    let Some([at, id]) = key::<2>(cursor)? else {
        return Ok(None);
    };
    let read = || Some((OffsetDateTime::parse(&at, &Rfc3339).ok()?, id.parse().ok()?));
    read().map(Some).ok_or_else(bad_cursor)
}

/// A filter that is a code or an id, when it is given.
pub(super) fn parsed<T: std::str::FromStr>(
    name: &str,
    text: Option<&str>,
    expected: &str,
) -> Result<Option<T>, Problem> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| Problem::field(name, expected))
}

/// A file has everything that is asked for, not a page of it.
pub(super) fn whole(limit: Option<i64>, cursor: Option<&str>) -> Result<(), Problem> {
    let expected = "nothing beside a file, which has everything";
    match (limit, cursor) {
        (None, None) => Ok(()),
        (Some(_), _) => Err(Problem::field("limit", expected)),
        (None, Some(_)) => Err(Problem::field("cursor", expected)),
    }
}

pub(super) fn bad_cursor() -> Problem {
    Problem::field("cursor", "the next_cursor of a page before")
}

pub(super) fn limit(limit: Option<i64>) -> Result<i64, Problem> {
    let limit = limit.unwrap_or(USUAL);
    match (1..=MOST).contains(&limit) {
        true => Ok(limit),
        false => Err(Problem::field("limit", "1 to 200")),
    }
}
