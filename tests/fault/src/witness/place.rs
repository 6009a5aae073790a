//! An office's place at the hub.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sandbox::Bureau;
use sandbox::client::{self, Identity};
use tokio::time::Instant;
use tonic::transport::Channel;

/// A certificate that is renewed in good time, and where to go with it.
#[derive(Debug)]
pub(super) struct Place {
    hub: SocketAddr,
    ca_file: PathBuf,
    identity: Identity,
    /// How long a certificate is used.
    half_life: Duration,
    since: Instant,
}

impl Place {
    /// Takes a certificate for the office. `hub` is where the hub is found, `life` how long its certificates live.
    pub(super) async fn enrol(
        bureau: &Bureau,
        office_id: &str,
        hub: SocketAddr,
        life: Duration,
    ) -> anyhow::Result<Self> {
        let people = client::channel(
            &client::endpoint(),
            bureau.addresses().people,
            client::config(&bureau.ca_file(), None)?,
        );
        let join_token = bureau.join_token(office_id).await?;
        Ok(Self {
            hub,
            ca_file: bureau.ca_file(),
            identity: client::enrol(people, join_token).await?,
            half_life: life / 2,
            since: Instant::now(),
        })
    }

    /// Whether it is time for another certificate.
    pub(super) fn is_due(&self) -> bool {
        self.since.elapsed() > self.half_life
    }

    /// A connection with a certificate that is good for a while.
    pub(super) async fn connect(&mut self) -> anyhow::Result<Channel> {
        if self.is_due() {
            let asked = Instant::now();
            self.identity = client::renew(self.channel()?).await?;
            self.since = asked;
        }
        self.channel()
    }

    fn channel(&self) -> anyhow::Result<Channel> {
        let identity = client::copy_of(&self.identity);
        let config = client::config(&self.ca_file, Some(identity))?;
        Ok(client::channel(&client::endpoint(), self.hub, config))
    }
}
