//! Builders of wire records with sensible defaults.

use notary_proto::hub::v1 as wire;
use time::Date;
use wire::{
    CaseRecord, CaseState, ForeignRelation, IdentifierKind, IdentifierToken, Party, PartyKind,
    PartyRole, Record, RejectedRecord, Subject, SubjectKind, record::Payload,
};

/// A case: an accepted will of one person.
#[derive(Clone, Debug)]
pub struct Case(pub CaseRecord);

pub fn case(source_case_id: &str) -> Case {
    Case(CaseRecord {
        source_case_id: source_case_id.to_owned(),
        revision: 1,
        state: CaseState::Accepted.into(),
        matter_type: "will".to_owned(),
        foreign_relation: ForeignRelation::Domestic.into(),
        applied_day: Some(day("2024-03-01")),
        accepted_day: Some(day("2024-03-04")),
        fee_charged_fen: 12_000,
        parties: vec![person(PartyRole::Testator, 1)],
        ..CaseRecord::default()
    })
}

impl Case {
    pub fn revision(mut self, revision: u64) -> Self {
        self.0.revision = revision;
        self
    }

    pub fn state(mut self, state: CaseState) -> Self {
        self.0.state = state.into();
        self
    }

    pub fn matter(mut self, code: &str) -> Self {
        self.0.matter_type = code.to_owned();
        self
    }

    pub fn number(mut self, serial: u32) -> Self {
        self.0.case_no = format!("（2024）浙杭证民字第{serial}号");
        self
    }

    pub fn accepted(mut self, on: &str) -> Self {
        self.0.accepted_day = Some(day(on));
        self
    }

    pub fn issued(mut self, on: &str) -> Self {
        self.0.state = CaseState::Issued.into();
        self.0.issued_day = Some(day(on));
        self
    }

    pub fn fee(mut self, fen: i64) -> Self {
        self.0.fee_charged_fen = fen;
        self
    }

    pub fn parties(mut self, parties: Vec<Party>) -> Self {
        self.0.parties = parties;
        self
    }

    pub fn subjects(mut self, subjects: Vec<Subject>) -> Self {
        self.0.subjects = subjects;
        self
    }
}

impl From<Case> for Record {
    fn from(case: Case) -> Self {
        Self {
            payload: Some(Payload::Case(case.0)),
        }
    }
}

/// A person whose verified number is told by `number`.
pub fn person(role: PartyRole, number: u8) -> Party {
    Party {
        role: role.into(),
        kind: PartyKind::Natural.into(),
        name: "张三".to_owned(),
        identifier: Some(IdentifierToken {
            kind: IdentifierKind::ResidentId.into(),
            token: vec![number; 16],
            verified: true,
            masked_tail: "002X".to_owned(),
            segment_tokens: Vec::new(),
        }),
        ..Party::default()
    }
}

pub fn home(number: u8) -> Subject {
    Subject {
        kind: SubjectKind::RealEstateUnit.into(),
        token: vec![number; 16],
        masked_tail: "F00010".to_owned(),
        district_code: "330106".to_owned(),
    }
}

/// A record that the agent refused.
pub fn refused(source_case_id: &str, rule_id: &str) -> Record {
    rejected(source_case_id, "cases.csv:12", rule_id, false)
}

/// The same of a record that says no key.
pub fn refused_at(place: &str, rule_id: &str) -> Record {
    rejected("", place, rule_id, false)
}

/// A good record stands at the place now.
pub fn mended_at(place: &str, rule_id: &str) -> Record {
    rejected("", place, rule_id, true)
}

fn rejected(source_case_id: &str, place: &str, rule_id: &str, mended: bool) -> Record {
    Record {
        payload: Some(Payload::Rejected(RejectedRecord {
            source_case_id: source_case_id.to_owned(),
            source_location: place.to_owned(),
            rule_id: rule_id.to_owned(),
            field: "accepted_on".to_owned(),
            value_shape: "9999-99-99".to_owned(),
            rejected_at: None,
            mended,
        })),
    }
}

pub fn day(text: &str) -> i32 {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = Date::parse(text, format).unwrap();
    i32::try_from((date - time::macros::date!(1970 - 01 - 01)).whole_days()).unwrap()
}
