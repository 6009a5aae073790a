//! `/api/v1/catalogue`: the codes of the field with their Chinese names, so that no client keeps a list of its own.

use axum::Json;
use axum::extract::State;
use linkage::identifier::IdentifierKind;
use linkage::matter::{MatterType, RuleSet, Severity};
use linkage::place::HANGZHOU;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{CaseState, ForeignRelation, PartyRole};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::params::{Nothing, Params};
use super::problem::{Problem, ProblemBody};
use crate::alarm;
use crate::audit::Action;

/// Code lists.
#[derive(Serialize, ToSchema)]
pub(super) struct Catalogue {
    matter_types: Vec<Matter>,
    party_roles: Vec<Code>,
    identifier_kinds: Vec<Code>,
    subject_kinds: Vec<Code>,
    case_states: Vec<Code>,
    foreign_relations: Vec<Code>,
    severities: Vec<Code>,
    /// Districts and counties of the city with the codes they have or had (GB/T 2260).
    districts: Vec<Code>,
    /// What alarms about look-ups are about.
    alarm_kinds: Vec<Code>,
    /// What the audit log records, by what people call it.
    audit_actions: Vec<Code>,
    /// Rules by which applications are found to be duplicates of one another.
    rules: Vec<RuleAnswer>,
    rules_version: String,
}

/// A code and what people call it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Code {
    code: &'static str,
    name_zh: &'static str,
}

/// A matter (公证事项).
#[derive(Serialize, ToSchema)]
pub(super) struct Matter {
    code: &'static str,
    name_zh: &'static str,
    group: &'static str,
    group_zh: &'static str,
    /// Roles by whose holders the rules know the matter again, those to ask for first; empty when there are none.
    asks_roles: Vec<&'static str>,
    /// Kinds of things by which the rules know it again.
    asks_subjects: Vec<&'static str>,
}

/// A rule.
#[derive(Serialize, ToSchema)]
pub(super) struct RuleAnswer {
    rule_id: String,
    severity: &'static str,
    notice_zh: String,
}

/// Code lists with their Chinese names.
#[utoipa::path(
    get, path = "/api/v1/catalogue", operation_id = "readCatalogue",
    security(("session" = [])),
    responses((status = 200, body = Catalogue), (status = 401, body = ProblemBody)),
)]
pub(super) async fn serve(
    State(api): State<Api>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Json<Catalogue>, Problem> {
    let rules = api.rules.current();
    Ok(Json(Catalogue {
        matter_types: MatterType::all()
            .map(|matter| answer(&rules, matter))
            .collect(),
        party_roles: codes(PartyRole::ALL, |role| (role.code(), role.label_zh())),
        identifier_kinds: codes(IdentifierKind::ALL, |kind| (kind.code(), kind.label_zh())),
        subject_kinds: codes(SubjectKind::ALL, |kind| (kind.code(), kind.label_zh())),
        case_states: codes(CaseState::ALL, |state| (state.code(), state.label_zh())),
        foreign_relations: codes(ForeignRelation::ALL, |class| {
            (class.code(), class.label_zh())
        }),
        severities: codes(Severity::ALL, |severity| {
            (severity.code(), severity.label_zh())
        }),
        districts: codes(HANGZHOU, |district| (district.code, district.name_zh)),
        alarm_kinds: codes(alarm::Kind::ALL, |kind| (kind.code(), kind.label_zh())),
        audit_actions: codes(Action::ALL, |action| (action.code(), action.name_zh())),
        rules_version: rules.version().to_owned(),
        rules: rules.rules().iter().map(rule).collect(),
    }))
}

fn answer(rules: &RuleSet, matter: MatterType) -> Matter {
    let asks = rules.asks(matter);
    Matter {
        code: matter.code(),
        name_zh: matter.name_zh(),
        group: matter.group().code(),
        group_zh: matter.group().label_zh(),
        asks_roles: asks.roles.iter().map(|role| role.code()).collect(),
        asks_subjects: asks.subjects.iter().map(|kind| kind.code()).collect(),
    }
}

fn rule(rule: &linkage::matter::Rule) -> RuleAnswer {
    RuleAnswer {
        rule_id: rule.id().to_owned(),
        severity: rule.severity().code(),
        notice_zh: rule.notice_zh().to_owned(),
    }
}

pub(in crate::http) fn codes<T: Copy>(
    all: &[T],
    of: fn(T) -> (&'static str, &'static str),
) -> Vec<Code> {
    let all = all.iter().copied().map(of);
    all.map(|(code, name_zh)| Code { code, name_zh }).collect()
}
