//! `office-agent enroll`.

use serde_json::json;

use super::{Failure, Output};
use crate::app;
use crate::config::Config;
use crate::identity::{self, EnrolError};
use crate::status::time_zh;

pub(super) async fn enroll(config: &Config, token: &str, output: &Output) -> Result<(), Failure> {
    identity::make_dir(&config.data_dir)?;
    let _lock = app::lock(&config.data_dir)?;
    let identity = identity::enrol(config, token).await.map_err(said)?;
    let ends = identity.not_after();
    output.print(
        &json!({
            "office_id": identity.office_id(),
            "office_name": identity.office_name(),
            "certificate_ends_at": ends.unix_timestamp(),
            "key_sha256": identity.key_sha256(),
            "token_key_id": identity.token_key().id(),
        }),
        || {
            format!(
                "已注册为 {} {}；证书 {} 到期（北京时间），运行期间自动续期\n本机密钥指纹（SHA-256）：{}",
                identity.office_id(),
                identity.office_name(),
                time_zh(ends.unix_timestamp()),
                identity.key_sha256()
            )
        },
    )?;
    Ok(())
}

/// For staff first, then for whoever they ask.
fn said(error: EnrolError) -> anyhow::Error {
    match error.message_zh() {
        Some(zh) => anyhow::anyhow!("{zh} ({error})"),
        None => error.into(),
    }
}
