//! The conversation with an office's agent: who speaks for the office, what may come next, what is told back.
//!
//! | module | holds |
//! |---|---|
//! | [`hello`] | what an agent says of itself when it opens a stream |
//! | [`feed`] | sequences, the credit window, acknowledgements in order |
//! | [`streams`] | the one stream that speaks for an office |
//! | [`notices`] | what waits to be told to an office |
//! | [`digest`] | what the hub holds of an office, for comparison |

pub mod digest;
pub mod feed;
pub mod hello;
pub mod notices;
pub mod streams;

use linkage::office::OfficeId;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use self::feed::{Feed, REJECTS_PER_ACK};
use self::hello::Hello;
use self::notices::Notices;
use self::streams::{Place, Streams};
use crate::audit::Audit;
use crate::identity::OfficeIdentity;
use crate::ingest::Ingest;
use crate::ingest::batch::HubReject;
use crate::store;
use crate::store::token_key::{InForce, Standing};

/// What every stream needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feeds {
    pub pool: PgPool,
    pub audit: Audit,
    pub ingest: Ingest,
    /// The city's token key as long as no other one came into force.
    pub first_token_key: InForce,
    pub streams: Streams,
}

/// A stream that speaks for its office from now on.
#[derive(Debug)]
pub struct Opened {
    pub committed_sequence: u64,
    /// What the hub refused of what it has committed, and what still stands: the ack that named it may never have
    /// reached the agent.
    pub rejects: Vec<HubReject>,
    pub hub_epoch: Uuid,
    /// As they were when the stream was opened.
    pub token_keys: Standing,
    pub feed: Feed,
    pub notices: Notices,
    pub place: Place,
}

impl Feeds {
    /// Takes over from whichever stream spoke for the office. `None` when a newer epoch of its outbox is known.
    pub async fn open(
        &self,
        office: OfficeIdentity,
        hello: &Hello,
    ) -> Result<Option<Opened>, sqlx::Error> {
        let office_id = office.office_id;
        let hub_epoch = store::feed::sync::hub_epoch(&self.pool).await?;
        let token_keys = store::token_key::standing(&self.pool).await?;
        let greeting = hello.greeting(office_id);
        let mut writing = office.scope().write(&self.pool).await?;
        let Some(opened) = store::feed::sync::open(&mut *writing, &greeting).await? else {
            return Ok(None);
        };
        writing.commit().await?;
        store::case::reject::forget_places(&self.pool, office_id, hello.epoch).await?;
        let committed_sequence = opened.committed_sequence;
        let mut reading = office.scope().read(&self.pool).await?;
        let rejects = store::case::reject::open_of(
            &mut *reading,
            office_id,
            hello.epoch,
            1..=committed_sequence,
            REJECTS_PER_ACK,
        )
        .await?;
        drop(reading);
        Ok(Some(Opened {
            committed_sequence,
            rejects,
            hub_epoch,
            token_keys,
            feed: Feed::new(office_id, hello.epoch, committed_sequence),
            notices: Notices::new(self.pool.clone(), self.audit.clone(), office),
            place: self.streams.enter(office_id, opened.connected_at),
        }))
    }

    /// Whether tokens are still made with the key that they were made with when the stream was opened.
    pub async fn is_same_key(&self, opened: &Standing) -> Result<bool, sqlx::Error> {
        let now = store::token_key::standing(&self.pool).await?;
        Ok(now.present == opened.present)
    }

    /// Says that the stream is open. False when a newer one, at whichever hub, has taken over.
    pub async fn seen(
        &self,
        office_id: OfficeId,
        connected_at: OffsetDateTime,
    ) -> Result<bool, sqlx::Error> {
        store::feed::sync::seen(&self.pool, office_id, connected_at).await
    }
}
