//! Bodies of requests on their way. A request takes its place among those that are answered when all of it is there:
//! whoever sends a body slowly, or never, holds room of another kind, not for long, and a share of it.

use std::hash::Hash;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use http_body_util::LengthLimitError;
use tokio::time::timeout;

use crate::gate::Gate;

/// Bodies on their way at once.
const AT_ONCE: usize = 1024;
/// How long a body may be on its way.
const TIME: Duration = Duration::from_secs(10);

/// Room for bodies on their way. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals<K> {
    gate: Gate<K>,
    largest: usize,
}

/// Why a body did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArrivalError {
    #[error("too many requests are on their way")]
    NoRoom,
    #[error("the request's body took too long")]
    TooSlow,
    #[error("the request's body is larger than one may be")]
    TooLarge,
    #[error("the request's body broke off")]
    Broken,
}

impl<K: Copy + Eq + Hash> Arrivals<K> {
    /// `largest` is in bytes; one caller has `of_one` on their way at once, no fewer than are answered.
    pub(crate) fn new(largest: usize, of_one: usize) -> Self {
        Self {
            gate: Gate::new(AT_ONCE, of_one),
            largest,
        }
    }

    /// The request, once its body is there.
    pub(crate) async fn whole(&self, whose: K, request: Request) -> Result<Request, ArrivalError> {
        if request.body().is_end_stream() {
            return Ok(request);
        }
        let _place = self.gate.enter(whose).map_err(|_| ArrivalError::NoRoom)?;
        let (head, body) = request.into_parts();
        let body = timeout(TIME, to_bytes(body, self.largest))
            .await
            .map_err(|_| ArrivalError::TooSlow)?
            .map_err(|error| match error.into_inner().is::<LengthLimitError>() {
                true => ArrivalError::TooLarge,
                false => ArrivalError::Broken,
            })?;
        Ok(Request::from_parts(head, Body::from(body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never_ending() -> Request {
        let silence = futures_util::stream::pending::<Result<&str, std::io::Error>>();
        Request::new(Body::from_stream(silence))
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_given_up_and_a_caller_has_a_share_of_the_room() {
        tokio::time::pause();
        let arrivals = Arrivals::new(16, 3);
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let arrivals = arrivals.clone();
                tokio::spawn(async move { arrivals.whole("one", never_ending()).await.err() })
            })
            .collect();
        tokio::task::yield_now().await;
        let more = arrivals.whole("one", never_ending()).await;
        assert_eq!(more.err(), Some(ArrivalError::NoRoom));
        let others = arrivals
            .whole("other", Request::new(Body::from("{}")))
            .await;
        assert!(others.is_ok());
        let without_body = arrivals.whole("one", Request::new(Body::empty())).await;
        assert!(without_body.is_ok(), "nothing is on its way");
        for waiting in waiting {
            let outcome = waiting.await.expect("no panic");
            assert_eq!(outcome, Some(ArrivalError::TooSlow));
        }
        let again = arrivals.whole("one", Request::new(Body::from("{}"))).await;
        assert!(again.is_ok(), "the room is given back");
    }

    #[tokio::test]
    async fn a_body_is_no_larger_than_it_may_be() {
        let arrivals = Arrivals::new(2, 1);
        let fits = arrivals.whole((), Request::new(Body::from("{}"))).await;
        assert!(fits.is_ok());
        let large = arrivals.whole((), Request::new(Body::from("[1]"))).await;
        assert_eq!(large.err(), Some(ArrivalError::TooLarge));
    }
}
