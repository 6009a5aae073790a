//! `SessionService`: signing in and out from a case system or the agent.

use std::sync::Arc;

use notary_proto::hub::v1::session_service_server::SessionService;
use notary_proto::hub::v1::{
    CreateSessionRequest, CreateSessionResponse, DeleteSessionRequest, DeleteSessionResponse,
};
use tonic::{Request, Response, Status};

use super::error::{audit, database};
use super::value::timestamp;
use super::{address_of, bearer_of};
use crate::entrance::{Entrance, ExitError};
use crate::identity::account::{Credentials, SignOutError};
use crate::refusal::{Reason, Refusal};

/// The service.
#[derive(Debug)]
pub struct SessionApi {
    entrance: Arc<Entrance>,
}

impl SessionApi {
    pub fn new(entrance: Arc<Entrance>) -> Self {
        Self { entrance }
    }
}

#[tonic::async_trait]
impl SessionService for SessionApi {
    async fn create_session(
        &self,
        request: Request<CreateSessionRequest>,
    ) -> Result<Response<CreateSessionResponse>, Status> {
        let address = address_of(&request)?;
        let CreateSessionRequest {
            login,
            password,
            otp,
        } = request.into_inner();
        let credentials = Credentials {
            login: &login,
            password: &password,
            code: &otp,
        };
        let session = self
            .entrance
            .sign_in(credentials, address)
            .await
            .map_err(|error| Status::from(Refusal::from(error)))?;
        Ok(Response::new(CreateSessionResponse {
            access_token: session.access_token,
            expires_at: Some(timestamp(session.expires_at)),
        }))
    }

    async fn delete_session(
        &self,
        request: Request<DeleteSessionRequest>,
    ) -> Result<Response<DeleteSessionResponse>, Status> {
        let token = bearer_of(&request)
            .ok_or_else(|| Reason::Unauthenticated.because("a bearer token is needed"))?;
        match self.entrance.sign_out(token).await {
            Ok(()) => Ok(Response::new(DeleteSessionResponse {})),
            Err(ExitError::SignOut(SignOutError::Token(error))) => {
                tracing::info!(%error, "a bearer token was refused");
                Err(Reason::Unauthenticated
                    .because("the bearer token proves nothing")
                    .into())
            }
            Err(ExitError::SignOut(SignOutError::Database(problem))) => Err(database(&problem)),
            Err(ExitError::Audit(problem)) => Err(audit(&problem)),
        }
    }
}
