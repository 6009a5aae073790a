//! Figures of what is no case, each beside a count by hand.

use http::Method;
use notary_hub::filing::score;
use notary_hub::filing::window::{Form, Window};
use notary_hub::identity::Role;
use notary_hub::store::figures::person_month;
use notary_proto::hub::v1::{CaseState, PartyRole};
use serde_json::{Value, json};

use super::get::{keys, table, values};
use crate::client::{Answer, Bureau, Colleague};
use crate::record::{Case, case, home, person};
use crate::supervision::{self, file, findings, judged, late, notary_of, supervisor, take};
use crate::support::seed::notary;

/// What a table says: the codes of each row beside its figures, and the totals.
async fn told(bureau: &Bureau, measures: &[&str], query: &str) -> (Vec<(String, Value)>, Value) {
    let answer = table(bureau, &format!("measures={}&{query}", measures.join(","))).await;
    let rows = answer["rows"].as_array().unwrap().iter();
    let of = |figures: &Value| json!(values(&answer, figures, measures));
    let rows = keys(&answer)
        .iter()
        .zip(rows)
        .map(|(keys, row)| (keys.join(" "), of(&row["figures"])))
        .collect();
    (rows, of(&answer["totals"]))
}

fn row(keys: &str, figures: Value) -> (String, Value) {
    (keys.to_owned(), figures)
}

/// One office has a case that took too long and one that did not, the other one that did not.
async fn judged_cases() -> Bureau {
    let bureau = Bureau::open().await;
    let here = vec![
        late("A1"),
        case("A2")
            .accepted("2024-04-02")
            .issued("2024-04-10")
            .number(2),
    ];
    bureau.seed.office(&bureau.hub, "hangzhou", here).await;
    let there = vec![
        case("X1")
            .accepted("2024-04-02")
            .issued("2024-04-03")
            .number(1),
    ];
    bureau.seed.office(&bureau.hub, "xiaoshan", there).await;
    judged(&bureau).await;
    bureau
}

async fn one_finding(bureau: &Bureau) -> Value {
    let mut found = findings(bureau, supervisor(), "?rule=TIME_LIMIT").await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

async fn done(bureau: &Bureau, finding: &Value, steps: &[(&str, Option<&str>)]) {
    for (step, due) in steps {
        let who = match *step {
            "rectify" => notary_of("hangzhou"),
            _ => supervisor(),
        };
        let taken = take(bureau, who, finding, step, *due).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
    }
}

#[tokio::test]
async fn compliance_is_the_share_of_ended_cases_that_no_rule_points_at() {
    let bureau = judged_cases().await;
    let only_time = "finding_severity=ordinary,serious,notice&rule=TIME_LIMIT";
    let measures = ["findings", "cases_with_findings", "compliance_rate"];
    let (rows, totals) = told(&bureau, &measures, &format!("group_by=office&{only_time}")).await;
    let expected = [
        row("hangzhou", json!([1, 1, 0.5])),
        row("xiaoshan", json!([0, 0, 1.0])),
    ];
    assert_eq!(rows, expected);
    assert_eq!(totals, json!([1, 1, 2.0 / 3.0]));
    // All cases of the office are judged by each rule.
    let by_rule = "group_by=office,rule,month&rule=TIME_LIMIT&from=2024-04&to=2024-04";
    let (rows, _) = told(&bureau, &measures, by_rule).await;
    assert_eq!(
        rows,
        [row("hangzhou TIME_LIMIT 2024-04", json!([1, 1, 0.5]))]
    );
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_case_under_way_whose_time_is_over_is_a_finding_and_weighs_on_no_compliance() {
    let bureau = judged_cases().await;
    let under_way = vec![case("A3").accepted("2024-04-02").number(3)];
    bureau.seed.office(&bureau.hub, "hangzhou", under_way).await;
    judged(&bureau).await;
    let measures = ["findings", "cases_with_findings", "compliance_rate"];
    let (rows, _) = told(&bureau, &measures, "group_by=office&rule=TIME_LIMIT").await;
    assert_eq!(rows[0], row("hangzhou", json!([2, 2, 0.5])));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_no_rule_finds_any_more_weighs_on_no_compliance_though_the_office_was_notified_of_it()
{
    let bureau = judged_cases().await;
    let finding = one_finding(&bureau).await;
    done(&bureau, &finding, &[("notify", Some("2099-01-31"))]).await;
    let withdrawn = late("A1").revision(2).state(CaseState::Withdrawn);
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![withdrawn])
        .await;
    judged(&bureau).await;
    let measures = [
        "findings_notified",
        "cases_with_findings",
        "compliance_rate",
    ];
    let (rows, _) = told(&bureau, &measures, "group_by=office&rule=TIME_LIMIT").await;
    assert_eq!(rows[0], row("hangzhou", json!([1, 0, 1.0])));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_counts_on_a_day_to_come_has_a_row_so_that_rows_add_up_to_their_total() {
    let bureau = judged_cases().await;
    let finding = one_finding(&bureau).await;
    let steps = [("notify", Some("2099-01-31")), ("rectify", None)];
    done(&bureau, &finding, &steps).await;
    let measures = ["rectifications_due"];
    let (rows, totals) = told(&bureau, &measures, "group_by=month").await;
    assert_eq!(rows, [row("2099-01", json!([1]))]);
    assert_eq!(totals, json!([1]));
    // Of what there was before nothing is said of days to come.
    let before = "group_by=month&from=2100-01&to=2100-12";
    assert_eq!(told(&bureau, &measures, before).await.0, []);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn findings_are_counted_by_what_people_made_of_them_and_rectifications_by_their_day() {
    let bureau = judged_cases().await;
    let finding = one_finding(&bureau).await;
    let states = [
        "findings",
        "findings_open",
        "findings_notified",
        "findings_verified",
        "findings_dismissed",
        "rectifications_due",
        "rectification_on_time_rate",
    ];
    let count = async || {
        let states_alone = told(&bureau, &states[..5], "group_by=&rule=TIME_LIMIT")
            .await
            .1;
        let rectified = told(&bureau, &states[5..], "group_by=").await.1;
        json!([states_alone, rectified])
    };
    assert_eq!(count().await, json!([[1, 1, 0, 0, 0], [0, null]]));
    // Its day has not come: nothing is due yet.
    done(&bureau, &finding, &[("notify", Some("2099-01-31"))]).await;
    assert_eq!(count().await, json!([[1, 0, 1, 0, 0], [0, null]]));
    done(&bureau, &finding, &[("rectify", None), ("verify", None)]).await;
    assert_eq!(count().await, json!([[1, 0, 0, 1, 0], [1, 1.0]]));
    // An inspection whose day has passed without a word.
    supervision::notified(&bureau, "xiaoshan", "窗口").await;
    sqlx::query("UPDATE inspection SET due_on = '2024-01-31'")
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let (rows, totals) = told(&bureau, &states[5..], "group_by=office").await;
    let expected = [
        row("hangzhou", json!([1, 1.0])),
        row("xiaoshan", json!([1, 0.0])),
    ];
    assert_eq!(rows, expected);
    assert_eq!(totals, json!([2, 0.5]));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_counts_ahead_of_today_has_a_row_like_everything_in_the_total() {
    let bureau = judged_cases().await;
    let finding = one_finding(&bureau).await;
    let rectified = [("notify", Some("2099-01-31")), ("rectify", None)];
    done(&bureau, &finding, &rectified).await;
    let (rows, totals) = told(
        &bureau,
        &["rectifications_due"],
        "group_by=month&from=2098&to=2099",
    )
    .await;
    assert_eq!(rows, [row("2099-01", json!([1]))]);
    assert_eq!(totals, json!([1]));
    // Months ahead of which there is nothing but what they are compared with have none.
    let (rows, _) = told(
        &bureau,
        &["rectifications_due"],
        "group_by=month&from=2100&to=2100",
    )
    .await;
    assert_eq!(rows, []);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn the_summary_of_supervision_counts_what_the_figures_of_the_same_days_count() {
    let bureau = judged_cases().await;
    let finding = one_finding(&bureau).await;
    let steps = [("notify", Some("2099-01-31")), ("rectify", None)];
    done(&bureau, &finding, &steps).await;
    let pool = &bureau.hub.db.pool;
    let found =
        "UPDATE supervision_finding SET happened_on = NULL, found_at = '2025-06-30 17:00+00'
                  WHERE rule_id = 'TIME_LIMIT'";
    sqlx::query(found).execute(pool).await.unwrap();
    let summary = async |days: &str| {
        let path = format!("/api/v1/supervision/summary?{days}");
        let answer = bureau
            .ask(supervisor(), Method::GET, &path, Value::Null)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let items = answer.json()["items"].as_array().unwrap().clone();
        let of_rule = |item: &&Value| item["rule_id"] == "TIME_LIMIT";
        let of_rule = items.iter().filter(of_rule);
        json!(
            of_rule
                .map(|item| json!([item["rectified"], item["rectified_in_time"]]))
                .collect::<Vec<_>>()
        )
    };
    // It was found on the first of July in Hangzhou.
    let july = "from=2025-07-01&to=2025-07-31";
    assert_eq!(summary(july).await, json!([[1, 1]]));
    assert_eq!(summary("to=2025-06-30").await, json!([]));
    let (rows, _) = told(
        &bureau,
        &["findings_rectified"],
        "group_by=rule&rule=TIME_LIMIT&from=2025-07&to=2025-07",
    )
    .await;
    assert_eq!(rows, [row("TIME_LIMIT", json!([1]))]);
    done(&bureau, &finding, &[("dismiss", None)]).await;
    assert_eq!(summary(july).await, json!([[0, 0]]), "it was no breach");
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_rectified_late_stays_so_whatever_day_a_return_sets() {
    let bureau = judged_cases().await;
    let finding = one_finding(&bureau).await;
    done(&bureau, &finding, &[("notify", Some("2099-01-31"))]).await;
    let inspection = supervision::notified(&bureau, "xiaoshan", "窗口").await;
    let step = async |who: Colleague, body: Value| {
        let path = format!("/api/v1/supervision/inspections/{inspection}/steps");
        let taken = bureau.ask(who, Method::POST, &path, body).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
    };
    for passed in [
        "UPDATE supervision_finding SET due_on = '2024-01-31' WHERE state = 'notified'",
        "UPDATE inspection SET due_on = '2024-01-31'",
    ] {
        let pool = &bureau.hub.db.pool;
        sqlx::query(passed).execute(pool).await.unwrap();
    }
    let measures = ["rectifications_due", "rectification_on_time_rate"];
    let late = [
        row("hangzhou", json!([1, 0.0])),
        row("xiaoshan", json!([1, 0.0])),
    ];
    let rectify = json!({ "step": "rectify", "reason": "已整改" });
    done(&bureau, &finding, &[("rectify", None)]).await;
    step(notary_of("xiaoshan"), rectify.clone()).await;
    assert_eq!(told(&bureau, &measures, "group_by=office").await.0, late);

    let again = [("return", Some("2099-01-31")), ("rectify", None)];
    done(&bureau, &finding, &again).await;
    let back = json!({ "step": "return", "reason": "仍未公示", "due_on": "2099-01-31" });
    step(supervisor(), back).await;
    step(notary_of("xiaoshan"), rectify).await;
    assert_eq!(told(&bureau, &measures, "group_by=office").await.0, late);
    bureau.hub.app.stop().await.unwrap();
}

/// Everything is there; what is measured has the size that a county's office needs.
fn assessment() -> Value {
    let items = Window::builtin().asked().map(|item| match item.form {
        Form::YesNo {} => json!({ "item": item.id, "answer": "yes" }),
        Form::Measure { county, .. } => {
            json!({ "item": item.id, "answer": "measured", "value": county })
        }
        Form::PerNotary { .. } => {
            json!({ "item": item.id, "answer": "per_notary", "value": 3, "notaries": 3 })
        }
    });
    json!({ "kind": "self_assessment", "assessed_on": "2024-06-28", "items": items.collect::<Vec<_>>() })
}

async fn filed(bureau: &Bureau, office: &str, body: Value) -> Answer {
    let filed = file(bureau, notary_of(office), "", body, "见卷宗").await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    filed
}

#[tokio::test]
async fn complaints_satisfaction_and_self_assessments_follow_from_what_offices_file() {
    let bureau = judged_cases().await;
    let complaint = json!({ "kind": "complaint", "received_on": "2024-04-10", "subject": "fee" });
    filed(&bureau, "hangzhou", complaint).await;
    for (office, answers) in [("hangzhou", [0, 0, 1, 1, 2]), ("xiaoshan", [1, 0, 0, 0, 0])] {
        let period = json!({ "first_day": "2024-04-01", "last_day": "2024-06-30" });
        let survey =
            json!({ "kind": "satisfaction", "period": period, "asked": 10, "answers": answers });
        filed(&bureau, office, survey).await;
    }
    filed(&bureau, "hangzhou", assessment()).await;
    let measures = [
        "complaints",
        "complaint_rate",
        "surveys",
        "survey_answers",
        "satisfaction",
        "self_assessments",
        "self_assessment_rate",
    ];
    // The office of the city falls short by its two sizes.
    let items = Window::builtin().asked().count() as f64;
    let sizes = Window::builtin().asked();
    let sizes = sizes
        .filter(|item| matches!(item.form, Form::Measure { municipal, county, .. } if municipal > county))
        .count() as f64;
    let met = (items - sizes) / items;
    let (rows, totals) = told(&bureau, &measures, "group_by=office").await;
    let expected = [
        row("hangzhou", json!([1, 5_000.0, 1, 4, 4.25, 1, met])),
        row("xiaoshan", json!([0, 0.0, 1, 1, 1.0, 0, null])),
    ];
    assert_eq!(rows, expected);
    assert_eq!(totals, json!([1, 10_000.0 / 3.0, 2, 5, 3.6, 1, met]));
    let (rows, _) = told(
        &bureau,
        &measures[..2],
        "group_by=month&from=2024-04&to=2024-04",
    )
    .await;
    assert_eq!(rows, [row("2024-04", json!([1, 5_000.0]))]);
    let kinds = told(
        &bureau,
        &["filings", "filings_late"],
        "group_by=filing_kind",
    )
    .await;
    let expected = [
        row("complaint", json!([1, 1])),
        row("satisfaction", json!([2, 2])),
        row("self_assessment", json!([1, 1])),
    ];
    assert_eq!(kinds.0, expected);
    // Filed again for the same time, the last word counts.
    let period = json!({ "first_day": "2024-04-01", "last_day": "2024-06-30" });
    let again = json!({ "kind": "satisfaction", "period": period, "asked": 10, "answers": [0, 0, 0, 0, 2] });
    filed(&bureau, "hangzhou", again).await;
    let mut lacking = assessment();
    let items_of = lacking["items"].as_array_mut().unwrap();
    let met = items_of.iter_mut().find(|item| item["answer"] == "yes");
    met.unwrap()["answer"] = "no".into();
    filed(&bureau, "hangzhou", lacking).await;
    let (rows, _) = told(&bureau, &measures[2..6], "group_by=office").await;
    assert_eq!(rows[0], row("hangzhou", json!([1, 2, 5.0, 1])));
    let (_, totals) = told(&bureau, &measures[6..], "group_by=").await;
    let less = (items - sizes - 1.0) / items;
    assert!((totals[0].as_f64().unwrap() - less).abs() < 1e-9);
    // Each office sees what it filed itself; nobody's words are told with the figures.
    let own = bureau
        .get(
            notary("xiaoshan"),
            "/api/v1/statistics?measures=surveys,complaints&group_by=",
        )
        .await
        .json();
    assert_eq!(own["totals"][0]["value"], 1);
    assert_eq!(own["totals"][1]["value"], 0);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_self_assessment_of_before_scores_were_kept_is_scored_when_the_hub_starts() {
    let bureau = Bureau::open().await;
    filed(&bureau, "hangzhou", assessment()).await;
    let pool = &bureau.hub.db.pool;
    let scores = "SELECT items_met, items FROM filing";
    let score: (Option<i16>, Option<i16>) = sqlx::query_as(scores).fetch_one(pool).await.unwrap();
    assert!(score.1.is_some());
    for before in [
        "UPDATE filing SET items_met = NULL, items = NULL",
        "UPDATE hub_state SET assessments_scored_by = NULL",
    ] {
        sqlx::query(before).execute(pool).await.unwrap();
    }
    score::again_if_due(pool).await.unwrap();
    let again: (Option<i16>, Option<i16>) = sqlx::query_as(scores).fetch_one(pool).await.unwrap();
    assert_eq!(again, score);
    bureau.hub.app.stop().await.unwrap();
}

fn estate(key: &str, decedent: u8) -> Case {
    case(key)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

fn mandate(key: &str) -> Case {
    case(key)
        .matter("mandate")
        .parties(vec![person(PartyRole::Principal, 2)])
        .subjects(vec![home(2)])
}

#[tokio::test]
async fn a_pair_of_cases_counts_for_both_offices_and_once_for_the_city() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    seed.office(hub, "hangzhou", vec![estate("A", 1), mandate("B")])
        .await;
    let there = vec![estate("C", 1), mandate("D")];
    seed.office(hub, "xiaoshan", there).await;
    let measures = ["duplicates", "conflicts", "related"];
    let (rows, totals) = told(&bureau, &measures, "group_by=office").await;
    let expected = [
        row("hangzhou", json!([1, 1, 0])),
        row("xiaoshan", json!([1, 1, 0])),
    ];
    assert_eq!(rows, expected);
    assert_eq!(totals, json!([1, 1, 0]));
    let (rows, _) = told(&bureau, &measures, "group_by=level").await;
    assert_eq!(rows, [row("municipal", json!([1, 1, 0]))]);
    // An office is told of its own alone, as of the pairs themselves.
    let own = "/api/v1/statistics?measures=duplicates,conflicts&group_by=office";
    let own = bureau.get(notary("hangzhou"), own).await.json();
    assert_eq!(keys(&own), [["hangzhou"]]);
    assert_eq!(own["totals"][0]["value"], 1);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn lookups_are_counted_with_their_answers() {
    let bureau = Bureau::open().await;
    sqlx::query(
        "INSERT INTO lookup_day (office_id, day, hit, no_hit, denied)
         VALUES ('hangzhou', '2024-03-04', 1, 3, 2), ('xiaoshan', '2024-03-05', 0, 0, 1)",
    )
    .execute(&bureau.hub.db.pool)
    .await
    .unwrap();
    let measures = [
        "lookups",
        "lookup_hits",
        "lookups_denied",
        "lookup_hit_rate",
    ];
    let (rows, totals) = told(
        &bureau,
        &measures,
        "group_by=day&from=2024-03-04&to=2024-03-05",
    )
    .await;
    let expected = [
        row("2024-03-04", json!([6, 1, 2, 0.25])),
        row("2024-03-05", json!([1, 0, 1, null])),
    ];
    assert_eq!(rows, expected);
    assert_eq!(totals, json!([7, 1, 3, 0.25]));
    let before = table(
        &bureau,
        "measures=lookups&group_by=&from=2025-03&to=2025-03",
    )
    .await;
    assert_eq!(before["totals"][0]["year_before"], 7);
    bureau.hub.app.stop().await.unwrap();
}

/// Nothing waits for linkage any more.
async fn linked(bureau: &Bureau) {
    let waiting = "SELECT count(*) FROM link_work";
    let pool = &bureau.hub.db.pool;
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(pool)
        .await
        .unwrap()
        > 0
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_person_counts_once_wherever_and_however_often_the_person_came() {
    let bureau = Bureau::open().await;
    let of = |key: &str, number: u8| case(key).parties(vec![person(PartyRole::Testator, number)]);
    let here = vec![
        of("A1", 1),
        of("A2", 2),
        of("A3", 1).accepted("2024-04-08"),
        of("A4", 9).state(notary_proto::hub::v1::CaseState::Withdrawn),
    ];
    bureau.seed.office(&bureau.hub, "hangzhou", here).await;
    bureau
        .seed
        .office(&bureau.hub, "xiaoshan", vec![of("X1", 1)])
        .await;
    linked(&bureau).await;
    // What was counted before is counted anew.
    for _ in 0..2 {
        person_month::recount(&bureau.hub.db.pool).await.unwrap();
    }
    let (rows, totals) = told(&bureau, &["persons"], "group_by=office").await;
    assert_eq!(
        rows,
        [row("hangzhou", json!([2])), row("xiaoshan", json!([1]))]
    );
    assert_eq!(totals, json!([2]));
    let (rows, totals) = told(&bureau, &["persons"], "group_by=month&office=hangzhou").await;
    assert_eq!(
        rows,
        [row("2024-03", json!([2])), row("2024-04", json!([1]))]
    );
    assert_eq!(totals, json!([2]));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn whom_nobody_has_counted_yet_is_no_figure_and_is_counted_once_linkage_has_caught_up() {
    let bureau = Bureau::open().await;
    let pool = &bureau.hub.db.pool;
    let told = async || {
        let path = "/api/v1/statistics?measures=accepted,persons&group_by=";
        let table = bureau.get(Role::Analyst, path).await.json();
        let totals = table["totals"].as_array().unwrap().iter();
        let values: Vec<Value> = totals.map(|figure| figure["value"].clone()).collect();
        (table["persons_counted"].clone(), values)
    };
    assert_eq!(
        told().await,
        (json!(true), vec![json!(0), json!(0)]),
        "there is nobody"
    );
    assert!(!person_month::count_first(pool).await.unwrap());
    bureau
        .seed
        .office(&bureau.hub, "hangzhou", vec![case("A1")])
        .await;
    linked(&bureau).await;
    // In the middle of a first load nobody is counted.
    let change = async |sql: &'static str| sqlx::query(sql).execute(pool).await.unwrap();
    change(
        "INSERT INTO link_work (work_id, office_id, source_case_ids, leased_until)
         VALUES (gen_random_uuid(), 'hangzhou', '{A1}', now() + interval '1 hour')",
    )
    .await;
    assert!(!person_month::count_first(pool).await.unwrap());
    assert_eq!(told().await, (json!(false), vec![json!(1), Value::Null]));
    change("DELETE FROM link_work").await;
    assert!(person_month::count_first(pool).await.unwrap());
    assert_eq!(told().await, (json!(true), vec![json!(1), json!(1)]));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_dimension_that_a_measure_does_not_have_is_refused_with_its_name() {
    let bureau = Bureau::open().await;
    for (query, field, names) in [
        (
            "measures=findings&group_by=matter_type",
            "group_by",
            "matter_type",
        ),
        (
            "measures=accepted,lookups&group_by=foreign_relation",
            "group_by",
            "lookups",
        ),
        ("measures=accepted&group_by=rule", "group_by", "rule"),
        ("group_by=filing_kind", "group_by", "applied"),
        (
            "measures=complaint_rate&matter_type=will",
            "matter_type",
            "complaint_rate",
        ),
        ("measures=persons&group_by=day", "group_by", "persons"),
        ("measures=persons&from=2024-03-04", "from", "persons"),
        ("measures=findings&rule=NO_SUCH_RULE", "rule", "codes"),
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
        assert!(answer.text().contains(names), "{query}: {}", answer.text());
    }
    let catalogue = bureau
        .get(Role::Analyst, "/api/v1/statistics/measures")
        .await
        .json();
    let of = |code: &str| {
        let measures = catalogue["measures"].as_array().unwrap().iter();
        measures
            .clone()
            .find(|one| one["code"] == code)
            .unwrap()
            .clone()
    };
    assert_eq!(of("persons")["additive"], false);
    assert_eq!(of("complaints")["additive"], true);
    assert_eq!(of("complaint_rate")["source"], "feedback");
    assert_eq!(
        of("persons")["dimensions"],
        json!([
            "office",
            "district",
            "level",
            "month",
            "quarter",
            "half_year",
            "year"
        ])
    );
    bureau.hub.app.stop().await.unwrap();
}
