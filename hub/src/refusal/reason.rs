//! The reasons for which callers are refused, each with its status and its remedy in Chinese.

use tonic::Code;

use super::Refusal;

/// The reasons. Callers act on them, so a published one is never renamed or given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No valid client certificate, or no valid bearer token where one is needed.
    Unauthenticated,
    /// The caller is known but may not do this.
    PermissionDenied,
    /// The certificate was revoked; enrol again.
    CertificateRevoked,
    /// The certificate has ended; renew it.
    CertificateEnded,
    /// The office was revoked; its operator must talk to the bureau.
    OfficeRevoked,
    /// The payload or the session names another office than the certificate.
    OfficeMismatch,
    /// The outbox's epoch is older than one the hub has already seen.
    EpochStale,
    /// A newer stream of the same office took over.
    StreamReplaced,
    /// A batch does not follow the committed sequence.
    SequenceGap,
    /// A batch holds more records or bytes than `SyncLimits` allows.
    BatchTooLarge,
    /// More batches are unacknowledged than `SyncLimits` allows.
    WindowExceeded,
    /// The stream does not follow the protocol, e.g. its first message is not `Hello`.
    ProtocolViolation,
    /// A look-up without a purpose.
    PurposeRequired,
    /// A look-up without an own case or intake reference.
    CaseReferenceRequired,
    /// No look-up of the notary told of the case whose details are asked for.
    DetailsNotTold,
    /// The office was asked no such request for details.
    DetailsUnknown,
    /// A request for details has an answer already.
    DetailsAnswered,
    /// A standing question about a sealed matter.
    MatterSealed,
    /// The office has put no such standing question.
    WatchUnknown,
    /// The office has as many standing questions as it may have.
    TooManyWatches,
    /// Tokens made with another key than the city's; `Welcome` names it.
    TokenKeyUnknown,
    /// A filing of no known kind.
    FilingKindUnknown,
    /// A field of the request is missing or malformed; `BadRequest` names it.
    FieldInvalid,
    /// A text holds what could be somebody's number; `BadRequest` names the field.
    NumberInText,
    /// The filing's id is that of another filing of the office.
    FilingIdTaken,
    /// The join token is unknown, expired, or was used by another key.
    JoinTokenInvalid,
    /// The certificate signing request cannot be used: not DER, wrong signature, unsuitable key.
    CsrInvalid,
    /// Login or password is wrong, or the account is locked; which of them is not said.
    SignInRefused,
    /// The password is right, but a code of the second factor is needed.
    SecondFactorRequired,
    /// The password is right, but the role needs a second factor and the account has none; the operator gives it one.
    SecondFactorUnset,
    /// The bureau has not approved the office's key yet; come again with the same key.
    EnrolmentPending,
    /// The certificate has ended, and the bureau does not let this office renew it; enrol again.
    RenewalRefused,
    /// The caller asks more often than it may; `RetryInfo` says when to come back.
    RateLimited,
    /// The hub has more to do than it can; `RetryInfo` says when to come back.
    Overloaded,
    /// The hub is stopping; another one, or this one, will be back soon.
    Draining,
    /// The bureau's identity provider does not answer.
    ProviderUnavailable,
    /// The hub's database does not answer.
    DatabaseUnavailable,
    /// A fault of the hub's; its log has the details.
    Internal,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 38] = [
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::CertificateRevoked,
        Self::CertificateEnded,
        Self::OfficeRevoked,
        Self::OfficeMismatch,
        Self::EpochStale,
        Self::StreamReplaced,
        Self::SequenceGap,
        Self::BatchTooLarge,
        Self::WindowExceeded,
        Self::ProtocolViolation,
        Self::PurposeRequired,
        Self::CaseReferenceRequired,
        Self::DetailsNotTold,
        Self::DetailsUnknown,
        Self::DetailsAnswered,
        Self::MatterSealed,
        Self::WatchUnknown,
        Self::TooManyWatches,
        Self::TokenKeyUnknown,
        Self::FilingKindUnknown,
        Self::FieldInvalid,
        Self::NumberInText,
        Self::FilingIdTaken,
        Self::JoinTokenInvalid,
        Self::CsrInvalid,
        Self::SignInRefused,
        Self::SecondFactorRequired,
        Self::SecondFactorUnset,
        Self::EnrolmentPending,
        Self::RenewalRefused,
        Self::RateLimited,
        Self::Overloaded,
        Self::Draining,
        Self::ProviderUnavailable,
        Self::DatabaseUnavailable,
        Self::Internal,
    ];

    /// The reason as it travels.
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// The gRPC status code it comes with.
    pub const fn status_code(self) -> Code {
        self.row().1
    }

    /// What happened and what to do, for the staff of an office.
    pub const fn message_zh(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, Code, &'static str) {
        match self {
            Self::Unauthenticated => (
                "UNAUTHENTICATED",
                Code::Unauthenticated,
                "身份未验证。请重新登录，或检查本处证书是否有效。",
            ),
            Self::PermissionDenied => (
                "PERMISSION_DENIED",
                Code::PermissionDenied,
                "当前身份无权进行此操作。",
            ),
            Self::CertificateRevoked => (
                "CERTIFICATE_REVOKED",
                Code::Unauthenticated,
                "本处证书已被撤销。请向市平台申请新的注册码并重新注册。",
            ),
            Self::CertificateEnded => (
                "CERTIFICATE_ENDED",
                Code::Unauthenticated,
                "本处证书已到期。程序会自动续期；若未恢复请联系市平台运维。",
            ),
            Self::OfficeRevoked => (
                "OFFICE_REVOKED",
                Code::PermissionDenied,
                "本处接入资格已被撤销。请联系市司法局。",
            ),
            Self::OfficeMismatch => (
                "OFFICE_MISMATCH",
                Code::PermissionDenied,
                "所报公证处与证书不符，已拒绝并记录。",
            ),
            Self::EpochStale => (
                "EPOCH_STALE",
                Code::FailedPrecondition,
                "本处发送队列的编号早于平台已知编号。请检查是否启用了旧的备份。",
            ),
            Self::StreamReplaced => (
                "STREAM_REPLACED",
                Code::Aborted,
                "本处已建立新的连接，此连接被替换。",
            ),
            Self::SequenceGap => (
                "SEQUENCE_GAP",
                Code::FailedPrecondition,
                "报送序号不连续。程序会从平台已确认处重新报送。",
            ),
            Self::BatchTooLarge => (
                "BATCH_TOO_LARGE",
                Code::InvalidArgument,
                "单批数据超过上限。请减小批量。",
            ),
            Self::WindowExceeded => (
                "WINDOW_EXCEEDED",
                Code::ResourceExhausted,
                "未确认的批次过多。请等待确认后再发送。",
            ),
            Self::ProtocolViolation => (
                "PROTOCOL_VIOLATION",
                Code::InvalidArgument,
                "报送过程不符合接口约定。请升级采集程序。",
            ),
            Self::PurposeRequired => (
                "PURPOSE_REQUIRED",
                Code::PermissionDenied,
                "查询须说明目的。",
            ),
            Self::CaseReferenceRequired => (
                "CASE_REFERENCE_REQUIRED",
                Code::PermissionDenied,
                "查询须填写本处案件号或接待登记号。",
            ),
            Self::DetailsNotTold => (
                "DETAILS_NOT_TOLD",
                Code::PermissionDenied,
                "请先查询。只能就本人24小时内查到的他处公证请求核实。",
            ),
            Self::DetailsUnknown => (
                "DETAILS_UNKNOWN",
                Code::NotFound,
                "没有这一核实请求，或请求的对象不是本处。",
            ),
            Self::DetailsAnswered => (
                "DETAILS_ANSWERED",
                Code::FailedPrecondition,
                "该核实请求已经答复。",
            ),
            Self::MatterSealed => (
                "MATTER_SEALED",
                Code::PermissionDenied,
                "该类事项依法密封，不能关注。继承时请按被继承人查询。",
            ),
            Self::WatchUnknown => (
                "WATCH_UNKNOWN",
                Code::NotFound,
                "本处没有这一关注事项。请核对编号。",
            ),
            Self::TooManyWatches => (
                "TOO_MANY_WATCHES",
                Code::ResourceExhausted,
                "本处的关注事项已达上限。请先取消不再需要的关注。",
            ),
            Self::TokenKeyUnknown => (
                "TOKEN_KEY_UNKNOWN",
                Code::FailedPrecondition,
                "标识密钥与平台不一致。程序会自动改用现行密钥，请稍后重试；仍不行时请重新注册。",
            ),
            Self::FilingKindUnknown => (
                "FILING_KIND_UNKNOWN",
                Code::InvalidArgument,
                "报备类型不明。请选择报备类型。",
            ),
            Self::FieldInvalid => (
                "FIELD_INVALID",
                Code::InvalidArgument,
                "请求中有缺失或不合规的字段，详见所列字段。",
            ),
            Self::NumberInText => (
                "NUMBER_IN_TEXT",
                Code::InvalidArgument,
                "文字中疑有证件号码或电话号码，不得报送。请删去所列字段中的号码后重新报送。",
            ),
            Self::FilingIdTaken => (
                "FILING_ID_TAKEN",
                Code::FailedPrecondition,
                "该报送编号已用于本处另一件内容不同的报送。请用新的编号重新报送。",
            ),
            Self::JoinTokenInvalid => (
                "JOIN_TOKEN_INVALID",
                Code::PermissionDenied,
                "注册码无效、已过期或已被使用。请向市平台申请新的注册码。",
            ),
            Self::CsrInvalid => (
                "CSR_INVALID",
                Code::InvalidArgument,
                "证书请求无法使用。请使用采集程序生成的请求（ECDSA P-256）。",
            ),
            Self::SignInRefused => (
                "SIGN_IN_REFUSED",
                Code::Unauthenticated,
                "用户名或密码不正确，或账号已暂时锁定。",
            ),
            Self::SecondFactorRequired => (
                "SECOND_FACTOR_REQUIRED",
                Code::Unauthenticated,
                "请输入动态验证码或恢复码。尚未绑定验证器的，请联系市平台运维。",
            ),
            Self::SecondFactorUnset => (
                "SECOND_FACTOR_UNSET",
                Code::Unauthenticated,
                "您的岗位须绑定动态验证器，该账号尚未绑定。请联系市平台运维。",
            ),
            Self::EnrolmentPending => (
                "ENROLMENT_PENDING",
                Code::FailedPrecondition,
                "注册申请已提交，等待市平台审核。审核通过后请重新注册。",
            ),
            Self::RenewalRefused => (
                "RENEWAL_REFUSED",
                Code::PermissionDenied,
                "本处证书已到期，且不允许逾期续期。请向市平台申请新的注册码并重新注册。",
            ),
            Self::RateLimited => (
                "RATE_LIMITED",
                Code::ResourceExhausted,
                "请求过于频繁。请稍后再试。",
            ),
            Self::Overloaded => (
                "OVERLOADED",
                Code::ResourceExhausted,
                "平台繁忙。请稍后再试。",
            ),
            Self::Draining => (
                "DRAINING",
                Code::Unavailable,
                "平台正在停止或升级。请稍后重试。",
            ),
            Self::ProviderUnavailable => (
                "IDENTITY_PROVIDER_UNAVAILABLE",
                Code::Unavailable,
                "统一身份认证暂不可用。请稍后重试，或使用本平台账号登录。",
            ),
            Self::DatabaseUnavailable => (
                "DATABASE_UNAVAILABLE",
                Code::Unavailable,
                "平台数据库暂不可用。请稍后重试。",
            ),
            Self::Internal => (
                "INTERNAL",
                Code::Internal,
                "平台内部错误。请稍后重试；若持续出现请联系市平台运维。",
            ),
        }
    }

    /// Refuses with this reason. `message` is for developers and logs: English, no personal data.
    pub fn because(self, message: impl Into<String>) -> Refusal {
        Refusal::new(self, message.into())
    }
}

/// What the database said. That it is away or busy is worth a retry; everything else is a fault of ours.
impl From<&sqlx::Error> for Reason {
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Overloaded,
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::DatabaseUnavailable
            }
            sqlx::Error::Database(error)
                if error.code().is_some_and(|code| is_away_or_full(&code)) =>
            {
                Self::DatabaseUnavailable
            }
            _ => Self::Internal,
        }
    }
}

/// 57P01..57P03: shutting down, crashed, starting up. Class 53: no room on its disk, no memory, no connection.
fn is_away_or_full(sqlstate: &str) -> bool {
    sqlstate.starts_with("57P0") || sqlstate.starts_with("53")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_database_that_is_away_or_has_no_room_is_worth_a_retry_and_a_wrong_statement_is_not() {
        for sqlstate in ["57P01", "57P03", "53100", "53300"] {
            assert!(is_away_or_full(sqlstate), "{sqlstate}");
        }
        for sqlstate in ["57014", "42601", "23505"] {
            assert!(!is_away_or_full(sqlstate), "{sqlstate}");
        }
    }

    #[test]
    fn every_reason_has_a_code_and_a_chinese_remedy_of_its_own() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let remedies: HashSet<_> = Reason::ALL
            .iter()
            .map(|reason| reason.message_zh())
            .collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert_eq!(remedies.len(), Reason::ALL.len());
    }

    #[test]
    fn every_reason_is_documented_as_it_is() {
        let page = include_str!("../../../docs/errors.md");
        let (of_every_door, _) = page.split_once("## Over HTTP").expect("that has its own");
        let rows: Vec<&str> = of_every_door
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        assert_eq!(rows.len(), Reason::ALL.len());
        for (row, reason) in rows.iter().zip(Reason::ALL) {
            let status = format!("{:?}", reason.status_code()).to_lowercase();
            let cells: Vec<&str> = row.split(" | ").collect();
            assert_eq!(cells[0], format!("| `{}`", reason.code()));
            assert_eq!(cells[1].to_lowercase().replace(['_', '`'], ""), status);
            assert_eq!(cells[3], format!("{} |", reason.message_zh()));
        }
    }
}
