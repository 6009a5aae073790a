//! A hub whose every answer on the stream is the test's.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use notary_proto::hub::v1::certificate_service_server::{
    CertificateService, CertificateServiceServer,
};
use notary_proto::hub::v1::enrollment_service_server::{
    EnrollmentService, EnrollmentServiceServer,
};
use notary_proto::hub::v1::filing_service_server::{FilingService, FilingServiceServer};
use notary_proto::hub::v1::sync_request::Message as FromAgent;
use notary_proto::hub::v1::sync_response::Message as ToAgent;
use notary_proto::hub::v1::sync_service_server::{SyncService, SyncServiceServer};
use notary_proto::hub::v1::{
    Ack, Batch, DigestRequest, DigestResponse, EnrollRequest, EnrollResponse, Hello, RecordReject,
    RenewRequest, RenewResponse, SubmitFilingRequest, SubmitFilingResponse, SyncLimits,
    SyncRequest, SyncResponse, TokenAlgorithm, TokenKey, Welcome,
};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use super::authority::Authority;

pub struct Hub {
    pub authority: Arc<Authority>,
    pub people: SocketAddr,
    pub agents: SocketAddr,
    pub service: Service,
    streams: mpsc::Receiver<Stream>,
}

/// One stream of an agent, from the hub's side.
pub struct Stream {
    from_agent: Streaming<SyncRequest>,
    to_agent: mpsc::Sender<Result<SyncResponse, Status>>,
}

#[derive(Clone)]
pub struct Service {
    authority: Arc<Authority>,
    streams: mpsc::Sender<Stream>,
    /// Keys that asked to be enrolled.
    pub csrs: Arc<Mutex<Vec<Vec<u8>>>>,
    /// What the next enrolment hears instead of its answer, after the hub did its part.
    pub not_enrolled: Arc<Mutex<Option<Status>>>,
    /// The token key that is to follow.
    pub next_token_key: Arc<Mutex<Option<TokenKey>>>,
    /// What was filed.
    pub filings: Arc<Mutex<Vec<SubmitFilingRequest>>>,
}

impl Hub {
    pub async fn start() -> Self {
        Self::named("localhost").await
    }

    /// A hub whose certificate is made out to `name`.
    pub async fn named(name: &str) -> Self {
        Self::speaking(name, SyncServiceServer::new).await
    }

    /// A hub that answers `SyncService` as `sync` does.
    pub async fn speaking<S>(name: &str, sync: impl Fn(Service) -> S) -> Self
    where
        S: tower::Service<http::Request<tonic::body::Body>, Error = std::convert::Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        let authority = Arc::new(Authority::new());
        let (sender, streams) = mpsc::channel(8);
        let service = Service {
            authority: Arc::clone(&authority),
            streams: sender,
            csrs: Arc::default(),
            not_enrolled: Arc::default(),
            next_token_key: Arc::default(),
            filings: Arc::default(),
        };
        let router = Routes::default()
            .add_service(sync(service.clone()))
            .add_service(EnrollmentServiceServer::new(service.clone()))
            .add_service(CertificateServiceServer::new(service.clone()))
            .add_service(FilingServiceServer::new(service.clone()))
            .into_axum_router();
        Self {
            people: listen(authority.tls(name, false), router.clone()).await,
            agents: listen(authority.tls(name, true), router).await,
            authority,
            service,
            streams,
        }
    }

    /// The next stream that an agent opens.
    pub async fn stream(&mut self) -> Stream {
        self.streams.recv().await.unwrap()
    }

    /// The next stream, welcomed; with the agent's Hello.
    pub async fn welcomed(&mut self, committed: u64) -> (Stream, Hello) {
        let mut stream = self.stream().await;
        let hello = stream.hello().await;
        stream.send(ToAgent::Welcome(welcome(committed))).await;
        (stream, hello)
    }
}

pub fn welcome(committed_sequence: u64) -> Welcome {
    Welcome {
        committed_sequence,
        token_key_id: 1,
        token_algorithm: TokenAlgorithm::HmacSha256.into(),
        limits: Some(SyncLimits {
            max_batch_records: 3,
            max_batch_bytes: 100_000,
            max_unacked_batches: 2,
        }),
        hub_version: "0.0.0".to_owned(),
        sent_at: None,
        hub_epoch: "hub-1".to_owned(),
        next_token_key_id: 0,
    }
}

impl Stream {
    pub async fn hello(&mut self) -> Hello {
        match self.from_agent.message().await.unwrap().unwrap().message {
            Some(FromAgent::Hello(hello)) => hello,
            other => panic!("{other:?}"),
        }
    }

    pub async fn batch(&mut self) -> Batch {
        match self.from_agent.message().await.unwrap().unwrap().message {
            Some(FromAgent::Batch(batch)) => batch,
            other => panic!("{other:?}"),
        }
    }

    /// Takes batches until a sequence is there; returns the keys of the cases.
    pub async fn keys_until(&mut self, last: u64) -> Vec<String> {
        let mut keys = Vec::new();
        loop {
            let batch = self.batch().await;
            let end = batch.first_sequence + batch.records.len() as u64 - 1;
            keys.extend(super::agent::keys(&batch));
            self.ack(end).await;
            if end >= last {
                return keys;
            }
        }
    }

    pub async fn send(&self, message: ToAgent) {
        let message = Some(message);
        self.to_agent
            .send(Ok(SyncResponse { message }))
            .await
            .unwrap();
    }

    pub async fn ack(&self, committed_sequence: u64) {
        self.ack_but(committed_sequence, Vec::new()).await;
    }

    pub async fn ack_but(&self, committed_sequence: u64, rejects: Vec<RecordReject>) {
        self.send(ToAgent::Ack(Ack {
            committed_sequence,
            rejects,
        }))
        .await;
    }

    pub async fn end(self, status: Status) {
        self.to_agent.send(Err(status)).await.unwrap();
    }

    /// Whether the agent has ended the stream.
    pub async fn is_left(&mut self) -> bool {
        !matches!(self.from_agent.message().await, Ok(Some(_)))
    }
}

#[tonic::async_trait]
impl SyncService for Service {
    type SyncStream = ReceiverStream<Result<SyncResponse, Status>>;

    async fn sync(
        &self,
        request: Request<Streaming<SyncRequest>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let (to_agent, responses) = mpsc::channel(64);
        let from_agent = request.into_inner();
        let stream = Stream {
            from_agent,
            to_agent,
        };
        let gone = |_| Status::unavailable("the test is over");
        self.streams.send(stream).await.map_err(gone)?;
        Ok(Response::new(ReceiverStream::new(responses)))
    }

    async fn digest(&self, _: Request<DigestRequest>) -> Result<Response<DigestResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

#[tonic::async_trait]
impl EnrollmentService for Service {
    async fn enroll(
        &self,
        request: Request<EnrollRequest>,
    ) -> Result<Response<EnrollResponse>, Status> {
        let csr = request.into_inner().csr_der;
        let chain = self.authority.certify(&csr);
        self.csrs.lock().unwrap().push(csr);
        if let Some(instead) = self.not_enrolled.lock().unwrap().take() {
            return Err(instead);
        }
        Ok(Response::new(EnrollResponse {
            office_id: "hzgl".to_owned(),
            office_name: "杭州市某某公证处".to_owned(),
            certificate_chain_der: chain,
            trust_anchors_der: vec![self.authority.certificate.to_vec()],
            token_key: Some(TokenKey {
                key_id: 1,
                algorithm: TokenAlgorithm::HmacSha256.into(),
                secret: vec![7; 32],
            }),
            next_token_key: self.next_token_key.lock().unwrap().clone(),
        }))
    }
}

#[tonic::async_trait]
impl CertificateService for Service {
    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        Ok(Response::new(RenewResponse {
            certificate_chain_der: self.authority.certify(&request.into_inner().csr_der),
            trust_anchors_der: vec![self.authority.certificate.to_vec()],
            next_token_key: self.next_token_key.lock().unwrap().clone(),
            ..RenewResponse::default()
        }))
    }
}

/// Takes whatever has a text.
#[tonic::async_trait]
impl FilingService for Service {
    async fn submit_filing(
        &self,
        request: Request<SubmitFilingRequest>,
    ) -> Result<Response<SubmitFilingResponse>, Status> {
        let filing = request.into_inner();
        if filing.text.is_empty() {
            return Err(Status::invalid_argument("text"));
        }
        self.filings.lock().unwrap().push(filing);
        Ok(Response::new(SubmitFilingResponse {
            due_day: Some(19_880),
            late: true,
            ..Default::default()
        }))
    }
}

async fn listen(tls: Arc<ServerConfig>, router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (tls, router) = (TlsAcceptor::from(Arc::clone(&tls)), router.clone());
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(socket).await else {
                    return;
                };
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
                    .await;
            });
        }
    });
    address
}
