//! A change of the city's token key as streams meet it: the hub asks for tokens under the next key while the change is
//! under way, and keeps them beside the present ones without anything else taking notice, until it goes over to them in
//! one step.

use std::sync::Arc;

use notary_hub::ingest::decode::content_hash;
use notary_hub::linking::run::{Progress, Runs, Step};
use notary_hub::rekey::{self, Refusal, Retirement};
use notary_hub::store::{token_key, tx};
use notary_proto::hub::v1::{NextTokens, PartyRole, PartyTokens, sync_response};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::agent::{Agent, Stream};
use crate::record::{Case, case, home, person};
use crate::support::hub::{Hub, reason};

/// A case of one person and one home, with both tokens under key `key_id` if there is one.
fn sent(key_id: Option<u32>, revision: u64) -> Case {
    let plain = case("C1")
        .parties(vec![person(PartyRole::Testator, 1)])
        .subjects(vec![home(2)])
        .revision(revision);
    match key_id {
        Some(key_id) => with_next(plain, key_id, [11, 12]),
        None => plain,
    }
}

fn with_next(mut case: Case, key_id: u32, [person, home]: [u8; 2]) -> Case {
    case.0.next_tokens = Some(NextTokens {
        key_id,
        parties: vec![PartyTokens {
            identifier: vec![person; 16],
            ..Default::default()
        }],
        subjects: vec![vec![home; 16]],
    });
    case
}

/// Key and tokens that are kept of the case.
async fn kept(pool: &PgPool) -> Option<(i32, Vec<u8>, Vec<u8>)> {
    sqlx::query_as(
        "SELECT key_id, identifier, token FROM next_case JOIN next_party USING (office_id, source_case_id)
           JOIN next_subject USING (office_id, source_case_id)",
    )
    .fetch_optional(pool)
    .await
    .unwrap()
}

fn tokens(key_id: i32) -> Option<(i32, Vec<u8>, Vec<u8>)> {
    Some((key_id, vec![11; 16], vec![12; 16]))
}

/// Revisions of the case that were ever here, its figures, and its open rejects.
async fn noticed(pool: &PgPool) -> (i64, i64, i64) {
    sqlx::query_as(
        "SELECT (SELECT count(*) FROM case_history), (SELECT sum(accepted)::bigint FROM rollup),
                (SELECT count(*) FROM reject WHERE resolved_at IS NULL)",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

async fn hand_over(stream: &mut Stream, sequence: u64, case: Case) {
    stream.send(sequence, vec![case]).await;
    stream.acked(sequence).await;
}

async fn begin_change(pool: &PgPool) -> u32 {
    let begun = token_key::begin(pool, 1, "hmac_sha256").await.unwrap();
    begun.expect("no change is under way")
}

async fn withdraw(pool: &PgPool) {
    tx::tx(pool, "test.withdraw", async |transaction| {
        token_key::keep_out(&mut *transaction).await?;
        token_key::withdraw(transaction).await
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn next_tokens_are_asked_for_and_kept_while_a_change_is_under_way_and_nothing_else_changes() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.next_token_key_id, 0);
    hand_over(&mut stream, 1, sent(None, 1)).await;

    let next = begin_change(pool).await;
    let (mut stream, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.next_token_key_id, next);
    let lacking = async || token_key::offices(pool, next).await.unwrap()[0].lacking;
    assert_eq!(lacking().await, 1);
    let before = noticed(pool).await;
    hand_over(&mut stream, 2, sent(Some(next), 1)).await;
    assert_eq!(kept(pool).await, tokens(2), "of the case as it was");
    assert_eq!(lacking().await, 0);
    hand_over(&mut stream, 3, sent(None, 1)).await;
    assert_eq!(kept(pool).await, tokens(2), "the same content without them");
    assert_eq!(noticed(pool).await, before);

    let other = with_next(sent(None, 2).fee(1), next, [21, 22]);
    hand_over(&mut stream, 4, other).await;
    let changed = Some((2, vec![21; 16], vec![22; 16]));
    assert_eq!(kept(pool).await, changed, "with a new revision");
    hand_over(&mut stream, 5, sent(None, 3).fee(2)).await;
    assert_eq!(kept(pool).await, None, "those of other content are gone");
    hand_over(&mut stream, 6, with_next(sent(None, 3).fee(2), 1, [1, 1])).await;
    assert_eq!(kept(pool).await, None, "of a key that nobody asked for");

    hand_over(&mut stream, 7, sent(Some(next), 4)).await;
    assert_eq!(kept(pool).await, tokens(2));
    withdraw(pool).await;
    assert_eq!(kept(pool).await, None);
    hand_over(&mut stream, 8, sent(Some(next), 4)).await;
    assert_eq!(kept(pool).await, None, "of a key that was taken back");
    let (_, welcome) = agent.open(&hub).await;
    assert_eq!(welcome.next_token_key_id, 0);
    let history: Vec<String> = sqlx::query_scalar("SELECT content::text FROM case_history")
        .fetch_all(pool)
        .await
        .unwrap();
    assert!(history.iter().all(|content| !content.contains("next")));
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_older_revision_of_the_content_that_stands_brings_its_next_tokens_all_the_same() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let next = begin_change(pool).await;
    let (mut stream, _) = agent.open(&hub).await;
    hand_over(&mut stream, 1, sent(None, 7)).await;
    hand_over(&mut stream, 2, sent(Some(next), 5)).await;
    assert_eq!(kept(pool).await, tokens(2));
    let other = with_next(sent(None, 6).fee(1), next, [21, 22]);
    hand_over(&mut stream, 3, other).await;
    assert_eq!(kept(pool).await, tokens(2), "of other content they are not");
    let revision = "SELECT revision FROM case_record";
    assert_eq!(number(pool, revision).await, 7);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_revision_leaves_the_next_tokens_of_the_one_that_stands_which_go_over_with_it() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let agent = Agent::enrol(&hub, "hzgl").await;
    begin_change(pool).await;
    let mut stream = open_with_next(&hub, &agent).await;
    hand_over(&mut stream, 1, sent(Some(2), 1)).await;
    let conflict = with_next(sent(None, 1).fee(9), 2, [21, 22]);
    stream.send(2, vec![conflict]).await;
    let ack = stream.ack().await;
    assert_eq!(ack.rejects[0].rule_id, "REVISION_CONFLICT");
    assert_eq!(kept(pool).await, tokens(2));
    let Retirement::Done(done) = retire(pool, 0).await else {
        panic!("the case that stands lacks nothing");
    };
    assert_eq!((done.cases, done.left), (1, 0));
    let (mut stream, _) = agent.open(&hub).await;
    // As the agent reads it again then.
    let again = case("C1")
        .parties(vec![person(PartyRole::Testator, 21)])
        .subjects(vec![home(22)])
        .revision(2)
        .fee(9);
    hand_over(&mut stream, 3, again).await;
    let (_, _, open) = noticed(pool).await;
    assert_eq!((number(pool, OF_OLD_KEY).await, open), (0, 0));
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn next_tokens_that_do_not_fit_their_record_send_it_into_quarantine_by_name() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let next = begin_change(&hub.db.pool).await;
    let (mut stream, _) = agent.open(&hub).await;
    let mut unfit = sent(Some(next), 1);
    unfit.0.next_tokens.as_mut().unwrap().subjects.clear();
    stream.send(1, vec![unfit]).await;
    let ack = stream.ack().await;
    let [reject] = &ack.rejects[..] else {
        panic!("one reject: {ack:?}");
    };
    assert_eq!(
        (reject.rule_id.as_str(), reject.field.as_str()),
        ("FIELD_INVALID", "next_tokens.subjects")
    );
    hub.app.stop().await.unwrap();
}

/// Goes over to the next key.
async fn retire(pool: &PgPool, leave: u64) -> Retirement {
    retire_told(pool, leave, &|_| {}).await
}

async fn retire_told(
    pool: &PgPool,
    leave: u64,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Retirement {
    let runs = Runs {
        long: pool,
        short: pool,
        tell,
    };
    rekey::retire(&runs, Some(2), leave).await.unwrap()
}

/// A stream of an agent that has the next key.
async fn open_with_next(hub: &Hub, agent: &Agent) -> Stream {
    let mut stream = agent.connect(hub).await;
    let mut hello = agent.hello();
    hello.next_token_key_id = 2;
    stream.greet(hello).await;
    stream.welcomed().await;
    stream
}

/// Two offices with the will of one person, one of them with a home as well, and the change under way.
async fn two_offices(hub: &Hub) -> (Agent, Stream, Agent, Stream) {
    let one = Agent::enrol(hub, "hzgl").await;
    let other = Agent::enrol(hub, "hzqt").await;
    begin_change(&hub.db.pool).await;
    let mut of_one = open_with_next(hub, &one).await;
    let mut of_other = open_with_next(hub, &other).await;
    hand_over(&mut of_one, 1, sent(Some(2), 1)).await;
    let duplicate = with_next(sent(None, 1), 2, [11, 12]);
    hand_over(&mut of_other, 1, duplicate).await;
    (one, of_one, other, of_other)
}

async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// Pairs of cases held to be duplicates, ever.
const FINDINGS: &str = "SELECT count(*) FROM duplicate_finding";
const OPEN_FINDINGS: &str = "SELECT count(*) FROM duplicate_finding WHERE closed_at IS NULL";
const OF_OLD_KEY: &str = "SELECT count(*) FROM party WHERE id_key = 1";

#[tokio::test]
async fn the_hub_goes_over_in_one_step_and_everything_is_found_under_the_new_key() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let (one, mut of_one, other, _of_other) = two_offices(&hub).await;
    let found = number(pool, OPEN_FINDINGS).await;
    assert!(found > 0, "the two cases are one matter");
    let before = noticed(pool).await;
    let notices = number(pool, "SELECT count(*) FROM notice").await;

    let Retirement::Done(done) = retire(pool, 0).await else {
        panic!("nothing stands against it");
    };
    assert_eq!((done.key_id, done.cases, done.left), (2, 2, 0));
    assert_eq!(number(pool, OF_OLD_KEY).await, 0);
    assert_eq!(noticed(pool).await, before);
    assert_eq!(number(pool, OPEN_FINDINGS).await, found);
    assert_eq!(number(pool, "SELECT count(*) FROM notice").await, notices);

    // A stream of before is told, and what it sends is not stored.
    of_one.send(2, vec![sent(None, 2).fee(3)]).await;
    assert_eq!(reason(&of_one.end().await), "TOKEN_KEY_UNKNOWN");
    let (mut of_one, welcome) = one.open(&hub).await;
    assert_eq!(welcome.token_key_id, 2);
    assert_eq!(welcome.next_token_key_id, 0);
    assert_eq!(welcome.committed_sequence, 1);

    // What was moved is the case as its office sends it from now on.
    let as_sent_now = |id: &str| {
        let mut case = case(id)
            .parties(vec![person(PartyRole::Testator, 11)])
            .subjects(vec![home(12)]);
        case.0.revision = 1;
        case
    };
    let held: Vec<Vec<u8>> = sqlx::query_scalar("SELECT content_hash FROM case_record")
        .fetch_all(pool)
        .await
        .unwrap();
    let hash = content_hash(&mut as_sent_now("C1").0).to_vec();
    assert_eq!(held, [hash.clone(), hash]);
    hand_over(&mut of_one, 2, as_sent_now("C1")).await;
    assert_eq!(noticed(pool).await, before, "it is unchanged");

    // A new case meets the moved ones.
    let (mut of_other, _) = other.open(&hub).await;
    hand_over(&mut of_other, 2, as_sent_now("C2")).await;
    assert!(number(pool, OPEN_FINDINGS).await > found);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_without_the_key_or_cases_without_its_tokens_keep_the_city_where_it_is() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let (_one, mut of_one, _other, _of_other) = two_offices(&hub).await;
    hand_over(&mut of_one, 2, case("C2")).await;
    let late = Agent::enrol(&hub, "hzyh").await;
    assert_eq!(
        retire(pool, 0).await,
        Retirement::Refused(Refusal::OfficesLack(vec!["hzyh".to_owned()]))
    );
    let _stream = open_with_next(&hub, &late).await;
    assert_eq!(
        retire(pool, 0).await,
        Retirement::Refused(Refusal::CasesLack { cases: 1 })
    );
    assert_eq!(
        token_key::standing(pool).await.unwrap().next,
        Some(2),
        "nothing has changed"
    );
    assert_eq!(number(pool, OF_OLD_KEY).await, 3);

    let Retirement::Done(done) = retire(pool, 1).await else {
        panic!("one may be left");
    };
    assert_eq!((done.cases, done.left), (2, 1));
    assert_eq!(number(pool, OF_OLD_KEY).await, 1);
    let pointed_at = "SELECT count(*) FROM quality_finding
                       WHERE rule_id = 'TOKEN_KEY_OUTDATED' AND source_case_id = 'C2'";
    assert_eq!(number(pool, pointed_at).await, 1);
    assert_eq!(
        retire(pool, 0).await,
        Retirement::Refused(Refusal::NoChange)
    );
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn going_over_that_is_cut_off_has_changed_nothing() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let (_one, mut of_one, _other, _of_other) = two_offices(&hub).await;
    let found = number(pool, FINDINGS).await;
    let keys = "SELECT md5(string_agg(encode(key, 'hex'), ',' ORDER BY key)) FROM matter_key";
    let keyed = async || -> String { sqlx::query_scalar(keys).fetch_one(pool).await.unwrap() };
    let before = keyed().await;

    let last_step = Arc::new(Notify::new());
    let told = Arc::clone(&last_step);
    let tell = move |progress: Progress| {
        if progress.step == Step::Switch {
            told.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = last_step.notified() => {}
        done = retire_told(pool, 0, &tell) => panic!("it should have been cut off: {done:?}"),
    }
    assert_eq!(number(pool, OF_OLD_KEY).await, 2);
    assert_eq!(keyed().await, before);
    let standing = token_key::standing(pool).await.unwrap();
    assert_eq!((standing.present, standing.next), (None, Some(2)));
    assert_eq!(kept(pool).await, tokens(2));
    of_one.send(2, vec![sent(Some(2), 1)]).await;
    let heard = of_one.hear().await.unwrap();
    assert!(
        matches!(heard, sync_response::Message::Ack(_)),
        "work goes on: {heard:?}"
    );

    assert!(matches!(retire(pool, 0).await, Retirement::Done(_)));
    assert_ne!(keyed().await, before);
    assert_eq!(number(pool, FINDINGS).await, found);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_office_moves_its_own_cases_alone() {
    let hub = Hub::start().await;
    let pool = &hub.db.pool;
    let honest = Agent::enrol(&hub, "hzgl").await;
    let hostile = Agent::enrol(&hub, "hzqt").await;
    begin_change(pool).await;
    let mut of_honest = open_with_next(&hub, &honest).await;
    let mut of_hostile = open_with_next(&hub, &hostile).await;
    hand_over(&mut of_honest, 1, sent(Some(2), 1)).await;
    // Of the same person it says another new token than the person's.
    let renamed = with_next(sent(None, 1), 2, [99, 12]);
    hand_over(&mut of_hostile, 1, renamed).await;

    assert!(matches!(retire(pool, 0).await, Retirement::Done(_)));
    let tokens: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT office_id, id_token FROM party ORDER BY office_id")
            .fetch_all(pool)
            .await
            .unwrap();
    let expected = [("hzgl", 11), ("hzqt", 99)];
    let expected = expected.map(|(office, token)| (office.to_owned(), vec![token; 16]));
    assert_eq!(tokens, expected);
    hub.app.stop().await.unwrap();
}
