//! Standing questions (关注): which of them another office's case, or its intent to accept, answers.
//!
//! Something opened is measured by a question as it is by a look-up: the rules judge it beside the matter asked about,
//! taken as applied for today, and what they let be told of its own matter decides whether, and what, the office
//! hears. Of a sealed matter it never does.
//!
//! Whoever stores a case or registers an intent holds the stripes of its keys, and so does whoever puts a question:
//! of two at the same moment the second sees the first. What the question finds there is told in its answer, what
//! comes later by a notice; each is told once, however often it is sent again.

use linkage::matter::{CaseFacts, MatterKey, MatterType, RuleSet, Severity, Shown};
use linkage::office::OfficeId;
use linkage::vocabulary::{CaseState, Purpose};
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::{facts_of_candidate, facts_of_case};
use crate::local_time::local_day;
use crate::store::duplicate::{self, Sought};
use crate::store::lookup::intent::{self, Standing};
use crate::store::lookup::watch::{self, Asked, Opened, Telling};

/// Intents told of one matter: a bound on what one answer can tell.
const MOST_INTENTS: usize = 16;

/// What a question is to what was opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) office_id: OfficeId,
    pub(crate) matter_type: MatterType,
    pub(crate) purpose: Purpose,
    pub(crate) case_reference: &'a str,
}

/// An office's intent to accept a matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intent<'a> {
    pub(crate) office_id: OfficeId,
    pub(crate) matter_type: MatterType,
    pub(crate) keys: &'a [MatterKey],
}

/// Tells whoever asked about the matters of these cases. Costs one statement where a case was accepted, none otherwise.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    rules: &RuleSet,
    cases: &[Sought<'_>],
) -> Result<(), sqlx::Error> {
    let now = OffsetDateTime::now_utc();
    let accepted: Vec<&Sought<'_>> = cases.iter().filter(|case| is_open(case.state)).collect();
    let opened: Vec<Opened<'_>> = accepted
        .iter()
        .map(|case| Opened {
            office_id: case.office_id,
            source_case_id: case.source_case_id,
            keys: case.keys,
        })
        .collect();
    let asked = watch::asked_about(connection, &opened).await?;
    let tellings: Vec<Telling<'_>> = asked
        .iter()
        .filter_map(|asked| {
            let case = accepted[asked.of];
            let facts = facts_of_case(case, &asked.shared, now);
            let (severity, shown) = answer(rules, &asking(asked), &facts, local_day(now))?;
            let after = match shown {
                Shown::Hit => format!(
                    "有一件案件（{}），其事项依法不予披露。",
                    severity.label_zh()
                ),
                Shown::Case | Shown::Names => opened_zh("已受理", case.matter_type, severity),
            };
            Some(Telling {
                source_case_id: case.source_case_id,
                office_is_named: shown != Shown::Hit,
                ..telling(asked, case.office_id, after)
            })
        })
        .collect();
    watch::tell(connection, &tellings).await
}

/// The same of an intent. One says where, so that none is told of a matter of which that is kept. What an office intends
/// when its intent of before is over is told as if there had been none.
pub(crate) async fn tell_of_intent(
    connection: &mut PgConnection,
    rules: &RuleSet,
    intent: Intent<'_>,
) -> Result<(), sqlx::Error> {
    watch::forget_intents(connection, intent.office_id, intent.keys).await?;
    let today = local_day(OffsetDateTime::now_utc());
    let opened = Opened {
        office_id: intent.office_id,
        source_case_id: "",
        keys: intent.keys,
    };
    let asked = watch::asked_about(connection, &[opened]).await?;
    let tellings: Vec<Telling<'_>> = asked
        .iter()
        .filter_map(|asked| {
            let intent = Intent {
                keys: &asked.shared,
                ..intent
            };
            let facts = applied_for(intent, today);
            let (severity, shown) = answer(rules, &asking(asked), &facts, today)?;
            let after = opened_zh("拟受理", intent.matter_type, severity);
            (shown != Shown::Hit).then(|| telling(asked, intent.office_id, after))
        })
        .collect();
    watch::tell(connection, &tellings).await
}

/// Intents of other offices that the rules connect with what is about to be accepted, the latest first. Equal keys alone
/// do not: two mandates of one principal have those by which either would meet the principal's guardianship.
pub(crate) async fn intended(
    connection: &mut PgConnection,
    rules: &RuleSet,
    own: Intent<'_>,
    untold: &[MatterType],
) -> Result<Vec<Standing>, sqlx::Error> {
    let today = local_day(OffsetDateTime::now_utc());
    let sought = intent::Sought {
        office_id: own.office_id,
        keys: own.keys,
        untold,
    };
    let behind = intent::others(connection, sought).await?.into_iter();
    let connected = behind.filter(|other| {
        let standing = &other.standing;
        let theirs = Intent {
            office_id: standing.office_id,
            matter_type: standing.matter_type,
            keys: &other.shared,
        };
        let facts = applied_for(theirs, today);
        rules.judge(&applied_for(own, today), &facts).is_some()
    });
    let told = connected.map(|other| other.standing);
    Ok(told.take(MOST_INTENTS).collect())
}

/// Cases of other offices that are there already when the question is put, as many as are judged behind a key.
pub(crate) async fn there_already(
    connection: &mut PgConnection,
    rules: &RuleSet,
    asking: &Asking<'_>,
    keys: &[MatterKey],
) -> Result<Vec<(OfficeId, String)>, sqlx::Error> {
    let today = local_day(OffsetDateTime::now_utc());
    let sought = Sought {
        office_id: asking.office_id,
        source_case_id: "",
        matter_type: asking.matter_type,
        state: CaseState::Applied,
        applied_on: Some(today),
        accepted_on: None,
        first_recorded_at: None,
        keys,
    };
    let candidates = duplicate::candidates(connection, &[sought]).await?;
    let there = candidates.cases.into_iter().filter(|case| {
        is_open(case.state) && answer(rules, asking, &facts_of_candidate(case), today).is_some()
    });
    Ok(there
        .map(|case| (case.office_id, case.source_case_id))
        .collect())
}

/// How grave it is for the question, and how much of it may be told; `None` when it does not answer the question.
fn answer(
    rules: &RuleSet,
    asking: &Asking<'_>,
    opened: &CaseFacts<'_>,
    today: Date,
) -> Option<(Severity, Shown)> {
    let disclosure = rules.disclosure(opened.matter_type)?;
    let told = disclosure.sealed_until.is_none()
        && disclosure.admits(asking.purpose, Some(asking.case_reference));
    let asked = Intent {
        office_id: asking.office_id,
        matter_type: asking.matter_type,
        keys: opened.keys,
    };
    let finding = rules
        .judge(&applied_for(asked, today), opened)
        .filter(|_| told)?;
    Some((finding.severity, disclosure.shows))
}

/// What is not accepted yet, as the rules see it.
fn applied_for(
    Intent {
        office_id,
        matter_type,
        keys,
    }: Intent<'_>,
    today: Date,
) -> CaseFacts<'_> {
    CaseFacts {
        office: office_id,
        source_case_id: "",
        matter_type,
        state: CaseState::Applied,
        applied_on: Some(today),
        accepted_on: None,
        first_recorded_on: today,
        keys,
    }
}

fn is_open(state: CaseState) -> bool {
    state.is_live_or_issued() && state.is_accepted_or_later()
}

fn asking(asked: &Asked) -> Asking<'_> {
    Asking {
        office_id: asked.office_id,
        matter_type: asked.matter_type,
        purpose: asked.purpose,
        case_reference: &asked.case_reference,
    }
}

/// Of an intent, as long as nothing else is said.
fn telling(asked: &Asked, by: OfficeId, after: String) -> Telling<'static> {
    let (matter, reference) = (asked.matter_type.name_zh(), &asked.case_reference);
    Telling {
        watch_id: asked.watch_id,
        to: asked.office_id,
        by,
        source_case_id: "",
        before: format!("本处关注的{matter}事项（{reference}）："),
        office_is_named: true,
        after,
    }
}

fn opened_zh(opened: &str, matter_type: MatterType, severity: Severity) -> String {
    let (matter, severity) = (matter_type.name_zh(), severity.label_zh());
    format!("{opened}{matter}公证（{severity}），请核实。")
}
