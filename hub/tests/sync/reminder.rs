//! Reminders reach the office's agent as notices, each once.

use notary_hub::statistics::calendar::Calendar;
use notary_hub::supervision::edition::Current;
use notary_hub::supervision::rule::Rules;
use notary_hub::supervision::worker::Supervision;
use notary_proto::hub::v1::sync_response::Message;
use notary_proto::hub::v1::{CaseState, NoticeKind};
use time::macros::date;

use crate::agent::{Agent, count};
use crate::record::{case, day};
use crate::support::hub::Hub;

#[tokio::test]
async fn an_office_is_asked_once_for_what_it_has_to_file_within_days() {
    let hub = Hub::start().await;
    let agent = Agent::enrol(&hub, "hzgl").await;
    let (mut stream, _) = agent.open(&hub).await;
    let mut refused = case("C1").state(CaseState::Refused);
    refused.0.accepted_day = None;
    // Far from now: the hub itself, which looks at it today, has nothing to say.
    refused.0.closed_day = Some(day("2099-03-02"));
    refused.0.reason_code = "falsehood".to_owned();
    stream.send(1, vec![refused]).await;
    stream.acked(1).await;
    let pool = &hub.db.pool;
    while count(pool, "SELECT count(*) FROM supervision_work").await > 0 {
        tokio::task::yield_now().await;
    }
    let supervision = Supervision::new(
        pool.clone(),
        Current::new(Rules::builtin()),
        Calendar::builtin(),
    );
    // Five working days behind Monday 2099-03-02 is Monday 03-09; three of them are left on Wednesday 03-04.
    for (today, told) in [
        (date!(2099 - 03 - 03), 0),
        (date!(2099 - 03 - 04), 1),
        (date!(2099 - 03 - 05), 1),
    ] {
        let asked =
            "SELECT count(*) FROM notice WHERE source_case_id = 'C1' AND kind = 'report_wanted'";
        // The hub, whose day is another, may take the work first; it comes up again then.
        for _ in 0..100 {
            supervision.look(today).await.unwrap();
            if count(pool, asked).await == told {
                break;
            }
        }
        assert_eq!(count(pool, asked).await, told, "{today}");
    }
    let notice = loop {
        match stream.hear().await.unwrap() {
            Message::Notice(notice) if notice.source_case_id == "C1" => break notice,
            Message::Notice(_) | Message::Ack(_) => {}
            other => panic!("no notice: {other:?}"),
        }
    };
    assert_eq!(notice.kind(), NoticeKind::ReportWanted);
    assert!(notice.text_zh.contains("拒绝受理报备") && notice.text_zh.contains("2099-03-09"));
    hub.app.stop().await.unwrap();
}
