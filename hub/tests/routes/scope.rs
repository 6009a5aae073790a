//! The database behind the hub's own checks: the same routes with the checks switched off. Whoever asks is let
//! through everywhere and is a supervisor to every handler; what the database was told stays the truth. Nothing of
//! another office may come out that does not come out with the checks.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::Method;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use notary_hub::http::Api;
use notary_hub::identity::Role;
use notary_proto::hub::v1::PartyRole;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tower::ServiceExt;
use uuid::Uuid;

use crate::client::Bureau;
use crate::record::{case, person};
use crate::reviews::seed::{Pairs, supervisor, there};
use crate::roles::{CASEWORK, MATRIX, filled};
use crate::supervision;
use crate::support::seed::{notary, session_of};

/// Pairs of three offices, and findings between each two of them. hangzhou has no part in what yuhang and xiaoshan
/// share, and xiaoshan has a will.
async fn city() -> Pairs {
    let pairs = Pairs::open().await;
    let (hub, seed) = (&pairs.bureau.hub, &pairs.bureau.seed);
    let estate = |key: &str, serial, decedent| {
        case(key)
            .matter("inheritance")
            .number(serial)
            .parties(vec![person(PartyRole::Decedent, decedent)])
    };
    let will = case("W").parties(vec![person(PartyRole::Testator, 30)]);
    let there = vec![estate("X1", 11, 20), estate("X2-elsewhere", 12, 21), will];
    seed.office(hub, "xiaoshan", there).await;
    seed.office(hub, "hangzhou", vec![estate("H1", 13, 20)])
        .await;
    seed.office(hub, "yuhang", vec![estate("Y1-elsewhere", 14, 21)])
        .await;
    pairs
}

/// What was inspected there.
const INSPECTED: &str = "夏季检查";
/// What yuhang filed.
const FILED: &str = "就此请示";

/// yuhang was notified of a certificate that came late and of an inspection, and filed something.
async fn supervised(bureau: &Bureau) -> (String, String) {
    let late = vec![supervision::late("L-elsewhere")];
    bureau.seed.office(&bureau.hub, "yuhang", late).await;
    supervision::judged(bureau).await;
    let supervisor = supervision::supervisor();
    let found = supervision::findings(bureau, supervisor, "?office=yuhang&rule=TIME_LIMIT").await;
    let late = found
        .iter()
        .find(|found| found["about_key"] == "L-elsewhere");
    let late = late.unwrap();
    let notified = supervision::take(bureau, supervisor, late, "notify", Some("2099-01-31")).await;
    assert_eq!(notified.status, 200);
    let notary = supervision::notary_of("yuhang");
    let filed =
        supervision::file(bureau, notary, "", json!({ "kind": "instruction" }), FILED).await;
    assert_eq!(filed.status, 201);
    let inspection = supervision::notified(bureau, "yuhang", INSPECTED).await;
    (late["finding_id"].as_str().unwrap().to_owned(), inspection)
}

/// The same routes, with a gate that lets everybody through, as a supervisor.
fn open_routes(api: Api) -> Router {
    let sessions = api.clone();
    api.routes(move |_, route| route.layer(from_fn_with_state(sessions.clone(), everybody)))
}

async fn everybody(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let bearer = request.headers()[AUTHORIZATION].to_str().unwrap();
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let mut person = api.sessions.verify(token).unwrap();
    person.role = Role::Supervisor;
    request.extensions_mut().insert(person);
    next.run(request).await
}

/// An alarm about yuhang.
const ALARM: &str = "0190a000-0000-7000-8000-000000000001";

/// Work about a case of yuhang's that is set aside.
const WORK: &str = "0190a000-0000-7000-8000-000000000002";

struct Unchecked {
    pairs: Pairs,
    router: Router,
    /// The finding that yuhang and xiaoshan share, and what was decided about it and about their pair.
    finding: String,
    /// What the rules of supervision point at in yuhang, and an inspection there.
    supervised: String,
    inspection: String,
    of_finding: String,
    of_pair: String,
}

impl Unchecked {
    async fn open() -> Self {
        let pairs = city().await;
        let bureau = &pairs.bureau;
        let path = "/api/v1/reviews/duplicates?office=yuhang";
        let found = bureau.get(Role::Supervisor, path).await.json();
        let item = &found["items"][0];
        let decision = json!({
            "finding_id": item["finding_id"], "decision": "confirmed", "reason": "相同", "facts": item["facts"],
        });
        let path = "/api/v1/reviews/duplicates/decisions";
        let decided = bureau
            .ask(supervisor(), Method::POST, path, decision)
            .await
            .json();
        let (supervised, inspection) = supervised(&pairs.bureau).await;
        let proposed = pairs.decide(there(), pairs.elsewhere, "same").await.json();
        let alarm = "INSERT INTO alarm (alarm_id, kind, office_id, audit_entry) VALUES ($1, 'honey', 'yuhang', 1)";
        let alarm = sqlx::query(alarm).bind(ALARM.parse::<Uuid>().unwrap());
        alarm.execute(&bureau.hub.db.pool).await.unwrap();
        let work = "INSERT INTO link_work (work_id, office_id, source_case_ids, set_aside_at)
                    VALUES ($1, 'yuhang', '{S-elsewhere}', now())";
        let work = sqlx::query(work).bind(WORK.parse::<Uuid>().unwrap());
        work.execute(&bureau.hub.db.pool).await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            router: open_routes(bureau.hub.app.rest()),
            finding: text(&item["finding_id"]),
            of_finding: text(&decided["decision_id"]),
            of_pair: text(&proposed["decision"]["decision_id"]),
            supervised,
            inspection,
            pairs,
        }
    }

    /// What fills a place of a route: what hangzhou has no part in.
    fn foreign(&self, path: &str, place: &str) -> String {
        let [low, high] = self.pairs.elsewhere;
        match place {
            "low" => low.id.to_string(),
            "high" => high.id.to_string(),
            "finding_id" if path.contains("/supervision/") => self.supervised.clone(),
            "finding_id" => self.finding.clone(),
            "alarm_id" => ALARM.to_owned(),
            "work_id" => WORK.to_owned(),
            "inspection_id" => self.inspection.clone(),
            _ if path.contains("/persons/") => self.of_pair.clone(),
            _ => self.of_finding.clone(),
        }
    }

    async fn ask(&self, role: Role, method: &Method, path: &str, body: Value) -> (u16, String) {
        let session = session_of(&self.pairs.bureau.hub, Uuid::now_v7(), role);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {session}"))
            .header("content-type", "application/json");
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Everything that every route that reads tells the role.
    async fn told(&self, role: Role) -> String {
        let mut told = String::new();
        for (path, _) in MATRIX {
            told += &self.ask(role, &Method::GET, path, Value::Null).await.1;
        }
        for (method, path, ..) in CASEWORK.iter().filter(|(method, ..)| method == Method::GET) {
            let (path, _) = filled(path, "", |place| self.foreign(path, place));
            told += &self.ask(role, method, &path, Value::Null).await.1;
        }
        told
    }

    /// What only those tell who know of the case of 李四 at yuhang, of its estate, or of the will.
    fn marks_of_parties(&self) -> Vec<String> {
        let [low, high] = self.pairs.elsewhere;
        let marks = ["李*".to_owned(), low.id.to_string(), high.id.to_string()];
        marks.to_vec()
    }

    fn marks_of_cases(&self) -> Vec<String> {
        let finding = [
            &self.finding,
            &self.of_finding,
            &self.supervised,
            &self.inspection,
        ]
        .map(Clone::clone);
        // A character that no base64 has: letters and digits alone turn up in a signature by chance.
        let cases = [
            "X2-elsewhere",
            "Y1-elsewhere",
            "L-elsewhere",
            FILED,
            INSPECTED,
            "浙杭证民字第12号",
            "浙杭证民字第14号",
        ]
        .map(str::to_owned);
        [&finding[..], &cases[..]].concat()
    }
}

#[tokio::test]
async fn without_the_checks_a_notary_still_reads_of_no_case_the_own_office_has_no_part_in() {
    let city = Unchecked::open().await;
    let marks = [
        city.marks_of_parties(),
        city.marks_of_cases(),
        ["yuhang", "S-elsewhere"].map(str::to_owned).to_vec(),
    ]
    .concat();
    let told = city.told(notary("hangzhou")).await;
    for mark in &marks {
        assert!(!told.contains(mark), "{mark} in {told}");
    }
    // What the office has a part in is told as ever, the other side included.
    for mark in ["H1", "浙杭证民字第11号", "章**", "xiaoshan"] {
        assert!(told.contains(mark), "{mark} not in {told}");
    }
    // And the marks are there for whoever may know.
    let told = city.told(Role::Supervisor).await;
    for mark in &marks {
        assert!(told.contains(mark), "{mark}");
    }
}

#[tokio::test]
async fn without_the_checks_nobody_else_at_the_bureau_reads_what_is_a_supervisors() {
    let city = Unchecked::open().await;
    // An entry; that there is such an action everybody reads in the catalogue.
    let log = r#""action":"review.decide""#.to_owned();
    assert!(city.told(Role::Supervisor).await.contains(&log));
    let told = city.told(Role::Analyst).await;
    for mark in city.marks_of_parties().iter().chain([&log]) {
        assert!(!told.contains(mark), "{mark} in {told}");
    }
    let told = city.told(Role::Operator).await;
    let (parties, cases) = (city.marks_of_parties(), city.marks_of_cases());
    for mark in parties.iter().chain(&cases).chain([&log]) {
        assert!(!told.contains(mark), "{mark} in {told}");
    }
}

#[tokio::test]
async fn without_the_checks_a_notary_still_decides_nothing_the_own_office_has_no_part_in() {
    let city = Unchecked::open().await;
    let before = city.decisions().await;
    for (method, path, body, _) in CASEWORK {
        let (path, body) = filled(path, body, |place| city.foreign(path, place));
        let (status, told) = city.ask(notary("hangzhou"), method, &path, body).await;
        assert_eq!(status, 404, "{method} {path}: {told}");
    }
    assert_eq!(city.decisions().await, before);
    let log = city.pairs.bureau.log().await;
    let attempts = log.iter().rev().take(CASEWORK.len());
    assert!(
        attempts.clone().all(|entry| entry.outcome == "denied"),
        "each attempt is known as one"
    );
}

impl Unchecked {
    async fn decisions(&self) -> Vec<String> {
        let all = "SELECT j::text FROM link_judgement j UNION ALL SELECT d::text FROM duplicate_decision d UNION ALL SELECT a::text FROM alarm a ORDER BY 1";
        let rows = sqlx::query_scalar(all).fetch_all(&self.pairs.bureau.hub.db.pool);
        rows.await.unwrap()
    }
}

#[tokio::test]
async fn whatever_is_granted_to_a_scope_has_policies_and_without_a_setting_there_is_no_row() {
    let pairs = city().await;
    let pool = &pairs.bureau.hub.db.pool;
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
          WHERE c.relkind = 'r' AND NOT c.relrowsecurity AND a.attnum > 0
            AND has_column_privilege('notary_hub_people', c.oid, a.attnum, 'SELECT')
            AND c.relnamespace = 'public'::regnamespace",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(open, Vec::<String>::new(), "granted without a policy");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT polrelid::regclass::text FROM pg_policy
          WHERE 'notary_hub_people'::regrole = ANY (polroles)
          UNION ALL
         SELECT oid::regclass::text FROM pg_class
          WHERE relkind = 'v' AND has_table_privilege('notary_hub_people', oid, 'SELECT')
            AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 12, "{tables:?}");
    let mut nobody = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL ROLE notary_hub_people")
        .execute(&mut *nobody)
        .await
        .unwrap();
    for table in tables {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let seen: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut *nobody)
            .await
            .unwrap();
        assert_eq!(seen, 0, "{table}");
    }
}
