//! The form of each kind of filing, so that no client keeps a list of its own: what is asked for, in which order, under
//! which name. What an answer may be is decided by [`super::body`] and its checks; a test holds the two together.

use linkage::identifier::IdentifierKind;
use linkage::vocabulary::ReasonCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::check::{KIN, MOST, MOVEMENTS};
use super::list::{ComplaintSubject, MajorGround, Measure, OutcomeResult, PaperChange, Relation};
use super::{FilingKind, KEY_CHARS};

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = FormField)]
pub struct Field {
    /// Of the kind's own field.
    pub name: &'static str,
    pub label_zh: &'static str,
    pub required: bool,
    pub input: Input,
}

/// A code that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FormOption)]
pub struct Choice {
    pub code: &'static str,
    pub name_zh: &'static str,
}

/// How something is answered.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "input", rename_all = "snake_case")]
#[schema(as = FormInput)]
pub enum Input {
    /// A day, YYYY-MM-DD.
    Day,
    /// First and last day.
    Period,
    /// A whole number.
    Count {
        most: i64,
    },
    /// Whole numbers, one for each label.
    Counts {
        labels_zh: Vec<&'static str>,
        most: i64,
    },
    Flag,
    /// Characters.
    Text {
        most: usize,
    },
    Choice {
        options: Vec<Choice>,
    },
    /// Any number of the options.
    Choices {
        options: Vec<Choice>,
    },
    /// A matter of the catalogue.
    Matter,
    /// The id of an earlier filing of the office, of one of these kinds, that nothing closed yet.
    Filing {
        kinds: Vec<FilingKind>,
    },
    /// A list of the same fields.
    Rows {
        #[schema(no_recursion)]
        columns: Vec<Field>,
        most: usize,
    },
    /// An answer to every item of the window's self-assessment.
    Window,
}

/// Characters of a notary's licence, as the checks have it.
const LICENCE: usize = 64;
/// Characters of a series of special paper.
const SERIES: usize = 16;
/// Largest serial number that a form takes: what every client reads exactly.
const LARGEST_NUMBER: i64 = 999_999_999_999;
/// Characters of a document's number.
const DOCUMENT: usize = 64;

fn needed(name: &'static str, label_zh: &'static str, input: Input) -> Field {
    Field {
        name,
        label_zh,
        required: true,
        input,
    }
}

fn optional(name: &'static str, label_zh: &'static str, input: Input) -> Field {
    Field {
        required: false,
        ..needed(name, label_zh, input)
    }
}

const COUNT: Input = Input::Count { most: MOST as i64 };

fn options<T: Copy>(all: &[T], of: fn(T) -> (&'static str, &'static str)) -> Vec<Choice> {
    let all = all.iter().copied().map(of);
    all.map(|(code, name_zh)| Choice { code, name_zh })
        .collect()
}

/// A choice among all of a list's codes.
macro_rules! choice {
    ($list:ident) => {
        Input::Choice {
            options: options(&$list::ALL[..], |one| (one.code(), one.label_zh())),
        }
    };
}

/// The kind's own fields, in the order in which they are filled in.
pub fn fields(kind: FilingKind) -> Vec<Field> {
    let period = || needed("period", "期间", Input::Period);
    let licence = Input::Text { most: LICENCE };
    match kind {
        FilingKind::MajorCaseReport => vec![
            optional(
                "grounds",
                "报告事由",
                Input::Choices {
                    options: options(MajorGround::ALL, |one| (one.code(), one.label_zh())),
                },
            ),
            optional("accepted_on", "受理日期", Input::Day),
        ],
        FilingKind::Refusal => vec![
            optional("refused_on", "不予受理日期", Input::Day),
            optional("matter_type", "公证事项", Input::Matter),
            optional("reason_code", "不予受理理由", choice!(ReasonCode)),
            optional("remedy_told", "已书面告知救济途径", Input::Flag),
        ],
        FilingKind::Instruction => Vec::new(),
        FilingKind::Complaint => vec![
            needed("received_on", "收到日期", Input::Day),
            needed("subject", "投诉内容", choice!(ComplaintSubject)),
        ],
        FilingKind::Review => vec![needed("received_on", "收到日期", Input::Day)],
        FilingKind::Outcome => vec![
            needed(
                "about",
                "所涉投诉或复查",
                Input::Filing {
                    kinds: vec![FilingKind::Complaint, FilingKind::Review],
                },
            ),
            needed("decided_on", "办结日期", Input::Day),
            needed("result", "结果", choice!(OutcomeResult)),
        ],
        FilingKind::Accountability => vec![
            needed("decided_on", "处理日期", Input::Day),
            needed("responsible_licence_no", "责任公证员执业证号", licence),
            needed("measure", "处理结果", choice!(Measure)),
            optional("wrong_on", "所涉撤销、更正日期", Input::Day),
        ],
        FilingKind::Satisfaction => vec![
            period(),
            needed("asked", "发放份数", COUNT),
            needed(
                "answers",
                "各分值答卷",
                Input::Counts {
                    labels_zh: vec!["1 分（不满意）", "2 分", "3 分", "4 分", "5 分（满意）"],
                    most: i64::from(MOST),
                },
            ),
        ],
        FilingKind::QualityFollowUp => vec![
            period(),
            needed("visited", "回访件数", COUNT),
            needed("satisfied", "满意件数", COUNT),
            needed("problems", "发现问题件数", COUNT),
        ],
        FilingKind::ServiceCounts => vec![
            period(),
            needed("legal_aid", "法律援助件数", COUNT),
            needed("home_visits", "上门服务件数", COUNT),
            needed("fee_waivers", "减免收费件数", COUNT),
        ],
        FilingKind::SpecialPaper => vec![period(), needed("movements", "收发记录", movements())],
        FilingKind::Recusal => vec![
            needed("licence_no", "公证员执业证号", licence),
            optional("kin", "近亲属", kin()),
            optional("withdrawn", "撤回申报（已无需回避的近亲属）", Input::Flag),
        ],
        FilingKind::SelfAssessment => vec![
            needed("assessed_on", "自评日期", Input::Day),
            needed("items", "自评项目", Input::Window),
        ],
    }
}

fn movements() -> Input {
    let number = Input::Count {
        most: LARGEST_NUMBER,
    };
    Input::Rows {
        columns: vec![
            needed("movement", "种类", choice!(PaperChange)),
            optional("series", "字轨", Input::Text { most: SERIES }),
            needed("first_no", "起号", number.clone()),
            needed("last_no", "止号", number),
            needed("moved_on", "日期", Input::Day),
            optional(
                "source_case_id",
                "所涉案件主键",
                Input::Text { most: KEY_CHARS },
            ),
        ],
        most: MOVEMENTS,
    }
}

/// As `office-agent file` takes relatives: their numbers become tokens at the office.
fn kin() -> Input {
    Input::Rows {
        columns: vec![
            needed("relation", "关系", choice!(Relation)),
            needed("id_kind", "证件种类", choice!(IdentifierKind)),
            needed("id_number", "证件号码", Input::Text { most: DOCUMENT }),
        ],
        most: KIN,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::filing::body::Body;
    use crate::filing::window::Window;

    const DAY: &str = "2024-06-03";

    /// Whatever the form lets somebody answer.
    fn answer(input: &Input) -> Value {
        match input {
            Input::Day => DAY.into(),
            Input::Period => json!({ "first_day": DAY, "last_day": DAY }),
            Input::Count { .. } => 0.into(),
            Input::Counts { labels_zh, .. } => labels_zh.iter().map(|_| 0).collect(),
            Input::Flag => true.into(),
            Input::Text { .. } => "A1".into(),
            Input::Choice { options } => options[0].code.into(),
            Input::Choices { options } => options.iter().map(|option| option.code).collect(),
            Input::Matter => "will".into(),
            Input::Filing { .. } => uuid::Uuid::nil().to_string().into(),
            Input::Rows { columns, .. } => json!([answers(columns)]),
            Input::Window => {
                let answers = crate::filing::window::tests::answers();
                assert_eq!(answers.len(), Window::builtin().asked().count());
                serde_json::to_value(answers).expect("JSON")
            }
        }
    }

    fn answers(fields: &[Field]) -> Map<String, Value> {
        let answers = fields.iter();
        answers
            .map(|field| (field.name.to_owned(), answer(&field.input)))
            .collect()
    }

    #[test]
    fn what_every_form_asks_for_is_what_its_kind_takes() {
        for kind in FilingKind::ALL.iter().copied() {
            let mut filled = answers(&fields(kind));
            if kind == FilingKind::Recusal {
                // The agent puts the token in place of the number.
                filled["kin"] =
                    json!([{ "relation": "own", "token": "0123456789abcdef0123456789abcdef" }]);
                filled["withdrawn"] = false.into();
            }
            let text = Value::Object(filled.clone()).to_string();
            let body = Body::parse(kind, &text).and_then(Body::checked);
            let body = body.unwrap_or_else(|error| panic!("{}: {error}", kind.code()));
            let body = serde_json::to_value(body).expect("JSON");
            let mut taken = body.as_object().expect("an object").clone();
            taken.remove("kind");
            let asked: Vec<_> = filled.keys().collect();
            assert_eq!(taken.keys().collect::<Vec<_>>(), asked, "{}", kind.code());
        }
    }

    #[test]
    fn what_counts_a_period_can_be_corrected_and_nothing_else() {
        for kind in FilingKind::ALL.iter().copied() {
            let mut fields = fields(kind).into_iter();
            let counts_a_period = fields.any(|field| field.input == Input::Period);
            assert_eq!(kind.is_correctable(), counts_a_period, "{}", kind.code());
        }
    }

    #[test]
    fn what_a_form_says_may_be_left_out_may() {
        for kind in FilingKind::ALL.iter().copied() {
            let needed: Vec<Field> = fields(kind)
                .into_iter()
                .filter(|field| field.required)
                .collect();
            let text = Value::Object(answers(&needed)).to_string();
            assert!(
                kind == FilingKind::Recusal || Body::parse(kind, &text).is_ok(),
                "{}",
                kind.code()
            );
        }
    }
}
