//! `office-agent reconcile`: compares with the hub now; a running agent does so once a day.

use super::{Failure, Output};
use crate::config::Config;
use crate::identity;
use crate::outbox::{self, Drift, Outbox};
use crate::reconcile;

pub(super) async fn reconcile(config: &Config, output: &Output) -> Result<(), Failure> {
    let identity = identity::load(&config.data_dir)?;
    let outbox = Outbox::open(config.data_dir.join(outbox::FILE))?;
    let drift = reconcile::reconcile(&config.hub.agents, &outbox, &identity).await?;
    output.print(&drift, || text(&drift))?;
    Ok(())
}

fn text(drift: &Drift) -> String {
    let mut text = match drift.total() {
        0 => format!("本处 {} 个已确认的案件与平台一致。", drift.cases),
        _ => format!(
            "本处 {} 个已确认的案件中，平台缺少 {} 个，内容不同 {} 个；仅平台有 {} 个。",
            drift.cases, drift.missing, drift.differing, drift.only_at_hub
        ),
    };
    if drift.refused > 0 {
        text.push_str(&format!(
            "\n另有 {} 个案件被平台退回，见 office-agent status。",
            drift.refused
        ));
    }
    if drift.resent > 0 {
        text.push_str(&format!("\n已将 {} 条记录重新列入待报送。", drift.resent));
    }
    if drift.to_read_again > 0 {
        text.push_str(&format!(
            "\n{} 个案件的记录已不在保留期内，采集程序将重新读取全部数据来源；由办证系统推送的，请重新推送。",
            drift.to_read_again
        ));
    }
    if drift.unavailable > 0 {
        text.push_str(&format!(
            "\n另有 {} 个案件与平台不一致，重新读取后各数据来源中仍没有，无法自动补报；由办证系统推送的，请重新推送。",
            drift.unavailable
        ));
    }
    text
}
