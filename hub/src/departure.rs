//! Answers on their way. An answer holds room until its last byte is written, or nobody is there for it any more: whoever
//! asks and does not read has so much of the hub's memory and no more, delays nobody who reads, and loses the connection
//! in the end. The counterpart of [`crate::arrival`].

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::Extensions;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::gate::{Full, Gate, Place};

/// Answers on their way at once.
const AT_ONCE: usize = 512;
/// Those of one caller.
const AT_ONCE_OF_ONE: usize = 64;
/// How long a peer may take for a piece of an answer, on a line that it has for itself.
const TIME: Duration = Duration::from_secs(30);
/// Answers that share a line have so many times that, at most.
const SHARING: u32 = 8;
/// A piece, bytes: who reads slowly is told by it from who does not read.
const PIECE: usize = 64 << 10;

/// Room for answers on their way. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Departures<K>(Gate<K>);

impl<K: Copy + Eq + Hash> Departures<K> {
    pub(crate) fn new() -> Self {
        Self(Gate::new(AT_ONCE, AT_ONCE_OF_ONE))
    }

    /// Room for an answer that is still to be made.
    pub(crate) fn enter(&self, whose: K) -> Result<Place<K>, Full> {
        self.0.enter(whose)
    }
}

/// More that an answer holds until it is written; a handler puts it into the answer's extensions.
#[derive(Clone)]
pub(crate) struct Burden(#[expect(dead_code, reason = "held")] Arc<dyn Send + Sync>);

impl Burden {
    pub(crate) fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Arc::new(held))
    }
}

/// Answers of one connection that its peer has not taken yet. In the extensions of every request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Untaken(Arc<Mutex<Answers>>);

#[derive(Debug, Default)]
struct Answers {
    last: u64,
    by_number: HashMap<u64, Waiting>,
}

/// Pieces of an answer that wait for the peer, and when one of them was given or taken last. An answer of which none
/// waits is still being made, and has no entry.
#[derive(Debug)]
struct Waiting {
    pieces: u32,
    moved_at: Instant,
}

impl Untaken {
    /// Of the connection that a request came by.
    pub(crate) fn of(request: &Extensions) -> Self {
        request.get().cloned().unwrap_or_default()
    }

    /// Whether the peer has let an answer wait for longer than it may.
    pub(crate) fn is_abandoned(&self) -> bool {
        let answers = self.lock();
        let sharing = u32::try_from(answers.by_number.len()).unwrap_or(SHARING);
        let time = TIME * sharing.min(SHARING);
        let mut waiting = answers.by_number.values();
        waiting.any(|answer| answer.moved_at.elapsed() > time)
    }

    fn number(&self) -> u64 {
        let mut answers = self.lock();
        answers.last += 1;
        answers.last
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        // Right at every point where a holder could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer holds while it is on its way.
struct Held<P> {
    _place: P,
    _burden: Option<Burden>,
    untaken: Untaken,
    number: u64,
}

impl<P> Held<P> {
    /// A piece waits for the peer.
    fn given(&self) {
        let moved_at = Instant::now();
        let mut answers = self.untaken.lock();
        let waiting = answers.by_number.entry(self.number);
        let waiting = waiting.or_insert(Waiting {
            pieces: 0,
            moved_at,
        });
        waiting.pieces += 1;
        waiting.moved_at = moved_at;
    }

    /// A piece is written, or nobody is there for it any more.
    fn taken(&self) {
        let mut answers = self.untaken.lock();
        if let Entry::Occupied(mut waiting) = answers.by_number.entry(self.number) {
            waiting.get_mut().moved_at = Instant::now();
            waiting.get_mut().pieces -= 1;
            if waiting.get().pieces == 0 {
                waiting.remove();
            }
        }
    }
}

/// The answer with what it holds until it is written or dropped.
pub(crate) fn holding<P: Send + Sync + 'static>(
    answer: Response,
    place: P,
    untaken: Untaken,
) -> Response {
    if answer.body().is_end_stream() {
        return answer;
    }
    let held = Arc::new(Held {
        _place: place,
        _burden: answer.extensions().get::<Burden>().cloned(),
        number: untaken.number(),
        untaken,
    });
    answer.map(|body| {
        Body::new(Holding {
            body,
            rest: Bytes::new(),
            held,
        })
    })
}

/// A body that comes in pieces, each of which holds what the answer does.
struct Holding<P> {
    body: Body,
    /// Of the frame that came last.
    rest: Bytes,
    held: Arc<Held<P>>,
}

impl<P: Send + Sync + 'static> Holding<P> {
    fn piece(&mut self) -> Frame<Bytes> {
        let bytes = self.rest.split_to(self.rest.len().min(PIECE));
        self.held.given();
        // It outlives the body: HTTP/2 keeps it until the peer's window is open.
        Frame::data(Bytes::from_owner(Piece {
            bytes,
            held: Arc::clone(&self.held),
        }))
    }
}

impl<P: Send + Sync + 'static> HttpBody for Holding<P> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let next = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
            match next.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => self.rest = bytes,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(self.piece())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, hint) = (self.rest.len() as u64, self.body.size_hint());
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}

struct Piece<P> {
    bytes: Bytes,
    held: Arc<Held<P>>,
}

impl<P> AsRef<[u8]> for Piece<P> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<P> Drop for Piece<P> {
    fn drop(&mut self) {
        self.held.taken();
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn answer(bytes: usize) -> Response {
        Response::new(Body::from(vec![7; bytes]))
    }

    #[tokio::test]
    async fn an_answer_holds_its_place_until_its_last_piece_is_gone() {
        let departures = Departures::new();
        let place = departures.enter("one").expect("free");
        let others: Vec<_> = std::iter::from_fn(|| departures.enter("one").ok()).collect();
        assert_eq!(others.len(), AT_ONCE_OF_ONE - 1);
        let mut body = holding(answer(PIECE + 1), place, Untaken::default()).into_body();
        assert_eq!(body.size_hint().exact(), Some(PIECE as u64 + 1));
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = frame.expect("no error").into_data().expect("no trailers");
            pieces.push(piece);
        }
        drop(body);
        assert_eq!(
            pieces.iter().map(Bytes::len).collect::<Vec<_>>(),
            [PIECE, 1]
        );
        pieces.remove(0);
        assert!(departures.enter("one").is_err(), "one is to be written");
        pieces.clear();
        assert!(departures.enter("one").is_ok());
    }

    #[tokio::test]
    async fn who_takes_piece_after_piece_has_time_for_each_and_who_takes_none_is_found_out() {
        tokio::time::pause();
        let untaken = Untaken::default();
        let mut body = holding(answer(PIECE * 3), (), untaken.clone()).into_body();
        for _ in 0..2 {
            let piece = body.frame().await.expect("a piece");
            tokio::time::advance(TIME).await;
            drop(piece);
        }
        assert!(!untaken.is_abandoned());
        let last = body.frame().await.expect("a piece");
        drop(body);
        tokio::time::advance(TIME * 2).await;
        assert!(untaken.is_abandoned(), "the last one is not written");
        drop(last);
        assert!(!untaken.is_abandoned(), "nobody waits for it any more");
    }

    #[tokio::test]
    async fn who_does_not_take_the_last_piece_is_found_out_although_the_answer_is_at_its_end() {
        tokio::time::pause();
        let untaken = Untaken::default();
        let frames = [
            Frame::data(Bytes::from_static(b"all")),
            Frame::trailers(axum::http::HeaderMap::new()),
        ];
        let frames = futures_util::stream::iter(frames.map(Ok::<_, std::io::Error>));
        let answer = Response::new(Body::new(http_body_util::StreamBody::new(frames)));
        let mut body = holding(answer, (), untaken.clone()).into_body();
        let piece = body.frame().await.expect("a piece");
        let trailers = body.frame().await.expect("trailers").expect("no error");
        assert!(trailers.is_trailers());
        assert!(body.frame().await.is_none());
        tokio::time::advance(TIME * 2).await;
        assert!(untaken.is_abandoned());
        drop(piece);
        assert!(!untaken.is_abandoned());
    }

    #[tokio::test]
    async fn answers_that_share_a_line_have_more_time() {
        tokio::time::pause();
        let untaken = Untaken::default();
        let mut bodies = [1, 2].map(|_| holding(answer(1), (), untaken.clone()).into_body());
        let [one, other] = &mut bodies;
        let pieces = (one.frame().await, other.frame().await);
        tokio::time::advance(TIME * 2).await;
        assert!(!untaken.is_abandoned());
        tokio::time::advance(TIME).await;
        assert!(untaken.is_abandoned());
        drop(pieces);
    }

    #[tokio::test]
    async fn what_the_hub_has_not_made_yet_is_not_the_peers_fault() {
        tokio::time::pause();
        let untaken = Untaken::default();
        let silence = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let answer = Response::new(Body::from_stream(silence));
        let mut body = holding(answer, (), untaken.clone()).into_body();
        assert!(futures_util::FutureExt::now_or_never(body.frame()).is_none());
        tokio::time::advance(TIME * 2).await;
        assert!(!untaken.is_abandoned());
    }

    #[tokio::test]
    async fn an_answer_holds_what_its_handler_gave_it() {
        let held = Arc::new(());
        let mut answer = answer(1);
        answer
            .extensions_mut()
            .insert(Burden::new(Arc::clone(&held)));
        let body = holding(answer, (), Untaken::default()).into_body();
        assert_eq!(Arc::strong_count(&held), 2);
        drop(body);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
