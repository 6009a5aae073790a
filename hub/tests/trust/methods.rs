//! Who may call which method: every method of the contract, by every kind of caller, at both listeners. The methods are
//! those of the contract's descriptors, so that a new one fails here until it says whom it serves.

use std::collections::BTreeSet;
use std::time::Duration;

use http::uri::PathAndQuery;
use notary_hub::identity::Role;
use notary_hub::identity::pki::authority::ProvenKey;
use notary_hub::transport::{MAX_CALL_IN, MAX_MESSAGE_IN};
use notary_proto::DESCRIPTORS;
use notary_proto::hub::v1 as wire;
use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost_types::FileDescriptorSet;
use time::OffsetDateTime;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::requests;
use crate::support::hub::{Hub, Office};
use crate::support::seed::{notary, session};
use crate::support::{add_office, client, csr};

/// Whom a method serves.
#[derive(Clone, Copy, Debug)]
enum Door {
    /// Whoever comes to the people's listener.
    Anybody,
    /// Whoever has a session there.
    AnySession,
    /// An office's agent: the certificate says which, and a session changes nothing.
    Agent,
    /// An office's agent by itself, or for a notary of its office whose session it passes on.
    AgentOrNotary,
    /// An agent while the certificate has not ended long ago.
    AgentEvenLapsed,
    /// A notary of the certificate's office, with both.
    Notary,
}

/// A method, with a request that is in order but for what the answer says.
struct Method {
    name: &'static str,
    door: Door,
    request: fn() -> Vec<u8>,
    /// What they hear whom it serves: `OK` or a reason.
    answer: &'static str,
}

const METHODS: &[Method] = &[
    Method {
        name: "EnrollmentService/Enroll",
        door: Door::Anybody,
        request: || {
            let request = wire::EnrollRequest {
                join_token: "made-up".to_owned(),
                csr_der: csr().1,
            };
            request.encode_to_vec()
        },
        answer: "JOIN_TOKEN_INVALID",
    },
    Method {
        name: "SessionService/CreateSession",
        door: Door::Anybody,
        request: || {
            let request = wire::CreateSessionRequest {
                // Another each time: nobody is guessed at often.
                login: format!("nobody-{}", Uuid::new_v4()),
                password: "wrong horse battery".to_owned(),
                otp: String::new(),
            };
            request.encode_to_vec()
        },
        answer: "SIGN_IN_REFUSED",
    },
    Method {
        name: "SessionService/DeleteSession",
        door: Door::AnySession,
        request: || wire::DeleteSessionRequest {}.encode_to_vec(),
        answer: "OK",
    },
    Method {
        name: "CertificateService/Renew",
        door: Door::AgentEvenLapsed,
        request: || wire::RenewRequest { csr_der: csr().1 }.encode_to_vec(),
        answer: "OK",
    },
    Method {
        name: "SyncService/Sync",
        door: Door::Agent,
        request: || hello("hangzhou"),
        answer: "OK",
    },
    // For another office than the certificate's.
    Method {
        name: "SyncService/Sync",
        door: Door::Agent,
        request: || hello("xiaoshan"),
        answer: "OFFICE_MISMATCH",
    },
    Method {
        name: "SyncService/Digest",
        door: Door::Agent,
        request: || wire::DigestRequest::default().encode_to_vec(),
        answer: "OK",
    },
    Method {
        name: "FilingService/SubmitFiling",
        door: Door::AgentOrNotary,
        request: || {
            let request = wire::SubmitFilingRequest {
                filing_id: Uuid::new_v4().to_string(),
                kind: wire::FilingKind::Refusal.into(),
                source_case_id: "C1".to_owned(),
                text: "申请事项不属于公证机构业务范围。".to_owned(),
                ..Default::default()
            };
            request.encode_to_vec()
        },
        answer: "OK",
    },
    Method {
        name: "LookupService/CheckApplication",
        door: Door::Notary,
        request: requests::check,
        answer: "OK",
    },
    Method {
        name: "LookupService/BatchCheck",
        door: Door::Notary,
        request: requests::batch_check,
        answer: "OK",
    },
    Method {
        name: "LookupService/FindPerson",
        door: Door::Notary,
        request: requests::find_person,
        answer: "OK",
    },
    Method {
        name: "LookupService/WatchMatter",
        door: Door::Notary,
        request: requests::watch_matter,
        answer: "OK",
    },
    Method {
        name: "LookupService/ListWatches",
        door: Door::Notary,
        request: || wire::ListWatchesRequest {}.encode_to_vec(),
        answer: "OK",
    },
    Method {
        name: "LookupService/EndWatch",
        door: Door::Notary,
        request: || requests::end_watch(Uuid::new_v4()),
        answer: "WATCH_UNKNOWN",
    },
    Method {
        name: "DetailsService/RequestDetails",
        door: Door::Notary,
        request: || requests::request_details(1_000_000),
        answer: "DETAILS_NOT_TOLD",
    },
    Method {
        name: "DetailsService/ListDetailsRequests",
        door: Door::Notary,
        request: requests::list_details_requests,
        answer: "OK",
    },
    Method {
        name: "DetailsService/AnswerDetails",
        door: Door::Notary,
        request: || requests::answer_details(Uuid::new_v4()),
        answer: "DETAILS_UNKNOWN",
    },
];

fn hello(office_id: &str) -> Vec<u8> {
    let hello = wire::Hello {
        agent_version: "0.1.0".to_owned(),
        // Newer than any before.
        epoch: Uuid::now_v7().to_string(),
        office_id: office_id.to_owned(),
        ..Default::default()
    };
    let message = Some(wire::sync_request::Message::Hello(hello));
    wire::SyncRequest { message }.encode_to_vec()
}

/// How somebody comes.
#[derive(Clone, Copy, Debug)]
enum Way {
    People,
    /// With the certificate of hangzhou.
    Agents,
    /// With one of hangzhou that ended a week ago.
    AgentsLapsed,
}

/// What somebody shows beside the certificate.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Nothing,
    Forgery,
    SessionOf(Role),
}

/// What a caller hears, in the order in which it is decided.
fn expected(method: &Method, way: Way, shown: Shown) -> &'static str {
    const NO_SUCH_SERVICE: &str = "Unimplemented";
    match (method.door, way) {
        (Door::Anybody, Way::People) | (Door::AgentEvenLapsed, Way::Agents | Way::AgentsLapsed) => {
            method.answer
        }
        (Door::AnySession, Way::People) => match shown {
            Shown::SessionOf(_) => method.answer,
            Shown::Nothing | Shown::Forgery => "UNAUTHENTICATED",
        },
        (Door::Agent, Way::Agents) => method.answer,
        (Door::AgentOrNotary, Way::Agents) if matches!(shown, Shown::Nothing) => method.answer,
        (Door::AgentOrNotary | Door::Notary, Way::Agents) => match shown {
            Shown::SessionOf(Role::Notary(office)) if office.as_str() == "hangzhou" => {
                method.answer
            }
            Shown::SessionOf(Role::Notary(_)) => "OFFICE_MISMATCH",
            Shown::SessionOf(_) => "PERMISSION_DENIED",
            Shown::Nothing | Shown::Forgery => "UNAUTHENTICATED",
        },
        (Door::Agent | Door::AgentOrNotary | Door::Notary, Way::AgentsLapsed) => {
            "CERTIFICATE_ENDED"
        }
        (Door::Anybody | Door::AnySession, Way::Agents | Way::AgentsLapsed)
        | (Door::Agent | Door::AgentOrNotary | Door::AgentEvenLapsed | Door::Notary, Way::People) => {
            NO_SUCH_SERVICE
        }
    }
}

/// Bytes as they are; of what comes back nothing.
#[derive(Clone, Copy, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}

async fn call(channel: Channel, bearer: Option<String>, method: &Method) -> Result<(), Status> {
    let mut request = Request::new((method.request)());
    if let Some(bearer) = bearer {
        let bearer = format!("Bearer {bearer}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    send(channel, request, method).await
}

/// One message to its end, as a stream of one is the same as a single one on the wire.
async fn send(channel: Channel, request: Request<Vec<u8>>, method: &Method) -> Result<(), Status> {
    let request = request.map(tokio_stream::once);
    let path = PathAndQuery::try_from(format!("/notary.hub.v1.{}", method.name)).unwrap();
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let mut answers = grpc.streaming(request, path, Plain).await?.into_inner();
    while answers.message().await?.is_some() {}
    Ok(())
}

fn said(outcome: &Result<(), Status>) -> String {
    match outcome {
        Ok(()) => "OK".to_owned(),
        Err(status) => match status.get_error_details().error_info() {
            Some(info) => info.reason.clone(),
            None => format!("{:?}", status.code()),
        },
    }
}

/// A channel with a certificate of hangzhou's that ended, but within the grace.
fn lapsed(hub: &Hub) -> Channel {
    let (key, csr_der) = csr();
    let proven = ProvenKey::from_csr(&csr_der).unwrap();
    let last_week = OffsetDateTime::now_utc() - Duration::from_secs(7 * 24 * 3600);
    let ended =
        hub.keys
            .pki
            .authority
            .certify_office("hangzhou".parse().unwrap(), &proven, last_week);
    let identity = Some((vec![ended.unwrap().der], key.serialize_der()));
    let config = client::config(client::ca(&hub.keys), identity, &[b"h2"]);
    client::channel(hub.app.addresses().agents, config)
}

#[tokio::test]
async fn every_method_serves_whom_it_is_for_and_nobody_else() {
    let hub = Hub::start().await;
    let office = hub.enrol("hangzhou").await;
    add_office(&hub.db.pool, "xiaoshan").await;
    let ways = [
        (Way::People, hub.people()),
        (Way::Agents, hub.agents(&office)),
        (Way::AgentsLapsed, lapsed(&hub)),
    ];
    let shows = [
        Shown::Nothing,
        Shown::Forgery,
        Shown::SessionOf(notary("hangzhou")),
        Shown::SessionOf(notary("xiaoshan")),
        Shown::SessionOf(Role::Analyst),
        Shown::SessionOf(Role::Supervisor),
        Shown::SessionOf(Role::Operator),
    ];
    for method in METHODS {
        for (way, channel) in &ways {
            for shown in shows {
                // Anew each time, for one method ends it.
                let bearer = match shown {
                    Shown::Nothing => None,
                    Shown::Forgery => Some("made.up.token".to_owned()),
                    Shown::SessionOf(role) => Some(session(&hub, role)),
                };
                let outcome = call(channel.clone(), bearer, method).await;
                let expected = expected(method, *way, shown);
                assert_eq!(
                    said(&outcome),
                    expected,
                    "{} {way:?} {shown:?}: {outcome:?}",
                    method.name
                );
            }
        }
    }
}

/// The listener at which the method is served to somebody.
fn door(hub: &Hub, office: &Office, method: &Method) -> Channel {
    match method.door {
        Door::Anybody | Door::AnySession => hub.people(),
        Door::Agent | Door::AgentOrNotary | Door::AgentEvenLapsed | Door::Notary => {
            hub.agents(office)
        }
    }
}

#[tokio::test]
async fn no_method_takes_a_message_beyond_its_limit_or_compressed_as_it_was_not_agreed() {
    let hub = Hub::start().await;
    let office = hub.enrol("hangzhou").await;
    for method in METHODS {
        let (most, refused) = match method.name {
            "SyncService/Sync" => (MAX_MESSAGE_IN, "BATCH_TOO_LARGE"),
            _ => (MAX_CALL_IN, "OutOfRange"),
        };
        let beyond = Request::new(vec![0; most + 1]);
        let outcome = send(door(&hub, &office, method), beyond, method).await;
        assert_eq!(said(&outcome), refused, "{}: {outcome:?}", method.name);
        let mut packed = Request::new((method.request)());
        let gzip = "gzip".parse().unwrap();
        packed.metadata_mut().insert("grpc-encoding", gzip);
        let outcome = send(door(&hub, &office, method), packed, method).await;
        assert_eq!(said(&outcome), "Unimplemented", "{}", method.name);
    }
}

/// The contract's methods, as its descriptors have them.
pub fn of_the_contract() -> BTreeSet<String> {
    let described = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let files = described.file.iter();
    let services = files
        .filter(|file| file.package() == "notary.hub.v1")
        .flat_map(|file| &file.service);
    services
        .flat_map(|service| {
            let methods = service.method.iter();
            methods.map(move |method| format!("{}/{}", service.name(), method.name()))
        })
        .collect()
}

#[test]
fn every_method_of_the_contract_says_whom_it_serves() {
    let expected = METHODS.iter().map(|method| method.name.to_owned());
    assert_eq!(expected.collect::<BTreeSet<_>>(), of_the_contract());
}
