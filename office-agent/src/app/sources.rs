//! From the configured sources to what makes entries of their rows.

use linkage::token::TokenKey;

use super::AppError;
use crate::config::{Config, Source};
use crate::mapping::Mapping;
use crate::outbox::Outbox;
use crate::pipeline::{AskedKey, Pipeline};
use crate::source::push::PushEndpoint;

/// Every source with its pipeline. A mapping that cannot be used stops the agent before anything is read: half of an
/// office's sources would look like all of them.
pub(super) fn pipelines(
    config: &Config,
    key: &TokenKey,
    next: &AskedKey,
) -> Result<Vec<(Source, Pipeline)>, AppError> {
    config
        .sources
        .iter()
        .map(|source| {
            let pipeline = pipeline(source, key)?.with_next(next.clone());
            Ok((source.clone(), pipeline))
        })
        .collect()
}

/// Takes the rows that are pushed.
pub(super) fn push_endpoint(outbox: Outbox, pipelines: &[(Source, Pipeline)]) -> PushEndpoint {
    let pushed = pipelines
        .iter()
        .filter_map(|(source, pipeline)| match source {
            Source::Push(push) => Some((push.name.clone(), pipeline.clone())),
            _ => None,
        });
    PushEndpoint::new(outbox, pushed)
}

/// One source's pipeline.
pub(crate) fn pipeline(source: &Source, key: &TokenKey) -> Result<Pipeline, AppError> {
    Ok(Pipeline::new(mapping(source)?, key.clone()))
}

/// One source's mapping.
pub(crate) fn mapping(source: &Source) -> Result<Mapping, AppError> {
    Mapping::load(source.mapping()).map_err(|problem| AppError::Mapping {
        name: source.name().clone(),
        problem,
    })
}
