//! Freezing a report, and what becomes of it afterwards.

use calamine::{Data, Reader, Xlsx};
use data_encoding::HEXLOWER;
use http::Method;
use notary_hub::identity::Role;
use notary_proto::hub::v1::CaseState;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, UtcOffset};

use super::{publish, published};
use crate::client::{Bureau, Colleague};
use crate::record::{Case, case};
use crate::support::seed::notary;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn cases(mark: &str, count: u32) -> Vec<Case> {
    (0..count)
        .map(|number| case(&format!("{mark}{number}")).issued("2024-03-20"))
        .collect()
}

/// Nine cases of March 2024 in one office, seven in the other, one of which was revoked.
async fn march() -> Bureau {
    let bureau = Bureau::open().await;
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", cases("A", 9))
        .await;
    let mut there = cases("X", 7);
    there[0] = case("X0").issued("2024-03-20").state(CaseState::Revoked);
    bureau.seed.office(&bureau.hub, "xiaoshan", there).await;
    bureau
}

fn cell<'a>(report: &'a Value, row: &'a Value, code: &str) -> &'a Value {
    let columns = report["columns"].as_array().unwrap();
    let at = columns.iter().position(|column| column["code"] == code);
    &row["cells"][at.unwrap()]
}

fn total<'a>(report: &'a Value, code: &str) -> &'a Value {
    cell(report, &report["total"], code)
}

async fn read(bureau: &Bureau, path: &str) -> Value {
    let answer = bureau.get(Role::Analyst, path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn what_was_published_stays_beside_what_is_known_now() {
    let bureau = march().await;
    let first = published(&bureau, "2024-03").await;
    assert_eq!(total(&first["report"], "accepted")["value"], 16);
    assert_eq!(first["issue"]["issue"], 1);
    let late = cases("L", 5);
    bureau.seed.office(&bureau.hub, "hangzhou", late).await;

    let draft = read(&bureau, "/api/v1/reports/2024-03").await;
    assert_eq!(total(&draft["now"], "accepted")["value"], 21);
    let kept = read(&bureau, "/api/v1/reports/2024-03/issues/1").await;
    assert_eq!(kept, first);
    let text = kept["report"]["summary_zh"][0].as_str().unwrap();
    assert!(
        text.contains("2024年3月") && text.contains("受理公证16件"),
        "{text}"
    );

    let again = json!({"in_place_of": 1, "reason": "一处补报"});
    let second = publish(&bureau, "2024-03", again.clone()).await;
    assert_eq!(second.status, 201, "{}", second.text());
    assert_eq!(second.json()["issue"]["reason"], "一处补报");
    // Whoever has not seen the second issue does not replace it.
    let stale = publish(&bureau, "2024-03", again).await;
    assert_eq!(
        (stale.status, stale.problem()),
        (409, "NOT_THE_NEWEST".into())
    );
    let list = read(&bureau, "/api/v1/reports").await;
    let issues: Vec<&Value> = list["items"].as_array().unwrap().iter().collect();
    assert_eq!(issues.len(), 2);
    assert_eq!(issues[0]["issue"], 2);
    // The comparison of the next month is with what was published last.
    let april = read(&bureau, "/api/v1/reports/2024-04").await;
    assert_eq!(april["now"]["compared"][0]["period_before"], 21);
}

#[tokio::test]
async fn an_issue_names_who_froze_it_and_its_digest_is_in_the_audit_log() {
    let bureau = march().await;
    let who = Colleague::new(Role::Supervisor);
    let path = "/api/v1/reports/2024-03/issues";
    let answer = bureau.ask(who, Method::POST, path, json!({})).await;
    let issue = answer.json()["issue"].clone();
    assert_eq!(issue["frozen_by"], who.account_id.to_string());
    // The report as it stands in the answer is what the digest is of.
    let (_, report) = answer.text().split_once("\"report\":").unwrap();
    let report = report.strip_suffix('}').unwrap();
    let digest = HEXLOWER.encode(&Sha256::digest(report));
    assert_eq!(issue["digest"], digest);
    let log = bureau.log().await;
    let entry = log
        .iter()
        .find(|entry| entry.action == "report.freeze")
        .unwrap();
    assert_eq!(entry.actor, who.account_id.to_string());
    let detail: Value = serde_json::to_value(&entry.detail).unwrap();
    assert!(detail.to_string().contains(&digest), "{detail}");
    for change in [
        "UPDATE report_issue SET reason = NULL",
        "DELETE FROM report_issue",
        "TRUNCATE report_issue",
    ] {
        let refused = sqlx::query(change).execute(&bureau.hub.db.pool).await;
        assert!(
            refused.unwrap_err().to_string().contains("never changed"),
            "{change}"
        );
    }
}

#[tokio::test]
async fn only_a_period_that_is_over_is_frozen_and_only_with_what_it_takes() {
    let bureau = march().await;
    let ahead = publish(&bureau, "2149-H1", json!({})).await;
    assert_eq!(
        (ahead.status, ahead.problem()),
        (409, "PERIOD_NOT_OVER".into())
    );
    let nothing_before = json!({"in_place_of": 1, "reason": "更正"});
    let answer = publish(&bureau, "2024-03", nothing_before).await;
    assert_eq!(answer.status, 409);
    published(&bureau, "2024-03").await;
    assert_eq!(publish(&bureau, "2024-03", json!({})).await.status, 409);
    for body in [
        json!({"in_place_of": 1}),
        json!({"reason": "更正"}),
        json!({"in_place_of": 1, "reason": " "}),
        json!({"in_place_of": 1, "reason": "当事人电话13800000000"}),
    ] {
        let answer = publish(&bureau, "2024-03", body.clone()).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, "FIELD_INVALID".into()),
            "{body}"
        );
    }
    for path in [
        "2024-03-01",
        "2024-13",
        "x",
        "2024-03/issues/2",
        "9999",
        "9999-12",
        "9999-Q4",
        "0001",
    ] {
        let answer = bureau
            .get(Role::Analyst, &format!("/api/v1/reports/{path}"))
            .await;
        assert_eq!(answer.status, 404, "{path}");
    }
    for role in [notary("hangzhou"), Role::Operator] {
        let path = "/api/v1/reports/2024-02/issues";
        let answer = bureau
            .ask(Colleague::new(role), Method::POST, path, json!({}))
            .await;
        assert_eq!(answer.status, 403);
    }
}

/// Each table of a report with each subject that any of its columns is about.
fn tables(report: &Value) -> Vec<(&Value, String)> {
    let mut tables = Vec::new();
    for table in report["tables"].as_array().unwrap() {
        let mut subjects: Vec<String> = Vec::new();
        for (_, head) in columns(report, table) {
            let subject = head["subject_zh"].as_str().unwrap().to_owned();
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        tables.extend(subjects.into_iter().map(|subject| (table, subject)));
    }
    tables
}

/// The columns of a table, each with its place in the rows.
fn columns<'a>(report: &'a Value, table: &Value) -> Vec<(usize, &'a Value)> {
    let heads = report["columns"].as_array().unwrap().iter().enumerate();
    let is_in = |head: &Value| head["offices_only"] != true || table["by"] == "office";
    heads.filter(|(_, head)| is_in(head)).collect()
}

fn sheets(report: &Value) -> Vec<String> {
    let tables = tables(report).into_iter();
    let tables =
        tables.map(|(table, subject)| format!("{} {subject}", table["name_zh"].as_str().unwrap()));
    std::iter::once("全市概况".to_owned())
        .chain(tables)
        .collect()
}

/// What the interface tells of a table and a subject, as a sheet has it: headers, rows, total.
fn table_of(report: &Value, table: &Value, subject: &str) -> Vec<Vec<Data>> {
    let columns = columns(report, table);
    let columns: Vec<_> = columns
        .into_iter()
        .filter(|(_, head)| head["subject_zh"] == subject)
        .collect();
    let text = |value: &Value| Data::String(value.as_str().unwrap().into());
    let unit = |head: &Value| match head["unit"].as_str().unwrap() {
        "fen" => "（元）",
        "days" => "（工作日）",
        "persons" => "（人）",
        "times" => "（次）",
        "score" => "（分）",
        _ => "",
    };
    let headers = columns.iter().map(|(_, head)| {
        Data::String(format!(
            "{}{}",
            head["name_zh"].as_str().unwrap(),
            unit(head)
        ))
    });
    let headers = std::iter::once(text(&table["name_zh"]))
        .chain(headers)
        .collect();
    let row = |row: &Value| {
        let cells = columns.iter().map(|(at, head)| {
            let cell = &row["cells"][at];
            let part = if head["unit"] == "fen" { 100.0 } else { 1.0 };
            match (&cell["withheld"], cell["value"].as_f64()) {
                (Value::Bool(true), _) => Data::String("＊".into()),
                (_, None) => Data::Empty,
                (_, Some(value)) => Data::Float(value / part),
            }
        });
        std::iter::once(text(&row["name_zh"]))
            .chain(cells)
            .collect()
    };
    let rows = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&report["total"]]);
    std::iter::once(headers).chain(rows.map(row)).collect()
}

#[tokio::test]
async fn files_hold_the_figures_of_the_issue_and_are_recorded() {
    let bureau = march().await;
    let report = published(&bureau, "2024-03").await["report"].clone();
    let path = "/api/v1/reports/2024-03/issues/1";
    let file = bureau.get_as(Role::Analyst, path, XLSX).await;
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"report-2024-03-1.xlsx\""
    );
    let mut workbook = Xlsx::new(std::io::Cursor::new(file.body.to_vec())).unwrap();
    assert_eq!(workbook.sheet_names(), sheets(&report));
    for (table, subject) in tables(&report) {
        let by = table["name_zh"].as_str().unwrap();
        let sheet = workbook
            .worksheet_range(&format!("{by} {subject}"))
            .unwrap();
        let title = sheet.get((0, 0)).unwrap().to_string();
        assert_eq!(
            title,
            format!(
                "{}（按{by}）{subject}",
                report["title_zh"].as_str().unwrap()
            )
        );
        let expected = table_of(&report, table, &subject);
        let rows: Vec<Vec<Data>> = sheet
            .rows()
            .skip(2)
            .take(expected.len())
            .map(<[Data]>::to_vec)
            .collect();
        assert_eq!(rows, expected, "{by} {subject}");
    }
    let page = bureau.get_as(Role::Analyst, path, "text/html").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let summary = report["summary_zh"][0].as_str().unwrap();
    assert!(page.text().contains(summary));
    assert!(!page.text().contains("<script"));
    let log = bureau.log().await;
    let exports = log.iter().filter(|entry| entry.action == "report.export");
    assert_eq!(exports.count(), 2);
}

#[tokio::test]
async fn what_one_issue_leaves_out_no_later_one_gives_away() {
    let bureau = march().await;
    let first = published(&bureau, "2024-03").await["report"].clone();
    // One revocation in the whole city.
    assert_eq!(
        total(&first, "revoked"),
        &json!({"value": null, "withheld": true})
    );
    let more: Vec<Case> = (0..8)
        .map(|number| {
            let case = case(&format!("R{number}")).issued("2024-03-20");
            case.state(CaseState::Revoked)
        })
        .collect();
    bureau.seed.office(&bureau.hub, "hangzhou", more).await;
    let again = json!({"in_place_of": 1, "reason": "补报"});
    let second = publish(&bureau, "2024-03", again).await.json()["report"].clone();
    assert_eq!(total(&second, "accepted")["value"], 24);
    assert_eq!(total(&second, "revoked")["withheld"], true);
}

#[tokio::test]
async fn a_month_that_runs_is_beside_the_year_before_and_tells_no_change_yet() {
    let bureau = Bureau::open().await;
    let here = UtcOffset::from_hms(8, 0, 0).unwrap();
    let today = OffsetDateTime::now_utc().to_offset(here).date();
    let month = |year: i32| format!("{year}-{:02}", u8::from(today.month()));
    let (running, before) = (month(today.year()), month(today.year() - 1));
    let cases = (0..9).map(|number| case(&format!("A{number}")).accepted(&format!("{before}-01")));
    let cases = cases.collect();
    bureau.seed.office(&bureau.hub, "hangzhou", cases).await;
    published(&bureau, &before).await;
    let draft = read(&bureau, &format!("/api/v1/reports/{running}")).await;
    let columns = draft["now"]["columns"].as_array().unwrap();
    let at = columns
        .iter()
        .position(|column| column["code"] == "accepted");
    let accepted = &draft["now"]["compared"][at.unwrap()];
    assert_eq!(accepted["year_before"], 9);
    assert_eq!(accepted["year_on_year"], Value::Null);
    assert_eq!(accepted["period_on_period"], Value::Null);
    bureau.hub.app.stop().await.unwrap();
}
