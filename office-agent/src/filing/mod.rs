//! Handing in what is not a case: reports, refusals, complaints, special paper, relatives. A file holds one filing or a
//! list of them; numbers of documents become tokens here.

mod form;

use linkage::office::OfficeId;
use notary_proto::hub::v1::SubmitFilingRequest;
use notary_proto::hub::v1::filing_service_client::FilingServiceClient;
use serde::Serialize;
use time::{Date, OffsetDateTime};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

pub use form::{FormError, read};

use crate::config::Config;
use crate::dial::{self, DialError, Refusal};
use crate::identity::Identity;

/// A filing that is ready to be handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// Code of its kind.
    pub kind: String,
    request: SubmitFilingRequest,
}

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
    filings: Vec<Ready>,
) -> Result<Vec<Receipt>, FilingError> {
    let mut client = client(config, identity).await?;
    let mut receipts = Vec::with_capacity(filings.len());
    for (index, Ready { kind, request }) in filings.into_iter().enumerate() {
        let mut request = Request::new(request);
        identity.name_key(&mut request);
        receipts.push(submit(&mut client, index + 1, kind, request).await?);
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
    Ready { kind, request }: Ready,
    bearer: MetadataValue<Ascii>,
) -> Result<Receipt, FilingError> {
    let mut client = client(config, identity).await?;
    let mut request = Request::new(request);
    identity.name_key(&mut request);
    request.metadata_mut().insert("authorization", bearer);
    submit(&mut client, 1, kind, request).await
}

async fn client(
    config: &Config,
    identity: &Identity,
) -> Result<FilingServiceClient<Channel>, FilingError> {
    let tls = dial::as_office(identity).map_err(DialError::from)?;
    let channel = dial::dial(&config.hub.agents, tls).await?;
    Ok(FilingServiceClient::new(channel))
}

/// `at` is its place among those that are handed in, from 1.
async fn submit(
    client: &mut FilingServiceClient<Channel>,
    at: usize,
    kind: String,
    request: Request<SubmitFilingRequest>,
) -> Result<Receipt, FilingError> {
    let filing_id = request.get_ref().filing_id.clone();
    let answer = match client.submit_filing(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let refusal = Refusal::of(&status);
            return Err(FilingError::Refused { at, kind, refusal });
        }
    };
    let recorded_at = answer
        .recorded_at
        .and_then(|at| OffsetDateTime::from_unix_timestamp(at.seconds).ok());
    Ok(Receipt {
        filing_id,
        kind,
        recorded_at,
        due_on: answer.due_day.and_then(day),
        late: answer.late,
    })
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
