//! Another version of the rules comes in force while cases arrive.

use std::sync::Arc;

use aws_lc_rs::signature::Ed25519KeyPair;
use linkage::matter::RuleSet;
use notary_hub::audit::{Audit, CheckpointKey};
use notary_hub::duplicates::activation;
use notary_hub::ingest::batch::Job;
use notary_hub::rules::{Edition, Rules};
use notary_proto::hub::v1::PartyRole;
use tokio_util::sync::CancellationToken;

use crate::city::{Hub, Office};
use crate::record::{Case, case, home, person};

const OPEN: &str =
    "SELECT string_agg(concat_ws(' ', rule_id, severity, rules_version), ', ' ORDER BY rule_id)
                      FROM duplicate_finding WHERE closed_at IS NULL";

/// The line of the text that says its version.
fn line(version: &str) -> String {
    format!("version = \"{version}\"")
}

/// The shipped text under another version, with one thing in it otherwise.
fn edition(version: &str, from: &str, to: &str) -> Edition {
    let Edition { text, rules } = Edition::shipped();
    let text = text.replacen(&line(rules.version()), &line(version), 1);
    assert!(text.contains(from));
    Edition::parse(text.replacen(from, to, 1)).unwrap()
}

/// What was in force before the catalogue had registrations.
fn without_registrations() -> Edition {
    let Edition {
        text: shipped,
        rules,
    } = Edition::shipped();
    let (before, rule) = shipped
        .split_once("[[rule]]\nid = \"REGISTRATION_SAME_SUBJECT\"")
        .unwrap();
    let (_, behind) = rule.split_once("\n\n").unwrap();
    let text = format!("{before}{behind}")
        .replacen(&line(rules.version()), &line("former"), 1)
        .replacen(", \"registration\"", "", 1);
    assert!(!text.contains("\"registration\""));
    Edition {
        rules: RuleSet::parse(&text).unwrap(),
        text,
    }
}

async fn activate(hub: &Hub, edition: &Edition) {
    let key = CheckpointKey::new("test".into(), Ed25519KeyPair::generate().unwrap());
    let (audit, log) = Audit::new(hub.pool.clone(), Arc::new(key));
    let stop = CancellationToken::new();
    let log = tokio::spawn(log.run(stop.clone()));
    let activated = activation::activate(&hub.pool, &audit, edition, |_| {}).await;
    stop.cancel();
    log.await.unwrap();
    activated.unwrap();
}

fn inheritance(source_case_id: &str, decedent: u8) -> Case {
    case(source_case_id)
        .matter("inheritance")
        .parties(vec![person(PartyRole::Decedent, decedent)])
}

/// The keys of a record are made when it is decoded; what it is stored with are those of the rules in force then.
#[tokio::test]
async fn a_case_that_was_decoded_before_the_switch_is_stored_and_judged_by_the_new_rules() {
    let hub = Hub::start().await;
    Edition::shipped().register(&hub.pool).await.unwrap();
    let (mut one, two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9)]).await;
    let decoded = hub.ingest.decode(inheritance("B", 9).into());
    let renamed = edition("next", "INHERITANCE_SAME_DECEDENT", "ONE_ESTATE");
    activate(&hub, &renamed).await;
    let Office {
        office_id, epoch, ..
    } = two;
    let job = Job {
        office_id,
        epoch,
        first_sequence: 1,
        records: vec![decoded],
        backlog: 0,
        token_key: None,
    };
    hub.ingest.submit(job).await.unwrap().await.unwrap();
    assert_eq!(hub.text(OPEN).await.unwrap(), "ONE_ESTATE duplicate next");
}

/// What people decided stands on the version that made the finding what it is.
#[tokio::test]
async fn a_finding_that_another_version_leaves_as_it_was_keeps_its_version() {
    let hub = Hub::start().await;
    Edition::shipped().register(&hub.pool).await.unwrap();
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9)]).await;
    two.taken(&hub, vec![inheritance("B", 9)]).await;
    let found = hub
        .text("SELECT finding_id::text FROM duplicate_finding")
        .await;
    let same = edition(
        "next",
        "另一公证处已有同一被继承人的继承公证",
        "另一公证处已有继承公证",
    );
    activate(&hub, &same).await;
    let shipped = Edition::shipped().rules;
    let unchanged = format!("INHERITANCE_SAME_DECEDENT duplicate {}", shipped.version());
    assert_eq!(hub.text(OPEN).await.unwrap(), unchanged);
    let graver = "id = \"INHERITANCE_SAME_DECEDENT\"\nseverity = \"duplicate\"";
    activate(
        &hub,
        &edition("graver", graver, &graver.replace("duplicate", "conflict")),
    )
    .await;
    let changed = "INHERITANCE_SAME_DECEDENT conflict graver";
    assert_eq!(hub.text(OPEN).await.unwrap(), changed);
    let again = hub
        .text("SELECT finding_id::text FROM duplicate_finding")
        .await;
    assert_eq!(found, again, "it is one finding all along");
    assert_eq!(
        hub.count("SELECT count(*) FROM notice").await,
        2,
        "nobody is told twice"
    );
}

#[tokio::test]
async fn a_version_is_one_text_for_ever() {
    let hub = Hub::start().await;
    Edition::shipped().register(&hub.pool).await.unwrap();
    let shipped = Edition::shipped().rules;
    let other = edition(shipped.version(), "INHERITANCE_SAME_DECEDENT", "ONE_ESTATE");
    let refused = other.register(&hub.pool).await.unwrap_err();
    assert!(refused.to_string().contains("new `version`"), "{refused}");
}

/// An upgrade that brings a matter finds rules in force that do not know it.
#[tokio::test]
async fn rules_that_leave_a_matter_out_stay_in_force_until_others_are_activated() {
    let hub = Hub::start().await;
    without_registrations().register(&hub.pool).await.unwrap();
    let rules = Rules::load(&hub.pool).await.unwrap().current();
    assert_eq!(rules.version(), "former");
    let left_out: Vec<_> = rules.left_out().map(|matter| matter.code()).collect();
    assert_eq!(left_out, ["registration"]);

    let registered = |source_case_id: &str| {
        let applicant = person(PartyRole::Applicant, 1);
        let case = case(source_case_id).matter("registration");
        case.parties(vec![applicant]).subjects(vec![home(4)])
    };
    let (mut one, mut two) = (hub.office("hangzhou").await, hub.office("xiaoshan").await);
    one.taken(&hub, vec![inheritance("A", 9), registered("C")])
        .await;
    two.taken(&hub, vec![inheritance("B", 9), registered("D")])
        .await;
    let known = "INHERITANCE_SAME_DECEDENT duplicate former";
    assert_eq!(hub.text(OPEN).await.unwrap(), known);

    activate(&hub, &Edition::shipped()).await;
    let shipped = Edition::shipped().rules;
    let both = format!(
        "{known}, REGISTRATION_SAME_SUBJECT duplicate {}",
        shipped.version()
    );
    assert_eq!(hub.text(OPEN).await.unwrap(), both);
}
