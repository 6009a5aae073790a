//! Days as filings and answers write them: 2024-06-03.

time::serde::format_description!(pub iso_date, Date, "[year]-[month]-[day]");

/// A day or none. Of a kind that serde knows by its tag, `null` is none as well, which `iso_date::option` does not take.
pub(super) mod day_or_none {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::Date;

    use super::iso_date;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Day(#[serde(with = "iso_date")] Date);

    pub(crate) fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        iso_date::option::serialize(day, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Date>, D::Error> {
        let day = Option::<Day>::deserialize(from)?;
        Ok(day.map(|Day(day)| day))
    }
}
