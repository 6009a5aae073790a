//! Who asks, and whether the role may. A denial is recorded.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use linkage::office::OfficeId;
use serde_json::json;

use super::Api;
use super::problem::Problem;
use crate::audit::{Action, Outcome};
use crate::identity::{Person, RoleKind};
use crate::refusal::Reason;
use crate::transport::bearer;

/// What stands before a route.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) api: Api,
    pub(super) roles: &'static [RoleKind],
}

/// Lets nobody through but signed-in persons of these roles; the person goes into the extensions.
pub(super) async fn only(
    State(gate): State<Gate>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let person = bearer(request.headers())
        .and_then(|token| gate.api.sessions.verify(token).ok())
        .ok_or_else(|| Reason::Unauthenticated.because("a bearer token of a session is needed"))?;
    if !gate.roles.contains(&person.role.kind()) {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or("", |route| route.as_str()).to_owned();
        return Err(denied(&gate.api, &person, json!({ "route": route })).await);
    }
    request.extensions_mut().insert(person);
    Ok(next.run(request).await)
}

/// A notary asks about the own office alone.
pub(super) async fn of_own_office(
    api: &Api,
    person: &Person,
    office_id: OfficeId,
) -> Result<(), Problem> {
    match person.office_id() {
        Some(own) if own != office_id => {
            let detail = json!({ "office": office_id.as_str() });
            Err(denied(api, person, detail).await)
        }
        _ => Ok(()),
    }
}

async fn denied(api: &Api, person: &Person, detail: serde_json::Value) -> Problem {
    let recorded = api
        .record(person, Action::Request, Outcome::Denied, detail)
        .await;
    match recorded {
        Ok(()) => Reason::PermissionDenied
            .because("this session's role may not do this")
            .into(),
        Err(problem) => problem,
    }
}
