//! Messages that are more than they seem, or never what they claim.

use prost::Message as _;

use super::call::hello;
use super::{OFTEN, SELDOM, health, lookup, streams, sync};
use crate::attacker::{Attacker, Door};
use crate::frame::{LARGEST_FRAME, compressed, message, plain};
use crate::hpack::Block;
use crate::peer::Peer;

/// The most that the hub says it takes.
const LARGEST: usize = 4 << 20;

pub(super) async fn length_of_4_gb(attacker: &Attacker) -> anyhow::Result<()> {
    let health = health();
    streams(attacker, 20, |wire, stream| {
        wire.headers(stream, health.bytes());
        wire.last_data(stream, &message(0, u32::MAX, &[0; 100]));
    })
    .await
}

pub(super) async fn unfinished_messages(attacker: &Attacker) -> anyhow::Result<()> {
    let call = match attacker.door {
        Door::Agents => lookup(attacker),
        Door::People => Block::call("/notary.hub.v1.EnrollmentService/Enroll"),
    };
    unfinished(attacker, &call).await
}

pub(super) async fn unfinished_greetings(attacker: &Attacker) -> anyhow::Result<()> {
    unfinished(attacker, &sync()).await
}

/// A connection and how much of a message each of its streams has.
struct Filling {
    peer: Peer,
    streams: Vec<(u32, usize)>,
    sent: usize,
}

/// Fills all streams of eight connections with a message each, but for its last byte.
async fn unfinished(attacker: &Attacker, call: &Block) -> anyhow::Result<()> {
    const CONNECTIONS: usize = 8;
    const IN_ONE_BURST: usize = 128 << 10;
    let begin = message(0, LARGEST as u32, b"");
    let mut pace = attacker.pace(OFTEN);
    let mut filling: Vec<Filling> = Vec::new();
    while pace.next().await {
        let mut next = Vec::new();
        for mut at in filling {
            at.fill(IN_ONE_BURST);
            let Filling {
                peer,
                streams,
                sent,
            } = at;
            let peer = attacker.sent(peer).await;
            next.extend(peer.map(|peer| Filling {
                peer,
                streams,
                sent,
            }));
        }
        filling = next;
        if filling.len() < CONNECTIONS
            && let Some(mut peer) = attacker.enter().await?
        {
            peer.wire.preface(&[]);
            let mut streams = Vec::new();
            for _ in 0..64 {
                let stream = peer.wire.stream();
                peer.wire.headers(stream, call.bytes());
                peer.wire.data(stream, &begin);
                streams.push((stream, begin.len()));
            }
            let sent = streams.len() * begin.len();
            filling.push(Filling {
                peer,
                streams,
                sent,
            });
        }
    }
    Ok(())
}

impl Filling {
    fn fill(&mut self, mut budget: usize) {
        for (stream, filled) in &mut self.streams {
            let room = self.peer.room(*stream, *filled, self.sent);
            let missing = LARGEST - *filled;
            let part = room.min(missing).min(budget).min(LARGEST_FRAME);
            if part > 0 {
                self.peer.wire.data(*stream, &vec![0; part]);
                *filled += part;
                self.sent += part;
                budget -= part;
            }
        }
        // So that none is always the last.
        self.streams.rotate_left(7);
    }
}

pub(super) async fn zstd_bomb(attacker: &Attacker) -> anyhow::Result<()> {
    let one = compressed(&vec![0; 64 << 20])?.split_off(5);
    let sixteen = one.repeat(16);
    throw(
        attacker,
        &message(1, u32::try_from(sixteen.len())?, &sixteen),
    )
    .await
}

/// An empty record in a batch in a request: field 2 in field 2.
pub(super) async fn record_bomb(attacker: &Attacker) -> anyhow::Result<()> {
    let records = [0x12, 0x00].repeat(LARGEST / 2 - 10);
    throw(attacker, &compressed(&within(&[0x12], &records))?).await
}

/// An empty party, field 24, in a case in a record in a batch in a request.
pub(super) async fn party_bomb(attacker: &Attacker) -> anyhow::Result<()> {
    let parties = [0xc2, 0x01, 0x00].repeat(LARGEST / 3 - 20);
    let record = within(&[0x0a], &parties);
    let batch = within(&[0x12], &within(&[0x12], &record));
    throw(attacker, &compressed(&batch)?).await
}

fn within(tag: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut message = tag.to_vec();
    prost::encoding::encode_varint(bytes.len() as u64, &mut message);
    message.extend_from_slice(bytes);
    message
}

/// A greeting and then this, on a sync stream of its own each time.
async fn throw(attacker: &Attacker, bomb: &[u8]) -> anyhow::Result<()> {
    let call = sync().field("grpc-encoding", "zstd");
    attacker
        .keep_on(
            SELDOM,
            |wire| wire.preface(&[]),
            |wire| {
                let stream = wire.stream();
                wire.headers(stream, call.bytes());
                let hello = hello(&attacker.office_id).encode_to_vec();
                wire.data(stream, &plain(&hello));
                for part in bomb.chunks(LARGEST_FRAME) {
                    wire.data(stream, part);
                }
            },
        )
        .await
}

/// An empty party of a look-up is two bytes.
pub(super) async fn repeated_bomb(attacker: &Attacker) -> anyhow::Result<()> {
    ask(attacker, &[0x22, 0x00].repeat(LARGEST / 2)).await
}

pub(super) async fn nesting(attacker: &Attacker) -> anyhow::Result<()> {
    // Groups of field 15, begun and never ended.
    ask(attacker, &[0x7b].repeat(100_000)).await
}

pub(super) async fn unknown_fields(attacker: &Attacker) -> anyhow::Result<()> {
    // Field 15 as a number, as eight bytes and as text.
    let fields = [
        0x78, 1, 0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0x7a, 3, b'a', b'b', b'c',
    ];
    ask(attacker, &fields.repeat(1 << 16)).await
}

pub(super) async fn invalid_utf8(attacker: &Attacker) -> anyhow::Result<()> {
    // The case reference.
    ask(attacker, &within(&[0x12], &[0xff; 60])).await
}

/// Look-ups of this message, over and over, within what the hub lets us send.
async fn ask(attacker: &Attacker, question: &[u8]) -> anyhow::Result<()> {
    let call = lookup(attacker);
    let body = plain(question);
    let mut pace = attacker.pace(SELDOM);
    let mut standing: Option<(Peer, usize)> = None;
    while pace.next().await {
        let (mut peer, sent) = match standing.take() {
            Some(standing) => standing,
            None => {
                let Some(mut peer) = attacker.enter().await? else {
                    continue;
                };
                peer.wire.preface(&[]);
                (peer, 0)
            }
        };
        let room = peer.room(0, sent, sent);
        let stream = peer.wire.stream();
        peer.wire.headers(stream, call.bytes());
        let part = &body[..body.len().min(room)];
        for part in part.chunks(LARGEST_FRAME) {
            peer.wire.data(stream, part);
        }
        match part.len() == body.len() {
            true => peer.wire.last_data(stream, b""),
            false => peer.wire.reset(stream),
        }
        let sent = sent + part.len();
        standing = attacker.sent(peer).await.map(|peer| (peer, sent));
    }
    Ok(())
}
