//! Alarms about look-ups that are no notary's work: too many different persons, too many that nobody knows, one case
//! that is made to carry everybody, and honey: planted identities that nobody has, so that whoever asks for one has
//! them from where they were planted.
//!
//! The answer shows nothing: an alarm is raised beside it. It is an entry of the audit log, a metric and a row that the
//! bureau sees until a supervisor or an operator lifts it; where the configuration says so, the person is not answered
//! until then.

pub mod pattern;

use std::collections::HashSet;
use std::sync::{Arc, Mutex as Locked, PoisonError};
use std::time::{Duration, Instant};

use linkage::token::Token;
use metrics::counter;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::audit::{Action, Actor, Audit, AuditError, Entry, Existence, Outcome};
use crate::codes::codes;
use crate::config;
use crate::identity::Person;
use crate::lookup::question::{About, Description, Party};
use crate::lookup::{Asker, Question};
use crate::recent::Recent;
use crate::review::Grounds;
use crate::store;
use crate::store::alarm::{Alarm, NewAlarm};
use crate::store::scope;
use crate::telemetry::metrics::ALARMS;
use pattern::{Patterns, Seen};

/// How long what was read of planted identities and open alarms is good.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A planted identity was asked for.
    Honey,
    /// A person asked for many different parties and things.
    ManySubjects,
    /// A person asked for many that nobody knows.
    ManyMisses,
    /// One case reference was given for many different parties and things.
    OneReference,
    /// All of an office's notaries together asked for many.
    OfficeSubjects,
}

/// Why an alarm is not listed or lifted.
#[derive(Debug, thiserror::Error)]
pub enum AlarmError {
    #[error("there is no such alarm")]
    NotFound,
    #[error("alarms: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// A look-up as far as alarms go by it.
#[derive(Clone, Debug)]
pub struct Asked {
    asker: Asker,
    case_reference: String,
    /// One for each party and each thing: what tells it from others.
    subjects: Vec<Token>,
    /// Those of them that the answer does not speak of.
    missed: Vec<Token>,
    /// All tokens that were given, verified or not.
    tokens: Vec<Token>,
}

/// Planted identities, and who has an open alarm.
#[derive(Debug)]
struct Known {
    honey: HashSet<Token>,
    suspects: HashSet<Uuid>,
}

/// Watches look-ups and keeps the alarms.
#[derive(Clone, Debug)]
pub struct Alarms {
    pool: PgPool,
    audit: Audit,
    blocks: bool,
    patterns: Arc<Locked<Patterns>>,
    known: Arc<Recent<Arc<Known>>>,
}

codes!(Kind {
    Honey = "honey" "查询了诱饵标识",
    ManySubjects = "many_subjects" "一人查询的对象过多",
    ManyMisses = "many_misses" "一人查询未命中过多",
    OneReference = "one_reference" "同一案件或收件号下查询的对象过多",
    OfficeSubjects = "office_subjects" "全处查询的对象过多",
});

impl Asked {
    /// About all of a question's parties and things. `is_found` says of which the answer speaks: one that is known does not
    /// hide that others were guessed.
    pub fn of(asker: Asker, question: &Question, is_found: impl Fn(About) -> bool) -> Self {
        let parties = 0..question.parties.len();
        let things = 0..question.subjects.len();
        let all = parties.map(About::Party).chain(things.map(About::Subject));
        Self::about(asker, question, all, is_found)
    }

    /// About mentions that somebody read beside a case of the own office.
    pub fn of_mentions(
        asker: Asker,
        own_case: String,
        mentions: impl Iterator<Item = Uuid>,
    ) -> Self {
        Self {
            asker,
            case_reference: own_case,
            subjects: mentions
                .map(|mention| Token::from(mention.into_bytes()))
                .collect(),
            missed: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// About some of them.
    pub fn about(
        asker: Asker,
        question: &Question,
        about: impl IntoIterator<Item = About>,
        is_found: impl Fn(About) -> bool,
    ) -> Self {
        let mut asked = Self {
            asker,
            case_reference: question.case_reference.clone(),
            subjects: Vec::new(),
            missed: Vec::new(),
            tokens: Vec::new(),
        };
        for about in about {
            let (subject, token) = match about {
                About::Party(at) => {
                    let party = &question.parties[at];
                    (subject(party), party.number.map(|number| number.token))
                }
                About::Subject(at) => {
                    let (_, thing) = question.subjects[at];
                    (thing, Some(thing))
                }
            };
            asked.subjects.push(subject);
            asked.missed.extend((!is_found(about)).then_some(subject));
            asked.tokens.extend(token);
        }
        asked
    }
}

/// What a party is told from others by. Where no verified number tells it, all that was said of it does, lest names or
/// phones be tried one after another. Counted like a token, and no more than that: it leaves this hub's memory for
/// nowhere.
fn subject(party: &Party) -> Token {
    if let Some(number) = party.verified() {
        return number.token;
    }
    let mut digest = Sha256::new();
    let mut add = |part: Option<&[u8]>| {
        digest.update((part.map_or(0, |part| part.len() as u64 + 1)).to_be_bytes());
        digest.update(part.unwrap_or_default());
    };
    add(party
        .number
        .as_ref()
        .map(|number| number.token.as_bytes().as_slice()));
    if let Some(Description {
        kind,
        name,
        sex,
        birth_date,
        phone,
        district,
    }) = &party.description
    {
        let born = birth_date.map(|day| day.to_julian_day().to_be_bytes());
        add(Some(kind.code().as_bytes()));
        add(Some(name.as_bytes()));
        add(sex.map(|sex| sex.code().as_bytes()));
        add(born.as_ref().map(<[u8; 4]>::as_slice));
        add(phone.as_ref().map(|phone| phone.as_bytes().as_slice()));
        add(district
            .as_ref()
            .map(|district| district.as_str().as_bytes()));
    }
    let digest: [u8; 32] = digest.finalize().into();
    let (bytes, _) = digest
        .split_first_chunk()
        .expect("32 bytes are 16 and more");
    Token::from(*bytes)
}

impl Alarms {
    pub fn new(pool: PgPool, audit: Audit, limits: config::LookupAlarm) -> Self {
        Self {
            pool,
            audit,
            blocks: limits.blocks,
            patterns: Arc::new(Locked::new(Patterns::new(limits))),
            known: Arc::default(),
        }
    }

    /// Whether the person has to wait until an open alarm is lifted.
    pub async fn is_suspended(&self, asker: Asker) -> Result<bool, sqlx::Error> {
        Ok(self.blocks && self.known().await?.suspects.contains(&asker.account_id))
    }

    /// Takes a recorded look-up in. What it raises is raised beside the answer, which takes no longer for it.
    pub async fn see(&self, asked: Asked, audit_entry: i64) -> Result<(), sqlx::Error> {
        let asker = &asked.asker;
        let seen = Seen {
            account_id: asker.account_id,
            office_id: asker.office_id,
            case_reference: &asked.case_reference,
            subjects: &asked.subjects,
            missed: &asked.missed,
        };
        let mut raised = {
            let patterns = self.patterns.lock();
            // Counts are counts, even if a panic cut one short.
            let mut patterns = patterns.unwrap_or_else(PoisonError::into_inner);
            patterns.see(&seen, Instant::now())
        };
        let known = self.known().await?;
        if asked.tokens.iter().any(|token| known.honey.contains(token)) {
            raised.push(Kind::Honey);
        }
        for kind in raised {
            let (alarms, new) = (self.clone(), NewAlarm::new(kind, *asker, audit_entry));
            tokio::spawn(async move {
                if let Err(error) = alarms.raise(&new).await {
                    tracing::error!(kind = kind.code(), %error, "an alarm is not stored");
                }
            });
        }
        Ok(())
    }

    async fn raise(&self, new: &NewAlarm) -> Result<(), AlarmError> {
        counter!(ALARMS, "kind" => new.kind.code()).increment(1);
        tracing::warn!(kind = new.kind.code(), office = %new.office_id, "alarm about look-ups");
        if !store::alarm::insert(&self.pool, new).await? {
            return Ok(());
        }
        let detail = json!({
            "alarm": new.alarm_id, "kind": new.kind.code(), "account": new.account_id, "look_up": new.audit_entry,
        });
        let entry = Entry {
            office_id: Some(new.office_id),
            ..Entry::of(Actor::Hub, Action::RaiseAlarm, Outcome::Done, detail)
        };
        self.audit.append(entry).await?;
        self.known.forget().await;
        Ok(())
    }

    /// What the database says, a second old at most. One caller reads while the others wait for the same.
    async fn known(&self) -> Result<Arc<Known>, sqlx::Error> {
        let read = async {
            Ok(Arc::new(Known {
                honey: store::alarm::honey(&self.pool).await?,
                suspects: store::alarm::suspects(&self.pool).await?,
            }))
        };
        self.known.within(GOOD_FOR, read).await
    }

    /// Up to `most` alarms behind one, the newest first.
    pub async fn list(
        &self,
        person: &Person,
        behind: Option<Uuid>,
        most: i64,
    ) -> Result<Vec<Alarm>, AlarmError> {
        let mut reading = person.scope().read(&self.pool).await?;
        let alarms = store::alarm::list(&mut reading, behind, most).await?;
        let entry = Entry::by(person, Action::ListAlarms, Outcome::Done, json!({}));
        self.audit.append(entry).await?;
        Ok(alarms)
    }

    /// Lifts an alarm: somebody has looked into it. Doing it again changes nothing.
    pub async fn lift(
        &self,
        person: &Person,
        alarm_id: Uuid,
        grounds: &Grounds,
    ) -> Result<Alarm, AlarmError> {
        let detail = json!({ "alarm": alarm_id });
        let mut transaction = store::tx::begin(&self.pool).await?;
        person.scope().narrow(&mut transaction).await?;
        let seen = store::alarm::load(&mut transaction, alarm_id).await?;
        scope::widen(&mut transaction).await?;
        if seen.is_none() {
            let there = Existence::of(store::alarm::load(&mut transaction, alarm_id).await?);
            let entry = Entry::by(person, Action::LiftAlarm, there.outcome(), detail);
            return Err(self.audit.refuse(entry, AlarmError::NotFound).await);
        }
        store::alarm::lift(
            &mut transaction,
            alarm_id,
            person.account_id,
            grounds.as_str(),
        )
        .await?;
        let lifted = store::alarm::load(&mut transaction, alarm_id).await?;
        let entry = Entry::by(person, Action::LiftAlarm, Outcome::Done, detail);
        self.audit.append(entry).await?;
        transaction.commit().await?;
        self.known.forget().await;
        lifted.ok_or(AlarmError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use linkage::vocabulary::{PartyKind, PartyRole};

    use super::*;

    fn described(phone: u8, district: &str) -> Party {
        Party {
            role: PartyRole::Principal,
            number: None,
            description: Some(Description {
                kind: PartyKind::Natural,
                name: "张三".to_owned(),
                sex: None,
                birth_date: None,
                phone: Some(Token::from([phone; 16])),
                district: Some(district.parse().expect("a district")),
            }),
        }
    }

    #[test]
    fn one_name_with_phone_after_phone_is_asked_for_again_and_again() {
        let asked = subject(&described(1, "330106"));
        assert_eq!(asked, subject(&described(1, "330106")));
        assert_ne!(asked, subject(&described(2, "330106")));
        assert_ne!(asked, subject(&described(1, "330108")));
    }
}
