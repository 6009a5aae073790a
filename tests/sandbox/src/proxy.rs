//! A network between agent and hub that can be cut, and that can hold back either direction. It passes bytes and
//! understands none of them: what it breaks is broken as a real network breaks it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

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
    weather: Weather,
    ending: Ending,
}

/// How bytes pass that do pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    #[default]
    Fair,
    /// Three chunks in ten are late by the time that TCP takes to send a lost one again.
    Lossy,
    /// Every chunk is half a second late, give or take as much.
    Late,
    /// Ten bytes a second.
    Trickle,
}

/// How a connection that is cut ends for both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ending {
    #[default]
    Closed,
    /// With a reset, and whatever was on its way lost.
    Reset,
}

impl Weather {
    /// How many bytes of a chunk go at once, and after what time.
    fn of(self, nth: u64) -> (usize, Duration) {
        let ms = Duration::from_millis;
        match self {
            Self::Fair => (CHUNK, Duration::ZERO),
            Self::Lossy if nth % 10 < 3 => (CHUNK, ms(200 << (nth % 3))),
            Self::Lossy => (CHUNK, Duration::ZERO),
            // 0 to 1000 ms, in an order that is the same every time.
            Self::Late => (CHUNK, ms(nth * 617 % 1001)),
            Self::Trickle => (1, ms(100)),
        }
    }
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
            weather: Weather::Fair,
            ending: Ending::Closed,
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
        self.end(Ending::Closed);
    }

    /// Resets every connection, in the middle of whatever it is that passes.
    pub fn reset(&self) {
        self.end(Ending::Reset);
    }

    fn end(&self, ending: Ending) {
        self.rules.send_modify(|rules| {
            rules.generation += 1;
            rules.ending = ending;
        });
    }

    /// From now on bytes pass so.
    pub fn turn(&self, weather: Weather) {
        self.rules.send_modify(|rules| rules.weather = weather);
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
            rules.weather = Weather::Fair;
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
    let (mut agent, mut hub) = (agent, hub);
    let (agent_reads, agent_writes) = agent.split();
    let (hub_reads, hub_writes) = hub.split();
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
    let Rules {
        generation: now,
        ending,
        ..
    } = *rules.borrow();
    if now != generation && ending == Ending::Reset {
        // It ends either way.
        let _ = agent.set_zero_linger().and(hub.set_zero_linger());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Requests,
    Answers,
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    way: Way,
    requests: &AtomicU64,
    generation: u64,
    mut rules: watch::Receiver<Rules>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut nth = 0;
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
        let mut left = &chunk[..length];
        while !left.is_empty() {
            let (at_once, late) = rules.borrow().weather.of(nth);
            if !late.is_zero() {
                sleep(late).await;
            }
            nth += 1;
            let (now, later) = left.split_at(at_once.min(left.len()));
            to.write_all(now).await?;
            left = later;
        }
        if way == Way::Requests {
            requests.fetch_add(length as u64, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
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
    #[tokio::test]
    async fn a_reset_is_one_for_the_agent() {
        let proxy = Proxy::start(echo().await).await.expect("started");
        let mut agent = TcpStream::connect(proxy.address()).await.expect("taken");
        assert_eq!(ask(&mut agent).await.expect("answered"), b'?');
        proxy.reset();
        let error = agent.read_u8().await.expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn in_bad_weather_everything_passes_in_its_order() {
        for weather in [Weather::Lossy, Weather::Late, Weather::Trickle] {
            let proxy = Proxy::start(echo().await).await.expect("started");
            let mut agent = TcpStream::connect(proxy.address()).await.expect("taken");
            proxy.turn(weather);
            agent.write_all(b"abc").await.expect("sent");
            let mut answer = [0; 3];
            agent.read_exact(&mut answer).await.expect("answered");
            assert_eq!(&answer, b"abc", "{weather:?}");
        }
    }
}
