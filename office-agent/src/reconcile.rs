//! Reconciliation: asks the hub what it holds of this office, month by month and then case by case where that differs,
//! and heals the differences. What was found is a number on the office's page at the hub.

use std::collections::BTreeSet;
use std::time::Duration;

use metrics::gauge;
use notary_proto::hub::v1::sync_service_client::SyncServiceClient;
use notary_proto::hub::v1::{DigestRequest, DigestResponse, DriftFound, MonthDigest};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::config::HubUrl;
use crate::dial::{self, DialError, Refusal};
use crate::identity::{Identities, Identity};
use crate::outbox::{Drift, Held, MonthHeld, Outbox, OutboxError};
use crate::status::Compared;
use crate::telemetry::metrics::DRIFT_CASES;

/// The first comparison of a running agent; what waited while it was off should be over by then.
const FIRST: Duration = Duration::from_secs(600);
/// Comparisons thereafter.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// Cases that are listed in one answer, unless one month alone has more.
const LISTED: u64 = 20_000;
/// As many months as the hub takes.
const MONTHS: usize = 24;
/// For a month of many cases.
const MAX_MESSAGE: usize = 64 << 20;
/// How long the hub may take for an answer.
const ANSWER: Duration = Duration::from_secs(120);

/// Why the two sides were not compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The hub refused.
    #[error("{0}")]
    Refused(Refusal),
    /// The outbox failed.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl From<tonic::Status> for ReconcileError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(Refusal::of(&status))
    }
}

/// Compares now and then until `stop`, and tells `compared_last` what was found.
pub async fn keep(
    hub: HubUrl,
    outbox: Outbox,
    identities: Identities,
    compared_last: watch::Sender<Option<Compared>>,
    stop: CancellationToken,
) {
    let mut wait = FIRST;
    while stop
        .run_until_cancelled(tokio::time::sleep(wait))
        .await
        .is_some()
    {
        let identity = identities.borrow().clone();
        let compared = stop
            .run_until_cancelled(reconcile(&hub, &outbox, &identity))
            .await;
        if let Some(Ok(drift)) = &compared {
            let at = OffsetDateTime::now_utc().unix_timestamp();
            compared_last.send_replace(Some(Compared { at, drift: *drift }));
        }
        wait = match compared {
            None => return,
            Some(Ok(drift)) if drift.total() == 0 => EVERY,
            Some(Ok(drift)) => {
                tracing::warn!(?drift, "the hub did not hold what was handed over; healing");
                EVERY
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the hub could not be asked what it holds; trying again");
                FIRST
            }
        };
    }
}

/// Compares, heals, and tells the hub what was found.
///
/// # Errors
/// When the hub or the outbox does not answer.
pub async fn reconcile(
    hub: &HubUrl,
    outbox: &Outbox,
    identity: &Identity,
) -> Result<Drift, ReconcileError> {
    let tls = dial::as_office(identity).map_err(DialError::from)?;
    let channel = dial::dial(hub, tls).await?;
    let mut client = SyncServiceClient::new(channel).max_decoding_message_size(MAX_MESSAGE);
    // Before the hub is asked: what is acknowledged later is not compared.
    let held = outbox.held().await?;
    let at_hub = ask(&mut client, identity, DigestRequest::default()).await?;
    let at_hub = at_hub.months;
    let months = differing(&held, &at_hub);
    let mut cases = Vec::new();
    for months in pages(&months, &at_hub) {
        let request = DigestRequest {
            months,
            found: None,
        };
        cases.extend(ask(&mut client, identity, request).await?.cases);
    }
    let drift = outbox.heal(held, months, cases).await?;
    gauge!(DRIFT_CASES).set(drift.total() as f64);
    let found = DriftFound {
        cases: drift.cases,
        missing: drift.missing,
        differing: drift.differing,
        only_at_hub: drift.only_at_hub,
    };
    let request = DigestRequest {
        months: Vec::new(),
        found: Some(found),
    };
    ask(&mut client, identity, request).await?;
    Ok(drift)
}

async fn ask(
    client: &mut SyncServiceClient<Channel>,
    identity: &Identity,
    request: DigestRequest,
) -> Result<DigestResponse, tonic::Status> {
    let mut request = tonic::Request::new(request);
    identity.name_key(&mut request);
    request.set_timeout(ANSWER);
    Ok(client.digest(request).await?.into_inner())
}

/// Months in which the two sides differ; all of them while cases are of no known month.
fn differing(held: &Held, at_hub: &[MonthDigest]) -> Vec<i32> {
    let of_hub = |month: i32| at_hub.iter().find(|digest| digest.month == month);
    let same = |month: i32| {
        let held = held.months.get(&month).copied().unwrap_or_default();
        let hub = of_hub(month).map_or_else(MonthHeld::default, |digest| MonthHeld {
            cases: digest.cases,
            digest: digest.digest.as_slice().try_into().unwrap_or_default(),
        });
        held == hub
    };
    let months: BTreeSet<i32> = at_hub
        .iter()
        .map(|digest| digest.month)
        .chain(held.months.keys().copied())
        .collect();
    months.into_iter().filter(|month| !same(*month)).collect()
}

/// Months to be listed together.
fn pages(months: &[i32], at_hub: &[MonthDigest]) -> Vec<Vec<i32>> {
    let mut pages: Vec<Vec<i32>> = Vec::new();
    let mut cases = 0;
    for digest in at_hub
        .iter()
        .filter(|digest| months.contains(&digest.month))
    {
        cases += digest.cases;
        match pages.last_mut() {
            Some(page) if cases <= LISTED && page.len() < MONTHS => page.push(digest.month),
            _ => {
                cases = digest.cases;
                pages.push(vec![digest.month]);
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(month: i32, cases: u64, digest: u8) -> MonthDigest {
        MonthDigest {
            month,
            cases,
            digest: vec![digest; 16],
        }
    }

    #[test]
    fn only_months_that_differ_are_listed() {
        let mut held = Held::default();
        let of = |cases, digest| MonthHeld {
            cases,
            digest: [digest; 16],
        };
        held.months
            .extend([(0, of(2, 7)), (31, of(1, 7)), (59, of(1, 7))]);
        let at_hub = [month(0, 2, 7), month(31, 1, 8), month(90, 1, 1)];
        assert_eq!(differing(&held, &at_hub), [31, 59, 90]);
        assert_eq!(
            pages(&[31, 59, 90], &at_hub),
            [[31, 90]],
            "59 is not there to list"
        );
    }

    #[test]
    fn an_answer_lists_as_much_as_fits() {
        let at_hub: Vec<_> = (0..5).map(|n| month(n, LISTED / 2, 1)).collect();
        assert_eq!(
            pages(&[0, 1, 2, 3, 4], &at_hub),
            [vec![0, 1], vec![2, 3], vec![4]]
        );
        let at_hub = [month(0, LISTED * 3, 1), month(31, 1, 1)];
        assert_eq!(pages(&[0, 31], &at_hub), [[0], [31]]);
        let at_hub: Vec<_> = (0..30).map(|n| month(n, 1, 1)).collect();
        let all: Vec<_> = (0..30).collect();
        assert_eq!(
            pages(&all, &at_hub)
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>(),
            [24, 6]
        );
    }
}
