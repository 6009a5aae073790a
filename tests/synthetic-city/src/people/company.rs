//! Companies and banks: the legal persons among the parties.
use linkage::identifier::IdentifierKind;

use super::{Person, document};
use crate::dice::{Dice, Draw};

/// Company number `0..MOST_COMPANIES` of the city.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Company(pub(crate) u64);

/// What the credit code has room for.
pub(crate) const MOST_COMPANIES: u64 = 1_000_000;

const FIRST: &str = "宏泰恒盛瑞嘉安信达通利丰华远博汇鼎金钱湖云江";
const TRADES: [&str; 10] = [
    "贸易",
    "科技",
    "置业",
    "建设",
    "纺织",
    "物流",
    "餐饮管理",
    "文化传媒",
    "机电设备",
    "进出口",
];

impl Company {
    pub(crate) fn person(self, seed: u64, district: &'static str) -> Person {
        let mut dice = self.dice(seed);
        let mut name = "杭州".to_owned();
        for _ in 0..2 {
            let at = dice.below(FIRST.len() as u32 / 3) as usize * 3;
            name.push_str(&FIRST[at..at + 3]);
        }
        name.push_str(dice.pick(&TRADES));
        name.push_str("有限公司");
        self.with_name(name, &mut dice, district)
    }

    /// The same number as a bank's branch.
    pub(crate) fn bank(self, seed: u64, district: &'static str) -> Person {
        let mut dice = self.dice(seed);
        let name = format!("示例银行股份有限公司杭州第{}支行", self.0 + 1);
        self.with_name(name, &mut dice, district)
    }

    fn dice(self, seed: u64) -> Dice {
        Dice::new(seed, Draw::Company, 0, self.0)
    }

    fn with_name(self, name: String, dice: &mut Dice, district: &'static str) -> Person {
        Person {
            name,
            document_kind: IdentifierKind::CreditCode,
            document_no: document::credit_code(district, self.0 % MOST_COMPANIES),
            sex: None,
            birth_on: None,
            phone: format!("0571-8{:07}", dice.below(10_000_000)),
            district,
        }
    }
}
