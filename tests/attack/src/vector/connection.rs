//! Connections that take their time, or somebody else's place.

use std::fs;
use std::net::Ipv4Addr;

use anyhow::Context;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::OFTEN;
use crate::attacker::Attacker;
use crate::peer::Peer;

/// More than the hub gives one address.
const OF_ONE_ADDRESS: usize = 300;

pub(super) async fn slow_handshake(attacker: &Attacker) -> anyhow::Result<()> {
    // The head of a ClientHello that is still to come.
    let hello = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    knock_and_trickle(attacker, &hello).await
}

pub(super) async fn half_open(attacker: &Attacker) -> anyhow::Result<()> {
    knock_and_trickle(attacker, &[]).await
}

/// Connections as many as one gets, each of which says one byte more now and then.
async fn knock_and_trickle(attacker: &Attacker, words: &[u8]) -> anyhow::Result<()> {
    let mut pace = attacker.pace(OFTEN);
    let mut held: Vec<(TcpStream, usize)> = Vec::new();
    let mut turn = 0;
    while pace.next().await {
        for _ in 0..2 {
            if held.len() < OF_ONE_ADDRESS
                && let Ok(tcp) = attacker.knock().await
            {
                held.push((tcp, 0));
            }
        }
        for _ in 0..20.min(held.len()) {
            turn = (turn + 1) % held.len();
            let (tcp, said) = &mut held[turn];
            let Some(byte) = words.get(*said..=*said) else {
                continue;
            };
            *said += 1;
            if tcp.write_all(byte).await.is_err() {
                attacker.tally.refused();
                held.swap_remove(turn);
            }
        }
    }
    Ok(())
}

pub(super) async fn slow_preface(attacker: &Attacker) -> anyhow::Result<()> {
    let words = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut pace = attacker.pace(OFTEN * 2);
    let mut held: Vec<(Peer, usize)> = Vec::new();
    while pace.next().await {
        let mut still = Vec::new();
        for (mut peer, said) in held {
            let byte = words.get(said..=said).unwrap_or_default();
            peer.wire.raw(byte);
            still.extend(attacker.sent(peer).await.map(|peer| (peer, said + 1)));
        }
        held = still;
        if let Some(peer) = attacker.enter().await? {
            held.push((peer, 0));
        }
    }
    Ok(())
}

pub(super) async fn churn(attacker: &Attacker) -> anyhow::Result<()> {
    let mut pace = attacker.pace(OFTEN);
    while pace.next().await {
        drop(attacker.enter().await?);
    }
    Ok(())
}

pub(super) async fn full_house(attacker: &Attacker) -> anyhow::Result<()> {
    let mut pace = attacker.pace(OFTEN);
    let mut held = Vec::new();
    while pace.next().await {
        for _ in 0..20 {
            let address = Ipv4Addr::new(127, 0, 67, (held.len() / 220) as u8);
            if held.len() < 2200 {
                held.push(attacker.knock_from(address).await);
            }
        }
    }
    Ok(())
}

pub(super) async fn no_descriptors(attacker: &Attacker) -> anyhow::Result<()> {
    let _short = ShortOfDescriptors::make(attacker.process)?;
    let mut pace = attacker.pace(OFTEN);
    let mut held = Vec::new();
    while pace.next().await {
        if held.len() < 200 {
            held.push(attacker.knock().await);
        }
    }
    Ok(())
}

/// Leaves the hub a few more file descriptors than it has open, until dropped.
struct ShortOfDescriptors {
    process: Pid,
    before: Rlimit,
}

impl ShortOfDescriptors {
    const FREE: u64 = 10;

    fn make(process: u32) -> anyhow::Result<Self> {
        let open = fs::read_dir(format!("/proc/{process}/fd"))?.count() as u64;
        let process = Pid::from_raw(process.cast_signed()).context("0 is no process")?;
        let maximum = getrlimit(Resource::Nofile).maximum;
        let few = Rlimit {
            current: Some(open + Self::FREE),
            maximum,
        };
        let before = prlimit(Some(process), Resource::Nofile, few)?;
        Ok(Self { process, before })
    }
}

impl Drop for ShortOfDescriptors {
    fn drop(&mut self) {
        // Fails only when the hub is gone, which is noticed elsewhere.
        let before = Rlimit {
            current: self.before.current,
            maximum: self.before.maximum,
        };
        let _ = prlimit(Some(self.process), Resource::Nofile, before);
    }
}
