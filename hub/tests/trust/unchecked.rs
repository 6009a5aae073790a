//! The database behind the checks of what offices' agents call: every method of the contract with the checks switched
//! off. Whoever asks through a certificate of yuhang is taken for xiaoshan's, and for a notary there; what the database
//! was told stays the truth. Nothing of xiaoshan may come out, and nothing be done in its name that it says of itself.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use notary_hub::grpc::Agents;
use notary_hub::identity::{OfficeIdentity, Role, Serial};
use notary_proto::hub::v1 as wire;
use prost::Message;
use sqlx::PgPool;
use tower::ServiceExt;
use uuid::Uuid;

use crate::methods;
use crate::record::{case, day, person};
use crate::requests;
use crate::support::add_office;
use crate::support::csr;
use crate::support::hub::Hub;
use crate::support::seed::{Seed, notary, session_of};

/// What is xiaoshan's alone: a case id in its adoption's number, of which other offices hear a hit and no more; the key
/// of a record that the hub refused; what it asked to be told; what it was asked.
const OWN: [&str; 5] = [
    "第21号",
    "A-FOREIGN",
    "R-FOREIGN",
    "REF-FOREIGN",
    "Q-FOREIGN",
];
/// What any notary is told of, and nobody at the bureau by a look-up.
const OF_NOTARIES: &str = "第22号";

const ACCOUNT: Uuid = Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0001);
const EPOCH: Uuid = Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0002);
const WATCH: Uuid = Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0003);
const ASKED: Uuid = Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0004);

/// What stands behind a method's check.
#[derive(Clone, Copy, Debug)]
enum Behind {
    /// The own caller is told this, and nobody else.
    Told(&'static str),
    /// The own caller changes what is the office's, and nobody else does.
    Done,
    /// There is no check to take out: who has the secret is whom it is for.
    Secret,
}

type Row = (&'static str, fn(&City) -> Vec<u8>, Behind);

const ROWS: &[Row] = &[
    ("EnrollmentService/Enroll", |_| Vec::new(), Behind::Secret),
    (
        "SessionService/CreateSession",
        |_| Vec::new(),
        Behind::Secret,
    ),
    (
        "SessionService/DeleteSession",
        |_| Vec::new(),
        Behind::Secret,
    ),
    (
        "CertificateService/Renew",
        |_| wire::RenewRequest { csr_der: csr().1 }.encode_to_vec(),
        Behind::Done,
    ),
    ("SyncService/Sync", |_| hello(), Behind::Told("R-FOREIGN")),
    ("SyncService/Sync", |_| hello(), Behind::Done),
    (
        "SyncService/Digest",
        |_| {
            let months = vec![day("2024-03-01")];
            let request = wire::DigestRequest {
                months,
                ..Default::default()
            };
            request.encode_to_vec()
        },
        Behind::Told("A-FOREIGN"),
    ),
    (
        "SyncService/Digest",
        |_| {
            let found = Some(wire::DriftFound {
                missing: 7,
                ..Default::default()
            });
            let request = wire::DigestRequest {
                found,
                ..Default::default()
            };
            request.encode_to_vec()
        },
        Behind::Done,
    ),
    (
        "FilingService/SubmitFiling",
        |_| {
            let request = wire::SubmitFilingRequest {
                filing_id: Uuid::new_v4().to_string(),
                kind: wire::FilingKind::Refusal.into(),
                text: "申请事项不属于公证机构业务范围。".to_owned(),
                ..Default::default()
            };
            request.encode_to_vec()
        },
        Behind::Done,
    ),
    (
        "LookupService/CheckApplication",
        |_| requests::check(),
        Behind::Told("第21号"),
    ),
    (
        "LookupService/CheckApplication",
        |_| requests::check_and(wire::IntentAction::Register),
        Behind::Done,
    ),
    (
        "LookupService/CheckApplication",
        |_| requests::check_and(wire::IntentAction::Withdraw),
        Behind::Done,
    ),
    (
        "LookupService/BatchCheck",
        |_| requests::batch_check(),
        Behind::Told("第21号"),
    ),
    (
        "LookupService/FindPerson",
        |_| requests::find_person(),
        Behind::Told("第21号"),
    ),
    (
        "LookupService/WatchMatter",
        |_| requests::watch_matter(),
        Behind::Done,
    ),
    (
        "LookupService/ListWatches",
        |_| wire::ListWatchesRequest {}.encode_to_vec(),
        Behind::Told("REF-FOREIGN"),
    ),
    (
        "LookupService/EndWatch",
        |_| requests::end_watch(WATCH),
        Behind::Done,
    ),
    (
        "DetailsService/RequestDetails",
        |city| requests::request_details(city.look_up),
        Behind::Done,
    ),
    (
        "DetailsService/ListDetailsRequests",
        |_| requests::list_details_requests(),
        Behind::Told("Q-FOREIGN"),
    ),
    (
        "DetailsService/AnswerDetails",
        |_| requests::answer_details(ASKED),
        Behind::Done,
    ),
];

fn hello() -> Vec<u8> {
    let hello = wire::Hello {
        agent_version: "0.1.1".to_owned(),
        epoch: EPOCH.to_string(),
        office_id: "xiaoshan".to_owned(),
        ..Default::default()
    };
    let message = Some(wire::sync_request::Message::Hello(hello));
    wire::SyncRequest { message }.encode_to_vec()
}

/// The calls of agents, with every caller taken for xiaoshan's.
fn open_calls(agents: Agents) -> Router {
    let taken = agents.clone();
    agents.routes(|calls| calls.layer(from_fn_with_state(taken.clone(), taken_for_xiaoshan)))
}

async fn taken_for_xiaoshan(
    State(agents): State<Agents>,
    mut request: Request,
    next: Next,
) -> Response {
    let bearer = request.headers().get(AUTHORIZATION).map(|bearer| {
        let bearer = bearer.to_str().unwrap().strip_prefix("Bearer ").unwrap();
        agents.sessions.verify(bearer).unwrap()
    });
    let extensions = request.extensions_mut();
    if let Some(mut person) = bearer {
        person.role = notary("xiaoshan");
        extensions.insert(person);
    }
    let office = extensions.get_mut::<OfficeIdentity>().unwrap();
    office.office_id = "xiaoshan".parse().unwrap();
    next.run(request).await
}

/// Through whose certificate, and with whose session.
type Caller = (&'static str, Option<(Uuid, Role)>);

struct City {
    hub: Hub,
    calls: Router,
    /// Of xiaoshan's notary, which told of a case at hangzhou.
    look_up: u64,
}

impl City {
    async fn open() -> Self {
        let hub = Hub::start().await;
        for office in ["hangzhou", "xiaoshan", "yuhang"] {
            add_office(&hub.db.pool, office).await;
        }
        let seed = Seed::new(&hub);
        let of = |key: &str, matter: &str, serial, role| {
            case(key)
                .matter(matter)
                .number(serial)
                .parties(vec![person(role, 1)])
        };
        let adoption = of("A-FOREIGN", "adoption", 21, wire::PartyRole::Applicant);
        let mandate = of("M", "mandate", 22, wire::PartyRole::Principal);
        seed.office(&hub, "xiaoshan", vec![adoption, mandate]).await;
        let latest = of("H", "mandate", 23, wire::PartyRole::Principal).accepted("2024-05-01");
        seed.office(&hub, "hangzhou", vec![latest]).await;
        plant(&hub.db.pool).await;
        let calls = open_calls(hub.app.agents());
        let mut city = Self {
            hub,
            calls,
            look_up: 0,
        };
        city.ask(
            own_caller(),
            "LookupService/CheckApplication",
            requests::check_and(wire::IntentAction::Register),
        )
        .await;
        let newest = "SELECT max(entry_no) FROM audit_entry";
        let newest: i64 = sqlx::query_scalar(newest)
            .fetch_one(&city.hub.db.pool)
            .await
            .unwrap();
        city.look_up = newest.try_into().unwrap();
        city
    }

    /// Everything that is answered, and whether it is done.
    async fn ask(&self, caller: Caller, method: &str, message: Vec<u8>) -> (String, bool) {
        let (office, person) = caller;
        let mut framed = vec![0];
        framed.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend(message);
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("/notary.hub.v1.{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some((account, role)) = person {
            let session = session_of(&self.hub, account, role);
            request = request.header(AUTHORIZATION, format!("Bearer {session}"));
        }
        let mut request = request.body(Body::from(framed)).unwrap();
        let certificate = OfficeIdentity::new(office.parse().unwrap(), Serial::random());
        request.extensions_mut().insert(certificate);
        let answer = self.calls.clone().oneshot(request).await.unwrap();
        let in_headers = answer.headers().get("grpc-status").cloned();
        let answer = answer.into_body().collect().await.unwrap();
        let in_trailers = answer
            .trailers()
            .and_then(|trailers| trailers.get("grpc-status").cloned());
        let done = in_headers.or(in_trailers).is_some_and(|code| code == "0");
        let told = String::from_utf8_lossy(&answer.to_bytes()).into_owned();
        (told, done)
    }

    /// What is xiaoshan's, as far as it says so itself.
    async fn state(&self) -> String {
        sqlx::query_scalar(
            "SELECT concat_ws(' ', (SELECT s::text FROM sync_position s WHERE office_id = 'xiaoshan'),
                              (SELECT count(*) FROM certificate WHERE office_id = 'xiaoshan'),
                              (SELECT count(*) FROM filing WHERE office_id = 'xiaoshan'),
                              (SELECT ended_at FROM standing_question WHERE question_id = $1),
                              (SELECT count(*) FROM standing_question WHERE office_id = 'xiaoshan'),
                              (SELECT string_agg(i::text, ' ' ORDER BY key) FROM lookup_intent i WHERE office_id = 'xiaoshan'),
                              (SELECT string_agg(d::text, ' ' ORDER BY request_id) FROM details_request d))",
        )
        .bind(WATCH)
        .fetch_one(&self.hub.db.pool)
        .await
        .unwrap()
    }
}

async fn plant(pool: &PgPool) {
    let plant = async |statement: &'static str, ids: [Uuid; 2]| {
        let statement = sqlx::query(statement).bind(ids[0]).bind(ids[1]);
        statement.execute(pool).await.unwrap();
    };
    plant(
        "WITH feed AS (UPDATE sync_position SET epoch = $1 WHERE office_id = 'xiaoshan' AND epoch <> $2)
         INSERT INTO reject (office_id, record_key, rule_id, found_by, first_seen_at, last_seen_at, epoch, sequence)
         VALUES ('xiaoshan', 'R-FOREIGN', 'REVISION_CONFLICT', 'hub', now(), now(), $1, 1)",
        [EPOCH, ACCOUNT],
    )
    .await;
    plant(
        "INSERT INTO standing_question (question_id, office_id, account_id, matter_type, purpose, case_reference, put_at,
                                        expires_at)
         VALUES ($1, 'xiaoshan', $2, 'mandate', 'before_acceptance', 'REF-FOREIGN', now(), now() + interval '1 day')",
        [WATCH, ACCOUNT],
    )
    .await;
    plant(
        "INSERT INTO details_request (request_id, asking_office, asked_by, case_reference, purpose, audit_entry,
                                      holding_office, source_case_id, question, asked_at, due_on)
         VALUES ($1, 'hangzhou', $2, '1', 'before_acceptance', 1, 'xiaoshan', 'A-FOREIGN', 'Q-FOREIGN', now(), '2099-05-01')",
        [ASKED, ACCOUNT],
    )
    .await;
}

/// Whose it is.
fn own_caller() -> Caller {
    ("xiaoshan", Some((ACCOUNT, notary("xiaoshan"))))
}

#[tokio::test]
async fn without_the_checks_no_method_tells_or_does_what_is_another_offices() {
    let city = City::open().await;
    let before = city.state().await;
    // The same account: what is another's by its account alone does not count.
    let bureau = |role| ("yuhang", Some((Uuid::now_v7(), role)));
    let others: [Caller; 5] = [
        ("yuhang", None),
        ("yuhang", Some((ACCOUNT, notary("yuhang")))),
        bureau(Role::Analyst),
        bureau(Role::Supervisor),
        bureau(Role::Operator),
    ];
    let checked = ROWS
        .iter()
        .filter(|(.., behind)| !matches!(behind, Behind::Secret));
    for (method, request, _) in checked.clone() {
        for caller in others {
            let (told, _) = city.ask(caller, method, request(&city)).await;
            for mark in OWN {
                assert!(
                    !told.contains(mark),
                    "{method} {caller:?}: {mark} in {told}"
                );
            }
            let looks_up = matches!(caller.1, Some((_, Role::Notary(_))));
            assert!(
                looks_up || !told.contains(OF_NOTARIES),
                "{method} {caller:?}: {told}"
            );
            assert_eq!(city.state().await, before, "{method} {caller:?}");
        }
    }
    // And all of it is there for whom it is.
    for (method, request, behind) in checked {
        let before = city.state().await;
        let (told, done) = city.ask(own_caller(), method, request(&city)).await;
        assert!(done, "{method}: {told}");
        match behind {
            Behind::Told(mark) => assert!(told.contains(mark), "{method}: {mark} not in {told}"),
            Behind::Done => assert_ne!(city.state().await, before, "{method}"),
            Behind::Secret => {}
        }
    }
}

#[test]
fn every_method_of_the_contract_says_what_stands_behind_its_check() {
    let rows = ROWS.iter().map(|(method, ..)| (*method).to_owned());
    assert_eq!(rows.collect::<BTreeSet<_>>(), methods::of_the_contract());
}
