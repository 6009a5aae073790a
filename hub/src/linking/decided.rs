//! Decisions follow the persons that they are about. A mention is a place in the list of a case's parties, and a revision
//! may put somebody else there: a party is added before the others, or one goes.
//!
//! Somebody is the same as long as the name or the verified number is. Where somebody else stands, the decision goes to the
//! party of the same case that is who stood there; where there is none it ends, and people are asked again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use linkage::cluster::Pair;
use linkage::node::MentionId;
use linkage::office::OfficeId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::linking::judgement::{self, Decided};
use crate::store::linking::mention::{self, Who};

const ENDED_ZH: &str = "案件修订后此处已是另一当事人，原认定不再适用；如仍需认定请重新提出。";

/// Cases by mention.
pub(super) type Cases = HashMap<MentionId, (OfficeId, String)>;

/// Has decisions in force about these mentions, whose parties may be others now, follow. Returns all mentions that the
/// decisions named and name: [`judgement::mark`] is told once the mentions are written.
pub(super) async fn follow(
    connection: &mut PgConnection,
    changed: &Cases,
) -> Result<Vec<MentionId>, sqlx::Error> {
    let ids: Vec<MentionId> = changed.keys().copied().collect();
    let decisions = judgement::about(connection, &ids).await?;
    if decisions.is_empty() {
        return Ok(Vec::new());
    }
    let sides = || decisions.iter().flat_map(|decided| &decided.sides);
    let cases: BTreeSet<_> = sides()
        .filter_map(|(mention, _)| changed.get(mention).cloned())
        .collect();
    let standing = mention::who(connection, &cases).await?;
    let steps = Steps::of(&decisions, changed, &standing);
    steps.take(connection, &decisions).await?;
    let named = sides().map(|(mention, _)| *mention);
    let to = steps.to.values().flatten().copied();
    Ok(named.chain(to).collect())
}

/// The same of every decision, where everything is linked anew.
pub(super) async fn follow_all(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let named = judgement::named(connection).await?;
    let cases = mention::cases_of(connection, &named).await?;
    follow(connection, &cases).await?;
    Ok(())
}

/// What becomes of the mentions that decisions name.
struct Steps<'a> {
    now: HashMap<MentionId, &'a [i64]>,
    /// Where somebody else stands: where who stood there stands now, if anywhere.
    to: BTreeMap<MentionId, Option<MentionId>>,
}

impl<'a> Steps<'a> {
    fn of(decisions: &[Decided], changed: &Cases, standing: &'a [Who]) -> Self {
        let now: HashMap<MentionId, &[i64]> = standing
            .iter()
            .map(|party| (party.mention_id, party.who.as_slice()))
            .collect();
        let sides = decisions.iter().flat_map(|decided| &decided.sides);
        let was: BTreeMap<MentionId, &[i64]> = sides
            .filter(|(mention, _)| changed.contains_key(mention))
            .filter_map(|(mention, was)| Some((*mention, was.as_deref()?)))
            .collect();
        let (stay, others): (Vec<_>, Vec<_>) = was
            .into_iter()
            .partition(|(mention, was)| now.get(mention).is_some_and(|now| are_one(was, now)));
        let mut taken: HashSet<MentionId> = stay.into_iter().map(|(mention, _)| mention).collect();
        let mut to = BTreeMap::new();
        for (mention, was) in others {
            let found = standing.iter().find(|party| {
                Some(&party.case) == changed.get(&mention)
                    && !taken.contains(&party.mention_id)
                    && are_one(was, &party.who)
            });
            let found = found.map(|party| party.mention_id);
            taken.extend(found);
            // Where nobody stands the case may be withdrawn, and come back.
            if found.is_some() || now.contains_key(&mention) {
                to.insert(mention, found);
            }
        }
        Self { now, to }
    }

    async fn take(
        &self,
        connection: &mut PgConnection,
        decisions: &[Decided],
    ) -> Result<(), sqlx::Error> {
        let (moved, stay): (Vec<&Decided>, Vec<&Decided>) = decisions
            .iter()
            .partition(|decided| decided.sides.iter().any(|(at, _)| self.to.contains_key(at)));
        for decided in stay {
            let [low, high] = &decided.sides;
            let who = [self.who(low.0, low), self.who(high.0, high)];
            judgement::seen(connection, decided.judgement_id, who).await?;
        }
        let ids: Vec<Uuid> = moved.iter().map(|decided| decided.judgement_id).collect();
        judgement::end(connection, &ids, ENDED_ZH).await?;
        for decided in moved {
            let [one, other] = &decided.sides;
            let Some((low, high)) = self.goes_to(one.0).zip(self.goes_to(other.0)) else {
                continue;
            };
            let mut who = [self.who(low, one), self.who(high, other)];
            if low > high {
                who.reverse();
            }
            if let Some(mentions) = Pair::new(low, high) {
                judgement::resume(connection, decided.judgement_id, mentions, who).await?;
            }
        }
        Ok(())
    }

    fn goes_to(&self, mention: MentionId) -> Option<MentionId> {
        self.to.get(&mention).copied().unwrap_or(Some(mention))
    }

    /// By what the mention is known now, else by what the side was.
    fn who<'b>(
        &'b self,
        mention: MentionId,
        side: &'b (MentionId, Option<Vec<i64>>),
    ) -> Option<&'b [i64]> {
        let now = self.now.get(&mention).copied();
        now.or(side.1.as_deref())
    }
}

fn are_one(was: &[i64], now: &[i64]) -> bool {
    was.iter().any(|known| now.contains(known))
}
