//! The bureau's figures are what the city's cases come to.

use crate::hub::Hub;

#[tokio::test]
async fn the_figures_are_what_the_citys_cases_come_to_and_one_that_is_not_is_seen() {
    let hub = Hub::with_a_city(6_000).await;
    let figures = hub.figures().await;
    assert_eq!(figures.differences, Vec::<String>::new());
    // Three offices, three years, and most months have most measures.
    assert!(figures.compared > 700, "{}", figures.compared);
    hub.after(
        "INSERT INTO rollup_delta SELECT * FROM rollup_delta WHERE ctid = \
         (SELECT ctid FROM rollup_delta WHERE cut = 'matter' AND issued = 1 LIMIT 1)",
    )
    .await;
    let differences = hub.figures().await.differences;
    assert!(
        differences
            .iter()
            .any(|what| what.starts_with("issued of ")),
        "{differences:?}"
    );
}
