//! Possible persons: people decide about pairs that linkage does not dare to join by itself.
//!
//! A pair is two nodes; a judgement speaks of one mention of each, those that weigh most, so that it outlives every
//! re-run that makes other nodes of them. To people a pair is named by any mention of each: a node's id is made of
//! its number's token, and whoever holds the city's key could try numbers against it. `same` across offices waits for
//! a second account, a supervisor's; within one office, and to keep two apart, one is enough. Judgement and what
//! follows from it are one transaction under the clustering lock, so that decisions about one pair come one after the
//! other.

mod view;

pub use view::{Queued, Side, SideBySide};

use linkage::cluster::{Judgement, Pair};
use linkage::node::MentionId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgTransaction};
use uuid::Uuid;

use super::judgement::{JudgementState, Step};
use super::{Decided, Desk, Grounds, Review, ReviewError};
use crate::audit::{Action, Outcome};
use crate::linking::LinkingError;
use crate::linking::rework::rework;
use crate::store::linking;
use crate::store::review::judgement::{self, Judged, NewJudgement};
use crate::store::review::person as store;
use crate::store::scope;
use crate::store::tx::{self, retried};

/// Where a pair stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairState {
    /// Nobody judged it.
    #[default]
    Open,
    /// A judgement waits for the second pair of eyes.
    Proposed,
    /// A judgement is in force.
    InForce,
}

impl PairState {
    /// The form in which it is sent, and in which the judgement's state is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Proposed => "proposed",
            Self::InForce => "in_force",
        }
    }
}

/// A judgement to be made.
#[derive(Clone, Debug)]
pub struct Judge {
    /// A mention of each side.
    pub mentions: [Uuid; 2],
    pub judgement: Judgement,
    pub grounds: Grounds,
}

/// What a judgement came to.
#[derive(Clone, Debug)]
pub struct Effect {
    pub judged: Judged,
    /// Whether the two are one person now.
    pub one_person: bool,
}

impl Review<'_> {
    /// A transaction in which nobody else changes persons or decides about them.
    async fn begin(&self) -> Result<PgTransaction<'static>, ReviewError> {
        let mut transaction = tx::begin(self.pool).await?;
        if !linking::enter(&mut transaction).await? {
            return Err(LinkingError::Relinking.into());
        }
        linking::lock_clusters(&mut transaction).await?;
        Ok(transaction)
    }

    /// Lets persons follow a judgement that came in force or went out of it.
    async fn rework(
        &self,
        connection: &mut PgConnection,
        mentions: Pair<Uuid>,
    ) -> Result<(), ReviewError> {
        let mentions = [mentions.low(), mentions.high()].map(id);
        rework(connection, self.models, self.in_force, &mentions).await?;
        Ok(())
    }

    /// Judges a pair. The same judgement of the same person again changes nothing and answers the same.
    pub async fn judge(&self, judge: &Judge) -> Result<Decided<Effect>, ReviewError> {
        retried("review.judge_person", || self.judge_once(judge)).await
    }

    async fn judge_once(&self, judge: &Judge) -> Result<Decided<Effect>, ReviewError> {
        let mut transaction = self.begin().await?;
        let action = Action::DecideReview;
        self.by.scope().narrow(&mut transaction).await?;
        let (nodes, candidate, _) = self.seen(&mut transaction, judge.mentions, action).await?;
        scope::widen(&mut transaction).await?;
        if let Some(judgement_id) = candidate.judgement_id {
            let standing = loaded(&mut transaction, judgement_id).await?;
            let repeated =
                standing.proposed_by == self.account_id() && standing.judgement == judge.judgement;
            return match repeated {
                true => Ok(Decided::Before(
                    effect(&mut transaction, nodes, standing).await?,
                )),
                false => Err(ReviewError::AlreadyDecided),
            };
        }
        let mentions = Pair::new(candidate.low_mention, candidate.high_mention)
            .ok_or(ReviewError::NotFound)?;
        let reach = store::reach(&mut transaction, nodes).await?;
        let new = NewJudgement {
            judgement_id: Uuid::now_v7(),
            mentions,
            judgement: judge.judgement,
            state: JudgementState::of_new(judge.judgement, reach),
            reason: judge.grounds.as_str(),
            proposed_by: self.account_id(),
        };
        judgement::insert(&mut transaction, &new).await?;
        if new.state == JudgementState::InForce {
            self.rework(&mut transaction, mentions).await?;
        }
        let judged = loaded(&mut transaction, new.judgement_id).await?;
        let made = effect(&mut transaction, nodes, judged).await?;
        self.record(action, Outcome::Done, of_judged(&made.judged))
            .await?;
        transaction.commit().await?;
        Ok(Decided::Now(made))
    }

    /// Confirms, declines or withdraws. Doing it again changes nothing and answers the same.
    pub async fn step(
        &self,
        judgement_id: Uuid,
        step: Step,
        grounds: Option<&Grounds>,
    ) -> Result<Effect, ReviewError> {
        retried("review.step_person", || {
            self.step_once(judgement_id, step, grounds)
        })
        .await
    }

    async fn step_once(
        &self,
        judgement_id: Uuid,
        step: Step,
        grounds: Option<&Grounds>,
    ) -> Result<Effect, ReviewError> {
        let action = action_of(step);
        let mut transaction = self.begin().await?;
        self.by.scope().narrow(&mut transaction).await?;
        let (nodes, judged) = self
            .seen_judgement(&mut transaction, judgement_id, action)
            .await?;
        scope::widen(&mut transaction).await?;
        if let Err(error) = self.may(step, &judged) {
            return Err(self.denied(action, of_judged(&judged), error).await);
        }
        if self.has_done(step, &judged) {
            return effect(&mut transaction, nodes, judged).await;
        }
        let state = judged.state.after(step).map_err(|_| ReviewError::Over)?;
        let (by, reason) = (self.account_id(), grounds.map(Grounds::as_str));
        match step {
            Step::Withdraw => {
                let reason = reason.unwrap_or_default();
                judgement::withdrawn(&mut transaction, judgement_id, by, reason).await?;
            }
            Step::Confirm | Step::Decline => {
                judgement::decided(&mut transaction, judgement_id, state, by, reason).await?;
            }
        }
        let in_force = [judged.state, state].contains(&JudgementState::InForce);
        if let Some(mentions) =
            Pair::new(judged.mentions[0], judged.mentions[1]).filter(|_| in_force)
        {
            self.rework(&mut transaction, mentions).await?;
        }
        let judged = loaded(&mut transaction, judgement_id).await?;
        let made = effect(&mut transaction, nodes, judged).await?;
        self.record(action, Outcome::Done, of_judged(&made.judged))
            .await?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Whether this person may take the step: who proposed is not the second pair of eyes, and takes back what
    /// nobody else confirmed; a supervisor takes back anything.
    fn may(&self, step: Step, judged: &Judged) -> Result<(), ReviewError> {
        let own = judged.proposed_by == self.account_id();
        match step {
            Step::Confirm | Step::Decline if own => Err(ReviewError::SecondPersonNeeded),
            Step::Withdraw if own && judged.decided_by.is_none() => Ok(()),
            _ if self.desk == Desk::Bureau => Ok(()),
            _ => Err(ReviewError::NotAllowed),
        }
    }

    /// Whether this person has taken the step before.
    fn has_done(&self, step: Step, judged: &Judged) -> bool {
        let (state, by) = match step {
            Step::Confirm => (JudgementState::InForce, judged.decided_by),
            Step::Decline => (JudgementState::Declined, judged.decided_by),
            Step::Withdraw => (JudgementState::Withdrawn, judged.withdrawn_by),
        };
        judged.state == state && by == Some(self.account_id())
    }
}

pub(super) fn id(mention: Uuid) -> MentionId {
    MentionId::from(mention.into_bytes())
}

async fn loaded(connection: &mut PgConnection, judgement_id: Uuid) -> Result<Judged, ReviewError> {
    let judged = judgement::load(connection, &[judgement_id]).await?.pop();
    judged.ok_or(ReviewError::Database(sqlx::Error::RowNotFound))
}

async fn effect(
    connection: &mut PgConnection,
    nodes: Pair<Uuid>,
    judged: Judged,
) -> Result<Effect, ReviewError> {
    Ok(Effect {
        judged,
        one_person: store::are_one(connection, nodes).await?,
    })
}

const fn action_of(step: Step) -> Action {
    match step {
        Step::Confirm => Action::ConfirmReview,
        Step::Decline => Action::DeclineReview,
        Step::Withdraw => Action::WithdrawReview,
    }
}

fn of_judged(judged: &Judged) -> Value {
    json!({
        "mentions": judged.mentions,
        "judgement": judged.judgement_id,
        "verdict": judged.judgement.code(),
        "state": judged.state.code(),
    })
}
