//! Every measure there is.

use super::{Formula, Measure, Unit};
use crate::statistics::family::Part::{
    self, Cases, Duplicates, Feedback, Filings, Findings, LookUps, Persons, Rectifications,
};

const ARTICLE_30: &str = "公证法第三十条";
const ARTICLE_34: &str = "公证法第三十四条";
const ARTICLE_39: &str = "公证法第三十九条";
const NOTICE: &str = "杭司〔2012〕122号";

/// Every measure, in the order of a table's columns.
pub static ALL: [Measure; 47] = [
    sum(
        "applied",
        "申请",
        "当期提出申请的案件数；申请日不明的，以受理日为准。",
        Cases(|c| c.applied),
    ),
    sum("accepted", "受理", "当期受理的案件数。", Cases(|c| c.accepted)),
    sum(
        "refused",
        "不予受理",
        "当期决定不予受理的案件数。",
        Cases(|c| c.refused),
    ),
    sum(
        "issued",
        "出证",
        "当期出具公证书的案件数，含其后更正、撤销的。",
        Cases(|c| c.issued),
    )
    .under(ARTICLE_30),
    sum(
        "rejected",
        "不予办理",
        "当期决定不予办理的案件数。",
        Cases(|c| c.rejected),
    )
    .under("公证法第三十一条"),
    sum(
        "terminated",
        "终止",
        "当期终止公证的案件数。",
        Cases(|c| c.terminated),
    ),
    sum(
        "concluded",
        "办结",
        "当期出证、不予受理、不予办理、终止的案件数。",
        CONCLUDED,
    ),
    sum(
        "corrected",
        "更正",
        "当期更正公证书的案件数。",
        Cases(|c| c.corrected),
    )
    .under(ARTICLE_39),
    sum(
        "revoked",
        "撤销",
        "当期撤销公证书的案件数。",
        Cases(|c| c.revoked),
    )
    .under(ARTICLE_39),
    sum(
        "within_limit",
        "期限内出证",
        "当期出证、且自受理次日起不超过十五个工作日的案件数；不可抗力、补充证明材料、核实情况所需时间不计。",
        Cases(|c| c.within_limit()),
    )
    .under(ARTICLE_30),
    rate(
        "within_limit_rate",
        "期限内出证率",
        "期限内出证除以出证。",
        Formula::Ratio(Cases(|c| c.within_limit()), Cases(|c| c.issued)),
    )
    .under(ARTICLE_30),
    days(
        "handling_days_median",
        "办理时长中位数",
        "当期出证案件自受理次日起所用工作日的中位数（不计期间除外）；超过八个工作日的，以所在区间上限计；超过六十个的以六十一计。",
        50,
    ),
    days(
        "handling_days_p90",
        "办理时长九成位数",
        "九成当期出证案件所用工作日不超过此数；取值办法同中位数。",
        90,
    ),
    sum(
        "fee_charged_fen",
        "收费",
        "当期受理案件实收的公证费。",
        Cases(|c| c.fee_charged_fen),
    )
    .counted_in(Unit::Fen)
    .under(ARTICLE_34),
    sum(
        "fee_reduced_fen",
        "减免",
        "当期受理案件减免的公证费。",
        Cases(|c| c.fee_reduced_fen),
    )
    .counted_in(Unit::Fen)
    .under(ARTICLE_34),
    sum(
        "legal_aid",
        "法律援助",
        "当期受理的法律援助案件数。",
        Cases(|c| c.legal_aid),
    )
    .under(ARTICLE_34),
    sum(
        "fee_reduced",
        "减免件数",
        "当期受理、减免过公证费的案件数。",
        Cases(|c| c.fee_reduced),
    )
    .under(ARTICLE_34),
    sum(
        "home_visit",
        "上门服务",
        "当期受理、上门办理的案件数。",
        Cases(|c| c.home_visit),
    ),
    distinct(
        "duplicates",
        "重复申请",
        "当期发现、现仍成立的重复申请，一对案件计一次；涉及两处公证处的，各计入两处，合计只计一次。",
        Duplicates(|c| c.duplicates),
    ),
    distinct(
        "conflicts",
        "冲突",
        "当期发现、现仍成立的冲突，计法同重复申请。",
        Duplicates(|c| c.conflicts),
    ),
    distinct(
        "related",
        "关联",
        "当期发现、现仍成立的关联，计法同重复申请。",
        Duplicates(|c| c.related),
    ),
    sum(
        "lookups",
        "核查",
        "当期重复申请核查的次数，含被拒的；按日志统计，最多晚十分钟。",
        LookUps(|c| c.hits + c.no_hits + c.denied),
    )
    .counted_in(Unit::Times),
    sum(
        "lookup_hits",
        "核查命中",
        "查到已有申请的核查次数。",
        LookUps(|c| c.hits),
    )
    .counted_in(Unit::Times),
    sum(
        "lookups_denied",
        "核查被拒",
        "因事由、权限或频次被拒的核查次数。",
        LookUps(|c| c.denied),
    )
    .counted_in(Unit::Times),
    rate(
        "lookup_hit_rate",
        "核查命中率",
        "核查命中除以得到答复的核查。",
        Formula::Ratio(LookUps(|c| c.hits), LookUps(|c| c.hits + c.no_hits)),
    ),
    distinct(
        "persons",
        "服务人数",
        "当期受理案件的当事人，同一人只计一次；按人员归并结果，每夜统计一次。各行不能相加，合计另行统计。",
        Persons(|c| c.persons),
    )
    .counted_in(Unit::Persons),
    sum(
        "findings",
        "监督问题",
        "当期发生的监督问题，不含认定不成立的。公证处只见已通报本处的。",
        Findings(|c| c.open + c.notified + c.rectified + c.verified),
    )
    .under(NOTICE),
    sum(
        "findings_open",
        "待处理问题",
        "监督问题中尚未通报的。",
        Findings(|c| c.open),
    )
    .under(NOTICE),
    sum(
        "findings_notified",
        "待整改问题",
        "监督问题中已通报、待整改的。",
        Findings(|c| c.notified),
    )
    .under(NOTICE),
    sum(
        "findings_rectified",
        "已报整改问题",
        "监督问题中已报整改、待核实的。",
        Findings(|c| c.rectified),
    )
    .under(NOTICE),
    sum(
        "findings_verified",
        "已核实问题",
        "监督问题中整改已核实的。",
        Findings(|c| c.verified),
    )
    .under(NOTICE),
    sum(
        "findings_dismissed",
        "不成立问题",
        "当期发生、认定不成立的问题。",
        Findings(|c| c.dismissed),
    )
    .under(NOTICE),
    distinct(
        "cases_with_findings",
        "有问题案件",
        "当期有监督问题的案件，同一案件只计一次；出证的计在出证日，未出证的计在办结日或受理日。",
        CASES_WITH_FINDINGS,
    )
    .under(NOTICE),
    rate(
        "compliance_rate",
        "合规率",
        "当期办结的案件中没有监督问题的比例，在办的不计；按规则分组的，为没有该规则问题的比例。",
        Formula::Without(CONCLUDED_WITH_FINDINGS, CONCLUDED),
    )
    .under(NOTICE),
    sum(
        "rectifications_due",
        "应整改",
        "监督问题和检查通报中，期限在当期、已到期或已报整改的。",
        Rectifications(|c| c.due),
    )
    .under(NOTICE),
    rate(
        "rectification_on_time_rate",
        "按期整改率",
        "应整改中在期限内报整改的比例；曾逾期的，退回后重报也不算按期。",
        Formula::Ratio(Rectifications(|c| c.on_time), Rectifications(|c| c.due)),
    )
    .under(NOTICE),
    sum(
        "filings",
        "报送",
        "当期收到的各类报送。",
        Filings(|c| c.filed),
    )
    .under(NOTICE),
    sum(
        "filings_late",
        "逾期报送",
        "当期收到、超过期限的报送。",
        Filings(|c| c.late),
    )
    .under(NOTICE),
    sum(
        "filings_missing",
        "逾期未报",
        "期限在当期、至今没有收到的定期报送。",
        Filings(|c| c.missing),
    )
    .under(NOTICE),
    sum(
        "complaints",
        "投诉",
        "当期收到的投诉。",
        Feedback(|c| c.complaints),
    )
    .under(NOTICE),
    Measure {
        code: "complaint_rate",
        name_zh: "每万件投诉",
        unit: Unit::PerTenThousand,
        definition_zh: "投诉除以受理，乘以一万。",
        article_zh: Some(NOTICE),
        formula: Formula::PerTenThousand(Feedback(|c| c.complaints), Cases(|c| c.accepted)),
    },
    sum(
        "reviews",
        "复查",
        "当期收到的复查申请。",
        Feedback(|c| c.reviews),
    )
    .under(ARTICLE_39),
    sum(
        "surveys",
        "满意度测评",
        "测评期止于当期的满意度测评。",
        Feedback(|c| c.surveys),
    )
    .counted_in(Unit::Times)
    .under(NOTICE),
    sum(
        "survey_answers",
        "测评答卷",
        "上述测评收到的答卷。",
        Feedback(|c| c.survey_answers),
    )
    .under(NOTICE),
    Measure {
        code: "satisfaction",
        name_zh: "满意度",
        unit: Unit::Score,
        definition_zh: "答卷的平均分，一分最低，五分最高。",
        article_zh: Some(NOTICE),
        formula: Formula::Ratio(
            Feedback(|c| c.survey_score),
            Feedback(|c| c.survey_answers),
        ),
    },
    sum(
        "self_assessments",
        "窗口自评",
        "当期的窗口规范自评。",
        Feedback(|c| c.assessments),
    )
    .counted_in(Unit::Times)
    .under(NOTICE),
    rate(
        "self_assessment_rate",
        "自评达标率",
        "当期自评中，达标项除以适用项；按公证处层级的标准。",
        Formula::Ratio(Feedback(|c| c.items_met), Feedback(|c| c.items)),
    )
    .under(NOTICE),
];

const CONCLUDED: Part = Cases(|c| c.concluded());
const CASES_WITH_FINDINGS: Part = Findings(|c| c.cases);
const CONCLUDED_WITH_FINDINGS: Part = Findings(|c| c.concluded_cases);

const fn sum(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    part: Part,
) -> Measure {
    Measure {
        code,
        name_zh,
        unit: Unit::Count,
        definition_zh,
        article_zh: None,
        formula: Formula::Sum(part),
    }
}

const fn distinct(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    part: Part,
) -> Measure {
    Measure {
        formula: Formula::Distinct(part),
        ..sum(code, name_zh, definition_zh, part)
    }
}

const fn rate(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    formula: Formula,
) -> Measure {
    Measure {
        code,
        name_zh,
        unit: Unit::Rate,
        definition_zh,
        article_zh: None,
        formula,
    }
}

const fn days(
    code: &'static str,
    name_zh: &'static str,
    definition_zh: &'static str,
    percent: u8,
) -> Measure {
    Measure {
        code,
        name_zh,
        unit: Unit::Days,
        definition_zh,
        article_zh: Some(ARTICLE_30),
        formula: Formula::HandledWithin(percent),
    }
}

impl Measure {
    const fn under(self, article_zh: &'static str) -> Self {
        Self {
            article_zh: Some(article_zh),
            ..self
        }
    }

    const fn counted_in(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }
}
