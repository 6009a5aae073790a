//! What an office does against the rules of supervision. Each rule about a single case has its breach here, so that the
//! smallest city can be given one; what also comes of how cases go (a certificate that is late, a step out of order, a
//! major case that nobody discussed) is noted where it happens.
use linkage::vocabulary::CaseState;
use time::Duration;

use crate::case::Case;
use crate::dice::Dice;
use crate::lifecycle::Fate;
use crate::matter::{Cast, Price, profile_of};
use crate::office::Office;
use crate::people::Property;
use crate::script::{Script, Thing};

/// GB/T 2260 of a place outside of every office's practice area.
const ELSEWHERE: &str = "330203";
/// Below whatever the tariff has for one certificate, in fen.
const TOO_LITTLE: i64 = 8_000;
/// An amount that makes a case major, in fen.
const FORTUNE: i64 = 12_000_000_000;

/// One breach that a case was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    Scope,
    InPerson,
    ApprovalMissing,
    ApprovedByHandler,
    FeeBelow,
    FeeAbove,
    ReductionUnexplained,
    LegalAidNotReduced,
    PracticeArea,
    PracticeAreaParty,
    MajorNotFlagged,
    MajorNotDiscussed,
    StepOrder,
    /// A certificate that is revoked, and nobody answers for it.
    WrongCertificate,
    /// The handling notary's own relative.
    Recusal,
}

/// Of 10,000 cases that a breach fits, those that have it. What fits seldom is done more often, so that a small city
/// has something of everything.
const SHARES: [(Breach, u32); 15] = [
    (Breach::PracticeArea, 200),
    (Breach::PracticeAreaParty, 300),
    (Breach::InPerson, 400),
    (Breach::Scope, 60),
    (Breach::MajorNotFlagged, 40),
    (Breach::FeeBelow, 40),
    (Breach::FeeAbove, 40),
    (Breach::ReductionUnexplained, 30),
    (Breach::LegalAidNotReduced, 30),
    (Breach::ApprovalMissing, 30),
    (Breach::ApprovedByHandler, 30),
    (Breach::Recusal, 30),
    (Breach::MajorNotDiscussed, 5),
    (Breach::StepOrder, 5),
    (Breach::WrongCertificate, 5),
];

impl Breach {
    /// Every breach.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        SHARES.into_iter().map(|(breach, _)| breach)
    }

    /// The rule that points at it.
    pub(crate) const fn rule_id(self) -> &'static str {
        match self {
            Self::Scope => "SCOPE_NOT_LICENSED",
            Self::InPerson => "IN_PERSON_BY_AGENT",
            Self::ApprovalMissing => "APPROVAL_MISSING",
            Self::ApprovedByHandler => "APPROVED_BY_HANDLER",
            Self::FeeBelow => "FEE_BELOW_TARIFF",
            Self::FeeAbove => "FEE_ABOVE_TARIFF",
            Self::ReductionUnexplained => "REDUCTION_UNEXPLAINED",
            Self::LegalAidNotReduced => "LEGAL_AID_NOT_REDUCED",
            Self::PracticeArea => "PRACTICE_AREA",
            Self::PracticeAreaParty => "PRACTICE_AREA_PARTY",
            Self::MajorNotFlagged => "MAJOR_NOT_FLAGGED",
            Self::MajorNotDiscussed => "MAJOR_NOT_DISCUSSED",
            Self::StepOrder => "STEP_ORDER",
            Self::WrongCertificate => "WRONG_CERTIFICATE",
            Self::Recusal => "RECUSAL",
        }
    }

    /// What a case of that script does wrong, if anything.
    pub(crate) fn draw(dice: &mut Dice, script: &Script, office: &Office) -> Option<Self> {
        let thrown = SHARES.map(|(breach, share)| dice.chance(share).then_some(breach));
        thrown
            .into_iter()
            .flatten()
            .find(|breach| breach.fits(script, office))
    }

    pub(crate) fn fits(self, script: &Script, office: &Office) -> bool {
        let profile = script.profile;
        let goes_on = !matches!(script.fate, Fate::Refused | Fate::Withdrawn);
        match self {
            Self::Scope => goes_on && !office.matters_excluded().is_empty(),
            Self::InPerson => goes_on && profile.cast == Cast::Testator,
            Self::FeeBelow | Self::FeeAbove => {
                goes_on && matches!(profile.price, Price::Fact | Price::Proof | Price::Contract)
            }
            Self::PracticeArea => {
                let lies_somewhere = matches!(
                    script.subject,
                    Some(Thing::Unit(_) | Thing::Certificate(_) | Thing::Flat(_) | Thing::Loan(_))
                );
                // These may follow the person (公证法 art. 25).
                let follows = ["mandate", "declaration", "gift", "will"].contains(&profile.code);
                goes_on && lies_somewhere && !follows
            }
            Self::PracticeAreaParty => {
                goes_on && ["will", "survival", "residence", "guardianship"].contains(&profile.code)
            }
            Self::MajorNotFlagged => goes_on && profile.price == Price::Market,
            Self::ApprovalMissing
            | Self::ApprovedByHandler
            | Self::ReductionUnexplained
            | Self::LegalAidNotReduced
            | Self::MajorNotDiscussed
            | Self::StepOrder
            | Self::WrongCertificate
            | Self::Recusal => goes_on,
        }
    }

    /// What changes before the case is written down.
    pub(crate) fn bend(self, script: &mut Script, office: &Office) {
        match (self, office.matters_excluded()) {
            (Self::Scope, [matter, ..]) => {
                script.profile = profile_of(matter);
                script.by_company = script.profile.cast == Cast::Company;
                (script.subject, script.place) = (None, None);
            }
            (Self::InPerson, _) => script.unlawful_agent = true,
            (Self::WrongCertificate, _) => script.fate = Fate::Revoked,
            _ => {}
        }
    }

    /// What changes in the case as it was written down. Returns whether it breaks its rule as it stands now; what is
    /// noted with whatever else breaks the rule does not say so here.
    pub(crate) fn apply(self, case: &mut Case) -> bool {
        let full = case.fee_charged_fen + case.fee_reduced_fen;
        let accepted = case.accepted_on.is_some();
        match self {
            Self::Scope | Self::InPerson | Self::Recusal | Self::WrongCertificate => false,
            Self::MajorNotDiscussed => {
                (case.major, case.discussed) = (true, false);
                false
            }
            Self::StepOrder => {
                let early = case.accepted_on.map(|on| on - Duration::days(3));
                let turned = case.issued_on.is_some() && early.is_some();
                if turned {
                    case.issued_on = early;
                }
                turned
            }
            Self::ApprovalMissing => {
                (case.approved_on, case.approver) = (None, None);
                case.state.is_issued_or_later()
            }
            Self::ApprovedByHandler => {
                case.approver = case.approver.map(|_| case.notary);
                case.approver.is_some()
            }
            Self::FeeBelow | Self::FeeAbove if !accepted => false,
            Self::FeeBelow => {
                charge(case, TOO_LITTLE, 0);
                keeps_fee(case.state)
            }
            Self::FeeAbove => {
                // More than a legal person pays, and it is known of how many certificates.
                charge(case, full * 3, 0);
                case.certificates.get_or_insert(1);
                keeps_fee(case.state) && full > 0
            }
            Self::ReductionUnexplained => {
                let reduced = full * 3 / 10;
                charge(case, full - reduced, reduced);
                reduced > 0
            }
            Self::LegalAidNotReduced => {
                charge(case, full, 0);
                case.legal_aid = true;
                accepted && full > 0 && keeps_fee(case.state)
            }
            Self::PracticeArea => {
                for subject in case.subjects.iter_mut().filter(|s| s.district.is_some()) {
                    subject.district = Some(ELSEWHERE);
                    subject.number = Property::moved(&subject.number, ELSEWHERE);
                }
                case.state.is_accepted_or_later()
            }
            Self::PracticeAreaParty => {
                for party in &mut case.parties {
                    party.district = ELSEWHERE;
                }
                case.state.is_accepted_or_later()
            }
            Self::MajorNotFlagged => {
                (case.amount_fen, case.major, case.discussed) = (FORTUNE, false, false);
                case.state.is_accepted_or_later()
            }
        }
    }
}

/// Sets the fee, without a reason for a reduction and without legal aid.
fn charge(case: &mut Case, charged: i64, reduced: i64) {
    (case.fee_charged_fen, case.fee_reduced_fen) = (charged, reduced);
    (case.fee_reduction_reason, case.legal_aid) = (None, false);
}

/// Of a case that came to nothing the fee may have been given back.
fn keeps_fee(state: CaseState) -> bool {
    !matches!(
        state,
        CaseState::Rejected | CaseState::Terminated | CaseState::Withdrawn | CaseState::Refused
    )
}
