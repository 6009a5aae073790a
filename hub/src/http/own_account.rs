//! `/api/v1/account`: the own account, its sessions, and its second factor.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::params::{Body, InPath, Nothing, Params};
use super::problem::{Problem, ProblemBody};
use super::session::{SignedIn, unauthenticated};
use crate::entrance::{EndSessionsError, SecondFactorChangeError};
use crate::identity::Person;
use crate::identity::account::own_account::{self, Change, ChangedBy, Door, EndError, OwnView};
use crate::identity::account::own_second_factor::OwnSecondFactorError;
use crate::identity::session::Verified;
use crate::refusal::Reason;
use crate::store::account::own::{Changed, OwnSession};
use crate::transport::{ClientAddress, bearer};

/// The own account.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnAccountAnswer {
    login: String,
    second_factor: bool,
    /// Recovery codes that were not used yet.
    recovery_codes: i64,
    /// The latest first, those of 90 days at most.
    sessions: Vec<OwnSessionAnswer>,
    /// The latest first.
    changes: Vec<ChangeAnswer>,
}

/// A session of the own account.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnSessionAnswer {
    session_id: Uuid,
    door: Door,
    /// Address that it began from.
    address: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    begun_at: OffsetDateTime,
    /// By itself.
    #[serde(with = "time::serde::rfc3339")]
    ends_at: OffsetDateTime,
    /// Attempts to sign in, or to change the account, that were refused since the sign-in before.
    refused: u32,
    state: SessionState,
}

/// Where a session stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionState {
    /// The one that asks.
    This,
    Open,
    Ended,
}

/// What was changed about the own account.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangeAnswer {
    change: Change,
    by: ChangedBy,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// The own account: who signed in as oneself, what was tried, and what was changed.
#[utoipa::path(
    get, path = "/api/v1/account", operation_id = "readOwnAccount", security(("session" = [])),
    responses((status = 200, body = OwnAccountAnswer), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)),
)]
pub(super) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<OwnAccountAnswer>, Problem> {
    let view = own_account::view(&api.pool, person.account_id).await?;
    let view = view.ok_or_else(Problem::not_found)?;
    let this = asking(&api, &headers).ok();
    let this = this.map(|session| session.session_id);
    Ok(Json(OwnAccountAnswer::of(view, this)))
}

/// Ends all own sessions; the answer is a new one, which ends when the one that asks would have.
#[utoipa::path(
    delete, path = "/api/v1/account/sessions", operation_id = "endOwnSessions", security(("session" = [])),
    responses((status = 200, body = SignedIn), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)),
)]
pub(super) async fn end_all(
    State(api): State<Api>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
) -> Result<Json<SignedIn>, Problem> {
    let asking = asking(&api, &headers)?;
    let from = address.0.ip();
    let session = api.entrance.end_all_sessions(&asking, from).await?;
    Ok(Json(session.into()))
}

/// The session that asks.
fn asking(api: &Api, headers: &HeaderMap) -> Result<Verified, Problem> {
    bearer(headers)
        .and_then(|token| api.sessions.verified(token).ok())
        .ok_or_else(unauthenticated)
}

/// Ends one own session.
#[utoipa::path(
    delete, path = "/api/v1/account/sessions/{session_id}", operation_id = "endOwnSession", security(("session" = [])),
    params(("session_id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)),
)]
pub(super) async fn end(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(session_id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    api.entrance.end_session(&person, session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks for a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondFactorWanted {
    current_password: String,
    /// A code of the present second factor, or a recovery code; may be left out without one.
    #[serde(default)]
    otp: String,
}

/// A second factor that is not in force yet.
#[derive(Serialize, ToSchema)]
pub(super) struct SecondFactorOffer {
    /// Base32, to be typed into an authenticator.
    secret: String,
    /// The same in the form that authenticators scan (Key URI).
    uri: String,
}

/// Shows a second factor for the own account; it is in force once a code of it is put.
#[utoipa::path(
    post, path = "/api/v1/account/second-factor", operation_id = "offerSecondFactor", security(("session" = [])),
    request_body = SecondFactorWanted,
    responses((status = 200, body = SecondFactorOffer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)),
)]
pub(super) async fn offer(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Extension(address): Extension<ClientAddress>,
    Body(SecondFactorWanted {
        current_password,
        otp,
    }): Body<SecondFactorWanted>,
) -> Result<Json<SecondFactorOffer>, Problem> {
    let from = address.0.ip();
    let offer = api
        .entrance
        .offer_second_factor(&person, &current_password, &otp, from)
        .await?;
    Ok(Json(SecondFactorOffer {
        secret: offer.secret.reveal().to_string(),
        uri: offer.secret.uri(&offer.login).to_string(),
    }))
}

/// A code of the factor that was shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondFactorCode {
    otp: String,
}

/// A second factor in force.
#[derive(Serialize, ToSchema)]
pub(super) struct SecondFactorSet {
    session: SignedIn,
    /// Each good once; they are not shown again.
    recovery_codes: Vec<String>,
}

/// Puts the second factor that was shown in force. All sessions of the account end; the answer has a new one.
#[utoipa::path(
    put, path = "/api/v1/account/second-factor", operation_id = "confirmSecondFactor", security(("session" = [])),
    request_body = SecondFactorCode,
    responses((status = 200, body = SecondFactorSet), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 503, body = ProblemBody)),
)]
pub(super) async fn confirm(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Extension(address): Extension<ClientAddress>,
    Body(SecondFactorCode { otp }): Body<SecondFactorCode>,
) -> Result<Json<SecondFactorSet>, Problem> {
    let from = address.0.ip();
    let confirmed = api
        .entrance
        .confirm_second_factor(&person, &otp, from)
        .await?;
    let codes = confirmed.recovery_codes.iter();
    Ok(Json(SecondFactorSet {
        recovery_codes: codes.map(|code| code.to_string()).collect(),
        session: confirmed.session.into(),
    }))
}

impl OwnAccountAnswer {
    /// `this` is the session that asks.
    fn of(view: OwnView, this: Option<Uuid>) -> Self {
        let sessions = view.sessions.into_iter();
        Self {
            login: view.account.login,
            second_factor: view.account.second_factor,
            recovery_codes: view.account.recovery_codes,
            sessions: sessions
                .map(|session| OwnSessionAnswer::of(session, this))
                .collect(),
            changes: view.changes.into_iter().map(ChangeAnswer::from).collect(),
        }
    }
}

impl OwnSessionAnswer {
    fn of(session: OwnSession, this: Option<Uuid>) -> Self {
        Self {
            state: match session.is_open {
                false => SessionState::Ended,
                true if this == Some(session.session_id) => SessionState::This,
                true => SessionState::Open,
            },
            session_id: session.session_id,
            door: session.door,
            address: session.address,
            begun_at: session.begun_at,
            ends_at: session.ends_at,
            refused: session.refused,
        }
    }
}

impl From<Changed> for ChangeAnswer {
    fn from(changed: Changed) -> Self {
        Self {
            change: changed.change,
            by: changed.by,
            at: changed.at,
        }
    }
}

impl From<EndSessionsError> for Problem {
    fn from(error: EndSessionsError) -> Self {
        match error {
            EndSessionsError::End(EndError::Unknown | EndError::Disabled) => Self::not_found(),
            EndSessionsError::End(EndError::Database(problem)) => (&problem).into(),
            EndSessionsError::Audit(problem) => problem.into(),
        }
    }
}

impl From<SecondFactorChangeError> for Problem {
    fn from(error: SecondFactorChangeError) -> Self {
        let code = |expected: &str, detail_zh| Self::answer("otp", expected, detail_zh);
        match error {
            SecondFactorChangeError::TooOften { retry_after } => Reason::RateLimited
                .because(error.to_string())
                .retry_after(retry_after)
                .into(),
            SecondFactorChangeError::Audit(problem) => problem.into(),
            SecondFactorChangeError::Change(error) => match error {
                OwnSecondFactorError::Owner(error) => error.into(),
                OwnSecondFactorError::PresentCode => code(
                    "an unused code of the present second factor",
                    "请输入现有验证器的动态码，或一个恢复码。",
                ),
                OwnSecondFactorError::NotOffered => code(
                    "a code of a second factor that was shown in the last ten minutes",
                    "验证器密钥已失效，请重新开始。",
                ),
                OwnSecondFactorError::NewCode => code(
                    "a code of the second factor that was shown",
                    "动态码不正确，请核对手机时间后重试。",
                ),
            },
        }
    }
}
