//! Where figures come from: each family of facts has its own counts and its own dimensions, and is read by its own
//! statement (`store::figures`). Cases are counted beforehand, in the rollup; the others are few beside them and are
//! counted when they are asked for.

use std::ops::AddAssign;

use super::contribution::Counts;
use super::counts::counts;
use super::dimension::Dimension;
use super::period::Grain;

counts! {
    /// Pairs of applications that the hub holds for related, by severity, each counted once wherever both cases are.
    DuplicateCounts { duplicates, conflicts, related }
}

counts! {
    /// Look-ups of offices, by their answers.
    LookUpCounts { hits, no_hits, denied }
}

counts! {
    /// Persons as linkage tells them apart, each counted once.
    PersonCounts { persons }
}

counts! {
    /// What the rules of supervision point at, by what people made of it.
    FindingCounts {
        open,
        notified,
        rectified,
        verified,
        dismissed,
        /// Cases that anything but what was dismissed is about, each counted once.
        cases,
        /// Those of them that have ended, as `concluded` counts them.
        concluded_cases,
    }
}

counts! {
    /// Rectifications whose day has come or that were made; on time when no day passed, however often it was set anew.
    RectificationCounts { due, on_time }
}

counts! {
    /// Filings of every kind, by when they came, and those that never did.
    FilingCounts { filed, late, missing }
}

counts! {
    /// What people say of offices, and what offices say of themselves, by when it was.
    FeedbackCounts {
        complaints,
        reviews,
        surveys,
        survey_answers,
        /// The answers' scores of 1 to 5, added up.
        survey_score,
        assessments,
        /// Of the items that apply.
        items_met,
        items,
    }
}

/// Declares the families: their codes, and what is counted of them.
macro_rules! families {
    ($($(#[$meta:meta])* $family:ident = $code:literal, $field:ident: $counts:ty;)+) => {
        /// Facts of one kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Family {
            $($(#[$meta])* $family,)+
        }

        impl Family {
            pub const ALL: &[Self] = &[$(Self::$family),+];

            /// The form in which people are told.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$family => $code,)+ }
            }
        }

        /// What something counts; nothing of the families that were not asked for.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counted {
            $(pub $field: $counts,)+
        }

        impl Counted {
            /// Reads the counts of one family, column by column.
            pub fn read<E>(
                family: Family,
                mut column: impl FnMut(usize) -> Result<i64, E>,
            ) -> Result<Self, E> {
                let mut counted = Self::default();
                match family {
                    $(Family::$family => {
                        let mut values = counted.$field.values();
                        for (at, value) in values.iter_mut().enumerate() {
                            *value = column(at)?;
                        }
                        counted.$field = <$counts>::from_values(values);
                    })+
                }
                Ok(counted)
            }
        }

        impl AddAssign for Counted {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)+
            }
        }

        /// A number of one family's counts.
        #[derive(Clone, Copy, Debug)]
        pub enum Part {
            $($family(fn(&$counts) -> i64),)+
        }

        impl Part {
            pub const fn family(&self) -> Family {
                match self { $(Self::$family(_) => Family::$family,)+ }
            }

            pub fn of(&self, counted: &Counted) -> i64 {
                match self { $(Self::$family(of) => of(&counted.$field),)+ }
            }

            /// The counts of its family that it adds up.
            pub fn columns(&self) -> Vec<&'static str> {
                match self {
                    $(Self::$family(of) => {
                        let counts_in_it = |at: &usize| {
                            let mut values = <$counts>::default().values();
                            values[*at] = 1;
                            of(&<$counts>::from_values(values)) != 0
                        };
                        let columns = 0..<$counts>::COLUMNS.len();
                        columns.filter(counts_in_it).map(|at| <$counts>::COLUMNS[at]).collect()
                    })+
                }
            }
        }
    };
}

families! {
    /// 案件
    Cases = "cases", cases: Counts;
    /// 重复申请
    Duplicates = "duplicates", duplicates: DuplicateCounts;
    /// 核查
    LookUps = "lookups", lookups: LookUpCounts;
    /// 服务对象
    Persons = "persons", persons: PersonCounts;
    /// 监督问题
    Findings = "findings", findings: FindingCounts;
    /// 整改
    Rectifications = "rectifications", rectifications: RectificationCounts;
    /// 报送
    Filings = "filings", filings: FilingCounts;
    /// 投诉、测评、自评
    Feedback = "feedback", feedback: FeedbackCounts;
}

impl Family {
    /// What its figures are of.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Cases => "办证",
            Self::Duplicates => "重复申请",
            Self::LookUps => "核查",
            Self::Persons => "服务对象",
            Self::Findings => "监督问题",
            Self::Rectifications => "整改",
            Self::Filings => "报送",
            Self::Feedback => "投诉与评价",
        }
    }

    /// Whether its figures are told apart by that.
    pub const fn has(self, dimension: Dimension) -> bool {
        match dimension {
            Dimension::Office | Dimension::District | Dimension::Level => true,
            Dimension::MatterGroup
            | Dimension::MatterType
            | Dimension::ForeignRelation
            | Dimension::Notary => matches!(self, Self::Cases),
            Dimension::Rule | Dimension::FindingSeverity => matches!(self, Self::Findings),
            Dimension::FilingKind => matches!(self, Self::Filings),
            // Persons are told apart by the month.
            Dimension::Time(Grain::Day) => !matches!(self, Self::Persons),
            Dimension::Time(_) => true,
        }
    }
}
