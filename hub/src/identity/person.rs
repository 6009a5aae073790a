//! People and what they may be.

use std::str::FromStr;

use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::scope::Scope;

/// A person whose session was verified for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub account_id: Uuid,
    /// What the hub's own checks go by.
    pub role: Role,
    /// What the database goes by, whatever becomes of `role`.
    scope: Scope,
}

/// What an account is for. A notary is always one of an office, everybody else of the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// 公证员 of the office.
    Notary(OfficeId),
    /// 市司法局 analyst: figures.
    Analyst,
    /// 市司法局 supervisor: figures, cases, the audit log.
    Supervisor,
    /// Runs the hub: offices, feeds, rejects.
    Operator,
}

/// A role without its office, as stored, sent, and named by rules about who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleKind {
    Notary,
    Analyst,
    Supervisor,
    Operator,
}

/// A role and an office that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    #[error("no such role; there are notary, analyst, supervisor and operator")]
    Unknown,
    #[error("a notary belongs to an office; say which")]
    OfficeMissing,
    #[error("only a notary belongs to an office")]
    OfficeUnexpected,
}

impl Person {
    pub const fn new(account_id: Uuid, role: Role) -> Self {
        Self {
            account_id,
            role,
            scope: Scope::of_account(role, account_id),
        }
    }

    /// As whom the database lets this person read.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The office of a notary.
    pub const fn office_id(&self) -> Option<OfficeId> {
        self.role.office_id()
    }
}

impl Role {
    /// Puts together what is stored and sent apart.
    pub fn new(kind: RoleKind, office_id: Option<OfficeId>) -> Result<Self, RoleError> {
        match (kind, office_id) {
            (RoleKind::Notary, Some(office_id)) => Ok(Self::Notary(office_id)),
            (RoleKind::Notary, None) => Err(RoleError::OfficeMissing),
            (_, Some(_)) => Err(RoleError::OfficeUnexpected),
            (RoleKind::Analyst, None) => Ok(Self::Analyst),
            (RoleKind::Supervisor, None) => Ok(Self::Supervisor),
            (RoleKind::Operator, None) => Ok(Self::Operator),
        }
    }

    /// The role without its office.
    pub const fn kind(&self) -> RoleKind {
        match self {
            Self::Notary(_) => RoleKind::Notary,
            Self::Analyst => RoleKind::Analyst,
            Self::Supervisor => RoleKind::Supervisor,
            Self::Operator => RoleKind::Operator,
        }
    }

    /// The office of a notary.
    pub const fn office_id(&self) -> Option<OfficeId> {
        match self {
            Self::Notary(office_id) => Some(*office_id),
            _ => None,
        }
    }
}

impl RoleKind {
    pub const ALL: [Self; 4] = [
        Self::Notary,
        Self::Analyst,
        Self::Supervisor,
        Self::Operator,
    ];

    /// The form in which it is stored and sent.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Notary => "notary",
            Self::Analyst => "analyst",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
        }
    }
}

impl FromStr for RoleKind {
    type Err = RoleError;

    fn from_str(code: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code() == code)
            .ok_or(RoleError::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_kind_and_office() {
        let office_id = "hzgl".parse().expect("an office id");
        for role in [
            Role::Notary(office_id),
            Role::Analyst,
            Role::Supervisor,
            Role::Operator,
        ] {
            assert_eq!(Role::new(role.kind(), role.office_id()), Ok(role));
        }
    }

    #[test]
    fn a_notary_has_an_office_and_nobody_else_does() {
        let office_id = "hzgl".parse().ok();
        assert_eq!(
            Role::new(RoleKind::Notary, None),
            Err(RoleError::OfficeMissing)
        );
        assert_eq!(
            Role::new(RoleKind::Operator, office_id),
            Err(RoleError::OfficeUnexpected)
        );
    }

    #[test]
    fn a_kind_reads_back_from_its_code_alone() {
        for kind in RoleKind::ALL {
            assert_eq!(kind.code().parse(), Ok(kind));
        }
        assert_eq!("Operator".parse::<RoleKind>(), Err(RoleError::Unknown));
    }
}
