//! The eye that looks: a notary who asks for all cases of the witness at once, again and again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use notary_proto::hub::v1::{CheckApplicationRequest, LookupHit};
use sandbox::client;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::history::{CASES, case_of};
use super::place::Place;
use super::{ANSWER, LOGIN, MATTER, OFFICE, PASSWORD, Shared, lock, token, write_in};

/// A look at this distance, and no more than one at a time.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Reader {
    pub(super) place: Place,
    /// Where people sign in.
    pub(super) people: SocketAddr,
    pub(super) ca_file: PathBuf,
    pub(super) history: Shared,
    /// While they serve.
    pub(super) channel: Option<Channel>,
    pub(super) session: Option<String>,
}

impl Reader {
    /// Looks until it is to stop; then it is free for a last look.
    pub(super) async fn keep_looking(mut self, stop: CancellationToken) -> Self {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.look().await;
        }
        self
    }

    /// One look, which holds the answer against what was written and seen before. Whether there was an answer.
    pub(super) async fn look(&mut self) -> bool {
        let look = lock(&self.history).begin();
        let answer = timeout(ANSWER, self.ask()).await;
        let answer = answer.context("no answer in time").flatten();
        match answer {
            Ok(shown) => {
                lock(&self.history).end(look, &shown);
                true
            }
            Err(error) => {
                self.channel = None;
                if error.downcast_ref::<Status>().map(Status::code) == Some(Code::Unauthenticated) {
                    self.session = None;
                }
                lock(&self.history).unanswered(format!("{error:#}"));
                false
            }
        }
    }

    /// Of each case the write that is shown.
    async fn ask(&mut self) -> anyhow::Result<BTreeMap<u64, u64>> {
        if self.place.is_due() {
            self.channel = None;
        }
        let channel = match &self.channel {
            Some(channel) => channel.clone(),
            None => self.channel.insert(self.place.connect().await?).clone(),
        };
        let session = match &self.session {
            Some(session) => session.clone(),
            None => self.sign_in().await?,
        };
        self.session = Some(session.clone());
        let question = client::signed(question(), &session)?;
        let answer = LookupServiceClient::new(channel)
            .check_application(question)
            .await?;
        let hits = answer.into_inner().hits;
        hits.iter()
            .filter(|hit| hit.office_id == OFFICE)
            .map(shown)
            .collect()
    }

    async fn sign_in(&self) -> anyhow::Result<String> {
        let people = client::channel(
            &client::endpoint(),
            self.people,
            client::config(&self.ca_file, None)?,
        );
        client::sign_in(people, LOGIN, PASSWORD).await
    }
}

/// About the persons of all cases.
fn question() -> CheckApplicationRequest {
    let questions = (0..CASES).map(|case| client::question("witness", &token(case)));
    CheckApplicationRequest {
        matter_type: MATTER.to_owned(),
        parties: questions.flat_map(|question| question.parties).collect(),
        ..client::question("witness", &token(0))
    }
}

fn shown(hit: &LookupHit) -> anyhow::Result<(u64, u64)> {
    let write = write_in(&hit.case_no).context("a case number of the witness's")?;
    Ok((case_of(write), write))
}
