//! Query parameters and bodies, read strictly: what is not known is refused, so that a misspelt filter never
//! answers with more than was asked for.

use std::convert::Infallible;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use linkage::office::OfficeId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::{Date, OffsetDateTime};

use super::problem::Problem;
use crate::local_time::local_day;
use crate::refusal::Reason;
use crate::review::{Grounds, GroundsError};

/// Query parameters of a type that knows all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(params) = Query::from_request_parts(parts, state)
            .await
            .map_err(|_| {
                Reason::FieldInvalid.because(
                    "a query parameter is unknown, given twice or unreadable; /api/v1/openapi.json lists those \
                     there are",
                )
            })?;
        Ok(Self(params))
    }
}

/// No query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The office in a path; one that cannot be is not found.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfficeInPath(pub(super) OfficeId);

impl<S: Send + Sync> FromRequestParts<S> for OfficeInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let office_id = Path::<String>::from_request_parts(parts, state).await.ok();
        office_id
            .and_then(|Path(office_id)| office_id.parse().ok())
            .map(Self)
            .ok_or_else(Problem::not_found)
    }
}

/// Ids in a path; one that cannot be is not found.
#[derive(Clone, Copy, Debug)]
pub(super) struct InPath<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let ids = Path::from_request_parts(parts, state).await;
        ids.map(|Path(ids)| Self(ids))
            .map_err(|_| Problem::not_found())
    }
}

/// The day on which the request came, in the time that people here live by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Today(pub(super) Date);

impl<S: Send + Sync> FromRequestParts<S> for Today {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(local_day(OffsetDateTime::now_utc())))
    }
}

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state)
            .await
            .map_err(|rejection: JsonRejection| Problem::body(rejection.status()))?;
        Ok(Self(body))
    }
}

/// What a person writes about what is done, in a field of a body.
pub(super) fn grounds(field: &str, text: &str) -> Result<Grounds, Problem> {
    text.parse()
        .map_err(|error: GroundsError| Problem::field(field, &error.to_string()))
}
