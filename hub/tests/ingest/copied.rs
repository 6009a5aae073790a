//! What stands in the tables afterwards is what was sent: field for field, and however the stream was cut.

use std::time::Duration;

use notary_hub::ingest::decode::Decoded;
use notary_proto::hub::v1::{
    CaseRecord, CaseState, ExcusedInterval, ForeignRelation, IdentifierKind, IdentifierToken,
    Party, PartyKind, PartyRole, Record, Sex, Subject, SubjectKind,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::city::Hub;
use crate::figures::any_case;
use crate::record::{Case, case, day};

/// Cases of one run: enough for every field to be there and to be missing.
const CASES: usize = 60;

prop_compose! {
    fn any_party()(
        (role, name) in (select(vec![PartyRole::Testator, PartyRole::Related]), "[王李张]{2,3}"),
        (sex, birth_day) in (select(vec![Sex::Unspecified, Sex::Male, Sex::Female]), weighted(0.5, -20_000..19_000_i32)),
        identifier in weighted(0.8, (any::<bool>(), any::<[u8; 16]>(), select(vec!["", "002X"]), weighted(0.5, any::<[[u8; 16]; 3]>()))),
        phone in weighted(0.5, any::<[u8; 16]>()),
        district in select(vec!["", "330106"]),
    ) -> Party {
        Party {
            role: role.into(),
            kind: PartyKind::Natural.into(),
            name,
            sex: sex.into(),
            birth_day,
            identifier: identifier.map(|(verified, token, tail, segments)| IdentifierToken {
                kind: IdentifierKind::ResidentId.into(),
                token: token.to_vec(),
                verified,
                masked_tail: tail.to_owned(),
                segment_tokens: segments.into_iter().flatten().map(Vec::from).collect(),
            }),
            phone_token: phone.map(Vec::from).unwrap_or_default(),
            address_district: district.to_owned(),
        }
    }
}

prop_compose! {
    fn any_subject()(token in any::<[u8; 16]>(), (tail, district) in (select(vec!["", "F00010"]), select(vec!["", "330106"]))) -> Subject {
        Subject {
            kind: SubjectKind::RealEstateUnit.into(),
            token: token.to_vec(),
            masked_tail: tail.to_owned(),
            district_code: district.to_owned(),
        }
    }
}

prop_compose! {
    /// Every field that a case has, there or missing.
    fn any_full_case()(
        mut case in any_case(),
        parties in vec(any_party(), 1..4),
        subjects in vec(any_subject(), 0..3),
        texts in prop::array::uniform6(select(vec!["", "a", "台湾", "\\N"])),
        (amount, certificates) in (0..i64::from(i32::MAX) * 9, 0..4_u32),
        (major, discussed) in (any::<bool>(), any::<bool>()),
        approved in weighted(0.5, 8_000..20_000_i32),
        modified in weighted(0.5, (-1_000_000_000..4_000_000_000_i64, 0..1_000_000)),
    ) -> Case {
        let record = &mut case.0;
        (record.parties, record.subjects) = (parties, subjects);
        let [place, notary, reason, reduction, approver, licence] = texts.map(str::to_owned);
        (record.place_of_use, record.notary_name, record.reason_code) = (place, notary, reason);
        (record.fee_reduction_reason, record.approver_licence_no, record.notary_licence_no) = (reduction, approver, licence);
        (record.amount_fen, record.certificates) = (amount, certificates);
        (record.major, record.discussed, record.approved_day) = (major, discussed, approved);
        record.modified_at = modified.map(|(seconds, micros)| prost_types::Timestamp { seconds, nanos: micros * 1000 });
        case
    }
}

fn sample(strategy: impl Strategy<Value = Case>, cases: usize) -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    vec(strategy, cases)
        .new_tree(&mut runner)
        .unwrap()
        .current()
}

fn text(text: &str) -> Value {
    Some(text).filter(|text| !text.is_empty()).into()
}

fn date(days: Option<i32>) -> Value {
    let day = |days| (time::macros::date!(1970 - 01 - 01) + time::Duration::days(days)).to_string();
    days.map(|days| day(i64::from(days))).into()
}

fn bytes<'a>(bytes: impl IntoIterator<Item = &'a Vec<u8>>) -> Value {
    let bytes = bytes.into_iter().flatten().copied().collect::<Vec<u8>>();
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    Some(format!("\\x{hex}")).filter(|hex| hex != "\\x").into()
}

/// The row of a case as PostgreSQL tells it, by what was sent alone.
fn case_row(case: &CaseRecord) -> Value {
    let modified = case.modified_at.as_ref();
    json!({
        "source_case_id": case.source_case_id,
        "revision": case.revision,
        "state": CaseState::try_from(case.state).unwrap().as_str_name().trim_start_matches("CASE_STATE_").to_lowercase(),
        "case_no": text(&case.case_no),
        "matter_type": case.matter_type,
        "foreign_relation": match ForeignRelation::try_from(case.foreign_relation).unwrap() {
            ForeignRelation::Taiwan => "taiwan",
            _ => "domestic",
        },
        "place_of_use": text(&case.place_of_use),
        "notary_licence_no": text(&case.notary_licence_no),
        "notary_name": text(&case.notary_name),
        "applied_on": date(case.applied_day),
        "accepted_on": date(case.accepted_day),
        "issued_on": date(case.issued_day),
        "closed_on": date(case.closed_day),
        "reason_code": text(&case.reason_code),
        "fee_charged_fen": case.fee_charged_fen,
        "fee_reduced_fen": case.fee_reduced_fen,
        "fee_reduction_reason": text(&case.fee_reduction_reason),
        "amount_fen": case.amount_fen,
        "legal_aid": case.legal_aid,
        "home_visit": case.home_visit,
        "major": case.major,
        "discussed": case.discussed,
        "approved_on": date(case.approved_day),
        "approver_licence_no": text(&case.approver_licence_no),
        "certificates": Some(case.certificates).filter(|count| *count > 0),
        "modified_at": modified.map(|at| at.seconds * 1_000_000 + i64::from(at.nanos / 1000)),
    })
}

fn party_row(ordinal: usize, party: &Party) -> Value {
    let identifier = party.identifier.as_ref();
    let (verified, unverified) = match identifier {
        Some(identifier) if identifier.verified => (Some(identifier), None),
        other => (None, other),
    };
    json!({
        "ordinal": ordinal,
        "role": match PartyRole::try_from(party.role).unwrap() {
            PartyRole::Testator => "testator",
            _ => "related",
        },
        "kind": "natural",
        "name": party.name,
        "sex": match Sex::try_from(party.sex).unwrap() {
            Sex::Male => Some("male"),
            Sex::Female => Some("female"),
            Sex::Unspecified => None,
        },
        "birth_date": date(party.birth_day),
        "id_kind": identifier.map(|_| "resident_id"),
        "id_token": bytes(verified.map(|id| &id.token)),
        "id_unverified": bytes(unverified.map(|id| &id.token)),
        "id_segments": bytes(unverified.into_iter().flat_map(|id| &id.segment_tokens)),
        "id_tail": text(identifier.map_or("", |id| &id.masked_tail)),
        "id_key": identifier.map(|_| 1),
        "phone_token": bytes([&party.phone_token]),
        "address_district": text(&party.address_district),
    })
}

fn subject_row(ordinal: usize, subject: &Subject) -> Value {
    json!({
        "ordinal": ordinal,
        "kind": "real_estate_unit",
        "token": bytes([&subject.token]),
        "tail": text(&subject.masked_tail),
        "district_code": text(&subject.district_code),
    })
}

/// What the hub makes of it before it is stored: the hash, and the keys of the matter.
fn derived(hub: &Hub, case: &Case) -> (Value, Value) {
    let Decoded::Case(decoded) = hub.ingest.decode(Record::from(case.clone())) else {
        panic!("no case: {case:?}");
    };
    let keys = decoded.matter_keys.iter();
    let keys = keys.map(|key| bytes([&key.as_bytes().to_vec()])).collect();
    (bytes([&decoded.content_hash.to_vec()]), keys)
}

/// Everything an office has at the hub, without the office itself and the times at which it came.
const HELD: &str = "SELECT jsonb_agg(jsonb_build_object(
        'case', to_jsonb(c) - ARRAY['office_id', 'recorded_at', 'first_recorded_at', 'excused_working_days']
             || jsonb_build_object('modified_at', (extract(epoch FROM c.modified_at) * 1000000)::bigint),
        'parties', (SELECT coalesce(jsonb_agg(to_jsonb(p) - ARRAY['office_id', 'source_case_id'] ORDER BY p.ordinal), '[]')
                      FROM party p WHERE (p.office_id, p.source_case_id) = (c.office_id, c.source_case_id)),
        'subjects', (SELECT coalesce(jsonb_agg(to_jsonb(s) - ARRAY['office_id', 'source_case_id'] ORDER BY s.ordinal), '[]')
                       FROM subject s WHERE (s.office_id, s.source_case_id) = (c.office_id, c.source_case_id)),
        'matter_keys', (SELECT coalesce(jsonb_agg(k.key ORDER BY k.key), '[]')
                          FROM matter_key k WHERE (k.office_id, k.source_case_id) = (c.office_id, c.source_case_id)))
        ORDER BY c.source_case_id)
   FROM case_record c WHERE c.office_id = $1";
/// The same of what was replaced.
const HISTORY: &str = "SELECT jsonb_agg(jsonb_build_array(source_case_id, revision, content->'state', content->'fee_charged_fen',
                                                 content->'amount_fen', jsonb_path_query_array(content, '$.parties[*].name'))
                                        ORDER BY source_case_id, revision)
   FROM case_history WHERE office_id = $1";

async fn of_office(hub: &Hub, sql: &'static str, office: &str) -> Option<Value> {
    let asked = sqlx::query_scalar(sql).bind(office);
    asked.fetch_one(&hub.pool).await.unwrap()
}

#[tokio::test]
async fn a_case_stands_with_every_field_as_it_was_sent_new_or_in_the_place_of_another() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let mut cases = sample(any_full_case(), CASES);
    for (number, case) in cases.iter_mut().enumerate() {
        case.0.source_case_id = format!("C{number:02}");
        case.0.case_no = match number % 3 {
            0 => String::new(),
            _ => format!("（2024）浙杭证民字第{number}号"),
        };
        (case.0.revision, case.0.excused) = (2, Vec::new());
    }
    // Half of them are there already, as something else.
    let before = cases
        .iter()
        .step_by(2)
        .map(|known| case(&known.0.source_case_id));
    assert!(office.taken(&hub, before.collect()).await.is_empty());
    assert!(office.taken(&hub, cases.clone()).await.is_empty());

    let rows = cases.iter().map(|case| {
        let parties = case.0.parties.iter().enumerate();
        let subjects = case.0.subjects.iter().enumerate();
        let (content_hash, matter_keys) = derived(&hub, case);
        let mut row = case_row(&case.0);
        row["content_hash"] = content_hash;
        json!({
            "case": row,
            "parties": parties.map(|(ordinal, party)| party_row(ordinal, party)).collect::<Value>(),
            "subjects": subjects.map(|(ordinal, subject)| subject_row(ordinal, subject)).collect::<Value>(),
            "matter_keys": matter_keys,
        })
    });
    let held = of_office(&hub, HELD, "hangzhou").await.unwrap();
    let held = held.as_array().unwrap();
    assert_eq!(held.len(), CASES);
    for (expected, held) in rows.zip(held) {
        assert_eq!(&expected, held);
    }
    let times = "SELECT count(*) FROM case_record c
                  WHERE recorded_at > now() OR (first_recorded_at < recorded_at)
                        <> EXISTS (SELECT FROM case_history h WHERE h.source_case_id = c.source_case_id)";
    assert_eq!(
        hub.count(times).await,
        0,
        "first seen when it was first there"
    );
    hub.figures_are_right().await;
}

#[tokio::test]
async fn however_a_stream_is_cut_into_batches_the_same_rows_stand_in_the_end() {
    let hub = Hub::start().await;
    // Few cases in many revisions, some of them twice, older or in conflict.
    let sent = sample(any_full_case(), CASES * 2);
    let mut held = Vec::new();
    for (name, most) in [("whole", sent.len()), ("single", 1), ("in-sevens", 7)] {
        let mut office = hub.office(name).await;
        let mut refused = 0;
        for batch in sent.chunks(most) {
            refused += office.taken(&hub, batch.to_vec()).await.len();
        }
        let rows = of_office(&hub, HELD, name).await;
        let history = of_office(&hub, HISTORY, name).await;
        held.push((refused, rows, history));
    }
    let [whole, single, sevens] = held.as_slice() else {
        unreachable!("three offices");
    };
    assert!(
        whole.0 > 0 && whole.2.is_some(),
        "the stream says something"
    );
    assert_eq!(single, whole);
    assert_eq!(sevens, whole);
    hub.figures_are_right().await;
}

/// Rows and figures are sent in pieces; these make several of each.
#[tokio::test]
async fn what_takes_more_than_one_piece_is_written_whole() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    let cases = (0..600).map(|number: i32| {
        let mut large = case(&format!("C{number}"));
        let record = &mut large.0;
        record.parties[0].name = "王".repeat(200);
        record.parties = vec![record.parties[0].clone(); 3];
        // Each counts in cells of its own, on days of three months.
        record.notary_licence_no = format!("N{number}");
        let days = [0, 40, 80].map(|after| Some(8_000 + number + after));
        [record.applied_day, record.accepted_day, record.issued_day] = days;
        large.0.state = CaseState::Issued.into();
        large
    });
    assert!(office.taken(&hub, cases.collect()).await.is_empty());
    let rows = "SELECT count(*) FROM case_record";
    assert_eq!(hub.count(rows).await, 600);
    let names = "SELECT count(*) FROM party WHERE char_length(name) = 200";
    assert_eq!(hub.count(names).await, 1800);
    hub.figures_are_right().await;
}

#[tokio::test]
async fn days_are_excused_between_acceptance_and_issuance_alone() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    // Accepted on Tuesday 2024-06-04 and issued on Friday 06-14; Monday 06-10 is off.
    let excused = |first: &str, last: &str| ExcusedInterval {
        first_day: day(first),
        last_day: day(last),
        ..ExcusedInterval::default()
    };
    let mut long = case("C1").accepted("2024-06-04").issued("2024-06-14");
    long.0.excused = vec![
        excused("2024-05-06", "2024-06-05"),
        excused("2024-06-13", "2024-07-31"),
    ];
    office.taken(&hub, vec![long]).await;
    let days = "SELECT excused_working_days::bigint FROM case_record";
    assert_eq!(hub.count(days).await, 3, "5, 13 and 14 June");
}

/// Another writer that does not hold the office's feed: nothing in the hub does that, and nothing is lost if it does.
#[tokio::test]
async fn a_case_that_somebody_else_stores_meanwhile_is_found_there_and_nothing_is_lost() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![case("C0")]).await;
    let mut other = hub.pool.begin().await.unwrap();
    sqlx::query(
        r#"INSERT INTO case_record
           SELECT (jsonb_populate_record(c, '{"source_case_id": "C3"}')).* FROM case_record c"#,
    )
    .execute(&mut *other)
    .await
    .unwrap();

    let batch = (1..=5).map(|number| case(&format!("C{number}")).revision(2).fee(9));
    let (refused, ()) = tokio::join!(office.taken(&hub, batch.collect()), async {
        // Its key is taken by a transaction of which nobody knows yet whether it commits.
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                        AND application_name = 'notary-hub writer' AND query LIKE 'COPY case_record%'
                        AND datname = current_database()";
        while hub.count(waits).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.commit().await.unwrap();
    });
    assert!(refused.is_empty(), "{refused:?}");
    let held = "SELECT string_agg(source_case_id || ' ' || revision || ' ' || fee_charged_fen, ', ' ORDER BY source_case_id)
                  FROM case_record";
    assert_eq!(
        hub.text(held).await.unwrap(),
        "C0 1 12000, C1 2 9, C2 2 9, C3 2 9, C4 2 9, C5 2 9"
    );
    assert_eq!(hub.count("SELECT count(*) FROM party").await, 6);
    let replaced = "SELECT string_agg(source_case_id || ' ' || revision, ', ') FROM case_history";
    assert_eq!(
        hub.text(replaced).await.unwrap(),
        "C3 1",
        "what stood there"
    );
}
