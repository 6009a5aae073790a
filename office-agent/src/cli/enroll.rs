//! `office-agent enroll`.

use serde_json::json;

use super::{Failure, Output};
use crate::app;
use crate::config::Config;
use crate::identity;
use crate::status::time_zh;

pub(super) async fn enroll(config: &Config, token: &str, output: &Output) -> Result<(), Failure> {
    identity::make_dir(&config.data_dir)?;
    let _lock = app::lock(&config.data_dir)?;
    let identity = identity::enrol(config, token).await?;
    let ends = identity.not_after();
    output.print(
        &json!({
            "office_id": identity.office_id(),
            "office_name": identity.office_name(),
            "certificate_ends_at": ends.unix_timestamp(),
            "token_key_id": identity.token_key().id(),
        }),
        || {
            format!(
                "enrolled as {} {}; the certificate ends {} (China time) and renews itself while the agent runs",
                identity.office_id(),
                identity.office_name(),
                time_zh(ends.unix_timestamp())
            )
        },
    )?;
    Ok(())
}
