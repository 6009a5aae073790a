//! What offices hand in beside their cases: reports, refusals, who answered for a wrong certificate, complaints and
//! reviews, special paper, declared relatives. Most of it in time, some late, some never.
use serde_json::{Value, json};
use time::{Date, Duration};

use crate::breach::Breach;
use crate::case::{Case, Document};
use crate::city::City;
use crate::dice::{Dice, Draw};
use crate::truth::number;
use linkage::vocabulary::CaseState;

/// Of 10,000 filings that a case asks for, those that never come, and those that come late.
const NEVER: u32 = 2_500;
const LATE: u32 = 1_500;
/// Working days from its receipt in which a complaint is to be dealt with.
const COMPLAINT: usize = 15;
/// Days from its receipt in which a review is to be decided.
const REVIEW: Duration = Duration::days(30);
/// Plans of fewer working days see no complaint through to its end.
const LEAST_DAYS: usize = 100;

/// A filing of an office.
#[derive(Clone, Debug, PartialEq)]
pub struct Filing {
    /// A UUID.
    pub filing_id: String,
    /// Code of the kind, as the hub names it.
    pub kind: &'static str,
    /// The office's own case it concerns; may be empty.
    pub source_case_id: String,
    /// What is reported.
    pub text: &'static str,
    /// The kind's own fields. Relatives have the numbers of their documents.
    pub fields: Value,
    /// The day it is handed in.
    pub filed_on: Date,
}

/// A relative that a notary of an office has declared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kin {
    /// Position of the notary in [`crate::Office::notaries`].
    pub(crate) notary: usize,
    pub(crate) document: Document,
}

/// What a case asks an office to file: rule and kind, since when, and within how many working days.
pub(crate) struct Asked {
    pub(crate) rule_id: &'static str,
    kind: &'static str,
    text: &'static str,
    from: Date,
    working_days: usize,
    row: u64,
}

impl Asked {
    /// Everything that a case that the hub holds asks for.
    pub(crate) fn by(case: &Case) -> impl Iterator<Item = Self> {
        let row = u64::from(case.ordinal) * 2;
        let report = case.accepted_on.filter(|_| case.major).map(|from| Self {
            rule_id: "MAJOR_UNREPORTED",
            kind: "major_case_report",
            text: "标的额较大，当事人较多，特此报告。",
            from,
            working_days: 3,
            row,
        });
        let (rule_id, kind, text, working_days) = match case.state {
            CaseState::Refused => (
                "REFUSAL_UNFILED",
                "refusal",
                "不予受理，已告知救济途径。",
                5,
            ),
            _ => ("WRONG_CERTIFICATE", "accountability", "已按制度处理。", 15),
        };
        let ended = matches!(
            case.state,
            CaseState::Refused | CaseState::Corrected | CaseState::Revoked
        );
        let account = case.closed_on.filter(|_| ended).map(|from| Self {
            rule_id,
            kind,
            text,
            from,
            working_days,
            row: row + 1,
        });
        let sound = case.flaw.is_none();
        [report, account]
            .into_iter()
            .flatten()
            .filter(move |_| sound)
    }

    /// The last day on which it is in time.
    pub(crate) fn due_on(&self, city: &City) -> Date {
        city.calendar().limit_after(self.from, self.working_days)
    }

    /// The day on which the office files it, if it has.
    pub(crate) fn filed_on(&self, city: &City, office: usize) -> Option<Date> {
        let mut dice = self.dice(city, office);
        let working_days = match dice.below(10_000) {
            0..NEVER => return None,
            n if n < NEVER + LATE => self.working_days + 4,
            _ => 1,
        };
        let on = city.calendar().limit_after(self.from, working_days);
        (on <= city.today()).then_some(on)
    }

    fn dice(&self, city: &City, office: usize) -> Dice {
        Dice::new(city.plan().seed, Draw::Filing, office as u64, self.row)
    }

    fn filing(&self, city: &City, case: &Case) -> Option<Filing> {
        let filed_on = self.filed_on(city, case.office)?;
        let house = &city.offices()[case.office];
        let from = self.from.to_string();
        let fields = match self.kind {
            "major_case_report" => json!({ "grounds": ["difficult"], "accepted_on": from }),
            "refusal" => json!({
                "refused_on": from, "matter_type": case.matter_type.code(),
                "reason_code": case.reason_code.map(|reason| reason.code()), "remedy_told": true,
            }),
            _ => json!({
                "decided_on": filed_on.to_string(), "measure": "admonished",
                "responsible_licence_no": house.notaries[case.notary].licence_no,
            }),
        };
        Some(Filing {
            filing_id: uuid(&mut self.dice(city, case.office)),
            kind: self.kind,
            source_case_id: case.source_case_id.clone(),
            text: self.text,
            fields,
            filed_on,
        })
    }
}

/// A complaint or a review, and its outcome.
struct Grievance {
    kind: &'static str,
    received_on: Date,
    decided_on: Option<Date>,
    due_on: Date,
    filing_id: String,
    outcome_id: String,
}

impl City {
    /// What an office has handed in by today; what closes another filing stands behind it.
    ///
    /// # Panics
    /// When the city has no office of that index.
    pub fn filings(&self, office: usize) -> Vec<Filing> {
        let mut filings = Vec::new();
        for case in self.cases(office) {
            filings.extend(Asked::by(&case).filter_map(|asked| asked.filing(self, &case)));
        }
        filings.extend(self.grievances(office).flat_map(Grievance::filings));
        filings.extend(self.paper_filings(office));
        filings.extend(self.recusal_filings(office));
        filings
    }

    /// Relatives that the office's notaries have declared.
    pub(crate) fn kin(&self, office: usize) -> Vec<Kin> {
        let declared = (0..self.offices()[office].cases)
            .filter(|ordinal| self.breach(office, *ordinal) == Some(Breach::Recusal))
            .map(|ordinal| self.case(office, ordinal));
        declared
            .filter_map(|case| {
                let document = case.parties.first()?.document.clone()?;
                // A number that was mistyped at the counter is no relative's.
                number(&document)?;
                Some(Kin {
                    notary: case.notary,
                    document,
                })
            })
            .collect()
    }

    fn recusal_filings(&self, office: usize) -> Vec<Filing> {
        let (house, kin) = (&self.offices()[office], self.kin(office));
        let declaring = (0..house.notaries.len()).filter_map(|notary| {
            let own: Vec<Value> = kin
                .iter()
                .filter(|kin| kin.notary == notary)
                .map(|kin| {
                    json!({
                        "relation": "parent", "id_kind": kin.document.kind.to_string(),
                        "id_number": kin.document.number,
                    })
                })
                .collect();
            (!own.is_empty()).then(|| Filing {
                filing_id: uuid(&mut self.office_dice(office, 100 + notary as u64)),
                kind: "recusal",
                source_case_id: String::new(),
                text: "",
                fields: json!({ "licence_no": house.notaries[notary].licence_no, "kin": own }),
                filed_on: self.plan().from,
            })
        });
        declaring.collect()
    }

    /// Complaints and reviews whose outcome is overdue: rule, filing, and the day of receipt.
    pub(crate) fn overdue(
        &self,
        office: usize,
        judged_on: Date,
    ) -> impl Iterator<Item = (&'static str, String, Date)> {
        let late = self
            .grievances(office)
            .filter(move |one| one.decided_on.unwrap_or(judged_on) > one.due_on);
        late.map(|one| match one.kind {
            "complaint" => ("COMPLAINT_OVERDUE", one.filing_id, one.received_on),
            _ => ("REVIEW_OVERDUE", one.filing_id, one.received_on),
        })
    }

    /// Three complaints and two reviews: dealt with in time, too late, and one not at all.
    fn grievances(&self, office: usize) -> impl Iterator<Item = Grievance> {
        let calendar = self.calendar();
        let seen = calendar.planned() >= LEAST_DAYS;
        let taken_up = [
            ("complaint", 4, Some(10)),
            ("complaint", 3, Some(20)),
            ("complaint", 2, None),
            ("review", 4, Some(12)),
            ("review", 3, Some(40)),
        ];
        let mut number = 0;
        let all = taken_up.map(|(kind, part, after)| {
            number += 2;
            let received = calendar.planned() / part;
            let received_on = calendar.day(received);
            Grievance {
                kind,
                received_on,
                decided_on: after.map(|after| calendar.day(received + after)),
                due_on: match kind {
                    "complaint" => calendar.limit_after(received_on, COMPLAINT),
                    _ => received_on + REVIEW,
                },
                filing_id: uuid(&mut self.office_dice(office, number)),
                outcome_id: uuid(&mut self.office_dice(office, number + 1)),
            }
        });
        all.into_iter().filter(move |_| seen)
    }

    /// What of the office's special paper is not as it should be: rule, series with the first number, and the day.
    pub(crate) fn paper_breach(&self, office: usize) -> Option<(&'static str, String, Date)> {
        let (rule_id, first) = match office % 4 {
            0 => ("PAPER_USED_TWICE", 391),
            1 => ("PAPER_OUT_OF_RANGE", 1_001),
            2 => ("PAPER_UNACCOUNTED", 401),
            _ => return None,
        };
        let paper = format!("{}:{first}", self.paper_series(office));
        Some((rule_id, paper, self.plan().from))
    }

    fn paper_series(&self, office: usize) -> String {
        self.offices()[office].id.as_str().to_uppercase()
    }

    /// A thousand sheets were received; two uses and a spoiling account for those that went.
    fn paper_filings(&self, office: usize) -> [Filing; 1] {
        let on = self.plan().from.to_string();
        let series = self.paper_series(office);
        let movement = |movement: &str, first: u32, last: u32| {
            json!({
                "movement": movement, "series": series, "first_no": first, "last_no": last, "moved_on": on,
            })
        };
        let (second, spoiled) = match office % 4 {
            0 => (391, 701),
            1 => (401, 1_001),
            2 => (411, 701),
            _ => (401, 701),
        };
        let movements = [
            movement("received", 1, 1_000),
            movement("used", 1, 400),
            movement("used", second, 700),
            movement("spoiled", spoiled, spoiled + 4),
        ];
        [Filing {
            filing_id: uuid(&mut self.office_dice(office, 0)),
            kind: "special_paper",
            source_case_id: String::new(),
            text: "",
            fields: json!({ "period": { "first_day": on, "last_day": on }, "movements": movements }),
            filed_on: self.plan().from,
        }]
    }

    /// For what is no case's.
    fn office_dice(&self, office: usize, number: u64) -> Dice {
        Dice::new(self.plan().seed, Draw::OfficeFiling, office as u64, number)
    }
}

impl Grievance {
    fn filings(self) -> impl Iterator<Item = Filing> {
        let mut fields = json!({ "received_on": self.received_on.to_string() });
        if self.kind == "complaint" {
            fields["subject"] = "service".into();
        }
        let outcome = self.decided_on.map(|on| Filing {
            filing_id: self.outcome_id,
            kind: "outcome",
            source_case_id: String::new(),
            text: "已答复。",
            fields: json!({
                "about": self.filing_id, "decided_on": on.to_string(), "result": "not_upheld",
            }),
            filed_on: on,
        });
        let grievance = Filing {
            filing_id: self.filing_id,
            kind: self.kind,
            source_case_id: String::new(),
            text: "当事人认为等候时间过长。",
            fields,
            filed_on: self.received_on,
        };
        [grievance].into_iter().chain(outcome)
    }
}

/// A UUID of version 8, made of dice.
fn uuid(dice: &mut Dice) -> String {
    let mut part = |most: u32| dice.below(most);
    format!(
        "{:08x}-{:04x}-8{:03x}-8{:03x}-{:04x}{:08x}",
        part(u32::MAX),
        part(1 << 16),
        part(1 << 12),
        part(1 << 12),
        part(1 << 16),
        part(u32::MAX)
    )
}
