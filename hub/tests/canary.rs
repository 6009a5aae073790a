//! One identity through everything the hub does: what it is known by is in no log, metric, error, defect or audit entry,
//! and in nothing that those read who have no part in its cases.
#![allow(clippy::unwrap_used, unreachable_pub, dead_code)]

#[path = "routes/client.rs"]
mod client;
#[path = "ingest/record.rs"]
mod record;
#[path = "routes/reviews/seed.rs"]
mod reviews;
mod support;

use std::io::{self, Cursor};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calamine::{Reader, Xlsx};
use http::Method;
use notary_hub::identity::Role;
use notary_hub::store;
use notary_hub::telemetry::panics::keep_values_out;
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::details_service_client::DetailsServiceClient;
use notary_proto::hub::v1::filing_service_client::FilingServiceClient;
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use client::Colleague;
use record::{case, day};
use reviews::{DECISIONS, Pairs, QUEUE, supervisor};
use support::seed::{notary, session_of};

/// In everything that is written of the canary.
const WORD: &str = "丝雀";
const NAME: &str = "欧阳金丝雀";
const BORN: &str = "1961-11-23";
const TAIL: &str = "731X";
const NUMBER: u8 = 0xc5;
const PHONE: u8 = 0xca;

/// How the canary may look to whoever finds it.
fn marks() -> Vec<String> {
    let number = "c5".repeat(8);
    let phone = "ca".repeat(8);
    let text = [
        WORD,
        BORN,
        TAIL,
        &phone,
        "%E4%B8%9D%E9%9B%80",
        "[202, 202",
        r"\xca\xca",
    ];
    let mut marks: Vec<String> = text.map(str::to_owned).to_vec();
    marks.extend([number, "[197, 197".to_owned(), r"\xc5\xc5".to_owned()]);
    marks
}

fn assert_free(place: &str, text: &str, marks: &[String]) {
    for mark in marks {
        let (lower, mark) = (text.to_lowercase(), mark.to_lowercase());
        assert!(!lower.contains(&mark), "{place} holds {mark}: {text}");
    }
}

/// Everything that is logged, however small.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn kept() -> Self {
        let log = Self::default();
        let writing = log.clone();
        tracing_subscriber::fmt()
            .json()
            .with_env_filter("info,notary_hub=trace")
            .with_writer(move || writing.clone())
            .init();
        log
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A city that knows the canary: hangzhou and xiaoshan have its cases, yuhang has no part in them.
struct Aviary {
    pairs: Pairs,
    asking: Channel,
    holding: Channel,
    asker: Colleague,
    /// What the hub has refused, in its own words.
    refusals: Vec<String>,
}

fn party() -> wire::Party {
    wire::Party {
        name: NAME.to_owned(),
        birth_day: Some(day(BORN)),
        phone_token: vec![PHONE; 16],
        ..bearer()
    }
}

fn bearer() -> wire::Party {
    let mut party = record::person(wire::PartyRole::Decedent, NUMBER);
    let number = party.identifier.as_mut().unwrap();
    number.masked_tail = TAIL.to_owned();
    party
}

fn asked_by_number() -> wire::LookupParty {
    wire::LookupParty {
        role: wire::PartyRole::Decedent.into(),
        identifier: party().identifier,
        ..Default::default()
    }
}

fn asked_by_name() -> wire::LookupParty {
    wire::LookupParty {
        role: wire::PartyRole::Decedent.into(),
        name: NAME.to_owned(),
        birth_day: Some(day(BORN)),
        phone_token: vec![PHONE; 16],
        ..Default::default()
    }
}

fn check(party: wire::LookupParty) -> wire::CheckApplicationRequest {
    wire::CheckApplicationRequest {
        purpose: wire::LookupPurpose::BeforeAcceptance.into(),
        case_reference: "2024-接-1".to_owned(),
        matter_type: "inheritance".to_owned(),
        parties: vec![party],
        ..Default::default()
    }
}

impl Aviary {
    async fn open() -> Self {
        let pairs = Pairs::open().await;
        let (hub, seed) = (&pairs.bureau.hub, &pairs.bureau.seed);
        let estate = |key: &str| case(key).matter("inheritance").parties(vec![party()]);
        seed.office(hub, "xiaoshan", vec![estate("CAGE-1")]).await;
        // The same matter at the other office, and a record that cannot be taken.
        let mut broken = estate("CAGE-3");
        broken.0.matter_type = format!("{NAME}的事项");
        seed.office(hub, "hangzhou", vec![estate("CAGE-2"), broken])
            .await;
        let (here, there) = (
            hub.enrol_again("hangzhou").await,
            hub.enrol_again("xiaoshan").await,
        );
        Self {
            asking: hub.agents(&here),
            holding: hub.agents(&there),
            asker: Colleague::new(notary("hangzhou")),
            refusals: Vec::new(),
            pairs,
        }
    }

    fn signed<T>(&self, who: Colleague, message: T) -> Request<T> {
        let hub = &self.pairs.bureau.hub;
        let session = session_of(hub, who.account_id, who.role);
        let mut request = Request::new(message);
        let bearer = format!("Bearer {session}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    /// A refusal as it is sent, headers and details included.
    fn refused<T>(&mut self, answer: Result<T, Status>) {
        let Err(status) = answer else {
            panic!("not refused");
        };
        self.refusals.push(format!(
            "{} {}",
            status.message(),
            String::from_utf8_lossy(status.details())
        ));
    }

    /// The canary is looked up in every way there is, in order and not. Returns the receipt of the look-up that found it.
    async fn looked_up(&mut self) -> u64 {
        let mut lookups = LookupServiceClient::new(self.asking.clone());
        let asker = self.asker;
        let found = lookups
            .check_application(self.signed(asker, check(asked_by_number())))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(found.hits.len(), 2);
        let by_name = self.signed(asker, check(asked_by_name()));
        lookups.check_application(by_name).await.unwrap();
        for person in [asked_by_number(), asked_by_name()] {
            let request = wire::FindPersonRequest {
                purpose: wire::LookupPurpose::VerifyingCase.into(),
                case_reference: "2024-接-1".to_owned(),
                matter_type: "inheritance".to_owned(),
                person: Some(person),
            };
            lookups
                .find_person(self.signed(asker, request))
                .await
                .unwrap();
        }
        let batch = wire::BatchCheckRequest {
            purpose: wire::LookupPurpose::BeforeAcceptance.into(),
            case_reference: "2024-接-1".to_owned(),
            matter_type: "inheritance".to_owned(),
            parties: vec![asked_by_number(), asked_by_name()],
            ..Default::default()
        };
        lookups
            .batch_check(self.signed(asker, batch.clone()))
            .await
            .unwrap();

        let watch = wire::WatchMatterRequest {
            purpose: wire::LookupPurpose::BeforeAcceptance.into(),
            case_reference: "2024-接-1".to_owned(),
            matter_type: "inheritance".to_owned(),
            parties: vec![asked_by_number()],
            ..Default::default()
        };
        lookups
            .watch_matter(self.signed(asker, watch))
            .await
            .unwrap();

        let mut short = asked_by_number();
        short.identifier.as_mut().unwrap().token.pop();
        let odd_phone = wire::LookupParty {
            phone_token: vec![PHONE; 15],
            ..asked_by_name()
        };
        let odd_name = wire::LookupParty {
            name: format!("{NAME}\u{0}"),
            ..asked_by_name()
        };
        for party in [short, odd_phone, odd_name] {
            let refused = lookups.check_application(self.signed(asker, check(party)));
            let refused = refused.await;
            self.refused(refused);
        }
        let odd_matter = wire::CheckApplicationRequest {
            matter_type: NAME.to_owned(),
            ..check(asked_by_number())
        };
        let odd_reference = wire::CheckApplicationRequest {
            case_reference: format!("{NAME}\u{0}"),
            ..check(asked_by_number())
        };
        let odd_place = wire::CheckApplicationRequest {
            place_of_use: NAME.to_owned(),
            ..check(asked_by_number())
        };
        for request in [odd_matter, odd_reference, odd_place] {
            let refused = lookups.check_application(self.signed(asker, request)).await;
            self.refused(refused);
        }
        let nobody = lookups.check_application(Request::new(check(asked_by_name())));
        let nobody = nobody.await;
        self.refused(nobody);
        let analyst = self.signed(Colleague::new(Role::Analyst), batch);
        let analyst = lookups.batch_check(analyst).await;
        self.refused(analyst);
        found.receipt.unwrap().audit_entry
    }

    async fn details(&mut self, audit_entry: u64) {
        let mut asking = DetailsServiceClient::new(self.asking.clone());
        let mut holding = DetailsServiceClient::new(self.holding.clone());
        let request = wire::RequestDetailsRequest {
            request_id: Uuid::new_v4().to_string(),
            audit_entry,
            hit: 0,
            question: format!("请核实{NAME}是否留有子女。"),
        };
        let mut requests = vec![request.clone()];
        requests.push(wire::RequestDetailsRequest {
            hit: 1,
            ..request.clone()
        });
        // One of the two hits is the own office's, which nobody asks.
        let mut asked = 0;
        for request in requests {
            match asking
                .request_details(self.signed(self.asker, request))
                .await
            {
                Ok(_) => asked += 1,
                refused => self.refused(refused),
            }
        }
        assert_eq!(asked, 1);
        let unknown = wire::RequestDetailsRequest {
            request_id: NAME.to_owned(),
            ..request.clone()
        };
        let unknown = asking
            .request_details(self.signed(self.asker, unknown))
            .await;
        self.refused(unknown);

        let there = Colleague::new(notary("xiaoshan"));
        let list = wire::ListDetailsRequestsRequest {
            side: wire::DetailsSide::AskedOfUs.into(),
            ..Default::default()
        };
        let listed = holding.list_details_requests(self.signed(there, list));
        let listed = listed.await.unwrap().into_inner();
        assert!(listed.requests[0].question.contains(NAME));
        let answer = wire::AnswerDetailsRequest {
            request_id: listed.requests[0].request_id.clone(),
            outcome: wire::DetailsOutcome::Verified.into(),
            answer: format!("{NAME}有一子。"),
        };
        let sent = holding.answer_details(self.signed(there, answer.clone()));
        sent.await.unwrap();
        let again = holding.answer_details(self.signed(there, answer)).await;
        self.refused(again);
    }

    async fn filed(&mut self) {
        let mut filings = FilingServiceClient::new(self.asking.clone());
        let filing = wire::SubmitFilingRequest {
            filing_id: Uuid::new_v4().to_string(),
            kind: wire::FilingKind::Refusal.into(),
            source_case_id: "CAGE-2".to_owned(),
            text: format!("{NAME}的申请不予受理。"),
            ..Default::default()
        };
        filings.submit_filing(filing.clone()).await.unwrap();
        let odd = wire::SubmitFilingRequest {
            source_case_id: format!("{NAME}\n"),
            ..filing.clone()
        };
        let odd = filings.submit_filing(odd).await;
        self.refused(odd);
        let odd = wire::SubmitFilingRequest {
            filing_id: NAME.to_owned(),
            ..filing
        };
        let odd = filings.submit_filing(odd).await;
        self.refused(odd);
    }

    /// The canary's number is planted, touched and lifted.
    async fn alarmed(&mut self) {
        let bureau = &self.pairs.bureau;
        let pool = &bureau.hub.db.pool;
        let note = format!("{NAME}的柜台");
        store::alarm::plant(pool, [NUMBER; 16].into(), &note)
            .await
            .unwrap();
        let touching = async {
            loop {
                let mut lookups = LookupServiceClient::new(self.asking.clone());
                let request = self.signed(self.asker, check(asked_by_number()));
                lookups.check_application(request).await.unwrap();
                let path = "/api/v1/alarms";
                let listed = bureau.ask(supervisor(), Method::GET, path, Value::Null);
                let listed = listed.await.json();
                if let Some(alarm) = listed["items"].get(0) {
                    return alarm["alarm_id"].as_str().unwrap().to_owned();
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        let alarm = timeout(Duration::from_secs(30), touching).await.unwrap();
        let path = format!("/api/v1/alarms/{alarm}/lift");
        let reason = json!({ "reason": format!("{NAME}本人已到场") });
        let lifted = bureau.ask(supervisor(), Method::POST, &path, reason).await;
        assert_eq!(lifted.status, 200);
    }

    async fn reviewed(&mut self) {
        let pairs = &self.pairs;
        let [low, high] = pairs.across.map(|mention| mention.id);
        let decision = json!({
            "low": low, "high": high, "decision": "same", "reason": format!("{NAME}的亲属到场说明"),
        });
        let proposed = pairs
            .bureau
            .ask(self.asker, Method::POST, DECISIONS, decision)
            .await;
        assert_eq!(proposed.status, 201, "{}", proposed.text());
        assert_eq!(pairs.read(supervisor(), pairs.across).await.status, 200);
    }

    /// The canary where it does not belong: in a path, a parameter and a body.
    async fn misplaced(&mut self) {
        let bureau = &self.pairs.bureau;
        let word = "%E6%AC%A7%E9%98%B3%E9%87%91%E4%B8%9D%E9%9B%80";
        let mut paths = vec![
            format!("/api/v1/offices/{word}/feed"),
            format!("/api/v1/alarms/{word}/lift"),
            format!("/{word}"),
        ];
        let parameters = ["state", "cursor", "office", "limit", "name"];
        paths.extend(parameters.map(|name| format!("{QUEUE}?{name}={word}")));
        paths.extend(
            ["from", "measure", "by"].map(|name| format!("/api/v1/statistics?{name}={word}")),
        );
        for path in paths {
            let answer = bureau
                .ask(supervisor(), Method::GET, &path, Value::Null)
                .await;
            assert!(answer.status >= 400, "{path}");
            self.refusals.push(answer.text().to_owned());
        }
        let [low, high] = self.pairs.within.map(|mention| mention.id);
        for body in [
            json!({ "low": NAME, "high": high, "decision": "same", "reason": "同" }),
            json!({ "low": low, "high": high, "decision": NAME, "reason": "同" }),
            json!({ "low": low, "high": high, "decision": "same", "reason": format!("{NAME}\u{0}") }),
            json!({ "low": low, "high": high, "decision": "same", "reason": "同", NAME: 1 }),
            json!(NAME),
        ] {
            let answer = bureau
                .ask(supervisor(), Method::POST, DECISIONS, body)
                .await;
            assert!(answer.status >= 400);
            self.refusals.push(answer.text().to_owned());
        }
    }

    /// What those read who have no part in the canary's cases.
    async fn told_elsewhere(&self) -> String {
        let bureau = &self.pairs.bureau;
        let mut told = String::new();
        for (role, paths) in [
            (
                notary("yuhang"),
                &[
                    "/api/v1/duplicates",
                    "/api/v1/reviews/persons",
                    "/api/v1/reviews/duplicates",
                    "/api/v1/offices/yuhang/rejects",
                    "/api/v1/feeds",
                    "/api/v1/statistics",
                ][..],
            ),
            (
                Role::Analyst,
                &["/api/v1/duplicates", "/api/v1/statistics", "/api/v1/feeds"],
            ),
            (Role::Operator, &["/api/v1/alarms", "/api/v1/accounts"]),
        ] {
            for path in paths {
                for accept in ["application/json", "text/csv"] {
                    told += bureau.get_as(role, path, accept).await.text();
                }
            }
        }
        told
    }
}

/// What the canary's cases are counted in.
const FIGURES: &str = "/api/v1/statistics?group_by=office";
const REPORT: &str = "/api/v1/reports/2024-03/issues";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl Aviary {
    /// What leaves the hub as files and figures: spreadsheets and the rest of the forms, reports, the open directory, and
    /// the views of BI tools. Each with where it is from.
    async fn exported(&self) -> Vec<(String, String)> {
        let bureau = &self.pairs.bureau;
        let analyst = Colleague::new(Role::Analyst);
        let issued = bureau.ask(analyst, Method::POST, REPORT, json!({})).await;
        assert_eq!(issued.status, 201, "{}", issued.text());
        let mut exported = vec![("the issue".to_owned(), issued.text().to_owned())];
        let issue = format!("{REPORT}/1");
        for (path, other) in [(FIGURES, "text/csv"), (&issue, "text/html")] {
            for accept in ["application/json", other] {
                let answer = bureau.get_as(Role::Analyst, path, accept).await;
                assert_eq!(answer.status, 200, "{path}");
                exported.push((format!("{path} as {accept}"), answer.text().to_owned()));
            }
            let workbook = bureau.get_as(Role::Analyst, path, XLSX).await;
            assert_eq!(workbook.header("content-type"), XLSX, "{path}");
            exported.push((format!("{path} as a workbook"), cells(&workbook.body)));
        }
        let directory = bureau.plain(Method::GET, "/api/v1/directory").await;
        assert_eq!(directory.status, 200);
        exported.push(("the directory".to_owned(), directory.text().to_owned()));
        exported.extend(self.views().await);
        exported
    }

    /// Every view that a BI tool may read, whatever views there are.
    async fn views(&self) -> Vec<(String, String)> {
        let pool = &self.pairs.bureau.hub.db.pool;
        let views: Vec<String> = sqlx::query_scalar(
            "SELECT c.oid::regclass::text FROM pg_class c
              WHERE c.relkind IN ('r', 'v', 'm') AND c.relnamespace = 'public'::regnamespace
                AND has_table_privilege('notary_hub_bi', c.oid, 'SELECT')",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert!(views.len() >= 3, "{views:?}");
        let mut told = Vec::new();
        for view in views {
            let rows = AssertSqlSafe(format!("SELECT v::text FROM {view} v"));
            let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(pool).await.unwrap();
            told.push((view, rows.join("\n")));
        }
        told
    }
}

/// Names of the sheets and everything in their cells.
fn cells(workbook: &[u8]) -> String {
    let mut workbook = Xlsx::new(Cursor::new(workbook)).unwrap();
    let sheets = workbook.worksheets().into_iter();
    sheets
        .flat_map(|(name, range)| {
            let cells = range.used_cells().map(|(_, _, cell)| cell.to_string());
            std::iter::once(name).chain(cells).collect::<Vec<_>>()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn what_a_person_is_known_by_is_in_no_log_metric_refusal_or_audit_entry() {
    let log = Log::kept();
    let mut aviary = Aviary::open().await;
    let audit_entry = aviary.looked_up().await;
    aviary.details(audit_entry).await;
    aviary.filed().await;
    aviary.reviewed().await;
    aviary.misplaced().await;
    aviary.alarmed().await;

    let marks = marks();
    let bureau = &aviary.pairs.bureau;
    assert!(log.text().contains("alarm about look-ups"), "it is kept");
    assert_free("the log", &log.text(), &marks);
    assert_free("metrics", &support::metrics(&bureau.hub).await, &marks);
    for refusal in &aviary.refusals {
        assert_free("a refusal", refusal, &marks);
    }
    // An entry says by which token somebody was looked for, and no more of them.
    let token = "c5".repeat(8);
    let but_tokens: Vec<String> = marks.into_iter().filter(|mark| *mark != token).collect();
    for entry in bureau.log().await {
        let entry = format!("{entry:?}");
        assert_free("an audit entry", &entry, &but_tokens);
    }
    let elsewhere = aviary.told_elsewhere().await;
    // The bureau's operators see whom an alarm is about, and why it was lifted.
    let lifted = format!("{NAME}本人已到场");
    assert_free(
        "what others read",
        &elsewhere.replace(&lifted, ""),
        &but_tokens,
    );
    for (place, told) in aviary.exported().await {
        // Feeds are sampled by the day, which this one has not seen the end of.
        assert!(!told.is_empty() || place == "bi_feed_day", "{place}");
        assert_free(&place, &told, &but_tokens);
    }
    // The canary sings where it should: in the offices' own rows.
    let sings = "SELECT count(*) FROM party WHERE name = $1";
    let sings: i64 = sqlx::query_scalar(sings)
        .bind(NAME)
        .fetch_one(&bureau.hub.db.pool)
        .await
        .unwrap();
    assert_eq!(sings, 2);
}

#[test]
#[ignore = "run by the other test, in a process of its own"]
fn a_defect() {
    keep_values_out();
    let name = NAME.to_owned();
    assert!(name.is_empty(), "inside {name:?}");
}

#[test]
fn a_defect_of_the_hub_tells_its_place_and_no_value() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["a_defect", "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("canary.rs:"), "{said}");
    assert!(!said.contains(WORD), "{said}");
}
