//! What is seen of pairs: the queue, and two sides beside each other; each look recorded, and none beyond the desk.

use linkage::cluster::Pair;
use linkage::compare::Agreement;
use linkage::score::Explanation;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::id;
use crate::alarm::Asked;
use crate::audit::{Action, Entry, Existence, Outcome};
use crate::lookup::disclosure;
use crate::review::{Desk, Review, ReviewError, explain};
use crate::store::linking;
use crate::store::review::judgement::{self, Judged};
use crate::store::review::person::{self as store, Candidate, Shown, Wanted};
use crate::store::scope;

/// Cases shown of one side.
const MOST_CASES: i64 = 20;

/// A pair in the queue.
#[derive(Clone, Debug)]
pub struct Queued {
    pub candidate: Candidate,
    /// The compared mention of each side.
    pub sides: [Shown; 2],
    pub judgement: Option<Judged>,
}

/// A pair side by side.
#[derive(Clone, Debug)]
pub struct SideBySide {
    pub candidate: Candidate,
    pub sides: [Side; 2],
    /// Whether the phones are one, where both are known.
    pub phone: Option<Agreement>,
    pub explanation: Explanation,
    /// Whether the two are one person now.
    pub one_person: bool,
    /// Everything that was judged about the pair, the newest first.
    pub judgements: Vec<Judged>,
}

/// One side of a pair.
#[derive(Clone, Debug)]
pub struct Side {
    pub compared: Shown,
    /// Cases in which the side appears, as far as they may be told.
    pub cases: Vec<Shown>,
}

impl Review<'_> {
    /// A page of pairs, the heaviest first: up to `most`.
    pub async fn pairs(&self, wanted: &Wanted, most: i64) -> Result<Vec<Queued>, ReviewError> {
        self.admit().await?;
        let mut connection = self.reading().await?;
        let withheld = disclosure::unreviewable(&self.rules);
        let candidates = store::page(&mut connection, wanted, &withheld, most).await?;
        let mentions: Vec<Uuid> = candidates
            .iter()
            .flat_map(|candidate| [candidate.low_mention, candidate.high_mention])
            .collect();
        let judgements: Vec<Uuid> = candidates.iter().filter_map(|c| c.judgement_id).collect();
        let shown = store::mentions(&mut connection, &mentions).await?;
        let judged = judgement::load(&mut connection, &judgements).await?;
        let detail = json!({
            "of": "persons", "office": wanted.office, "state": wanted.state.code(),
        });
        self.record(Action::ListReviews, Outcome::Done, detail)
            .await?;
        let queued = candidates.into_iter().filter_map(|candidate| {
            let of = |id| shown.iter().find(|shown| shown.mention_id == id).cloned();
            let by_id = |id| judged.iter().find(|j| Some(j.judgement_id) == id).cloned();
            Some(Queued {
                sides: [of(candidate.low_mention)?, of(candidate.high_mention)?],
                judgement: by_id(candidate.judgement_id),
                candidate,
            })
        });
        Ok(queued.collect())
    }

    /// One pair side by side, explained.
    pub async fn pair(&self, mentions: [Uuid; 2]) -> Result<SideBySide, ReviewError> {
        self.admit().await?;
        let mut reading = self.reading().await?;
        let action = Action::ReadReview;
        let (nodes, candidate, [low, high]) = self.seen(&mut reading, mentions, action).await?;
        let asked = self.asked([&low, &high]);
        let (told_to, withheld) = (self.desk.office_id(), disclosure::unreviewable(&self.rules));
        let mut cases =
            async |node| store::of_node(&mut reading, node, told_to, &withheld, MOST_CASES).await;
        let sides = [
            Side {
                cases: cases(nodes.low()).await?,
                compared: low,
            },
            Side {
                cases: cases(nodes.high()).await?,
                compared: high,
            },
        ];
        let judgements = judgement::between(&mut reading, nodes).await?;
        drop(reading);
        // Compared as the hub itself: what is compared, the tokens, is shown to nobody.
        let mut connection = self.pool.acquire().await?;
        let model = self.models.in_force(&mut connection).await?;
        let compared = [candidate.low_mention, candidate.high_mention].map(id);
        let compared_now = linking::compared::mentions(&mut connection, &compared, &model).await?;
        let [low, high] = compared.map(|id| compared_now.get(&id));
        let (low, high) = low.zip(high).ok_or(ReviewError::NotFound)?;
        let view = SideBySide {
            candidate,
            sides,
            phone: low.compare(high).phone,
            explanation: explain(model.weights(), low, high),
            one_person: store::are_one(&mut connection, nodes).await?,
            judgements,
        };
        let entry = Entry::by(self.by, action, Outcome::Done, of_pair(mentions));
        let receipt = self.audit.append(entry).await?;
        if let Some(asked) = asked {
            self.alarms.see(asked, receipt.entry_no).await?;
        }
        Ok(view)
    }

    /// Whom of other offices a notary sees by reading the pair, as the alarms about look-ups take it: whoever invents
    /// parties to see whom they are like is noticed as if numbers were tried.
    fn asked(&self, sides: [&Shown; 2]) -> Option<Asked> {
        let asker = self.asker()?;
        let (own, others): (Vec<&Shown>, Vec<&Shown>) = sides
            .into_iter()
            .partition(|side| self.desk.owns(side.office_id));
        let reference = own.first().map(|own| own.source_case_id.clone());
        let seen = others.iter().map(|other| other.mention_id);
        Some(Asked::of_mentions(
            asker,
            reference.unwrap_or_default(),
            seen,
        ))
    }

    /// The pair if this desk may see it; else the attempt is recorded.
    pub(super) async fn seen(
        &self,
        connection: &mut PgConnection,
        mentions: [Uuid; 2],
        action: Action,
    ) -> Result<(Pair<Uuid>, Candidate, [Shown; 2]), ReviewError> {
        let Some((nodes, candidate)) = pair_of(connection, mentions).await? else {
            // The database does not show it either; the log tells another office's from one that is not there.
            scope::widen(connection).await?;
            let there = Existence::of(pair_of(connection, mentions).await?);
            return Err(self.missing(action, of_pair(mentions), there).await);
        };
        let compared = [candidate.low_mention, candidate.high_mention];
        match self.told(connection, nodes, compared).await? {
            Some(sides) => Ok((nodes, candidate, sides)),
            None => {
                let error = ReviewError::NotFound;
                Err(self.denied(action, of_pair(mentions), error).await)
            }
        }
    }

    /// The judgement and its pair if this desk may see them; else the attempt is recorded.
    pub(super) async fn seen_judgement(
        &self,
        connection: &mut PgConnection,
        judgement_id: Uuid,
        action: Action,
    ) -> Result<(Pair<Uuid>, Judged), ReviewError> {
        let detail = json!({ "judgement": judgement_id });
        let Some((judged, nodes)) = judged_pair(connection, judgement_id).await? else {
            scope::widen(connection).await?;
            let there = Existence::of(judged_pair(connection, judgement_id).await?);
            return Err(self.missing(action, detail, there).await);
        };
        match self.told(connection, nodes, judged.mentions).await? {
            Some(_) => Ok((nodes, judged)),
            None => Err(self.denied(action, detail, ReviewError::NotFound).await),
        }
    }

    /// The two mentions, unless they are not for this desk: a notary's office has a part in the pair, and neither
    /// mention is in another office's case of a matter whose parties are not shown.
    async fn told(
        &self,
        connection: &mut PgConnection,
        nodes: Pair<Uuid>,
        mentions: [Uuid; 2],
    ) -> Result<Option<[Shown; 2]>, ReviewError> {
        if let Desk::Office(own) = self.desk
            && !store::has_part(connection, nodes, own).await?
        {
            return Ok(None);
        }
        let shown = store::mentions(connection, &mentions).await?;
        let of = |id| {
            let found = shown.iter().find(|shown| shown.mention_id == id).cloned();
            found.filter(|s| {
                self.desk.owns(s.office_id) || disclosure::is_reviewable(&self.rules, s.matter_type)
            })
        };
        Ok(of(mentions[0])
            .zip(of(mentions[1]))
            .map(|(low, high)| [low, high]))
    }
}

/// The nodes of two mentions and what is known of the pair.
async fn pair_of(
    connection: &mut PgConnection,
    mentions: [Uuid; 2],
) -> Result<Option<(Pair<Uuid>, Candidate)>, sqlx::Error> {
    let Some(nodes) = store::nodes_of(connection, mentions).await? else {
        return Ok(None);
    };
    let candidate = store::find(connection, nodes).await?;
    Ok(candidate.map(|candidate| (nodes, candidate)))
}

/// A judgement and the nodes that its mentions are of.
async fn judged_pair(
    connection: &mut PgConnection,
    judgement_id: Uuid,
) -> Result<Option<(Judged, Pair<Uuid>)>, sqlx::Error> {
    let Some(judged) = judgement::load(connection, &[judgement_id]).await?.pop() else {
        return Ok(None);
    };
    let nodes = store::nodes_of(connection, judged.mentions).await?;
    Ok(nodes.map(|nodes| (judged, nodes)))
}

fn of_pair(mentions: [Uuid; 2]) -> Value {
    json!({ "mentions": mentions })
}
