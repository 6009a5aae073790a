//! The directory is open; what it is made of is the bureau's.

use http::Method;
use serde_json::{Value, json};

use super::{notary_of, supervisor};
use crate::client::Bureau;

#[tokio::test]
async fn anybody_reads_the_directory_and_the_bureau_keeps_it() {
    let bureau = Bureau::open().await;
    let profile = json!({
        "licence_no": "3301-01", "foreign_allowed": true, "practice_area": ["3301"], "complaint_line": "12348",
        "services": "<继承>", "data_steward": "周专管", "notaries": [
            { "licence_no": "N1", "name": "李公证", "title": "公证员", "active": true },
            { "licence_no": "N2", "name": "王退休", "title": "公证员", "active": false },
        ],
    });
    let path = "/api/v1/offices/hangzhou/profile";
    assert_eq!(
        bureau
            .ask(notary_of("hangzhou"), Method::PUT, path, profile.clone())
            .await
            .status,
        403
    );
    for (field, wrong) in [
        ("practice_area", json!({ "practice_area": ["杭州"] })),
        ("matters_excluded", json!({ "matters_excluded": ["Will"] })),
    ] {
        let refused = bureau.ask(supervisor(), Method::PUT, path, wrong).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json()["field"], field);
    }
    assert_eq!(
        bureau
            .ask(supervisor(), Method::PUT, path, profile)
            .await
            .status,
        204
    );

    let on_file = bureau
        .ask(supervisor(), Method::GET, path, Value::Null)
        .await
        .json();
    assert_eq!(on_file["data_steward"], "周专管");
    assert_eq!(on_file["notaries"].as_array().unwrap().len(), 2);
    // One notary practises at one office.
    let elsewhere = bureau
        .ask(
            supervisor(),
            Method::PUT,
            "/api/v1/offices/xiaoshan/profile",
            on_file,
        )
        .await;
    assert_eq!(elsewhere.status, 409);
    assert_eq!(elsewhere.json()["reason"], "NOTARY_PRACTISES_ELSEWHERE");
    let log = bureau.log().await;
    let last = log.last().unwrap();
    assert_eq!(
        (last.action.as_str(), last.outcome.as_str()),
        ("office.put_profile", "denied"),
        "it was recorded as done before"
    );

    let listed = bureau.plain(Method::GET, "/api/v1/directory").await;
    assert_eq!(listed.status, 200);
    let office = &listed.json()["items"][0];
    assert_eq!(
        (&office["office_id"], &office["complaint_line"]),
        (&"hangzhou".into(), &"12348".into())
    );
    assert_eq!(office["notaries"].as_array().unwrap().len(), 1);
    assert!(!listed.text().contains("matters_excluded"));
    assert!(!listed.text().contains("周专管"));
    let feed = "/api/v1/offices/hangzhou/feed";
    let feed = bureau
        .ask(notary_of("hangzhou"), Method::GET, feed, Value::Null)
        .await;
    assert_eq!(feed.json()["data_steward"], "周专管");

    let page = bureau.plain(Method::GET, "/directory").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("李公证（N1）") && page.text().contains("&lt;继承&gt;"));
    assert!(!page.text().contains("王退休"));

    assert_eq!(office["practice_area_zh"], json!(["杭州市"]));
    assert!(page.text().contains("<dt>执业区域</dt><dd>杭州市</dd>"));
    bureau.hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn anybody_reads_the_tariff_in_force_with_its_source_and_its_bands() {
    let bureau = Bureau::open().await;
    let tariff = bureau.plain(Method::GET, "/api/v1/directory").await.json()["tariff"].take();
    assert_eq!(tariff["from"], "2021-11-20");
    assert_eq!(tariff["until"], Value::Null);
    assert!(tariff["source"].as_str().unwrap().contains("1081号"));
    let items = tariff["items"].as_array().unwrap();
    let of = |matter: &str| {
        let has = |item: &&Value| item["matters"].as_array().unwrap().contains(&matter.into());
        items.iter().find(has).unwrap()["price"].clone()
    };
    let contract = of("contract");
    assert_eq!(
        (&contract["by"], &contract["bands"][4]),
        (&"amount".into(), &json!({ "to_yuan": null, "rate": 8 }))
    );
    assert_eq!(
        of("birth")["usual"],
        json!({ "min_yuan": 120, "max_yuan": 120 })
    );

    let page = bureau.plain(Method::GET, "/directory").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    for said in [
        "自 2021-11-20 起",
        "标的额 50 万元以下（含）部分：0.2%",
        "超过 1 亿元部分：0.008%",
        "不超过标的额的 0.25%",
        "实行市场调节价",
    ] {
        assert!(page.text().contains(said), "{said}");
    }
    bureau.hub.app.stop().await.unwrap();
}
