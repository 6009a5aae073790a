//! Who speaks: offices by their certificates, people by their sessions.
//!
//! | module | holds |
//! |---|---|
//! | [`pki`] | the keys of a hub as files |
//! | [`ca`] | the city's CA as files, and its succession |
//! | [`authority`], [`server_certificate`] | certificates for offices and for the hub itself |
//! | [`peer`] | which office a client certificate names |
//! | [`enrol`], [`join_token`] | an office's first certificate, and the next ones |
//! | [`revocation`] | who may no longer speak |
//! | [`account`], [`password`], [`second_factor`] | people, and signing in |
//! | [`directory`] | what people are called, as whoever asks may know it |
//! | [`new_password`], [`own_password`] | what may be a password, and changing one's own |
//! | [`oidc`] | signing in through the bureau's identity provider |
//! | [`session`], [`session_key_file`] | bearer tokens, and the keys that sign them |
//! | [`token_key_file`] | the city's token key, and the next one, as files |

pub mod account;
pub mod authority;
pub mod ca;
pub mod directory;
pub mod enrol;
pub mod join_token;
pub mod new_password;
pub mod oidc;
pub mod own_account;
pub mod own_password;
pub mod own_second_factor;
pub mod password;
pub mod peer;
pub mod pepper;
mod person;
pub mod pki;
pub mod revocation;
pub mod second_factor;
pub(crate) mod secret_file;
mod serial;
pub mod server_certificate;
pub mod session;
pub mod session_key_file;
pub mod token_key_file;

pub use account::Sessions;
pub use person::{Person, Role, RoleError, RoleKind};
pub use secret_file::SecretFileError;
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
