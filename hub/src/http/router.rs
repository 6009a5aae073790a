//! Which route exists, and which role may use it. What is not here is nothing anybody may do.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use tower_http::catch_panic::CatchPanicLayer;

use super::auth::{Gate, only};
use super::guard::{self, Room};
use super::problem::Problem;
use super::{
    Api, account, alarm, audit, catalogue, console, duplicate, exports, job, office, openapi,
    own_account, password, reject, report, review, session, statistics, supervision, work,
};
use crate::grpc;
use crate::identity::RoleKind::{self, Analyst, Notary, Operator, Supervisor};

/// Largest body of a request, bytes: a login and a password.
const BODY: usize = 16 << 10;

/// The same of a filing: two thousand movements of special paper.
const FILING: usize = 256 << 10;

/// Who sees figures; a notary those of the own office.
const FIGURES: &[RoleKind] = &[Notary, Analyst, Supervisor];

impl Api {
    /// Routes with their checks, and a fallback.
    pub fn router(self) -> Router {
        let api = self.clone();
        self.routes(move |roles, route| {
            let gate = Gate {
                api: api.clone(),
                roles,
            };
            route.layer(from_fn_with_state(gate, only))
        })
    }

    /// The routes behind a gate: what stands before a route that these roles may use, and puts the [`Person`] into
    /// the request.
    ///
    /// [`Person`]: crate::identity::Person
    pub fn routes(
        self,
        gate: impl Fn(&'static [RoleKind], MethodRouter<Self>) -> MethodRouter<Self>,
    ) -> Router {
        let everybody = &RoleKind::ALL;
        // A notary sees the own office alone; the handlers cut it down.
        let api = Router::new()
            .route(
                "/accounts",
                gate(&[Operator, Supervisor], get(account::list)),
            )
            .route(
                "/people",
                gate(&[Notary, Supervisor, Operator], get(account::people)),
            )
            .nest("/account", own(&gate))
            .route("/jobs", gate(&[Supervisor, Operator], get(job::list)))
            .route(
                "/jobs/{job_id}",
                gate(&[Supervisor, Operator], get(job::read)),
            )
            .nest("/exports", exported(&gate))
            .route("/catalogue", gate(everybody, get(catalogue::serve)))
            .route("/feeds", gate(everybody, get(office::feeds)))
            .route("/offices", gate(everybody, get(office::list)))
            .route(
                "/offices/{office_id}/feed",
                gate(everybody, get(office::feed)),
            )
            .route(
                "/offices/{office_id}/rejects",
                gate(&[Notary, Operator], get(reject::list)),
            )
            .route(
                "/duplicates",
                gate(&[Notary, Analyst, Supervisor], get(duplicate::list)),
            )
            .route(
                "/duplicates/counts",
                gate(&[Notary, Analyst, Supervisor], get(duplicate::counts)),
            )
            .route("/statistics", gate(FIGURES, get(statistics::table)))
            .route(
                "/statistics/exports",
                gate(FIGURES, post(statistics::export)),
            )
            .route(
                "/statistics/measures",
                gate(FIGURES, get(statistics::measures)),
            )
            .route(
                "/statistics/feeds",
                gate(everybody, get(statistics::feed::list)),
            )
            .route(
                "/statistics/overview",
                gate(FIGURES, get(statistics::feed::overview)),
            )
            .nest("/reports", reports(&gate))
            .route("/audit/entries", gate(&[Supervisor], get(audit::entries)))
            .route(
                "/audit/entries/exports",
                gate(&[Supervisor], post(audit::export_all)),
            )
            .route(
                "/audit/entries/{entry_no}/proof",
                gate(&[Supervisor], get(audit::proof::inclusion)),
            )
            .route(
                "/audit/consistency",
                gate(&[Supervisor], get(audit::proof::consistency)),
            )
            .route(
                "/audit/verification",
                gate(&[Supervisor], get(audit::verification::verify)),
            )
            .route(
                "/work/set-aside",
                gate(&[Supervisor, Operator], get(work::list)),
            )
            .route(
                "/work/set-aside/{work_id}/put-back",
                gate(&[Operator], post(work::put_back)),
            )
            .route("/alarms", gate(&[Supervisor, Operator], get(alarm::list)))
            .route(
                "/alarms/{alarm_id}/lift",
                gate(&[Supervisor, Operator], post(alarm::lift)),
            )
            .nest("/reviews", reviews(&gate))
            .nest("/supervision", supervised(&gate))
            .route(
                "/offices/{office_id}/profile",
                gate(&[Supervisor, Operator], get(supervision::profile::read)),
            )
            .route(
                "/offices/{office_id}/profile",
                gate(&[Supervisor, Operator], put(supervision::profile::put)),
            )
            // Open to everybody.
            .route("/sessions", post(session::create).delete(session::delete))
            .route("/sessions/provider", post(session::create_by_provider))
            .route("/directory", get(supervision::directory::list))
            .route("/openapi.json", get(openapi::serve));
        Router::new()
            .nest("/api/v1", api)
            .route("/directory", get(supervision::directory::page))
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .fallback(nothing_here)
            .layer(DefaultBodyLimit::max(BODY))
            // A defect ends the request it was met by, and not the connection with all others on it.
            .layer(CatchPanicLayer::custom(|_| {
                Problem::internal().into_response()
            }))
            .layer(from_fn_with_state(Room::new(FILING), guard::bounded))
            .layer(from_fn(guard::headers))
            .layer(from_fn(guard::measured))
            .with_state(self)
    }
}

/// The own account: everybody's.
fn own(gate: impl Fn(&'static [RoleKind], MethodRouter<Api>) -> MethodRouter<Api>) -> Router<Api> {
    let everybody = &RoleKind::ALL;
    Router::new()
        .route("/", gate(everybody, get(own_account::read)))
        .route("/password", gate(everybody, put(password::change)))
        .route("/sessions", gate(everybody, delete(own_account::end_all)))
        .route(
            "/sessions/{session_id}",
            gate(everybody, delete(own_account::end)),
        )
        .route(
            "/second-factor",
            gate(everybody, post(own_account::offer))
                .merge(gate(everybody, put(own_account::confirm))),
        )
}

/// Casework: a notary's on the own office's part, a supervisor's on everything.
fn reviews(
    gate: impl Fn(&'static [RoleKind], MethodRouter<Api>) -> MethodRouter<Api>,
) -> Router<Api> {
    let casework: &[RoleKind] = &[Notary, Supervisor];
    Router::new()
        .route("/persons", gate(casework, get(review::person::list)))
        .route(
            "/persons/{low}/{high}",
            gate(casework, get(review::person::read)),
        )
        .route(
            "/persons/decisions",
            gate(casework, post(review::person::decide)),
        )
        .route(
            "/persons/decisions/{decision_id}/confirm",
            gate(&[Supervisor], post(review::person::confirm)),
        )
        .route(
            "/persons/decisions/{decision_id}/decline",
            gate(&[Supervisor], post(review::person::decline)),
        )
        .route(
            "/persons/decisions/{decision_id}/withdraw",
            gate(casework, post(review::person::withdraw)),
        )
        .route("/duplicates", gate(casework, get(review::duplicate::list)))
        .route(
            "/duplicates/exports",
            gate(casework, post(review::duplicate::export_all)),
        )
        .route(
            "/duplicates/{finding_id}",
            gate(casework, get(review::duplicate::read)),
        )
        .route(
            "/duplicates/decisions",
            gate(casework, post(review::duplicate::decide)),
        )
        .route(
            "/duplicates/decisions/{decision_id}/withdraw",
            gate(casework, post(review::duplicate::withdraw)),
        )
}

/// Supervision: a notary's on what the own office was notified of, a supervisor's on everything.
fn supervised(
    gate: impl Fn(&'static [RoleKind], MethodRouter<Api>) -> MethodRouter<Api>,
) -> Router<Api> {
    let casework: &[RoleKind] = &[Notary, Supervisor];
    Router::new()
        .route(
            "/rules",
            gate(&RoleKind::ALL, get(supervision::finding::rules)),
        )
        .route(
            "/catalogue",
            gate(&RoleKind::ALL, get(supervision::catalogue::serve)),
        )
        .route(
            "/summary",
            gate(
                &[Notary, Analyst, Supervisor],
                get(supervision::finding::summary),
            ),
        )
        .route("/findings", gate(casework, get(supervision::finding::list)))
        .route(
            "/findings/exports",
            gate(casework, post(supervision::finding::export_all)),
        )
        .route(
            "/findings/{finding_id}",
            gate(casework, get(supervision::finding::read)),
        )
        .route(
            "/findings/{finding_id}/steps",
            gate(casework, post(supervision::finding::step)),
        )
        .route(
            "/filings",
            gate(casework, get(supervision::filing::list)).merge(gate(
                &[Notary],
                post(supervision::filing::submit).layer(DefaultBodyLimit::max(FILING)),
            )),
        )
        .route(
            "/filings/{office_id}/{filing_id}/revisions",
            gate(casework, get(supervision::correction::list)).merge(gate(
                &[Notary],
                post(supervision::correction::correct).layer(DefaultBodyLimit::max(FILING)),
            )),
        )
        .route(
            "/filings/counts",
            gate(casework, get(supervision::filing::counts)),
        )
        .route(
            "/filings/missing",
            gate(casework, get(supervision::missing::list)),
        )
        .route(
            "/filings/missing/offices",
            gate(casework, get(supervision::missing::by_office)),
        )
        .route("/windows", gate(casework, get(supervision::window::board)))
        .route(
            "/windows/{office_id}",
            gate(casework, get(supervision::window::read)),
        )
        .route(
            "/inspections",
            gate(casework, get(supervision::inspection::list))
                .merge(gate(&[Supervisor], post(supervision::inspection::plan))),
        )
        .route(
            "/inspections/{inspection_id}",
            gate(casework, get(supervision::inspection::read)),
        )
        .route(
            "/inspections/{inspection_id}/steps",
            gate(casework, post(supervision::inspection::step)),
        )
        .route(
            "/inspections/{inspection_id}/findings",
            gate(&[Supervisor], put(supervision::inspection::take_in)),
        )
        .route(
            "/inspections/{inspection_id}/notice",
            gate(casework, get(supervision::inspection::notice)),
        )
}

/// Files made as jobs, whoever's may have any; each is its own account's.
fn exported(
    gate: impl Fn(&'static [RoleKind], MethodRouter<Api>) -> MethodRouter<Api>,
) -> Router<Api> {
    Router::new()
        .route("/", gate(FIGURES, get(exports::list)))
        .route(
            "/{export_id}",
            gate(FIGURES, get(exports::read)).merge(gate(FIGURES, delete(exports::remove))),
        )
        .route("/{export_id}/file", gate(FIGURES, get(exports::file)))
}

/// Period reports, the bureau's.
fn reports(
    gate: impl Fn(&'static [RoleKind], MethodRouter<Api>) -> MethodRouter<Api>,
) -> Router<Api> {
    let bureau: &[RoleKind] = &[Analyst, Supervisor];
    Router::new()
        .route("/", gate(bureau, get(report::list)))
        .route("/{period}", gate(bureau, get(report::read)))
        .route("/{period}/issues", gate(bureau, post(report::publish)))
        .route("/{period}/issues/{issue}", gate(bureau, get(report::issue)))
}

/// gRPC is served beside this interface; who speaks it is refused in it. A browser gets the console.
async fn nothing_here(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let speaks_grpc = headers
        .get(CONTENT_TYPE)
        .is_some_and(|form| form.as_bytes().starts_with(b"application/grpc"));
    match speaks_grpc {
        true => grpc::no_such_method().await,
        false => console::serve(method, uri, headers).await,
    }
}
