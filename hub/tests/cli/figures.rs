//! Figures verified, and reports written, by command.

use std::fs;

use notary_hub::embedded::Postgres;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::program::Site;
use crate::text;

#[test]
fn figures_are_verified_and_a_cell_that_differs_is_named() {
    let site = Site::new("");
    site.json(&["init"]);
    let equal = site.json(&["stats", "verify"]);
    assert_eq!(equal["differences"].as_array().unwrap().len(), 0);
    assert_eq!(site.said(&["stats", "verify"]), "equal: 0 cells");

    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let postgres = Postgres::start_or_join(&site.path("data/postgres"))
            .await
            .unwrap();
        let mut hub = PgConnection::connect(postgres.url()).await.unwrap();
        sqlx::query(
            "INSERT INTO rollup_delta (office_id, cut, begins_on, matter_type, foreign_relation, notary, accepted)
             VALUES ('hzgl', 'matter', '2024-03-01', 'will', 'domestic', '', 3)",
        )
        .execute(&mut hub)
        .await
        .unwrap();
        postgres.stop().await.unwrap();
    });
    let different = site.run(&["stats", "verify", "--json"]);
    assert_eq!(different.status.code(), Some(1));
    let verification: Value = serde_json::from_slice(&different.stdout).unwrap();
    let cell = &verification["differences"][0];
    assert_eq!(cell["matter_type"], "will");
    assert_eq!(
        (&cell["held"]["accepted"], &cell["counted"]["accepted"]),
        (&3.into(), &0.into())
    );
    assert!(text(&different.stderr).contains("1 cells"), "{different:?}");
    let rebuilt = site.json(&["stats", "rebuild"]);
    assert_eq!(
        (&rebuilt["cells"], &rebuilt["persons"]),
        (&0.into(), &0.into())
    );
    let mended = site.json(&["stats", "verify"]);
    assert_eq!(mended["differences"], Value::Array(Vec::new()));
}

#[test]
fn reports_are_shown_frozen_and_written_to_files_for_somebody_who_works_with_them() {
    let site = Site::new("");
    site.json(&["init"]);
    for (login, role) in [("li", "analyst"), ("chen", "operator")] {
        let add = ["user", "add", login, "--role", role];
        site.with_password(&[&add[..], &["--display-name", "统计科"]].concat());
    }
    let report = |arguments: &[&str]| site.json(&[&["report", "--by", "li"], arguments].concat());
    assert_eq!(report(&["show", "2024-03"])["period"], "2024-03");
    assert_eq!(report(&["freeze", "2024-03"])["issue"], 1);
    let again = [
        "freeze",
        "2024-03",
        "--in-place-of",
        "1",
        "--reason",
        "补报",
    ];
    assert_eq!(report(&again)["reason"], "补报");
    let listed = report(&["list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["frozen_by_name"], "统计科");
    for (file, begins) in [
        ("march.xlsx", &b"PK"[..]),
        ("march.html", b"<!doctype html>"),
    ] {
        let to = site.path(file);
        let to = to.to_str().unwrap();
        assert_eq!(report(&["export", "2024-03", "--to", to])["issue"], 2);
        assert!(fs::read(to).unwrap().starts_with(begins), "{file}");
    }
    let refused = |arguments: &[&str]| {
        let output = site.run(&[&["report"], arguments].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = refused(&["--by", "li", "freeze", "2024-03"]);
    assert!(
        code == Some(1) && said.contains("published another issue"),
        "{said}"
    );
    let (code, said) = refused(&["--by", "chen", "list"]);
    assert!(
        code == Some(2) && said.contains("analysts and supervisors"),
        "{said}"
    );
    let (code, said) = refused(&["--by", "wang", "list"]);
    assert!(
        code == Some(1) && said.contains("no active account wang"),
        "{said}"
    );
    let log = site.recorded();
    assert_eq!(
        log[log.len() - 4..],
        [
            "operator report.freeze done",
            "operator report.reissue done",
            "operator report.export done",
            "operator report.export done",
        ]
    );
}
