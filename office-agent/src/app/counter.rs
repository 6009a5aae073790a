//! `POST /v1/check`, `POST /v1/file`: a look-up, or a filing with numbers of documents, from the hub's console, open in a
//! browser on this machine. The page hands over what the notary typed and the notary's session; the numbers become tokens
//! here, and the office's certificate vouches for the office, as with `office-agent check` and `office-agent file`. Pages
//! of anybody else are refused: a browser names the page's origin, and only the hub's own is answered.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, StringRejection};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, CACHE_CONTROL, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::phone::PhoneNumber;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{PartyKind, PartyRole, Sex};
use serde::{Deserialize, Deserializer};
use time::Date;
use time::macros::format_description;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use crate::config::Config;
use crate::filing::{self, Receipt};
use crate::identity::Identities;
use crate::lookup::{self, Answer, IntentAction, Purpose, Question, RawParty, RawSubject};
use crate::mapping::{Party, PlaceCode, Text};
use crate::source::push::addressed_to_loopback;

/// Largest body, bytes: a question of 16 parties and as many things.
const BODY: usize = 16 << 10;

/// Largest filing, bytes: two hundred relatives.
const FILING: usize = 64 << 10;

/// What a question is answered with.
#[derive(Clone)]
pub(super) struct Counter {
    pub(super) config: Arc<Config>,
    pub(super) identities: Identities,
}

/// A question as the page sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    purpose: String,
    case_reference: String,
    matter_type: MatterType,
    #[serde(default)]
    parties: Vec<AskedParty>,
    #[serde(default)]
    persons: Vec<AskedPerson>,
    #[serde(default)]
    subjects: Vec<AskedSubject>,
    #[serde(default)]
    place_of_use: Option<String>,
    #[serde(default)]
    intent: Option<AskedIntent>,
}

/// What is to become of the office's intent to accept the matter (受理意向).
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskedIntent {
    Register,
    Withdraw,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedParty {
    role: PartyRole,
    kind: IdentifierKind,
    #[serde(deserialize_with = "wiped")]
    number: Zeroizing<String>,
}

/// Somebody without a verified number: name, and whatever else is known, is compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPerson {
    role: PartyRole,
    #[serde(deserialize_with = "wiped")]
    name: Zeroizing<String>,
    /// YYYY-MM-DD.
    #[serde(default)]
    birth: String,
    #[serde(default)]
    sex: Option<Sex>,
    #[serde(default, deserialize_with = "wiped")]
    phone: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedSubject {
    kind: SubjectKind,
    #[serde(deserialize_with = "wiped")]
    number: Zeroizing<String>,
}

fn wiped<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

impl Counter {
    pub(super) fn router(self) -> Router {
        let console = self.config.local.console.as_ref();
        let origin = console.unwrap_or(&self.config.hub.people).origin();
        let router = Router::new()
            .route("/v1/check", post(check).layer(DefaultBodyLimit::max(BODY)))
            .route("/v1/file", post(file).layer(DefaultBodyLimit::max(FILING)))
            .with_state(self);
        of_the_console(router, origin)
    }
}

/// Answers pages of one origin alone, as a browser names it.
fn of_the_console(router: Router, origin: String) -> Router {
    router.layer(from_fn_with_state(Arc::<str>::from(origin), from_origin))
}

async fn from_origin(State(origin): State<Arc<str>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut named = headers.get_all(ORIGIN).iter();
    let is_the_hubs = named.next().is_some_and(|name| name == &*origin);
    if !is_the_hubs || named.next().is_some() || !addressed_to_loopback(headers, request.uri()) {
        return (
            StatusCode::FORBIDDEN,
            "only the hub's console may ask here\n",
        )
            .into_response();
    }
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(&origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        (CACHE_CONTROL, "no-store"),
        (VARY, "Origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn check(
    State(counter): State<Counter>,
    headers: HeaderMap,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Answer>, Refusal> {
    let Json(asked) = asked.map_err(|rejection| Refusal::of_body(rejection.status()))?;
    let bearer = headers.get(AUTHORIZATION).cloned();
    let bearer = bearer.ok_or_else(Refusal::no_session)?;
    let question = asked.question()?;
    let identity = Arc::clone(&counter.identities.borrow());
    let bearer = lookup::bearer(bearer.as_bytes())?;
    let answer = lookup::ask_in_session(&counter.config, &identity, &question, bearer).await;
    let answer = answer.map_err(|error| Refusal::from(error).of_parties(question.parties.len()))?;
    Ok(Json(answer))
}

/// One filing in the form of `office-agent file`.
async fn file(
    State(counter): State<Counter>,
    headers: HeaderMap,
    filed: Result<String, StringRejection>,
) -> Result<Json<Receipt>, Refusal> {
    let filed = Zeroizing::new(filed.map_err(|rejection| Refusal::of_body(rejection.status()))?);
    let bearer = headers.get(AUTHORIZATION).cloned();
    let bearer = bearer.ok_or_else(Refusal::no_session)?;
    let identity = Arc::clone(&counter.identities.borrow());
    let ready = filing::read(&filed)?;
    let [ready] =
        <[_; 1]>::try_from(ready).map_err(|_| Refusal::of_body(StatusCode::BAD_REQUEST))?;
    let bearer = lookup::bearer(bearer.as_bytes())?;
    let receipt = filing::hand_in_session(&counter.config, &identity, &ready, bearer).await?;
    Ok(Json(receipt))
}

impl Asked {
    fn question(self) -> Result<Question, Refusal> {
        let purpose = self.purpose.parse::<Purpose>();
        let place = self.place_of_use.as_deref().map(str::parse::<PlaceCode>);
        let parties = self.parties.into_iter().map(|party| RawParty {
            role: party.role,
            kind: party.kind,
            number: party.number,
        });
        let persons = self.persons.into_iter().enumerate();
        let persons = persons.map(|(at, person)| person.party(at));
        let subjects = self.subjects.into_iter().map(|subject| RawSubject {
            kind: subject.kind,
            number: subject.number,
        });
        Ok(Question {
            purpose: purpose.map_err(|_| Refusal::of_field("purpose", "请选择查询目的。"))?,
            reference: self.case_reference,
            matter: self.matter_type,
            parties: parties.collect(),
            persons: persons.collect::<Result<_, _>>()?,
            subjects: subjects.collect(),
            place_of_use: place
                .transpose()
                .map_err(|_| Refusal::of_field("place_of_use", "使用地应为两位国家代码。"))?,
            intent: self.intent.map(|action| match action {
                AskedIntent::Register => IntentAction::Register,
                AskedIntent::Withdraw => IntentAction::Withdraw,
            }),
        })
    }
}

impl AskedPerson {
    /// `at` is its place among the persons.
    fn party(self, at: usize) -> Result<Party, Refusal> {
        let wrong = |field: &str, detail_zh: &str| {
            Refusal::of_field(format!("persons[{at}].{field}"), detail_zh)
        };
        let name = Text::read(&self.name).ok().flatten();
        let birth_on = match self.birth.as_str() {
            "" => None,
            text => {
                let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
                Some(day.map_err(|_| wrong("birth", "出生日期应为 YYYY-MM-DD。"))?)
            }
        };
        let phone = match self.phone.as_str() {
            "" => None,
            text => {
                let phone = PhoneNumber::parse(text);
                Some(phone.map_err(|_| wrong("phone", "电话号码有误，请核对。"))?)
            }
        };
        Ok(Party {
            role: self.role,
            kind: PartyKind::Natural,
            name: name.ok_or_else(|| wrong("name", "请填写姓名，不超过 200 字。"))?,
            identifier: None,
            sex: self.sex,
            birth_on,
            phone,
            address_district: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::HOST;
    use tower::ServiceExt;

    use super::*;

    const CONSOLE: &str = "https://hub.example:8443";

    async fn answer(method: &str, host: &str, origins: &[&str]) -> Response {
        let route = Router::new().route("/v1/check", post(async || "asked"));
        let mut request = Request::builder()
            .method(method)
            .uri("/v1/check")
            .header(HOST, host);
        for origin in origins {
            request = request.header(ORIGIN, *origin);
        }
        let request = request.body(Body::empty()).expect("a request");
        let router = of_the_console(route, CONSOLE.to_owned());
        router.oneshot(request).await.expect("an answer")
    }

    fn asked(person: &str) -> Result<Question, Refusal> {
        let body = format!(
            r#"{{"purpose": "before_acceptance", "case_reference": "1", "matter_type": "inheritance",
                 "persons": [{{"role": "heir", "name": "王五"}}, {person}]}}"#
        );
        serde_json::from_str::<Asked>(&body)
            .expect("of the form")
            .question()
    }

    #[test]
    fn a_person_without_a_number_is_asked_about_by_what_else_is_known() {
        let question = asked(
            r#"{"role": "decedent", "name": "张三", "birth": "1930-03-07", "sex": "male", "phone": "13800000000"}"#,
        );
        let question = question.expect("a question");
        let [bare, known] = &question.persons[..] else {
            panic!("two persons");
        };
        assert!(bare.birth_on.is_none() && bare.sex.is_none() && bare.phone.is_none());
        assert_eq!(known.name.as_str(), "张三");
        assert!(known.birth_on.is_some() && known.sex.is_some() && known.phone.is_some());
    }

    #[test]
    fn an_intent_is_registered_or_taken_back_where_the_page_says_so() {
        let intent = |said: &str| {
            let body = format!(
                r#"{{"purpose": "before_acceptance", "case_reference": "1", "matter_type": "gift"{said}}}"#
            );
            let asked = serde_json::from_str::<Asked>(&body).ok()?;
            Some(asked.question().ok()?.intent)
        };
        assert_eq!(intent(""), Some(None));
        assert_eq!(
            intent(r#", "intent": "register""#),
            Some(Some(IntentAction::Register))
        );
        assert_eq!(
            intent(r#", "intent": "withdraw""#),
            Some(Some(IntentAction::Withdraw))
        );
        assert_eq!(intent(r#", "intent": "keep""#), None);
    }

    #[test]
    fn what_is_wrong_with_a_person_is_named_by_its_field() {
        for (person, field) in [
            (r#"{"role": "heir", "name": " "}"#, "persons[1].name"),
            (
                r#"{"role": "heir", "name": "张三", "birth": "1930"}"#,
                "persons[1].birth",
            ),
            (
                r#"{"role": "heir", "name": "张三", "phone": "1"}"#,
                "persons[1].phone",
            ),
        ] {
            let refused = asked(person).expect_err("wrong");
            assert_eq!(refused.field.as_deref(), Some(field));
            assert!(!refused.detail_zh.contains("1930"));
        }
    }

    #[test]
    fn a_relative_whose_number_is_mistyped_is_named_and_the_number_is_not() {
        let form = r#"{"kind": "recusal", "fields": {"licence_no": "N1", "kin": [
                       {"relation": "parent", "id_kind": "resident_id", "id_number": "110105194912310021"}]}}"#;
        let refused = Refusal::from(filing::read(form).expect_err("mistyped"));
        assert_eq!(refused.field.as_deref(), Some("kin[0].id_number"));
        assert!(!refused.detail_zh.contains("19491231"));
    }

    #[tokio::test]
    async fn a_browser_may_ask_from_the_hubs_console_on_this_machine() {
        let asked = answer("POST", "127.0.0.1:7800", &[CONSOLE]).await;
        assert_eq!(asked.status(), StatusCode::OK);
        assert_eq!(asked.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], CONSOLE);
        let readable = &asked.headers()[ACCESS_CONTROL_EXPOSE_HEADERS];
        assert_eq!(readable, "retry-after");
        let before = answer("OPTIONS", "127.0.0.1:7800", &[CONSOLE]).await;
        assert_eq!(before.status(), StatusCode::NO_CONTENT);
        let allowed = &before.headers()[ACCESS_CONTROL_ALLOW_HEADERS];
        assert_eq!(allowed, "authorization, content-type");
    }

    #[tokio::test]
    async fn nobody_elses_page_is_answered() {
        for (host, origins) in [
            ("127.0.0.1:7800", &[][..]),
            ("127.0.0.1:7800", &["https://evil.example"]),
            ("127.0.0.1:7800", &["null"]),
            ("127.0.0.1:7800", &["http://hub.example:8443"]),
            ("127.0.0.1:7800", &["https://hub.example:8443.evil.example"]),
            ("127.0.0.1:7800", &[CONSOLE, "https://evil.example"]),
            ("rebound.example:7800", &[CONSOLE]),
        ] {
            for method in ["OPTIONS", "POST"] {
                let refused = answer(method, host, origins).await;
                assert_eq!(
                    refused.status(),
                    StatusCode::FORBIDDEN,
                    "{host} {origins:?}"
                );
                assert!(!refused.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            }
        }
    }
}
