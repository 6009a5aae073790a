//! Roughly the published tariff of Zhejiang: from July 2019, and from 20 November 2021
//! (发改价格〔2021〕1081号). Items left to the market get a usual price.
use time::Date;
use time::macros::date;

use crate::matter::Price;

const REFORM: Date = date!(2021 - 11 - 20);
const YUAN: i64 = 100;

/// Progressive rates: up to this many yuan, so many hundred-thousandths.
type Bands = [(i64, i64)];
const CONTRACT_2019: &Bands = &[
    (500_000, 200),
    (5_000_000, 150),
    (50_000_000, 100),
    (100_000_000, 50),
    (i64::MAX, 10),
];
const CONTRACT_2021: &Bands = &[
    (500_000, 200),
    (5_000_000, 150),
    (50_000_000, 80),
    (100_000_000, 30),
    (i64::MAX, 8),
];
const SUCCESSION: &Bands = &[
    (200_000, 1_000),
    (500_000, 800),
    (2_000_000, 600),
    (5_000_000, 500),
    (10_000_000, 400),
    (i64::MAX, 100),
];

/// Fee in fen for a matter accepted on `on` about `amount_fen` (0: none).
pub(crate) fn fee_fen(price: Price, amount_fen: i64, on: Date, legal_person: bool) -> i64 {
    let reformed = on >= REFORM;
    let yuan = |before: i64, since: i64| YUAN * if reformed { since } else { before };
    match price {
        Price::Fact => yuan(100, 120) * if legal_person { 2 } else { 1 },
        Price::Proof if legal_person => 400 * YUAN,
        Price::Proof => yuan(180, 200),
        Price::Status => yuan(400, 500) * if amount_fen > 0 { 2 } else { 1 },
        Price::Contract if amount_fen == 0 => 800 * YUAN,
        Price::Contract => progressive(
            if reformed {
                CONTRACT_2021
            } else {
                CONTRACT_2019
            },
            amount_fen,
        )
        .max(200 * YUAN),
        Price::Succession if amount_fen == 0 => 300 * YUAN,
        Price::Succession => progressive(SUCCESSION, amount_fen).max(200 * YUAN),
        Price::Market => yuan(200, 300) + amount_fen.min(20_000_000 * YUAN) / 10_000,
    }
}

fn progressive(bands: &Bands, amount_fen: i64) -> i64 {
    let mut fee = 0;
    let mut below = 0;
    for (until_yuan, rate) in bands {
        let until = until_yuan.saturating_mul(YUAN);
        if amount_fen <= below {
            break;
        }
        fee += (amount_fen.min(until) - below) / 100_000 * rate;
        below = until;
    }
    // Whole yuan, as offices charge.
    fee / YUAN * YUAN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_succession_of_one_million_costs_seven_thousand_four_hundred() {
        // 200,000 × 1 % + 300,000 × 0.8 % + 500,000 × 0.6 %
        let fee = fee_fen(
            Price::Succession,
            1_000_000 * YUAN,
            date!(2023 - 05 - 04),
            false,
        );
        assert_eq!(fee, 7_400 * YUAN);
    }

    #[test]
    fn the_reform_made_personal_facts_one_price() {
        assert_eq!(
            fee_fen(Price::Fact, 0, date!(2021 - 11 - 19), false),
            100 * YUAN
        );
        assert_eq!(fee_fen(Price::Fact, 0, REFORM, false), 120 * YUAN);
    }
}
