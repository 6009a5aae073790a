//! `office-agent status`, for the office's data steward.

use std::fmt::Write;

use linkage::vocabulary::Remedy;
use time::OffsetDateTime;

use super::{Failure, Output};
use crate::config::Config;
use crate::mapping::label_zh;
use crate::outbox::Drift;
use crate::source::Doing;
use crate::status::{Compared, Status, ask, time_zh};

mod notices;

/// Refused records printed unless all are asked for.
const REJECTS: usize = 50;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print every refused record and every notice, not some of each kind.
    #[arg(long)]
    all: bool,
}

pub(super) async fn status(config: &Config, args: &Args, output: &Output) -> Result<(), Failure> {
    let status = match ask(&config.data_dir).await {
        Some(status) => status,
        None => Status::of_stopped(config)?,
    };
    let most = match args.all {
        true => Most::ALL,
        false => Most::SOME,
    };
    output.print(&status, || text(&status, most))?;
    Ok(())
}

/// How many are printed.
#[derive(Clone, Copy)]
struct Most {
    rejects: usize,
    notices_of_a_kind: usize,
}

impl Most {
    const SOME: Self = Self {
        rejects: REJECTS,
        notices_of_a_kind: notices::OF_A_KIND,
    };
    const ALL: Self = Self {
        rejects: usize::MAX,
        notices_of_a_kind: usize::MAX,
    };
}

pub(super) async fn health(config: &Config, output: &Output) -> Result<(), Failure> {
    let Some(status) = ask(&config.data_dir).await else {
        let place = config.data_dir.display();
        return Err(anyhow::anyhow!("no agent runs on {place}, or it does not answer").into());
    };
    if status.has_dead_identity(OffsetDateTime::now_utc()) {
        let problem = "the certificate has ended or the hub refuses it; see `office-agent status`";
        return Err(anyhow::anyhow!(problem).into());
    }
    output.print(&serde_json::json!({ "running": true }), || "running".into())?;
    Ok(())
}

fn text(status: &Status, most: Most) -> String {
    let mut text = String::new();
    let _ = head(&mut text, status);
    let _ = sources(&mut text, status);
    let _ = rejects(&mut text, status, most.rejects);
    let _ = notices::write(&mut text, &status.outbox, most.notices_of_a_kind);
    text
}

fn head(text: &mut String, status: &Status) -> std::fmt::Result {
    match &status.office_id {
        Some(id) => writeln!(text, "公证处　　{} {id}", status.office_name)?,
        None => writeln!(text, "公证处　　尚未注册（office-agent enroll）")?,
    }
    let running = match status.running {
        true => "运行中",
        false => "未运行（office-agent run）",
    };
    writeln!(text, "采集程序　{running}，版本 {}", status.version)?;
    if let Some(end) = status.certificate_ends_at {
        writeln!(text, "证书到期　{}", time_zh(end))?;
    }
    if let Some(sync) = &status.sync {
        match (sync.connected, sync.connected_at) {
            (true, Some(at)) => writeln!(text, "与平台连接　已连接（自 {} 起）", time_zh(at))?,
            _ => writeln!(text, "与平台连接　未连接")?,
        }
        if let Some(at) = sync.acked_at {
            writeln!(text, "最近确认　{}", time_zh(at))?;
        }
        if let Some(said) = sync.last_error.as_ref().filter(|said| said.open) {
            let words = match said.text_zh.as_str() {
                "" => said.text.clone(),
                zh => format!("{zh}（{}）", said.text),
            };
            writeln!(text, "最近错误　{} {words}", time_zh(said.at))?;
        }
    }
    if let Some(Compared { at, drift }) = &status.compared {
        writeln!(text, "与平台核对　{} {}", time_zh(*at), found(drift))?;
    }
    let outbox = &status.outbox;
    // Of a large first load it says how far it is.
    let far = match (outbox.waiting, outbox.last_sequence) {
        (0, _) | (_, 0) => String::new(),
        (_, last) => format!("，{}%", outbox.acked_sequence.saturating_mul(100) / last),
    };
    writeln!(
        text,
        "待报送　　{} 条（已取 {}，平台已确认 {}{far}）",
        outbox.waiting, outbox.last_sequence, outbox.acked_sequence
    )
}

/// What a comparison with the hub came to.
fn found(drift: &Drift) -> String {
    let differing = match drift.total() {
        0 => "一致".to_owned(),
        cases => format!("{cases} 件不一致，已安排补报"),
    };
    match drift.unavailable {
        0 => differing,
        cases => format!("{differing}；另有 {cases} 件数据来源中已没有，无法自动补报"),
    }
}

fn sources(text: &mut String, status: &Status) -> std::fmt::Result {
    if !status.sources.is_empty() {
        writeln!(text, "\n数据来源")?;
    }
    for source in &status.sources {
        let state = &source.state;
        let read = state
            .last_read_at
            .map_or_else(|| "尚未读取".to_owned(), time_zh);
        let doing = match (status.running, source.caught_up, state.doing) {
            (false, _, _) => "未运行",
            (true, true, _) => "已读完",
            (true, false, Doing::Failing) => "无法读取，自动重试",
            (true, false, _) => "正在读取",
        };
        writeln!(
            text,
            "  {}（{}）　{doing}　已取 {} 条　最近读取 {read}",
            source.name, source.kind, source.stored
        )?;
        let bad = (state.bad_files.iter()).map(|bad| format!("文件 {}", bad.text_zh()));
        for line in state.problem.iter().chain(&state.notes).cloned().chain(bad) {
            writeln!(text, "    {line}")?;
        }
        if state.behind > 0 {
            writeln!(
                text,
                "    {} 件与已报送内容不同而版本号更低，未报送：如办证系统的版本号重新计数，请在映射中取消 revision 并重启采集程序",
                state.behind
            )?;
        }
    }
    Ok(())
}

fn rejects(text: &mut String, status: &Status, most: usize) -> std::fmt::Result {
    let outbox = &status.outbox;
    if outbox.rejects_open == 0 {
        return writeln!(text, "\n没有未处理的退回记录。");
    }
    writeln!(text, "\n退回记录　{} 条未处理", outbox.rejects_open)?;
    for reject in outbox.rejects.iter().take(most) {
        let whose = match (reject.source_case_id.as_str(), reject.location.as_str()) {
            ("", location) => location.to_owned(),
            (id, "") => format!("案件 {id}"),
            (id, location) => format!("案件 {id}（{location}）"),
        };
        let by = match reject.origin.as_str() {
            "hub" => "平台",
            _ => "本机",
        };
        writeln!(
            text,
            "  {} {by} {whose}　{} {} {}",
            time_zh(reject.rejected_at),
            reject.rule_id,
            field(&reject.field),
            reject.value_shape
        )?;
        let remedy = match reject.message_zh.as_str() {
            "" => Remedy::of(&reject.rule_id).remedy_zh,
            said => said,
        };
        writeln!(text, "    {remedy}")?;
    }
    let printed = outbox.rejects.len().min(most);
    left_out(text, outbox.rejects_open.saturating_sub(printed as u64))
}

/// A field as staff call it, and as the mapping does.
fn field(canonical: &str) -> String {
    match label_zh(canonical) {
        label if label == canonical => label,
        label => format!("{label}（{canonical}）"),
    }
}

/// How many are not printed, and how to see them.
fn left_out(text: &mut String, count: u64) -> std::fmt::Result {
    match count {
        0 => Ok(()),
        _ => writeln!(
            text,
            "  ……还有 {count} 条，全部见 office-agent status --all（或 --json）"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_source_has_any_more_is_told_apart_from_what_is_put_right() {
        let drift = |missing, unavailable| Drift {
            missing,
            unavailable,
            ..Drift::default()
        };
        assert_eq!(found(&drift(0, 0)), "一致");
        assert_eq!(found(&drift(2, 0)), "2 件不一致，已安排补报");
        assert_eq!(
            found(&drift(0, 3)),
            "一致；另有 3 件数据来源中已没有，无法自动补报"
        );
    }
}
