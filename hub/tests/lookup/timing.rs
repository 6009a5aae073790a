//! Whether an answer's time tells what the answer does not: that somebody has a sealed case, or one of which no more than a
//! hit is told. The same statements run whatever is found; how far the times are apart is measured on demand.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use linkage::identifier::IdentifierKind;
use linkage::vocabulary;
use notary_hub::identity;
use notary_hub::lookup::question::{Number, NumberCheck, Party};
use notary_hub::lookup::{Asker, Purpose, Question};
use notary_proto::hub::v1::PartyRole;
use tracing::dispatcher::with_default;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::{Event, Instrument, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use uuid::Uuid;

use crate::notary::{Counter, about, who};
use crate::record::{case, person};
use crate::support::seed::notary;

/// Whom a look-up may be about; of each there are many, so that no answer is told from one that was given before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Nobody knows them.
    Nobody,
    /// One case of another office, told in full.
    Known,
    /// A will at another office, which is told to nobody.
    Sealed,
    /// An adoption at another office, of which a hit is told.
    HitAlone,
}

impl Person {
    pub const ALL: [Self; 4] = [Self::Nobody, Self::Known, Self::Sealed, Self::HitAlone];
    /// Persons of each kind.
    const OF_EACH: u8 = 40;

    /// The number that tells one of them.
    pub fn number(self, at: usize) -> u8 {
        let kind = Self::ALL.iter().position(|kind| *kind == self).unwrap();
        let at = at % usize::from(Self::OF_EACH);
        u8::try_from(1 + kind * usize::from(Self::OF_EACH) + at).unwrap()
    }

    /// Matter and role of the case that there is of them.
    fn case(self) -> Option<(&'static str, PartyRole)> {
        match self {
            Self::Nobody => None,
            Self::Known => Some(("mandate", PartyRole::Principal)),
            Self::Sealed => Some(("will", PartyRole::Testator)),
            Self::HitAlone => Some(("adoption", PartyRole::Applicant)),
        }
    }
}

/// A counter in a city that has cases of all but nobody.
pub async fn counter() -> Counter {
    let counter =
        Counter::with("lookup.person_per_minute = 1000000\nlookup.office_per_minute = 1000000")
            .await;
    let mut there = Vec::new();
    for kind in Person::ALL {
        for at in 0..usize::from(Person::OF_EACH) {
            if let Some((matter, role)) = kind.case() {
                let number = kind.number(at);
                let one = case(&format!("{kind:?}-{at}")).matter(matter);
                there.push(one.parties(vec![person(role, number)]));
            }
        }
    }
    counter.seed.office(&counter.hub, "xiaoshan", there).await;
    counter
}

/// About a mandate, naming whom the number tells.
fn question(number: u8) -> Question {
    let number = Number {
        kind: IdentifierKind::ResidentId,
        token: [number; 16].into(),
        check: NumberCheck::Verified,
    };
    Question {
        purpose: Purpose::BeforeAcceptance,
        case_reference: "2024-接-1".to_owned(),
        matter_type: "mandate".parse().unwrap(),
        parties: vec![Party {
            role: vocabulary::PartyRole::Principal,
            number: Some(number),
            description: None,
        }],
        subjects: Vec::new(),
        place_of_use: None,
        intent: None,
    }
}

/// Texts of the statements that run within the span `asked`.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut spans = context.event_scope(event).into_iter().flatten();
        if event.metadata().target() == "sqlx::query" && spans.any(|span| span.name() == "asked") {
            event.record(&mut Text(&self.0));
        }
    }
}

struct Text<'a>(&'a Mutex<Vec<String>>);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "summary" {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }
}

#[tokio::test]
async fn whatever_is_found_the_same_statements_look_for_it() {
    let counter = counter().await;
    let (lookup, log) = counter.lookup();
    let statements = Statements::default();
    let listening: tracing::Dispatch = Registry::default().with(statements.clone()).into();
    // With a single one `tracing` asks the thread that comes to an event first, which may be another test's, whether
    // anybody listens, and remembers that nobody did.
    let _another = tracing::Dispatch::new(Registry::default());
    let notary = identity::Person::new(Uuid::now_v7(), notary("hangzhou"));
    let asker = Asker::new(&notary, "hangzhou".parse().unwrap());
    let asked = async |kind: Person| {
        let span = with_default(&listening, || tracing::info_span!("asked"));
        let asking = lookup.check(asker, question(kind.number(0)));
        let answer = asking
            .instrument(span)
            .with_subscriber(listening.clone())
            .await
            .unwrap();
        (answer.hits.len(), statements.taken())
    };
    let asked_of_each = async || {
        let mut of_each = Vec::new();
        for kind in Person::ALL {
            of_each.push(asked(kind).await);
        }
        of_each
    };
    // What is read once a second and told again is not of the question: it is read now.
    asked_of_each().await;
    let of_each = asked_of_each().await;
    let hits: Vec<usize> = of_each.iter().map(|(hits, _)| *hits).collect();
    assert_eq!(hits, [0, 1, 0, 1]);
    let own = |statements: &[String]| {
        let of_the_city =
            |text: &&String| !text.contains("office o LEFT JOIN") && !text.contains("alarm");
        statements
            .iter()
            .filter(of_the_city)
            .cloned()
            .collect::<Vec<_>>()
    };
    let nobody = own(&of_each[0].1);
    assert!(!nobody.is_empty(), "statements are seen");
    for (kind, (_, statements)) in Person::ALL.iter().zip(&of_each) {
        assert_eq!(own(statements), nobody, "{kind:?}");
    }
    log.abort();
}

/// How often somebody is asked about, of each kind.
const ROUNDS: usize = 500;

/// Times of one kind of answer, as who asks sees them.
struct Times(Vec<Duration>);

impl Times {
    fn quantile(&self, of_hundred: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[sorted.len() * of_hundred / 100].as_secs_f64() * 1e6
    }

    /// How likely one of these takes longer than one of the others (Mann–Whitney); a half when nothing tells them apart.
    fn longer_than(&self, others: &Self) -> f64 {
        let mut sorted = others.0.clone();
        sorted.sort_unstable();
        let wins: usize = self
            .0
            .iter()
            .map(|time| {
                let below = sorted.partition_point(|other| other < time);
                let not_above = sorted.partition_point(|other| other <= time);
                below + not_above
            })
            .sum();
        wins as f64 / 2.0 / (self.0.len() * sorted.len()) as f64
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; make answer-times"]
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn answer_times() {
    let counter = counter().await;
    let mut times = Person::ALL.map(|_| Times(Vec::new()));
    for round in 0..ROUNDS + ROUNDS / 10 {
        // Each kind comes first as often as any other.
        for place in 0..Person::ALL.len() {
            let at = (place + round) % Person::ALL.len();
            let number = Person::ALL[at].number(round);
            let question = about("mandate", vec![who(PartyRole::Principal, number)], vec![]);
            let begun = Instant::now();
            let answer = counter.answer(question).await;
            let took = begun.elapsed();
            assert!(answer.receipt.is_some());
            if round >= ROUNDS / 10 {
                times[at].0.push(took);
            }
        }
    }
    println!("{ROUNDS} look-ups of each over TLS, interleaved; microseconds");
    println!(
        "{:<10} {:>8} {:>8} {:>8} {:>12} {:>20}",
        "about", "p10", "p50", "p90", "p50 - nobody", "P(longer than nobody)"
    );
    for (kind, of) in Person::ALL.iter().zip(&times) {
        let apart = of.quantile(50) - times[0].quantile(50);
        println!(
            "{:<10} {:>8.0} {:>8.0} {:>8.0} {apart:>+12.1} {:>20.3}",
            format!("{kind:?}"),
            of.quantile(10),
            of.quantile(50),
            of.quantile(90),
            of.longer_than(&times[0]),
        );
    }
}
