//! How the hub is reached: by TCP and TLS, or as a simulation has it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tonic::transport::Channel;

use super::{DialError, as_office, dial};
use crate::config::HubUrl;
use crate::identity::Identity;

type Dialling = Pin<Box<dyn Future<Output = Result<Channel, DialError>> + Send>>;

/// Opens connections to one hub. Clones share it.
#[derive(Clone)]
pub struct Dialer {
    hub: HubUrl,
    open: Arc<dyn Fn(Arc<Identity>) -> Dialling + Send + Sync>,
}

impl Dialer {
    /// With the office's certificate.
    #[must_use]
    pub fn of(hub: HubUrl) -> Self {
        let target = hub.clone();
        Self::by(hub, move |identity| {
            let hub = target.clone();
            async move { dial(&hub, as_office(&identity)?).await }
        })
    }

    /// In a way of the caller's.
    #[must_use]
    pub fn by<F>(hub: HubUrl, open: impl Fn(Arc<Identity>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Channel, DialError>> + Send + 'static,
    {
        Self {
            hub,
            open: Arc::new(move |identity| Box::pin(open(identity))),
        }
    }

    pub(crate) async fn dial(&self, identity: &Arc<Identity>) -> Result<Channel, DialError> {
        (self.open)(Arc::clone(identity)).await
    }
}

impl fmt::Display for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hub.fmt(f)
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialer").field(&self.hub).finish()
    }
}
