//! What people write that could be somebody's number: a text that leaves an office must not hold one. Numbers of documents
//! and bank cards are known by their form and check digit, phones by their form, whatever separates their digits; days,
//! case numbers and amounts beside each other are none of them.

mod kind;
mod row;

use kind::{MOST, Written};
use row::Group;

/// Whether a text holds the number of a 居民身份证 (or a card of its form), of a phone or of a bank card.
#[must_use]
pub fn is_in(text: &str) -> bool {
    row::rows(text).iter().any(|row| is_in_row(row))
}

fn is_in_row(row: &[Group]) -> bool {
    (0..row.len()).any(|first| {
        let begins = first == 0 || row[first - 1].text.len() <= 2;
        (first + 1..=row.len())
            .map(|end| Written::new(&row[first..end], begins))
            .take_while(|written| written.digits() <= MOST)
            .any(|written| written.is_somebodys())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use time::{Date, Duration, macros::date};

    use super::*;
    use crate::identifier::samples::{permanent_resident, residence_permit, resident_id};

    #[test]
    fn numbers_of_persons_are_seen_however_they_are_written() {
        for text in [
            "身份证 11010519491231002X",
            "身份证110105 19491231 002x，已核对",
            "110105-1949-12-31-002X",
            "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X",
            // The last digit is wrong.
            "身份证 110105194912310021",
            "老身份证330106490512123",
            "电话１３８００００００００",
            "138 0000-0000",
            "+86-138-0000-0000",
            "8613800000000",
            "1.13800000000",
            "0571-87654321",
            "（0571）8765 4321",
            "卡号6222 0200 0000 0000 000",
            "138\u{200b}00000000",
        ] {
            assert!(is_in(text), "{text}");
        }
    }

    #[test]
    fn days_case_numbers_amounts_and_serials_are_none() {
        for text in [
            "见（2024）浙杭证民字第1234号，2024-06-03受理",
            "自2024-06-03至2024-06-05，标的额120000000元",
            "2026-11-26 2026-12-01 2026-12-31",
            "20261126-20261201",
            "（2026）浙杭证民字第123号（2026）浙杭证民字第124号",
            "2024-0815 2024-0816 2024-0817",
            "水印纸00012345-00012360",
            "合计 13500000000.00 元，另有135000000.00",
            "¥13800000000、人民币13800000000元整",
            "案件 202406030001",
            "浙（2021）杭州市不动产权第13800000000号",
            "2026.11.26 14:30",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }

    fn day() -> impl Strategy<Value = String> {
        let form = select(vec![
            ("-", "-", ""),
            ("/", "/", ""),
            (".", ".", ""),
            ("", "", ""),
            ("年", "月", "日"),
        ]);
        (0i64..90_000, any::<bool>(), form).prop_map(|(days, short, (first, second, last))| {
            let (year, month, day) =
                (date!(1880 - 01 - 01) + Duration::days(days)).to_calendar_date();
            let month = u8::from(month);
            match short && !first.is_empty() {
                true => format!("{year}{first}{month}{second}{day}{last}"),
                false => format!("{year}{first}{month:02}{second}{day:02}{last}"),
            }
        })
    }

    fn case_no() -> impl Strategy<Value = String> {
        (2000u32..2100, 1u32..1_000_000)
            .prop_map(|(year, serial)| format!("（{year}）浙杭证民字第{serial}号"))
    }

    fn amount() -> impl Strategy<Value = String> {
        (
            0u64..10_000_000_000,
            0u8..100,
            select(vec!["元", " 元", "万元", "美元"]),
        )
            .prop_flat_map(|(whole, cents, unit)| {
                let plain = [
                    format!("{whole}{unit}"),
                    format!("{whole}.{cents:02}"),
                    format!("¥{whole}"),
                    format!("{whole}.{cents:02}{unit}"),
                ];
                select(plain.to_vec())
            })
    }

    fn harmless() -> impl Strategy<Value = String> {
        let joint = select(vec![" ", "-", " - ", "、", "至", "，", "\n", "/", "  "]);
        let one = prop_oneof![day(), case_no(), amount()];
        prop::collection::vec((one, joint), 1..8).prop_map(|parts| {
            parts
                .into_iter()
                .flat_map(|(one, joint)| [one, joint.to_owned()])
                .collect()
        })
    }

    fn luhn(body: &str) -> String {
        let last = (0..10).map(|last| format!("{body}{last}"));
        let mut kept = last.filter(|number| {
            let digits = number.bytes().rev().map(|digit| u32::from(digit - b'0'));
            let sum: u32 = digits
                .enumerate()
                .map(|(at, digit)| digit * (1 + at as u32 % 2))
                .map(|n| n / 10 + n % 10)
                .sum();
            sum % 10 == 0
        });
        kept.next().expect("one of ten digits is right")
    }

    fn card() -> impl Strategy<Value = String> {
        prop_oneof![
            "62[0-9]{13,16}",
            "4[0-9]{14}",
            "5[1-5][0-9]{13}",
            "9558[0-9]{14}"
        ]
        .prop_map(|body| luhn(&body))
    }

    /// Cut where people cut it, with what they put there.
    fn cut(number: &str, sizes: &[usize], joint: &str) -> String {
        let (mut parts, mut rest) = (Vec::new(), number);
        for size in sizes {
            let (part, left) = rest.split_at((*size).min(rest.len()));
            parts.push(part);
            rest = left;
        }
        parts.push(rest);
        parts.retain(|part| !part.is_empty());
        parts.join(joint)
    }

    fn written(
        number: impl Strategy<Value = String>,
        cuts: &'static [&'static [usize]],
    ) -> impl Strategy<Value = String> {
        let joint = select(vec![" ", "-", "－", "—", " - ", ".", "·", "\u{3000}"]);
        let around = select(vec![
            ("", ""),
            ("号码为", "，请核对"),
            ("（", "）"),
            ("1、", "。"),
            ("No:", "\n2026-11-26"),
        ]);
        (number, select(cuts), joint, around, any::<bool>()).prop_map(
            |(number, sizes, joint, (before, behind), wide)| {
                let text = cut(&number, sizes, joint);
                let text: String = match wide {
                    true => text
                        .chars()
                        .map(|c| match c {
                            '0'..='9' => {
                                char::from_u32(c as u32 + 0xFEE0).expect("full-width digits")
                            }
                            c => c,
                        })
                        .collect(),
                    false => text,
                };
                format!("{before}{text}{behind}")
            },
        )
    }

    fn eighteen() -> impl Strategy<Value = String> {
        let new_form =
            permanent_resident().prop_filter("cards of 18 digits", |number| number.len() == 18);
        let number = prop_oneof![4 => resident_id(), 1 => residence_permit(), 1 => new_form];
        written(
            number,
            &[
                &[],
                &[6, 8],
                &[6, 4, 2, 2],
                &[4, 4, 4, 4],
                &[3, 3, 4, 4],
                &[1; 18],
                &[6, 6],
                &[10, 4],
            ],
        )
    }

    fn phone() -> impl Strategy<Value = String> {
        prop_oneof![
            written(
                "1[3-9][0-9]{9}",
                &[&[], &[3, 4], &[3], &[7], &[4, 4], &[3, 2, 2, 2], &[1; 11]]
            ),
            written("86 ?1[3-9][0-9]{9}", &[&[]]),
            written("0571[2-8][0-9]{7}", &[&[], &[4], &[4, 4]]),
            written("010[2-8][0-9]{7}", &[&[], &[3], &[3, 4]]),
        ]
    }

    fn fifteen() -> impl Strategy<Value = String> {
        let born = (0i64..36_000).prop_map(|days| {
            let born: Date = date!(1900 - 01 - 01) + Duration::days(days);
            format!(
                "{:02}{:02}{:02}",
                born.year() % 100,
                u8::from(born.month()),
                born.day()
            )
        });
        let number = ("33010[2-9]", born, "[0-9]{3}")
            .prop_map(|(area, born, order)| format!("{area}{born}{order}"));
        written(number, &[&[], &[6, 6]])
    }

    proptest! {
        #[test]
        fn whatever_days_case_numbers_and_amounts_stand_together_none_is_a_number(text in harmless()) {
            prop_assert!(!is_in(&text), "{text}");
        }

        #[test]
        fn whatever_number_of_a_person_is_written_it_is_seen(
            text in prop_oneof![eighteen(), fifteen(), phone(), written(card(), &[&[], &[4, 4, 4, 4], &[6]])],
        ) {
            prop_assert!(is_in(&text), "{text}");
        }
    }
}
