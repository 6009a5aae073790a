//! Who takes part in a matter.

use super::vocabulary;

vocabulary! {
    /// What a party (当事人) is to the matter.
    PartyRole, "party_role" {
        Applicant = "applicant" "申请人",
        Testator = "testator" "遗嘱人",
        Decedent = "decedent" "被继承人",
        Heir = "heir" "继承人",
        Principal = "principal" "委托人",
        Agent = "agent" "受托人",
        Donor = "donor" "赠与人",
        Donee = "donee" "受赠人",
        Debtor = "debtor" "债务人",
        Creditor = "creditor" "债权人",
        Adopter = "adopter" "收养人",
        Adoptee = "adoptee" "被收养人",
        /// Spouse or other side of an agreement.
        Counterpart = "counterpart" "相对人",
        Ward = "ward" "被监护人",
        Guardian = "guardian" "监护人",
        /// Named in the matter without a role of its own.
        Related = "related" "关系人",
    }
}

vocabulary! {
    /// Natural or legal person.
    PartyKind, "party_kind" {
        Natural = "natural" "自然人",
        /// Legal person or other organisation.
        Legal = "legal" "法人",
    }
}

vocabulary! {
    /// Sex as the identity document states it.
    Sex, "sex" {
        Male = "male" "男",
        Female = "female" "女",
    }
}
