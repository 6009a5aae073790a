//! What lies in several offices or months counts once in all of them together.

use notary_proto::hub::v1::PartyRole;
use serde_json::{Value, json};

use super::{published, served};
use crate::client::Bureau;
use crate::record::{case, person};

/// What a report tells of a column: office by office, then in total.
fn told(report: &Value, code: &str) -> Vec<(String, Value)> {
    let columns = report["columns"].as_array().unwrap();
    let at = columns.iter().position(|column| column["code"] == code);
    let at = at.unwrap();
    assert_eq!(columns[at]["offices_only"], true);
    assert_eq!(columns[at]["subject_zh"], "核查与服务");
    let cell = |row: &Value| match row["cells"][at]["withheld"] == true {
        true => json!("withheld"),
        false => row["cells"][at]["value"].clone(),
    };
    let offices = report["tables"][0]["rows"].as_array().unwrap().iter();
    let total = ("total".to_owned(), cell(&report["total"]));
    offices
        .map(|row| (row["code"].as_str().unwrap().to_owned(), cell(row)))
        .chain([total])
        .collect()
}

fn expected(hangzhou: Value, xiaoshan: Value, total: Value) -> Vec<(String, Value)> {
    let of = |name: &str, value| (name.to_owned(), value);
    vec![
        of("hangzhou", hangzhou),
        of("xiaoshan", xiaoshan),
        of("total", total),
    ]
}

#[tokio::test]
async fn a_person_of_two_offices_and_two_months_counts_once_in_the_total_and_the_quarter() {
    let bureau = Bureau::open().await;
    served(&bureau, "hangzhou", "2024-02", &[1, 2, 3, 4, 5, 6]).await;
    served(&bureau, "hangzhou", "2024-03", &[1, 2, 3, 4, 5, 7]).await;
    served(&bureau, "xiaoshan", "2024-03", &[1, 2, 3, 4, 8]).await;
    let march = published(&bureau, "2024-03").await["report"].clone();
    assert_eq!(
        told(&march, "persons"),
        expected(json!(6), json!(5), json!(7))
    );
    let quarter = published(&bureau, "2024-Q1").await["report"].clone();
    assert_eq!(
        told(&quarter, "persons"),
        expected(json!(7), json!(5), json!(8))
    );
    let text = quarter["summary_zh"].to_string();
    assert!(text.contains("服务当事人8人"), "{text}");
}

#[tokio::test]
async fn few_persons_are_left_out_and_do_not_follow_from_the_others() {
    let bureau = Bureau::open().await;
    served(&bureau, "hangzhou", "2024-03", &[1, 2, 3, 4, 5, 6]).await;
    served(&bureau, "xiaoshan", "2024-03", &[1, 7]).await;
    let march = published(&bureau, "2024-03").await["report"].clone();
    let withheld = || json!("withheld");
    assert_eq!(
        told(&march, "persons"),
        expected(withheld(), withheld(), json!(7))
    );
}

#[tokio::test]
async fn duplicates_stand_in_the_report_of_the_month_in_which_they_were_found() {
    let bureau = Bureau::open().await;
    for (office, first) in [("hangzhou", 100), ("xiaoshan", 200)] {
        let estates = (1..=6).map(|decedent| {
            case(&format!("E{decedent}"))
                .matter("inheritance")
                .number(first + u32::from(decedent))
                .parties(vec![person(PartyRole::Decedent, decedent)])
        });
        bureau
            .seed
            .office(&bureau.hub, office, estates.collect())
            .await;
    }
    sqlx::query("UPDATE duplicate_finding SET found_at = '2024-03-20 12:00+08'")
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let march = published(&bureau, "2024-03").await["report"].clone();
    let both = [told(&march, "duplicates"), told(&march, "conflicts")];
    let six = expected(json!(6), json!(6), json!(6));
    let none = expected(json!(0), json!(0), json!(0));
    assert!(both.contains(&six) && both.contains(&none), "{both:?}");
}
