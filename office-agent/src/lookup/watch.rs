//! Standing questions: the hub tells the office by a notice when another one opens the matter.

use std::fmt::Write;

use linkage::matter::MatterType;
use notary_proto::hub::v1 as wire;
use notary_proto::hub::v1::{EndWatchRequest, ListWatchesRequest, WatchMatterRequest};
use serde::Serialize;
use tonic::metadata::{Ascii, MetadataValue};
use uuid::Uuid;

use super::{Credentials, LookupError, Question, client, newer, refused, sign_in, signed};
use crate::config::Config;
use crate::identity::Identity;
use crate::status::time_zh;

/// A question that was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Put {
    /// By which it is taken back.
    pub watch_id: String,
    /// When it ends by itself, seconds since 1970.
    pub expires_at: Option<i64>,
    /// Other offices' cases and intents of the matter that are there already; no notice tells of them.
    pub already_open: u32,
}

/// A question that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watch {
    /// By which it is taken back.
    pub watch_id: String,
    /// Matter, catalogue code.
    pub matter_type: String,
    /// The own case or intake reference.
    pub case_reference: String,
    /// When it was put, seconds since 1970.
    pub put_at: Option<i64>,
    /// When it ends by itself, seconds since 1970.
    pub expires_at: Option<i64>,
}

/// Signs in and puts a standing question about the matter that `question` names.
///
/// # Errors
/// When it was not put.
pub async fn put(
    config: &Config,
    identity: &Identity,
    question: &Question,
    days: u32,
    credentials: Credentials<'_>,
) -> Result<Put, LookupError> {
    let bearer = sign_in(config, identity, credentials).await?;
    let put = put_once(config, identity, question, days, &bearer).await;
    match newer(config, identity, &put).await {
        Some(newer) => put_once(config, &newer, question, days, &bearer).await,
        None => put,
    }
}

async fn put_once(
    config: &Config,
    identity: &Identity,
    question: &Question,
    days: u32,
    bearer: &MetadataValue<Ascii>,
) -> Result<Put, LookupError> {
    let asked = question.tokenised(identity.token_key())?;
    let request = WatchMatterRequest {
        purpose: asked.purpose,
        case_reference: asked.case_reference,
        matter_type: asked.matter_type,
        parties: asked.parties,
        subjects: asked.subjects,
        place_of_use: asked.place_of_use,
        days,
    };
    let mut client = client(config, identity).await?;
    let answer = client
        .watch_matter(signed(identity, request, bearer.clone()))
        .await;
    let answer = answer.map_err(refused)?.into_inner();
    Ok(Put {
        watch_id: answer.watch_id,
        expires_at: answer.expires_at.map(|at| at.seconds),
        already_open: answer.already_open,
    })
}

/// Signs in and reads the office's standing questions, the newest first.
///
/// # Errors
/// When there is no answer.
pub async fn list(
    config: &Config,
    identity: &Identity,
    credentials: Credentials<'_>,
) -> Result<Vec<Watch>, LookupError> {
    let bearer = sign_in(config, identity, credentials).await?;
    let mut client = client(config, identity).await?;
    let answer = client
        .list_watches(signed(identity, ListWatchesRequest {}, bearer))
        .await;
    let watches = answer.map_err(refused)?.into_inner().watches.into_iter();
    Ok(watches.map(Watch::from).collect())
}

/// Signs in and takes a standing question back.
///
/// # Errors
/// When it was not taken back.
pub async fn end(
    config: &Config,
    identity: &Identity,
    watch_id: Uuid,
    credentials: Credentials<'_>,
) -> Result<(), LookupError> {
    let bearer = sign_in(config, identity, credentials).await?;
    let mut client = client(config, identity).await?;
    let watch_id = watch_id.to_string();
    let ended = client.end_watch(signed(identity, EndWatchRequest { watch_id }, bearer));
    ended.await.map(drop).map_err(refused)
}

/// What a notary reads when a question was put.
#[must_use]
pub fn put_text(put: &Put) -> String {
    let until = put.expires_at.map_or_else(String::new, time_zh);
    let mut text = format!(
        "已关注　编号 {}　{until} 失效\n他处受理或拟受理该事项时，本处会收到平台通知（office-agent status）。\n",
        put.watch_id
    );
    if put.already_open > 0 {
        let _ = writeln!(
            text,
            "平台已有他处 {} 件相同或相关事项，不再另行通知，请先查重（office-agent check）。",
            put.already_open
        );
    }
    text
}

/// The office's standing questions as a notary reads them.
#[must_use]
pub fn list_text(watches: &[Watch]) -> String {
    if watches.is_empty() {
        return "没有关注事项。\n".to_owned();
    }
    let mut text = format!("关注事项　{} 项\n", watches.len());
    for watch in watches {
        let matter = MatterType::from_code(&watch.matter_type)
            .map_or(watch.matter_type.as_str(), |m| m.name_zh());
        let time = |at: Option<i64>| at.map_or_else(String::new, time_zh);
        let _ = writeln!(
            text,
            "  {}　{matter}　{}　{} 起，{} 失效",
            watch.watch_id,
            watch.case_reference,
            time(watch.put_at),
            time(watch.expires_at)
        );
    }
    text
}

impl From<wire::Watch> for Watch {
    fn from(wire: wire::Watch) -> Self {
        Self {
            watch_id: wire.watch_id,
            matter_type: wire.matter_type,
            case_reference: wire.case_reference,
            put_at: wire.put_at.map(|at| at.seconds),
            expires_at: wire.expires_at.map(|at| at.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_already_is_said_and_what_comes_later_is_promised() {
        let mut put = Put {
            watch_id: "0193".to_owned(),
            expires_at: Some(1_700_000_000),
            already_open: 0,
        };
        let text = put_text(&put);
        assert!(text.contains("编号 0193") && text.contains("office-agent status"));
        assert!(!text.contains("查重"), "{text}");
        put.already_open = 2;
        assert!(put_text(&put).contains("他处 2 件"));
    }

    #[test]
    fn a_list_names_matter_reference_and_end() {
        assert_eq!(list_text(&[]), "没有关注事项。\n");
        let text = list_text(&[Watch {
            watch_id: "0193".to_owned(),
            matter_type: "mandate".to_owned(),
            case_reference: "2024-接-1".to_owned(),
            put_at: Some(1_700_000_000),
            expires_at: Some(1_700_086_400),
        }]);
        assert!(text.contains("0193　委托　2024-接-1"), "{text}");
        assert!(text.contains(&time_zh(1_700_086_400)), "{text}");
    }
}
