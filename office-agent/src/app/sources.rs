//! From the configured sources to what makes entries of their rows.

use linkage::token::TokenKey;

use super::AppError;
use crate::config::{Config, Source};
use crate::mapping::Mapping;
use crate::pipeline::Pipeline;

/// Every source with its pipeline. A mapping that cannot be used stops the agent before anything is read: half of an
/// office's sources would look like all of them.
pub(super) fn pipelines(
    config: &Config,
    key: &TokenKey,
) -> Result<Vec<(Source, Pipeline)>, AppError> {
    config
        .sources
        .iter()
        .map(|source| Ok((source.clone(), pipeline(source, key)?)))
        .collect()
}

/// One source's pipeline.
pub(crate) fn pipeline(source: &Source, key: &TokenKey) -> Result<Pipeline, AppError> {
    let mapping = Mapping::load(source.mapping()).map_err(|problem| AppError::Mapping {
        name: source.name().clone(),
        problem,
    })?;
    Ok(Pipeline::new(mapping, key.clone()))
}
