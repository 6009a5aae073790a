//! Who speaks: offices by their certificates, people by their sessions.

mod person;
mod serial;

pub use person::{Person, Role, RoleError};
pub use serial::Serial;

use linkage::office::OfficeId;

/// An office as its verified client certificate names it. The accept loop puts it into the extensions of
/// every request on the agents' listener; nothing in a payload can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfficeIdentity {
    pub office_id: OfficeId,
    /// Serial number of the certificate.
    pub serial: Serial,
}
