//! What people call the facts that a finding rests on, and which of them somebody stated. A fact that is not here is
//! shown by its own name.

/// Names of facts, in the order in which they are read: what was, what should have been, what it was measured by.
pub const FACTS: &[(&str, &str)] = &[
    ("matter_type", "公证事项"),
    ("foreign_relation", "涉外类别"),
    ("not_licensed", "超出核准范围"),
    ("refused_by", "不予受理的公证处"),
    ("refused_on", "不予受理日期"),
    ("reason_code", "不予受理理由"),
    ("state", "案件状态"),
    ("applied_on", "申请日期"),
    ("accepted_on", "受理日期"),
    ("approved_on", "审批日期"),
    ("issued_on", "出证日期"),
    ("received_on", "收到日期"),
    ("excused_working_days", "不计入期限的工作日"),
    ("wanted", "应报送"),
    ("from", "起算日"),
    ("due_on", "期限"),
    ("filed_on", "报送日期"),
    ("closed_on", "办结日期"),
    ("item", "收费项目"),
    ("min_fen", "标准下限"),
    ("max_fen", "标准上限"),
    ("fee_charged_fen", "实收"),
    ("fee_reduced_fen", "减免"),
    ("legal_aid", "法律援助"),
    ("amount_fen", "标的额"),
    ("certificates", "公证书份数"),
    ("major", "重大"),
    ("discussed", "集体讨论"),
    ("notary_licence_no", "承办公证员执业证号"),
    ("party", "当事人"),
    ("parties", "当事人"),
    ("real_estate", "不动产所在区划"),
    ("cities", "不动产所在地市"),
    ("practice_area", "执业区域"),
    ("series", "字轨"),
    ("first_no", "起号"),
    ("last_no", "止号"),
    (WITHOUT_CALENDAR, "未录入放假安排的年份"),
];

/// The year of a limit for which the calendar has no arrangement of the State Council.
pub const WITHOUT_CALENDAR: &str = "without_calendar";

/// Facts that follow from rules, tariff, calendar or an office's profile. When these alone change, what people decided
/// stands: nobody has stated anything else.
pub const DERIVED: &[&str] = &[
    "wanted",
    "due_on",
    "item",
    "min_fen",
    "max_fen",
    "practice_area",
    "not_licensed",
    WITHOUT_CALENDAR,
];
