//! 公证服务收费标准: what a matter may cost, by the table in force on the day of acceptance.

use linkage::matter::MatterType;
use serde::Deserialize;
use time::Date;

use super::rule::Day;

/// The tables shipped with the hub.
pub const BUILTIN: &str = include_str!("../../rules/tariff.toml");
const YUAN: i64 = 100;
/// Rates are parts of so much.
pub const WHOLE: i64 = 100_000;

/// All tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    pub version: String,
    tables: Vec<Table>,
}

/// A table, both of its days included. Amounts in yuan, rates in parts of [`WHOLE`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub from: Day,
    pub until: Option<Day>,
    pub source: String,
    /// What is said of everything that is no item of it.
    pub others: Option<String>,
    #[serde(rename = "item")]
    pub items: Vec<Item>,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "ItemText")]
pub struct Item {
    pub name: String,
    /// None: cases do not carry it, so that it is published and no fee is held against it.
    pub matters: Vec<MatterType>,
    pub price: Price,
    assumed: Assumed,
    pub not_with_real_estate: bool,
}

/// How an item is priced.
#[derive(Clone, Debug, PartialEq)]
pub enum Price {
    /// By the certificate.
    Certificate {
        usual: Range,
        legal_person: Option<Range>,
        with_property: Option<Range>,
    },
    /// Progressive; the last band has no end.
    Amount {
        bands: Vec<Band>,
        /// At most so much without an amount. Nobody states that there is none: it is published, and not judged.
        without_amount: Option<i64>,
        capped_for_dwellings: bool,
    },
    /// The largest part of the amount.
    AtMost { rate: i64 },
}

/// An item as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemText {
    name: String,
    #[serde(default)]
    matters: Vec<MatterType>,
    unit: Option<Range>,
    legal_person: Option<Range>,
    with_property: Option<Range>,
    bands: Option<Vec<Band>>,
    without_amount: Option<i64>,
    at_most: Option<i64>,
    #[serde(default)]
    assumed: Assumed,
    #[serde(default)]
    capped_for_dwellings: bool,
    #[serde(default)]
    not_with_real_estate: bool,
}

/// What no published table says. It widens what may be charged, so that nobody is accused by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assumed {
    /// The least fee of what is priced by its amount.
    least: Option<i64>,
    /// The most for a legal person.
    legal_person_max: Option<i64>,
}

/// An item without a price, or with two.
#[derive(Debug, thiserror::Error)]
#[error("tariff item {0} needs one of `unit`, `bands` and `at_most`, and the last band no `to`")]
struct NotOnePrice(String);

/// Of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub min: i64,
    pub max: i64,
}

/// `rate` of the part of the amount up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub to: Option<i64>,
    pub rate: i64,
}

/// What a fee is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub matter_type: MatterType,
    pub accepted_on: Date,
    /// 0 where none was stated.
    pub amount_fen: i64,
    pub certificates: Option<i64>,
    pub legal_person: bool,
    pub real_estate: bool,
}

/// What a matter may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standard {
    Regulated {
        /// The tariff's item.
        item: String,
        min_fen: i64,
        /// `i64::MAX` where it depends on what was not stated.
        max_fen: i64,
    },
    /// Priced by the market, by a table that is not here, or by an amount that was not stated.
    NotRegulated,
}

/// Why a text is no tariff.
#[derive(Debug, thiserror::Error)]
pub enum TariffError {
    #[error("the tariff is not what hub/rules/tariff.toml shows: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("two tariff tables are in force on {0}")]
    Overlap(Date),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: String,
    #[serde(rename = "table")]
    tables: Vec<Table>,
}

impl Tariff {
    /// The tables shipped with the hub.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("hub/rules/tariff.toml is checked by a test")
    }

    /// Reads tables in the form of `hub/rules/tariff.toml`.
    pub fn parse(toml: &str) -> Result<Self, TariffError> {
        let Text {
            version,
            mut tables,
        } = toml::from_str(toml)?;
        tables.sort_by_key(|table| table.from.0);
        for pair in tables.windows(2) {
            if pair[0].until.is_none_or(|until| until.0 >= pair[1].from.0) {
                return Err(TariffError::Overlap(pair[1].from.0));
            }
        }
        Ok(Self { version, tables })
    }

    /// All tables, the oldest first.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of a day.
    pub fn in_force(&self, on: Date) -> Option<&Table> {
        let in_force =
            |table: &&Table| table.from.0 <= on && table.until.is_none_or(|until| on <= until.0);
        self.tables.iter().find(in_force)
    }

    /// What the matter may cost.
    pub fn standard(&self, wanted: &Wanted) -> Standard {
        let item = self.in_force(wanted.accepted_on).and_then(|table| {
            let mut items = table.items.iter();
            items.find(|item| item.matters.contains(&wanted.matter_type))
        });
        match item {
            Some(item) if !(item.not_with_real_estate && wanted.real_estate) => {
                item.standard(wanted)
            }
            _ => Standard::NotRegulated,
        }
    }
}

impl TryFrom<ItemText> for Item {
    type Error = NotOnePrice;

    fn try_from(text: ItemText) -> Result<Self, NotOnePrice> {
        let price = match (text.unit, text.bands, text.at_most) {
            (Some(usual), None, None) => Price::Certificate {
                usual,
                legal_person: text.legal_person,
                with_property: text.with_property,
            },
            (None, Some(bands), None) if bands.last().is_some_and(|last| last.to.is_none()) => {
                Price::Amount {
                    bands,
                    without_amount: text.without_amount,
                    capped_for_dwellings: text.capped_for_dwellings,
                }
            }
            (None, None, Some(rate)) => Price::AtMost { rate },
            _ => return Err(NotOnePrice(text.name)),
        };
        Ok(Self {
            name: text.name,
            matters: text.matters,
            price,
            assumed: text.assumed,
            not_with_real_estate: text.not_with_real_estate,
        })
    }
}

impl Item {
    fn standard(&self, wanted: &Wanted) -> Standard {
        let (min_fen, max_fen) = match &self.price {
            Price::Certificate {
                usual,
                legal_person,
                with_property,
            } => self.by_certificate(*usual, *legal_person, *with_property, wanted),
            _ if wanted.amount_fen == 0 => return Standard::NotRegulated,
            Price::Amount {
                bands,
                capped_for_dwellings,
                ..
            } => {
                let (least, most) = self.by_amount(bands, wanted);
                match *capped_for_dwellings && wanted.real_estate {
                    true => (0, most),
                    false => (least, most),
                }
            }
            Price::AtMost { rate } => (0, rounded(part(wanted.amount_fen, *rate)).1),
        };
        Standard::Regulated {
            item: self.name.clone(),
            min_fen,
            max_fen,
        }
    }

    fn by_certificate(
        &self,
        usual: Range,
        legal_person: Option<Range>,
        with_property: Option<Range>,
        wanted: &Wanted,
    ) -> (i64, i64) {
        let Range { min, mut max } = match (legal_person, with_property) {
            (Some(range), _) if wanted.legal_person => range,
            (_, Some(range)) if wanted.amount_fen > 0 => range,
            // Property without an amount is property all the same.
            (_, Some(range)) => Range {
                max: range.max,
                ..usual
            },
            _ => usual,
        };
        if wanted.legal_person {
            max = max.max(self.assumed.legal_person_max.unwrap_or(0));
        }
        match wanted.certificates {
            Some(count) => (min * YUAN * count, max * YUAN * count),
            // There is one at least, and nobody knows how many.
            None => (min * YUAN, i64::MAX),
        }
    }

    fn by_amount(&self, bands: &[Band], wanted: &Wanted) -> (i64, i64) {
        let (mut fee, mut below) = (0_i128, 0);
        for band in bands {
            let to = band.to.map_or(i64::MAX, |to| to.saturating_mul(YUAN));
            let within = wanted.amount_fen.min(to) - below;
            if within <= 0 {
                break;
            }
            fee += part(within, band.rate);
            below = to;
        }
        let (down, up) = rounded(fee);
        (down, up.max(self.assumed.least.unwrap_or(0) * YUAN))
    }
}

/// A part of an amount, in fen and parts of [`WHOLE`].
fn part(amount_fen: i64, rate: i64) -> i128 {
    i128::from(amount_fen) * i128::from(rate)
}

/// The same in fen: offices charge whole yuan, and round either way.
fn rounded(fee: i128) -> (i64, i64) {
    let fee = i64::try_from(fee / i128::from(WHOLE)).unwrap_or(i64::MAX - YUAN);
    (fee / YUAN * YUAN, fee / YUAN * YUAN + YUAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn wanted(matter: &str, on: Date, amount_yuan: i64) -> Wanted {
        Wanted {
            matter_type: matter.parse().expect("a matter"),
            accepted_on: on,
            amount_fen: amount_yuan * YUAN,
            certificates: Some(1),
            legal_person: false,
            real_estate: false,
        }
    }

    fn yuan(wanted: &Wanted) -> Option<(i64, i64)> {
        match Tariff::builtin().standard(wanted) {
            Standard::Regulated {
                min_fen, max_fen, ..
            } => Some((min_fen / YUAN, max_fen / YUAN)),
            Standard::NotRegulated => None,
        }
    }

    #[test]
    fn a_succession_of_one_million_costs_seven_thousand_four_hundred() {
        // 200,000 × 1 % + 300,000 × 0.8 % + 500,000 × 0.6 %
        let succession = wanted("inheritance", date!(2023 - 05 - 04), 1_000_000);
        assert_eq!(yuan(&succession), Some((7_400, 7_401)));
    }

    #[test]
    fn the_reform_left_successions_with_real_estate_to_the_market() {
        let with_house = |on| Wanted {
            real_estate: true,
            ..wanted("gift", on, 1_000_000)
        };
        assert_eq!(yuan(&with_house(date!(2021 - 11 - 20))), None);
        // Before it, a dwelling's cap may make it anything up to the bands.
        assert_eq!(yuan(&with_house(date!(2021 - 11 - 19))), Some((0, 7_401)));
    }

    #[test]
    fn facts_are_charged_by_the_certificate_and_wills_by_the_market() {
        let mut birth = wanted("birth", date!(2024 - 01 - 02), 0);
        birth.certificates = Some(3);
        assert_eq!(yuan(&birth), Some((360, 360)));
        assert_eq!(yuan(&wanted("will", date!(2024 - 01 - 02), 0)), None);
        assert_eq!(yuan(&wanted("birth", date!(2018 - 01 - 02), 0)), None);
    }

    #[test]
    fn what_is_assumed_widens_what_may_be_charged_and_accuses_nobody() {
        // 0.2 % of 20,000 yuan is 40; a least fee of 200 is in no published table.
        let small = wanted("contract", date!(2024 - 01 - 02), 20_000);
        assert_eq!(yuan(&small), Some((40, 200)));
        let company = Wanted {
            legal_person: true,
            ..wanted("birth", date!(2024 - 01 - 02), 0)
        };
        assert_eq!(yuan(&company), Some((120, 240)));
    }

    #[test]
    fn an_amount_that_was_not_stated_tells_no_fee() {
        assert_eq!(yuan(&wanted("contract", date!(2024 - 01 - 02), 0)), None);
        // An agreement may be about property of which no amount is stated.
        let adoption = wanted("adoption", date!(2024 - 01 - 02), 0);
        assert_eq!(yuan(&adoption), Some((500, 1_000)));
    }

    #[test]
    fn a_certificate_of_execution_costs_at_most_a_part_of_the_amount() {
        let tariff = Tariff::builtin();
        let most = |on| {
            let items = &tariff.in_force(on).expect("a table").items;
            let item = items.iter().find(|item| item.name.contains("执行证书"));
            match item
                .expect("an item")
                .standard(&wanted("contract", on, 1_000_000))
            {
                Standard::Regulated {
                    min_fen: 0,
                    max_fen,
                    ..
                } => max_fen / YUAN,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(most(date!(2021 - 11 - 19)), 3_001);
        assert_eq!(most(date!(2021 - 11 - 20)), 2_501);
        // No case says that it is about one.
        let debt = wanted("enforceable_debt", date!(2024 - 01 - 02), 1_000_000);
        assert_eq!(yuan(&debt), Some((1_750, 1_751)));
    }

    #[test]
    fn tables_that_overlap_and_bands_with_an_end_are_refused() {
        let overlap = BUILTIN.replace("until = 2021-11-19", "until = 2021-11-20");
        assert!(matches!(
            Tariff::parse(&overlap),
            Err(TariffError::Overlap(_))
        ));
        let ended = BUILTIN.replace("{ rate = 8 }", "{ to = 1, rate = 8 }");
        assert!(matches!(Tariff::parse(&ended), Err(TariffError::Toml(_))));
        let two_prices = BUILTIN.replace(
            "at_most = 250",
            "at_most = 250\nunit = { min = 1, max = 2 }",
        );
        assert!(matches!(
            Tariff::parse(&two_prices),
            Err(TariffError::Toml(_))
        ));
    }
}
