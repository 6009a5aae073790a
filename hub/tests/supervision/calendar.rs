//! Limits are counted by the working days that the hub knows.

use std::sync::Arc;

use notary_hub::statistics::calendar::Calendar;
use time::{Date, Month};

use crate::city::Hub;
use crate::{TODAY, late, supervision};

/// Offices were closed nearly all the time that the case took.
fn closed_for_weeks() -> Calendar {
    let days = (5..=31)
        .map(|day| (3, day))
        .chain((1..=26).map(|day| (4, day)));
    let weekdays = days.filter_map(|(month, day)| {
        let date = Date::from_calendar_date(2024, Month::try_from(month).unwrap(), day).unwrap();
        let is_weekday = date.weekday().number_days_from_monday() < 5;
        is_weekday.then(|| format!("2024-{month:02}-{day:02}"))
    });
    let off = weekdays.collect::<Vec<_>>().join(", ");
    let text = format!(
        "first_year = 2024\nlast_year = 2024\nweekdays_off = [{off}]\nweekends_worked = []\n"
    );
    Calendar::parse(&text).unwrap()
}

#[tokio::test]
async fn with_another_calendar_every_case_is_judged_again_once() {
    let hub = Hub::start().await;
    let mut office = hub.office("hangzhou").await;
    office.taken(&hub, vec![late("C1").number(1)]).await;
    let mut supervision = supervision(&hub);
    supervision.follow_calendar().await.unwrap();
    supervision.drain(TODAY).await.unwrap();
    let open = "SELECT count(*) FROM supervision_finding WHERE rule_id = 'TIME_LIMIT' AND cleared_at IS NULL";
    assert_eq!(hub.count(open).await, 1);

    // The same calendar again is no news.
    supervision.follow_calendar().await.unwrap();
    let waiting = "SELECT count(*) FROM supervision_work WHERE source_case_ids <> '{}'";
    assert_eq!(hub.count(waiting).await, 0);

    supervision.calendar = Arc::new(closed_for_weeks());
    supervision.follow_calendar().await.unwrap();
    assert_eq!(hub.count(waiting).await, 1);
    supervision.drain(TODAY).await.unwrap();
    assert_eq!(hub.count(open).await, 0);
    hub.stop().await;
}
