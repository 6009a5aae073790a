//! The tariff as everybody may read it: in JSON, and as part of the directory's page.

use std::fmt::Write;

use serde::Serialize;
use time::Date;
use utoipa::ToSchema;

use crate::filing::day::iso_date;
use crate::http::html::escaped;
use crate::supervision::tariff::{Band, Item, Price, Range, Table, WHOLE};

/// The table of fees that is in force (公证服务收费标准). Amounts in yuan, rates in parts of 100,000 of the amount.
#[derive(Serialize, ToSchema)]
pub(super) struct PublishedTariff {
    version: String,
    /// First day.
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// Last day; absent while no end is known.
    #[serde(with = "iso_date::option")]
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    /// Where it was published.
    source: String,
    /// What holds for everything that is no item of it.
    others_zh: Option<String>,
    items: Vec<TariffItem>,
}

/// One item.
#[derive(Serialize, ToSchema)]
struct TariffItem {
    name_zh: String,
    /// Codes of the matter catalogue; empty of what no case is about.
    matters: Vec<&'static str>,
    price: TariffPrice,
    /// Left to the market where real estate is involved.
    not_with_real_estate: bool,
}

/// How an item is priced.
#[derive(Serialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
enum TariffPrice {
    /// So much for each certificate.
    Certificate {
        usual: TariffRange,
        /// In its place for legal persons.
        legal_person: Option<TariffRange>,
        /// In its place where property is involved.
        with_property: Option<TariffRange>,
    },
    /// Progressive: each rate of its part of the amount.
    Amount {
        bands: Vec<TariffBand>,
        /// The most where there is no amount.
        without_amount_yuan: Option<i64>,
        /// Dwellings may cost less.
        capped_for_dwellings: bool,
    },
    /// At most that part of the amount.
    AtMost { rate: i64 },
}

#[derive(Clone, Copy, Serialize, ToSchema)]
struct TariffRange {
    min_yuan: i64,
    max_yuan: i64,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
struct TariffBand {
    /// Where the part ends; absent of the last.
    to_yuan: Option<i64>,
    rate: i64,
}

impl PublishedTariff {
    pub(super) fn of(version: &str, table: &Table) -> Self {
        Self {
            version: version.to_owned(),
            from: table.from.0,
            until: table.until.map(|until| until.0),
            source: table.source.clone(),
            others_zh: table.others.clone(),
            items: table.items.iter().map(TariffItem::from).collect(),
        }
    }

    /// As a section of a page.
    pub(super) fn show(&self, body: &mut String) {
        let until = self.until.map(|until| format!("，至 {until} 止"));
        // Writing to a String cannot fail.
        let _ = write!(
            body,
            "<h2>公证服务收费标准</h2><dl><dt>来源</dt><dd>{}</dd><dt>有效期</dt><dd>自 {} 起{}</dd></dl>\
             <table><thead><tr><th>收费项目</th><th>收费标准</th></tr></thead><tbody>",
            escaped(&self.source),
            self.from,
            until.unwrap_or_default(),
        );
        for item in &self.items {
            let price: Vec<String> = item.lines().iter().map(|line| escaped(line)).collect();
            let _ = write!(
                body,
                "<tr><td>{}</td><td>{}</td></tr>",
                escaped(&item.name_zh),
                price.join("<br>")
            );
        }
        body.push_str("</tbody></table>");
        if let Some(others) = &self.others_zh {
            let _ = write!(body, "<p>{}。</p>", escaped(others));
        }
    }
}

impl TariffItem {
    fn lines(&self) -> Vec<String> {
        let mut lines = self.price.lines();
        if self.not_with_real_estate {
            lines.push("涉及不动产的实行市场调节价".to_owned());
        }
        lines
    }
}

impl TariffPrice {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Certificate {
                usual,
                legal_person,
                with_property,
            } => {
                let mut lines = vec![format!("每件 {usual}")];
                lines.extend(legal_person.map(|range| format!("法人或其他组织每件 {range}")));
                lines.extend(with_property.map(|range| format!("涉及财产的每件 {range}")));
                lines
            }
            Self::Amount {
                bands,
                without_amount_yuan,
                capped_for_dwellings,
            } => {
                let mut below = None;
                let mut lines: Vec<String> = Vec::new();
                for band in bands {
                    lines.push(band.line(below));
                    below = band.to_yuan;
                }
                let without = without_amount_yuan.iter();
                lines.extend(without.map(|most| format!("无标的额的每件不超过 {most} 元")));
                if *capped_for_dwellings {
                    lines.push("普通住宅另有面积上限".to_owned());
                }
                lines
            }
            Self::AtMost { rate } => vec![format!("不超过标的额的 {}", percent(*rate))],
        }
    }
}

impl TariffBand {
    fn line(self, below: Option<i64>) -> String {
        let percent = percent(self.rate);
        match (below, self.to_yuan) {
            (None, None) => format!("标的额的 {percent}"),
            (None, Some(to)) => format!("标的额 {}以下（含）部分：{percent}", yuan(to)),
            (Some(from), Some(to)) => format!("{}至 {}部分：{percent}", yuan(from), yuan(to)),
            (Some(from), None) => format!("超过 {}部分：{percent}", yuan(from)),
        }
    }
}

/// A large amount in 万元 or 亿元, where it is a whole number of them.
fn yuan(amount: i64) -> String {
    const WAN: i64 = 10_000;
    const YI: i64 = 100_000_000;
    match amount {
        whole if whole % YI == 0 => format!("{} 亿元", whole / YI),
        whole if whole % WAN == 0 => format!("{} 万元", whole / WAN),
        other => format!("{other} 元"),
    }
}

/// A rate, without digits that say nothing.
fn percent(rate: i64) -> String {
    let hundredth = WHOLE / 100;
    let part = format!("{:03}", rate % hundredth);
    match part.trim_end_matches('0') {
        "" => format!("{}%", rate / hundredth),
        part => format!("{}.{part}%", rate / hundredth),
    }
}

impl std::fmt::Display for TariffRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.min_yuan == self.max_yuan {
            true => write!(f, "{} 元", self.max_yuan),
            false => write!(f, "{}–{} 元", self.min_yuan, self.max_yuan),
        }
    }
}

impl From<&Item> for TariffItem {
    fn from(item: &Item) -> Self {
        let matters = item.matters.iter().map(|matter| matter.code());
        Self {
            name_zh: item.name.clone(),
            matters: matters.collect(),
            price: TariffPrice::from(&item.price),
            not_with_real_estate: item.not_with_real_estate,
        }
    }
}

impl From<&Price> for TariffPrice {
    fn from(price: &Price) -> Self {
        match price {
            Price::Certificate {
                usual,
                legal_person,
                with_property,
            } => Self::Certificate {
                usual: (*usual).into(),
                legal_person: legal_person.map(TariffRange::from),
                with_property: with_property.map(TariffRange::from),
            },
            Price::Amount {
                bands,
                without_amount,
                capped_for_dwellings,
            } => Self::Amount {
                bands: bands.iter().copied().map(TariffBand::from).collect(),
                without_amount_yuan: *without_amount,
                capped_for_dwellings: *capped_for_dwellings,
            },
            Price::AtMost { rate } => Self::AtMost { rate: *rate },
        }
    }
}

impl From<Range> for TariffRange {
    fn from(range: Range) -> Self {
        Self {
            min_yuan: range.min,
            max_yuan: range.max,
        }
    }
}

impl From<Band> for TariffBand {
    fn from(band: Band) -> Self {
        Self {
            to_yuan: band.to,
            rate: band.rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_and_an_amount_are_written_as_people_read_them() {
        assert_eq!(
            [1000, 200, 50, 8, 250].map(percent),
            ["1%", "0.2%", "0.05%", "0.008%", "0.25%"]
        );
        assert_eq!(
            [100_000_000, 500_000, 1_234].map(yuan),
            ["1 亿元", "50 万元", "1234 元"]
        );
    }
}
