use super::*;

fn report(minutes: f64, kinds: &[Fault]) -> Report {
    Report::new(Run {
        seed: 1,
        minutes,
        kinds: kinds.to_vec(),
        agents: 6,
    })
}

fn outcome(seed: u64, thrown: &[(Fault, u64)]) -> Outcome {
    let mut outcome = Outcome::of(seed);
    for &(fault, cycles) in thrown {
        outcome.thrown(fault).cycles = cycles;
    }
    outcome
}

#[test]
fn a_round_counts_each_kill_and_ranks_what_was_measured() {
    let mut report = report(2.0, &[Fault::KillEverything, Fault::CutNetwork]);
    let mut outcome = outcome(1, &[(Fault::KillEverything, 2), (Fault::CutNetwork, 3)]);
    outcome.thrown(Fault::KillEverything).recovered_ms = vec![30, 10, 20];
    report.add(outcome);
    assert_eq!((report.faults, report.kills), (5, 14));
    let killed = &report.scenarios["all killed"];
    assert_eq!(
        (killed.recovered_p50_ms, killed.recovered_p99_ms),
        (Some(20), Some(30))
    );
    assert_eq!(report.scenarios["network cut"].recovered_p99_ms, None);
    assert!(report.is_well());
}

#[test]
fn whatever_is_lost_doubled_or_seen_to_go_back_fails_the_run_and_is_named() {
    let ill = [
        Outcome {
            lost: 1,
            ..Outcome::of(2)
        },
        Outcome {
            duplicated: 1,
            ..Outcome::of(3)
        },
        Outcome {
            anomalies: 1,
            ..Outcome::of(4)
        },
        Outcome {
            complaints: vec!["it did not settle".to_owned()],
            ..Outcome::of(5)
        },
    ];
    let mut report = report(2.0, &[]);
    assert_eq!(report.failed_because, ["no round was played"]);
    report.add(Outcome::of(1));
    assert!(report.is_well());
    for outcome in ill {
        report.add(outcome);
    }
    assert_eq!(report.failed_because.len(), 4);
    assert!(report.failed_because[0].starts_with("seed 2: 1 lost"));
}

#[test]
fn a_long_run_that_never_threw_what_it_could_fails_and_a_short_one_says_so() {
    let kinds = [Fault::CutNetwork, Fault::PauseHub];
    for (minutes, reasons) in [(2.0, 0), (10.0, 1)] {
        let mut report = report(minutes, &kinds);
        report.add(outcome(1, &[(Fault::CutNetwork, 3)]));
        let [never] = report.never_thrown.as_slice() else {
            panic!("{:?}", report.never_thrown);
        };
        assert_eq!((never.kind, never.why), ("hub paused", "too few rounds"));
        assert_eq!(report.failed_because.len(), reasons, "{minutes} minutes");
        report.add(outcome(2, &[(Fault::PauseHub, 1)]));
        assert!(report.is_well() && report.never_thrown.is_empty());
    }
}

#[test]
fn what_a_machine_lacks_fails_no_run_and_is_said() {
    let mut report = report(20.0, &[Fault::HubClockStep]);
    let mut odd = Outcome::of(1);
    odd.absent
        .insert(Fault::HubClockStep, Absence::InOtherCities);
    report.add(odd);
    assert!(!report.is_well(), "no city has had clocks yet");
    let mut even = Outcome::of(2);
    let lack = Absence::OnThisMachine(Lack::Libfaketime);
    even.absent.insert(Fault::HubClockStep, lack);
    report.add(even);
    assert!(report.is_well());
    assert!(report.text().contains("libfaketime is not installed"));
}
