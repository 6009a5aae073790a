//! A network between agent and hub that can be cut, and that can hold back either direction. It passes bytes and
//! understands none of them: what it breaks is broken as a real network breaks it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes passed on at once.
const CHUNK: usize = 2048;

#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Where everything is passed to.
    target: SocketAddr,
    /// Connections of an earlier generation are cut.
    generation: u64,
    /// No new connections.
    closed: bool,
    /// Requests pass until so many bytes of them have passed, over all connections.
    requests_until: u64,
    /// Answers pass until so many bytes of requests have passed.
    answers_until: u64,
}

const OPEN: u64 = u64::MAX;

/// A running proxy; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    rules: watch::Sender<Rules>,
    requests: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a loopback port and passes everything to `target`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let rules = watch::Sender::new(Rules {
            target,
            generation: 0,
            closed: false,
            requests_until: OPEN,
            answers_until: OPEN,
        });
        let requests = Arc::new(AtomicU64::new(0));
        let accepting = tokio::spawn(accept(listener, rules.subscribe(), Arc::clone(&requests)));
        Ok(Self {
            address,
            rules,
            requests,
            accepting,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of requests that have passed so far.
    pub fn passed(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    /// Whether so much has passed that requests are held back.
    pub fn is_holding_requests(&self) -> bool {
        self.passed() >= self.rules.borrow().requests_until
    }

    /// Holds requests back once so many more bytes have passed.
    pub fn hold_requests_after(&self, bytes: u64) {
        let until = self.passed() + bytes;
        self.rules.send_modify(|rules| rules.requests_until = until);
    }

    /// Holds answers back once so many more bytes of requests have passed.
    pub fn hold_answers_after(&self, bytes: u64) {
        let until = self.passed() + bytes;
        self.rules.send_modify(|rules| rules.answers_until = until);
    }

    /// Cuts every connection. What was held back is gone.
    pub fn cut(&self) {
        self.rules.send_modify(|rules| rules.generation += 1);
    }

    /// Cuts every connection and takes no new one.
    pub fn close(&self) {
        self.rules.send_modify(|rules| {
            rules.generation += 1;
            rules.closed = true;
        });
    }

    /// Cuts every connection and passes new ones to another target.
    pub fn redirect(&self, target: SocketAddr) {
        self.rules.send_modify(|rules| {
            rules.generation += 1;
            rules.target = target;
        });
    }

    /// Lets everything pass again.
    pub fn open(&self) {
        self.rules.send_modify(|rules| {
            rules.closed = false;
            rules.requests_until = OPEN;
            rules.answers_until = OPEN;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, rules: watch::Receiver<Rules>, requests: Arc<AtomicU64>) {
    loop {
        let Ok((agent, _)) = listener.accept().await else {
            continue;
        };
        let (rules, requests) = (rules.clone(), Arc::clone(&requests));
        let Rules { target, closed, .. } = *rules.borrow();
        if closed {
            continue;
        }
        tokio::spawn(async move {
            // The hub may be down: the agent then sees its connection end.
            if let Ok(hub) = TcpStream::connect(target).await {
                join(agent, hub, rules, requests).await;
            }
        });
    }
}

/// Passes bytes both ways until one side ends or the connection is cut.
async fn join(
    agent: TcpStream,
    hub: TcpStream,
    mut rules: watch::Receiver<Rules>,
    requests: Arc<AtomicU64>,
) {
    let generation = rules.borrow().generation;
    let (agent_reads, agent_writes) = agent.into_split();
    let (hub_reads, hub_writes) = hub.into_split();
    let ask = pump(
        agent_reads,
        hub_writes,
        Way::Requests,
        &requests,
        generation,
        rules.clone(),
    );
    let answer = pump(
        hub_reads,
        agent_writes,
        Way::Answers,
        &requests,
        generation,
        rules.clone(),
    );
    tokio::select! {
        _ = ask => {}
        _ = answer => {}
        _ = rules.wait_for(|rules| rules.generation != generation) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Requests,
    Answers,
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    requests: &AtomicU64,
    generation: u64,
    mut rules: watch::Receiver<Rules>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        let may_pass = |rules: &Rules| {
            let passed = requests.load(Ordering::SeqCst);
            match way {
                Way::Requests => passed < rules.requests_until,
                Way::Answers => passed < rules.answers_until,
            }
        };
        let is_cut = |rules: &Rules| rules.generation != generation;
        match rules
            .wait_for(|rules| is_cut(rules) || may_pass(rules))
            .await
        {
            // What is held back is gone with the cut, also when everything may pass again at once.
            Ok(rules) if !is_cut(&rules) => {}
            _ => return Ok(()),
        }
        to.write_all(&chunk[..length]).await?;
        if way == Way::Requests {
            requests.fetch_add(length as u64, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A server that answers each byte with itself.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reads, mut writes) = stream.into_split();
                    tokio::io::copy(&mut reads, &mut writes).await
                });
            }
        });
        address
    }

    async fn ask(stream: &mut TcpStream) -> io::Result<u8> {
        stream.write_all(b"?").await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn answers_are_held_while_requests_pass_and_are_gone_after_a_cut() {
        let proxy = Proxy::start(echo().await).await.expect("started");
        let mut agent = TcpStream::connect(proxy.address()).await.expect("taken");
        assert_eq!(ask(&mut agent).await.expect("answered"), b'?');
        proxy.hold_answers_after(1);
        let held = tokio::time::timeout(Duration::from_millis(200), ask(&mut agent)).await;
        assert!(held.is_err(), "no answer comes");
        assert_eq!(proxy.passed(), 2, "the request did");
        proxy.cut();
        assert!(agent.read_u8().await.is_err(), "cut");
        proxy.open();
        let mut agent = TcpStream::connect(proxy.address()).await.expect("taken");
        assert_eq!(ask(&mut agent).await.expect("answered"), b'?');
    }
}
