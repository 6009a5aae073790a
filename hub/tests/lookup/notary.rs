//! A notary at an office's counter.

use notary_hub::alarm::Alarms;
use notary_hub::audit::checkpoint::VerifierKey;
use notary_hub::audit::export::Stored;
use notary_hub::audit::{Audit, Recorded, Verification, Verifier, key_file, walk};
use notary_hub::config;
use notary_hub::identity::Role;
use notary_hub::linking::model::Models;
use notary_hub::lookup::Lookup;
use notary_hub::rules::Rules;
use notary_hub::store;
use notary_hub::traffic::Traffic;
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Status};
use wire::{
    BatchCheckRequest, BatchCheckResponse, CheckApplicationRequest, CheckApplicationResponse,
    EndWatchRequest, FindPersonRequest, FindPersonResponse, ListWatchesRequest, LookupParty,
    LookupPurpose, LookupSubject, PartyRole, Sex, Watch, WatchMatterRequest, WatchMatterResponse,
};

use crate::record::{day, home, person};
use crate::support::hub::{Hub, Office};
use crate::support::seed::{Seed, notary, session};

/// A hub, and a notary of the office 杭州 with its certificate.
pub struct Counter {
    pub hub: Hub,
    pub office: Office,
    pub seed: Seed,
    pub channel: Channel,
    pub session: Option<String>,
}

impl Counter {
    pub async fn open() -> Self {
        Self::with("lookup.person_per_minute = 10000\nlookup.office_per_minute = 10000").await
    }

    pub async fn with(extra: &str) -> Self {
        let hub = Hub::with(&format!("limits.drain = '2s'\n{extra}")).await;
        let office = hub.enrol("hangzhou").await;
        crate::support::add_office(&hub.db.pool, "xiaoshan").await;
        Self {
            seed: Seed::new(&hub),
            channel: hub.agents(&office),
            session: Some(session(&hub, notary("hangzhou"))),
            office,
            hub,
        }
    }

    pub fn signed_in_as(&mut self, role: Role) {
        self.session = Some(session(&self.hub, role));
    }

    pub async fn ask(
        &self,
        question: CheckApplicationRequest,
    ) -> Result<CheckApplicationResponse, Status> {
        ask_through(self.channel.clone(), self.session.as_deref(), question).await
    }

    pub async fn answer(&self, question: CheckApplicationRequest) -> CheckApplicationResponse {
        self.ask(question).await.unwrap()
    }

    pub async fn batch(&self, request: BatchCheckRequest) -> Result<BatchCheckResponse, Status> {
        let mut client = LookupServiceClient::new(self.channel.clone());
        let request = signed(self.session.as_deref(), request);
        Ok(client.batch_check(request).await?.into_inner())
    }

    pub async fn find(&self, request: FindPersonRequest) -> Result<FindPersonResponse, Status> {
        let mut client = LookupServiceClient::new(self.channel.clone());
        let request = signed(self.session.as_deref(), request);
        Ok(client.find_person(request).await?.into_inner())
    }

    pub async fn watch(&self, request: WatchMatterRequest) -> Result<WatchMatterResponse, Status> {
        watch_through(self.channel.clone(), self.session.as_deref(), request).await
    }

    pub async fn watches(&self) -> Vec<Watch> {
        let mut client = LookupServiceClient::new(self.channel.clone());
        let request = signed(self.session.as_deref(), ListWatchesRequest {});
        client
            .list_watches(request)
            .await
            .unwrap()
            .into_inner()
            .watches
    }

    pub async fn end_watch(&self, watch_id: &str) -> Result<(), Status> {
        let mut client = LookupServiceClient::new(self.channel.clone());
        let watch_id = watch_id.to_owned();
        let request = signed(self.session.as_deref(), EndWatchRequest { watch_id });
        client.end_watch(request).await.map(drop)
    }

    /// The whole log, but for who was enrolled.
    pub async fn log(&self) -> Vec<Recorded> {
        let log = store::audit::after(&self.hub.db.pool, 0, 10_000).await;
        let mut log = log.unwrap();
        log.retain(|entry| entry.action != "enrolment.enrol");
        log
    }

    pub async fn verify(&self) -> Verification {
        let pool = &self.hub.db.pool;
        let chain = store::audit::chain(pool).await.unwrap();
        let verifier = Verifier::new(chain, &[]);
        walk::walk(&mut Stored::after(pool, 0), verifier)
            .await
            .unwrap()
    }

    /// The use case itself, with what writes its log until that is aborted.
    pub fn lookup(&self) -> (Lookup, JoinHandle<()>) {
        let url = &self.hub.db.url;
        let key = key_file::load_or_make(&self.hub.keys.config).unwrap();
        let (audit, log) = Audit::new(store::pool::audit(url).unwrap(), key.into());
        let pools = store::pool::lookups(url, 2).unwrap();
        let config = config::Lookup::default();
        let alarms = Alarms::new(pools.hub.clone(), audit.clone(), config.alarm.clone());
        let (rules, models) = (Rules::shipped(), Models::default());
        let lookup = Lookup::new(
            pools,
            audit,
            rules,
            models,
            alarms,
            Traffic::default(),
            &config,
        );
        (lookup, tokio::spawn(log.run(CancellationToken::new())))
    }

    /// By which the hub's signatures are known.
    pub fn key(&self) -> [VerifierKey; 1] {
        let key = key_file::load_or_make(&self.hub.keys.config).unwrap();
        [key.verifier().clone()]
    }
}

/// A notary of another office at the same hub.
pub struct Colleague {
    channel: Channel,
    session: String,
}

impl Colleague {
    pub async fn of(hub: &Hub, office_id: &str) -> Self {
        let office = hub.enrol(office_id).await;
        Self {
            channel: hub.agents(&office),
            session: session(hub, notary(office_id)),
        }
    }

    pub async fn answer(&self, question: CheckApplicationRequest) -> CheckApplicationResponse {
        ask_through(self.channel.clone(), Some(&self.session), question)
            .await
            .unwrap()
    }

    pub async fn watch(&self, request: WatchMatterRequest) -> Result<WatchMatterResponse, Status> {
        watch_through(self.channel.clone(), Some(&self.session), request).await
    }
}

async fn watch_through(
    channel: Channel,
    session: Option<&str>,
    request: WatchMatterRequest,
) -> Result<WatchMatterResponse, Status> {
    let mut client = LookupServiceClient::new(channel);
    let put = client.watch_matter(signed(session, request)).await?;
    Ok(put.into_inner())
}

async fn ask_through(
    channel: Channel,
    session: Option<&str>,
    question: CheckApplicationRequest,
) -> Result<CheckApplicationResponse, Status> {
    let request = signed(session, question);
    let mut client = LookupServiceClient::new(channel);
    Ok(client.check_application(request).await?.into_inner())
}

fn signed<T>(session: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(session) = session {
        let bearer = format!("Bearer {session}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    request
}

/// A question about a matter, before acceptance.
pub fn about(
    matter_type: &str,
    parties: Vec<LookupParty>,
    subjects: Vec<LookupSubject>,
) -> CheckApplicationRequest {
    CheckApplicationRequest {
        purpose: LookupPurpose::BeforeAcceptance.into(),
        case_reference: "2024-接-1".to_owned(),
        matter_type: matter_type.to_owned(),
        parties,
        subjects,
        ..CheckApplicationRequest::default()
    }
}

/// The person whose verified number is told by `number`, as in [`person`].
pub fn who(role: PartyRole, number: u8) -> LookupParty {
    LookupParty {
        role: role.into(),
        identifier: person(role, number).identifier,
        ..LookupParty::default()
    }
}

/// Somebody of whom no number is known.
pub fn known_as(role: PartyRole, name: &str, born: &str) -> LookupParty {
    LookupParty {
        role: role.into(),
        name: name.to_owned(),
        birth_day: Some(day(born)),
        sex: Sex::Male.into(),
        phone_token: vec![9; 16],
        ..LookupParty::default()
    }
}

pub fn thing(number: u8) -> LookupSubject {
    let home = home(number);
    LookupSubject {
        kind: home.kind,
        token: home.token,
    }
}

/// The same with a number whose check digit fails, beside what else is known.
pub fn mistyped(role: PartyRole, number: u8) -> LookupParty {
    let identifier = who(role, number).identifier;
    LookupParty {
        identifier: identifier.map(|identifier| wire::IdentifierToken {
            verified: false,
            ..identifier
        }),
        ..known_as(role, "张三", "1961-03-07")
    }
}
