//! `office-agent outbox check`: whether the outbox is as it was written, and mending it.

use std::fmt::Write;
use std::process::ExitCode;

use time::OffsetDateTime;

use super::{Failure, Output};
use crate::app;
use crate::config::Config;
use crate::outbox::{self, Checkup, Mended};

/// Exit code of a check that found damage.
const DAMAGED: u8 = 3;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Args {
    /// Look through every row for damage; also beside a running agent. Ends with 3 when there is any.
    Check {
        /// With the agent stopped: put the damaged file aside, keep what is sound, and read the sources anew for the rest.
        #[arg(long)]
        mend: bool,
    },
}

pub(super) fn outbox(config: &Config, args: &Args, output: &Output) -> Result<ExitCode, Failure> {
    let path = config.data_dir.join(outbox::FILE);
    match args {
        Args::Check { mend: false } => {
            let checkup = Checkup::of(&path)?.unwrap_or_default();
            output.print(&checkup, || found(&checkup))?;
            Ok(match checkup.is_sound() {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(DAMAGED),
            })
        }
        Args::Check { mend: true } => {
            let _lock = app::lock(&config.data_dir)?;
            let mended = outbox::mend(&path, OffsetDateTime::now_utc())?;
            output.print(&mended, || done(mended.as_ref()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn found(checkup: &Checkup) -> String {
    let mut text = match checkup.damaged {
        0 => "发送队列完好".to_owned(),
        damaged => format!("发送队列有 {damaged} 处损坏"),
    };
    let _ = write!(
        text,
        "（记录 {} 条，共核对 {} 行）",
        checkup.entries, checkup.rows
    );
    for finding in &checkup.findings {
        let _ = write!(text, "\n  {}　{}", finding.place, finding.problem);
    }
    if !checkup.is_sound() {
        text.push_str("\n请停止采集程序，运行 office-agent outbox check --mend，再启动。");
    }
    text
}

fn done(mended: Option<&Mended>) -> String {
    let Some(mended) = mended else {
        return "发送队列完好，无需修复。".to_owned();
    };
    let mut text = format!(
        "已修复：保留 {} 条记录，启动后重新报送；损坏的文件移至 {}。\n启动后重新读取全部数据来源。",
        mended.kept,
        mended.aside.display()
    );
    if !mended.to_read_again.is_empty() {
        let _ = write!(
            text,
            "\n以下 {} 个案件的记录已损坏，由数据来源重新读取；由办证系统推送的，请重新推送：",
            mended.to_read_again.len()
        );
        for id in &mended.to_read_again {
            let _ = write!(text, "\n  {id}");
        }
    }
    text
}
