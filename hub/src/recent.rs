//! What is read again and again, read once for all who ask at the same time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Something as it was last read, and when that began.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    seen: Mutex<Option<(Instant, T)>>,
    /// Whose turn it is to read.
    turn: tokio::sync::Mutex<()>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

impl<T: Clone> Recent<T> {
    /// As it was read at `moment` or later: the same for all who wait for whoever has the turn, if that began late enough.
    pub(crate) async fn since<E>(
        &self,
        moment: Instant,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        if let Some(seen) = self.seen_since(moment) {
            return Ok(seen);
        }
        let _turn = self.turn.lock().await;
        if let Some(seen) = self.seen_since(moment) {
            return Ok(seen);
        }
        let begun = Instant::now();
        let value = read.await?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((begun, value.clone()));
        Ok(value)
    }

    /// As it was read within `age`.
    pub(crate) async fn within<E>(
        &self,
        age: Duration,
        read: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let now = Instant::now();
        self.since(now.checked_sub(age).unwrap_or(now), read).await
    }

    /// Has it read anew, once who reads now is through.
    pub(crate) async fn forget(&self) {
        let _turn = self.turn.lock().await;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn seen_since(&self, moment: Instant) -> Option<T> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, value) = seen.as_ref()?;
        (*begun >= moment).then(|| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_reads_for_all_who_wait_and_nobody_is_told_what_is_too_old() {
        let (recent, reads) = (Recent::default(), AtomicU32::new(0));
        let read = || async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(reads.fetch_add(1, Ordering::Relaxed))
        };
        let asked = Instant::now();
        let waiting = tokio::join!(recent.since(asked, read()), recent.since(asked, read()));
        assert_eq!(waiting, (Ok(0), Ok(0)));
        assert_eq!(recent.since(asked, read()).await, Ok(0));
        assert_eq!(recent.since(Instant::now(), read()).await, Ok(1));
        recent.forget().await;
        assert_eq!(recent.since(asked, read()).await, Ok(2));
    }
}
