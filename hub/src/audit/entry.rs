//! What is to be recorded.

use linkage::office::OfficeId;
use serde_json::Value;
use uuid::Uuid;

use crate::identity::Person;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A person who signed in.
    Account(Uuid),
    /// An office's certificate, with nobody behind it.
    Office(OfficeId),
    /// Whoever gives the hub's own commands on its machine.
    Operator,
    /// Somebody whose session is none.
    Nobody,
    /// The hub by itself.
    Hub,
}

/// Declares the actions: the form in which each is stored, and what people read of it.
macro_rules! actions {
    ($($(#[$meta:meta])* $action:ident = $code:literal, $name_zh:literal;)+) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $($(#[$meta])* $action,)+
        }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$action,)+];

            /// The form in which it is stored.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$action => $code,)+ }
            }

            pub const fn name_zh(self) -> &'static str {
                match self { $(Self::$action => $name_zh,)+ }
            }

            /// What a stored form stands for; a later hub may have written one that this hub does not know.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$action),)+
                    _ => None,
                }
            }
        }
    };
}

actions! {
    CheckApplication = "lookup.check_application", "重复申请核查";
    BatchCheck = "lookup.batch_check", "批量核查";
    FindPerson = "lookup.find_person", "人员查询";
    WatchMatter = "lookup.watch_matter", "关注事项";
    ListWatches = "lookup.list_watches", "查看关注";
    EndWatch = "lookup.end_watch", "取消关注";
    /// A standing question was answered: the notice leaves.
    TellWatch = "lookup.tell_watch", "关注通知";
    RequestDetails = "details.request", "请求详情";
    ListDetails = "details.list", "查看详情请求";
    RaiseAlarm = "alarm.raise", "异常查询告警";
    ListAlarms = "alarm.list", "查看告警";
    LiftAlarm = "alarm.lift", "解除告警";
    PlantHoney = "honey.plant", "设置诱饵标识";
    RemoveHoney = "honey.remove", "撤除诱饵标识";
    AnswerDetails = "details.answer", "答复详情";
    SignIn = "session.create", "登录";
    SignOut = "session.delete", "退出";
    ListRejects = "reject.list", "查看退回记录";
    ListDuplicates = "duplicate.list", "查看重复申请";
    ExportStatistics = "statistics.export", "导出统计";
    ExportFindings = "supervision.export", "导出监督问题";
    ExportDuplicates = "review.export", "导出重复申请";
    ExportAudit = "audit.export", "导出审计";
    /// A large file is to be made.
    StartExport = "export.start", "发起导出";
    DownloadExport = "export.download", "下载导出文件";
    FreezeReport = "report.freeze", "报表封账";
    ReissueReport = "report.reissue", "重新刊发报表";
    ExportReport = "report.export", "导出报表";
    ReadAudit = "audit.list", "查看审计";
    VerifyAudit = "audit.verify", "验证日志";
    ListReviews = "review.list", "查看复核队列";
    ReadReview = "review.read", "查看复核详情";
    DecideReview = "review.decide", "作出认定";
    ConfirmReview = "review.confirm", "复核确认";
    DeclineReview = "review.decline", "不予确认";
    WithdrawReview = "review.withdraw", "撤回认定";
    ListFindings = "supervision.list", "查看监督问题";
    ReadFinding = "supervision.read", "查看监督问题详情";
    TakeFindingStep = "supervision.step", "处理监督问题";
    PlanInspection = "inspection.plan", "计划检查";
    ListInspections = "inspection.list", "查看检查";
    ReadInspection = "inspection.read", "查看检查详情";
    TakeInspectionStep = "inspection.step", "处理检查";
    SubmitFiling = "filing.submit", "报送";
    CorrectFiling = "filing.correct", "更正报送";
    ListFilings = "filing.list", "查看报送";
    ReadFiling = "filing.read", "查看报送详情";
    PutProfile = "office.put_profile", "维护执业信息";
    AddOffice = "office.add", "新增公证处";
    ChangeOffice = "office.change", "变更公证处";
    RevokeOffice = "office.revoke", "停用公证处";
    ReinstateOffice = "office.reinstate", "恢复公证处";
    RevokeCertificates = "office.revoke_certificates", "撤销证书";
    RefuseLateRenewal = "office.refuse_late_renewal", "禁止逾期换证";
    AllowLateRenewal = "office.allow_late_renewal", "允许逾期换证";
    MakeJoinToken = "enrolment.make_token", "签发接入码";
    ApproveEnrolment = "enrolment.approve", "核准接入";
    RefuseEnrolment = "enrolment.refuse", "拒绝接入";
    /// An office is given its first certificate and the city's token keys.
    Enrol = "enrolment.enrol", "接入平台";
    /// A certificate that has ended is renewed.
    RenewLate = "certificate.renew_late", "逾期换证";
    RotateCa = "ca.rotate", "备好新的证书机构";
    ActivateCa = "ca.activate", "启用新的证书机构";
    RetireCa = "ca.retire", "停用旧的证书机构";
    RestoreDatabase = "database.restored", "数据库恢复";
    RotateSessionKey = "session_key.rotate", "轮换会话密钥";
    ReplaceSessionKeys = "session_key.replace", "更换会话密钥";
    RotateTokenKey = "token_key.rotate", "轮换标识密钥";
    WithdrawTokenKey = "token_key.withdraw", "撤回标识密钥";
    RetireTokenKey = "token_key.retire", "改用新标识密钥";
    AddAccount = "account.add", "新增账号";
    ChangePassword = "account.change_password", "修改密码";
    ChangeRole = "account.change_role", "变更角色";
    DisableAccount = "account.disable", "停用账号";
    EnableAccount = "account.enable", "恢复账号";
    EndSessions = "account.end_sessions", "终止会话";
    EnrolSecondFactor = "account.enrol_second_factor", "启用第二因素";
    ResetSecondFactor = "account.reset_second_factor", "解除第二因素";
    LinkProvider = "account.link_provider", "关联统一身份认证";
    UnlinkProvider = "account.unlink_provider", "解除统一身份认证";
    ProveAudit = "audit.prove", "出具证明";
    PruneAudit = "audit.prune", "清除到期内容";
    RelinkPersons = "persons.relink", "人员重新归并";
    TrainWeights = "persons.train", "训练比对权重";
    ActivateWeights = "persons.activate", "启用比对权重";
    ExplainPersons = "persons.explain", "查看比对依据";
    /// The first entry of the tree, where it follows a hash chain.
    BeginTree = "audit.begin", "日志树起点";
    ActivateRules = "rules.activate", "启用查重规则";
    RebuildFigures = "stats.rebuild", "统计重算";
    ReplaySupervision = "supervision.replay", "监督规则重新评判";
    PutWorkBack = "work.put_back", "重新处理搁置任务";
    ActivateSupervision = "supervision.activate", "启用监督规则或收费标准";
    /// A request that the person's role does not allow.
    Request = "request", "越权请求";
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    NoHit,
    Denied,
    /// It is about to be done; another entry says what came of it, unless nothing could any more.
    Begun,
    Done,
    /// It was begun and not done, or not to its end.
    Failed,
}

/// Whether what somebody asked for and does not see is there at all. From outside both look the same; the log alone
/// tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// Not for whoever asked.
    There,
    Nowhere,
}

/// What is to be recorded. Texts hold no control characters; `detail` holds tokens in hex and codes, never a
/// name or a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub actor: Actor,
    /// Office on whose behalf.
    pub office_id: Option<OfficeId>,
    pub action: Action,
    pub outcome: Outcome,
    pub purpose: Option<&'static str>,
    pub case_reference: Option<String>,
    pub detail: Value,
}

impl Actor {
    /// The form in which it is stored.
    pub fn code(&self) -> String {
        match self {
            Self::Account(account_id) => account_id.to_string(),
            Self::Office(office_id) => format!("office:{office_id}"),
            Self::Operator => "operator".into(),
            Self::Nobody => "nobody".into(),
            Self::Hub => "hub".into(),
        }
    }

    /// What a stored form stands for.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "operator" => Some(Self::Operator),
            "nobody" => Some(Self::Nobody),
            "hub" => Some(Self::Hub),
            _ => match code.strip_prefix("office:") {
                Some(office) => office.parse().ok().map(Self::Office),
                None => code.parse().ok().map(Self::Account),
            },
        }
    }
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Hit,
        Self::NoHit,
        Self::Denied,
        Self::Begun,
        Self::Done,
        Self::Failed,
    ];

    /// What a stored form stands for.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Hit => "查到",
            Self::NoHit => "未查到",
            Self::Denied => "拒绝",
            Self::Begun => "开始",
            Self::Done => "完成",
            Self::Failed => "未完成",
        }
    }

    /// The form in which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::NoHit => "no_hit",
            Self::Denied => "denied",
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Existence {
    /// Of what was looked for as the hub itself.
    pub fn of<T>(found: Option<T>) -> Self {
        match found {
            Some(_) => Self::There,
            None => Self::Nowhere,
        }
    }

    /// What came of asking for it.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::There => Outcome::Denied,
            Self::Nowhere => Outcome::NoHit,
        }
    }
}

impl Entry {
    /// What somebody did on no office's behalf.
    pub fn of(actor: Actor, action: Action, outcome: Outcome, detail: Value) -> Self {
        Self {
            actor,
            office_id: None,
            action,
            outcome,
            purpose: None,
            case_reference: None,
            detail,
        }
    }

    /// What a person who signed in did.
    pub fn by(person: &Person, action: Action, outcome: Outcome, detail: Value) -> Self {
        let actor = Actor::Account(person.account_id);
        Self {
            office_id: person.office_id(),
            ..Self::of(actor, action, outcome, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_actions_have_a_form_or_a_name_in_common() {
        let of = |part: fn(Action) -> &'static str| {
            let parts = Action::ALL.iter().map(|action| part(*action));
            parts.collect::<HashSet<_>>().len()
        };
        assert_eq!(of(Action::code), Action::ALL.len());
        assert_eq!(of(Action::name_zh), Action::ALL.len());
    }
}
