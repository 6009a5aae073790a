//! The reasons for which only HTTP refuses, each with its status and its remedy in Chinese.

use axum::http::StatusCode;

/// The reasons. Callers act on them, so a published one is never renamed or given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnReason {
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    /// Also with other statuses of what is wrong about a body.
    BodyInvalid,
    /// A decision across offices is for somebody else than who proposed it.
    SecondPersonNeeded,
    AlreadyDecided,
    FactsChanged,
    DecisionOver,
    FindingsOpen,
    PeriodNotOver,
    NotTheNewest,
    NotaryPractisesElsewhere,
    ExportNeeded,
    ExportNotDone,
    ExportUnderWay,
    TooManyExports,
}

impl OwnReason {
    /// The reason as it travels.
    pub(super) const fn code(self) -> &'static str {
        self.row().0
    }

    /// The status that it comes with.
    pub(super) const fn status(self) -> StatusCode {
        self.row().1
    }

    /// What happened and what to do, for people.
    pub(super) const fn message_zh(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::NotFound => ("NOT_FOUND", StatusCode::NOT_FOUND, "所请求的内容不存在。"),
            Self::MethodNotAllowed => (
                "METHOD_NOT_ALLOWED",
                StatusCode::METHOD_NOT_ALLOWED,
                "该地址不支持此操作。",
            ),
            Self::NotAcceptable => (
                "NOT_ACCEPTABLE",
                StatusCode::NOT_ACCEPTABLE,
                "不支持所要求的格式。可选 JSON、CSV、XLSX。",
            ),
            Self::BodyInvalid => (
                "BODY_INVALID",
                StatusCode::BAD_REQUEST,
                "请求内容格式不正确。",
            ),
            Self::SecondPersonNeeded => (
                "SECOND_PERSON_NEEDED",
                StatusCode::FORBIDDEN,
                "跨公证处的认定须由提出人以外的人员复核。",
            ),
            Self::AlreadyDecided => (
                "ALREADY_DECIDED",
                StatusCode::CONFLICT,
                "他人已作出认定。请刷新后查看；需改变的，请先撤回原认定。",
            ),
            Self::FactsChanged => (
                "FACTS_CHANGED",
                StatusCode::CONFLICT,
                "案件或规则已有变化。请刷新后重新认定。",
            ),
            Self::DecisionOver => (
                "DECISION_OVER",
                StatusCode::CONFLICT,
                "该认定已处理完毕或已被后续认定取代。请刷新后查看。",
            ),
            Self::FindingsOpen => (
                "FINDINGS_OPEN",
                StatusCode::CONFLICT,
                "纳入检查的监督问题尚未全部核实或排除。请先逐项处理，再办结检查。",
            ),
            Self::PeriodNotOver => (
                "PERIOD_NOT_OVER",
                StatusCode::CONFLICT,
                "该期间尚未结束，期满后方可封账。",
            ),
            Self::NotTheNewest => (
                "NOT_THE_NEWEST",
                StatusCode::CONFLICT,
                "该报表已有更新的一期。请刷新后再办理。",
            ),
            Self::NotaryPractisesElsewhere => (
                "NOTARY_PRACTISES_ELSEWHERE",
                StatusCode::CONFLICT,
                "名单中有公证员正在另一公证处执业。请先在该处将其改为不在任。",
            ),
            Self::ExportNeeded => (
                "EXPORT_NEEDED",
                StatusCode::CONFLICT,
                "数据量较大，请转为后台导出，完成后在“我的导出”中下载。",
            ),
            Self::ExportNotDone => (
                "EXPORT_NOT_DONE",
                StatusCode::CONFLICT,
                "文件尚未生成，或者未能生成。请刷新后查看。",
            ),
            Self::ExportUnderWay => (
                "EXPORT_UNDER_WAY",
                StatusCode::CONFLICT,
                "您已有一个导出正在进行。请等它完成，或者先取消。",
            ),
            Self::TooManyExports => (
                "TOO_MANY_EXPORTS",
                StatusCode::CONFLICT,
                "“我的导出”中的文件已满。请先删除不需要的文件。",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Reason;

    /// In the order of the documentation.
    const ALL: [OwnReason; 16] = [
        OwnReason::NotFound,
        OwnReason::MethodNotAllowed,
        OwnReason::NotAcceptable,
        OwnReason::BodyInvalid,
        OwnReason::SecondPersonNeeded,
        OwnReason::AlreadyDecided,
        OwnReason::FactsChanged,
        OwnReason::DecisionOver,
        OwnReason::FindingsOpen,
        OwnReason::PeriodNotOver,
        OwnReason::NotTheNewest,
        OwnReason::NotaryPractisesElsewhere,
        OwnReason::ExportNeeded,
        OwnReason::ExportNotDone,
        OwnReason::ExportUnderWay,
        OwnReason::TooManyExports,
    ];

    #[test]
    fn every_reason_that_only_http_has_is_documented_as_it_is() {
        let page = include_str!("../../../docs/errors.md");
        let (_, own) = page
            .split_once("## Over HTTP")
            .expect("a section of theirs");
        let rows: Vec<&str> = own.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), ALL.len());
        for (row, reason) in rows.iter().zip(ALL) {
            let cells: Vec<&str> = row.split(" | ").collect();
            assert_eq!(cells[0], format!("| `{}`", reason.code()));
            assert!(cells[1].starts_with(reason.status().as_str()), "{row}");
            assert_eq!(cells[3], format!("{} |", reason.message_zh()));
        }
    }

    #[test]
    fn no_reason_means_one_thing_over_http_and_another_over_grpc() {
        for reason in ALL {
            assert!(
                Reason::ALL
                    .iter()
                    .all(|other| other.code() != reason.code()),
                "{reason:?}"
            );
        }
    }
}
