//! What an agent says of itself when it opens a stream.

use linkage::office::OfficeId;
use time::{Duration, OffsetDateTime};
use uuid::{Uuid, Variant};

use crate::store::feed::sync::Greeting;

/// Highest sequence there can be: positions are `bigint` in the database.
pub const LAST_SEQUENCE: u64 = i64::MAX as u64;
/// An epoch from further ahead was made by a clock that is wrong. Taken, it would make every epoch that the right clock
/// makes stale until that time has come.
const EPOCH_AHEAD: Duration = Duration::hours(24);
/// Characters of an agent's version.
const VERSION_CHARS: usize = 64;

/// A checked greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub epoch: Uuid,
    pub last_sequence: u64,
    pub agent_version: String,
    /// Agent's clock minus the hub's.
    pub clock_skew_ms: Option<i64>,
    /// Id of the token key that the agent has beside the present one.
    pub next_token_key: Option<i32>,
}

/// A greeting as it came, its office aside.
#[derive(Clone, Debug)]
pub struct Raw<'a> {
    pub epoch: &'a str,
    pub last_sequence: u64,
    pub agent_version: &'a str,
    pub sent_at: Option<OffsetDateTime>,
    /// 0 for none.
    pub next_token_key_id: u32,
}

/// A field of the greeting that cannot be used: its name, and what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` must be {expected}")]
pub struct HelloError {
    pub field: &'static str,
    pub expected: &'static str,
}

impl Hello {
    /// Checks a greeting that arrived at `now`.
    pub fn parse(raw: &Raw<'_>, now: OffsetDateTime) -> Result<Self, HelloError> {
        let error = |field, expected| HelloError { field, expected };
        let epoch = Uuid::parse_str(raw.epoch)
            .ok()
            // Epochs are compared by age, which only version 7 carries in its first bits.
            .filter(|epoch| epoch.get_version_num() == 7 && epoch.get_variant() == Variant::RFC4122)
            .ok_or(error("epoch", "a UUID of version 7"))?;
        if made_at_ms(epoch) > (now + EPOCH_AHEAD).unix_timestamp_nanos() / 1_000_000 {
            return Err(error(
                "epoch",
                "made at most 24 hours ahead of the hub's clock; the clock that it was made by is wrong",
            ));
        }
        if raw.last_sequence > LAST_SEQUENCE {
            return Err(error("last_sequence", "at most 2^63 - 1"));
        }
        let readable = raw.agent_version.chars().count() <= VERSION_CHARS
            && !raw.agent_version.chars().any(char::is_control);
        if !readable {
            return Err(error("agent_version", "at most 64 printable characters"));
        }
        let next_token_key = i32::try_from(raw.next_token_key_id)
            .map_err(|_| error("next_token_key_id", "at most 2^31 - 1"))?;
        Ok(Self {
            epoch,
            last_sequence: raw.last_sequence,
            agent_version: raw.agent_version.to_owned(),
            clock_skew_ms: raw.sent_at.map(|sent_at| skew_ms(sent_at, now)),
            next_token_key: (next_token_key > 0).then_some(next_token_key),
        })
    }

    pub(super) fn greeting(&self, office_id: OfficeId) -> Greeting<'_> {
        Greeting {
            office_id,
            epoch: self.epoch,
            last_sequence: self.last_sequence,
            agent_version: &self.agent_version,
            clock_skew_ms: self.clock_skew_ms,
            next_token_key: self.next_token_key,
        }
    }
}

/// Milliseconds since 1970, which a UUID of version 7 has in its first 48 bits.
fn made_at_ms(epoch: Uuid) -> i128 {
    (epoch.as_u128() >> 80).cast_signed()
}

fn skew_ms(sent_at: OffsetDateTime, now: OffsetDateTime) -> i64 {
    // No two moments of `time` are so far apart that this would not fit.
    i64::try_from((sent_at - now).whole_milliseconds()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::{NoContext, Timestamp};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    fn made_at(at: OffsetDateTime) -> String {
        let seconds = at.unix_timestamp().cast_unsigned();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)).to_string()
    }

    fn raw(epoch: &str) -> Raw<'_> {
        Raw {
            epoch,
            last_sequence: 9,
            agent_version: "0.1.0",
            sent_at: Some(datetime!(2026-03-01 08:00:02.5 UTC)),
            next_token_key_id: 0,
        }
    }

    #[test]
    fn a_greeting_is_read_and_the_clocks_compared() {
        let epoch = made_at(NOW);
        let hello = Hello::parse(&raw(&epoch), NOW).expect("a greeting");
        assert_eq!(hello.epoch.to_string(), epoch);
        assert_eq!(hello.clock_skew_ms, Some(2500));
    }

    #[test]
    fn only_a_uuid_of_version_seven_is_an_epoch() {
        for epoch in [
            "",
            "1",
            &Uuid::new_v4().to_string(),
            &Uuid::nil().to_string(),
            "017f22e2-79b0-7cc3-08c4-dc0c0c07398f",
        ] {
            let error = Hello::parse(&raw(epoch), NOW).expect_err("a refusal");
            assert_eq!(error.field, "epoch", "{epoch}");
        }
    }

    #[test]
    fn an_epoch_from_the_future_is_no_epoch_but_a_wrong_clock() {
        for (ahead, taken) in [
            (-Duration::days(3650), true),
            (Duration::hours(24), true),
            (Duration::hours(24) + Duration::SECOND, false),
            (Duration::days(36_500), false),
        ] {
            let epoch = made_at(NOW + ahead);
            let hello = Hello::parse(&raw(&epoch), NOW);
            assert_eq!(hello.is_ok(), taken, "{ahead}");
            if let Err(error) = hello {
                assert_eq!(error.field, "epoch");
                assert!(error.expected.contains("clock"));
            }
        }
    }

    #[test]
    fn what_the_database_could_not_hold_is_refused() {
        let epoch = made_at(NOW);
        let mut beyond = raw(&epoch);
        beyond.last_sequence = LAST_SEQUENCE + 1;
        assert_eq!(
            Hello::parse(&beyond, NOW).expect_err("a refusal").field,
            "last_sequence"
        );
        for version in ["a\0b", &"1".repeat(65)] {
            let mut odd = raw(&epoch);
            odd.agent_version = version;
            assert_eq!(
                Hello::parse(&odd, NOW).expect_err("a refusal").field,
                "agent_version"
            );
        }
    }
}
