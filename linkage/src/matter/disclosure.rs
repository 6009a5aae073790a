//! What of a case may be told to another office that asks, as the rules text says it for each matter.

use super::MatterType;
use crate::vocabulary::{PartyRole, Purpose, vocabulary};

vocabulary! {
    /// How much of a case an answer shows, the least first.
    Shown, "shows" {
        /// That there is one, and how grave it is for what is asked. Not even where.
        Hit = "hit" "仅提示命中",
        /// Holding office, matter, state, day of acceptance and case number.
        Case = "case" "案件要素",
        /// The same, and the parties' names, masked.
        Names = "names" "案件要素及掩码姓名",
    }
}

vocabulary! {
    /// Whether who asks must name an own case or intake.
    CaseReference, "case_reference" {
        Required = "required" "须有本处案号或收件号",
        Optional = "optional" "可不填",
    }
}

/// What a look-up is told of a case of one matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// How much is shown.
    pub shows: Shown,
    /// To whom: look-ups for one of these purposes.
    pub purposes: Vec<Purpose>,
    /// Whether they must name an own case or intake.
    pub case_reference: CaseReference,
    /// What unseals it; `None` for a matter that is not sealed.
    pub sealed_until: Option<Opening>,
}

/// What unseals a sealed matter: a look-up about another matter that names the holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The matter that a look-up must be about.
    pub about: MatterType,
    /// The role of the person in the sealed case …
    pub holder: Vec<PartyRole>,
    /// … who in the look-up must be named in one of these.
    pub named_as: Vec<PartyRole>,
}

impl Disclosure {
    /// Whether somebody who asks for `purpose`, with or without a reference to an own case, may be told.
    #[must_use]
    pub fn admits(&self, purpose: Purpose, case_reference: Option<&str>) -> bool {
        let referred = case_reference.is_some_and(|reference| !reference.is_empty());
        let enough = match self.case_reference {
            CaseReference::Required => referred,
            CaseReference::Optional => true,
        };
        enough && self.purposes.contains(&purpose)
    }

    /// Whether an office with a case of `own` about the same matter may know of this one: that of the matter that
    /// unseals it may, and everybody where nothing is sealed.
    #[must_use]
    pub fn is_open_to(&self, own: MatterType) -> bool {
        self.sealed_until
            .as_ref()
            .is_none_or(|opening| opening.about == own)
    }
}
