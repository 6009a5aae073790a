//! What a row of a table may stand for.

use linkage::matter::{MatterGroup, MatterType};
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::vocabulary::ForeignRelation;
use time::Date;

use super::period::Grain;
use crate::filing::FilingKind;
use crate::store::office::Level;
use crate::supervision::rule::Severity;

/// By what figures are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    Office,
    District,
    Level,
    MatterGroup,
    MatterType,
    ForeignRelation,
    Notary,
    /// Rule of supervision.
    Rule,
    FindingSeverity,
    FilingKind,
    Time(Grain),
}

/// One value of a dimension. Values of one dimension are in the order in which people expect them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Office(OfficeId),
    District(DistrictCode),
    Level(Level),
    MatterGroup(MatterGroup),
    MatterType(MatterType),
    ForeignRelation(ForeignRelation),
    /// Licence number; `None` where the case names nobody.
    Notary(Option<String>),
    /// Id; one that this hub does not know any more is a value all the same.
    Rule(String),
    FindingSeverity(Severity),
    FilingKind(FilingKind),
    /// First day.
    Time(Date),
}

/// What a row stands for, in the order of its table's dimensions.
pub type Key = Vec<Value>;

impl Dimension {
    pub const ALL: [Self; 15] = [
        Self::Office,
        Self::District,
        Self::Level,
        Self::MatterGroup,
        Self::MatterType,
        Self::ForeignRelation,
        Self::Notary,
        Self::Rule,
        Self::FindingSeverity,
        Self::FilingKind,
        Self::Time(Grain::Day),
        Self::Time(Grain::Month),
        Self::Time(Grain::Quarter),
        Self::Time(Grain::HalfYear),
        Self::Time(Grain::Year),
    ];

    /// The form in which it is asked for.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::District => "district",
            Self::Level => "level",
            Self::MatterGroup => "matter_group",
            Self::MatterType => "matter_type",
            Self::ForeignRelation => "foreign_relation",
            Self::Notary => "notary",
            Self::Rule => "rule",
            Self::FindingSeverity => "finding_severity",
            Self::FilingKind => "filing_kind",
            Self::Time(grain) => grain.code(),
        }
    }

    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Office => "公证处",
            Self::District => "县（市、区）",
            Self::Level => "层级",
            Self::MatterGroup => "公证类别",
            Self::MatterType => "公证事项",
            Self::ForeignRelation => "涉外类别",
            Self::Notary => "公证员执业证号",
            Self::Rule => "监督规则",
            Self::FindingSeverity => "问题程度",
            Self::FilingKind => "报送种类",
            Self::Time(grain) => grain.name_zh(),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dimension| dimension.code() == code)
    }

    /// Code and Chinese name of every value there can be, where those are a closed list.
    pub fn values(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Level => Level::ALL
                .map(|level| (level.code(), level.label_zh()))
                .into(),
            Self::MatterGroup => {
                let groups = MatterGroup::ALL.iter();
                groups
                    .map(|group| (group.code(), group.label_zh()))
                    .collect()
            }
            Self::MatterType => MatterType::all()
                .map(|matter| (matter.code(), matter.name_zh()))
                .collect(),
            Self::ForeignRelation => {
                let relations = ForeignRelation::ALL.iter();
                relations
                    .map(|relation| (relation.code(), relation.label_zh()))
                    .collect()
            }
            Self::FindingSeverity => {
                let severities = Severity::ALL.iter();
                severities
                    .map(|severity| (severity.code(), severity.label_zh()))
                    .collect()
            }
            Self::FilingKind => {
                let kinds = FilingKind::ALL.iter();
                kinds.map(|kind| (kind.code(), kind.label_zh())).collect()
            }
            // Rules are those of the version in force.
            Self::Office | Self::District | Self::Notary | Self::Rule | Self::Time(_) => Vec::new(),
        }
    }
}

/// The cuts of the rollup of cases: no cell tells more apart than its own cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Matter,
    Day,
    Notary,
}

impl Section {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Matter => "matter",
            Self::Day => "day",
            Self::Notary => "notary",
        }
    }
}

impl Dimension {
    /// The cut that alone has the dimension; `None` for what every cut has.
    pub const fn section(self) -> Option<Section> {
        match self {
            Self::MatterGroup | Self::MatterType | Self::ForeignRelation => Some(Section::Matter),
            Self::Notary => Some(Section::Notary),
            Self::Time(Grain::Day) => Some(Section::Day),
            _ => None,
        }
    }
}

/// The grain of the time dimension among these.
pub fn grain(dimensions: &[Dimension]) -> Option<Grain> {
    dimensions.iter().find_map(|dimension| match dimension {
        Dimension::Time(grain) => Some(*grain),
        _ => None,
    })
}
