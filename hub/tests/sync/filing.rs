//! Filings over the wire.

use notary_hub::store::{token_key, tx};
use notary_proto::hub::v1::filing_service_client::FilingServiceClient;
use notary_proto::hub::v1::{FilingKind, SubmitFilingRequest, SubmitFilingResponse};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::agent::{Agent, count};
use crate::support::hub::{Hub, reason};
use crate::support::seed::{notary, session_of};

fn filing(filing_id: Uuid) -> SubmitFilingRequest {
    SubmitFilingRequest {
        filing_id: filing_id.to_string(),
        kind: FilingKind::Refusal.into(),
        source_case_id: "C1".to_owned(),
        text: "申请事项不属于公证机构业务范围。".to_owned(),
        detail: String::new(),
    }
}

async fn submit(
    hub: &Hub,
    agent: &Agent,
    filing: SubmitFilingRequest,
) -> Result<SubmitFilingResponse, Status> {
    FilingServiceClient::new(hub.agents(&agent.office))
        .submit_filing(filing)
        .await
        .map(tonic::Response::into_inner)
}

const FILINGS: &str = "SELECT count(*) FROM filing";

#[tokio::test]
async fn the_same_filing_again_has_no_second_effect() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let filing_id = Uuid::new_v4();
    let first = submit(&hub, &agent, filing(filing_id)).await.unwrap();
    let second = submit(&hub, &agent, filing(filing_id)).await.unwrap();
    assert_eq!(first.recorded_at, second.recorded_at);
    // Other content is another filing, whatever id it bears.
    let mut other = filing(filing_id);
    other.text = "另一内容".to_owned();
    let status = submit(&hub, &agent, other).await.unwrap_err();
    assert_eq!(reason(&status), "FILING_ID_TAKEN");
    let unchanged = "SELECT count(*) FROM filing WHERE office_id = 'hzgl' AND kind = 'refusal'
                        AND source_case_id = 'C1' AND text LIKE '申请事项%'";
    assert_eq!(count(&hub.db.pool, unchanged).await, 1);
    assert_eq!(count(&hub.db.pool, FILINGS).await, 1);
    hub.app.stop().await.unwrap();
}

/// A declaration of one relative with a token that one digit stands for, under a key of the city's.
async fn declare(
    hub: &Hub,
    agent: &Agent,
    filing_id: Uuid,
    digit: char,
    key_id: Option<u32>,
) -> Result<SubmitFilingResponse, Status> {
    let token: String = std::iter::repeat_n(digit, 32).collect();
    let mut request = Request::new(SubmitFilingRequest {
        filing_id: filing_id.to_string(),
        kind: FilingKind::Recusal.into(),
        detail: format!(
            r#"{{"licence_no": "N1", "kin": [{{"relation": "parent", "token": "{token}"}}]}}"#
        ),
        ..Default::default()
    });
    if let Some(key_id) = key_id {
        let metadata = request.metadata_mut();
        metadata.insert("token-key-id", key_id.into());
    }
    let mut client = FilingServiceClient::new(hub.agents(&agent.office));
    let answer = client.submit_filing(request).await;
    answer.map(tonic::Response::into_inner)
}

/// The digits of the tokens that relatives are known by, and whether they are of a key that was given up.
async fn relatives(hub: &Hub) -> Vec<(char, bool)> {
    let tokens = "SELECT encode(token, 'hex'), outdated FROM recusal ORDER BY 1";
    let tokens: Vec<(String, bool)> = sqlx::query_as(tokens)
        .fetch_all(&hub.db.pool)
        .await
        .unwrap();
    let relatives = tokens.into_iter();
    relatives
        .map(|(token, outdated)| (token.chars().next().unwrap(), outdated))
        .collect()
}

/// As when the city goes over and no case of the office shows a relative's next token.
async fn none_is_known_under_the_next_key(hub: &Hub) {
    sqlx::query("UPDATE recusal SET outdated = true")
        .execute(&hub.db.pool)
        .await
        .unwrap();
}

async fn another_key_is_in_force(hub: &Hub) -> u32 {
    let id = token_key::begin(&hub.db.pool, 1, "hmac_sha256").await;
    let id = id.unwrap().expect("no change is under way");
    tx::tx(&hub.db.pool, "test.in_force", async |transaction| {
        token_key::put_in_force(transaction, id).await
    })
    .await
    .unwrap();
    id
}

#[tokio::test]
async fn the_same_filing_under_the_citys_next_token_key_is_no_second_one() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let filing_id = Uuid::new_v4();
    let first = declare(&hub, &agent, filing_id, 'a', None).await.unwrap();
    let taken = declare(&hub, &agent, filing_id, 'b', None).await;
    assert_eq!(reason(&taken.unwrap_err()), "FILING_ID_TAKEN");

    let next = another_key_is_in_force(&hub).await;
    // Whom the hub itself has put under the key in force is declared still: nobody drops a relative under an old id.
    let dropped = declare(&hub, &agent, filing_id, 'c', Some(next)).await;
    assert_eq!(reason(&dropped.unwrap_err()), "FILING_ID_TAKEN");
    none_is_known_under_the_next_key(&hub).await;
    let refused = declare(&hub, &agent, filing_id, 'a', Some(1)).await;
    assert_eq!(reason(&refused.unwrap_err()), "TOKEN_KEY_UNKNOWN");
    for _ in 0..2 {
        let again = declare(&hub, &agent, filing_id, 'c', Some(next)).await;
        assert_eq!(again.unwrap().recorded_at, first.recorded_at);
    }
    assert_eq!(count(&hub.db.pool, FILINGS).await, 1);
    assert_eq!(relatives(&hub).await, [('c', false)]);
    // Under one key, what has other tokens is other content.
    let taken = declare(&hub, &agent, filing_id, 'd', Some(next)).await;
    assert_eq!(reason(&taken.unwrap_err()), "FILING_ID_TAKEN");

    // A declaration that another one has replaced stands up no more.
    let later = Uuid::new_v4();
    declare(&hub, &agent, later, 'e', Some(next)).await.unwrap();
    let last = another_key_is_in_force(&hub).await;
    none_is_known_under_the_next_key(&hub).await;
    let again = declare(&hub, &agent, filing_id, 'f', Some(last)).await;
    again.unwrap();
    assert_eq!(relatives(&hub).await, [('e', true)]);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn two_offices_filings_never_meet() {
    let hub = Hub::start().await;
    let filing_id = Uuid::new_v4();
    for office in ["hzgl", "hzqt"] {
        let agent = Agent::enrol(&hub, office).await;
        submit(&hub, &agent, filing(filing_id)).await.unwrap();
    }
    assert_eq!(count(&hub.db.pool, FILINGS).await, 2);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_filing_of_no_known_kind_or_without_text_is_refused() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    for kind in [0, 99] {
        let unknown = SubmitFilingRequest {
            kind,
            ..filing(Uuid::new_v4())
        };
        let status = submit(&hub, &agent, unknown).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "FILING_KIND_UNKNOWN")
        );
    }
    let empty = SubmitFilingRequest {
        text: "  ".to_owned(),
        ..filing(Uuid::new_v4())
    };
    let status = submit(&hub, &agent, empty).await.unwrap_err();
    assert_eq!(reason(&status), "FIELD_INVALID");
    let numbered = SubmitFilingRequest {
        text: "当事人 11010519491231002X 不服".to_owned(),
        ..filing(Uuid::new_v4())
    };
    let status = submit(&hub, &agent, numbered).await.unwrap_err();
    assert_eq!(reason(&status), "NUMBER_IN_TEXT");
    assert!(!format!("{status:?}").contains("110105"));
    assert_eq!(count(&hub.db.pool, FILINGS).await, 0);
    hub.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_filing_in_a_notarys_session_is_that_notarys_and_is_recorded() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    submit(&hub, &agent, filing(Uuid::new_v4())).await.unwrap();
    let account = Uuid::now_v7();
    let bearer = format!("Bearer {}", session_of(&hub, account, notary("hzgl")));
    let mut request = Request::new(filing(Uuid::new_v4()));
    let bearer = bearer.parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let mut client = FilingServiceClient::new(hub.agents(&agent.office));
    client.submit_filing(request).await.unwrap();
    let filers: Vec<Option<Uuid>> =
        sqlx::query_scalar("SELECT filed_by FROM filing ORDER BY recorded_at")
            .fetch_all(&hub.db.pool)
            .await
            .unwrap();
    assert_eq!(filers, [None, Some(account)]);
    let recorded = "SELECT count(*) FROM audit_entry WHERE action = 'filing.submit'";
    assert_eq!(count(&hub.db.pool, recorded).await, 1);
    hub.app.stop().await.unwrap();
}
