//! Every party of every case in memory: what a run works on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use linkage::cluster::Judgement;
use linkage::compare::{Mention, VerifiedNumber};
use linkage::node::MentionId;
use linkage::office::OfficeId;
use sqlx::PgConnection;

use super::LinkingError;
use super::contest::MOST_MENTIONS;
use super::model::Model;
use super::run::{Run, Step, workers};
use crate::store::linking::compared::{self, Party};

/// Parties that one thread prepares at once.
const PART: usize = 10_000;

/// Mentions by their place in three lists.
#[derive(Debug, Default)]
pub(super) struct Everyone {
    pub ids: Vec<MentionId>,
    pub mentions: Vec<Mention>,
    pub places: Vec<Place>,
}

/// Where a mention stands.
#[derive(Debug)]
pub(super) struct Place {
    pub office_id: OfficeId,
    pub source_case_id: Box<str>,
    pub ordinal: i16,
    pub content: i64,
}

impl Everyone {
    /// Reads all parties, as one moment has them.
    pub(super) async fn read(
        connection: &mut PgConnection,
        model: &Arc<Model>,
        run: &Run<'_>,
    ) -> Result<Self, LinkingError> {
        let total = compared::estimate(connection).await?;
        run.at(Step::Read, 0, total).await?;
        let mut everyone = Self::default();
        let mut parts = compared::every(connection)
            .try_chunks(PART)
            .map(|part| {
                let model = Arc::clone(model);
                async move {
                    let part = part.map_err(|cut| cut.1)?;
                    tokio::task::spawn_blocking(move || Self::of(part, &model)).await?
                }
            })
            .buffered(workers().get());
        while let Some(part) = parts.try_next().await? {
            everyone.append(part);
            run.at(Step::Read, everyone.ids.len() as u64, total).await?;
        }
        Ok(everyone)
    }

    fn of(part: Vec<Party>, model: &Model) -> Result<Self, LinkingError> {
        let mut some = Self::default();
        for party in part {
            some.ids.push(party.mention_id()?);
            some.mentions.push(party.mention(model)?);
            some.places.push(Place {
                office_id: party.office_id,
                source_case_id: party.source_case_id.into(),
                ordinal: party.ordinal,
                content: party.content,
            });
        }
        Ok(some)
    }

    fn append(&mut self, mut part: Self) {
        self.ids.append(&mut part.ids);
        self.mentions.append(&mut part.mentions);
        self.places.append(&mut part.places);
    }

    /// Numbers of which people hold two mentions apart, unless more have them than can be told apart one by one.
    pub(super) fn contested(
        &self,
        decisions: &[((MentionId, MentionId), Judgement)],
    ) -> HashSet<VerifiedNumber> {
        let apart = |of: &&((MentionId, MentionId), Judgement)| of.1 == Judgement::NotSame;
        let apart: Vec<_> = decisions
            .iter()
            .filter(apart)
            .map(|(pair, _)| *pair)
            .collect();
        let named: HashSet<MentionId> = apart.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let numbers: HashMap<MentionId, VerifiedNumber> = self
            .ids
            .iter()
            .zip(&self.mentions)
            .filter(|(id, _)| named.contains(id))
            .filter_map(|(id, mention)| Some((*id, mention.verified()?)))
            .collect();
        let mut bearers: HashMap<VerifiedNumber, usize> = apart
            .iter()
            .filter_map(|(a, b)| Some((numbers.get(a)?, numbers.get(b)?)))
            .filter(|(a, b)| a == b)
            .map(|(number, _)| (*number, 0))
            .collect();
        if !bearers.is_empty() {
            for number in self.mentions.iter().filter_map(Mention::verified) {
                bearers.entry(number).and_modify(|count| *count += 1);
            }
        }
        bearers.retain(|_, count| *count <= MOST_MENTIONS);
        bearers.into_keys().collect()
    }
}
