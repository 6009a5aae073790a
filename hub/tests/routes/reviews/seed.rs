//! Pairs as linkage leaves them.

use http::Method;
use notary_hub::identity::Role;
use notary_proto::hub::v1::{Party, PartyRole, Sex};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Bureau, Colleague};
use crate::record::{Case, case, day, person};
use crate::support::seed::notary;

pub const QUEUE: &str = "/api/v1/reviews/persons";
pub const DECISIONS: &str = "/api/v1/reviews/persons/decisions";

/// One mention: a case with one party, and the node that it is alone in.
#[derive(Clone, Copy, Debug)]
pub struct Mention {
    pub office: &'static str,
    pub key: &'static str,
    pub id: Uuid,
    pub node: Uuid,
}

/// `n` tells mentions apart; nodes are in the opposite order of mentions, so that nothing depends on both being in one.
pub fn mention(office: &'static str, key: &'static str, n: u8) -> Mention {
    Mention {
        office,
        key,
        id: Uuid::from_bytes([n; 16]),
        node: Uuid::from_bytes([0xff - n; 16]),
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

pub fn birth(key: &str, party: Party) -> Case {
    case(key).matter("birth").parties(vec![party])
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
            pairs.link(pair, weight).await;
        }
        pairs
    }

    async fn cases(&self) {
        let (hub, seed) = (&self.bureau.hub, &self.bureau.seed);
        let cases = |cases: &[(&str, &str, u8)]| {
            let cases = cases.iter();
            cases
                .map(|(key, name, n)| birth(key, applicant(name, *n)))
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

    pub async fn link(&self, pair: [Mention; 2], weight: i32) {
        let pool = &self.bureau.hub.db.pool;
        for mention in pair {
            let mentions =
                "INSERT INTO mention (mention_id, office_id, source_case_id, ordinal, node_id)
                            VALUES ($1, $2, $3, 0, $4)";
            let nodes = "INSERT INTO link_node (node_id, person_id) VALUES ($1, $1)";
            sqlx::query(mentions)
                .bind(mention.id)
                .bind(mention.office)
                .bind(mention.key)
                .bind(mention.node)
                .execute(pool)
                .await
                .unwrap();
            sqlx::query(nodes)
                .bind(mention.node)
                .execute(pool)
                .await
                .unwrap();
        }
        let [one, other] = pair;
        let (low, high) = if one.node < other.node {
            (one, other)
        } else {
            (other, one)
        };
        sqlx::query(
            "INSERT INTO link (low, high, weight, decision, low_mention, high_mention)
             VALUES ($1, $2, $3, 'possible', $4, $5)",
        )
        .bind(low.node)
        .bind(high.node)
        .bind(weight)
        .bind(low.id)
        .bind(high.id)
        .execute(pool)
        .await
        .unwrap();
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

    /// Everything linkage made of the evidence, as text.
    pub async fn persons(&self) -> Vec<String> {
        let tables = "SELECT 'node ' || link_node::text FROM link_node
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
