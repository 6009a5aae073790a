//! From the outbox to the hub: one stream, kept up for ever.
//!
//! Nothing here decides what is durable: the hub's committed sequence does. A stream that breaks at any point is
//! opened again and goes on where the hub's `Welcome` says.

pub(crate) mod backoff;
mod end;
mod flow;
mod state;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use linkage::token::TokenKey;
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub use end::End;
pub use state::{Said, SyncState};

use crate::dial::Dialer;
use crate::identity::Identities;
use crate::outbox::Outbox;
use backoff::Backoff;

/// How long things may take; tests take less.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Shortest wait before connecting again.
    pub retry_from: Duration,
    /// Longest wait before connecting again.
    pub retry_to: Duration,
    /// How often to look for records that another process put into the outbox.
    pub look: Duration,
    /// How long the hub may leave batches unacknowledged before the connection counts as dead.
    pub stall: Duration,
    /// How long to wait for acknowledgements when stopping.
    pub drain: Duration,
    /// What the waits before connecting again are drawn by.
    pub seed: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            retry_from: Duration::from_millis(500),
            retry_to: Duration::from_secs(60),
            look: Duration::from_secs(2),
            stall: Duration::from_secs(180),
            drain: Duration::from_secs(10),
            seed: rand::random(),
        }
    }
}

/// What syncing needs.
#[derive(Clone, Debug)]
pub struct Sync {
    /// How the hub is reached.
    pub hub: Dialer,
    /// What to send.
    pub outbox: Outbox,
    /// As whom.
    pub identities: Identities,
    /// Tells whoever renews certificates that the hub takes this one for ended.
    pub certificate_ended: Arc<Notify>,
    /// How long things may take.
    pub timing: Timing,
    /// What `status` shows.
    pub state: Arc<watch::Sender<SyncState>>,
    /// The next token key, while the hub asks for tokens under it as well.
    pub next_key: Arc<watch::Sender<Option<TokenKey>>>,
}

impl Sync {
    /// Syncs until `stop`; then waits a little for what is under way. Ends by itself when the city went over to the next
    /// token key, and returns its id: the outbox has to go over before anything is sent.
    pub async fn run(mut self, stop: CancellationToken) -> Option<u32> {
        let Timing {
            retry_from,
            retry_to,
            seed,
            ..
        } = self.timing;
        let mut backoff = Backoff::seeded(retry_from, retry_to, seed);
        while !stop.is_cancelled() {
            let outcome = self.connect_and_serve(&stop, &mut backoff).await;
            self.state.send_modify(|state| state.connected = false);
            let end = match outcome {
                Ok(()) => continue,
                Err(end) => end,
            };
            self.say(&end);
            if end.is_of_ended_certificate() {
                self.certificate_ended.notify_waiters();
            }
            if let End::GoOver { key_id } = end {
                return Some(key_id);
            }
            let delay = backoff.next(end.at_least());
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(delay) => {}
                // A new certificate may be what was missing.
                Ok(()) = self.identities.changed() => {}
            }
        }
        None
    }

    /// Says an end that is not the same as the one before it, once.
    fn say(&self, end: &End) {
        let words = end.to_string();
        let known = self
            .state
            .borrow()
            .last_error
            .as_ref()
            .is_some_and(|said| said.text == words && said.open);
        if !known {
            match end.is_ordinary() {
                true => {
                    tracing::info!(reason = words, "the hub ended the stream; connecting again")
                }
                false => {
                    tracing::warn!(error = words, "no sync with the hub; trying again for ever")
                }
            }
        }
        self.state.send_modify(|state| {
            state.identity_refused |= end.is_of_identity();
            state.last_error = Some(Said {
                text: words,
                text_zh: end.text_zh(),
                at: OffsetDateTime::now_utc().unix_timestamp(),
                open: true,
            });
        });
    }
}
