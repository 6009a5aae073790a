//! The words a vendor's system uses for the canonical codes.
use std::sync::LazyLock;

use linkage::identifier::IdentifierKind;
use linkage::matter::MatterType;
use linkage::subject::SubjectKind;
use linkage::vocabulary::{
    CaseState, ExcuseReason, ForeignRelation, PartyKind, PartyRole, ReasonCode, Sex,
};

use crate::office::Vendor;

/// One vocabulary: canonical value, canonical code, the vendor's word.
#[derive(Debug)]
pub(super) struct Lexicon<T>(Vec<(T, &'static str, String)>);

impl<T: Copy + PartialEq> Lexicon<T> {
    /// The vendor's word for a value.
    pub(super) fn word(&self, value: T) -> &str {
        let entry = self.0.iter().find(|(known, _, _)| *known == value);
        &entry
            .expect("a lexicon holds every value of its vocabulary")
            .2
    }

    /// (the vendor's word, canonical code), in the order of the vocabulary.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(_, code, word)| (word.as_str(), *code))
    }
}

/// Everything a vendor has a word for.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) state: Lexicon<CaseState>,
    pub(super) matter: Lexicon<MatterType>,
    pub(super) relation: Lexicon<ForeignRelation>,
    pub(super) role: Lexicon<PartyRole>,
    pub(super) party_kind: Lexicon<PartyKind>,
    pub(super) sex: Lexicon<Sex>,
    pub(super) document: Lexicon<IdentifierKind>,
    pub(super) subject: Lexicon<SubjectKind>,
    pub(super) reason: Lexicon<ReasonCode>,
    pub(super) excuse: Lexicon<ExcuseReason>,
    pub(super) place: Lexicon<&'static str>,
    pub(super) reduction: Lexicon<&'static str>,
    pub(super) flag: Lexicon<bool>,
    /// A state and a matter that the vendor's own list does not have.
    pub(super) unknown_state: &'static str,
    pub(super) unknown_matter: &'static str,
}

/// Which words a vendor prefers.
#[derive(Clone, Copy)]
enum Taste {
    English,
    Numeric,
    Chinese,
}

impl Taste {
    fn lexicon<T: Copy>(
        self,
        entries: impl Iterator<Item = (T, &'static str, &'static str)>,
    ) -> Lexicon<T> {
        let word = |(position, (value, code, label)): (usize, (T, &'static str, &'static str))| {
            let word = match self {
                Taste::English => code.to_uppercase(),
                Taste::Numeric => format!("{:02}", position + 1),
                Taste::Chinese => label.to_owned(),
            };
            (value, code, word)
        };
        Lexicon(entries.enumerate().map(word).collect())
    }
}

/// `Lexicon` of one of linkage's vocabularies.
macro_rules! of {
    ($taste:expr, $vocabulary:ty) => {
        $taste.lexicon(
            <$vocabulary>::ALL
                .iter()
                .map(|v| (*v, v.code(), v.label_zh())),
        )
    };
}

impl Terms {
    /// The words of a vendor.
    pub(super) fn of(vendor: Vendor) -> &'static Terms {
        static ENGLISH: LazyLock<Terms> = LazyLock::new(|| Terms::new(Taste::English));
        static NUMERIC: LazyLock<Terms> = LazyLock::new(|| Terms::new(Taste::Numeric));
        static CHINESE: LazyLock<Terms> = LazyLock::new(|| Terms::new(Taste::Chinese));
        match vendor {
            Vendor::Normalised => &ENGLISH,
            Vendor::Flat => &NUMERIC,
            Vendor::CsvExport | Vendor::Workbook => &CHINESE,
        }
    }

    fn new(taste: Taste) -> Self {
        let flag = match taste {
            Taste::English => ["Y", "N"],
            Taste::Numeric => ["1", "0"],
            Taste::Chinese => ["是", "否"],
        };
        let (unknown_state, unknown_matter) = match taste {
            Taste::English => ("ON_HOLD", "CONSULTATION"),
            Taste::Numeric => ("99", "99"),
            Taste::Chinese => ("挂起", "法律咨询"),
        };
        Self {
            state: of!(taste, CaseState),
            matter: taste.lexicon(MatterType::all().map(|m| (m, m.code(), m.name_zh()))),
            relation: of!(taste, ForeignRelation),
            role: of!(taste, PartyRole),
            party_kind: of!(taste, PartyKind),
            sex: of!(taste, Sex),
            document: of!(taste, IdentifierKind),
            subject: of!(taste, SubjectKind),
            reason: of!(taste, ReasonCode),
            excuse: of!(taste, ExcuseReason),
            place: places(taste),
            reduction: taste.lexicon(
                REDUCTIONS
                    .iter()
                    .map(|(code, label)| (*code, *code, *label)),
            ),
            flag: Lexicon(vec![
                (true, "true", flag[0].to_owned()),
                (false, "false", flag[1].to_owned()),
            ]),
            unknown_state,
            unknown_matter,
        }
    }
}

const REDUCTIONS: [(&str, &str); 3] = [
    ("legal_aid", "法律援助"),
    ("elderly", "高龄减免"),
    ("hardship", "经济困难"),
];

/// ISO 3166-1: alpha-2, numeric, Chinese name.
const PLACES: [(&str, &str, &str); 22] = [
    ("US", "840", "美国"),
    ("JP", "392", "日本"),
    ("AU", "036", "澳大利亚"),
    ("CA", "124", "加拿大"),
    ("IT", "380", "意大利"),
    ("GB", "826", "英国"),
    ("KR", "410", "韩国"),
    ("DE", "276", "德国"),
    ("FR", "250", "法国"),
    ("ES", "724", "西班牙"),
    ("NZ", "554", "新西兰"),
    ("SG", "702", "新加坡"),
    ("MY", "458", "马来西亚"),
    ("TH", "764", "泰国"),
    ("VN", "704", "越南"),
    ("RU", "643", "俄罗斯"),
    ("BR", "076", "巴西"),
    ("AE", "784", "阿联酋"),
    ("ZA", "710", "南非"),
    ("HK", "344", "中国香港"),
    ("MO", "446", "中国澳门"),
    ("TW", "158", "中国台湾"),
];

fn places(taste: Taste) -> Lexicon<&'static str> {
    let word = |(alpha, numeric, name): &(&'static str, &str, &str)| {
        let word = match taste {
            Taste::English => *alpha,
            Taste::Numeric => *numeric,
            Taste::Chinese => *name,
        };
        (*alpha, *alpha, word.to_owned())
    };
    Lexicon(PLACES.iter().map(word).collect())
}
