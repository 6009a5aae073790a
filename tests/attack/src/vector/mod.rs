//! What is thrown at the hub. A vector is one file's function and one line of [`ALL`].

mod call;
mod connection;
mod flood;
mod header;
mod message;
mod reset;
mod window;

use std::pin::Pin;
use std::time::Duration;

use crate::attacker::{Attacker, Door};
use crate::frame::Wire;
use crate::hpack::Block;

type Attack = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// Bursts of most vectors come at this distance.
const OFTEN: Duration = Duration::from_millis(10);
/// Those of which each costs the attacker much as well.
const SELDOM: Duration = Duration::from_millis(50);

/// One way to abuse the hub.
#[derive(Clone, Copy, Debug)]
pub struct Vector {
    pub name: &'static str,
    pub what: &'static str,
    pub doors: &'static [Door],
    /// The hub cannot take strangers in meanwhile: it has no file descriptor for them, or no place.
    pub shuts_strangers_out: bool,
    run: fn(Attacker) -> Attack,
}

impl Vector {
    /// Goes on for as long as the attacker's extent says, and leaves no connection behind.
    ///
    /// # Errors
    /// When the attack could not be made; what the hub does about it is no error.
    pub async fn run(&self, attacker: Attacker) -> anyhow::Result<()> {
        (self.run)(attacker).await
    }
}

macro_rules! vectors {
    ($($doors:ident, $module:ident::$function:ident, $what:literal $(, $shuts:ident)?;)*) => {
        /// Every vector.
        pub const ALL: &[Vector] = &[$(Vector {
            name: stringify!($function),
            what: $what,
            doors: Door::$doors,
            shuts_strangers_out: vectors!(@shuts $($shuts)?),
            run: |attacker| Box::pin(async move { $module::$function(&attacker).await }),
        }),*];
    };
    (@shuts) => { false };
    (@shuts shuts_strangers_out) => { true };
}

vectors! {
    BOTH, reset::rapid_reset, "5,000 requests/s, each reset at once (CVE-2023-44487)";
    BOTH, reset::patient_reset, "2,000 requests/s, each reset after it was begun, below every count of resets";
    BOTH, reset::empty_window_update, "streams the hub must reset: window updates of 0 (CVE-2025-8671)";
    BOTH, reset::data_on_closed_stream, "streams the hub must reset: data after their end (CVE-2025-8671)";
    BOTH, reset::overflowing_window, "streams the hub must reset: windows beyond 2^31 (CVE-2025-8671)";
    BOTH, flood::continuation_flood, "header blocks that never end, 5,000 CONTINUATION/s";
    BOTH, flood::settings_flood, "10,000 SETTINGS/s, each wanting its ack";
    BOTH, flood::unread_settings_flood, "the same, and no ack is read";
    BOTH, flood::ping_flood, "10,000 PING/s";
    BOTH, flood::empty_data, "10,000 empty DATA frames/s in one request";
    BOTH, flood::unknown_frames, "10,000 frames/s of no known kind, and PRIORITY";
    BOTH, flood::goaway, "5,000 GOAWAY/s, and requests all the same";
    BOTH, header::hpack_bomb, "a remembered field of 4 kB, 4,000 times in a block of 8 kB";
    BOTH, header::huge_headers, "blocks of 64 kB against the 16 kB allowed";
    BOTH, header::many_headers, "blocks of 2,000 fields";
    BOTH, header::binary_metadata, "-bin metadata that is no base64, gRPC headers that are none";
    BOTH, header::deadlines, "deadlines of 0, of 99,999,999 h, and no deadlines";
    PEOPLE, window::zero_window, "answers that are asked for by the hundred on each connection and never taken";
    PEOPLE, window::one_byte_window, "the same, taken byte by byte";
    PEOPLE, window::deaf_http1, "HTTP/1.1 requests by the thousand, answers not read";
    BOTH, window::window_games, "2,000 changes/s of the initial window under 100 open streams";
    BOTH, window::idle_streams, "all streams of 60 connections open and silent";
    BOTH, connection::slow_handshake, "handshakes byte by byte, as many connections as one address gets";
    BOTH, connection::slow_preface, "the same after the handshake";
    BOTH, connection::half_open, "TCP connections that say nothing";
    BOTH, connection::churn, "100 handshakes/s";
    BOTH, connection::full_house, "every place taken, from ten addresses", shuts_strangers_out;
    PEOPLE, connection::no_descriptors, "accept without a file descriptor left", shuts_strangers_out;
    PEOPLE, call::slow_bodies, "sign-ins whose body never ends, one for every place there is";
    AGENTS, call::slow_lookups, "look-ups whose body never ends, one for every place there is";
    AGENTS, call::cancel_storm, "500 look-ups/s, each cancelled while it runs";
    AGENTS, call::endless_stream, "one look-up of messages without end";
    AGENTS, call::tiny_messages, "100,000 batches/s without a record on one sync stream";
    BOTH, message::length_of_4_gb, "messages that claim 4 GB";
    BOTH, message::unfinished_messages, "messages of 4 MB less one byte, on all streams of eight connections";
    AGENTS, message::unfinished_greetings, "the same on sync streams";
    AGENTS, message::zstd_bomb, "1 GB of zeros in 40 kB";
    AGENTS, message::record_bomb, "two million empty records in 1 kB";
    AGENTS, message::party_bomb, "a record of two million empty parties in 1 kB";
    AGENTS, message::repeated_bomb, "a look-up of as many empty parties as a message holds";
    AGENTS, message::nesting, "unknown fields nested 100,000 deep";
    AGENTS, message::unknown_fields, "messages full of fields that the contract does not know";
    AGENTS, message::invalid_utf8, "text that is none";
}

/// So many streams with each burst, each begun and abused by `each`.
async fn streams(
    attacker: &Attacker,
    count: u32,
    each: impl Fn(&mut Wire, u32),
) -> anyhow::Result<()> {
    let burst = |wire: &mut Wire| {
        for _ in 0..count {
            let stream = wire.stream();
            each(wire, stream);
        }
    };
    attacker
        .keep_on(OFTEN, |wire| wire.preface(&[]), burst)
        .await
}

/// So many streams with each burst, begun by `begin` and reset with the next one.
async fn begun_and_reset(
    attacker: &Attacker,
    count: u32,
    begin: impl Fn(&mut Wire, u32),
) -> anyhow::Result<()> {
    let mut pace = attacker.pace(OFTEN);
    let mut peer = None;
    let mut begun = Vec::new();
    while pace.next().await {
        let mut standing = match peer.take() {
            Some(peer) => peer,
            None => {
                begun.clear();
                let Some(mut fresh) = attacker.enter().await? else {
                    continue;
                };
                fresh.wire.preface(&[]);
                fresh
            }
        };
        for stream in begun.drain(..) {
            standing.wire.reset(stream);
        }
        for _ in 0..count {
            let stream = standing.wire.stream();
            begin(&mut standing.wire, stream);
            begun.push(stream);
        }
        peer = attacker.sent(standing).await;
    }
    Ok(())
}

/// A connection with so many health checks whose messages never come.
fn open_streams(wire: &mut Wire, count: u32) {
    let health = health();
    wire.preface(&[]);
    for _ in 0..count {
        let stream = wire.stream();
        wire.headers(stream, health.bytes());
    }
}

/// A call that needs nothing but the connection.
fn health() -> Block {
    Block::call("/grpc.health.v1.Health/Check")
}

fn lookup(attacker: &Attacker) -> Block {
    Block::call("/notary.hub.v1.LookupService/CheckApplication")
        .field("authorization", &format!("Bearer {}", attacker.session))
}

fn sync() -> Block {
    Block::call("/notary.hub.v1.SyncService/Sync")
}

/// The largest answer that needs no sign-in and is made anew for each request: what is asked for and not taken is the
/// hub's memory.
fn directory() -> Block {
    Block::request("GET", "/api/v1/directory")
}
