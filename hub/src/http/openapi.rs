//! `/api/v1/openapi.json`: the description of all this, made of the handlers themselves.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{
    account, alarm, audit, catalogue, duplicate, exports, job, office, own_account, password,
    reject, report, review, session, statistics, supervision, work,
};
use crate::filing::FilingKind;
use crate::review::person::PairState;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "notary-hub",
        description = "Citywide notarial data sharing, for people and their tools. Refusals are RFC 9457 problems.",
    ),
    paths(
        session::create,
        session::create_by_provider,
        session::delete,
        account::list,
        account::people,
        job::list,
        job::read,
        own_account::read,
        own_account::end_all,
        own_account::end,
        own_account::offer,
        own_account::confirm,
        exports::list,
        exports::read,
        exports::remove,
        exports::file,
        password::change,
        catalogue::serve,
        office::list,
        office::feed,
        office::feeds,
        reject::list,
        duplicate::list,
        duplicate::counts,
        review::person::list,
        review::person::read,
        review::person::decide,
        review::person::confirm,
        review::person::decline,
        review::person::withdraw,
        review::duplicate::list,
        review::duplicate::export_all,
        review::duplicate::read,
        review::duplicate::decide,
        review::duplicate::withdraw,
        statistics::table,
        statistics::export,
        statistics::measures,
        alarm::list,
        alarm::lift,
        work::list,
        work::put_back,
        statistics::feed::list,
        statistics::feed::overview,
        supervision::catalogue::serve,
        supervision::finding::rules,
        supervision::finding::summary,
        supervision::finding::list,
        supervision::finding::export_all,
        supervision::finding::read,
        supervision::finding::step,
        supervision::filing::list,
        supervision::filing::counts,
        supervision::filing::submit,
        supervision::correction::list,
        supervision::correction::correct,
        supervision::missing::list,
        supervision::missing::by_office,
        supervision::window::board,
        supervision::window::read,
        supervision::inspection::list,
        supervision::inspection::plan,
        supervision::inspection::read,
        supervision::inspection::step,
        supervision::inspection::take_in,
        supervision::inspection::notice,
        supervision::directory::list,
        supervision::profile::read,
        supervision::profile::put,
        report::list,
        report::read,
        report::issue,
        report::publish,
        audit::entries,
        audit::export_all,
        audit::proof::inclusion,
        audit::proof::consistency,
        audit::verification::verify,
    ),
    // Named by a parameter alone.
    components(schemas(FilingKind, PairState)),
    modifiers(&Problems, &Session),
)]
struct Document;

const PROBLEM: &str = "application/problem+json";

struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", SecurityScheme::Http(bearer));
    }
}

/// Every refusal is a problem, whichever it is: time limits and fullness stand before every operation.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let problem = Ref::from_schema_name("ProblemBody");
        let content = ContentBuilder::new().schema(Some(problem)).build();
        let refused = ResponseBuilder::new()
            .description("A problem (RFC 9457)")
            .content(PROBLEM, content)
            .build();
        for path in document.paths.paths.values_mut() {
            let operations = [
                &mut path.get,
                &mut path.put,
                &mut path.post,
                &mut path.patch,
                &mut path.delete,
            ];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                for response in responses.values_mut() {
                    if let RefOr::T(response) = response
                        && response.content.values().any(is_problem)
                    {
                        let content = std::mem::take(&mut response.content);
                        response.content = content
                            .into_values()
                            .map(|content| (PROBLEM.to_owned(), content))
                            .collect();
                    }
                }
                responses.insert("default".to_owned(), RefOr::T(refused.clone()));
            }
        }
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    match content {
        RefOr::T(Content {
            schema: Some(RefOr::Ref(schema)),
            ..
        }) => schema.ref_location.ends_with("/ProblemBody"),
        _ => false,
    }
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Made once. It says the same to everybody, and answers that nobody takes must not hold a copy each.
static TEXT: LazyLock<Bytes> = LazyLock::new(|| {
    let text = serde_json::to_vec(&document());
    text.expect("the document has a JSON form").into()
});

pub(super) async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], TEXT.clone())
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    /// A client made of the document takes one for another otherwise, and says nothing.
    #[test]
    fn every_operation_has_its_own_name_and_every_reference_leads_somewhere() {
        let text = document().to_json().expect("it has a JSON form");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let mut named = std::collections::HashSet::new();
        for operation in paths
            .values()
            .flat_map(|path| path.as_object().expect("operations").values())
        {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(named.insert(name), "{name} twice");
        }
        let prefix = "#/components/schemas/";
        for reference in text.split(prefix).skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(!document["components"]["schemas"][name].is_null(), "{name}");
        }
    }

    #[test]
    fn every_operation_says_that_refusals_are_problems() {
        let text = document().to_json().expect("it has a JSON form");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let paths = document["paths"].as_object().expect("paths").values();
        for operation in paths.flat_map(|path| path.as_object().expect("operations").values()) {
            let responses = operation["responses"].as_object().expect("responses");
            let problem = &responses["default"]["content"][PROBLEM]["schema"]["$ref"];
            for (status, response) in responses {
                let told = response["content"]["application/json"]["schema"] == json_of(problem);
                assert!(!told, "{} {status}", operation["operationId"]);
            }
        }
    }

    fn json_of(reference: &serde_json::Value) -> serde_json::Value {
        assert_eq!(reference, "#/components/schemas/ProblemBody");
        serde_json::json!({ "$ref": reference })
    }

    #[test]
    fn the_consoles_client_is_made_of_this_document() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/console/openapi.json");
        let document = document().to_pretty_json().expect("it has a JSON form") + "\n";
        if env::var_os("WRITE_OPENAPI").is_some() {
            fs::write(file, &document).expect("write the document");
        }
        let kept = fs::read_to_string(file).expect("read the document");
        assert!(document == kept, "{file} is stale: make openapi");
    }
}
