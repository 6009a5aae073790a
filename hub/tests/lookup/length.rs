//! Whether an answer's length, which TLS does not hide, tells whoever listens on the way what was found.

use axum::body::Bytes;
use axum::http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use notary_proto::hub::v1 as wire;
use prost::Message;
use tonic::body::Body;
use tower::ServiceExt;
use wire::{
    BatchAnswer, BatchCheckRequest, BatchCheckResponse, CheckApplicationResponse,
    FindPersonRequest, FindPersonResponse, PartyRole, WatchMatterResponse,
};

use crate::notary::{Counter, about, who};
use crate::timing::{Person, counter};
use crate::watch::{estate, of_estate};

/// A message behind a byte on its compression and four of its length.
const PREFIX: usize = 5;

/// The headers of an answer, and what came over TLS behind them, of a call that would take it compressed.
async fn came(counter: &Counter, method: &str, question: &impl Message) -> (HeaderMap, Bytes) {
    let mut framed = vec![0];
    framed.extend(u32::try_from(question.encoded_len()).unwrap().to_be_bytes());
    framed.extend(question.encode_to_vec());
    let session = counter.session.as_ref().unwrap();
    let call = Request::post(format!("/notary.hub.v1.LookupService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-accept-encoding", "gzip,deflate,zstd")
        .header("authorization", format!("Bearer {session}"))
        .body(Body::new(Full::from(framed)))
        .unwrap();
    let answer = counter.channel.clone().oneshot(call).await.unwrap();
    let headers = answer.headers().clone();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (headers, body)
}

/// The answer, and how many bytes of it are neither feeds nor receipts: those grow with the city and the log, whatever is
/// found.
async fn answered<T: Message + Default>(
    counter: &Counter,
    method: &str,
    question: &impl Message,
    without: impl Fn(&T) -> T,
) -> (T, usize) {
    let (headers, body) = came(counter, method, question).await;
    assert!(!headers.contains_key("grpc-encoding"), "{headers:?}");
    assert_eq!(body[0], 0, "it is not compressed");
    let answer = T::decode(&body[PREFIX..]).unwrap();
    let told = body.len() - PREFIX - without(&answer).encoded_len();
    (answer, told)
}

fn only(lengths: &[usize]) -> usize {
    assert!(
        lengths.iter().all(|length| *length == lengths[0]),
        "{lengths:?}"
    );
    lengths[0]
}

#[tokio::test]
async fn nobody_a_hit_and_what_is_sealed_are_answered_at_one_length() {
    let counter = counter().await;
    let mut lengths = Vec::new();
    let mut found = Vec::new();
    for kind in Person::ALL {
        let party = who(PartyRole::Principal, kind.number(0));
        let question = about("mandate", vec![party], vec![]);
        let without = |answer: &CheckApplicationResponse| CheckApplicationResponse {
            feeds: answer.feeds.clone(),
            receipt: answer.receipt.clone(),
            ..Default::default()
        };
        let (answer, told) = answered(&counter, "CheckApplication", &question, without).await;
        found.push(answer.hits.len());
        lengths.push(told);
    }
    assert_eq!(found, [0, 1, 0, 1]);
    only(&lengths);
}

#[tokio::test]
async fn a_persons_matters_and_each_of_a_batch_are_answered_at_one_length() {
    let counter = counter().await;
    let (mut of_persons, mut of_batches) = (Vec::new(), Vec::new());
    for kind in Person::ALL {
        let party = who(PartyRole::Principal, kind.number(0));
        let asked = about("mandate", vec![party.clone(); 2], vec![]);
        let question = FindPersonRequest {
            purpose: asked.purpose,
            case_reference: asked.case_reference.clone(),
            matter_type: asked.matter_type.clone(),
            person: Some(party),
        };
        let without = |answer: &FindPersonResponse| FindPersonResponse {
            feeds: answer.feeds.clone(),
            receipt: answer.receipt.clone(),
            ..Default::default()
        };
        of_persons.push(answered(&counter, "FindPerson", &question, without).await.1);
        let question = BatchCheckRequest {
            purpose: asked.purpose,
            case_reference: asked.case_reference,
            matter_type: asked.matter_type,
            parties: asked.parties,
            ..Default::default()
        };
        let without = |answer: &BatchCheckResponse| BatchCheckResponse {
            answers: answer
                .answers
                .iter()
                .map(|one| BatchAnswer {
                    receipt: one.receipt.clone(),
                    ..Default::default()
                })
                .collect(),
            feeds: answer.feeds.clone(),
            ..Default::default()
        };
        of_batches.push(answered(&counter, "BatchCheck", &question, without).await.1);
    }
    // Of more things more may be told.
    assert!(only(&of_batches) > only(&of_persons));
}

#[tokio::test]
async fn a_standing_question_about_what_is_there_already_is_answered_at_the_length_of_any_other() {
    let counter = Counter::open().await;
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![estate("E1", 5)])
        .await;
    let mut lengths = Vec::new();
    let mut open = Vec::new();
    for decedent in [5, 6] {
        let without = |answer: &WatchMatterResponse| WatchMatterResponse {
            watch_id: answer.watch_id.clone(),
            expires_at: answer.expires_at,
            receipt: answer.receipt.clone(),
            ..Default::default()
        };
        let question = of_estate(decedent);
        let (answer, told) = answered(&counter, "WatchMatter", &question, without).await;
        open.push(answer.already_open);
        lengths.push(told);
    }
    assert_eq!(open, [1, 0]);
    only(&lengths);
}
