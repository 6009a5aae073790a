//! What households own and sign: flats, vehicles and contracts, each with a number of its own.
use linkage::subject::SubjectKind;

use crate::dice::shuffle;

/// Something a case can be about.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    pub(crate) kind: SubjectKind,
    pub(crate) number: String,
    /// Where real estate lies.
    pub(crate) district: Option<&'static str>,
}

/// Flats, vehicles and contracts per household or company.
const PER_OWNER: u64 = 8;

impl Property {
    /// The `nth` flat (< 8) of household `owner`, known by its unit number: GB/T 37346, 19 characters of the
    /// parcel and 9 of the building on it.
    pub(crate) fn unit(owner: u64, nth: u64, district: &'static str) -> Self {
        let n = shuffle(owner * PER_OWNER + nth, 1_000_000_000);
        let (parcel, building, door) = (n / 10_000, n % 10_000, 101 + n % 97 * 100 + n % 4);
        Self {
            kind: SubjectKind::RealEstateUnit,
            number: format!(
                "{district}{:03}{:03}GB{parcel:05}F{building:04}{door:04}",
                n % 17 + 1,
                n % 29 + 1
            ),
            district: Some(district),
        }
    }

    /// The same flat, known by its certificate: 浙(2021)杭州市不动产权第0001234号.
    pub(crate) fn certificate(owner: u64, nth: u64, district: &'static str) -> Self {
        let n = shuffle(owner * PER_OWNER + nth, 90_000_000);
        Self {
            kind: SubjectKind::RealEstateCertificate,
            number: format!(
                "浙({})杭州市不动产权第{:07}号",
                2016 + n / 10_000_000,
                n % 10_000_000
            ),
            district: Some(district),
        }
    }

    /// The number of a flat as if it lay in another district, of another city.
    pub(crate) fn moved(number: &str, district: &str) -> String {
        match number.strip_prefix("浙(") {
            Some(_) => number.replace("杭州市", "宁波市"),
            None => format!("{district}{}", &number[district.len()..]),
        }
    }

    pub(crate) fn vehicle(owner: u64, nth: u64) -> Self {
        let n = shuffle(owner * PER_OWNER + nth, 100_000_000);
        Self {
            kind: SubjectKind::Vehicle,
            number: format!("LSV{:02}AB2{n:08}", n % 89 + 10),
            district: None,
        }
    }

    pub(crate) fn contract(owner: u64, nth: u64) -> Self {
        let n = shuffle(owner * PER_OWNER + nth, 100_000_000);
        Self {
            kind: SubjectKind::Contract,
            number: format!("HT-{}-{n:08}", 2017 + n % 8),
            district: None,
        }
    }

    /// A diploma or another certificate that a copy is compared with.
    pub(crate) fn paper(owner: u64, nth: u64) -> Self {
        let n = shuffle(owner * PER_OWNER + nth, 100_000_000);
        Self {
            kind: SubjectKind::Certificate,
            number: format!("ZS{n:08}"),
            district: None,
        }
    }
}
