//! Who speaks: offices by their certificates, people by their sessions.
//!
//! | module | holds |
//! |---|---|
//! | [`pki`] | the keys of a hub as files; the city's CA and the certificates that it makes |
//! | [`enrolment`] | an office's first certificate and the next ones, and which office a certificate names |
//! | [`account`] | people: passwords, second factors, the bureau's identity provider, their own accounts |
//! | [`session`] | bearer tokens of people |
//! | [`revocation`] | who may no longer speak |
//! | `person`, `serial` | what somebody may be, and which certificate is meant |

pub mod account;
pub mod enrolment;
mod person;
pub mod pki;
pub mod revocation;
mod serial;
pub mod session;

pub use account::Sessions;
pub use person::{Person, Role, RoleError, RoleKind};
pub use pki::secret_file::SecretFileError;
pub use serial::Serial;

use linkage::office::OfficeId;

use crate::store::scope::Scope;

/// An office as its verified client certificate names it. The accept loop puts it into the extensions of
/// every request on the agents' listener; nothing in a payload can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfficeIdentity {
    /// What the hub's own checks go by.
    pub office_id: OfficeId,
    /// Serial number of the certificate.
    pub serial: Serial,
    /// What the database goes by, whatever becomes of `office_id`.
    scope: Scope,
}

impl OfficeIdentity {
    pub const fn new(office_id: OfficeId, serial: Serial) -> Self {
        Self {
            office_id,
            serial,
            scope: Scope::of_agent(office_id),
        }
    }

    /// As whom the database lets the office's agent read, and write what is its own.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

/// An office whose certificate has ended, but not long ago: it may renew, and nothing else. Stands in a
/// request's extensions instead of [`OfficeIdentity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LapsedOffice(pub OfficeIdentity);
