//! Whoever attacks: from an address of its own, at a bounded pace, keeping count.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use sandbox::client;
use serde::Serialize;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::frame::Wire;
use crate::peer::Peer;

/// The hub counts connections by address, and the attacker's shall not be its neighbours'. All of 127/8 is loopback.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 66, 1);
/// A hub that does not answer for so long is waited for no longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// One of the hub's two doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// gRPC for agents, behind an office's certificate.
    Agents,
    /// HTTPS for anybody.
    People,
}

impl Door {
    pub const BOTH: &[Self] = &[Self::Agents, Self::People];
    pub const AGENTS: &[Self] = &[Self::Agents];
    pub const PEOPLE: &[Self] = &[Self::People];

    pub fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::People => "people",
        }
    }
}

/// What became of an attack.
#[derive(Debug, Default)]
pub struct Tally {
    bursts: AtomicU64,
    opened: AtomicU64,
    refused: AtomicU64,
    closed: AtomicU64,
}

/// [`Tally`] at one moment.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Bursts sent.
    pub bursts: u64,
    /// Connections of the attacker that the hub took.
    pub opened: u64,
    /// Connections that it did not take, or whose handshake it ended.
    pub refused: u64,
    /// Connections that it closed afterwards.
    pub closed: u64,
}

impl Tally {
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            bursts: read(&self.bursts),
            opened: read(&self.opened),
            refused: read(&self.refused),
            closed: read(&self.closed),
        }
    }

    fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub fn burst(&self) {
        Self::one(&self.bursts);
    }

    pub fn refused(&self) {
        Self::one(&self.refused);
    }
}

/// How much, at most.
#[derive(Clone, Copy, Debug)]
pub enum Extent {
    /// So long.
    Time(Duration),
    /// So many bursts, however long a vector would go on.
    Bursts(u32),
}

/// An attacker before one door.
#[derive(Clone, Debug)]
pub struct Attacker {
    pub door: Door,
    pub address: SocketAddr,
    /// With the certificate of an office at the agents' door.
    pub tls: Arc<ClientConfig>,
    pub office_id: String,
    /// Of a notary of the attacker's office.
    pub session: String,
    /// The hub.
    pub process: u32,
    pub extent: Extent,
    pub tally: Arc<Tally>,
}

/// When the next burst may go.
#[derive(Debug)]
pub struct Pace {
    ticks: Interval,
    left: u32,
    tally: Arc<Tally>,
}

impl Pace {
    /// Waits for the moment of the next burst; false when there is none.
    pub async fn next(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.ticks.tick().await;
        self.tally.burst();
        true
    }
}

impl Attacker {
    /// Bursts at this distance, for as long as the attack goes on.
    pub fn pace(&self, every: Duration) -> Pace {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let left = match self.extent {
            Extent::Bursts(bursts) => bursts,
            Extent::Time(time) => (time.as_micros() / every.as_micros()) as u32,
        };
        Pace {
            ticks,
            left,
            tally: Arc::clone(&self.tally),
        }
    }

    /// TCP and nothing more.
    pub async fn knock(&self) -> io::Result<TcpStream> {
        self.knock_from(ADDRESS).await
    }

    pub async fn knock_from(&self, address: Ipv4Addr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((address, 0).into())?;
        let tcp = within(socket.connect(self.address)).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    /// TCP and TLS. `None` when the hub refused either, which is its right.
    pub async fn enter(&self) -> io::Result<Option<Peer>> {
        let entered = async {
            let tcp = self.knock().await?;
            within(client::handshake(&self.tls, tcp)).await
        };
        match entered.await {
            Ok(tls) => {
                Tally::one(&self.tally.opened);
                Ok(Some(Peer::new(tls)))
            }
            // Nothing of the hub's.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Err(error),
            Err(_) => {
                Tally::one(&self.tally.refused);
                Ok(None)
            }
        }
    }

    /// Burst after burst over one connection, and over the next when the hub closes it. `open` writes what comes
    /// before the first burst of each.
    pub async fn keep_on(
        &self,
        every: Duration,
        open: impl Fn(&mut Wire),
        burst: impl Fn(&mut Wire),
    ) -> anyhow::Result<()> {
        let mut pace = self.pace(every);
        let mut peer: Option<Peer> = None;
        while pace.next().await {
            let standing = match peer.take() {
                Some(peer) => Some(peer),
                None => self.open(&open).await?,
            };
            let Some(mut standing) = standing else {
                continue;
            };
            burst(&mut standing.wire);
            peer = self.sent(standing).await;
        }
        Ok(())
    }

    /// One connection more with each burst, all held to the end; `poke` goes over each of them with each burst.
    pub async fn gather(
        &self,
        every: Duration,
        most: usize,
        open: impl Fn(&mut Wire),
        poke: impl Fn(&mut Wire),
    ) -> anyhow::Result<()> {
        let mut pace = self.pace(every);
        let mut held: Vec<Peer> = Vec::new();
        while pace.next().await {
            let mut poked = Vec::new();
            for mut peer in held {
                poke(&mut peer.wire);
                poked.extend(self.sent(peer).await);
            }
            held = poked;
            if held.len() < most {
                held.extend(self.open(&open).await?);
            }
        }
        Ok(())
    }

    async fn open(&self, open: impl Fn(&mut Wire)) -> io::Result<Option<Peer>> {
        let Some(mut peer) = self.enter().await? else {
            return Ok(None);
        };
        open(&mut peer.wire);
        Ok(self.sent(peer).await)
    }

    /// Sends what stands on the wire; `None` when the hub has closed the connection.
    pub async fn sent(&self, mut peer: Peer) -> Option<Peer> {
        match peer.send().await {
            Ok(()) => Some(peer),
            Err(_) => {
                Tally::one(&self.tally.closed);
                None
            }
        }
    }
}

async fn within<T>(what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, what)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
