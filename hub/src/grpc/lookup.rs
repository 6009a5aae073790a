//! `LookupService`: what a notary asks before accepting, with the office's certificate and the notary's session.

use std::sync::Arc;

use linkage::office::OfficeId;
use notary_proto::hub::v1::lookup_service_server::LookupService;
use notary_proto::hub::v1::{
    BatchCheckRequest, BatchCheckResponse, CheckApplicationRequest, CheckApplicationResponse,
    EndWatchRequest, EndWatchResponse, FindPersonRequest, FindPersonResponse, ListWatchesRequest,
    ListWatchesResponse, WatchMatterRequest, WatchMatterResponse,
};
use tonic::{Request, Response, Status};

use super::error::{audit, database, internal};
use super::token_key::told_by;
use super::{lookup_answer, lookup_question, lookup_watch, office_of};
use crate::audit::{Action, Actor};
use crate::identity::{Person, Role};
use crate::lookup::{Asker, Denial, Lookup, LookupError};
use crate::refusal::{Reason, Refusal};

/// The service.
#[derive(Debug)]
pub struct LookupApi {
    lookup: Arc<Lookup>,
}

impl LookupApi {
    pub fn new(lookup: Arc<Lookup>) -> Self {
        Self { lookup }
    }

    /// Who asks what; whoever is denied here is recorded as well.
    async fn asked<T, Q>(
        &self,
        request: Request<T>,
        action: Action,
        parse: fn(T) -> Result<Q, Denial>,
    ) -> Result<(Asker, Q), Status> {
        let office_id = office_of(&request)?.office_id;
        let (actor, asker) = who(office_id, &request);
        match asker.and_then(|asker| Ok((asker, parse(request.into_inner())?))) {
            Ok(asked) => Ok(asked),
            Err(denial) => Err(status(
                self.lookup.deny(office_id, actor, action, denial).await,
            )),
        }
    }
}

#[tonic::async_trait]
impl LookupService for LookupApi {
    async fn check_application(
        &self,
        request: Request<CheckApplicationRequest>,
    ) -> Result<Response<CheckApplicationResponse>, Status> {
        let asked = self.asked(request, Action::CheckApplication, lookup_question::check);
        let (asker, question) = asked.await?;
        let answer = self.lookup.check(asker, question).await.map_err(status)?;
        Ok(Response::new(lookup_answer::check(answer)))
    }

    async fn batch_check(
        &self,
        request: Request<BatchCheckRequest>,
    ) -> Result<Response<BatchCheckResponse>, Status> {
        let asked = self.asked(request, Action::BatchCheck, lookup_question::batch);
        let (asker, question) = asked.await?;
        let answer = self.lookup.batch_check(asker, question).await;
        Ok(Response::new(lookup_answer::batch(answer.map_err(status)?)))
    }

    async fn find_person(
        &self,
        request: Request<FindPersonRequest>,
    ) -> Result<Response<FindPersonResponse>, Status> {
        let asked = self.asked(request, Action::FindPerson, lookup_question::person);
        let (asker, question) = asked.await?;
        let answer = self.lookup.find_person(asker, question).await;
        Ok(Response::new(lookup_answer::person(
            answer.map_err(status)?,
        )))
    }

    async fn watch_matter(
        &self,
        request: Request<WatchMatterRequest>,
    ) -> Result<Response<WatchMatterResponse>, Status> {
        let told = told_by(&request);
        let asked = self.asked(request, Action::WatchMatter, lookup_watch::question);
        let (asker, (question, days)) = asked.await?;
        let put = self.lookup.watch(asker, question, days, told).await;
        Ok(Response::new(lookup_watch::put(put.map_err(status)?)))
    }

    async fn list_watches(
        &self,
        request: Request<ListWatchesRequest>,
    ) -> Result<Response<ListWatchesResponse>, Status> {
        let asked = self.asked(request, Action::ListWatches, |_| Ok(()));
        let (asker, ()) = asked.await?;
        let watches = self.lookup.watches(asker).await.map_err(status)?;
        Ok(Response::new(lookup_watch::list(watches)))
    }

    async fn end_watch(
        &self,
        request: Request<EndWatchRequest>,
    ) -> Result<Response<EndWatchResponse>, Status> {
        let asked = self.asked(request, Action::EndWatch, lookup_watch::which);
        let (asker, watch_id) = asked.await?;
        let ended = self.lookup.end_watch(asker, watch_id).await;
        ended.map_err(status)?;
        Ok(Response::new(EndWatchResponse {}))
    }
}

/// Who calls through the certificate of an office, and whether it is a notary of it.
pub(super) fn who<T>(office_id: OfficeId, request: &Request<T>) -> (Actor, Result<Asker, Denial>) {
    match request.extensions().get::<Person>() {
        Some(person) => (Actor::Account(person.account_id), asker(office_id, person)),
        None => (Actor::Office(office_id), Err(Denial::NoSession)),
    }
}

/// A notary speaks through the certificate of the own office alone.
fn asker(office_id: OfficeId, person: &Person) -> Result<Asker, Denial> {
    match person.role {
        Role::Notary(of) if of == office_id => Ok(Asker::new(person, office_id)),
        Role::Notary(_) => Err(Denial::OtherOffice),
        Role::Analyst | Role::Supervisor | Role::Operator => Err(Denial::NotANotary),
    }
}

fn status(error: LookupError) -> Status {
    match error {
        LookupError::Denied(denial) => denied(denial),
        LookupError::Key(error) => Refusal::from(&error).into(),
        LookupError::Database(error) => database(&error),
        LookupError::Linking(error) => internal(&error),
        LookupError::Audit(error) => audit(&error),
    }
}

pub(super) fn denied(denial: Denial) -> Status {
    let message = denial.to_string();
    match denial {
        Denial::NoSession => Reason::Unauthenticated.because(message),
        Denial::NotANotary | Denial::PurposeOfTheBureau | Denial::Suspended => {
            Reason::PermissionDenied.because(message)
        }
        Denial::OtherOffice => Reason::OfficeMismatch.because(message),
        Denial::NoPurpose => Reason::PurposeRequired.because(message),
        Denial::NoCaseReference => Reason::CaseReferenceRequired.because(message),
        Denial::Field { path, expected } => {
            Reason::FieldInvalid.because(message).field(path, expected)
        }
        Denial::Sealed => Reason::MatterSealed.because(message),
        Denial::NoSuchWatch => Reason::WatchUnknown.because(message),
        Denial::TooManyWatches => Reason::TooManyWatches.because(message),
        Denial::BudgetSpent { retry_after } => Reason::RateLimited
            .because(message)
            .retry_after(retry_after),
    }
    .into()
}
