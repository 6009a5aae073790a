//! Figures, counted by hand.

use calamine::{Data, Reader, Xlsx};
use notary_hub::identity::Role;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::verify::verify;
use notary_proto::hub::v1::{CaseState, ForeignRelation};
use serde_json::{Value, json};

use crate::client::Bureau;
use crate::record::case;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Six cases of two offices, small enough to count.
async fn six_cases() -> Bureau {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    let mut abroad = case("A3")
        .matter("birth")
        .accepted("2024-04-08")
        .fee(20_000);
    abroad.0.applied_day = abroad.0.accepted_day;
    abroad.0.foreign_relation = ForeignRelation::Foreign.into();
    let here = vec![
        // Accepted 03-04, issued within fifteen working days.
        case("A1").issued("2024-03-20"),
        // The sixteenth working day.
        case("A2").issued("2024-03-26"),
        abroad,
        case("A4").state(CaseState::Withdrawn),
    ];
    seed.office(hub, "hangzhou", here).await;
    let mut refused = case("X2").state(CaseState::Refused).fee(0);
    refused.0.accepted_day = None;
    let there = vec![case("X1").fee(5_005), refused];
    seed.office(hub, "xiaoshan", there).await;
    bureau
}

async fn table(bureau: &Bureau, query: &str) -> Value {
    let answer = bureau
        .get(Role::Analyst, &format!("/api/v1/statistics?{query}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn offices_are_counted_as_one_counts_them_by_hand() {
    let bureau = six_cases().await;
    let answer = table(&bureau, "").await;
    let figures = |row: &Value| {
        [
            "applied",
            "accepted",
            "refused",
            "issued",
            "within_limit",
            "fee_charged_fen",
        ]
        .map(|name| row[name].as_i64().unwrap())
    };
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows[0]["office_id"], "hangzhou");
    assert_eq!(figures(&rows[0]), [3, 3, 0, 2, 1, 44_000]);
    assert_eq!(rows[0]["within_limit_rate"], 0.5);
    assert_eq!(rows[1]["office_id"], "xiaoshan");
    assert_eq!(figures(&rows[1]), [2, 1, 1, 0, 0, 5_005]);
    assert_eq!(rows[1]["within_limit_rate"], Value::Null);
    assert_eq!(figures(&answer["totals"]), [5, 4, 1, 2, 1, 49_005]);
    let verification = verify(&bureau.hub.db.pool, &Calendar::builtin()).await;
    assert!(verification.unwrap().differences.is_empty());
}

#[tokio::test]
async fn each_dimension_cuts_the_same_sum_in_its_own_way() {
    let bureau = six_cases().await;
    let by_month = table(&bureau, "group_by=month").await;
    let months: Vec<_> = by_month["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["month"].clone(), row["accepted"].clone()))
        .collect();
    assert_eq!(
        months,
        [(json!("2024-03"), json!(3)), (json!("2024-04"), json!(1))]
    );
    let april = table(
        &bureau,
        "from=2024-04&to=2024-04&group_by=matter_type,foreign_relation",
    )
    .await;
    assert_eq!(april["rows"].as_array().unwrap().len(), 1);
    assert_eq!(april["rows"][0]["matter_type"], "birth");
    assert_eq!(april["rows"][0]["matter_type_zh"], "出生");
    assert_eq!(april["rows"][0]["foreign_relation"], "foreign");
    for filter in ["office=hangzhou", "matter_type=birth"] {
        let query = format!("{filter}&group_by=office,matter_type,month,foreign_relation");
        let cut = table(&bureau, &query).await;
        let sum: i64 = cut["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["accepted"].as_i64().unwrap())
            .sum();
        assert_eq!(cut["totals"]["accepted"], sum);
        assert_eq!(sum, if filter.starts_with('o') { 3 } else { 1 });
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_names_its_parameter() {
    let bureau = Bureau::open().await;
    for (query, field) in [
        ("from=2024-13", "from"),
        ("to=2024-1", "to"),
        ("from=2024-02&to=2024-01", "to"),
        ("group_by=notary", "group_by"),
        ("group_by=office,office", "group_by"),
        ("group_by=", "group_by"),
        ("office=X", "office"),
        ("matter_type=magic", "matter_type"),
    ] {
        let answer = bureau
            .get(Role::Analyst, &format!("/api/v1/statistics?{query}"))
            .await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, "FIELD_INVALID".to_owned())
        );
        assert_eq!(answer.json()["field"], field, "{query}");
    }
    let answer = bureau
        .get_as(Role::Analyst, "/api/v1/statistics", "image/png")
        .await;
    assert_eq!(
        (answer.status, answer.problem()),
        (406, "NOT_ACCEPTABLE".to_owned())
    );
}

#[tokio::test]
async fn a_csv_export_is_as_reviewed_and_recorded() {
    let bureau = six_cases().await;
    let path = "/api/v1/statistics?group_by=office,matter_type";
    let answer = bureau.get_as(Role::Analyst, path, "text/csv").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.body.starts_with("\u{feff}".as_bytes()));
    insta::assert_snapshot!("statistics_csv", answer.text());
    let log = bureau.log().await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].action, "statistics.export");
    assert_eq!(log[0].detail["form"], "csv");
}

#[tokio::test]
async fn a_workbook_reads_back_as_reviewed() {
    let bureau = six_cases().await;
    let path = "/api/v1/statistics?group_by=office,month";
    let answer = bureau.get_as(Role::Supervisor, path, XLSX).await;
    assert_eq!(answer.header("content-type"), XLSX);
    let mut workbook = Xlsx::new(std::io::Cursor::new(answer.body)).unwrap();
    let sheet = workbook.worksheet_range("统计").unwrap();
    let lines: Vec<String> = sheet
        .rows()
        .map(|row| row.iter().map(shown).collect::<Vec<_>>().join(" | "))
        .collect();
    insta::assert_snapshot!("statistics_xlsx", lines.join("\n"));
}

fn shown(cell: &Data) -> String {
    match cell {
        Data::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn an_office_named_like_a_formula_is_text_in_an_export() {
    let bureau = six_cases().await;
    sqlx::query("UPDATE office SET name = '=1+1' WHERE office_id = 'hangzhou'")
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let answer = bureau
        .get_as(Role::Analyst, "/api/v1/statistics", "text/csv")
        .await;
    let line = answer.text().lines().nth(1).unwrap();
    assert!(line.starts_with("'=1+1,"), "{line}");
}
