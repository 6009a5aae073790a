//! Canonical fields by their paths (`accepted_on`, `parties[1].identifier`): what they are called for the office's staff, and
//! which of the office's own columns one is read from.

use super::file::{File, Place, Rules};
use crate::source::row::Row;

/// Labels of the fields, of the case first.
const LABELS: [(&str, &str); 43] = [
    ("source_case_id", "案件主键"),
    ("state", "案件状态"),
    ("case_no", "证号"),
    ("matter_type", "公证事项"),
    ("foreign_relation", "涉外情况"),
    ("place_of_use", "使用地"),
    ("notary_licence_no", "公证员执业证号"),
    ("notary_name", "公证员姓名"),
    ("applied_on", "申请日期"),
    ("accepted_on", "受理日期"),
    ("issued_on", "出证日期"),
    ("closed_on", "办结日期"),
    ("reason_code", "不予受理或不予办理的理由"),
    ("fee_charged", "收费金额"),
    ("fee_reduced", "减免金额"),
    ("fee_reduction_reason", "减免理由"),
    ("amount", "标的额"),
    ("legal_aid", "法律援助"),
    ("home_visit", "上门服务"),
    ("major", "重大案件"),
    ("discussed", "集体讨论"),
    ("approved_on", "审批日期"),
    ("approver_licence_no", "审批人执业证号"),
    ("certificates", "计费件数"),
    ("revision", "修订号"),
    ("modified_at", "修改时间"),
    ("parties", "当事人"),
    ("subjects", "标的"),
    ("excused", "不计入期限的时间"),
    ("role", "身份"),
    ("kind", "类型"),
    ("name", "姓名或名称"),
    ("identifier", "证件号码"),
    ("identifier_kind", "证件种类"),
    ("sex", "性别"),
    ("birth_on", "出生日期"),
    ("phone", "电话"),
    ("address_district", "住所区划"),
    ("number", "编号"),
    ("district_code", "所在区划"),
    ("first_on", "起始日期"),
    ("last_on", "截止日期"),
    ("reason", "理由"),
];

/// What a field is called: `parties[0].birth_on` is 第1个当事人的出生日期. One that has no label stands for itself.
#[must_use]
pub fn label_zh(field: &str) -> String {
    let of_path = || {
        let Some((list, inner)) = field.split_once('.') else {
            return label(field).map(str::to_owned);
        };
        let (list, at) = list.split_once('[')?;
        let (list, inner) = (label(list)?, label(inner)?);
        Some(match at.trim_end_matches(']').parse::<usize>() {
            Ok(at) => format!("第{}个{list}的{inner}", at + 1),
            Err(_) => format!("{list}的{inner}"),
        })
    };
    of_path().unwrap_or_else(|| field.to_owned())
}

/// Days and amounts have other ends on the wire, by which the hub names them.
fn label(name: &str) -> Option<&'static str> {
    let name = match name.strip_suffix("_day") {
        Some(stem) => format!("{stem}_on"),
        None => name.trim_end_matches("_fen").to_owned(),
    };
    let known = LABELS.iter().find(|(known, _)| *known == name);
    known.map(|(_, label)| *label)
}

/// The office's own name of the column that a field of a row is read from; `None` when no column is.
pub(super) fn column_of<'a>(file: &'a File, row: &Row, field: &str) -> Option<&'a str> {
    let (rules, name) = match field.split_once('.') {
        None => (file.case.rules(), field),
        Some((item, inner)) => {
            let (list, at) = item.strip_suffix(']')?.split_once('[')?;
            (part_of(file.list(list)?, row, at.parse().ok()?)?, inner)
        }
    };
    let (_, rule) = rules.into_iter().find(|(known, _)| *known == name)?;
    Some(rule.column()?.name())
}

/// The rules by which the item at a place of a list is read.
fn part_of<'a>(parts: Vec<(Place<'a>, Rules<'a>)>, row: &Row, at: usize) -> Option<Rules<'a>> {
    let mut left = at;
    for (place, rules) in parts {
        let here = place.count(row);
        if left < here {
            return Some(rules);
        }
        left -= here;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::file::{CaseRules, ExcusedRules, PartyRules, SubjectRules};

    #[test]
    fn every_field_has_a_label() {
        for field in CaseRules::FIELDS {
            assert_ne!(label_zh(field), *field);
        }
        for (list, fields) in [
            ("parties", PartyRules::FIELDS),
            ("subjects", SubjectRules::FIELDS),
            ("excused", ExcusedRules::FIELDS),
        ] {
            for field in fields {
                let path = format!("{list}[0].{field}");
                assert_ne!(label_zh(&path), path);
            }
        }
    }

    #[test]
    fn a_label_says_which_of_a_list_it_is_of() {
        for (field, label) in [
            ("accepted_on", "受理日期"),
            ("accepted_day", "受理日期"),
            ("fee_charged_fen", "收费金额"),
            ("parties", "当事人"),
            ("parties[1].birth_on", "第2个当事人的出生日期"),
            ("parties[].identifier", "当事人的证件号码"),
            ("excused[0].reason", "第1个不计入期限的时间的理由"),
            ("of_a_newer_hub", "of_a_newer_hub"),
            ("", ""),
        ] {
            assert_eq!(label_zh(field), label);
        }
    }
}
