//! Why a case was not done, and why days do not count.

use super::vocabulary;

vocabulary! {
    /// Ground of refusing (不予受理) or rejecting (不予办理) a case. The first nine are those of 公证法 art. 31
    /// in their order; the others are conditions of acceptance (公证法 art. 25, 公证程序规则 arts. 16, 19).
    ReasonCode, "reason_code" {
        NoCapacity = "no_capacity" "无民事行为能力或限制民事行为能力且无监护人代理",
        NoInterest = "no_interest" "与申请公证的事项没有利害关系",
        TechnicalAppraisal = "technical_appraisal" "属专业技术鉴定、评估事项",
        Dispute = "dispute" "当事人之间对申请公证的事项有争议",
        Falsehood = "falsehood" "虚构、隐瞒事实或者提供虚假证明材料",
        InsufficientProof = "insufficient_proof" "证明材料不充分或者拒绝补充",
        UntrueOrUnlawful = "untrue_or_unlawful" "申请公证的事项不真实、不合法",
        AgainstMorals = "against_morals" "申请公证的事项违背社会公德",
        FeeUnpaid = "fee_unpaid" "拒绝按照规定支付公证费",
        OutsideScope = "outside_scope" "不属于公证业务范围",
        OutsidePracticeArea = "outside_practice_area" "不属于本公证处执业区域",
        AcceptedElsewhere = "accepted_elsewhere" "其他公证处已最先受理",
        Other = "other" "其他",
    }
}

vocabulary! {
    /// Ground of 公证法 art. 30 for days not counting towards the 15 working days.
    ExcuseReason, "excuse_reason" {
        ForceMajeure = "force_majeure" "不可抗力",
        SupplementingMaterial = "supplementing_material" "补充证明材料",
        Verification = "verification" "核实有关情况",
    }
}
