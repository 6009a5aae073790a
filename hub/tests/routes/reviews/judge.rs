//! Deciding about possible persons: the second pair of eyes, undo, conflicts.

use serde_json::Value;

use super::seed::{Pairs, here, refused, supervisor, there};

fn conflict() -> (u16, String) {
    (409, "ALREADY_DECIDED".to_owned())
}

#[tokio::test]
async fn a_merge_across_offices_waits_for_a_supervisor_who_did_not_propose_it() {
    let pairs = Pairs::open().await;
    let (before, proposer, other) = (pairs.persons().await, supervisor(), supervisor());
    let proposed = pairs.decide(proposer, pairs.across, "same").await;
    assert_eq!(proposed.status, 201);
    let proposed = proposed.json();
    assert_eq!(proposed["decision"]["state"], "proposed");
    assert_eq!(proposed["one_person"], false);
    assert_eq!(pairs.persons().await, before, "nothing follows yet");
    assert_eq!(pairs.queue(other, "proposed").await.len(), 1);
    assert_eq!(pairs.queue(other, "open").await.len(), 2);

    for step in ["confirm", "decline"] {
        let own = pairs.step(proposer, &proposed, step).await;
        assert_eq!(refused(&own), (403, "SECOND_PERSON_NEEDED".to_owned()));
        assert_eq!(pairs.bureau.log().await.pop().unwrap().outcome, "denied");
        for notary in [here(), there()] {
            let answer = pairs.step(notary, &proposed, step).await;
            assert_eq!(refused(&answer), (403, "PERMISSION_DENIED".to_owned()));
        }
    }
    let confirmed = pairs.step(other, &proposed, "confirm").await;
    assert_eq!(confirmed.status, 200);
    assert_eq!(confirmed.json()["decision"]["state"], "in_force");
    assert_eq!(confirmed.json()["one_person"], true);
    assert_ne!(pairs.persons().await, before);
    let again = pairs.step(other, &proposed, "confirm").await;
    assert_eq!((again.status, again.json()), (200, confirmed.json()));
    let late = pairs.step(supervisor(), &proposed, "confirm").await;
    assert_eq!(refused(&late), (409, "DECISION_OVER".to_owned()));
}

#[tokio::test]
async fn within_one_office_one_decision_merges() {
    let pairs = Pairs::open().await;
    let decided = pairs.decide(here(), pairs.within, "same").await;
    assert_eq!(decided.json()["decision"]["state"], "in_force");
    assert_eq!(decided.json()["one_person"], true);
    assert_eq!(pairs.queue(supervisor(), "open").await.len(), 2);
}

#[tokio::test]
async fn within_one_office_is_meant_of_the_whole_persons() {
    let pairs = Pairs::open().await;
    let proposed = pairs.decide(here(), pairs.across, "same").await.json();
    pairs.step(supervisor(), &proposed, "confirm").await;
    // hangzhou's 王小明 is now one with somebody whom xiaoshan knows as well.
    let joined = [pairs.across[0], pairs.within[1]];
    sqlx::query("UPDATE link_node SET person_id = $1 WHERE node_id = $2")
        .bind(person_of(&pairs, joined[0].node).await)
        .bind(joined[1].node)
        .execute(&pairs.bureau.hub.db.pool)
        .await
        .unwrap();
    let decided = pairs.decide(here(), pairs.within, "same").await;
    assert_eq!(decided.json()["decision"]["state"], "proposed");
}

async fn person_of(pairs: &Pairs, node: uuid::Uuid) -> uuid::Uuid {
    sqlx::query_scalar("SELECT person_id FROM link_node WHERE node_id = $1")
        .bind(node)
        .fetch_one(&pairs.bureau.hub.db.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn keeping_apart_takes_force_at_once_and_leaves_the_queue() {
    let pairs = Pairs::open().await;
    let decided = pairs.decide(there(), pairs.across, "not_same").await;
    assert_eq!(decided.status, 201);
    assert_eq!(decided.json()["decision"]["state"], "in_force");
    assert_eq!(decided.json()["one_person"], false);
    let open = pairs.queue(here(), "open").await;
    assert_eq!(open.len(), 1);
    let decided = pairs.queue(here(), "in_force").await;
    assert_eq!(decided[0]["decision"]["decision"], "not_same");
    assert_eq!(
        decided[0]["decision"]["reason"],
        Value::Null,
        "another's words"
    );
}

#[tokio::test]
async fn undoing_restores_exactly_what_was() {
    let pairs = Pairs::open().await;
    let before = pairs.persons().await;
    let queue = pairs.queue(supervisor(), "open").await;

    let within = pairs.decide(here(), pairs.within, "same").await.json();
    let across = pairs.decide(here(), pairs.across, "same").await.json();
    pairs.step(supervisor(), &across, "confirm").await;
    assert_ne!(pairs.persons().await, before);
    for decided in [within, across] {
        let undone = pairs.step(supervisor(), &decided, "withdraw").await;
        assert_eq!(undone.status, 200);
        assert_eq!(undone.json()["decision"]["state"], "withdrawn");
        assert_eq!(undone.json()["one_person"], false);
    }
    let apart = pairs.decide(here(), pairs.across, "not_same").await.json();
    pairs.step(supervisor(), &apart, "withdraw").await;

    assert_eq!(pairs.persons().await, before);
    assert_eq!(pairs.queue(supervisor(), "open").await, queue);
    let history = pairs.read(supervisor(), pairs.across).await.json();
    let decisions = history["decisions"].as_array().unwrap().iter();
    let states: Vec<_> = decisions.map(|d| (&d["decision"], &d["state"])).collect();
    let [not_same, same, withdrawn] = ["not_same", "same", "withdrawn"].map(Value::from);
    assert_eq!(states, [(&not_same, &withdrawn), (&same, &withdrawn)]);
    assert_ne!(history["decisions"][1]["confirmed_by"], Value::Null);
}

#[tokio::test]
async fn a_notary_takes_back_only_what_nobody_else_confirmed() {
    let pairs = Pairs::open().await;
    let (notary, other) = (here(), there());
    let first = pairs.decide(notary, pairs.across, "same").await.json();
    let theirs = pairs.step(other, &first, "withdraw").await;
    assert_eq!(refused(&theirs), (403, "PERMISSION_DENIED".to_owned()));
    assert_eq!(pairs.step(notary, &first, "withdraw").await.status, 200);
    let repeated = pairs.step(notary, &first, "withdraw").await;
    assert_eq!(repeated.status, 200);

    let second = pairs.decide(notary, pairs.across, "same").await.json();
    pairs.step(supervisor(), &second, "confirm").await;
    let late = pairs.step(notary, &second, "withdraw").await;
    assert_eq!(refused(&late), (403, "PERMISSION_DENIED".to_owned()));
}

#[tokio::test]
async fn a_declined_proposal_changes_nothing_and_the_pair_is_open_again() {
    let pairs = Pairs::open().await;
    let before = pairs.persons().await;
    let proposed = pairs.decide(here(), pairs.across, "same").await.json();
    let declined = pairs.step(supervisor(), &proposed, "decline").await;
    assert_eq!(declined.json()["decision"]["state"], "declined");
    assert_eq!(declined.json()["decision"]["ended"]["reason"], "证据不足");
    assert_eq!(pairs.persons().await, before);
    assert_eq!(pairs.queue(here(), "open").await.len(), 2);
    let late = pairs.step(supervisor(), &proposed, "confirm").await;
    assert_eq!(refused(&late), (409, "DECISION_OVER".to_owned()));
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_anything_else_is_a_conflict() {
    let pairs = Pairs::open().await;
    let (one, other) = (here(), there());
    let first = pairs.decide(one, pairs.across, "same").await;
    let again = pairs.decide(one, pairs.across, "same").await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json(), again.json());
    for (who, decision) in [(one, "not_same"), (other, "same"), (other, "not_same")] {
        let answer = pairs.decide(who, pairs.across, decision).await;
        assert_eq!(refused(&answer), conflict());
    }
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_wins() {
    let pairs = Pairs::open().await;
    let (one, other) = tokio::join!(
        pairs.decide(here(), pairs.across, "same"),
        pairs.decide(there(), pairs.across, "not_same"),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let lost = if one.status == 409 { one } else { other };
    assert_eq!(refused(&lost), conflict());
    let decided = pairs.bureau.log().await.into_iter();
    assert_eq!(decided.filter(|e| e.action == "review.decide").count(), 1);
}

#[tokio::test]
async fn every_page_reading_decision_and_step_has_one_entry() {
    let pairs = Pairs::open().await;
    let notary = here();
    pairs.queue(notary, "open").await;
    pairs.read(notary, pairs.across).await;
    let proposed = pairs.decide(notary, pairs.across, "same").await.json();
    pairs.step(supervisor(), &proposed, "confirm").await;
    pairs.step(supervisor(), &proposed, "withdraw").await;
    let log = pairs.bureau.log().await.into_iter();
    let entries: Vec<_> = log.map(|e| format!("{} {}", e.action, e.outcome)).collect();
    let expected = [
        "review.list done",
        "review.read done",
        "review.decide done",
        "review.confirm done",
        "review.withdraw done",
    ];
    assert_eq!(entries, expected);
}
