//! When and why a source is read from its beginning again although nobody asked: changes that its watermark does not
//! show, and another understanding of its rows.

use std::fs;

use serde::Serialize;
use sha2::{Digest, Sha256};
use time::macros::offset;
use time::{Duration, OffsetDateTime};

use crate::config::Source;

/// After so long in the night, or by day when no night came.
const NIGHT: Duration = Duration::days(6);
const DAY: Duration = Duration::days(8);

/// Whether a source that was last begun then is due. A database is, weekly: a clock that was put back, a change of a child
/// row alone or a late commit leave no trace in its watermarks. A file that changes shows it.
pub(super) fn is_due(source: &Source) -> fn(OffsetDateTime, OffsetDateTime) -> bool {
    match source {
        Source::Sql(_) => weekly,
        Source::Folder(_) | Source::Push(_) => |_, _| false,
    }
}

fn weekly(begun_at: OffsetDateTime, now: OffsetDateTime) -> bool {
    let hour = now.to_offset(offset!(+8)).hour();
    match now - begun_at {
        age if age > DAY => true,
        age => age > NIGHT && (1..5).contains(&hour),
    }
}

/// Tells by what the source's rows are read and understood: this version, the mapping, and what of the configuration
/// decides which rows they are. A mapping that cannot be read stops the agent elsewhere.
pub(super) fn made_from(source: &Source) -> String {
    let mapping = fs::read_to_string(source.mapping()).unwrap_or_default();
    // Comments and blanks mean nothing.
    let mapping =
        toml::from_str::<toml::Table>(&mapping).map_or(mapping, |mapping| mapping.to_string());
    let of_configuration = match source {
        Source::Sql(sql) => text(&(
            &sql.query,
            &sql.watermark,
            &sql.key,
            &sql.encoding,
            &sql.children,
        )),
        Source::Folder(folder) => text(&(&folder.encoding, &folder.sheet, &folder.children)),
        Source::Push(_) => String::new(),
    };
    let all = [env!("CARGO_PKG_VERSION"), &mapping, &of_configuration].join("\0");
    let digest: [u8; 32] = Sha256::digest(all).into();
    data_encoding::HEXLOWER.encode(&digest[..16])
}

fn text(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_database_is_read_again_in_a_night_of_the_week() {
        let begun = datetime!(2024-03-04 10:00 +8);
        for (now, due) in [
            (datetime!(2024-03-05 03:00 +8), false),
            (datetime!(2024-03-10 12:00 +8), false),
            (datetime!(2024-03-11 03:00 +8), true),
            (datetime!(2024-03-11 12:00 +8), false),
            (datetime!(2024-03-12 12:00 +8), true),
            // A clock that was put back.
            (datetime!(2024-01-01 03:00 +8), false),
        ] {
            assert_eq!(weekly(begun, now), due, "{now}");
        }
    }
}
