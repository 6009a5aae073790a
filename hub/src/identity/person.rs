//! People and what they may be.

use linkage::office::OfficeId;
use uuid::Uuid;

/// A person whose session was verified for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub account_id: Uuid,
    pub role: Role,
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

impl Role {
    /// Puts together what is stored and sent apart.
    pub fn new(code: &str, office_id: Option<OfficeId>) -> Result<Self, RoleError> {
        match (code, office_id) {
            ("notary", Some(office_id)) => Ok(Self::Notary(office_id)),
            ("notary", None) => Err(RoleError::OfficeMissing),
            ("analyst" | "supervisor" | "operator", Some(_)) => Err(RoleError::OfficeUnexpected),
            ("analyst", None) => Ok(Self::Analyst),
            ("supervisor", None) => Ok(Self::Supervisor),
            ("operator", None) => Ok(Self::Operator),
            _ => Err(RoleError::Unknown),
        }
    }

    /// The role as stored and sent.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Notary(_) => "notary",
            Self::Analyst => "analyst",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_code_and_office() {
        let office_id = "hzgl".parse().expect("an office id");
        for role in [
            Role::Notary(office_id),
            Role::Analyst,
            Role::Supervisor,
            Role::Operator,
        ] {
            assert_eq!(Role::new(role.code(), role.office_id()), Ok(role));
        }
    }

    #[test]
    fn a_notary_has_an_office_and_nobody_else_does() {
        let office_id = "hzgl".parse().ok();
        assert_eq!(Role::new("notary", None), Err(RoleError::OfficeMissing));
        assert_eq!(
            Role::new("operator", office_id),
            Err(RoleError::OfficeUnexpected)
        );
        assert_eq!(Role::new("Operator", None), Err(RoleError::Unknown));
    }
}
