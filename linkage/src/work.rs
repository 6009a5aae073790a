//! Work shared out among threads.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Pieces that a slice is cut into for each worker, so that none waits long for the last.
const PIECES: usize = 16;

/// Cuts a slice into pieces, has each worked on with the place of its first item, and gives what came out in the order of the pieces.
pub(crate) fn split<T: Sync, R: Send>(
    items: &[T],
    workers: NonZeroUsize,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    let size = items.len().div_ceil(PIECES * workers.get()).max(1);
    let pieces: Vec<(usize, &[T])> = (0..).step_by(size).zip(items.chunks(size)).collect();
    each(pieces, workers, |(first, piece)| work(first, piece))
}

/// Has each item worked on, and gives what came out in the order of the items.
pub(crate) fn each<T: Send, R: Send>(
    items: Vec<T>,
    workers: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let items: Vec<Mutex<Option<T>>> = items
        .into_iter()
        .map(|item| Mutex::new(Some(item)))
        .collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some(slot) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            let (at, item) = slot;
            let taken = item.lock().ok().and_then(|mut item| item.take());
            done.extend(taken.map(|item| (at, work(item))));
        }
        done
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers.get()).map(|_| scope.spawn(worker)).collect();
        handles
            .into_iter()
            .flat_map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
