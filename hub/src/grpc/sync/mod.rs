//! `SyncService`: an office's cases, and what the hub holds of them.

mod conversation;
mod outgoing;
mod refusal;
mod stream;

use std::pin::Pin;
use std::time::Duration;

use linkage::office::OfficeId;
use notary_proto::hub::v1::sync_service_server::SyncService;
use notary_proto::hub::v1::{DigestRequest, DigestResponse, DriftFound, SyncRequest, SyncResponse};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

use super::error::{database, invalid_field};
use super::office_of;
use crate::departure::Burden;
use crate::gate::Gate;
use crate::identity::revocation::Revocations;
use crate::refusal::{Reason, Refusal};
use crate::sync::{Feeds, digest};
use crate::transport::Leaving;
use stream::Connection;

/// Messages to an agent that wait for the transport. A stream whose agent does not read stops taking batches.
const OUTGOING: usize = 8;

/// Streams of one office at once. One speaks; those before it may not have noticed their end yet. Each may hold a
/// message that is not whole.
const OF_ONE_OFFICE: usize = 4;
/// Streams at once.
const AT_ONCE: usize = 1000;

/// Lists of cases of one office at once, until they are written. An agent asks for one after the other, each of some MB.
const LISTS_OF_ONE_OFFICE: usize = 2;
/// Lists of cases at once.
const LISTS: usize = 16;

/// The service.
#[derive(Debug)]
pub struct SyncApi {
    feeds: Feeds,
    revocations: Revocations,
    streams: Gate<OfficeId>,
    lists: Gate<OfficeId>,
}

impl SyncApi {
    pub fn new(feeds: Feeds, revocations: Revocations) -> Self {
        Self {
            feeds,
            revocations,
            streams: Gate::new(AT_ONCE, OF_ONE_OFFICE),
            lists: Gate::new(LISTS, LISTS_OF_ONE_OFFICE),
        }
    }
}

#[tonic::async_trait]
impl SyncService for SyncApi {
    type SyncStream = Pin<Box<dyn Stream<Item = Result<SyncResponse, Status>> + Send>>;

    async fn sync(
        &self,
        request: Request<Streaming<SyncRequest>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let office = office_of(&request)?;
        let entered = self.streams.enter(office.office_id);
        let place = entered.map_err(|_| overloaded("too many streams at once"))?;
        let leaving = request.extensions().get::<Leaving>().cloned();
        let (outgoing, messages) = mpsc::channel(OUTGOING);
        let connection = Connection {
            feeds: self.feeds.clone(),
            revocations: self.revocations.clone(),
            office,
            leaving: leaving.unwrap_or_default(),
            incoming: request.into_inner(),
            outgoing,
        };
        let span = tracing::info_span!("sync", office = %office.office_id);
        let serving = async move {
            let _place = place;
            connection.serve().await;
        };
        tokio::spawn(serving.instrument(span));
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn digest(
        &self,
        request: Request<DigestRequest>,
    ) -> Result<Response<DigestResponse>, Status> {
        let office = office_of(&request)?;
        let months = digest::months(&request.get_ref().months)
            .map_err(|error| invalid_field("months", error.to_string()))?;
        let pool = &self.feeds.pool;
        if let Some(found) = request.get_ref().found {
            let found = digest::found(pool, office, drift(&found)).await;
            found.map_err(|error| database(&error))?;
            return Ok(Response::new(DigestResponse::default()));
        }
        if months.is_empty() {
            let digests = digest::by_month(pool, office).await;
            let digests = digests.map_err(|error| database(&error))?;
            return Ok(Response::new(outgoing::month_digests(digests)));
        }
        let entered = self.lists.enter(office.office_id);
        let place = entered.map_err(|_| overloaded("too many lists of cases at once"))?;
        let cases = digest::by_case(pool, office, &months).await;
        let cases = cases.map_err(|error| database(&error))?;
        let mut response = Response::new(outgoing::case_digests(cases));
        response.extensions_mut().insert(Burden::new(place));
        Ok(response)
    }
}

fn overloaded(message: &str) -> Refusal {
    Reason::Overloaded
        .because(message)
        .retry_after(Duration::from_secs(1))
}

/// What no database could hold is no count of cases.
fn drift(found: &DriftFound) -> digest::Drift {
    let count = |cases| i64::try_from(cases).unwrap_or(i64::MAX);
    digest::Drift {
        missing: count(found.missing),
        differing: count(found.differing),
        only_at_hub: count(found.only_at_hub),
    }
}
