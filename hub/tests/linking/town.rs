//! A small town: people with all the slips that offices make, named again and again in its cases.

use std::collections::BTreeMap;

use linkage::cluster::Judgement;
use linkage::node::MentionId;
use notary_hub::linking::Linking;
use notary_hub::linking::model::Models;
use notary_hub::linking::relink::{Relinked, relink};
use notary_hub::linking::rework::rework;
use notary_hub::linking::run::Runs;
use notary_hub::rules::Rules;
use notary_hub::store;
use notary_proto::hub::v1 as wire;
use sqlx::PgPool;
use uuid::Uuid;
use wire::{IdentifierKind, IdentifierToken, Party, PartyKind, PartyRole, Sex};

use crate::city::{Hub, Office};
use crate::record::{Case, case, day};

/// xorshift64*.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

pub fn token(kind: u8, number: usize) -> Vec<u8> {
    let mut token = vec![kind; 16];
    token[8..].copy_from_slice(&(number as u64).to_be_bytes());
    token
}

pub fn number(number: usize) -> Option<IdentifierToken> {
    Some(IdentifierToken {
        kind: IdentifierKind::ResidentId.into(),
        token: token(1, number),
        verified: true,
        masked_tail: "002X".to_owned(),
        segment_tokens: Vec::new(),
    })
}

/// Somebody of whom the hub knows name and birth date.
pub fn born(name: &str, on: &str) -> Party {
    Party {
        role: PartyRole::Applicant.into(),
        kind: PartyKind::Natural.into(),
        name: name.to_owned(),
        birth_day: Some(day(on)),
        ..Party::default()
    }
}

const SURNAMES: [&str; 6] = ["张", "王", "李", "赵", "陈", "章"];
const GIVEN: [&str; 8] = ["伟", "国强", "丽华", "炜", "国伟", "敏", "建国", "晓明"];

/// A person of the town as an office writes them down, more or less.
pub fn mention(dice: &mut Dice, person: usize) -> Party {
    let mut own = Dice(0x9e37_79b9 + person as u64 * 7919);
    let surname = own.below(SURNAMES.len());
    let mut name = format!("{}{}", SURNAMES[surname], GIVEN[own.below(GIVEN.len())]);
    let (year, month, date) = (1950 + own.below(50), 1 + own.below(12), 1 + own.below(28));
    let mut on = format!("{year}-{month:02}-{date:02}");
    if dice.one_in(8) {
        name = name.replace('张', "章").replace('伟', "炜");
    }
    if dice.one_in(10) {
        on = format!("{year}-{date:02}-{month:02}");
        if date > 12 {
            on = format!("{year}-{month:02}-{:02}", (date % 28) + 1);
        }
    }
    let mut party = born(&name, &on);
    party.sex = if own.one_in(2) {
        Sex::Male
    } else {
        Sex::Female
    }
    .into();
    // Families share a phone.
    if !dice.one_in(4) {
        party.phone_token = token(2, person / 2);
    }
    party.address_district = "330106".to_owned();
    if !dice.one_in(3) {
        party.identifier = number(person);
    }
    party
}

/// Cases of two or three parties each, by `people` people.
pub fn cases(dice: &mut Dice, people: usize, count: usize) -> Vec<(&'static str, Case)> {
    (0..count)
        .map(|at| {
            let mut parties: Vec<Party> = (0..2 + dice.below(2))
                .map(|_| {
                    let person = dice.below(people);
                    mention(dice, person)
                })
                .collect();
            parties[0].role = PartyRole::Decedent.into();
            let office = ["hangzhou", "xiaoshan", "yuhang"][dice.below(3)];
            (
                office,
                case(&format!("C{at}"))
                    .matter("inheritance")
                    .parties(parties),
            )
        })
        .collect()
}

/// The town's offices, each with a stream that is open.
pub async fn offices(hub: &Hub) -> Vec<(&'static str, Office)> {
    let mut offices = Vec::new();
    for name in ["hangzhou", "xiaoshan", "yuhang"] {
        offices.push((name, hub.office(name).await));
    }
    offices
}

/// Sends cases, each by its office, without linking any.
pub async fn send_by(
    hub: &Hub,
    offices: &mut [(&'static str, Office)],
    cases: &[(&'static str, Case)],
) {
    for (name, office) in offices {
        let own = cases.iter().filter(|(of, _)| of == name);
        let records: Vec<Case> = own.map(|(_, case)| case.clone()).collect();
        if !records.is_empty() {
            office.taken(hub, records).await;
        }
    }
}

/// The same by offices that had sent nothing.
pub async fn send(hub: &Hub, cases: &[(&'static str, Case)]) {
    send_by(hub, &mut offices(hub).await, cases).await;
}

/// Links everything anew.
pub async fn relinked(pool: &PgPool) -> Relinked {
    let runs = Runs {
        long: pool,
        short: pool,
        tell: &|_| {},
    };
    relink(&runs).await.unwrap()
}

/// Everybody decides in the hub's own way: rows first, then whatever follows from them.
pub async fn decide(pool: &PgPool, decisions: &[(MentionId, MentionId, Judgement)]) {
    for (one, other, judgement) in decisions {
        let (low, high) = (one.min(other), one.max(other));
        sqlx::query(
            "INSERT INTO link_judgement (judgement_id, low, high, judgement, state, reason, proposed_by, proposed_at)
             VALUES (gen_random_uuid(), $1, $2, $3, 'in_force', 'seen', gen_random_uuid(), now())",
        )
        .bind(uuid(*low))
        .bind(uuid(*high))
        .bind(judgement.code())
        .execute(pool)
        .await
        .unwrap();
        follow(pool, &[*low, *high]).await;
    }
}

/// Takes every decision back.
pub async fn take_back(pool: &PgPool, decisions: &[(MentionId, MentionId, Judgement)]) {
    for (one, other, _) in decisions {
        sqlx::query("UPDATE link_judgement SET state = 'withdrawn' WHERE low = $1 AND high = $2")
            .bind(uuid(*one.min(other)))
            .bind(uuid(*one.max(other)))
            .execute(pool)
            .await
            .unwrap();
        follow(pool, &[*one, *other]).await;
    }
}

async fn follow(pool: &PgPool, mentions: &[MentionId]) {
    let mut transaction = pool.begin().await.unwrap();
    rework(
        &mut transaction,
        &Models::default(),
        &Rules::shipped(),
        mentions,
    )
    .await
    .unwrap();
    transaction.commit().await.unwrap();
}

pub fn uuid(mention: MentionId) -> Uuid {
    Uuid::from_bytes(*mention.as_bytes())
}

/// Pairs of mentions by a query that gives two ids.
pub async fn pairs(pool: &PgPool, sql: &'static str) -> Vec<(MentionId, MentionId)> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    let mention = |id: Uuid| MentionId::from(id.into_bytes());
    rows.into_iter()
        .map(|(one, other)| (mention(one), mention(other)))
        .collect()
}

/// Links until nothing waits, with two workers.
pub async fn drain(pool: &PgPool, linking: &Linking) {
    while !store::linking::work::is_drained(pool).await.unwrap() {
        let (one, other) = tokio::join!(linking.drain(), linking.drain());
        one.unwrap();
        other.unwrap();
    }
}

/// The person of each party: office, case, ordinal.
pub async fn persons(pool: &PgPool) -> BTreeMap<String, String> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.office_id || ' ' || m.source_case_id || ' ' || m.ordinal, n.person_id::text
           FROM mention m JOIN link_node n USING (node_id)",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.into_iter().collect()
}

/// Everything that linkage holds and what follows from it, but for the names of moments and what a finding weighed then.
pub async fn contents(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT 'mention ' || m::text FROM mention m
         UNION ALL SELECT concat_ws(' ', 'node', node_id, number_kind, encode(number, 'hex'), contested, oversize, person_id)
                     FROM link_node
         UNION ALL SELECT 'block ' || b::text FROM link_block b
         UNION ALL SELECT 'overfull ' || o::text FROM link_overfull o
         UNION ALL SELECT 'link ' || l::text FROM link l
         UNION ALL SELECT concat_ws(' ', 'finding', basis, rule_id, left_office, left_case, right_office, right_case,
                                    severity, first_accepting)
                     FROM duplicate_finding WHERE closed_at IS NULL
         ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// How many persons there are.
pub fn count(persons: &BTreeMap<String, String>) -> usize {
    persons
        .values()
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}
