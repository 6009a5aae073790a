//! `SessionService`: signing in and out from a case system or the agent.

use std::sync::Arc;
use std::time::Duration;

use notary_proto::hub::v1::session_service_server::SessionService;
use notary_proto::hub::v1::{
    CreateSessionRequest, CreateSessionResponse, DeleteSessionRequest, DeleteSessionResponse,
};
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use super::bearer_of;
use super::error::{Reason, Refusal, audit, database};
use crate::audit::{Action, Audit, Entry, Outcome};
use crate::identity::account::{Credentials, Sessions, SignInError, SignOutError};

/// The service.
#[derive(Debug)]
pub struct SessionApi {
    sessions: Arc<Sessions>,
    audit: Audit,
}

impl SessionApi {
    pub fn new(sessions: Arc<Sessions>, audit: Audit) -> Self {
        Self { sessions, audit }
    }
}

#[tonic::async_trait]
impl SessionService for SessionApi {
    async fn create_session(
        &self,
        request: Request<CreateSessionRequest>,
    ) -> Result<Response<CreateSessionResponse>, Status> {
        let CreateSessionRequest {
            login,
            password,
            otp,
        } = request.into_inner();
        let session = self
            .sessions
            .sign_in_with(Credentials {
                login: &login,
                password: &password,
                code: &otp,
            })
            .await
            .map_err(|error| Status::from(Refusal::from(&error)))?;
        let entry = Entry::by(
            &session.person,
            Action::SignIn,
            Outcome::Done,
            serde_json::json!({}),
        );
        self.audit
            .append(entry)
            .await
            .map_err(|error| audit(&error))?;
        Ok(Response::new(CreateSessionResponse {
            access_token: session.access_token,
            expires_at: Some(Timestamp {
                seconds: session.expires_at.unix_timestamp(),
                nanos: 0,
            }),
        }))
    }

    async fn delete_session(
        &self,
        request: Request<DeleteSessionRequest>,
    ) -> Result<Response<DeleteSessionResponse>, Status> {
        let token = bearer_of(&request)
            .ok_or_else(|| Reason::Unauthenticated.because("a bearer token is needed"))?;
        match self.sessions.sign_out(token).await {
            Ok(_) => Ok(Response::new(DeleteSessionResponse {})),
            Err(SignOutError::Token(error)) => {
                tracing::info!(%error, "a bearer token was refused");
                Err(Reason::Unauthenticated
                    .because("the bearer token proves nothing")
                    .into())
            }
            Err(SignOutError::Database(problem)) => Err(database(&problem)),
        }
    }
}

/// Why nobody signed in, over whichever interface.
impl From<&SignInError> for Refusal {
    fn from(error: &SignInError) -> Self {
        match error {
            SignInError::Refused => Reason::SignInRefused.because(error.to_string()),
            SignInError::CodeRequired => Reason::SecondFactorRequired
                .because(error.to_string())
                .field("otp", "six digits of the authenticator, or a recovery code"),
            SignInError::Busy(_) => Reason::Overloaded
                .because(error.to_string())
                .retry_after(Duration::from_secs(3)),
            SignInError::Database(problem) => problem.into(),
        }
    }
}
