//! `/api/v1/reviews/persons`: pairs that may be one person.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use linkage::cluster::Judgement;
use linkage::office::OfficeId;
use linkage::weights::MatchWeight;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Api;
use super::super::auth::of_own_office;
use super::super::page::{self, Page};
use super::super::params::{Body, InPath, Params, grounds};
use super::super::problem::{Problem, ProblemBody};
use super::fields::{Appearance, ExplanationAnswer, JudgementAnswer, Mentioned, bits};
use super::{Because, answered};
use crate::identity::Person;
use crate::review::Review;
use crate::review::judgement::Step;
use crate::review::person::{Effect, Judge, PairState, Queued, Side, SideBySide};
use crate::store::review::person::{Behind, Wanted};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    /// Pairs in which one of this office's parties has a part. A notary's is the own office.
    office: Option<String>,
    /// open (when absent), proposed or in_force.
    state: Option<PairState>,
    /// 1 to 200; 50 when absent.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A pair in the queue.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PairItem {
    /// The mentions that are compared name the pair, in the order of the sides.
    low: Uuid,
    high: Uuid,
    /// Match weight in bits; 0 where a decision alone speaks of the pair.
    weight: f64,
    sides: [Mentioned; 2],
    decision: Option<JudgementAnswer>,
}

/// A pair side by side.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PairAnswer {
    /// The mentions that are compared name the pair, in the order of the sides.
    low: Uuid,
    high: Uuid,
    /// Match weight in bits; 0 where a decision alone speaks of the pair.
    weight: f64,
    /// Whether the two are one person now.
    one_person: bool,
    sides: [SideAnswer; 2],
    /// equal or different, where both sides have a phone.
    phone: Option<&'static str>,
    explanation: ExplanationAnswer,
    /// Everything that was decided about the pair, the newest first.
    decisions: Vec<JudgementAnswer>,
}

/// One side of a pair.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SideAnswer {
    /// The mention that is compared.
    #[serde(flatten)]
    compared: Mentioned,
    /// Cases in which the side appears, the latest first, 20 at most.
    cases: Vec<Appearance>,
}

/// A decision to be made about a pair.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct DecidePair {
    low: Uuid,
    high: Uuid,
    /// same or not_same.
    #[schema(value_type = String)]
    decision: Judgement,
    /// 1 to 500 characters; no phone or document numbers.
    reason: String,
}

/// What a decision came to.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct EffectAnswer {
    decision: JudgementAnswer,
    /// Whether the two are one person now.
    one_person: bool,
}

/// Pairs that may be one person, the heaviest first.
#[utoipa::path(
    get, path = "/api/v1/reviews/persons", operation_id = "listPersonReviews",
    security(("session" = [])), params(Filter),
    responses(
        (status = 200, body = Page<PairItem>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<PairItem>>, Problem> {
    let office = page::parsed("office", filter.office.as_deref(), "an office id")?;
    let limit = page::limit(filter.limit)?;
    let behind = behind(filter.cursor.as_deref())?;
    if let Some(office) = office {
        of_own_office(&api, &person, office).await?;
    }
    let review = api.reviews(&person)?;
    let told_to: Option<OfficeId> = review.desk().office_id();
    let wanted = Wanted {
        office: told_to.or(office),
        told_to,
        state: filter.state.unwrap_or_default(),
        behind,
    };
    let pairs = review.pairs(&wanted, limit + 1).await?;
    let page = Page::cut(pairs, limit, |last| {
        let last = last.candidate;
        [
            last.weight.to_string(),
            last.low_mention.to_string(),
            last.high_mention.to_string(),
        ]
    });
    Ok(Json(page.map(|pair| PairItem::of(&review, pair))))
}

/// A pair side by side, explained field by field.
#[utoipa::path(
    get, path = "/api/v1/reviews/persons/{low}/{high}", operation_id = "readPersonReview",
    security(("session" = [])),
    params(("low" = Uuid, Path, description = "As listed"), ("high" = Uuid, Path, description = "As listed")),
    responses(
        (status = 200, body = PairAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn read(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath((low, high)): InPath<(Uuid, Uuid)>,
) -> Result<Json<PairAnswer>, Problem> {
    let review = api.reviews(&person)?;
    let pair = review.pair([low, high]).await?;
    Ok(Json(PairAnswer::of(&review, pair)))
}

/// Decides about a pair. `same` across offices is proposed until a supervisor other than the proposer confirms it;
/// everything else takes force at once. 200 when the same person has decided the same before.
#[utoipa::path(
    post, path = "/api/v1/reviews/persons/decisions", operation_id = "decidePerson",
    security(("session" = [])), request_body = DecidePair,
    responses(
        (status = 200, body = EffectAnswer), (status = 201, body = EffectAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn decide(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Body(decide): Body<DecidePair>,
) -> Result<(StatusCode, Json<EffectAnswer>), Problem> {
    let judge = Judge {
        mentions: [decide.low, decide.high],
        judgement: decide.decision,
        grounds: grounds("reason", &decide.reason)?,
    };
    let review = api.reviews(&person)?;
    let (status, effect) = answered(review.judge(&judge).await?);
    Ok((status, Json(EffectAnswer::of(&review, effect))))
}

/// Confirms a proposed decision: the second pair of eyes, a supervisor's who did not propose it.
#[utoipa::path(
    post, path = "/api/v1/reviews/persons/decisions/{decision_id}/confirm", operation_id = "confirmPersonDecision",
    security(("session" = [])),
    params(("decision_id" = Uuid, Path, description = "Decision")),
    responses(
        (status = 200, body = EffectAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn confirm(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(decision_id): InPath<Uuid>,
) -> Result<Json<EffectAnswer>, Problem> {
    let review = api.reviews(&person)?;
    let effect = review.step(decision_id, Step::Confirm, None).await?;
    Ok(Json(EffectAnswer::of(&review, effect)))
}

/// Declines a proposed decision: a supervisor who did not propose it.
#[utoipa::path(
    post, path = "/api/v1/reviews/persons/decisions/{decision_id}/decline", operation_id = "declinePersonDecision",
    security(("session" = [])),
    params(("decision_id" = Uuid, Path, description = "Decision")), request_body = Because,
    responses(
        (status = 200, body = EffectAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn decline(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(decision_id): InPath<Uuid>,
    Body(because): Body<Because>,
) -> Result<Json<EffectAnswer>, Problem> {
    step(&api, &person, decision_id, Step::Decline, &because).await
}

/// Takes a decision back: one's own that nobody else confirmed, or, for a supervisor, any. Persons are again as they
/// would be without it.
#[utoipa::path(
    post, path = "/api/v1/reviews/persons/decisions/{decision_id}/withdraw", operation_id = "withdrawPersonDecision",
    security(("session" = [])),
    params(("decision_id" = Uuid, Path, description = "Decision")), request_body = Because,
    responses(
        (status = 200, body = EffectAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
    ),
)]
pub(in crate::http) async fn withdraw(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    InPath(decision_id): InPath<Uuid>,
    Body(because): Body<Because>,
) -> Result<Json<EffectAnswer>, Problem> {
    step(&api, &person, decision_id, Step::Withdraw, &because).await
}

async fn step(
    api: &Api,
    person: &Person,
    decision_id: Uuid,
    step: Step,
    because: &Because,
) -> Result<Json<EffectAnswer>, Problem> {
    let grounds = grounds("reason", &because.reason)?;
    let review = api.reviews(person)?;
    let effect = review.step(decision_id, step, Some(&grounds)).await?;
    Ok(Json(EffectAnswer::of(&review, effect)))
}

fn behind(cursor: Option<&str>) -> Result<Option<Behind>, Problem> {
    let Some([weight, low, high]) = page::key::<3>(cursor)? else {
        return Ok(None);
    };
    let read = || {
        Some(Behind {
            weight: weight.parse().ok()?,
            low_mention: low.parse().ok()?,
            high_mention: high.parse().ok()?,
        })
    };
    read().map(Some).ok_or_else(page::bad_cursor)
}

impl PairItem {
    fn of(review: &Review<'_>, pair: Queued) -> Self {
        Self {
            low: pair.candidate.low_mention,
            high: pair.candidate.high_mention,
            weight: bits(MatchWeight::from_millibits(pair.candidate.weight)),
            sides: pair.sides.each_ref().map(Mentioned::from),
            decision: pair
                .judgement
                .map(|judged| JudgementAnswer::of(review, judged)),
        }
    }
}

impl PairAnswer {
    fn of(review: &Review<'_>, pair: SideBySide) -> Self {
        let side = |side: Side| SideAnswer {
            compared: (&side.compared).into(),
            cases: side
                .cases
                .into_iter()
                .map(|shown| Appearance::of(shown, review.desk()))
                .collect(),
        };
        let judgements = pair.judgements.into_iter();
        Self {
            low: pair.candidate.low_mention,
            high: pair.candidate.high_mention,
            weight: bits(MatchWeight::from_millibits(pair.candidate.weight)),
            one_person: pair.one_person,
            sides: pair.sides.map(side),
            phone: pair.phone.map(|agreement| agreement.code()),
            explanation: pair.explanation.into(),
            decisions: judgements
                .map(|judged| JudgementAnswer::of(review, judged))
                .collect(),
        }
    }
}

impl EffectAnswer {
    fn of(review: &Review<'_>, effect: Effect) -> Self {
        Self {
            decision: JudgementAnswer::of(review, effect.judged),
            one_person: effect.one_person,
        }
    }
}
