//! Handing in what is not a case: reports, refusals, complaints, special paper, relatives. A file holds one filing or a
//! list of them; numbers of documents become tokens here.

mod form;

use std::borrow::Cow;

use linkage::office::OfficeId;
use notary_proto::hub::v1::filing_service_client::FilingServiceClient;
use serde::Serialize;
use time::{Date, OffsetDateTime};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

pub use form::{FormError, Ready, read};

use crate::config::Config;
use crate::dial::{self, DialError, Refusal};
use crate::identity::Identity;
use crate::under_key::followed;

/// What the hub says of a filing that it has recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The filing; an outcome names the complaint or review that it closes by it.
    pub filing_id: String,
    /// Code of its kind.
    pub kind: String,
    /// When the hub recorded it first.
    #[serde(with = "time::serde::rfc3339::option")]
    pub recorded_at: Option<OffsetDateTime>,
    /// The last day on which it was in time; absent when it has none.
    pub due_on: Option<String>,
    /// Whether it came later.
    pub late: bool,
}

/// Why a filing was not recorded. Those before it in the file are; the same file again has no second effect on them.
#[derive(Debug, thiserror::Error)]
pub enum FilingError {
    /// The hub was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The hub said no.
    #[error("第 {at} 件报送未被接受：{} (filing {at}, {kind}: {refusal})", .refusal.message_zh)]
    Refused {
        /// Which, from 1.
        at: usize,
        /// Code of its kind.
        kind: String,
        /// Why.
        refusal: Refusal,
    },
}

/// Hands filings in, one after the other.
///
/// # Errors
/// At the first that is not recorded.
pub async fn hand_in(
    config: &Config,
    identity: &Identity,
    filings: &[Ready],
) -> Result<Vec<Receipt>, FilingError> {
    let mut handover = Handover::reach(config, identity, None).await?;
    let mut receipts = Vec::with_capacity(filings.len());
    for (index, filing) in filings.iter().enumerate() {
        receipts.push(handover.take(index + 1, filing).await?);
    }
    Ok(receipts)
}

/// Hands a filing in for the notary of a session, as the hub's console sends it.
///
/// # Errors
/// When it is not recorded.
pub async fn hand_in_session(
    config: &Config,
    identity: &Identity,
    filing: &Ready,
    bearer: MetadataValue<Ascii>,
) -> Result<Receipt, FilingError> {
    let mut handover = Handover::reach(config, identity, Some(bearer)).await?;
    handover.take(1, filing).await
}

/// Where filings are handed in.
struct Handover<'a> {
    config: &'a Config,
    client: FilingServiceClient<Channel>,
    identity: Cow<'a, Identity>,
    bearer: Option<MetadataValue<Ascii>>,
}

impl<'a> Handover<'a> {
    async fn reach(
        config: &'a Config,
        identity: &'a Identity,
        bearer: Option<MetadataValue<Ascii>>,
    ) -> Result<Self, FilingError> {
        let tls = dial::as_office(identity).map_err(DialError::from)?;
        let channel = dial::dial(&config.hub.agents, tls).await?;
        Ok(Self {
            config,
            client: FilingServiceClient::new(channel),
            identity: Cow::Borrowed(identity),
            bearer,
        })
    }

    /// Hands one in; `at` is its place among those that are handed in, from 1. What the hub refuses for its token key it has
    /// not recorded.
    async fn take(&mut self, at: usize, filing: &Ready) -> Result<Receipt, FilingError> {
        let refused = |refusal| FilingError::Refused {
            at,
            kind: filing.kind.clone(),
            refusal,
        };
        let refusal = match self.submit(filing).await {
            Ok(receipt) => return Ok(receipt),
            Err(refusal) => refusal,
        };
        match followed(&self.config.data_dir, &self.identity, &refusal).await {
            Some(newer) => self.identity = Cow::Owned(newer),
            None => return Err(refused(refusal)),
        }
        self.submit(filing).await.map_err(refused)
    }

    async fn submit(&mut self, filing: &Ready) -> Result<Receipt, Refusal> {
        let content = filing.request(self.identity.office_id(), self.identity.token_key());
        let filing_id = content.filing_id.clone();
        let mut request = Request::new(content);
        self.identity.name_key(&mut request);
        if let Some(bearer) = &self.bearer {
            let metadata = request.metadata_mut();
            metadata.insert("authorization", bearer.clone());
        }
        let answer = self.client.submit_filing(request).await;
        let answer = answer.map_err(|status| Refusal::of(&status))?.into_inner();
        let recorded_at = answer
            .recorded_at
            .and_then(|at| OffsetDateTime::from_unix_timestamp(at.seconds).ok());
        Ok(Receipt {
            filing_id,
            kind: filing.kind.clone(),
            recorded_at,
            due_on: answer.due_day.and_then(day),
            late: answer.late,
        })
    }
}

/// A day of the wire as ISO 8601 has it.
fn day(days_since_1970: i32) -> Option<String> {
    let day = Date::from_julian_day(days_since_1970.checked_add(2_440_588)?).ok()?;
    Some(day.to_string())
}

/// What the hub said, for people.
pub fn text(receipts: &[Receipt]) -> String {
    let mut lines: Vec<String> = receipts.iter().map(line).collect();
    let late = receipts.iter().filter(|receipt| receipt.late).count();
    lines.push(format!("已报送 {} 件，其中逾期 {late} 件", receipts.len()));
    lines.join("\n")
}

fn line(receipt: &Receipt) -> String {
    let due = match (&receipt.due_on, receipt.late) {
        (None, _) => String::new(),
        (Some(due), false) => format!("　按时（期限 {due}）"),
        (Some(due), true) => format!("　逾期（期限 {due}）"),
    };
    format!("{}  {}{due}", receipt.filing_id, receipt.kind)
}

/// The id of a filing that has none of its own: the same content of the same office has the same.
fn id_of(office_id: OfficeId, content: &str) -> uuid::Uuid {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new()
        .chain_update(office_id.as_str())
        .chain_update([0])
        .chain_update(content)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
