//! `notary.agent.v1.PushService`.

use std::collections::{BTreeMap, HashMap};

use axum::Router;
use notary_proto::agent::v1 as agent;
use notary_proto::agent::v1::push_service_server::{PushService, PushServiceServer};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::{MOST_BYTES, PushEndpoint, PushError, Pushed, location};
use crate::source::row::{Columns, Row};

pub(super) fn router(endpoint: PushEndpoint) -> Router {
    let service = PushServiceServer::new(endpoint).max_decoding_message_size(MOST_BYTES);
    Routes::new(service).into_axum_router().reset_fallback()
}

#[tonic::async_trait]
impl PushService for PushEndpoint {
    async fn push_rows(
        &self,
        request: Request<agent::PushRowsRequest>,
    ) -> Result<Response<agent::PushRowsResponse>, Status> {
        let agent::PushRowsRequest { source, rows } = request.into_inner();
        let (known, _) = self.source(&source)?;
        let here = location(known);
        let rows = rows.into_iter().map(|pushed| {
            let mut parent = row(pushed.columns, &here);
            for (child, list) in pushed.children {
                let rows = list.rows.into_iter().map(|child| row(child.columns, &here));
                parent.children.insert(child, rows.collect());
            }
            parent
        });
        let pushed = self.push(&source, rows.collect()).await?;
        Ok(Response::new(pushed.into()))
    }
}

/// Proto3 has no null: an empty text is an empty cell, which mapping takes as absent.
fn row(columns: HashMap<String, String>, location: &str) -> Row {
    let (names, cells) = BTreeMap::from_iter(columns)
        .into_iter()
        .map(|(name, cell)| (name, Some(cell)))
        .unzip();
    Row {
        location: location.to_owned(),
        columns: Columns::of_filled(names),
        cells,
        children: BTreeMap::new(),
    }
}

impl From<Pushed> for agent::PushRowsResponse {
    fn from(pushed: Pushed) -> Self {
        let rejects = pushed.rejects.into_iter().map(|reject| agent::RowReject {
            row: reject.row,
            rule_id: reject.rule_id,
            field: reject.field,
        });
        Self {
            accepted: pushed.accepted,
            unchanged: pushed.unchanged,
            rejects: rejects.collect(),
        }
    }
}

impl From<PushError> for Status {
    fn from(error: PushError) -> Self {
        let message = error.to_string();
        match error {
            PushError::UnknownSource => Self::not_found(message),
            PushError::TooManyRows(_) | PushError::NoValue { .. } => {
                Self::invalid_argument(message)
            }
            PushError::Outbox(_) | PushError::Stopping => Self::unavailable(message),
        }
    }
}
