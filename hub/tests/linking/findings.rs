//! Duplicate findings that follow from persons.

use notary_hub::linking::Linking;
use notary_proto::hub::v1::{CaseState, Party, PartyRole, Sex};

use crate::city::Hub;
use crate::record::{Case, case};
use crate::town::{born, drain, number, token};

/// Somebody with a name that nobody else has, as office after office writes them down.
fn decedent(role: PartyRole) -> Party {
    Party {
        role: role.into(),
        sex: Sex::Male.into(),
        phone_token: token(2, 7),
        address_district: "330106".to_owned(),
        ..born("欧阳国强", "1948-07-19")
    }
}

fn numbered(role: PartyRole, of: usize) -> Party {
    Party {
        identifier: number(of),
        ..decedent(role)
    }
}

fn inheritance(source_case_id: &str, party: Party) -> Case {
    case(source_case_id)
        .matter("inheritance")
        .parties(vec![party])
}

const FOUND: &str = "SELECT string_agg(concat_ws(' ', rule_id, severity, basis, match_weight > 0, first_accepting,
                                                 CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END), ', ')
                       FROM duplicate_finding";
const NOTICES: &str =
    "SELECT string_agg(office_id || ' ' || left(text_zh, 2), ', ' ORDER BY notice_id) FROM notice";

struct Town {
    hub: Hub,
    linking: Linking,
}

impl Town {
    async fn start() -> Self {
        let hub = Hub::start().await;
        let linking = hub.linking();
        Self { hub, linking }
    }

    /// The open and closed findings once linkage has done what there is.
    async fn found(&self) -> Option<String> {
        drain(&self.hub.pool, &self.linking).await;
        self.hub.text(FOUND).await
    }
}

#[tokio::test]
async fn what_only_persons_show_is_possible_until_a_number_shows_it() {
    let town = Town::start().await;
    let hub = &town.hub;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let (with, without) = (
        numbered(PartyRole::Decedent, 9),
        decedent(PartyRole::Decedent),
    );
    one.taken(hub, vec![inheritance("A", with.clone())]).await;
    two.taken(hub, vec![inheritance("B", without).accepted("2024-03-01")])
        .await;
    assert_eq!(hub.text(FOUND).await, None, "no number is equal");
    let possible = "INHERITANCE_SAME_DECEDENT duplicate person t xiaoshan open";
    assert_eq!(town.found().await.as_deref(), Some(possible));
    let told = hub.text(NOTICES).await.unwrap();
    assert_eq!(told, "hangzhou 疑似, xiaoshan 疑似");

    let now = inheritance("B", with).accepted("2024-03-01").revision(2);
    two.taken(hub, vec![now]).await;
    let certain = "INHERITANCE_SAME_DECEDENT duplicate number xiaoshan open";
    assert_eq!(hub.text(FOUND).await.as_deref(), Some(certain));
    assert_eq!(town.found().await.as_deref(), Some(certain), "said once");
}

#[tokio::test]
async fn a_possible_finding_ends_with_what_it_rests_on() {
    let town = Town::start().await;
    let hub = &town.hub;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(
        hub,
        vec![inheritance("A", numbered(PartyRole::Decedent, 9))],
    )
    .await;
    let known = || inheritance("B", decedent(PartyRole::Decedent));
    two.taken(hub, vec![known()]).await;
    assert!(town.found().await.unwrap().ends_with("open"));
    // Somebody else, it turns out.
    let other = inheritance("B", born("司马相如", "1951-01-02")).revision(2);
    two.taken(hub, vec![other]).await;
    assert!(town.found().await.unwrap().ends_with("closed"));
    two.taken(hub, vec![known().revision(3)]).await;
    assert!(town.found().await.unwrap().ends_with("open"));
    two.taken(hub, vec![known().revision(4).state(CaseState::Terminated)])
        .await;
    assert!(town.found().await.unwrap().ends_with("closed"));
    // A person cannot be two with numbers of one kind.
    two.taken(
        hub,
        vec![inheritance("B", numbered(PartyRole::Decedent, 8)).revision(5)],
    )
    .await;
    assert!(town.found().await.unwrap().ends_with("closed"));
}

#[tokio::test]
async fn of_a_will_that_only_persons_show_nobody_is_told_but_who_settles_the_estate() {
    let town = Town::start().await;
    let hub = &town.hub;
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    let will = |key, party| case(key).parties(vec![party]);
    one.taken(hub, vec![will("A", numbered(PartyRole::Testator, 9))])
        .await;
    two.taken(hub, vec![will("B", decedent(PartyRole::Testator))])
        .await;
    let found = town.found().await.unwrap();
    assert!(
        found.starts_with("WILL_SAME_TESTATOR related person"),
        "{found}"
    );
    assert_eq!(hub.text(NOTICES).await, None);
    two.taken(hub, vec![inheritance("C", decedent(PartyRole::Decedent))])
        .await;
    town.found().await;
    let told = hub.text(NOTICES).await.unwrap();
    assert_eq!(told, "hangzhou 疑似, xiaoshan 疑似");
}
