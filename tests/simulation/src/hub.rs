//! A model of the hub: the protocol and nothing else.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use notary_proto::hub::v1::sync_request::Message as Heard;
use notary_proto::hub::v1::sync_response::Message as Said;
use notary_proto::hub::v1::sync_service_server::{SyncService, SyncServiceServer};
use notary_proto::hub::v1::{
    Ack, Batch, DigestRequest, DigestResponse, Pause, Resend, SyncLimits, SyncRequest,
    SyncResponse, TokenAlgorithm, Welcome,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::ledger::{Shared, Taken};
use crate::{PORT, TOKEN_KEY};

type Answers = mpsc::Sender<Result<SyncResponse, Status>>;

/// Serves until the host crashes.
pub(crate) async fn serve(ledger: Shared, seed: u64) -> turmoil::Result {
    let listener = turmoil::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let api = Api { ledger, seed };
    let router = Routes::default()
        .add_service(SyncServiceServer::new(api))
        .into_axum_router();
    loop {
        let (socket, _) = listener.accept().await?;
        let router = router.clone();
        tokio::spawn(async move {
            // However the connection ends: the agent comes back.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router))
                .await;
        });
    }
}

struct Api {
    ledger: Shared,
    seed: u64,
}

#[tonic::async_trait]
impl SyncService for Api {
    type SyncStream = Pin<Box<dyn Stream<Item = Result<SyncResponse, Status>> + Send>>;

    async fn sync(
        &self,
        request: Request<Streaming<SyncRequest>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let (answers, answered) = mpsc::channel(8);
        let (ledger, seed) = (self.ledger.clone(), self.seed);
        tokio::spawn(async move {
            let ended = converse(ledger, seed, request.into_inner(), &answers).await;
            if let Err(status) = ended {
                // Nobody may be there to hear it.
                let _ = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
    }

    async fn digest(&self, _: Request<DigestRequest>) -> Result<Response<DigestResponse>, Status> {
        Err(Status::unimplemented("not simulated"))
    }
}

async fn converse(
    ledger: Shared,
    seed: u64,
    mut heard: Streaming<SyncRequest>,
    answers: &Answers,
) -> Result<(), Status> {
    let violated = |what: &str| {
        ledger.lock().violate(what.to_owned());
        Status::failed_precondition(what.to_owned())
    };
    let hello = match heard.message().await?.and_then(|request| request.message) {
        Some(Heard::Hello(hello)) => hello,
        _ => return Err(violated("the first message is no Hello")),
    };
    let opened = ledger.lock().open(&hello.epoch);
    let (stream, committed) = opened.ok_or_else(|| Status::failed_precondition("stale"))?;
    let mut dice = ChaCha8Rng::seed_from_u64(seed ^ stream);
    let hub_epoch = ledger.lock().hub_epoch().to_owned();
    tell(
        answers,
        Said::Welcome(welcome(committed, hub_epoch, &mut dice)),
    )
    .await?;
    while let Some(request) = heard.message().await? {
        let Some(Heard::Batch(batch)) = request.message else {
            return Err(violated("Hello came twice"));
        };
        if dice.random_bool(0.05) {
            let retry_after = Some(Duration::from_millis(dice.random_range(0..3_000)));
            let retry_after = retry_after.and_then(|pause| pause.try_into().ok());
            tell(answers, Said::Pause(Pause { retry_after })).await?;
        }
        // It waits for its writer; a crash may come before the commit or behind it.
        think(&mut dice).await;
        let taken = take(&ledger, stream, &hello.epoch, &batch)?;
        think(&mut dice).await;
        match taken {
            Taken::Committed(_) if dice.random_bool(0.05) => {
                return Err(Status::unavailable("the answer is lost after the commit"));
            }
            Taken::Committed(committed_sequence) => {
                let sent = batch.first_sequence + batch.records.len() as u64 - 1;
                let ack = Ack {
                    committed_sequence: committed_sequence.min(sent),
                    ..Ack::default()
                };
                tell(answers, Said::Ack(ack)).await?;
            }
            Taken::Resend(from_sequence) => {
                tell(answers, Said::Resend(Resend { from_sequence })).await?;
            }
            Taken::Stale => return Err(Status::failed_precondition("stale")),
        }
    }
    Ok(())
}

fn take(ledger: &Shared, stream: u64, epoch: &str, batch: &Batch) -> Result<Taken, Status> {
    let mut ledger = ledger.lock();
    if !ledger.is_newest(stream) {
        return Err(Status::aborted("another stream speaks"));
    }
    Ok(ledger.commit(epoch, batch.first_sequence, &batch.records))
}

fn welcome(committed_sequence: u64, hub_epoch: String, dice: &mut ChaCha8Rng) -> Welcome {
    Welcome {
        committed_sequence,
        token_key_id: TOKEN_KEY,
        token_algorithm: TokenAlgorithm::HmacSha256.into(),
        limits: Some(SyncLimits {
            max_batch_records: dice.random_range(1..20),
            max_batch_bytes: 100_000,
            max_unacked_batches: dice.random_range(1..8),
        }),
        hub_version: "model".to_owned(),
        hub_epoch,
        ..Welcome::default()
    }
}

async fn think(dice: &mut ChaCha8Rng) {
    sleep(Duration::from_millis(dice.random_range(0..60))).await;
}

async fn tell(answers: &Answers, message: Said) -> Result<(), Status> {
    let message = Some(message);
    let told = answers.send(Ok(SyncResponse { message })).await;
    told.map_err(|_| Status::cancelled("the agent has gone"))
}
