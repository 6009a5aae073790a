//! Input made to cost much: work stays bounded, what is left out is counted, and everybody can see it.

use std::io::Write;

use notary_hub::background::Cause;
use notary_hub::linking::relink::Relinked;
use notary_hub::linking::state::state;
use notary_hub::store::job::set_aside;
use sqlx::PgPool;

use crate::city::Hub;
use crate::record::{Case, case};
use crate::town::{born, contents, drain, relinked, send};

/// Cases of one office with one party each, straight into the tables: what is tested begins behind ingest. Of each
/// party, `columns` says what is compared, by its number `n`.
async fn crowd(pool: &PgPool, name: &'static str, count: i32, columns: &'static str) {
    let cases = format!(
        "INSERT INTO case_record (office_id, source_case_id, revision, state, matter_type, foreign_relation,
                                  fee_charged_fen, fee_reduced_fen, amount_fen, legal_aid, home_visit, major, discussed,
                                  excused_working_days, content_hash, recorded_at, first_recorded_at)
         SELECT '{name}', 'C' || n, 1, 'accepted', 'will', 'domestic', 0, 0, 0, false, false, false, false, 0, '\\x00',
                now(), now()
           FROM generate_series(1, {count}) AS n"
    );
    let parties = format!(
        "INSERT INTO party (office_id, source_case_id, ordinal, role, kind, name, birth_date, phone_token)
         SELECT '{name}', 'C' || n, 0, 'testator', 'natural', {columns} FROM generate_series(1, {count}) AS n"
    );
    let work = format!(
        "INSERT INTO link_work (work_id, office_id, source_case_ids)
         SELECT gen_random_uuid(), '{name}', array_agg('C' || n) FROM generate_series(1, {count}) AS n GROUP BY n / 500"
    );
    for sql in [cases, parties, work] {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(pool)
            .await
            .unwrap();
    }
}

/// 张伟 with one birth date and one phone, over and over; people without any but one phone in common; and as many
/// again of a name and a phone for every two, each next to the next, so that one component goes through them all.
async fn crowds(pool: &PgPool, alike: i32, of_one_phone: i32, chain: i32) {
    crowd(
        pool,
        "alike",
        alike,
        "'张伟', date '1980-01-01', '\\x01010101010101010101010101010101'::bytea",
    )
    .await;
    crowd(
        pool,
        "phone",
        of_one_phone,
        "'某' || n, date '1950-01-01' + (n * 7919) % 20000, '\\x02020202020202020202020202020202'::bytea",
    )
    .await;
    // Each shares its phone with the one before or its birth date with the one behind.
    crowd(
        pool,
        "chain",
        chain,
        "'诸葛国伟', date '1900-01-01' + n / 2, decode(md5('phone' || (n + 1) / 2), 'hex')",
    )
    .await;
}

fn assert_bounded(linked: &Relinked, nodes: u64) {
    assert_eq!(linked.nodes, nodes);
    assert!(linked.pairs < nodes * 10, "{linked:?}");
    assert!(linked.overfull_keys > 0, "{linked:?}");
    assert_eq!(linked.oversize_components, 1, "{linked:?}");
}

#[tokio::test]
async fn crowds_stay_bounded_and_are_counted_all_at_once_and_bit_by_bit() {
    let (at_once, bit_by_bit) = (Hub::start().await, Hub::start().await);
    for hub in [&at_once, &bit_by_bit] {
        crowds(&hub.pool, 150, 200, 2_200).await;
    }
    assert_bounded(&relinked(&at_once.pool).await, 150 + 200 + 2_200);
    drain(&bit_by_bit.pool, &bit_by_bit.linking()).await;
    assert!(contents(&at_once.pool).await == contents(&bit_by_bit.pool).await);
    let counts = state(&bit_by_bit.pool).await.unwrap().counts;
    assert!(
        counts.overfull_keys > 1 && counts.oversize_nodes == 2_200,
        "{counts:?}"
    );
    for hub in [at_once, bit_by_bit] {
        hub.stop().await;
    }
}

/// `make hostile`: the sizes of an attack.
#[tokio::test]
#[ignore = "minutes; make hostile"]
async fn crowds_of_an_attack_stay_bounded() {
    let hub = Hub::start().await;
    crowds(&hub.pool, 10_000, 50_000, 5_000).await;
    let begun = std::time::Instant::now();
    drain(&hub.pool, &hub.linking()).await;
    let worked = begun.elapsed();
    let stood = contents(&hub.pool).await;
    let linked = relinked(&hub.pool).await;
    assert_bounded(&linked, 65_000);
    assert_eq!(
        linked.changed_rows, 0,
        "workers and relinking come to the same"
    );
    assert!(contents(&hub.pool).await == stood);
    let took = format!(
        "workers {:.1} s, relinking {:.1} s",
        worked.as_secs_f64(),
        linked.seconds
    );
    writeln!(std::io::stderr(), "65,000 records: {took}; {linked:?}").unwrap();
    hub.stop().await;
}

/// More nodes than are compared at once, out of few cases: 40 have a phone and a birth date in common, whoever stands
/// beside them.
#[tokio::test]
async fn cases_of_many_parties_are_compared_bit_by_bit_and_come_to_the_same() {
    let hub = Hub::start().await;
    let columns = "'某' || n, date '1950-01-01' + n % 200, decode(md5('phone' || n % 200), 'hex')";
    crowd(&hub.pool, "many", 999, columns).await;
    let others = "INSERT INTO party (office_id, source_case_id, ordinal, role, kind, name, birth_date, phone_token)
         SELECT 'many', 'C' || n, o, 'testator', 'natural', '某' || n || o, date '1950-01-01' + (n + o * 7) % 200,
                decode(md5('phone' || (n + o * 7) % 200), 'hex')
           FROM generate_series(1, 999) AS n, generate_series(1, 7) AS o";
    sqlx::query(others).execute(&hub.pool).await.unwrap();
    drain(&hub.pool, &hub.linking()).await;
    let stood = contents(&hub.pool).await;
    let linked = relinked(&hub.pool).await;
    assert_eq!(linked.mentions, 999 * 8);
    assert!(linked.pairs > 100_000, "{linked:?}");
    assert_eq!(linked.changed_rows, 0, "{linked:?}");
    assert!(contents(&hub.pool).await == stood);
    hub.stop().await;
}

#[tokio::test]
async fn names_that_nobody_has_do_no_harm() {
    let names = [
        "张".repeat(200),
        "\u{0301}".repeat(100),
        "محمد بن سلمان".to_owned(),
        "\u{202e}伟张\u{202c}".to_owned(),
        "·".repeat(50),
        "○○○".to_owned(),
        "*".to_owned(),
        "a\u{200d}b".to_owned(),
        "𠮷野家".to_owned(),
    ];
    let twice: Vec<Case> = (0..names.len() * 2)
        .map(|at| {
            let party = born(&names[at % names.len()], "1980-01-01");
            case(&format!("C{at}")).parties(vec![party])
        })
        .collect();
    let cases: Vec<_> = twice.into_iter().map(|case| ("hangzhou", case)).collect();
    let hub = Hub::start().await;
    // Some are refused at the door; those that are not are linked.
    send(&hub, &cases).await;
    drain(&hub.pool, &hub.linking()).await;
    let stood = contents(&hub.pool).await;
    assert!(hub.count("SELECT count(*) FROM mention").await > 0);
    assert_eq!(relinked(&hub.pool).await.changed_rows, 0);
    assert!(contents(&hub.pool).await == stood);
    hub.stop().await;
}

/// What ingest let in once.
#[tokio::test]
async fn numbers_with_too_few_segments_hold_up_nobody_who_is_compared_with_them() {
    let hub = Hub::start().await;
    let columns = "'张伟', date '1950-01-01', NULL::bytea";
    crowd(&hub.pool, "some", 4, columns).await;
    sqlx::query(
        "UPDATE party SET id_kind = 'resident_id', id_key = 1, id_token = NULL, id_unverified = '\\x01010101010101010101010101010101',
                          id_segments = decode(repeat('02', CASE source_case_id WHEN 'C2' THEN 16 WHEN 'C3' THEN 32 ELSE 48 END), 'hex')
          WHERE source_case_id <> 'C1'",
    )
    .execute(&hub.pool)
    .await
    .unwrap();
    drain(&hub.pool, &hub.linking()).await;
    assert_eq!(hub.count("SELECT count(*) FROM mention").await, 4);
    let stood = contents(&hub.pool).await;
    assert_eq!(relinked(&hub.pool).await.changed_rows, 0);
    assert!(contents(&hub.pool).await == stood);
    hub.stop().await;
}

#[tokio::test]
async fn a_case_that_cannot_be_linked_holds_up_no_other_and_is_set_aside() {
    let hub = Hub::start().await;
    let columns = "'某' || n, date '1950-01-01' + n, NULL::bytea";
    crowd(&hub.pool, "some", 9, columns).await;
    let change = |sql: &'static str| sqlx::query(sql).execute(&hub.pool);
    change("UPDATE party SET kind = 'nobody knows' WHERE source_case_id = 'C4'")
        .await
        .unwrap();
    let linking = hub.linking();
    let mut failures = 0;
    while !notary_hub::store::linking::work::is_drained(&hub.pool)
        .await
        .unwrap()
    {
        failures += usize::from(linking.drain().await.is_err());
        assert!(failures < 100, "it never ends");
        change(
            "UPDATE link_work SET leased_until = now() - interval '1 s' WHERE leased_until > now()",
        )
        .await
        .unwrap();
    }
    let state = state(&hub.pool).await.unwrap();
    assert_eq!((state.set_aside, state.counts.mentions), (1, 8));
    let mut connection = hub.pool.acquire().await.unwrap();
    let listed = set_aside::list(&mut connection, None, 9).await.unwrap();
    assert_eq!(listed[0].source_case_id.as_deref(), Some("C4"));
    assert_eq!(listed[0].cause, Some(Cause::Unreadable));
    drop(connection);
    hub.stop().await;
}
