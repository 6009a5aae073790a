//! An inspection from its plan to its end, told over REST.

use http::Method;
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset};

use super::{notary_of, supervisor};
use crate::client::{Answer, Bureau, Colleague};
use notary_hub::identity::Role;

const PATH: &str = "/api/v1/supervision/inspections";

async fn plan(bureau: &Bureau, who: Colleague, subject: &str, planned_on: &str) -> Answer {
    let body = json!({ "office_id": "hangzhou", "subject": subject, "planned_on": planned_on });
    bureau.ask(who, Method::POST, PATH, body).await
}

async fn step(bureau: &Bureau, who: Colleague, id: &str, body: Value) -> Answer {
    let path = format!("{PATH}/{id}/steps");
    bureau.ask(who, Method::POST, &path, body).await
}

async fn get(bureau: &Bureau, who: Colleague, path: &str) -> Answer {
    let path = format!("{PATH}{path}");
    bureau.ask(who, Method::GET, &path, Value::Null).await
}

#[tokio::test]
async fn an_inspection_is_planned_recorded_notified_rectified_and_closed() {
    let bureau = Bureau::open().await;
    let (supervisor, office, other) = (supervisor(), notary_of("hangzhou"), notary_of("xiaoshan"));
    assert_eq!(
        plan(&bureau, office, "窗口规范", "2026-03-02").await.status,
        403
    );
    let planned = plan(&bureau, supervisor, "窗口规范 <一>", "2026-03-02").await;
    assert_eq!(planned.status, 201, "{}", planned.text());
    let id = planned.json()["inspection_id"].as_str().unwrap().to_owned();

    // The office hears of it by the notice, and nobody else ever does.
    assert_eq!(get(&bureau, office, &format!("/{id}")).await.status, 404);
    assert_eq!(
        get(&bureau, supervisor, &format!("/{id}/notice"))
            .await
            .status,
        404
    );
    let issue = json!({ "step": "issue", "reason": "依据122号文", "due_on": "2099-01-31" });
    assert_eq!(
        step(&bureau, supervisor, &id, issue.clone()).await.status,
        409
    );
    let found = json!({ "step": "record", "reason": "现场检查", "items": ["大厅面积不足", "未公示收费标准"] });
    assert_eq!(step(&bureau, supervisor, &id, found).await.status, 200);
    let late = json!({ "step": "issue", "reason": "依据122号文", "due_on": "2020-01-31" });
    assert_eq!(step(&bureau, supervisor, &id, late).await.status, 400);
    let issued = step(&bureau, supervisor, &id, issue).await;
    assert_eq!(
        (issued.status, &issued.json()["state"]),
        (200, &"notified".into())
    );
    let told =
        "SELECT count(*) FROM notice WHERE office_id = 'hangzhou' AND kind = 'rectification_asked'
                   AND text_zh LIKE '%窗口规范%2099-01-31%'";
    let told: i64 = sqlx::query_scalar(told)
        .fetch_one(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(told, 1);

    // Made, and recorded, two days behind the day of the plan.
    let recorded =
        "UPDATE inspection_step SET taken_at = '2026-03-04 09:00+08' WHERE step = 'record'";
    sqlx::query(recorded)
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let page = get(&bureau, office, &format!("/{id}/notice")).await;
    assert!(page.header("content-type").starts_with("text/html"));
    for part in [
        "窗口规范 &lt;一&gt;",
        "大厅面积不足",
        "2099年1月31日",
        "2026年3月4日",
    ] {
        assert!(page.text().contains(part), "{part}");
    }
    assert_eq!(get(&bureau, other, &format!("/{id}")).await.status, 404);
    assert_eq!(
        get(&bureau, other, &format!("/{id}/notice")).await.status,
        404
    );

    let rectify = json!({ "step": "rectify", "reason": "已整改" });
    assert_eq!(
        step(&bureau, supervisor, &id, rectify.clone()).await.status,
        403
    );
    assert_eq!(step(&bureau, other, &id, rectify.clone()).await.status, 404);
    assert_eq!(
        step(&bureau, office, &id, rectify.clone()).await.status,
        200
    );
    let back = json!({ "step": "return", "reason": "仍未公示", "due_on": "2099-02-28" });
    assert_eq!(step(&bureau, office, &id, back.clone()).await.status, 403);
    assert_eq!(step(&bureau, supervisor, &id, back).await.status, 200);
    // Another day was set since, and the notice was issued before: printed again it is what it was.
    let issued = "UPDATE inspection_step SET taken_at = '2026-03-05 09:00+08' WHERE step = 'issue'";
    sqlx::query(issued)
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let again = get(&bureau, office, &format!("/{id}/notice")).await;
    let today = OffsetDateTime::now_utc().to_offset(UtcOffset::from_hms(8, 0, 0).unwrap());
    let (year, month, day) = (today.year(), u8::from(today.month()), today.day());
    for part in [
        "2099年1月31日".to_owned(),
        "市司法局<br>2026年3月5日".to_owned(),
        format!("本件打印于{year}年{month}月{day}日"),
    ] {
        assert!(again.text().contains(&part), "{part}: {}", again.text());
    }
    assert!(!again.text().contains("2099年2月28日"));
    assert_eq!(step(&bureau, office, &id, rectify).await.status, 200);
    let close = json!({ "step": "close", "reason": "复查合格" });
    assert_eq!(
        step(&bureau, supervisor, &id, close.clone()).await.status,
        200
    );
    assert_eq!(step(&bureau, supervisor, &id, close).await.status, 409);

    let life = get(&bureau, office, &format!("/{id}")).await.json();
    let steps = life["steps"].as_array().unwrap().iter();
    let steps: Vec<_> = steps.map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        steps,
        ["close", "rectify", "return", "rectify", "issue", "record"]
    );
    assert_eq!(life["items"].as_array().unwrap().len(), 2);
    let log = bureau.log().await;
    let taken = |outcome: &str| {
        let of = log.iter().filter(|entry| entry.action == "inspection.step");
        of.filter(|entry| entry.outcome == outcome).count()
    };
    assert_eq!((taken("done"), taken("denied")), (6, 3));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_overdue_stands_on_top_and_pages_go_on_behind_it() {
    let bureau = Bureau::open().await;
    let supervisor = supervisor();
    let mut ids = Vec::new();
    for (subject, day) in [
        ("甲", "2026-01-05"),
        ("乙", "2026-02-05"),
        ("丙", "2026-03-05"),
    ] {
        let planned = plan(&bureau, supervisor, subject, day).await.json();
        ids.push(planned["inspection_id"].as_str().unwrap().to_owned());
    }
    sqlx::query("UPDATE inspection SET state = 'notified', notified_at = now(), due_on = '2026-02-01' WHERE subject = '甲'")
        .execute(&bureau.hub.db.pool)
        .await
        .unwrap();
    let first = get(&bureau, supervisor, "?limit=2").await.json();
    let subjects = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        let subjects = items.map(|item| item["subject"].as_str().unwrap().to_owned());
        subjects.collect::<Vec<_>>()
    };
    assert_eq!(subjects(&first), ["甲", "丙"]);
    assert_eq!(first["items"][0]["overdue"], true);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&bureau, supervisor, &format!("?limit=2&cursor={cursor}"))
        .await
        .json();
    assert_eq!(subjects(&second), ["乙"]);
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_inspection_of_an_office_that_is_gone_is_closed_by_the_bureau_and_counts_as_no_rectification()
 {
    let bureau = Bureau::open().await;
    let id = super::notified(&bureau, "hangzhou", "窗口").await;
    let passed = "UPDATE inspection SET due_on = '2024-01-31'";
    let pool = &bureau.hub.db.pool;
    sqlx::query(passed).execute(pool).await.unwrap();
    let due = async || {
        let path = "/api/v1/statistics?measures=rectifications_due&group_by=";
        let table = bureau.get(Role::Analyst, path).await.json();
        table["totals"][0]["value"].as_i64().unwrap()
    };
    assert_eq!(due().await, 1);
    let close = json!({ "step": "close", "reason": "该处已注销" });
    let by_office = step(&bureau, notary_of("hangzhou"), &id, close.clone()).await;
    assert_eq!(by_office.status, 403);
    let closed = step(&bureau, supervisor(), &id, close).await;
    assert_eq!(closed.status, 200, "{}", closed.text());
    assert_eq!(due().await, 0);
    let page = get(&bureau, supervisor(), "").await.json();
    assert_eq!(page["items"][0]["overdue"], false);
    bureau.hub.app.stop().await.unwrap();
}
