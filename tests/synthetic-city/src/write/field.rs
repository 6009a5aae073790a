//! Every field a vendor keeps: its canonical name, its column in each shape, and how its value is written there.
//! Writers and mappings are both made from these tables, so they cannot disagree.
use std::borrow::Cow;

use time::{Date, PrimitiveDateTime};

use super::terms::Terms;
use crate::case::{Case, Party, Subject};
use crate::flaw::Flaw;
use crate::office::{Office, Vendor};

/// A value as the vendor's system holds it; empty is NULL.
pub(super) type Cell<'a> = Cow<'a, str>;

/// A column of the case itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaseField {
    SourceCaseId,
    CaseNo,
    State,
    MatterType,
    ForeignRelation,
    PlaceOfUse,
    NotaryLicenceNo,
    NotaryName,
    AppliedOn,
    AcceptedOn,
    IssuedOn,
    ClosedOn,
    ReasonCode,
    FeeCharged,
    FeeReduced,
    FeeReductionReason,
    Amount,
    LegalAid,
    HomeVisit,
    Major,
    Discussed,
    ApprovedOn,
    ApproverLicenceNo,
    Certificates,
    ExcusedFirst,
    ExcusedLast,
    ExcusedReason,
    Revision,
    ModifiedAt,
    /// Something of the vendor's own that nobody asks for.
    Remark,
}

/// Field and its columns in the shapes A to D; empty where the shape does not have it.
pub(super) const CASE_FIELDS: [(CaseField, [&str; 4]); 30] = {
    use CaseField::*;
    [
        (SourceCaseId, ["case_id", "AJBH", "案件编号", "案件编号"]),
        (CaseNo, ["case_no", "GZSBH", "公证书编号", "证号"]),
        (State, ["status", "ZT", "状态", "办理状态"]),
        (MatterType, ["matter", "GZSX", "公证事项", "公证事项"]),
        (
            ForeignRelation,
            ["foreign_kind", "SWLB", "涉外类别", "涉外类别"],
        ),
        (
            PlaceOfUse,
            ["use_country", "SYD", "使用地", "使用国家或地区"],
        ),
        (
            NotaryLicenceNo,
            ["notary_licence", "GZYZH", "公证员执业证号", "执业证号"],
        ),
        (NotaryName, ["notary_name", "GZYXM", "公证员", "承办公证员"]),
        (AppliedOn, ["apply_date", "SQRQ", "申请日期", "申请日期"]),
        (AcceptedOn, ["accept_date", "SLRQ", "受理日期", "受理日期"]),
        (IssuedOn, ["issue_date", "CZRQ", "出证日期", "出证日期"]),
        (ClosedOn, ["close_date", "BJRQ", "办结日期", "终结日期"]),
        (ReasonCode, ["close_reason", "YYDM", "不予办理原因", "原因"]),
        (FeeCharged, ["fee", "SF", "收费（元）", "实收公证费"]),
        (
            FeeReduced,
            ["fee_reduced", "JMJE", "减免（元）", "减免金额"],
        ),
        (
            FeeReductionReason,
            ["reduce_reason", "JMYY", "减免原因", "减免原因"],
        ),
        (Amount, ["amount", "BDJE", "标的额（元）", "标的金额"]),
        (LegalAid, ["legal_aid", "FLYZ", "法律援助", "法律援助"]),
        (HomeVisit, ["home_visit", "SMFW", "上门服务", "上门办证"]),
        (Major, ["major", "ZDAJ", "重大疑难", "重大案件"]),
        (Discussed, ["discussed", "JTTL", "集体讨论", "集体讨论"]),
        (ApprovedOn, ["approve_date", "SPRQ", "审批日期", "审批日期"]),
        (
            ApproverLicenceNo,
            ["approver_licence", "SPRZH", "审批人执业证号", "审批人证号"],
        ),
        (Certificates, ["copies", "JFFS", "计费件数", "收费份数"]),
        (
            ExcusedFirst,
            ["pause_from", "KCQSR", "扣除起日", "扣除起日"],
        ),
        (ExcusedLast, ["pause_to", "KCJZR", "扣除止日", "扣除止日"]),
        (
            ExcusedReason,
            ["pause_reason", "KCYY", "扣除原因", "扣除原因"],
        ),
        (Revision, ["version", "", "", ""]),
        (ModifiedAt, ["updated_at", "GXSJ", "更新时间", "修改时间"]),
        (Remark, ["", "BZ", "备注", ""]),
    ]
};

/// A column of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartyField {
    Role,
    Kind,
    Name,
    IdentifierKind,
    Identifier,
    Sex,
    BirthOn,
    Phone,
    AddressDistrict,
}

/// In the wide shapes B and C the name follows the party's number.
pub(super) const PARTY_FIELDS: [(PartyField, [&str; 4]); 9] = {
    use PartyField::*;
    [
        (Role, ["role", "JS", "角色", "身份"]),
        (Kind, ["party_type", "LB", "类别", "类别"]),
        (Name, ["name", "XM", "姓名", "姓名或名称"]),
        (
            IdentifierKind,
            ["cert_type", "ZJLX", "证件类型", "证件种类"],
        ),
        (Identifier, ["cert_no", "ZJH", "证件号码", "证件号码"]),
        (Sex, ["sex", "XB", "性别", "性别"]),
        (BirthOn, ["birth_date", "CSRQ", "出生日期", "出生日期"]),
        (Phone, ["phone", "DH", "电话", "联系电话"]),
        (
            AddressDistrict,
            ["area_code", "DZQH", "住址区划", "住址区划"],
        ),
    ]
};

/// A column of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubjectField {
    Kind,
    Number,
    DistrictCode,
}

/// In the wide shapes B and C the name follows the subject's number.
pub(super) const SUBJECT_FIELDS: [(SubjectField, [&str; 4]); 3] = {
    use SubjectField::*;
    [
        (Kind, ["kind", "LX", "类型", "标的类型"]),
        (Number, ["number", "HM", "编号", "标的编号"]),
        (DistrictCode, ["area_code", "QH", "所在区划", "所在区划"]),
    ]
};

/// Parties and subjects in one row of the wide shapes.
pub(super) const WIDE_PARTIES: usize = 3;
pub(super) const WIDE_SUBJECTS: usize = 2;

impl Vendor {
    /// Position in the column tables.
    pub(super) fn column(self) -> usize {
        match self {
            Vendor::Normalised => 0,
            Vendor::Flat => 1,
            Vendor::CsvExport => 2,
            Vendor::Workbook => 3,
        }
    }

    /// Prefix of a party's columns in a wide shape.
    pub(super) fn party_prefix(self, number: usize) -> String {
        if self == Vendor::Flat {
            format!("SQR{number}_")
        } else {
            format!("当事人{number}")
        }
    }

    /// Prefix of a subject's columns in a wide shape.
    pub(super) fn subject_prefix(self, number: usize) -> String {
        if self == Vendor::Flat {
            format!("BD{number}_")
        } else {
            format!("标的{number}")
        }
    }

    /// How dates are written, in the mapping's notation.
    pub(super) fn date_format(self) -> &'static str {
        match self {
            Vendor::Flat => "YYYYMMDD",
            Vendor::CsvExport => "YYYY/MM/DD",
            Vendor::Normalised | Vendor::Workbook => "YYYY-MM-DD",
        }
    }

    /// Unit of money, in the mapping's notation.
    pub(super) fn money_unit(self) -> &'static str {
        if self == Vendor::Flat { "fen" } else { "yuan" }
    }

    fn date(self, year: i32, month: u8, day: u8) -> String {
        match self {
            Vendor::Flat => format!("{year:04}{month:02}{day:02}"),
            Vendor::CsvExport => format!("{year:04}/{month:02}/{day:02}"),
            Vendor::Normalised | Vendor::Workbook => format!("{year:04}-{month:02}-{day:02}"),
        }
    }

    fn day(self, date: Option<Date>) -> Cell<'static> {
        date.map_or(Cow::Borrowed(""), |date| {
            Cow::Owned(self.date(date.year(), date.month().into(), date.day()))
        })
    }

    fn money(self, fen: i64) -> Cell<'static> {
        Cow::Owned(match self {
            Vendor::Flat => fen.to_string(),
            _ => format!("{}.{:02}", fen / 100, fen % 100),
        })
    }
}

fn moment(at: PrimitiveDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

impl CaseField {
    /// The field's value of a case at its office, with the case's flaw where it shows here.
    pub(super) fn value<'a>(self, case: &'a Case, office: &'a Office) -> Cell<'a> {
        let vendor = office.vendor;
        let terms = Terms::of(vendor);
        let flag = |set| Cow::Borrowed(terms.flag.word(set));
        let text = |text: Option<&'a str>| Cow::Borrowed(text.unwrap_or_default());
        if let Some(wrong) = case.flaw.and_then(|flaw| self.flawed(flaw, case, vendor)) {
            return wrong;
        }
        match self {
            CaseField::SourceCaseId => Cow::Borrowed(&case.source_case_id),
            CaseField::CaseNo => text(case.case_no.as_deref()),
            CaseField::State => Cow::Borrowed(terms.state.word(case.state)),
            CaseField::MatterType => Cow::Borrowed(terms.matter.word(case.matter_type)),
            CaseField::ForeignRelation => Cow::Borrowed(terms.relation.word(case.foreign_relation)),
            CaseField::PlaceOfUse => text(case.place_of_use.map(|place| terms.place.word(place))),
            CaseField::NotaryLicenceNo => Cow::Borrowed(&office.notaries[case.notary].licence_no),
            CaseField::NotaryName => Cow::Borrowed(&office.notaries[case.notary].name),
            CaseField::AppliedOn => vendor.day(Some(case.applied_on)),
            CaseField::AcceptedOn => vendor.day(case.accepted_on),
            CaseField::IssuedOn => vendor.day(case.issued_on),
            CaseField::ClosedOn => vendor.day(case.closed_on),
            CaseField::ReasonCode => text(case.reason_code.map(|reason| terms.reason.word(reason))),
            CaseField::FeeCharged => vendor.money(case.fee_charged_fen),
            CaseField::FeeReduced => vendor.money(case.fee_reduced_fen),
            CaseField::FeeReductionReason => text(
                case.fee_reduction_reason
                    .map(|reason| terms.reduction.word(reason)),
            ),
            CaseField::Amount => vendor.money(case.amount_fen),
            CaseField::LegalAid => flag(case.legal_aid),
            CaseField::HomeVisit => flag(case.home_visit),
            CaseField::Major => flag(case.major),
            CaseField::Discussed => flag(case.discussed),
            CaseField::ApprovedOn => vendor.day(case.approved_on),
            CaseField::ApproverLicenceNo => text(
                case.approver
                    .map(|at| office.notaries[at].licence_no.as_str()),
            ),
            CaseField::Certificates => match (case.certificates, vendor) {
                (Some(count), _) => Cow::Owned(count.to_string()),
                (None, Vendor::Flat) => Cow::Borrowed("0"),
                (None, _) => Cow::Borrowed(""),
            },
            CaseField::ExcusedFirst => vendor.day(case.excused.map(|excused| excused.first_on)),
            CaseField::ExcusedLast => vendor.day(case.excused.map(|excused| excused.last_on)),
            CaseField::ExcusedReason => text(
                case.excused
                    .map(|excused| terms.excuse.word(excused.reason)),
            ),
            CaseField::Revision => Cow::Owned(case.revision.to_string()),
            CaseField::ModifiedAt => Cow::Owned(moment(case.modified_at)),
            CaseField::Remark => Cow::Borrowed(if case.major { "重大" } else { "" }),
        }
    }

    fn flawed(self, flaw: Flaw, case: &Case, vendor: Vendor) -> Option<Cell<'static>> {
        let terms = Terms::of(vendor);
        let wrong = match (flaw, self) {
            (Flaw::KeyMissing, CaseField::SourceCaseId)
            | (Flaw::StateMissing, CaseField::State)
            | (Flaw::AcceptedMissing, CaseField::AcceptedOn) => Cow::Borrowed(""),
            (Flaw::StateUnknown, CaseField::State) => Cow::Borrowed(terms.unknown_state),
            (Flaw::MatterUnknown, CaseField::MatterType) => Cow::Borrowed(terms.unknown_matter),
            (Flaw::DateIllegal, CaseField::AcceptedOn) => {
                Cow::Owned(vendor.date(case.applied_on.year(), 2, 31))
            }
            (Flaw::FeeIllegal, CaseField::FeeCharged) => Cow::Borrowed("壹佰贰拾元整"),
            _ => return None,
        };
        Some(wrong)
    }

    /// The canonical field, for fields that are one.
    pub(super) fn canonical(self) -> Option<&'static str> {
        Some(match self {
            CaseField::SourceCaseId => "source_case_id",
            CaseField::CaseNo => "case_no",
            CaseField::State => "state",
            CaseField::MatterType => "matter_type",
            CaseField::ForeignRelation => "foreign_relation",
            CaseField::PlaceOfUse => "place_of_use",
            CaseField::NotaryLicenceNo => "notary_licence_no",
            CaseField::NotaryName => "notary_name",
            CaseField::AppliedOn => "applied_on",
            CaseField::AcceptedOn => "accepted_on",
            CaseField::IssuedOn => "issued_on",
            CaseField::ClosedOn => "closed_on",
            CaseField::ReasonCode => "reason_code",
            CaseField::FeeCharged => "fee_charged",
            CaseField::FeeReduced => "fee_reduced",
            CaseField::FeeReductionReason => "fee_reduction_reason",
            CaseField::Amount => "amount",
            CaseField::LegalAid => "legal_aid",
            CaseField::HomeVisit => "home_visit",
            CaseField::Major => "major",
            CaseField::Discussed => "discussed",
            CaseField::ApprovedOn => "approved_on",
            CaseField::ApproverLicenceNo => "approver_licence_no",
            CaseField::Certificates => "certificates",
            CaseField::Revision => "revision",
            CaseField::ModifiedAt => "modified_at",
            CaseField::ExcusedFirst
            | CaseField::ExcusedLast
            | CaseField::ExcusedReason
            | CaseField::Remark => return None,
        })
    }
}

impl PartyField {
    /// The field's value of the case's party at `index`.
    pub(super) fn value<'a>(
        self,
        case: &Case,
        index: usize,
        party: &'a Party,
        vendor: Vendor,
    ) -> Cell<'a> {
        let terms = Terms::of(vendor);
        let document = party.document.as_ref();
        match (self, case.flaw) {
            (PartyField::Name, Some(Flaw::NameMissing)) => Cow::Borrowed(""),
            (PartyField::Name, Some(Flaw::NameTooLong)) if index == 0 => {
                Cow::Owned(format!("{}，", party.name).repeat(80))
            }
            (PartyField::IdentifierKind, Some(Flaw::IdentifierUnreadable)) if index == 0 => {
                let kind =
                    document.map_or(linkage::identifier::IdentifierKind::ResidentId, |d| d.kind);
                Cow::Borrowed(terms.document.word(kind))
            }
            (PartyField::Identifier, Some(Flaw::IdentifierUnreadable)) if index == 0 => {
                let number =
                    document.map_or("证件号码不详", |document| document.number.as_str());
                Cow::Owned(format!("{number}；").repeat(12))
            }
            (PartyField::Role, _) => Cow::Borrowed(terms.role.word(party.role)),
            (PartyField::Kind, _) => Cow::Borrowed(terms.party_kind.word(party.kind)),
            (PartyField::Name, _) => Cow::Borrowed(&party.name),
            (PartyField::IdentifierKind, _) => Cow::Borrowed(
                document
                    .map(|document| terms.document.word(document.kind))
                    .unwrap_or_default(),
            ),
            (PartyField::Identifier, _) => Cow::Borrowed(
                document
                    .map(|document| document.number.as_str())
                    .unwrap_or_default(),
            ),
            (PartyField::Sex, _) => {
                Cow::Borrowed(party.sex.map(|sex| terms.sex.word(sex)).unwrap_or_default())
            }
            (PartyField::BirthOn, _) => vendor.day(party.birth_on),
            (PartyField::Phone, _) => Cow::Borrowed(party.phone.as_deref().unwrap_or_default()),
            (PartyField::AddressDistrict, _) => Cow::Borrowed(party.district),
        }
    }

    pub(super) fn canonical(self) -> &'static str {
        match self {
            PartyField::Role => "role",
            PartyField::Kind => "kind",
            PartyField::Name => "name",
            PartyField::IdentifierKind => "identifier_kind",
            PartyField::Identifier => "identifier",
            PartyField::Sex => "sex",
            PartyField::BirthOn => "birth_on",
            PartyField::Phone => "phone",
            PartyField::AddressDistrict => "address_district",
        }
    }
}

impl SubjectField {
    pub(super) fn value(self, subject: &Subject, vendor: Vendor) -> Cell<'_> {
        match self {
            SubjectField::Kind => Cow::Borrowed(Terms::of(vendor).subject.word(subject.kind)),
            SubjectField::Number => Cow::Borrowed(&subject.number),
            SubjectField::DistrictCode => Cow::Borrowed(subject.district.unwrap_or_default()),
        }
    }

    pub(super) fn canonical(self) -> &'static str {
        match self {
            SubjectField::Kind => "kind",
            SubjectField::Number => "number",
            SubjectField::DistrictCode => "district_code",
        }
    }
}
