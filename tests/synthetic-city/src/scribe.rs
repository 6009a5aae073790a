//! Writes a script down as the case an office's system holds. Every throw of the dice happens at every step of
//! the city's life, so that a case changes only where its life or somebody's correction changed it.
use linkage::vocabulary::{CaseState, ForeignRelation, PartyKind, PartyRole};
use time::{Duration, PrimitiveDateTime, Time};

use crate::breach::Breach;
use crate::calendar::Calendar;
use crate::case::{Case, Document, Party, Quality, Subject};
use crate::casting;
use crate::city::City;
use crate::dice::{Dice, Draw};
use crate::flaw::{DocumentSlip, Flaw, REJECTED, Slip};
use crate::lifecycle::{Standing, Timeline};
use crate::matter::{Cast, Price};
use crate::office::{Office, Vendor};
use crate::people::Person;
use crate::script::{Blemish, Script};
use crate::tariff;

/// Cases of 10,000 whose fee is corrected at one step.
const FEE_CORRECTED: u32 = 30;
/// Cases of 10,000 that go back from issued to review at one step.
const REOPENED: u32 = 3;

pub(crate) struct Scribe<'a> {
    pub(crate) city: &'a City,
    pub(crate) house: &'a Office,
    pub(crate) office: usize,
    pub(crate) ordinal: u32,
    pub(crate) script: &'a Script,
    pub(crate) breach: Option<Breach>,
    pub(crate) dice: Dice,
}

/// What people did to a record after it was first written, apart from the case moving on.
#[derive(Debug, Default)]
struct Amendments {
    count: u32,
    /// Step of the last one.
    last: u32,
    fee_corrected: bool,
    reopened: bool,
    fixed: bool,
}

#[derive(Debug)]
struct Fee {
    charged: i64,
    reduced: i64,
    reason: Option<&'static str>,
    legal_aid: bool,
}

impl Scribe<'_> {
    pub(crate) fn write(mut self) -> Case {
        let calendar = self.city.calendar();
        let applied = application_day(calendar, self.ordinal, self.house.cases);
        let applied_on = calendar.day(applied);
        let timeline = Timeline::draw(&mut self.dice, calendar, applied, self.script.fate);
        let flaw = self.draw_flaw(&timeline);
        let amendments = self.amendments(&timeline, flaw.map(|(_, fixed_at)| fixed_at));
        let standing = timeline.standing(self.city.today());
        let mut quality = Vec::new();
        let parties = self.parties(&mut quality);
        let subjects = self.subjects();
        let amount_fen = self.amount_fen();
        let certificates = self.certificates();
        let fee = self.fee(amount_fen, certificates.unwrap_or(1), &standing);
        let major = self.dice.chance(if amount_fen > 2_000_000_000 {
            2_000
        } else {
            30
        });
        let mut case = Case {
            office: self.office,
            ordinal: self.ordinal,
            source_case_id: source_case_id(self.house, applied_on.year(), self.ordinal),
            revision: standing.events as u64 + u64::from(amendments.count),
            state: standing.state,
            case_no: standing.accepted_on.map(|on| self.case_no(on.year())),
            matter_type: self.city.matter_type(self.script.profile),
            foreign_relation: foreign_relation(self.script.place),
            place_of_use: self.script.place,
            notary: self.dice.below(self.house.notaries.len() as u32) as usize,
            applied_on,
            accepted_on: standing.accepted_on,
            issued_on: standing.issued_on,
            closed_on: standing.closed_on,
            reason_code: standing.closed_on.and(timeline.reason),
            fee_charged_fen: fee.charged,
            fee_reduced_fen: fee.reduced,
            fee_reduction_reason: fee.reason,
            amount_fen,
            legal_aid: fee.legal_aid,
            home_visit: self
                .dice
                .chance(if self.script.profile.cast == Cast::Testator {
                    900
                } else {
                    120
                }),
            major,
            discussed: self.dice.chance(9_000) && major,
            approved_on: standing.approved_on,
            approver: None,
            certificates,
            excused: standing.issued_on.and(timeline.excused),
            parties,
            subjects,
            modified_at: self.modified_at(&standing, &amendments),
            flaw: flaw.map(|(flaw, _)| flaw).filter(|_| !amendments.fixed),
            quality,
            breaches: Vec::new(),
        };
        // Whoever approves is not whoever handles.
        case.approver = case
            .approved_on
            .map(|_| (case.notary + 1) % self.house.notaries.len());
        self.amend(&mut case, &amendments);
        let late = timeline.late && case.issued_on.is_some();
        let misdated = self.misdate(&mut case);
        self.note_breaches(&mut case, late && !misdated, misdated);
        if case.flaw.is_some() {
            // Nobody sees the finer faults of a record that was refused.
            case.quality.clear();
            case.breaches.clear();
        }
        case
    }

    /// Writes down which rules of supervision the case breaks, and breaks the one that it was given.
    fn note_breaches(&self, case: &mut Case, late: bool, misdated: bool) {
        let given = self.breach.filter(|breach| breach.apply(case));
        let turned = given == Some(Breach::StepOrder);
        if turned && !misdated {
            case.quality.push(Quality {
                rule_id: "DATE_ORDER",
                party: None,
            });
        }
        let misdated = misdated && !turned;
        let accepted = case.state.is_accepted_or_later();
        let excluded = self.house.matters_excluded();
        let noted = [
            ("TIME_LIMIT", late && !turned),
            ("STEP_ORDER", misdated),
            ("IN_PERSON_BY_AGENT", self.script.unlawful_agent && accepted),
            (
                "SCOPE_NOT_LICENSED",
                excluded.contains(&case.matter_type.code()) && accepted,
            ),
            (
                "MAJOR_NOT_DISCUSSED",
                case.major && !case.discussed && case.state.is_issued_or_later(),
            ),
        ];
        let noted = noted.into_iter().filter(|(_, broken)| *broken);
        let given = given.map(Breach::rule_id);
        case.breaches = noted.map(|(rule_id, _)| rule_id).chain(given).collect();
    }

    /// The flaw that refuses the record, and the step at which the office fixes it.
    fn draw_flaw(&mut self, timeline: &Timeline) -> Option<(Flaw, u32)> {
        let flawed = self.dice.chance(REJECTED) && self.script.blemish == Blemish::Drawn;
        let accepted = timeline.standing(self.city.plan().to).accepted_on.is_some();
        flawed.then(|| {
            (
                Flaw::draw(&mut self.dice, self.house.vendor, accepted),
                1 + self.dice.below(3),
            )
        })
    }

    fn amendments(&self, timeline: &Timeline, fixed_at: Option<u32>) -> Amendments {
        let mut amendments = Amendments::default();
        for step in 1..=self.city.step() {
            let row = u64::from(step) << 32 | u64::from(self.ordinal);
            let mut dice = Dice::new(
                self.city.plan().seed,
                Draw::Amendment,
                self.office as u64,
                row,
            );
            let corrected = dice.chance(FEE_CORRECTED);
            // Only from issued back: what the hub saw at the step before must make it an illegal step.
            let issued_before = timeline
                .standing(self.city.day_of(step - 1))
                .issued_on
                .is_some();
            let reopened =
                dice.chance(REOPENED) && issued_before && self.script.blemish == Blemish::Drawn;
            let fixed = fixed_at == Some(step);
            amendments.fee_corrected |= corrected;
            amendments.reopened |= reopened;
            amendments.fixed |= fixed;
            if corrected || reopened || fixed {
                amendments.count += 1;
                amendments.last = step;
            }
        }
        amendments
    }

    fn amend(&self, case: &mut Case, amendments: &Amendments) {
        if amendments.fee_corrected && case.fee_reduction_reason.is_none() {
            let back = case.fee_charged_fen / 5;
            case.fee_charged_fen -= back;
            case.fee_reduced_fen += back;
            case.fee_reduction_reason = (back > 0).then_some("hardship");
        }
        if amendments.reopened {
            case.state = CaseState::UnderReview;
            case.closed_on = None;
            case.quality.push(Quality {
                rule_id: "ILLEGAL_STEP",
                party: None,
            });
        }
    }

    fn parties(&mut self, quality: &mut Vec<Quality>) -> Vec<Party> {
        let room = self.house.vendor.party_room();
        let people = casting::parties(self.city.plan().seed, &mut self.dice, self.script, room);
        let mut parties: Vec<Party> = people
            .into_iter()
            .map(|(role, person)| party(role, person))
            .collect();
        for (index, party) in parties.iter_mut().enumerate() {
            let drawn = Slip::draw(&mut self.dice);
            let slip = match self.script.blemish {
                Blemish::Drawn => drawn,
                Blemish::None if drawn.document == DocumentSlip::Restyled => drawn,
                Blemish::None => Slip::default(),
                Blemish::Every(slip) => slip,
            };
            let fault = slip.apply(&mut self.dice, party);
            quality.extend(fault.map(|rule_id| Quality {
                rule_id,
                party: Some(index),
            }));
            if self.script.unlawful_agent && party.role == PartyRole::Agent {
                quality.push(Quality {
                    rule_id: "AGENT_NOT_ALLOWED",
                    party: None,
                });
            }
        }
        parties
    }

    fn subjects(&self) -> Vec<Subject> {
        casting::subjects(self.script)
            .into_iter()
            .map(|thing| Subject {
                kind: thing.kind,
                number: thing.number,
                district: thing.district,
            })
            .collect()
    }

    /// Whole thousands of yuan; small amounts are more frequent than large ones.
    fn amount_fen(&mut self) -> i64 {
        let (low, high) = match self.script.profile.price {
            Price::Succession | Price::Status => (300, 9_000),
            Price::Contract if self.script.by_company => (500, 60_000),
            Price::Contract => (50, 8_000),
            Price::Fact | Price::Proof | Price::Market => (0, 0),
        };
        let smaller = self
            .dice
            .between(low, high)
            .min(self.dice.between(low, high));
        let worth = self.script.subject.is_some() || self.script.profile.price == Price::Contract;
        if worth {
            i64::from(smaller) * 1_000 * 100
        } else {
            0
        }
    }

    /// What is priced by the certificate is wanted more than once at times; one case in ten has nobody who counted.
    fn certificates(&self) -> Option<u32> {
        let row = u64::from(self.ordinal);
        let seed = self.city.plan().seed;
        let mut dice = Dice::new(seed, Draw::Certificates, self.office as u64, row);
        let counted = dice.chance(9_000);
        let wanted = 1 + dice.weighted([60, 30, 8, 2].into_iter()) as u32;
        let by_certificate = matches!(self.script.profile.price, Price::Fact | Price::Proof);
        counted.then_some(if by_certificate { wanted } else { 1 })
    }

    /// The fee falls due at acceptance; one in fifty is reduced, with a reason.
    fn fee(&mut self, amount_fen: i64, certificates: u32, standing: &Standing) -> Fee {
        let legal_aid = self.dice.chance(110);
        let elderly = self.dice.chance(90);
        let share = if legal_aid {
            self.dice.pick(&[50, 100])
        } else {
            30
        };
        let full = standing.accepted_on.map_or(0, |on| {
            tariff::fee_fen(
                self.script.profile.price,
                amount_fen,
                on,
                self.script.by_company,
            ) * i64::from(certificates)
        });
        let reason = match (legal_aid, elderly) {
            (true, _) => Some("legal_aid"),
            (false, true) => Some("elderly"),
            (false, false) => None,
        };
        let reduced = if reason.is_some() {
            full * share / 100
        } else {
            0
        };
        Fee {
            charged: full - reduced,
            reduced,
            reason: reason.filter(|_| full > 0),
            legal_aid,
        }
    }

    /// Offices write brackets and spaces as they like.
    fn case_no(&self, year: i32) -> String {
        let (sign, number) = (self.house.sign, self.ordinal + 1);
        let class = match self.script.profile.price {
            _ if self.script.place.is_some() => "外",
            Price::Contract => "经",
            _ => "民",
        };
        match self.office % 3 {
            0 => format!("（{year}）浙杭{sign}证{class}字第{number}号"),
            1 => format!("({year})浙杭{sign}证{class}字第{number}号"),
            _ => format!("（{year}）浙杭{sign}证{class}字 第 {number} 号"),
        }
    }

    fn modified_at(&mut self, standing: &Standing, amendments: &Amendments) -> PrimitiveDateTime {
        let office_hours = Duration::seconds(i64::from(9 * 3_600 + self.dice.below(8 * 3_600)));
        let evening = Duration::seconds(i64::from(18 * 3_600 + self.dice.below(3_600)));
        let moved = PrimitiveDateTime::new(standing.last_on, Time::MIDNIGHT) + office_hours;
        if amendments.count == 0 {
            return moved;
        }
        moved.max(
            PrimitiveDateTime::new(self.city.day_of(amendments.last), Time::MIDNIGHT) + evening,
        )
    }

    /// Certificates dated before their acceptance (whether this one is, is returned), and issued ones without a number.
    fn misdate(&mut self, case: &mut Case) -> bool {
        let (early, unnumbered) = (self.dice.chance(15), self.dice.chance(15));
        let days = Duration::days(i64::from(self.dice.between(1, 20)));
        if self.script.blemish != Blemish::Drawn {
            return false;
        }
        let mut misdated = false;
        if let (true, Some(accepted), Some(issued)) =
            (early, case.accepted_on, case.issued_on.as_mut())
        {
            *issued = accepted - days;
            misdated = true;
            case.quality.push(Quality {
                rule_id: "DATE_ORDER",
                party: None,
            });
        }
        if unnumbered {
            case.case_no = None;
            if case.state.is_issued_or_later() {
                case.quality.push(Quality {
                    rule_id: "CASE_NO_MISSING",
                    party: None,
                });
            }
        }
        misdated
    }
}

/// Cases come evenly over the plan's working days.
pub(crate) fn application_day(calendar: &Calendar, ordinal: u32, cases: u32) -> usize {
    (u64::from(ordinal) * calendar.planned() as u64 / u64::from(cases.max(1))) as usize
}

/// Each vendor numbers cases in its own way.
pub(crate) fn source_case_id(office: &Office, year: i32, ordinal: u32) -> String {
    let number = ordinal + 1;
    match office.vendor {
        Vendor::Normalised => format!("{}-{year}-{number:07}", office.id.as_str().to_uppercase()),
        Vendor::Flat => format!("{year}{number:08}"),
        Vendor::CsvExport => format!("AJ{year}{number:07}"),
        Vendor::Workbook => format!("{year}/{number}"),
    }
}

fn foreign_relation(place: Option<&str>) -> ForeignRelation {
    match place {
        None => ForeignRelation::Domestic,
        Some("HK" | "MO") => ForeignRelation::HongKongMacao,
        Some("TW") => ForeignRelation::Taiwan,
        Some(_) => ForeignRelation::Foreign,
    }
}

fn party(role: PartyRole, person: Person) -> Party {
    Party {
        role,
        kind: if person.sex.is_some() {
            PartyKind::Natural
        } else {
            PartyKind::Legal
        },
        name: person.name,
        document: Some(Document {
            kind: person.document_kind,
            number: person.document_no,
        }),
        sex: person.sex,
        birth_on: person.birth_on,
        phone: Some(person.phone),
        district: person.district,
    }
}
