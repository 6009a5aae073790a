//! Code lists of filings, each code with what people call it: serde, OpenAPI, stored codes and the forms of the console
//! are made of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::codes;

/// Declares a code list.
macro_rules! list {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $code:literal $label:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $(#[doc = $label] $variant),+ }
        codes!($name { $($variant = $code $label),+ });
    };
}

list! {
    /// Why a case is reported.
    MajorGround {
        Difficult = "difficult" "重大疑难",
        CrossArea = "cross_area" "跨区域",
        HighImpact = "high_impact" "重大影响",
    }
}
list! {
    /// What a complaint is about.
    ComplaintSubject {
        Service = "service" "服务态度",
        Fee = "fee" "收费",
        Quality = "quality" "公证质量",
        Delay = "delay" "办理时限",
        Discipline = "discipline" "执业纪律",
        Other = "other" "其他",
    }
}
list! {
    /// What a complaint or a review came to.
    OutcomeResult {
        Upheld = "upheld" "属实、撤销",
        PartlyUpheld = "partly_upheld" "部分属实、更正",
        NotUpheld = "not_upheld" "不属实、维持",
        Withdrawn = "withdrawn" "撤回",
    }
}
list! {
    /// What was done about a wrong certificate.
    Measure {
        NoFault = "no_fault" "无过错，不予追究",
        Admonished = "admonished" "批评教育",
        Fined = "fined" "经济责任",
        Disciplined = "disciplined" "处分",
        Referred = "referred" "移送",
    }
}
list! {
    /// A relation of 公证法 art. 23 (3).
    Relation {
        Own = "own" "本人",
        Spouse = "spouse" "配偶",
        Parent = "parent" "父母",
        Child = "child" "子女",
        Sibling = "sibling" "兄弟姐妹",
        Grand = "grand" "祖父母、外祖父母、孙子女、外孙子女",
        Other = "other" "其他近亲属或有利害关系",
    }
}

list! {
    /// How special paper moves.
    PaperChange {
        Received = "received" "领用",
        Used = "used" "使用",
        Spoiled = "spoiled" "作废",
    }
}
