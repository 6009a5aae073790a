//! Whatever offices send, in whatever order and however often: the rollup is what the cases come to.

use std::sync::atomic::AtomicU64;

use notary_hub::ingest::batch::Outcome;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::contribution::{self, Deltas, Figures};
use notary_hub::statistics::fold::fold;
use notary_hub::statistics::verify::{rebuild, rebuild_if_due, verify};
use notary_hub::store::figures::rollup;
use notary_proto::hub::v1::{CaseState, ExcusedInterval, ForeignRelation, Record};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use time::macros::date;

use crate::city::{Hub, Office};
use crate::record::{Case, case, day};

/// Steps of one run; each is one batch.
const STEPS: usize = 60;
/// Cases that an office has, so that most of what is sent is a revision.
const CASES: u8 = 12;

/// What an office does next.
#[derive(Clone, Debug)]
enum Step {
    /// Sends cases, some of them twice or in an older revision.
    Send(Vec<Case>),
    /// Begins a new outbox and sends these again from the beginning.
    Rebuild(Vec<Case>),
}

prop_compose! {
    pub fn any_case()(
        (key, revision) in (0..CASES, 1..6_u64),
        state in prop::sample::select(vec![
            CaseState::Applied, CaseState::Accepted, CaseState::Refused, CaseState::Issued, CaseState::Rejected,
            CaseState::Terminated, CaseState::Corrected, CaseState::Revoked, CaseState::Withdrawn,
        ]),
        matter in prop::sample::select(vec!["will", "birth", "gift"]),
        foreign in prop::sample::select(vec![ForeignRelation::Domestic, ForeignRelation::Taiwan]),
        // Some months around a Spring Festival, and now and then a year before.
        days in prop::array::uniform4(prop::option::weighted(0.8, -20..100_i32)),
        earlier in prop::sample::select(vec![0, 0, 0, 365]),
        notary in prop::sample::select(vec!["", "13301001", "13301002"]),
        (charged, reduced, legal_aid, home_visit) in (0..50_000_i64, prop::sample::select(vec![0, 500]), any::<bool>(), any::<bool>()),
        excused in prop::option::of((0..30_i32, 0..30_i32)),
    ) -> Case {
        let begin = day("2024-01-15") - earlier;
        let [applied, accepted, issued, closed] = days.map(|after| after.map(|after| begin + after));
        let mut case = case(&format!("C{key}")).matter(matter).state(state).revision(revision).fee(charged);
        let record = &mut case.0;
        (record.applied_day, record.accepted_day) = (applied, accepted);
        (record.issued_day, record.closed_day) = (issued, closed);
        record.foreign_relation = foreign.into();
        record.notary_licence_no = notary.to_owned();
        record.fee_reduced_fen = reduced;
        (record.legal_aid, record.home_visit) = (legal_aid, home_visit);
        record.excused.extend(excused.map(|(first, length)| ExcusedInterval {
            first_day: begin + first,
            last_day: begin + first + length,
            ..ExcusedInterval::default()
        }));
        case
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let cases = || prop::collection::vec(any_case(), 1..8);
    prop_oneof![9 => cases().prop_map(Step::Send), 1 => cases().prop_map(Step::Rebuild)]
}

async fn take(hub: &Hub, office: &mut Office, step: Step) {
    let cases = match step {
        Step::Send(cases) => cases,
        Step::Rebuild(cases) => {
            *office = office.rebuilt(hub).await;
            cases
        }
    };
    let records: Vec<Record> = cases.into_iter().map(Record::from).collect();
    let outcome = office.send(hub, records).await;
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
}

#[tokio::test]
async fn any_sequence_of_inserts_revisions_corrections_and_withdrawals_keeps_every_cell_exact() {
    let hub = Hub::start().await;
    let mut offices = [hub.office("hzgl").await, hub.office("xiaoshan").await];
    let mut runner = TestRunner::deterministic();
    let mut cells = 0;
    for number in 0..STEPS {
        let step = any_step().new_tree(&mut runner).unwrap().current();
        take(&hub, &mut offices[number % 2], step).await;
        // Some changes are folded at once, some in parts, some wait for many others.
        if number % 3 == 0 {
            fold(&hub.pool, 20).await.unwrap();
        }
        let verification = verify(&hub.pool, &Calendar::builtin()).await.unwrap();
        assert!(
            verification.differences.is_empty(),
            "step {number}: {:?}",
            verification.differences
        );
        cells = cells.max(verification.cells);
    }
    assert!(cells > 100, "the steps say something: {cells}");
    let held = hub
        .count("SELECT sum(issued)::bigint FROM rollup WHERE cut = 'matter'")
        .await;
    for cut in ["day", "notary"] {
        let sum = match cut {
            "day" => {
                hub.count("SELECT sum(issued)::bigint FROM rollup WHERE cut = 'day'")
                    .await
            }
            _ => {
                hub.count("SELECT sum(issued)::bigint FROM rollup WHERE cut = 'notary'")
                    .await
            }
        };
        assert_eq!(sum, held, "every cut counts everything: {cut}");
    }
    assert_eq!(
        rebuild(&hub.pool, &Calendar::builtin(), &AtomicU64::default())
            .await
            .unwrap(),
        { verify(&hub.pool, &Calendar::builtin()).await.unwrap().cells }
    );
    hub.figures_are_right().await;
}

/// Sends two cases again and again, in growing revisions.
async fn send_on(hub: &Hub, mut office: Office) {
    for revision in 1..=10 {
        let cases = ["C1", "C2"].map(|key| {
            let issued = format!("2024-03-{:02}", revision + 1);
            case(key)
                .revision(revision)
                .accepted("2024-02-05")
                .issued(&issued)
        });
        office.taken(hub, cases.to_vec()).await;
    }
}

#[tokio::test]
async fn figures_are_exact_at_every_moment_while_offices_send_and_changes_are_folded() {
    let hub = Hub::start().await;
    let offices = [hub.office("hzgl").await, hub.office("xiaoshan").await];
    let sending = async {
        let [one, other] = offices.map(|office| send_on(&hub, office));
        tokio::join!(one, other);
    };
    tokio::pin!(sending);
    let (mut proofs, mut folded) = (0, 0);
    let prove_and_fold = async || {
        hub.figures_are_right().await;
        fold(&hub.pool, 7).await.unwrap()
    };
    loop {
        tokio::select! {
            biased;
            () = &mut sending => break,
            more = prove_and_fold() => {
                proofs += 1;
                folded += usize::from(more);
            }
        }
    }
    assert!(proofs > 1 && folded > 1, "{proofs} proofs, {folded} folds");
    while fold(&hub.pool, 7).await.unwrap() {
        hub.figures_are_right().await;
    }
    assert_eq!(hub.count("SELECT count(*) FROM rollup_delta").await, 0);
    let cells = "SELECT sum(issued)::bigint FROM rollup_cell WHERE cut = 'day'";
    assert_eq!(hub.count(cells).await, 4);
}

/// In it no day is off.
fn another_calendar() -> Calendar {
    let years = "first_year = 2023\nlast_year = 2024\nweekdays_off = []\nweekends_worked = []";
    Calendar::parse(years).unwrap()
}

#[tokio::test]
async fn a_changed_calendar_counts_everything_again_and_keeps_the_hub_of_before_from_counting() {
    let hub = Hub::start().await;
    let mut office = hub.office("hzgl").await;
    // Fifteen working days because of the Spring Festival; more without it.
    let cases = vec![case("C1").accepted("2024-02-05").issued("2024-03-02")];
    office.taken(&hub, cases).await;
    let within = "SELECT coalesce(sum(handled_15), 0)::bigint FROM rollup WHERE cut = 'matter'";
    assert_eq!(hub.count(within).await, 1);
    assert_eq!(
        rebuild_if_due(&hub.pool, &Calendar::builtin())
            .await
            .unwrap(),
        None
    );

    let calendar = another_calendar();
    assert_ne!(
        contribution::basis(&calendar),
        contribution::basis(&Calendar::builtin())
    );
    let cells = rebuild_if_due(&hub.pool, &calendar).await.unwrap();
    assert!(cells.is_some());
    assert_eq!(hub.count(within).await, 0);
    assert!(
        verify(&hub.pool, &calendar)
            .await
            .unwrap()
            .differences
            .is_empty()
    );

    // A hub that still counts by the calendar of before stores no case: it would take away what was never added.
    let mut deltas = Deltas::new();
    let figures = Figures {
        state: linkage::vocabulary::CaseState::Accepted,
        matter_type: "will".parse().unwrap(),
        foreign_relation: linkage::vocabulary::ForeignRelation::Domestic,
        notary_licence_no: None,
        applied_on: None,
        accepted_on: Some(date!(2024 - 02 - 05)),
        issued_on: None,
        closed_on: None,
        fee_charged_fen: 0,
        fee_reduced_fen: 0,
        legal_aid: false,
        home_visit: false,
        excused_working_days: 0,
    };
    contribution::add(&mut deltas, office.office_id, &figures, &calendar);
    let builtin = contribution::basis(&Calendar::builtin());
    for (basis, stored) in [(builtin, false), (contribution::basis(&calendar), true)] {
        let mut transaction = hub.pool.begin().await.unwrap();
        let applied = rollup::apply(&mut transaction, &deltas, &basis).await;
        assert_eq!(applied.is_ok(), stored);
    }
}
