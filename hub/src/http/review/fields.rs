//! What both reviews show of parties, cases and decisions: codes with their Chinese names, names masked.

use linkage::cluster::Judgement;
use linkage::score::Explanation;
use linkage::weights::MatchWeight;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Ending;
use crate::review::judgement::JudgementState;
use crate::review::{Desk, Review, mask};
use crate::store::review::judgement::Judged;
use crate::store::review::person::Shown;

/// A mention of a person, masked.
#[derive(Serialize, ToSchema)]
pub(super) struct Mentioned {
    pub(super) office_id: String,
    /// 张**
    pub(super) name: String,
    /// natural or legal.
    pub(super) kind: &'static str,
    pub(super) kind_zh: &'static str,
    pub(super) birth_year: Option<i32>,
    pub(super) sex: Option<&'static str>,
    pub(super) sex_zh: Option<&'static str>,
    /// District of the address (GB/T 2260).
    pub(super) district: Option<String>,
    pub(super) district_zh: Option<&'static str>,
    pub(super) id_kind: Option<&'static str>,
    pub(super) id_kind_zh: Option<&'static str>,
    /// Last characters of the number, as the office masked it.
    pub(super) id_tail: Option<String>,
}

/// A case in which a side appears.
#[derive(Serialize, ToSchema)]
pub(super) struct Appearance {
    pub(super) office_id: String,
    /// The office's own key; of another office's case a notary is not told it.
    pub(super) source_case_id: Option<String>,
    pub(super) case_no: Option<String>,
    pub(super) matter_type: String,
    pub(super) matter_type_zh: &'static str,
    pub(super) state: &'static str,
    pub(super) state_zh: &'static str,
    /// YYYY-MM-DD.
    pub(super) accepted_on: Option<String>,
    pub(super) role: &'static str,
    pub(super) role_zh: &'static str,
}

/// Why linkage holds two mentions to be possibly one person. Weights are bits: the base-2 logarithm of odds.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplanationAnswer {
    /// `姓名 张→章 同音字 +2.1；出生日期 相同 +7.8；…`
    zh: String,
    /// `name 张→章 homophone +2.1, birth equal +7.8, …`
    en: String,
    /// The rule that decides without weighing, when one does.
    rule: Option<&'static str>,
    rule_zh: Option<&'static str>,
    prior: f64,
    total: f64,
    fields: Vec<FieldAnswer>,
}

/// One field's part.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldAnswer {
    field: &'static str,
    field_zh: &'static str,
    level: &'static str,
    level_zh: &'static str,
    weight: f64,
    /// The characters that differ, where the masked names show them.
    detail: Option<String>,
}

/// A judgement with its whole life.
#[derive(Serialize, ToSchema)]
pub(super) struct JudgementAnswer {
    decision_id: Uuid,
    /// same or not_same.
    #[schema(value_type = String)]
    decision: Judgement,
    state: JudgementState,
    proposed_by: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    proposed_at: OffsetDateTime,
    /// Told to supervisors and to whoever wrote it.
    reason: Option<String>,
    /// Whether the one who asks proposed it.
    own: bool,
    /// The second pair of eyes.
    confirmed_by: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339::option")]
    confirmed_at: Option<OffsetDateTime>,
    /// How it was declined or withdrawn.
    ended: Option<Ending>,
}

/// Weights in bits.
pub(super) fn bits(weight: MatchWeight) -> f64 {
    f64::from(weight.millibits()) / 1000.0
}

impl From<&Shown> for Mentioned {
    fn from(shown: &Shown) -> Self {
        Self {
            office_id: shown.office_id.to_string(),
            name: mask(shown.kind, &shown.name),
            kind: shown.kind.code(),
            kind_zh: shown.kind.label_zh(),
            birth_year: shown.birth_date.map(time::Date::year),
            sex: shown.sex.map(|sex| sex.code()),
            sex_zh: shown.sex.map(|sex| sex.label_zh()),
            district: shown.district.map(|district| district.as_str().to_owned()),
            district_zh: shown.district.and_then(|district| district.name_zh()),
            id_kind: shown.id_kind.map(|kind| kind.code()),
            id_kind_zh: shown.id_kind.map(|kind| kind.label_zh()),
            id_tail: shown.id_tail.clone(),
        }
    }
}

impl Appearance {
    pub(super) fn of(shown: Shown, desk: Desk) -> Self {
        Self {
            office_id: shown.office_id.to_string(),
            source_case_id: Some(shown.source_case_id).filter(|_| desk.owns(shown.office_id)),
            case_no: shown.case_no,
            matter_type: shown.matter_type.code().to_owned(),
            matter_type_zh: shown.matter_type.name_zh(),
            state: shown.state.code(),
            state_zh: shown.state.label_zh(),
            accepted_on: shown.accepted_on.map(|day| day.to_string()),
            role: shown.role.code(),
            role_zh: shown.role.label_zh(),
        }
    }
}

impl From<Explanation> for ExplanationAnswer {
    fn from(explanation: Explanation) -> Self {
        Self {
            zh: explanation.to_chinese(),
            en: explanation.to_english(),
            rule: explanation.rule.map(|rule| rule.code()),
            rule_zh: explanation.rule.map(|rule| rule.label_zh()),
            prior: bits(explanation.prior),
            total: bits(explanation.total),
            fields: explanation
                .contributions
                .into_iter()
                .map(|part| FieldAnswer {
                    field: part.field.code(),
                    field_zh: part.field.label_zh(),
                    level: part.level,
                    level_zh: part.level_zh,
                    weight: bits(part.weight),
                    detail: part.detail,
                })
                .collect(),
        }
    }
}

/// A reason is for the bureau and for whoever wrote it: it is free text about somebody else's client.
pub(super) fn told(review: &Review<'_>, author: Uuid, reason: String) -> Option<String> {
    let is_told = review.desk() == Desk::Bureau || review.account_id() == author;
    is_told.then_some(reason)
}

impl JudgementAnswer {
    pub(super) fn of(review: &Review<'_>, judged: Judged) -> Self {
        let declined = judged.state == JudgementState::Declined;
        let decided = judged.decided_by.zip(judged.decided_at);
        let confirmed = decided.filter(|_| !declined);
        let ended = judged.withdrawn_by.zip(judged.withdrawn_at);
        let ended = ended.or(decided.filter(|_| declined));
        let closing_reason = judged.closing_reason.unwrap_or_default();
        Self {
            decision_id: judged.judgement_id,
            decision: judged.judgement,
            state: judged.state,
            proposed_by: judged.proposed_by,
            proposed_at: judged.proposed_at,
            reason: told(review, judged.proposed_by, judged.reason),
            own: judged.proposed_by == review.account_id(),
            confirmed_by: confirmed.map(|(by, _)| by),
            confirmed_at: confirmed.map(|(_, at)| at),
            ended: ended.map(|(by, at)| Ending {
                by,
                at,
                reason: told(review, by, closing_reason),
            }),
        }
    }
}
