//! Figures, counted by hand.

use calamine::{Data, DataType, Reader, Xlsx};
use notary_hub::identity::Role;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::nightly;
use notary_hub::statistics::verify::verify;
use notary_proto::hub::v1::{CaseState, ForeignRelation};
use serde_json::{Value, json};
use time::{Date, Month, OffsetDateTime, UtcOffset};

use crate::client::Bureau;
use crate::record::case;
use crate::support::metrics;
use crate::support::seed::notary;

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

pub async fn table(bureau: &Bureau, query: &str) -> Value {
    let answer = bureau
        .get(Role::Analyst, &format!("/api/v1/statistics?{query}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The values of a row or of the totals, by measure.
pub fn values(answer: &Value, figures: &Value, measures: &[&str]) -> Vec<Value> {
    let columns = answer["columns"].as_array().unwrap();
    let of = |measure: &&str| {
        let at = columns
            .iter()
            .position(|column| column["measure"] == **measure);
        figures[at.unwrap()]["value"].clone()
    };
    measures.iter().map(of).collect()
}

/// What the rows stand for, by code.
pub fn keys(answer: &Value) -> Vec<Vec<&str>> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let keys = row["keys"].as_array().unwrap().iter();
        keys.map(|key| key["code"].as_str().unwrap()).collect()
    })
    .collect()
}

#[tokio::test]
async fn offices_are_counted_as_one_counts_them_by_hand() {
    let bureau = six_cases().await;
    let answer = table(&bureau, "").await;
    let measures = [
        "applied",
        "accepted",
        "refused",
        "issued",
        "within_limit",
        "within_limit_rate",
        "handling_days_median",
        "handling_days_p90",
        "fee_charged_fen",
    ];
    assert_eq!(keys(&answer), [["hangzhou"], ["xiaoshan"]]);
    let of = |figures: &Value| json!(values(&answer, figures, &measures));
    let rows = &answer["rows"];
    assert_eq!(
        of(&rows[0]["figures"]),
        json!([3, 3, 0, 2, 1, 0.5, 12, 20, 44_000])
    );
    assert_eq!(
        of(&rows[1]["figures"]),
        json!([2, 1, 1, 0, 0, null, null, null, 5_005])
    );
    assert_eq!(
        of(&answer["totals"]),
        json!([5, 4, 1, 2, 1, 0.5, 12, 20, 49_005])
    );
    let verification = verify(&bureau.hub.db.pool, &Calendar::builtin()).await;
    assert!(verification.unwrap().differences.is_empty());
}

#[tokio::test]
async fn each_dimension_cuts_the_same_sum_in_its_own_way() {
    let bureau = six_cases().await;
    for (query, expected) in [
        ("group_by=month", json!([["2024-03", 3], ["2024-04", 1]])),
        ("group_by=quarter", json!([["2024-Q1", 3], ["2024-Q2", 1]])),
        ("group_by=half_year", json!([["2024-H1", 4]])),
        ("group_by=year", json!([["2024", 4]])),
        ("group_by=level", json!([["municipal", 4]])),
        ("group_by=district", json!([["330102", 4]])),
        (
            "group_by=matter_group",
            json!([["legal_act", 3], ["personal_fact", 1]]),
        ),
        (
            "group_by=foreign_relation",
            json!([["domestic", 3], ["foreign", 1]]),
        ),
        (
            "group_by=matter_type,foreign_relation&from=2024-04",
            // What counted something in the month before is a row.
            json!([["will", "domestic", 0], ["birth", "foreign", 1]]),
        ),
        (
            "group_by=office&matter_type=birth",
            json!([["hangzhou", 1]]),
        ),
        (
            "group_by=office&matter_group=legal_act&office=xiaoshan,hangzhou",
            json!([["hangzhou", 2], ["xiaoshan", 1]]),
        ),
        (
            "group_by=day&from=2024-03-04&to=2024-03-10",
            json!([["2024-03-04", 3], ["2024-03-05", 0]]),
        ),
        (
            "group_by=level&from=2024-04-08&to=2024-04-09",
            json!([["municipal", 1]]),
        ),
        ("group_by=notary", json!([["", 4]])),
        ("group_by=", json!([[4]])),
    ] {
        let answer = table(&bureau, &format!("measures=accepted&{query}")).await;
        let rows: Vec<Vec<Value>> = keys(&answer)
            .iter()
            .zip(answer["rows"].as_array().unwrap())
            .map(|(keys, row)| {
                let keys = keys.iter().map(|key| json!(key));
                keys.chain([row["figures"][0]["value"].clone()]).collect()
            })
            .collect();
        assert_eq!(json!(rows), expected, "{query}");
        let sum: i64 = rows
            .iter()
            .map(|row| row.last().unwrap().as_i64().unwrap())
            .sum();
        assert_eq!(answer["totals"][0]["value"], sum, "{query}");
    }
}

#[tokio::test]
async fn every_figure_of_a_period_stands_beside_the_year_and_the_period_before() {
    let bureau = Bureau::open().await;
    let on = |key: &str, day: &str| case(key).accepted(day);
    let cases = vec![
        on("A1", "2023-03-01"),
        on("A2", "2024-02-01"),
        on("A3", "2024-02-29"),
        on("A4", "2024-03-01"),
        on("A5", "2024-03-31"),
        on("A6", "2024-03-31"),
    ];
    bureau.seed.office(&bureau.hub, "hangzhou", cases).await;
    let march = table(&bureau, "measures=accepted&group_by=office&from=2024-03").await;
    let expected = json!([{
        "value": 3, "year_before": 1, "period_before": 2, "year_on_year": 2.0, "period_on_period": 0.5,
    }]);
    assert_eq!(march["rows"][0]["figures"], expected);
    assert_eq!(march["totals"], expected);
    // Row by row with the month before; together with the quarter before.
    let quarter = table(&bureau, "measures=accepted&group_by=month&from=2024-Q1").await;
    assert_eq!(keys(&quarter), [["2024-02"], ["2024-03"]]);
    assert_eq!(quarter["rows"][1]["figures"], expected);
    let total = json!([{
        "value": 5, "year_before": 1, "period_before": 0, "year_on_year": 4.0, "period_on_period": null,
    }]);
    assert_eq!(quarter["totals"], total);
    let open = table(&bureau, "measures=accepted&group_by=office&to=2024-03").await;
    assert_eq!(open["totals"][0]["value"], 6);
    assert_eq!(open["totals"][0]["year_before"], Value::Null);
}

#[tokio::test]
async fn a_pivot_puts_values_into_columns_and_their_sum_behind() {
    let bureau = six_cases().await;
    let query = "measures=accepted,fee_charged_fen&group_by=office,month&pivot=month&from=2024-03&to=2024-04";
    let answer = table(&bureau, query).await;
    let columns: Vec<Value> = (answer["columns"].as_array().unwrap().iter())
        .map(|column| json!([column["pivot"]["code"], column["measure"]]))
        .collect();
    let expected = json!([
        ["2024-03", "accepted"],
        ["2024-03", "fee_charged_fen"],
        ["2024-04", "accepted"],
        ["2024-04", "fee_charged_fen"],
        [null, "accepted"],
        [null, "fee_charged_fen"],
    ]);
    assert_eq!(json!(columns), expected);
    let of = |figures: &Value| -> Vec<Value> {
        let figures = figures.as_array().unwrap().iter();
        figures.map(|figure| figure["value"].clone()).collect()
    };
    assert_eq!(keys(&answer), [["hangzhou"], ["xiaoshan"]]);
    let rows = &answer["rows"];
    assert_eq!(
        json!(of(&rows[0]["figures"])),
        json!([2, 24_000, 1, 20_000, 3, 44_000])
    );
    assert_eq!(
        json!(of(&rows[1]["figures"])),
        json!([1, 5_005, 0, 0, 1, 5_005])
    );
    assert_eq!(
        json!(of(&answer["totals"])),
        json!([3, 29_005, 1, 20_000, 4, 49_005])
    );
}

#[tokio::test]
async fn a_notary_sees_the_own_offices_figures_alone() {
    let bureau = six_cases().await;
    let own = bureau
        .get(notary("xiaoshan"), "/api/v1/statistics?measures=accepted")
        .await;
    assert_eq!(keys(&own.json()), [["xiaoshan"]]);
    assert_eq!(own.json()["totals"][0]["value"], 1);
    let other = bureau
        .get(notary("xiaoshan"), "/api/v1/statistics?office=hangzhou")
        .await;
    assert_eq!(
        (other.status, other.problem()),
        (403, "PERMISSION_DENIED".to_owned())
    );
}

#[tokio::test]
async fn the_catalogue_names_everything_that_can_be_asked_for() {
    let bureau = six_cases().await;
    let catalogue = bureau
        .get(Role::Analyst, "/api/v1/statistics/measures")
        .await
        .json();
    for measure in catalogue["measures"].as_array().unwrap() {
        let code = measure["code"].as_str().unwrap();
        assert!(!measure["definition_zh"].as_str().unwrap().is_empty());
        let answer = table(&bureau, &format!("measures={code}")).await;
        assert_eq!(answer["columns"][0]["unit"], measure["unit"]);
    }
    for dimension in catalogue["dimensions"].as_array().unwrap() {
        let code = dimension["code"].as_str().unwrap();
        let of_measure = |measure: &&Value| {
            measure["dimensions"]
                .as_array()
                .unwrap()
                .contains(&dimension["code"])
        };
        let measures = catalogue["measures"].as_array().unwrap().iter();
        let measure = measures.clone().find(of_measure).unwrap()["code"]
            .as_str()
            .unwrap();
        let answer = table(&bureau, &format!("measures={measure}&group_by={code}")).await;
        assert_eq!(answer["dimensions"][0]["name_zh"], dimension["name_zh"]);
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_names_its_parameter() {
    let bureau = Bureau::open().await;
    for (query, field) in [
        ("from=2024-13", "from"),
        ("from=0001&to=2024&group_by=day", "from"),
        ("from=2024&to=9999&group_by=day", "to"),
        ("to=2024-1", "to"),
        ("from=2024-02&to=2024-01", "to"),
        ("from=2024-02&group_by=quarter", "from"),
        ("group_by=colour", "group_by"),
        ("group_by=office,office", "group_by"),
        ("group_by=month,year", "group_by"),
        ("measures=", "measures"),
        ("measures=issued,issued", "measures"),
        ("pivot=month", "pivot"),
        ("group_by=notary,matter_type", "group_by"),
        ("group_by=day&matter_type=will", "group_by"),
        ("office=X", "office"),
        ("level=high", "level"),
        ("matter_type=magic", "matter_type"),
    ] {
        let answer = bureau
            .get(Role::Analyst, &format!("/api/v1/statistics?{query}"))
            .await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, "FIELD_INVALID".to_owned()),
            "{query}"
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
async fn what_is_recorded_of_an_export_says_all_that_was_asked_for() {
    let bureau = six_cases().await;
    let query = "group_by=office,matter_type&pivot=matter_type&measures=accepted&from=2024&structure_on=2024-01-01\
                 &district=330102&level=municipal&matter_group=legal_act&foreign_relation=domestic&matter_type=will";
    let path = format!("/api/v1/statistics?{query}");
    let answer = bureau.get_as(Role::Analyst, &path, "text/csv").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let log = bureau.log().await;
    let detail = serde_json::to_value(&log[0].detail).unwrap();
    let expected = json!({
        "form": "csv",
        "from": "2024-01-01",
        "to": "2024-12-31",
        "group_by": ["office", "matter_type"],
        "pivot": "matter_type",
        "structure_on": "2024-01-01",
        "measures": ["accepted"],
        "left_in": {
            "district": ["330102"],
            "level": ["municipal"],
            "matter_group": ["legal_act"],
            "foreign_relation": ["domestic"],
            "matter_type": ["will"],
        },
    });
    assert_eq!(detail, expected);
}

#[tokio::test]
async fn a_workbook_reads_back_as_reviewed_and_holds_the_figures_of_the_api() {
    let bureau = six_cases().await;
    let query = "group_by=office,month&from=2024&to=2024";
    let path = format!("/api/v1/statistics?{query}");
    let answer = bureau.get_as(Role::Supervisor, &path, XLSX).await;
    assert_eq!(answer.header("content-type"), XLSX);
    let mut workbook = Xlsx::new(std::io::Cursor::new(answer.body)).unwrap();
    let sheet = workbook.worksheet_range("统计").unwrap();
    let lines: Vec<String> = (sheet.rows().enumerate())
        // When it was read is told in the second line.
        .filter(|(at, _)| *at != 1)
        .map(|(_, row)| row.iter().map(shown).collect::<Vec<_>>().join(" | "))
        .collect();
    insta::assert_snapshot!("statistics_xlsx", lines.join("\n"));
    let api = table(&bureau, query).await;
    let columns = api["columns"].as_array().unwrap();
    let rows = api["rows"].as_array().unwrap().iter();
    let figures = rows.map(|row| &row["figures"]).chain([&api["totals"]]);
    for (line, figures) in sheet.rows().skip(3).zip(figures) {
        let mut cells = line.iter().skip(2);
        for (column, figure) in columns.iter().zip(figures.as_array().unwrap()) {
            let money = if column["unit"] == "fen" { 100.0 } else { 1.0 };
            for (name, scale) in [
                ("value", money),
                ("year_on_year", 1.0),
                ("period_on_period", 1.0),
            ] {
                let expected = figure[name].as_f64().map(|figure| figure / scale);
                assert_eq!(
                    cells.next().unwrap().as_f64(),
                    expected,
                    "{} {name}",
                    column["measure"]
                );
            }
        }
    }
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

#[tokio::test]
async fn what_the_night_finds_is_a_metric() {
    let bureau = six_cases().await;
    let found = async || {
        nightly::prove(&bureau.hub.db.pool, &Calendar::builtin()).await;
        let metrics = metrics(&bureau.hub).await;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("notary_hub_statistics_differences "));
        line.map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned())
    };
    assert_eq!(found().await.as_deref(), Some("0"));
    sqlx::query(
        "INSERT INTO rollup_delta (office_id, cut, begins_on, matter_type, foreign_relation, notary, accepted)
         SELECT DISTINCT office_id, cut, begins_on, '', '', '', 1
           FROM rollup WHERE cut = 'day' AND begins_on = '2024-03-04'",
    )
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
    assert_eq!(found().await.as_deref(), Some("2"));
}

/// A day of the year before, as figures have it.
fn year_before(day: Date) -> Date {
    let year = day.year() - 1;
    day.replace_year(year)
        .unwrap_or_else(|_| Date::from_calendar_date(year, Month::February, 28).unwrap())
}

#[tokio::test]
async fn a_period_that_runs_is_compared_with_as_much_of_the_time_before_as_has_come() {
    let bureau = Bureau::open().await;
    let here = UtcOffset::from_hms(8, 0, 0).unwrap();
    let today = OffsetDateTime::now_utc().to_offset(here).date();
    let reached = year_before(today);
    let behind = reached.next_day().unwrap();
    let begun = Date::from_calendar_date(today.year() - 1, Month::January, 1).unwrap();
    let on = |key: &str, day: Date| case(key).accepted(&day.to_string());
    let cases = vec![
        on("A1", begun),
        on("A2", reached),
        on("A3", behind),
        on("A4", today),
    ];
    bureau.seed.office(&bureau.hub, "hangzhou", cases).await;
    // Two years, so that they run on every day of this one.
    let years = format!("from={}&to={}", today.year(), today.year() + 1);
    for by in ["", "office", "month", "quarter", "year"] {
        let answer = table(&bureau, &format!("measures=accepted&group_by={by}&{years}")).await;
        assert_eq!(answer["compared_until"], today.to_string(), "{by}");
        assert_eq!(answer["totals"][0]["year_before"], 2, "{by}");
        let rows = answer["rows"].as_array().unwrap().iter();
        let of_rows = rows.map(|row| row["figures"][0]["year_before"].as_i64().unwrap());
        assert_eq!(
            of_rows.sum::<i64>(),
            2,
            "rows by {by} and what stands below them"
        );
    }
    // Nobody knows how much of a month had come by that day.
    for by in ["matter_type", "matter_group", "notary"] {
        let query = format!("measures=accepted&group_by={by}&{years}");
        let answer = table(&bureau, &query).await;
        assert_ne!(answer["totals"][0]["value"], 0, "{by}");
        assert_eq!(answer["totals"][0]["year_before"], Value::Null, "{by}");
        assert_eq!(answer["totals"][0]["year_on_year"], Value::Null, "{by}");
    }
    let ahead = table(&bureau, "measures=accepted&group_by=&from=2100&to=2100").await;
    assert_eq!(ahead["totals"][0]["year_before"], Value::Null);
    let over = format!("measures=accepted&group_by=&from={0}&to={0}", begun.year());
    let over = table(&bureau, &over).await;
    assert_eq!(over["compared_until"], Value::Null);
    assert_eq!(over["totals"][0]["year_before"], 0);
}
