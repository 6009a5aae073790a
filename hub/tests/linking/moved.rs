//! Decisions about persons, when a revision puts the parties of a case in other places.

use linkage::cluster::Judgement;
use linkage::node::MentionId;
use notary_hub::linking::Linking;
use notary_proto::hub::v1::Party;

use crate::city::{Hub, Office};
use crate::record::case;
use crate::town::{born, contents, decide, drain, number, persons, relinked};

struct Decided {
    hub: Hub,
    linking: Linking,
    here: Office,
}

fn decedent() -> Party {
    born("欧阳国强", "1948-07-19")
}

fn known_elsewhere() -> Party {
    born("司马相如", "1951-01-02")
}

fn stranger() -> Party {
    Party {
        identifier: number(9),
        ..born("王五", "1970-05-05")
    }
}

fn at(office: &str, source_case_id: &str, ordinal: u16) -> MentionId {
    MentionId::new(
        office.parse().expect("an office id"),
        source_case_id,
        ordinal,
    )
}

impl Decided {
    /// The first party of hangzhou's case is held to be, or not to be, xiaoshan's.
    async fn to_be(judgement: Judgement) -> Self {
        let hub = Hub::start().await;
        let linking = hub.linking();
        let (mut here, mut there) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
        let own = case("A").matter("inheritance").parties(vec![decedent()]);
        here.taken(&hub, vec![own]).await;
        let other = case("B").matter("inheritance");
        there
            .taken(&hub, vec![other.parties(vec![known_elsewhere()])])
            .await;
        drain(&hub.pool, &linking).await;
        let pair = (at("hangzhou", "A", 0), at("xiaoshan", "B", 0), judgement);
        decide(&hub.pool, &[pair]).await;
        Self { hub, linking, here }
    }

    /// What is so once the case has these parties.
    async fn with(&mut self, revision: u64, parties: Vec<Party>) {
        let case = case("A").matter("inheritance").revision(revision);
        self.here
            .taken(&self.hub, vec![case.parties(parties)])
            .await;
    }

    async fn drained(&self) {
        drain(&self.hub.pool, &self.linking).await;
    }

    /// The places of hangzhou's case whose party is the person known elsewhere.
    async fn joined(&self) -> Vec<usize> {
        let persons = persons(&self.hub.pool).await;
        let known = &persons["xiaoshan B 0"];
        (0..3)
            .filter(|place| persons.get(&format!("hangzhou A {place}")) == Some(known))
            .collect()
    }

    async fn in_force(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM link_judgement WHERE state = 'in_force'")
            .fetch_one(&self.hub.pool)
            .await
            .unwrap()
    }

    /// Linking everything anew comes to the same.
    async fn is_settled(&self) {
        let before = contents(&self.hub.pool).await;
        relinked(&self.hub.pool).await;
        assert_eq!(contents(&self.hub.pool).await, before);
    }
}

#[tokio::test]
async fn a_decision_follows_its_person_to_another_place_and_back() {
    let mut town = Decided::to_be(Judgement::Same).await;
    assert_eq!(town.joined().await, [0]);
    town.with(2, vec![stranger(), decedent()]).await;
    town.drained().await;
    assert_eq!(
        town.joined().await,
        [1],
        "the stranger has nothing to do with it"
    );
    town.is_settled().await;
    town.with(3, vec![decedent()]).await;
    town.drained().await;
    assert_eq!(town.joined().await, [0]);
    assert_eq!(town.in_force().await, 1);
    town.is_settled().await;
}

#[tokio::test]
async fn a_decision_to_keep_apart_parts_no_stranger() {
    let mut town = Decided::to_be(Judgement::NotSame).await;
    town.with(2, vec![known_elsewhere(), decedent()]).await;
    town.drained().await;
    assert_eq!(town.joined().await, [0], "of equal name and birth date");
    assert_eq!(town.in_force().await, 1);
    town.is_settled().await;
}

#[tokio::test]
async fn a_decision_ends_when_its_person_is_no_party_any_more() {
    let mut town = Decided::to_be(Judgement::Same).await;
    town.with(2, vec![stranger()]).await;
    town.drained().await;
    assert_eq!(town.joined().await, [] as [usize; 0]);
    assert_eq!(town.in_force().await, 0);
    town.is_settled().await;
}

#[tokio::test]
async fn a_decision_stands_when_what_is_known_of_its_person_is_corrected() {
    let mut town = Decided::to_be(Judgement::Same).await;
    let numbered = Party {
        identifier: number(4),
        ..decedent()
    };
    town.with(2, vec![numbered.clone()]).await;
    town.drained().await;
    let renamed = Party {
        name: "欧阳國强".to_owned(),
        ..numbered
    };
    town.with(3, vec![renamed]).await;
    town.drained().await;
    assert_eq!(town.joined().await, [0]);
    town.is_settled().await;
}

/// What linking everything anew meets first is treated as what a worker meets.
#[tokio::test]
async fn linking_everything_anew_has_decisions_follow_as_well() {
    let mut town = Decided::to_be(Judgement::Same).await;
    town.with(2, vec![stranger(), decedent()]).await;
    relinked(&town.hub.pool).await;
    assert_eq!(town.joined().await, [1]);
}
