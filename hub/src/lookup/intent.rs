//! Intents to accept (受理意向): two offices that ask about one matter before either has a case hear of each other.
//!
//! Both may ask at the same moment, each in a transaction that cannot see the other's. So whoever registers first
//! locks the stripes of its keys, as a case does when it is stored, and holds them until the intent is committed: of
//! two the second waits, and sees the first one's.

use linkage::matter::{MatterKey, MatterType, RuleSet};
use sqlx::{PgConnection, PgPool, PgTransaction};
use time::OffsetDateTime;

use super::check::LookupError;
use super::question::{Asker, IntentAction, Question};
use crate::duplicates::watched::{Intent, intended, tell_of_intent};
use crate::store::duplicate::{lock_stripes, stripes};
use crate::store::lookup::intent::{self, Sought, Standing};
use crate::store::token_key::{self, NotEntered};
use crate::store::{scope, tx};

/// What a question has found of intents, and done about its own. It takes effect with [`Intents::commit`].
#[derive(Debug, Default)]
pub(super) struct Intents<'a> {
    /// Of other offices, the latest first.
    pub others: Vec<Standing>,
    /// Until when the own one stands, if it was registered now.
    pub expires_at: Option<OffsetDateTime>,
    transaction: Option<PgTransaction<'static>>,
    /// Those of other offices, while they are still to be heard of.
    unheard: Option<Unheard<'a>>,
}

/// Of which matter other offices' intents are still to be heard.
#[derive(Clone, Copy, Debug)]
struct Unheard<'a> {
    rules: &'a RuleSet,
    own: Intent<'a>,
    untold: &'a [MatterType],
}

impl<'a> Intents<'a> {
    /// Does what the question asks about the own intent behind `keys`, and hears of the others then; of the matters
    /// `untold` nothing is heard. A question that asks nothing hears of them with its search. A matter without a key is
    /// like no other, so that nothing is registered.
    pub(super) async fn begin(
        pool: &PgPool,
        rules: &'a RuleSet,
        asker: Asker,
        question: &Question,
        keys: &'a [MatterKey],
        untold: &'a [MatterType],
    ) -> Result<Self, LookupError> {
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let (office_id, matter_type) = (asker.office_id, question.matter_type);
        let own = Intent {
            office_id,
            matter_type,
            keys,
        };
        let mut intents = Self {
            unheard: Some(Unheard { rules, own, untold }),
            ..Self::default()
        };
        let Some(action) = question.intent else {
            return Ok(intents);
        };
        let scope = asker.scope();
        let mut transaction = tx::begin(pool).await?;
        if token_key::enter_now(&mut transaction).await?.is_none() {
            return Err(NotEntered::Changing.into());
        }
        lock_stripes(&mut transaction, &stripes(keys.iter())).await?;
        scope.narrow(&mut transaction).await?;
        match action {
            IntentAction::Register => {
                let account_id = asker.account_id;
                let registered =
                    intent::register(&mut transaction, office_id, account_id, matter_type, keys);
                intents.expires_at = Some(registered.await?);
                scope::widen(&mut transaction).await?;
                tell_of_intent(&mut transaction, rules, own).await?;
            }
            IntentAction::Withdraw => intent::withdraw(&mut transaction, office_id, keys).await?,
        }
        scope.narrow_to_look_up(&mut transaction, &[]).await?;
        intents.hear(&mut transaction).await?;
        scope::widen(&mut transaction).await?;
        intents.transaction = Some(transaction);
        Ok(intents)
    }

    /// Hears of other offices' intents, unless that is done. `reading` reads as a look-up does.
    pub(super) async fn hear(&mut self, reading: &mut PgConnection) -> Result<(), sqlx::Error> {
        if let Some(Unheard { rules, own, untold }) = self.unheard {
            self.others = intended(reading, rules, own, untold).await?;
            self.unheard = None;
        }
        Ok(())
    }

    /// By what one that is still to be heard of would be found.
    pub(super) fn sought(&self) -> Option<Sought<'a>> {
        self.unheard.map(|Unheard { own, untold, .. }| Sought {
            office_id: own.office_id,
            keys: own.keys,
            untold,
        })
    }

    /// Makes the own intent, or its end, durable.
    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        match self.transaction.take() {
            Some(transaction) => transaction.commit().await,
            None => Ok(()),
        }
    }
}
