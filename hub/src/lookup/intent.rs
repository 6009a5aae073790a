//! Intents to accept (受理意向): two offices that ask about one matter before either has a case hear of each other.
//!
//! Both may ask at the same moment, each in a transaction that cannot see the other's. So whoever registers first
//! locks the stripes of its keys, as a case does when it is stored, and holds them until the intent is committed: of
//! two the second waits, and sees the first one's.

use linkage::matter::{MatterKey, MatterType, RuleSet};
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;

use super::question::{Asker, IntentAction, Question};
use crate::duplicates::watched::{Intent, tell_of_intent};
use crate::store::duplicate::{lock_stripes, stripes};
use crate::store::intent::{self, Standing};
use crate::store::tx;

/// What a question has found of intents, and done about its own. It takes effect with [`Intents::commit`].
#[derive(Debug)]
pub(super) struct Intents {
    /// Of other offices, the latest first.
    pub others: Vec<Standing>,
    /// Until when the own one stands, if it was registered now.
    pub expires_at: Option<OffsetDateTime>,
    transaction: Option<PgTransaction<'static>>,
}

impl Intents {
    /// Looks for the intents behind `keys`, leaving out those of the matters `untold`. A matter without a key is like no
    /// other, so that nothing is registered.
    pub(super) async fn begin(
        pool: &PgPool,
        rules: &RuleSet,
        asker: Asker,
        question: &Question,
        keys: &[MatterKey],
        untold: &[MatterType],
    ) -> Result<Self, sqlx::Error> {
        let mut intents = Self {
            others: Vec::new(),
            expires_at: None,
            transaction: None,
        };
        if keys.is_empty() {
            return Ok(intents);
        }
        let office_id = asker.office_id;
        let Some(action) = question.intent else {
            intents.others = intent::others(pool, office_id, keys, untold).await?;
            return Ok(intents);
        };
        let mut transaction = tx::begin(pool).await?;
        lock_stripes(&mut transaction, &stripes(keys.iter())).await?;
        match action {
            IntentAction::Register => {
                let (account_id, matter_type) = (asker.account_id, question.matter_type);
                let registered =
                    intent::register(&mut transaction, office_id, account_id, matter_type, keys);
                intents.expires_at = Some(registered.await?);
                let intent = Intent {
                    office_id,
                    matter_type,
                    keys,
                };
                tell_of_intent(&mut transaction, rules, intent).await?;
            }
            IntentAction::Withdraw => intent::withdraw(&mut transaction, office_id, keys).await?,
        }
        intents.others = intent::others(&mut *transaction, office_id, keys, untold).await?;
        intents.transaction = Some(transaction);
        Ok(intents)
    }

    /// Makes the own intent, or its end, durable.
    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        match self.transaction.take() {
            Some(transaction) => transaction.commit().await,
            None => Ok(()),
        }
    }
}
