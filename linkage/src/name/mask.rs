//! Masking: enough of a name for those who know the party, too little for those who do not.

use crate::{
    text::{is_han, is_invisible},
    vocabulary::PartyKind,
};

/// Words that names of organisations end in, branches and bracketed forms included.
const ORGANISATIONS: &[&str] = &[
    "公司",
    "企业",
    "集团",
    "银行",
    "分行",
    "支行",
    "中心",
    "合作社",
    "事务所",
    "委员会",
    "协会",
    "学会",
    "基金会",
    "研究院",
    "研究所",
    "医院",
    "学校",
    "大学",
    "学院",
    "幼儿园",
    "政府",
    "街道办事处",
    "办事处",
    "管理局",
    "公证处",
    "工作室",
    "经营部",
    "商行",
    "门市部",
    "工厂",
    "合伙",
    "LTD",
    "INC",
    "CORP",
    "LIMITED",
    "GMBH",
    "BANK",
    "UNIVERSITY",
];

/// Masks a name of unknown kind: taken as an organisation's when it ends in an organisation's word, else as a
/// natural person's, of which less is shown.
#[must_use]
pub fn mask(name: &str) -> String {
    let upper = name
        .trim()
        .trim_end_matches(['.', ')', '）'])
        .to_uppercase();
    let is_organisation = ORGANISATIONS.iter().any(|word| upper.ends_with(word));
    mask_as(
        if is_organisation {
            PartyKind::Legal
        } else {
            PartyKind::Natural
        },
        name,
    )
}

/// Masks a name. A natural person keeps the first character and one `*` for each further one, three at most
/// (张三丰 → 张**); a name of one character is hidden whole. A legal person keeps two characters (杭州某某公司 →
/// 杭州****), or one when it has fewer than four. Blanks, as offices put between the characters of a short name, are no
/// characters of it.
#[must_use]
pub fn mask_as(kind: PartyKind, name: &str) -> String {
    let characters = || {
        name.chars()
            .filter(|&c| !c.is_whitespace() && !is_invisible(c))
    };
    let chars = characters().count();
    let (shown, stars) = match kind {
        PartyKind::Natural if chars <= 1 => (0, chars),
        PartyKind::Natural => (1, (chars - 1).min(3)),
        PartyKind::Legal if chars <= 1 => (0, chars),
        PartyKind::Legal if chars < 4 => (1, chars - 1),
        PartyKind::Legal => (2, 4),
    };
    // A half of a character that only shows with its other half would mislead: combining marks are dropped.
    let head = characters()
        .take(shown)
        .filter(|&c| is_han(c) || c.is_alphanumeric());
    head.chain(std::iter::repeat_n('*', stars)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn natural_persons_keep_their_first_character() {
        for (name, masked) in [
            ("张三丰", "张**"),
            ("张三", "张*"),
            ("张", "*"),
            ("", ""),
            ("欧阳修文", "欧***"),
            ("买买提·艾力", "买***"),
            ("John Smith", "J***"),
            (" 李四 ", "李*"),
            ("杨轩", "杨*"),
            ("杨　轩", "杨*"),
            ("杨 轩\u{200B}", "杨*"),
        ] {
            assert_eq!(mask(name), masked, "{name}");
        }
    }

    #[test]
    fn legal_persons_keep_two_characters() {
        for (name, masked) in [
            ("杭州某某科技有限公司", "杭州****"),
            ("杭州某某合伙企业（有限合伙）", "杭州****"),
            ("Acme Trading Co., Ltd.", "Ac****"),
        ] {
            assert_eq!(mask(name), masked, "{name}");
        }
        assert_eq!(mask_as(PartyKind::Legal, "西湖厂"), "西**");
        assert_eq!(mask_as(PartyKind::Legal, "厂"), "*");
    }

    proptest! {
        #[test]
        fn a_mask_shows_no_character_past_the_second(name in "[\\p{Han}A-Za-z·（） ]{0,30}") {
            let masked = mask(&name);
            let trimmed: Vec<char> = name.trim().chars().collect();
            let shown: Vec<char> = masked.chars().take_while(|&c| c != '*').collect();
            prop_assert!(shown.len() <= 2 && shown.len() <= trimmed.len() / 2);
            prop_assert!(masked.chars().skip(shown.len()).all(|c| c == '*'));
        }

        #[test]
        fn any_text_has_a_short_mask(name in any::<String>()) {
            prop_assert!(mask(&name).chars().count() <= 6);
        }
    }
}
