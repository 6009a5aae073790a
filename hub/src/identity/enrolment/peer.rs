//! Which office a client certificate names. The chain, the dates and the signature are rustls's work; here
//! the leaf's own fields are read, strictly: what the hub would not have issued is nobody.

use std::collections::HashSet;

use linkage::office::OfficeId;
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER,
    OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_SUBJECT_ALT_NAME, OID_X509_EXT_SUBJECT_KEY_IDENTIFIER, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::TrustDomain;
use crate::identity::{OfficeIdentity, Serial};

/// Why a certificate names no office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    #[error("the certificate is no X.509 DER or has bytes behind it")]
    Malformed,
    #[error("the certificate has an extension that the hub never writes, or one twice")]
    ForeignExtension,
    #[error("the certificate is a CA's")]
    IsAuthority,
    #[error("the certificate may not authenticate clients")]
    WrongUsage,
    #[error("the certificate has no subject alternative name or more than one")]
    NotOneName,
    #[error("the certificate's name is no office of this trust domain")]
    NotAnOffice,
    #[error("the certificate's key is no ECDSA key on P-256")]
    UnsuitableKey,
    #[error("the certificate's serial number is none of this hub's")]
    ForeignSerial,
}

/// What the hub writes into an office's certificate.
const EXTENSIONS: [Oid<'static>; 6] = [
    OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER,
    OID_X509_EXT_SUBJECT_KEY_IDENTIFIER,
    OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_EXTENDED_KEY_USAGE,
    OID_X509_EXT_SUBJECT_ALT_NAME,
];

/// What a verified leaf certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub office: OfficeIdentity,
    /// End of the certificate. After it, the office can do nothing but renew.
    pub not_after: OffsetDateTime,
}

/// Reads the office out of a leaf certificate that rustls has verified.
pub fn identify(leaf: &[u8], trust_domain: &TrustDomain) -> Result<Peer, PeerError> {
    let (rest, leaf) = X509Certificate::from_der(leaf).map_err(|_| PeerError::Malformed)?;
    if !rest.is_empty() {
        return Err(PeerError::Malformed);
    }
    check_extensions(&leaf)?;
    check_constraints(&leaf)?;
    check_usage(&leaf)?;
    check_key(&leaf)?;
    let office_id = office_of(only_uri(&leaf)?, trust_domain)?;
    let serial = Serial::try_from(leaf.raw_serial()).map_err(|_| PeerError::ForeignSerial)?;
    Ok(Peer {
        office: OfficeIdentity::new(office_id, serial),
        not_after: leaf.validity().not_after.to_datetime(),
    })
}

/// rustls overlooks some extensions of a leaf, also when they are critical or given twice.
fn check_extensions(leaf: &X509Certificate<'_>) -> Result<(), PeerError> {
    let mut seen = HashSet::new();
    let ours = leaf
        .extensions()
        .iter()
        .all(|extension| EXTENSIONS.contains(&extension.oid) && seen.insert(&extension.oid));
    ours.then_some(()).ok_or(PeerError::ForeignExtension)
}

fn check_constraints(leaf: &X509Certificate<'_>) -> Result<(), PeerError> {
    match leaf.basic_constraints() {
        Ok(Some(constraints)) if constraints.value.ca => Err(PeerError::IsAuthority),
        Ok(_) => Ok(()),
        Err(_) => Err(PeerError::Malformed),
    }
}

fn check_usage(leaf: &X509Certificate<'_>) -> Result<(), PeerError> {
    let extended = leaf
        .extended_key_usage()
        .map_err(|_| PeerError::Malformed)?
        .ok_or(PeerError::WrongUsage)?;
    let usage = leaf
        .key_usage()
        .map_err(|_| PeerError::Malformed)?
        .ok_or(PeerError::WrongUsage)?;
    let signs_certificates = usage.value.key_cert_sign() || usage.value.crl_sign();
    match extended.value.client_auth && usage.value.digital_signature() && !signs_certificates {
        true => Ok(()),
        false => Err(PeerError::WrongUsage),
    }
}

fn check_key(leaf: &X509Certificate<'_>) -> Result<(), PeerError> {
    let key = leaf.public_key();
    let curve = key
        .algorithm
        .parameters
        .as_ref()
        .and_then(|p| p.as_oid().ok());
    let is_p256 = key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY
        && curve.is_some_and(|curve| curve == OID_EC_P256);
    is_p256.then_some(()).ok_or(PeerError::UnsuitableKey)
}

/// SPIFFE X.509-SVID, section 2: exactly one URI name. Names of other kinds are refused as well: the hub
/// issues none.
fn only_uri<'a>(leaf: &'a X509Certificate<'_>) -> Result<&'a str, PeerError> {
    let names = leaf
        .subject_alternative_name()
        .map_err(|_| PeerError::Malformed)?
        .ok_or(PeerError::NotOneName)?;
    match names.value.general_names.as_slice() {
        [GeneralName::URI(uri)] => Ok(uri),
        _ => Err(PeerError::NotOneName),
    }
}

/// `spiffe://<trust_domain>/office/<office_id>`, byte for byte: no percent-encoding, no empty or dotted
/// segment, no port, no query, no other case.
fn office_of(uri: &str, trust_domain: &TrustDomain) -> Result<OfficeId, PeerError> {
    uri.strip_prefix("spiffe://")
        .and_then(|rest| rest.strip_prefix(trust_domain.as_str()))
        .and_then(|rest| rest.strip_prefix("/office/"))
        .and_then(|office_id| office_id.parse().ok())
        .ok_or(PeerError::NotAnOffice)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domain() -> TrustDomain {
        "notary.hangzhou".parse().expect("a trust domain")
    }

    #[test]
    fn only_the_exact_form_names_an_office() {
        let office = office_of("spiffe://notary.hangzhou/office/hzgl", &domain());
        assert_eq!(office.map(|id| id.to_string()), Ok("hzgl".into()));
        for uri in [
            "",
            "spiffe://",
            "spiffe://notary.hangzhou",
            "spiffe://notary.hangzhou/",
            "spiffe://notary.hangzhou/office",
            "spiffe://notary.hangzhou/office/",
            "spiffe://notary.hangzhou/office/hzgl/",
            "spiffe://notary.hangzhou/office//hzgl",
            "spiffe://notary.hangzhou//office/hzgl",
            "spiffe://notary.hangzhou/office/../office/hzgl",
            "spiffe://notary.hangzhou/office/./hzgl",
            "spiffe://notary.hangzhou/office/hz%67l",
            "spiffe://notary.hangzhou/office/hzgl%00",
            "spiffe://notary.hangzhou/office/hzgl\0",
            "spiffe://notary.hangzhou/office/hzgl?x=1",
            "spiffe://notary.hangzhou/office/hzgl#x",
            "spiffe://notary.hangzhou/office/hzgl ",
            "spiffe://notary.hangzhou/office/HZGL",
            "spiffe://notary.hangzhou/Office/hzgl",
            "spiffe://notary.hangzhou/people/hzgl",
            "spiffe://notary.hangzhou:443/office/hzgl",
            "spiffe://a@notary.hangzhou/office/hzgl",
            "spiffe://notary.hangzhou.evil/office/hzgl",
            "spiffe://evil.notary.hangzhou/office/hzgl",
            "spiffe://NOTARY.hangzhou/office/hzgl",
            "SPIFFE://notary.hangzhou/office/hzgl",
            "https://notary.hangzhou/office/hzgl",
            " spiffe://notary.hangzhou/office/hzgl",
            "spiffe://notary.hangzhou/office/hzgl\u{430}",
        ] {
            assert_eq!(
                office_of(uri, &domain()),
                Err(PeerError::NotAnOffice),
                "{uri}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_names_an_office_reads_back(uri in "spiffe://notary\\.hangzhou/office/[a-z0-9./%-]{0,18}") {
            if let Ok(office) = office_of(&uri, &domain()) {
                prop_assert_eq!(uri, format!("spiffe://notary.hangzhou/office/{office}"));
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(identify(&bytes, &domain()).is_err());
        }
    }
}
