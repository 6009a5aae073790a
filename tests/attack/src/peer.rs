//! One connection of the attacker after its handshake.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::frame::{GOAWAY, INITIAL_WINDOW_SIZE, SETTINGS, WINDOW_UPDATE, Wire};

type Tls = TlsStream<TcpStream>;

/// A hub that takes nothing more for so long has stopped reading, which is its right.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection. What the hub says on it is read and forgotten, but for what it allows to be sent.
#[derive(Debug)]
pub struct Peer {
    pub wire: Wire,
    writer: WriteHalf<Tls>,
    heard: Arc<Mutex<Heard>>,
    reader: AbortHandle,
}

#[derive(Debug, Default)]
struct Heard {
    /// Said farewell, or cut.
    ended: bool,
    /// How much may be sent ahead on each stream.
    stream_window: Option<u32>,
    /// What window updates have added, by stream; 0 is the connection.
    credit: HashMap<u32, i64>,
}

impl Peer {
    pub(crate) fn new(tls: Tls) -> Self {
        let (reader, writer) = split(tls);
        let heard = Arc::<Mutex<Heard>>::default();
        let reader = tokio::spawn(listen(reader, Arc::clone(&heard))).abort_handle();
        Self {
            wire: Wire::default(),
            writer,
            heard,
            reader,
        }
    }

    /// No more is read from now on, so that answers pile up.
    pub fn stop_reading(&self) {
        self.reader.abort();
    }

    /// Sends what stands on the wire.
    ///
    /// # Errors
    /// When the hub has closed the connection.
    pub async fn send(&mut self) -> io::Result<()> {
        let bytes = self.wire.take();
        if lock(&self.heard).ended {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let sending = async {
            self.writer.write_all(&bytes).await?;
            self.writer.flush().await
        };
        match timeout(PATIENCE, sending).await {
            Ok(sent) => sent,
            // A write that was cut short cannot be gone on with.
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Bytes of body that may go now on this stream, of which `sent` went already, as went `in_all` on the connection.
    pub fn room(&self, stream: u32, sent: usize, in_all: usize) -> usize {
        /// Where the other side says nothing else.
        const INITIAL: u32 = 65_535;
        let heard = lock(&self.heard);
        let left = |stream, initial: u32, sent: usize| {
            let more = heard.credit.get(&stream).copied().unwrap_or_default();
            usize::try_from(i64::from(initial) + more - sent as i64).unwrap_or_default()
        };
        let window = heard.stream_window.unwrap_or(INITIAL);
        left(stream, window, sent).min(left(0, INITIAL, in_all))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn listen(mut reader: ReadHalf<Tls>, heard: Arc<Mutex<Heard>>) {
    while let Ok((kind, stream, payload)) = frame(&mut reader).await {
        match kind {
            GOAWAY => lock(&heard).ended = true,
            WINDOW_UPDATE => {
                let more = payload.first_chunk().copied().map_or(0, u32::from_be_bytes);
                *lock(&heard).credit.entry(stream).or_default() += i64::from(more);
            }
            SETTINGS => {
                let settings = payload.as_chunks::<6>().0.iter();
                for [high, low, value @ ..] in settings {
                    if u16::from_be_bytes([*high, *low]) == INITIAL_WINDOW_SIZE {
                        lock(&heard).stream_window = Some(u32::from_be_bytes(*value));
                    }
                }
            }
            _ => {}
        }
    }
    lock(&heard).ended = true;
}

async fn frame(reader: &mut ReadHalf<Tls>) -> io::Result<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await?;
    let [high, middle, low, kind, _, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
    reader.read_exact(&mut payload).await?;
    Ok((kind, u32::from_be_bytes(stream), payload))
}

fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
