//! The vectors in small doses, without a stopwatch: the hub lives, its memory stays bounded, it gets rid of whoever abuses
//! it, and its neighbours are answered.
#![allow(clippy::unwrap_used)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use attack::attacker::Counts;
use attack::report::MOST_MB;
use attack::vector::{self, Vector};
use attack::{Door, Extent, Site};
use notary_hub::embedded::testing::fresh_database;
use tempfile::TempDir;

/// Enough to cross every count of the hub's.
const DOSE: Extent = Extent::Bursts(12);

/// What the hub must not put up with.
const INTOLERABLE: &[&str] = &[
    "rapid_reset",
    "empty_window_update",
    "data_on_closed_stream",
    "overflowing_window",
    "continuation_flood",
    "empty_data",
    "hpack_bomb",
    "huge_headers",
];

async fn site() -> (Site, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    // The hub's PostgreSQL may run as another user, who must get there.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let database = fresh_database().await.url;
    let site = Site::open(folder.path(), Some(database)).await.unwrap();
    (site, folder)
}

/// Throws one dose and sees to the hub; how the attacker fared.
async fn throw(site: &mut Site, vector: &Vector, door: Door) -> Counts {
    let before = site.memory().unwrap().now;
    site.forget_peak().unwrap();
    let attacker = site.attacker(door, DOSE);
    let tally = attacker.tally.clone();
    vector.run(attacker).await.unwrap();
    let name = vector.name;
    assert_eq!(site.crash().unwrap(), None, "{name}");
    let peak = site.memory().unwrap().most;
    assert!(
        peak - before < MOST_MB,
        "{name}: {before} MB, then {peak} MB"
    );
    site.look_up().await.expect(name);
    tally.counts()
}

async fn all_at(door: Door) {
    let (mut site, _folder) = site().await;
    let here = vector::ALL
        .iter()
        .filter(|vector| vector.doors.contains(&door));
    for vector in here {
        let counts = throw(&mut site, vector, door).await;
        if INTOLERABLE.contains(&vector.name) {
            assert!(counts.closed > 0, "{}: {counts:?}", vector.name);
        }
    }
    site.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_door_stands_every_vector() {
    all_at(Door::Agents).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_peoples_door_stands_every_vector() {
    all_at(Door::People).await;
}

#[tokio::test]
async fn an_office_that_lets_its_look_ups_hang_delays_no_other() {
    let (site, _folder) = site().await;
    let hanging = vector::ALL
        .iter()
        .find(|vector| vector.name == "slow_lookups")
        .unwrap();
    let attack = tokio::spawn(hanging.run(site.attacker(Door::Agents, Extent::Bursts(40))));
    while !attack.is_finished() {
        site.look_up().await.unwrap();
    }
    attack.await.unwrap().unwrap();
    site.close().await.unwrap();
}

#[tokio::test]
async fn whoever_lets_sign_ins_hang_delays_nobody_at_another_address() {
    let (site, _folder) = site().await;
    let hanging = vector::ALL
        .iter()
        .find(|vector| vector.name == "slow_bodies")
        .unwrap();
    let attack = tokio::spawn(hanging.run(site.attacker(Door::People, Extent::Bursts(40))));
    let stranger = site.bureau().rest().unwrap();
    while !attack.is_finished() {
        stranger.get("/api/v1/openapi.json").await.unwrap();
    }
    attack.await.unwrap().unwrap();
    site.close().await.unwrap();
}
