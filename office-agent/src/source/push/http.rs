//! `POST /v1/push/{source}`.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::value::JsonRow;
use super::{MOST_BYTES, MOST_ROWS, PushEndpoint, PushError, Pushed, location};

pub(super) fn router(endpoint: PushEndpoint) -> Router {
    Router::new()
        .route("/v1/push/{source}", post(push))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(announced_size))
        .with_state(endpoint)
}

/// Refuses what says that it is too long before it is sent; what does not say so is cut off on the way.
async fn announced_size(request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let bytes = announced.and_then(|bytes| bytes.to_str().ok()?.parse::<u64>().ok());
    match bytes {
        Some(bytes) if bytes > MOST_BYTES as u64 => Refusal::too_long().into_response(),
        _ => next.run(request).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    rows: Vec<JsonRow>,
}

async fn push(
    State(endpoint): State<PushEndpoint>,
    Path(source): Path<String>,
    call: Result<Json<Call>, JsonRejection>,
) -> Result<Json<Pushed>, Refusal> {
    let Json(call) = call.map_err(Refusal::unread)?;
    let (source, _) = endpoint.source(&source)?;
    if call.rows.len() > MOST_ROWS {
        return Err(PushError::TooManyRows(call.rows.len()).into());
    }
    let here = location(source);
    let rows = call.rows.into_iter().enumerate().map(|(at, row)| {
        row.row(&here)
            .map_err(|value| PushError::NoValue { row: at, value })
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(Json(endpoint.push(source.as_str(), rows).await?))
}

/// An answer that is no 200, for programs and people.
#[derive(Serialize)]
struct Refusal {
    #[serde(skip)]
    status: StatusCode,
    reason: &'static str,
    message: String,
}

impl Refusal {
    fn too_long() -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            reason: "TOO_LONG",
            message: format!("send at most {MOST_BYTES} bytes at once"),
        }
    }

    /// A body that is no call. The message of the parser names places and keys; a value it would quote is cut off.
    fn unread(rejection: JsonRejection) -> Self {
        let (reason, message) = match &rejection {
            JsonRejection::MissingJsonContentType(_) => (
                "NOT_JSON",
                "send the rows with content-type: application/json".to_owned(),
            ),
            JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => (
                "NOT_ROWS",
                "expected {\"rows\": [{\"columns\": {…}, \"children\": {\"parties\": [{…}]}}]}"
                    .to_owned(),
            ),
            _ => (
                "BODY_UNREADABLE",
                format!("send at most {MOST_BYTES} bytes"),
            ),
        };
        Self {
            status: rejection.status(),
            reason,
            message,
        }
    }
}

impl From<PushError> for Refusal {
    fn from(error: PushError) -> Self {
        let (status, reason) = match &error {
            PushError::UnknownSource => (StatusCode::NOT_FOUND, "SOURCE_UNKNOWN"),
            PushError::TooManyRows(_) => (StatusCode::PAYLOAD_TOO_LARGE, "TOO_MANY_ROWS"),
            PushError::NoValue { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "VALUE_ILLEGAL"),
            PushError::Outbox(_) | PushError::Stopping => {
                (StatusCode::SERVICE_UNAVAILABLE, "NOT_STORED")
            }
        };
        Self {
            status,
            reason,
            message: error.to_string(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = header::HeaderValue::from_static("5");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}
