//! The answer in the words of a notary.

use std::fmt::Write;

use linkage::matter::MatterType;
use linkage::vocabulary::CaseState;
use time::{Date, Duration, OffsetDateTime};

use super::{Answer, Feed, Hit, PersonMatch};
use crate::status::time_zh;

/// A feed that was last complete longer ago may hide a case.
const FRESH: i64 = 3600;

/// The answer as text, Chinese.
#[must_use]
pub fn text(answer: &Answer) -> String {
    at(answer, OffsetDateTime::now_utc().unix_timestamp())
}

fn at(answer: &Answer, now: i64) -> String {
    let mut text = String::new();
    let _ = match answer.hits.len() {
        0 if answer.truncated => writeln!(
            text,
            "未能比对：与所填信息相同的人过多，请补充出生日期、电话等信息。"
        ),
        0 => writeln!(text, "未查到相关办证信息。"),
        count => writeln!(
            text,
            "查到 {count} 件相关办证信息{}：",
            if answer.truncated {
                "（没有全部列出）"
            } else {
                ""
            }
        ),
    };
    for (number, hit) in (1..).zip(&answer.hits) {
        let _ = write_hit(&mut text, number, hit);
    }
    let _ = write_intents(&mut text, answer);
    let _ = write_feeds(&mut text, &answer.feeds, now);
    if let Some(receipt) = &answer.receipt {
        let _ = writeln!(
            text,
            "查询回执　第 {} 号　{}　{}",
            receipt.audit_entry,
            receipt.recorded_at.map_or_else(String::new, time_zh),
            receipt.leaf_hash
        );
    }
    text
}

fn write_hit(text: &mut String, number: usize, hit: &Hit) -> std::fmt::Result {
    let severity = match hit.severity.as_str() {
        "duplicate" => "【重复申请】",
        "conflict" => "【冲突】",
        "related" => "【关联】",
        // The rules go by equal numbers; whether it is the same matter is for the notary to see.
        _ if hit.person.is_some() => "【请核实是否同一事项】",
        _ => "【其他事项】",
    };
    let first = match hit.first_accepting {
        true => "，最先受理",
        false => "",
    };
    if hit.office_id.is_empty() {
        return writeln!(
            text,
            "{number}. {severity}另一公证处有一件案件，其事项依法不予披露"
        );
    }
    let matter =
        MatterType::from_code(&hit.matter_type).map_or(hit.matter_type.as_str(), |m| m.name_zh());
    let state = hit
        .state
        .parse::<CaseState>()
        .map_or("状态不明", CaseState::label_zh);
    writeln!(text, "{number}. {severity}{}{first}", hit.office_name)?;
    let accepted = hit
        .accepted_day
        .and_then(day)
        .map_or_else(|| "尚未受理".to_owned(), |day| format!("{day} 受理"));
    let case_no = match hit.case_no.as_str() {
        "" => "无证号",
        no => no,
    };
    writeln!(text, "   {matter}　{state}　{accepted}　{case_no}")?;
    let on: Vec<&str> = hit
        .matched_on
        .iter()
        .map(|on| match on.as_str() {
            "identifier" => "证件号码",
            "subject" => "标的",
            "person" => "人员比对",
            _ => "其他",
        })
        .collect();
    writeln!(
        text,
        "   当事人 {}　相同项：{}",
        hit.masked_names.join("、"),
        on.join("、")
    )?;
    hit.person
        .iter()
        .try_for_each(|person| write_person(text, person))
}

fn write_person(text: &mut String, person: &PersonMatch) -> std::fmt::Result {
    let decision = match person.decision.as_str() {
        "same" => "同一人",
        _ => "疑似同一人，请核实",
    };
    let weight = person.weight_millibits.map_or_else(String::new, |weight| {
        format!("，匹配权重 {:+.1}", f64::from(weight) / 1000.0)
    });
    let why = match (person.explanation_zh.as_str(), person.weight_millibits) {
        ("", None) => "（经其他记录或人工认定关联）".to_owned(),
        ("", Some(_)) => String::new(),
        (why, _) => format!("（{why}）"),
    };
    writeln!(
        text,
        "   第 {} 个当事人：{decision}{weight}{why}",
        person.party + 1
    )
}

fn write_intents(text: &mut String, answer: &Answer) -> std::fmt::Result {
    for intent in &answer.intents {
        let matter = MatterType::from_code(&intent.matter_type)
            .map_or(intent.matter_type.as_str(), |m| m.name_zh());
        writeln!(
            text,
            "【受理意向】{}　{matter}　{} 登记，{} 失效",
            intent.office_name,
            intent.registered_at.map_or_else(String::new, time_zh),
            intent.expires_at.map_or_else(String::new, time_zh)
        )?;
    }
    match answer.intent_expires_at {
        Some(at) => writeln!(text, "本处受理意向已登记，{} 失效。", time_zh(at)),
        None => Ok(()),
    }
}

fn write_feeds(text: &mut String, feeds: &[Feed], now: i64) -> std::fmt::Result {
    let behind: Vec<&Feed> = feeds
        .iter()
        .filter(|feed| feed.caught_up_at.is_none_or(|at| now - at > FRESH))
        .collect();
    if behind.is_empty() {
        return writeln!(text, "数据时效　{} 家公证处的数据均为最新。", feeds.len());
    }
    writeln!(
        text,
        "数据时效　{} 家公证处中有 {} 家的数据可能不全：",
        feeds.len(),
        behind.len()
    )?;
    for feed in behind {
        let since = match feed.caught_up_at.or(feed.last_commit_at) {
            Some(at) => format!("数据截至 {}", time_zh(at)),
            None => "尚未报送".to_owned(),
        };
        writeln!(text, "   {}　{since}", feed.office_name)?;
    }
    Ok(())
}

fn day(days: i32) -> Option<Date> {
    Date::from_ordinal_date(1970, 1)
        .ok()?
        .checked_add(Duration::days(days.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::{Intent, Receipt};

    fn feed(caught_up_at: Option<i64>) -> Feed {
        Feed {
            office_id: "hzyh".to_owned(),
            office_name: "杭州市某公证处".to_owned(),
            last_commit_at: Some(1_700_000_000),
            caught_up_at,
            connected: true,
        }
    }

    fn receipt() -> Option<Receipt> {
        Some(Receipt {
            audit_entry: 42,
            recorded_at: Some(1_700_000_000),
            leaf_hash: "ab".repeat(32),
            leaf_index: 41,
            inclusion_path: Vec::new(),
            checkpoint: String::new(),
        })
    }

    fn hit() -> Hit {
        Hit {
            office_id: "hzyh".to_owned(),
            office_name: "杭州市某公证处".to_owned(),
            case_no: "（2024）浙杭证民字第1234号".to_owned(),
            matter_type: "mandate".to_owned(),
            state: "issued".to_owned(),
            accepted_day: Some(19_723),
            matched_on: vec!["identifier".to_owned(), "subject".to_owned()],
            masked_names: vec!["张*".to_owned()],
            severity: "duplicate".to_owned(),
            first_accepting: true,
            person: Some(PersonMatch {
                party: 0,
                decision: "possible".to_owned(),
                weight_millibits: Some(7_800),
                explanation_zh: "姓名 同音字 +2.1；出生日期 相同 +7.8；先验 -2.1".to_owned(),
                explanation_en: String::new(),
            }),
        }
    }

    fn of_hits(hits: Vec<Hit>) -> Answer {
        Answer {
            hits,
            truncated: false,
            feeds: Vec::new(),
            receipt: receipt(),
            intents: Vec::new(),
            intent_expires_at: None,
        }
    }

    #[test]
    fn a_hit_says_who_holds_it_and_who_was_first() {
        let answer = Answer {
            hits: vec![hit()],
            truncated: false,
            feeds: vec![feed(Some(1_700_000_000)), feed(None)],
            receipt: receipt(),
            intents: Vec::new(),
            intent_expires_at: None,
        };
        insta::assert_snapshot!(at(&answer, 1_700_000_100));
    }

    #[test]
    fn a_hit_by_comparison_that_the_rules_do_not_grade_is_not_called_another_matter() {
        let mut by_person = hit();
        by_person.severity.clear();
        let text = at(&of_hits(vec![by_person]), 1_700_000_100);
        assert!(
            text.contains("【请核实是否同一事项】") && !text.contains("其他事项"),
            "{text}"
        );
    }

    #[test]
    fn that_nobody_could_be_compared_is_not_said_as_that_there_is_nothing() {
        let answer = Answer {
            hits: Vec::new(),
            truncated: true,
            feeds: vec![feed(Some(1_700_000_000))],
            receipt: receipt(),
            intents: Vec::new(),
            intent_expires_at: None,
        };
        let text = at(&answer, 1_700_000_100);
        assert!(
            text.starts_with("未能比对") && !text.contains("未查到"),
            "{text}"
        );
    }

    #[test]
    fn no_hit_says_how_far_the_answer_can_be_trusted() {
        let answer = Answer {
            hits: Vec::new(),
            truncated: false,
            feeds: vec![feed(Some(1_700_000_000))],
            receipt: receipt(),
            intents: Vec::new(),
            intent_expires_at: None,
        };
        insta::assert_snapshot!(at(&answer, 1_700_000_100));
    }

    #[test]
    fn an_intent_says_which_office_is_about_to_accept_what_and_until_when() {
        let answer = Answer {
            hits: Vec::new(),
            truncated: false,
            feeds: vec![feed(Some(1_700_000_000))],
            receipt: receipt(),
            intents: vec![Intent {
                office_id: "hzyh".to_owned(),
                office_name: "杭州市某公证处".to_owned(),
                matter_type: "mandate".to_owned(),
                registered_at: Some(1_700_000_000),
                expires_at: Some(1_700_086_400),
            }],
            intent_expires_at: Some(1_700_086_500),
        };
        let text = at(&answer, 1_700_000_100);
        let lines: Vec<&str> = text.lines().take(3).collect();
        assert_eq!(
            lines,
            [
                "未查到相关办证信息。".to_owned(),
                format!(
                    "【受理意向】杭州市某公证处　委托　{} 登记，{} 失效",
                    time_zh(1_700_000_000),
                    time_zh(1_700_086_400)
                ),
                format!("本处受理意向已登记，{} 失效。", time_zh(1_700_086_500)),
            ]
        );
    }
}
