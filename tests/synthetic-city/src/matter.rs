//! What people come for: the share of each matter, who takes part in it, what it is about and what it costs.
//! Shares are round guesses after published yearly figures of Zhejiang and of China (see README.md).

/// One matter type of the catalogue as this city sees it.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Catalogue code.
    pub(crate) code: &'static str,
    /// Cases of 10,000.
    pub(crate) share: u32,
    pub(crate) cast: Cast,
    pub(crate) about: About,
    /// Cases of 10,000 whose certificate is used abroad, in Hong Kong, Macao or Taiwan.
    pub(crate) abroad: u32,
    pub(crate) price: Price,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// The elder has died; head and perhaps a child inherit.
    Inheritance,
    /// One testator.
    Testator,
    /// A principal and an agent of the same household.
    Mandate,
    /// Parent to child.
    Gift,
    /// Head and spouse.
    Spouses,
    /// One natural applicant.
    Applicant,
    /// An applicant and a relative.
    Relatives,
    /// The head, or the spouse, applies about the elder's death.
    Bereaved,
    /// Head adopts a child.
    Adoption,
    /// Elder and head.
    Guardianship,
    /// A natural or legal person and a company.
    Contract,
    /// A debtor and a bank.
    Debt,
    /// A natural applicant, or a company (3 of 10).
    Anyone,
    /// A company.
    Company,
}

/// What a matter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Nothing,
    /// A flat, in this many of 10,000 cases.
    RealEstate(u32),
    /// A flat (6 of 10) or a vehicle (1 of 10).
    Disposal,
    /// A contract.
    Contract,
    /// A loan contract and the mortgaged flat.
    MortgagedLoan,
    /// A diploma or another paper.
    Paper,
}

/// How the fee is found; the amounts are in `tariff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// 出生、生存、死亡、身份、学历…
    Fact,
    /// 亲属关系、签名、副本…
    Proof,
    /// Agreements on personal status.
    Status,
    /// 合同, progressive by amount.
    Contract,
    /// 继承、赠与, progressive by amount.
    Succession,
    /// Left to the market since 2021.
    Market,
}

const fn profile(
    code: &'static str,
    share: u32,
    cast: Cast,
    about: About,
    abroad: u32,
    price: Price,
) -> Profile {
    Profile {
        code,
        share,
        cast,
        about,
        abroad,
        price,
    }
}

/// Every matter of the catalogue; the shares add up to 10,000.
pub(crate) static PROFILES: [Profile; 30] = {
    use self::{About as A, Cast as C, Price as P};
    [
        profile(
            "inheritance",
            760,
            C::Inheritance,
            A::RealEstate(9_000),
            100,
            P::Succession,
        ),
        profile(
            "will",
            300,
            C::Testator,
            A::RealEstate(7_000),
            50,
            P::Market,
        ),
        profile("mandate", 1_500, C::Mandate, A::Disposal, 700, P::Market),
        profile(
            "declaration",
            900,
            C::Applicant,
            A::RealEstate(3_000),
            900,
            P::Market,
        ),
        profile(
            "gift",
            130,
            C::Gift,
            A::RealEstate(10_000),
            30,
            P::Succession,
        ),
        profile("contract", 420, C::Contract, A::Contract, 50, P::Contract),
        profile(
            "property_division",
            160,
            C::Spouses,
            A::RealEstate(10_000),
            20,
            P::Status,
        ),
        profile("marriage", 420, C::Applicant, A::Nothing, 8_500, P::Fact),
        profile("kinship", 760, C::Relatives, A::Nothing, 8_000, P::Proof),
        profile("adoption", 8, C::Adoption, A::Nothing, 2_000, P::Status),
        profile("birth", 800, C::Applicant, A::Nothing, 9_500, P::Fact),
        profile("survival", 60, C::Applicant, A::Nothing, 9_000, P::Fact),
        profile("death", 70, C::Bereaved, A::Nothing, 6_000, P::Fact),
        profile("identity", 90, C::Applicant, A::Nothing, 7_000, P::Fact),
        profile("residence", 60, C::Applicant, A::Nothing, 8_000, P::Fact),
        profile("experience", 90, C::Applicant, A::Nothing, 9_000, P::Fact),
        profile("education", 700, C::Applicant, A::Paper, 9_500, P::Fact),
        profile("post", 90, C::Applicant, A::Nothing, 8_500, P::Fact),
        profile(
            "criminal_record",
            720,
            C::Applicant,
            A::Nothing,
            9_700,
            P::Fact,
        ),
        profile(
            "articles_of_association",
            30,
            C::Company,
            A::Nothing,
            6_000,
            P::Proof,
        ),
        profile(
            "evidence_preservation",
            470,
            C::Anyone,
            A::Nothing,
            30,
            P::Market,
        ),
        profile("signature", 420, C::Anyone, A::Nothing, 4_000, P::Proof),
        profile("copy", 620, C::Anyone, A::Paper, 8_500, P::Proof),
        profile(
            "enforceable_debt",
            190,
            C::Debt,
            A::MortgagedLoan,
            5,
            P::Contract,
        ),
        profile("tender", 60, C::Company, A::Nothing, 0, P::Market),
        profile("deposit", 22, C::Anyone, A::Nothing, 20, P::Market),
        profile("safekeeping", 20, C::Applicant, A::Nothing, 0, P::Market),
        profile(
            "guardianship",
            30,
            C::Guardianship,
            A::Nothing,
            20,
            P::Market,
        ),
        profile("registration", 10, C::Company, A::Nothing, 0, P::Market),
        profile("other", 90, C::Anyone, A::Nothing, 500, P::Market),
    ]
};

/// The profile of a catalogue code that is known to be in the table.
pub(crate) fn profile_of(code: &str) -> &'static Profile {
    PROFILES
        .iter()
        .find(|profile| profile.code == code)
        .expect("the codes used in planting are in the table")
}

/// Place of use and its share of the certificates used outside the mainland.
pub(crate) const PLACES: [(&str, u32); 22] = [
    ("US", 170),
    ("JP", 120),
    ("AU", 90),
    ("CA", 85),
    ("IT", 60),
    ("GB", 60),
    ("KR", 50),
    ("DE", 40),
    ("FR", 40),
    ("ES", 35),
    ("NZ", 25),
    ("SG", 30),
    ("MY", 15),
    ("TH", 20),
    ("VN", 15),
    ("RU", 10),
    ("BR", 10),
    ("AE", 15),
    ("ZA", 5),
    ("HK", 80),
    ("MO", 15),
    ("TW", 10),
];

#[cfg(test)]
mod tests {
    use super::*;
    use linkage::matter::MatterType;

    #[test]
    fn every_matter_of_the_catalogue_has_a_share_and_the_shares_are_whole() {
        let total: u32 = PROFILES.iter().map(|profile| profile.share).sum();
        assert_eq!(total, 10_000);
        for matter in MatterType::all() {
            assert!(
                PROFILES.iter().any(|p| p.code == matter.code()),
                "{} has no share",
                matter.code()
            );
        }
    }
}
