//! With what mentions are scored: the weights in force, and how common names were when they came in force. Both stand
//! still until the next training or recount, so that persons follow from the data and not from when it came.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use linkage::name::{NameShare, PreparedName};
use linkage::weights::Weights;
use sqlx::PgConnection;

use super::LinkingError;
use crate::store::linking::model as store;

/// Weights with the names' shares.
#[derive(Debug)]
pub struct Model {
    /// None: the weights that come with the program, and no shares.
    version: Option<String>,
    weights: Weights,
    shares: HashMap<u64, NameShare>,
}

impl Model {
    /// What a hub begins with.
    pub fn builtin() -> Self {
        Self {
            version: None,
            weights: Weights::builtin(),
            shares: HashMap::new(),
        }
    }

    /// A model that is not in force yet.
    pub fn new(version: String, weights: Weights, shares: HashMap<u64, NameShare>) -> Self {
        Self {
            version: Some(version),
            weights,
            shares,
        }
    }

    /// What is in force.
    pub async fn in_force(connection: &mut PgConnection) -> Result<Self, LinkingError> {
        let Some(version) = store::version(&mut *connection).await? else {
            return Ok(Self::builtin());
        };
        let stored = store::weights(&mut *connection, &version).await?;
        Ok(Self {
            weights: Weights::parse(&stored.content)?.scaled_to(stored.mentions),
            shares: store::shares(connection).await?,
            version: Some(version),
        })
    }

    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How common a name is; a name that was not there when names were counted has no share.
    pub fn share_of(&self, name: &PreparedName) -> Option<NameShare> {
        self.shares.get(&name.fingerprint()).copied()
    }
}

/// The model in force, kept in memory and read again when another one is.
#[derive(Clone, Debug)]
pub struct Models(Arc<RwLock<Arc<Model>>>);

impl Default for Models {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Model::builtin()))))
    }
}

impl Models {
    /// The model in force, as this connection sees it.
    pub async fn in_force(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Arc<Model>, LinkingError> {
        let version = store::version(&mut *connection).await?;
        let held = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        if held.version == version {
            return Ok(held);
        }
        let model = Arc::new(Model::in_force(connection).await?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&model);
        Ok(model)
    }
}
