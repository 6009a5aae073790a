//! Pairs as linkage leaves them.

use http::Method;
use linkage::compare::VerifiedNumber;
use linkage::identifier::IdentifierKind;
use linkage::node::{MentionId, NodeId};
use linkage::token::Token;
use notary_hub::identity::Role;
use notary_hub::linking::Linking;
use notary_hub::linking::model::Models;
use notary_hub::rules::Rules;
use notary_hub::store;
use notary_proto::hub::v1::{Party, PartyRole, Sex};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Bureau, Colleague};
use crate::record::{Case, case, day, person};
use crate::support::seed::notary;

pub const QUEUE: &str = "/api/v1/reviews/persons";
pub const DECISIONS: &str = "/api/v1/reviews/persons/decisions";

/// One party: the first of a case.
#[derive(Clone, Copy, Debug)]
pub struct Mention {
    pub id: Uuid,
    pub node: Uuid,
}

/// The party of a case that is its number's only bearer.
pub fn mention(office: &'static str, key: &'static str, n: u8) -> Mention {
    let id = MentionId::new(office.parse().unwrap(), key, 0);
    let number = VerifiedNumber {
        kind: IdentifierKind::ResidentId,
        token: Token::from([n; 16]),
    };
    Mention {
        id: Uuid::from_bytes(*id.as_bytes()),
        node: Uuid::from_bytes(*NodeId::of_number(&number).as_bytes()),
    }
}

pub fn applicant(name: &str, number: u8) -> Party {
    Party {
        name: name.to_owned(),
        birth_day: Some(day("1990-03-07")),
        sex: Sex::Female.into(),
        address_district: "330106".to_owned(),
        ..person(PartyRole::Applicant, number)
    }
}

pub fn mandate(key: &str, party: Party) -> Case {
    case(key).matter("mandate").parties(vec![party])
}

/// hangzhou's 张国强 and xiaoshan's 章国强 weigh 9 bits; hangzhou's 王小明 and 王晓明 weigh 7; yuhang's and xiaoshan's
/// 李四 weigh 5.
pub struct Pairs {
    pub bureau: Bureau,
    pub across: [Mention; 2],
    pub within: [Mention; 2],
    pub elsewhere: [Mention; 2],
}

impl Pairs {
    pub async fn open() -> Self {
        let bureau = Bureau::open().await;
        crate::support::add_office(&bureau.hub.db.pool, "yuhang").await;
        let pairs = Self {
            bureau,
            across: [
                mention("hangzhou", "KEY-1", 1),
                mention("xiaoshan", "KEY-2", 2),
            ],
            within: [
                mention("hangzhou", "KEY-3", 3),
                mention("hangzhou", "KEY-4", 4),
            ],
            elsewhere: [
                mention("yuhang", "KEY-5", 5),
                mention("xiaoshan", "KEY-6", 6),
            ],
        };
        pairs.cases().await;
        for (pair, weight) in [
            (pairs.across, 9_000),
            (pairs.within, 7_000),
            (pairs.elsewhere, 5_000),
        ] {
            pairs.linked(pair, weight).await;
        }
        pairs
    }

    async fn cases(&self) {
        let (hub, seed) = (&self.bureau.hub, &self.bureau.seed);
        let cases = |cases: &[(&str, &str, u8)]| {
            let cases = cases.iter();
            cases
                .map(|(key, name, n)| mandate(key, applicant(name, *n)))
                .collect::<Vec<_>>()
        };
        let here = cases(&[
            ("KEY-1", "张国强", 1),
            ("KEY-3", "王小明", 3),
            ("KEY-4", "王晓明", 4),
        ]);
        seed.office(hub, "hangzhou", here).await;
        let there = cases(&[("KEY-2", "章国强", 2), ("KEY-6", "李四", 6)]);
        seed.office(hub, "xiaoshan", there).await;
        seed.office(hub, "yuhang", cases(&[("KEY-5", "李四", 5)]))
            .await;
    }

    /// Waits until linkage has done what there is, and gives a pair the weight that the test tells it by.
    pub async fn linked(&self, pair: [Mention; 2], weight: i32) {
        let pool = &self.bureau.hub.db.pool;
        let linking = Linking::new(pool.clone(), Models::default(), Rules::shipped());
        while !store::linking::work::is_drained(pool).await.unwrap() {
            linking.drain().await.unwrap();
        }
        let update = "UPDATE link SET weight = $3
                       WHERE low = least($1, $2) AND high = greatest($1, $2) AND decision = 'possible'";
        let update = sqlx::query(update)
            .bind(pair[0].node)
            .bind(pair[1].node)
            .bind(weight);
        let done = update.execute(pool).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{pair:?}");
    }

    pub async fn queue(&self, who: Colleague, state: &str) -> Vec<Value> {
        let path = format!("{QUEUE}?state={state}");
        let answer = self.bureau.ask(who, Method::GET, &path, Value::Null).await;
        assert_eq!(answer.status, 200);
        answer.json()["items"].as_array().unwrap().clone()
    }

    pub async fn read(&self, who: Colleague, pair: [Mention; 2]) -> Answer {
        let path = format!("{QUEUE}/{}/{}", pair[0].id, pair[1].id);
        self.bureau.ask(who, Method::GET, &path, Value::Null).await
    }

    pub async fn decide(&self, who: Colleague, pair: [Mention; 2], decision: &str) -> Answer {
        let body = json!({
            "low": pair[0].id, "high": pair[1].id, "decision": decision, "reason": "照片与签名一致",
        });
        self.bureau.ask(who, Method::POST, DECISIONS, body).await
    }

    /// Confirms, declines or withdraws what `decided` tells of.
    pub async fn step(&self, who: Colleague, decided: &Value, step: &str) -> Answer {
        let id = decided["decision"]["decision_id"].as_str().unwrap();
        let path = format!("{DECISIONS}/{id}/{step}");
        let body = match step {
            "confirm" => Value::Null,
            _ => json!({ "reason": "证据不足" }),
        };
        self.bureau.ask(who, Method::POST, &path, body).await
    }

    /// Everything linkage made of the evidence, as text, but for the names of moments.
    pub async fn persons(&self) -> Vec<String> {
        let tables = "SELECT concat_ws(' ', 'node', node_id, number, contested, oversize, person_id) FROM link_node
                UNION ALL SELECT 'link ' || link::text FROM link
                UNION ALL SELECT 'mention ' || mention::text FROM mention ORDER BY 1";
        let rows = sqlx::query_scalar(tables).fetch_all(&self.bureau.hub.db.pool);
        rows.await.unwrap()
    }
}

pub fn here() -> Colleague {
    Colleague::new(notary("hangzhou"))
}

pub fn there() -> Colleague {
    Colleague::new(notary("xiaoshan"))
}

pub fn supervisor() -> Colleague {
    Colleague::new(Role::Supervisor)
}

pub fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}
