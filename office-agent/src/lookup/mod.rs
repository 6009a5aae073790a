//! Asking the hub about persons and things before accepting. Numbers become tokens here; the notary signs in and
//! the office's certificate vouches for the office.

mod answer;
mod question;
mod text;
pub mod watch;

use notary_proto::hub::v1::CreateSessionRequest;
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use notary_proto::hub::v1::session_service_client::SessionServiceClient;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use zeroize::Zeroizing;

pub use answer::{Answer, Feed, Hit, Intent, PersonMatch, Receipt};
pub use question::{IntentAction, Purpose, Question, QuestionError, RawParty, RawSubject};
pub use text::text;

use crate::config::Config;
use crate::dial::{self, DialError, Refusal};
use crate::identity::Identity;
use crate::under_key::followed;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The hub was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The hub said no to the sign-in or to the question.
    #[error("{}", said(.0))]
    Refused(Refusal),
    /// A number cannot be asked about.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The session's token cannot be sent.
    #[error("the hub's session token cannot be used")]
    Token,
}

fn said(refusal: &Refusal) -> String {
    match refusal.message_zh.as_str() {
        "" => refusal.to_string(),
        zh => format!("{zh} ({refusal})"),
    }
}

fn refused(status: tonic::Status) -> LookupError {
    LookupError::Refused(Refusal::of(&status))
}

/// What a notary signs in with.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Account name.
    pub login: &'a str,
    /// Password.
    pub password: &'a str,
    /// One-time code of the second factor; empty for an account without one.
    pub otp: &'a str,
}

/// A password is never shown.
impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// Signs in and asks.
///
/// # Errors
/// When there is no answer.
pub async fn ask(
    config: &Config,
    identity: &Identity,
    question: &Question,
    credentials: Credentials<'_>,
) -> Result<Answer, LookupError> {
    let bearer = sign_in(config, identity, credentials).await?;
    ask_in_session(config, identity, question, bearer).await
}

/// Asks in a session that has begun.
///
/// # Errors
/// When there is no answer.
pub async fn ask_in_session(
    config: &Config,
    identity: &Identity,
    question: &Question,
    bearer: MetadataValue<Ascii>,
) -> Result<Answer, LookupError> {
    let answer = check(config, identity, question, &bearer).await;
    match newer(config, identity, &answer).await {
        Some(newer) => check(config, &newer, question, &bearer).await,
        None => answer,
    }
}

/// The identity to ask once more with, when the hub refused the key of this one.
async fn newer<T>(
    config: &Config,
    identity: &Identity,
    answer: &Result<T, LookupError>,
) -> Option<Identity> {
    match answer {
        Err(LookupError::Refused(refusal)) => followed(&config.data_dir, identity, refusal).await,
        _ => None,
    }
}

async fn check(
    config: &Config,
    identity: &Identity,
    question: &Question,
    bearer: &MetadataValue<Ascii>,
) -> Result<Answer, LookupError> {
    let request = question.tokenised(identity.token_key())?;
    let mut client = client(config, identity).await?;
    let answer = client
        .check_application(signed(identity, request, bearer.clone()))
        .await;
    Ok(answer.map_err(refused)?.into_inner().into())
}

async fn client(
    config: &Config,
    identity: &Identity,
) -> Result<LookupServiceClient<Channel>, LookupError> {
    let tls = dial::as_office(identity).map_err(DialError::from)?;
    let channel = dial::dial(&config.hub.agents, tls).await?;
    Ok(LookupServiceClient::new(channel))
}

fn signed<T>(identity: &Identity, message: T, bearer: MetadataValue<Ascii>) -> Request<T> {
    let mut request = Request::new(message);
    identity.name_key(&mut request);
    request.metadata_mut().insert("authorization", bearer);
    request
}

async fn sign_in(
    config: &Config,
    identity: &Identity,
    credentials: Credentials<'_>,
) -> Result<MetadataValue<Ascii>, LookupError> {
    let tls = dial::anonymous(identity.anchors()).map_err(DialError::from)?;
    let channel = dial::dial(&config.hub.people, tls).await?;
    let session = SessionServiceClient::new(channel)
        .create_session(CreateSessionRequest {
            login: credentials.login.to_owned(),
            password: credentials.password.to_owned(),
            otp: credentials.otp.to_owned(),
        })
        .await
        .map_err(refused)?
        .into_inner();
    let token = Zeroizing::new(format!("Bearer {}", session.access_token));
    bearer(token.as_bytes())
}

/// `Bearer …` as it is sent on.
///
/// # Errors
/// When it cannot be sent.
pub fn bearer(authorization: &[u8]) -> Result<MetadataValue<Ascii>, LookupError> {
    let mut value = MetadataValue::try_from(authorization).map_err(|_| LookupError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
