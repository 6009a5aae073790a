//! Those who keep to the rules and want their answers all the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use sandbox::client;
use sandbox::rest::Rest;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// A question of each neighbour at this distance.
const EVERY: Duration = Duration::from_millis(10);
/// A stranger comes at this distance.
const STRANGER_EVERY: Duration = Duration::from_millis(200);
/// Whoever has no answer by now has none.
const PATIENCE: Duration = Duration::from_secs(5);

/// What neighbours heard in a while, and how long it took.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub lookups: Vec<Duration>,
    pub health: Vec<Duration>,
    /// Each over a connection of its own.
    pub strangers: Vec<Duration>,
    /// Questions of neighbours that were not answered, or not well.
    pub failures: Vec<String>,
    /// Strangers who were not answered.
    pub turned_away: u64,
}

impl Heard {
    /// The duration that so many percent stay within, milliseconds.
    pub fn percentile(mut of: Vec<Duration>, percent: usize) -> f64 {
        of.sort_unstable();
        let at = (of.len() * percent / 100).min(of.len().saturating_sub(1));
        of.get(at)
            .map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }
}

/// Neighbours at work, until dropped.
#[derive(Debug)]
pub struct Neighbours {
    heard: Arc<Mutex<Heard>>,
    _at_work: JoinSet<()>,
}

/// Who a neighbour is to the hub.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// With an office's certificate.
    pub(crate) agents: Channel,
    pub(crate) people: Channel,
    /// Of a notary of that office.
    pub(crate) session: String,
    pub(crate) rest: Rest,
}

impl Neighbours {
    pub(crate) fn start(access: &Access) -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        let mut at_work = JoinSet::new();
        at_work.spawn(look_up(access.clone(), Arc::clone(&heard)));
        at_work.spawn(ask_for_health(access.clone(), Arc::clone(&heard)));
        at_work.spawn(send_strangers(access.clone(), Arc::clone(&heard)));
        Self {
            heard,
            _at_work: at_work,
        }
    }

    /// What was heard since this was last asked.
    pub fn heard(&self) -> Heard {
        std::mem::take(&mut lock(&self.heard))
    }

    /// What is heard in a while.
    pub async fn listen(&self, time: Duration) -> Heard {
        self.heard();
        tokio::time::sleep(time).await;
        self.heard()
    }
}

pub(crate) async fn look_up_once(access: &Access) -> anyhow::Result<()> {
    let client = LookupServiceClient::new(access.agents.clone());
    timeout(PATIENCE, ask(client, access.session.clone())).await?
}

async fn look_up(access: Access, heard: Arc<Mutex<Heard>>) {
    let client = LookupServiceClient::new(access.agents);
    let mut asked = Asked::new(heard, |heard| &mut heard.lookups);
    let mut ticks = every(EVERY);
    loop {
        ticks.tick().await;
        asked.ask(ask(client.clone(), access.session.clone()));
    }
}

/// One look-up of a stranger to the city.
async fn ask(mut client: LookupServiceClient<Channel>, session: String) -> anyhow::Result<()> {
    let request = client::signed(client::question("attack", &[1; 16]), &session)?;
    let answer = client.check_application(request).await?.into_inner();
    ensure!(answer.receipt.is_some(), "an answer without a receipt");
    Ok(())
}

async fn ask_for_health(access: Access, heard: Arc<Mutex<Heard>>) {
    let client = HealthClient::new(access.people);
    let mut asked = Asked::new(heard, |heard| &mut heard.health);
    let mut ticks = every(EVERY);
    loop {
        ticks.tick().await;
        let mut client = client.clone();
        asked.ask(async move {
            client.check(HealthCheckRequest::default()).await?;
            Ok(())
        });
    }
}

/// Questions of one neighbour. None waits for the one before, as people do not wait for each other.
struct Asked {
    heard: Arc<Mutex<Heard>>,
    list: fn(&mut Heard) -> &mut Vec<Duration>,
    open: JoinSet<()>,
}

impl Asked {
    fn new(heard: Arc<Mutex<Heard>>, list: fn(&mut Heard) -> &mut Vec<Duration>) -> Self {
        Self {
            heard,
            list,
            open: JoinSet::new(),
        }
    }

    fn ask(&mut self, question: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        // Those that are answered.
        while self.open.try_join_next().is_some() {}
        let (heard, list) = (Arc::clone(&self.heard), self.list);
        self.open.spawn(async move {
            let begun = Instant::now();
            let answer = timeout(PATIENCE, question).await;
            let answer = answer.context("no answer in time").flatten();
            let mut heard = lock(&heard);
            match answer {
                Ok(()) => list(&mut heard).push(begun.elapsed()),
                Err(error) => heard.failures.push(format!("{error:#}")),
            }
        });
    }
}

async fn send_strangers(access: Access, heard: Arc<Mutex<Heard>>) {
    let mut ticks = every(STRANGER_EVERY);
    loop {
        let due = ticks.tick().await;
        let asking = access
            .rest
            .get_as("/api/v1/openapi.json", "application/json");
        match timeout(PATIENCE, asking).await {
            Ok(Ok(_)) => lock(&heard).strangers.push(due.elapsed()),
            Ok(Err(_)) | Err(_) => lock(&heard).turned_away += 1,
        }
    }
}

/// Ticks at this distance; those that were missed come at once.
fn every(distance: Duration) -> Interval {
    let mut ticks = interval(distance);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}

fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
