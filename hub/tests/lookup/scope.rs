//! Who may call what of the services that answer notaries, and the database behind those checks.

use std::pin::Pin;

use linkage::matter::MatterType;
use linkage::vocabulary::PartyRole as Standing;
use notary_hub::audit::{Audit, key_file};
use notary_hub::details::{Answer, Details, DetailsError, Outcome, Request as Asked, Side};
use notary_hub::identity::Role;
use notary_hub::lookup::Asker;
use notary_hub::lookup::disclosure;
use notary_hub::rules::{Edition, Rules};
use notary_hub::store;
use notary_hub::store::lookup::{Opened, Wanted};
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::PartyRole;
use notary_proto::hub::v1::details_service_client::DetailsServiceClient;
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::details::{City, city};
use crate::notary::{Counter, about, who};
use crate::record::{case, person};
use crate::support::hub::reason;
use crate::support::seed::{notary, session};

type Called = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// A method with a request that is in order, and what it says to who may call it.
struct Method {
    name: &'static str,
    call: fn(Channel, Option<String>) -> Called,
    allowed: Result<(), &'static str>,
}

fn with<T>(session: Option<String>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(session) = session {
        let bearer = format!("Bearer {session}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    request
}

const METHODS: &[Method] = &[
    Method {
        name: "CheckApplication",
        call: |channel, session| {
            Box::pin(async move {
                let question = about("mandate", vec![who(PartyRole::Principal, 1)], vec![]);
                let mut client = LookupServiceClient::new(channel);
                client
                    .check_application(with(session, question))
                    .await
                    .map(drop)
            })
        },
        allowed: Ok(()),
    },
    Method {
        name: "BatchCheck",
        call: |channel, session| {
            Box::pin(async move {
                let request = wire::BatchCheckRequest {
                    purpose: wire::LookupPurpose::BeforeAcceptance.into(),
                    case_reference: "2024-接-1".to_owned(),
                    matter_type: "mandate".to_owned(),
                    parties: vec![who(PartyRole::Principal, 1), who(PartyRole::Agent, 2)],
                    ..wire::BatchCheckRequest::default()
                };
                let mut client = LookupServiceClient::new(channel);
                client.batch_check(with(session, request)).await.map(drop)
            })
        },
        allowed: Ok(()),
    },
    Method {
        name: "FindPerson",
        call: |channel, session| {
            Box::pin(async move {
                let request = wire::FindPersonRequest {
                    purpose: wire::LookupPurpose::BeforeAcceptance.into(),
                    case_reference: "2024-接-1".to_owned(),
                    matter_type: "mandate".to_owned(),
                    person: Some(who(PartyRole::Principal, 1)),
                };
                let mut client = LookupServiceClient::new(channel);
                client.find_person(with(session, request)).await.map(drop)
            })
        },
        allowed: Ok(()),
    },
    Method {
        name: "WatchMatter",
        call: |channel, session| {
            Box::pin(async move {
                let request = wire::WatchMatterRequest {
                    purpose: wire::LookupPurpose::BeforeAcceptance.into(),
                    case_reference: "2024-接-1".to_owned(),
                    matter_type: "birth".to_owned(),
                    parties: vec![who(PartyRole::Applicant, 1)],
                    ..wire::WatchMatterRequest::default()
                };
                let mut client = LookupServiceClient::new(channel);
                client.watch_matter(with(session, request)).await.map(drop)
            })
        },
        allowed: Ok(()),
    },
    Method {
        name: "ListWatches",
        call: |channel, session| {
            Box::pin(async move {
                let mut client = LookupServiceClient::new(channel);
                let request = with(session, wire::ListWatchesRequest {});
                client.list_watches(request).await.map(drop)
            })
        },
        allowed: Ok(()),
    },
    Method {
        name: "EndWatch",
        call: |channel, session| {
            Box::pin(async move {
                let watch_id = Uuid::new_v4().to_string();
                let request = with(session, wire::EndWatchRequest { watch_id });
                let mut client = LookupServiceClient::new(channel);
                client.end_watch(request).await.map(drop)
            })
        },
        allowed: Err("WATCH_UNKNOWN"),
    },
    Method {
        name: "RequestDetails",
        call: |channel, session| {
            Box::pin(async move {
                let request = wire::RequestDetailsRequest {
                    request_id: Uuid::new_v4().to_string(),
                    audit_entry: 1_000_000,
                    hit: 0,
                    question: "请核实。".to_owned(),
                };
                let mut client = DetailsServiceClient::new(channel);
                client
                    .request_details(with(session, request))
                    .await
                    .map(drop)
            })
        },
        allowed: Err("DETAILS_NOT_TOLD"),
    },
    Method {
        name: "ListDetailsRequests",
        call: |channel, session| {
            Box::pin(async move {
                let request = wire::ListDetailsRequestsRequest {
                    side: wire::DetailsSide::AskedOfUs.into(),
                    cursor: String::new(),
                    limit: 0,
                };
                let mut client = DetailsServiceClient::new(channel);
                client
                    .list_details_requests(with(session, request))
                    .await
                    .map(drop)
            })
        },
        allowed: Ok(()),
    },
    Method {
        name: "AnswerDetails",
        call: |channel, session| {
            Box::pin(async move {
                let request = wire::AnswerDetailsRequest {
                    request_id: Uuid::new_v4().to_string(),
                    outcome: wire::DetailsOutcome::Verified.into(),
                    answer: "属实。".to_owned(),
                };
                let mut client = DetailsServiceClient::new(channel);
                client
                    .answer_details(with(session, request))
                    .await
                    .map(drop)
            })
        },
        allowed: Err("DETAILS_UNKNOWN"),
    },
];

#[tokio::test]
async fn a_notary_of_the_certificates_office_may_call_each_method_and_nobody_else_any() {
    let counter = Counter::open().await;
    let hub = &counter.hub;
    let own = Some(session(hub, notary("hangzhou")));
    for method in METHODS {
        let refused = |outcome: Result<(), Status>| outcome.map_err(|status| reason(&status));
        let call = async |session| refused((method.call)(counter.channel.clone(), session).await);
        let name = method.name;
        let allowed = method.allowed.map_err(str::to_owned);
        assert_eq!(call(own.clone()).await, allowed, "{name}");
        for (role, expected) in [
            (notary("xiaoshan"), "OFFICE_MISMATCH"),
            (Role::Analyst, "PERMISSION_DENIED"),
            (Role::Supervisor, "PERMISSION_DENIED"),
            (Role::Operator, "PERMISSION_DENIED"),
        ] {
            let said = call(Some(session(hub, role))).await;
            assert_eq!(said, Err(expected.to_owned()), "{name} {role:?}");
        }
        assert_eq!(
            call(None).await,
            Err("UNAUTHENTICATED".to_owned()),
            "{name}"
        );
        // Without a certificate of an office there is no such service.
        let outside = (method.call)(hub.people(), own.clone()).await.unwrap_err();
        assert_eq!(outside.code(), tonic::Code::Unimplemented, "{name}");
    }
}

#[tokio::test]
async fn without_the_check_a_look_up_still_finds_no_sealed_matter_but_the_decedents() {
    let counter = Counter::open().await;
    let there = vec![
        case("W").parties(vec![person(PartyRole::Testator, 1)]),
        case("M")
            .matter("mandate")
            .parties(vec![person(PartyRole::Principal, 1)]),
    ];
    counter.seed.office(&counter.hub, "xiaoshan", there).await;
    let pool = store::pool::lookups(&counter.hub.db.url, 2).unwrap();
    let will: MatterType = "will".parse().unwrap();
    let found = async |decedents: &[u8]| {
        let opened = |&n: &u8| Opened {
            matter_type: will,
            holder: Standing::Testator,
            token: [n; 16].into(),
        };
        // Nothing is said to be closed.
        let wanted = Wanted {
            party_tokens: vec![[1; 16].into()],
            opened: decedents.iter().map(opened).collect(),
            ..Wanted::default()
        };
        let reading = store::scope::look_up(&pool, &wanted.holders()).await;
        let mut reading = reading.unwrap();
        let found = store::lookup::find(&mut reading, &wanted, 10).await;
        let (found, _) = found.unwrap();
        let mut keys: Vec<String> = found.into_iter().map(|case| case.source_case_id).collect();
        keys.sort();
        keys
    };
    assert_eq!(found(&[]).await, ["M"]);
    assert_eq!(found(&[2]).await, ["M"], "of somebody else");
    assert_eq!(found(&[1, 2]).await, ["M", "W"]);
    let seals = disclosure::seals(&Edition::shipped().rules);
    let inheritance = "inheritance".parse().unwrap();
    assert!(
        seals.contains(&(will, inheritance)),
        "the rules seal what the policy does"
    );
}

#[tokio::test]
async fn without_the_check_a_notary_still_has_no_part_in_what_other_offices_ask_each_other() {
    let City {
        mut asking,
        audit_entry,
        counter,
        ..
    } = city().await;
    let asked = crate::details::question(audit_entry);
    asking.ask(asked.clone()).await.unwrap();
    let pool = store::pool::audit(&counter.hub.db.url).unwrap();
    let key = key_file::load_or_make(&counter.hub.keys.config).unwrap();
    let (audit, log) = Audit::new(pool, key.into());
    let writing = tokio::spawn(log.run(CancellationToken::new()));
    let details = Details::new(counter.hub.db.pool.clone(), audit, Rules::shipped());
    // A notary of yuhang whom the hub takes for one of either office.
    for office in ["hangzhou", "xiaoshan"] {
        let mut asker = Asker::new(Uuid::now_v7(), "yuhang".parse().unwrap());
        asker.office_id = office.parse().unwrap();
        for side in [Side::AskedByUs, Side::AskedOfUs] {
            let listed = details.list(asker, side, None, 10).await.unwrap();
            assert!(listed.is_empty(), "{office} {side:?}");
        }
        let answer = Answer::parse(&asked.request_id, Outcome::Verified, "属实。").unwrap();
        let said = details.answer(asker, answer).await.unwrap_err();
        assert!(matches!(said, DetailsError::NoSuchRequest), "{said}");
        let request = Asked::parse(&Uuid::new_v4().to_string(), audit_entry, 0, "？").unwrap();
        let said = details.request(asker, request).await.unwrap_err();
        assert!(matches!(said, DetailsError::NotTold), "{said}");
    }
    writing.abort();
}
