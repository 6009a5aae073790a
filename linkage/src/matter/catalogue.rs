//! The catalogue of matters. Codes are ours; groups and articles are those of 公证法.

use std::{fmt, str::FromStr};

use crate::{
    text::serde_as_text,
    vocabulary::{UnknownCode, vocabulary},
};

vocabulary! {
    /// Groups of the catalogue, after 公证法 arts. 11, 12 and 37.
    MatterGroup, "matter_group" {
        /// Art. 11 (1)–(5): contracts, inheritance, unilateral acts, division of property, tenders.
        LegalAct = "legal_act" "法律行为",
        /// Art. 11 (6), (7).
        PersonalFact = "personal_fact" "有法律意义的事实",
        /// Art. 11 (8), (10).
        Document = "document" "有法律意义的文书",
        /// Art. 11 (9).
        Evidence = "evidence" "保全证据",
        /// Art. 37.
        EnforceableDebt = "enforceable_debt" "赋予债权文书强制执行效力",
        /// Art. 12.
        Service = "service" "公证事务",
        /// Art. 11 (11).
        Other = "other" "其他",
    }
}

/// One matter of the catalogue (公证事项).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatterType(u8);

struct Entry {
    code: &'static str,
    name_zh: &'static str,
    group: MatterGroup,
    article: &'static str,
}

const fn entry(
    code: &'static str,
    name_zh: &'static str,
    group: MatterGroup,
    article: &'static str,
) -> Entry {
    Entry {
        code,
        name_zh,
        group,
        article,
    }
}

const CODES: [&str; CATALOGUE.len()] = {
    let mut codes = [""; CATALOGUE.len()];
    let mut i = 0;
    while i < codes.len() {
        codes[i] = CATALOGUE[i].code;
        i += 1;
    }
    codes
};

const ART_11_1: &str = "公证法第十一条第一款第（一）项";
const ART_11_2: &str = "公证法第十一条第一款第（二）项";
const ART_11_3: &str = "公证法第十一条第一款第（三）项";
const ART_11_4: &str = "公证法第十一条第一款第（四）项";
const ART_11_5: &str = "公证法第十一条第一款第（五）项";
const ART_11_6: &str = "公证法第十一条第一款第（六）项";
const ART_11_7: &str = "公证法第十一条第一款第（七）项";
const ART_11_8: &str = "公证法第十一条第一款第（八）项";
const ART_11_9: &str = "公证法第十一条第一款第（九）项";
const ART_11_10: &str = "公证法第十一条第一款第（十）项";
const ART_11_11: &str = "公证法第十一条第一款第（十一）项";
const ART_12_1: &str = "公证法第十二条第（一）项";
const ART_12_2: &str = "公证法第十二条第（二）项";
const ART_12_3: &str = "公证法第十二条第（三）项";
const ART_37: &str = "公证法第三十七条";

static CATALOGUE: [Entry; 30] = {
    use MatterGroup::*;
    [
        entry("inheritance", "继承", LegalAct, ART_11_2),
        entry("will", "遗嘱", LegalAct, ART_11_3),
        entry("mandate", "委托", LegalAct, ART_11_3),
        entry("declaration", "声明", LegalAct, ART_11_3),
        entry("gift", "赠与", LegalAct, ART_11_3),
        entry("contract", "合同（协议）", LegalAct, ART_11_1),
        entry("property_division", "财产分割", LegalAct, ART_11_4),
        entry("marriage", "婚姻状况", PersonalFact, ART_11_6),
        entry("kinship", "亲属关系", PersonalFact, ART_11_6),
        entry("adoption", "收养关系", PersonalFact, ART_11_6),
        entry("birth", "出生", PersonalFact, ART_11_7),
        entry("survival", "生存", PersonalFact, ART_11_7),
        entry("death", "死亡", PersonalFact, ART_11_7),
        entry("identity", "身份（含曾用名）", PersonalFact, ART_11_7),
        entry("residence", "住所地（居住地）", PersonalFact, ART_11_7),
        entry("experience", "经历", PersonalFact, ART_11_7),
        entry("education", "学历、学位", PersonalFact, ART_11_7),
        entry("post", "职务、职称", PersonalFact, ART_11_7),
        entry(
            "criminal_record",
            "有无违法犯罪记录",
            PersonalFact,
            ART_11_7,
        ),
        entry("articles_of_association", "公司章程", Document, ART_11_8),
        entry("evidence_preservation", "保全证据", Evidence, ART_11_9),
        entry("signature", "签名、印鉴、日期", Document, ART_11_10),
        entry("copy", "副本、影印本与原本相符", Document, ART_11_10),
        entry(
            "enforceable_debt",
            "赋予债权文书强制执行效力",
            EnforceableDebt,
            ART_37,
        ),
        entry("tender", "招标投标、拍卖、抽签", LegalAct, ART_11_5),
        entry("deposit", "提存", Service, ART_12_2),
        entry(
            "safekeeping",
            "保管遗嘱、遗产及其他财物、文书",
            Service,
            ART_12_3,
        ),
        entry(
            "registration",
            "法律、行政法规规定的登记",
            Service,
            ART_12_1,
        ),
        entry("guardianship", "意定监护", LegalAct, ART_11_1),
        entry("other", "其他", Other, ART_11_11),
    ]
};

impl MatterType {
    /// Every matter, in the order of the catalogue.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..CATALOGUE.len())
            .map(|index| Self(u8::try_from(index).expect("the catalogue has 30 entries")))
    }

    /// The matter with that code, `None` when the catalogue has none.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|matter| matter.code() == code)
    }

    fn entry(self) -> &'static Entry {
        &CATALOGUE[self.index()]
    }

    /// Position in the catalogue.
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// How many matters the catalogue has.
    pub(super) const COUNT: usize = CATALOGUE.len();

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.entry().code
    }

    /// Chinese name.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        self.entry().name_zh
    }

    /// Group of the catalogue.
    #[must_use]
    pub fn group(self) -> MatterGroup {
        self.entry().group
    }

    /// The article of 公证法 it rests on, in Chinese.
    #[must_use]
    pub fn article(self) -> &'static str {
        self.entry().article
    }
}

impl FromStr for MatterType {
    type Err = UnknownCode;

    fn from_str(code: &str) -> Result<Self, UnknownCode> {
        Self::from_code(code).ok_or(UnknownCode {
            vocabulary: "matter_type",
            known: &CODES,
        })
    }
}

impl fmt::Display for MatterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for MatterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MatterType({})", self.code())
    }
}

serde_as_text!(MatterType);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_distinct_and_finds_its_matter() {
        assert_eq!(
            MatterType::all()
                .map(MatterType::code)
                .collect::<HashSet<_>>()
                .len(),
            MatterType::COUNT
        );
        for matter in MatterType::all() {
            assert_eq!(matter.code().parse(), Ok(matter));
        }
        assert_eq!(MatterType::from_code("Will"), None);
        assert!(
            "".parse::<MatterType>()
                .expect_err("no code")
                .to_string()
                .contains("inheritance, will")
        );
    }

    #[test]
    fn the_catalogue_is_as_published() {
        let lines: Vec<_> = MatterType::all()
            .map(|m| {
                format!(
                    "{:24} {} · {} · {}",
                    m.code(),
                    m.name_zh(),
                    m.group().label_zh(),
                    m.article()
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
