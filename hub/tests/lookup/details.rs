//! Asking the office that holds a case.

use notary_hub::store;
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::details_service_client::DetailsServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;
use wire::{
    AnswerDetailsRequest, DetailsOutcome, DetailsRequest, DetailsSide, DetailsState,
    ListDetailsRequestsRequest, PartyRole, RequestDetailsRequest,
};

use crate::notary::{Counter, about, who};
use crate::record::{case, person};
use crate::support::hub::reason;
use crate::support::seed::{notary, session_of};

/// A notary with the certificate of an office.
pub struct Desk {
    client: DetailsServiceClient<Channel>,
    session: String,
}

impl Desk {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.session).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    pub async fn ask(&mut self, request: RequestDetailsRequest) -> Result<i32, Status> {
        let request = self.request(request);
        let answer = self.client.request_details(request).await?;
        Ok(answer.into_inner().due_day)
    }

    async fn list(&mut self, side: DetailsSide) -> Vec<DetailsRequest> {
        let request = self.request(ListDetailsRequestsRequest {
            side: side.into(),
            cursor: String::new(),
            limit: 0,
        });
        let answer = self.client.list_details_requests(request).await.unwrap();
        answer.into_inner().requests
    }

    async fn answer(&mut self, request_id: &str) -> Result<(), Status> {
        let request = self.request(AnswerDetailsRequest {
            request_id: request_id.to_owned(),
            outcome: DetailsOutcome::Verified.into(),
            answer: "属实，见卷宗。".to_owned(),
        });
        self.client.answer_details(request).await.map(drop)
    }
}

pub struct City {
    pub counter: Counter,
    pub asking: Desk,
    pub holding: Desk,
    /// Receipt of the asking notary's look-up.
    pub audit_entry: u64,
}

/// An estate at 萧山, and a notary of 杭州 who has just heard of it.
pub async fn city() -> City {
    let mut counter = Counter::open().await;
    let account_id = Uuid::now_v7();
    counter.session = Some(session_of(&counter.hub, account_id, notary("hangzhou")));
    let there = case("A")
        .matter("inheritance")
        .accepted("2024-03-05")
        .parties(vec![person(PartyRole::Decedent, 1)]);
    counter
        .seed
        .office(&counter.hub, "xiaoshan", vec![there])
        .await;
    let question = about("inheritance", vec![who(PartyRole::Decedent, 1)], vec![]);
    let answer = counter.answer(question).await;
    assert_eq!(answer.hits.len(), 1);
    let office = counter.hub.enrol_again("xiaoshan").await;
    City {
        asking: Desk {
            client: DetailsServiceClient::new(counter.channel.clone()),
            session: counter.session.clone().unwrap(),
        },
        holding: Desk {
            client: DetailsServiceClient::new(counter.hub.agents(&office)),
            session: session_of(&counter.hub, Uuid::now_v7(), notary("xiaoshan")),
        },
        audit_entry: answer.receipt.unwrap().audit_entry,
        counter,
    }
}

pub fn question(audit_entry: u64) -> RequestDetailsRequest {
    RequestDetailsRequest {
        request_id: Uuid::new_v4().to_string(),
        audit_entry,
        hit: 0,
        question: "请核实继承人是否齐全。".to_owned(),
    }
}

async fn notices(city: &City, kind: &str) -> Vec<(String, String)> {
    sqlx::query_as("SELECT office_id, text_zh FROM notice WHERE kind = $1")
        .bind(kind)
        .fetch_all(&city.counter.hub.db.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_request_reaches_the_holding_office_and_its_answer_the_asking_one() {
    let mut city = city().await;
    let asked = question(city.audit_entry);
    let due = city.asking.ask(asked.clone()).await.unwrap();
    // Sent again, it is the same request.
    assert_eq!(city.asking.ask(asked.clone()).await.unwrap(), due);
    let told = notices(&city, "details_asked").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "xiaoshan");

    let received = city.holding.list(DetailsSide::AskedOfUs).await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].source_case_id, "A");
    assert_eq!(received[0].state(), DetailsState::Open);
    assert_eq!(received[0].due_day, due);
    city.holding.answer(&asked.request_id).await.unwrap();
    let again = city.holding.answer(&asked.request_id).await.unwrap_err();
    assert_eq!(reason(&again), "DETAILS_ANSWERED");

    assert_eq!(notices(&city, "details_answered").await[0].0, "hangzhou");
    let answered = city.asking.list(DetailsSide::AskedByUs).await;
    assert_eq!(answered[0].state(), DetailsState::Verified);
    assert_eq!(answered[0].answer, "属实，见卷宗。");
    // How the other office names its case is its own affair.
    assert_eq!(answered[0].source_case_id, "");
    assert!(city.asking.list(DetailsSide::AskedOfUs).await.is_empty());

    let log = city.counter.log().await;
    let actions = log
        .iter()
        .filter(|entry| entry.action.starts_with("details."));
    assert_eq!(actions.count(), 7);
}

#[tokio::test]
async fn nobody_asks_for_what_no_look_up_of_theirs_has_told() {
    let mut city = city().await;
    let mut other_hit = question(city.audit_entry);
    other_hit.hit = 1;
    let own = city.asking.session.clone();
    for (request, session) in [
        (other_hit, own.clone()),
        (question(city.audit_entry + 1), own),
        // A colleague's look-up.
        (
            question(city.audit_entry),
            session_of(&city.counter.hub, Uuid::now_v7(), notary("hangzhou")),
        ),
    ] {
        city.asking.session = session;
        let refused = city.asking.ask(request).await.unwrap_err();
        assert_eq!(reason(&refused), "DETAILS_NOT_TOLD");
    }
    let log = city.counter.log().await;
    let denied = log.iter().filter(|entry| {
        (entry.action.as_str(), entry.outcome.as_str()) == ("details.request", "denied")
    });
    assert_eq!(denied.count(), 3);
    assert!(notices(&city, "details_asked").await.is_empty());
}

#[tokio::test]
async fn nobody_answers_for_another_office() {
    let mut city = city().await;
    let asked = question(city.audit_entry);
    city.asking.ask(asked.clone()).await.unwrap();
    let refused = city.asking.answer(&asked.request_id).await.unwrap_err();
    assert_eq!(reason(&refused), "DETAILS_UNKNOWN");
    // The holding office's certificate with a notary of another office.
    city.holding.session = city.asking.session.clone();
    let refused = city.holding.answer(&asked.request_id).await.unwrap_err();
    assert_eq!(reason(&refused), "OFFICE_MISMATCH");
}

/// Of an adoption no more than a hit is told: who asks for its verification does not hear from whom.
#[tokio::test]
async fn a_request_about_a_case_of_which_a_hit_is_told_does_not_tell_whom_it_asks() {
    let mut city = city().await;
    let adopted = case("X")
        .matter("adoption")
        .number(7)
        .parties(vec![person(PartyRole::Adoptee, 5)]);
    city.counter
        .seed
        .office(&city.counter.hub, "xiaoshan", vec![adopted])
        .await;
    let looked_up = about("adoption", vec![who(PartyRole::Adoptee, 5)], vec![]);
    let answer = city.counter.answer(looked_up).await;
    assert_eq!(answer.hits[0].office_id, "");
    let asked = question(answer.receipt.unwrap().audit_entry);
    city.asking.ask(asked.clone()).await.unwrap();

    let received = &city.holding.list(DetailsSide::AskedOfUs).await[0];
    assert_eq!(
        (
            received.source_case_id.as_str(),
            received.matter_type.as_str()
        ),
        ("X", "adoption")
    );
    city.holding.answer(&asked.request_id).await.unwrap();
    let own = &city.asking.list(DetailsSide::AskedByUs).await[0];
    assert_eq!(own.state(), DetailsState::Verified);
    let told = [
        &own.holding_office,
        &own.holding_office_name,
        &own.case_no,
        &own.matter_type,
        &own.source_case_id,
    ];
    assert!(told.iter().all(|text| text.is_empty()), "{told:?}");
    let notices = notices(&city, "details_answered").await;
    assert_eq!(notices[0].1, "本处的核实请求（2024-接-1）已有答复。");
}

#[tokio::test]
async fn whoever_is_denied_and_whatever_is_not_done_after_all_is_recorded() {
    let mut city = city().await;
    let nobody = ListDetailsRequestsRequest::default();
    let refused = city.holding.client.list_details_requests(nobody).await;
    assert_eq!(reason(&refused.unwrap_err()), "UNAUTHENTICATED");
    let asked = question(city.audit_entry);
    city.asking.ask(asked.clone()).await.unwrap();
    let other = RequestDetailsRequest {
        question: "另一个问题。".to_owned(),
        ..asked
    };
    let refused = city.asking.ask(other).await.unwrap_err();
    assert_eq!(reason(&refused), "FIELD_INVALID");

    let log = store::audit::after(&city.counter.hub.db.pool, 0, 1_000).await;
    let denied: Vec<_> = log
        .unwrap()
        .into_iter()
        .filter(|entry| entry.outcome == "denied")
        .map(|entry| (entry.action, entry.detail["denied"].clone()))
        .collect();
    assert_eq!(
        denied,
        [
            ("details.list".to_owned(), "no_session".into()),
            ("details.request".to_owned(), "id_taken".into()),
        ]
    );
}

/// Both find the request open, and record that they answer it; a lock holds them there.
#[tokio::test]
async fn of_two_answers_at_the_same_moment_the_log_says_which_was_one() {
    let mut city = city().await;
    let asked = question(city.audit_entry);
    city.asking.ask(asked.clone()).await.unwrap();
    let pool = &city.counter.hub.db.pool;
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM details_request FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut colleague = Desk {
        client: city.holding.client.clone(),
        session: city.holding.session.clone(),
    };
    let release = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                        WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE details_request%'
                          AND datname = current_database()";
        loop {
            let count: i64 = sqlx::query_scalar(waiting).fetch_one(pool).await.unwrap();
            if count == 2 {
                return held.commit().await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    let (one, other, ()) = tokio::join!(
        city.holding.answer(&asked.request_id),
        colleague.answer(&asked.request_id),
        release,
    );
    let refused = one.err().xor(other.err()).unwrap();
    assert_eq!(reason(&refused), "DETAILS_ANSWERED");
    let log = city.counter.log().await;
    let answers: Vec<&str> = log
        .iter()
        .filter(|entry| entry.action == "details.answer")
        .map(|entry| entry.outcome.as_str())
        .collect();
    assert_eq!(answers, ["done", "done", "denied"]);
    let last = log.last().unwrap();
    assert_eq!(last.detail["denied"], "answered");
}
