//! Surnames: those of two characters, and those read otherwise than the character elsewhere.

/// Compound surnames (复姓) still borne, in standard forms.
const COMPOUND: &[&str] = &[
    "万俟", "上官", "东方", "东郭", "东门", "乐正", "令狐", "公冶", "公孙", "公羊", "公良", "北宫",
    "单于", "南宫", "南门", "即墨", "司寇", "司徒", "司空", "司马", "呼延", "夏侯", "太叔", "太史",
    "夹谷", "子车", "宇文", "宗政", "宰父", "尉迟", "左丘", "巫马", "慕容", "拓跋", "择言", "亓官",
    "仉督", "仲孙", "申屠", "百里", "皇甫", "端木", "第五", "纳兰", "羊舌", "西门", "诸葛", "谷梁",
    "赫连", "轩辕", "长孙", "闻人", "闾丘", "鲜于", "欧阳", "淳于", "澹台", "濮阳", "漆雕", "梁丘",
];

/// Surnames with a reading of their own; where two are borne, both.
const READ_OTHERWISE: &[(char, &str)] = &[
    ('万', "wan mo"),
    ('不', "fou"),
    ('乐', "yue le"),
    ('乜', "nie"),
    ('么', "yao"),
    ('亓', "qi"),
    ('仇', "qiu"),
    ('令', "ling"),
    ('任', "ren"),
    ('会', "gui"),
    ('佴', "nai"),
    ('便', "pian"),
    ('俞', "yu"),
    ('俱', "ju"),
    ('冼', "xian"),
    ('区', "ou"),
    ('单', "shan chan"),
    ('卜', "bu"),
    ('句', "gou ju"),
    ('召', "shao"),
    ('员', "yun"),
    ('哈', "ha"),
    ('啜', "chuai"),
    ('宁', "ning"),
    ('宿', "su"),
    ('尉', "wei yu"),
    ('应', "ying"),
    ('庹', "tuo"),
    ('折', "she zhe"),
    ('教', "jiao"),
    ('曾', "zeng"),
    ('曲', "qu"),
    ('朴', "piao"),
    ('查', "zha"),
    ('柏', "bai"),
    ('桓', "huan"),
    ('楼', "lou"),
    ('沈', "shen"),
    ('洗', "xian"),
    ('浣', "wan"),
    ('燕', "yan"),
    ('牟', "mu mou"),
    ('盖', "ge gai"),
    ('相', "xiang"),
    ('盛', "sheng"),
    ('石', "shi"),
    ('祭', "zhai ji"),
    ('种', "chong"),
    ('秘', "bi mi"),
    ('符', "fu"),
    ('繁', "po"),
    ('纪', "ji"),
    ('缪', "miao"),
    ('翟', "zhai di"),
    ('能', "nai"),
    ('臧', "zang"),
    ('莘', "shen xin"),
    ('葛', "ge"),
    ('藏', "zang"),
    ('行', "xing"),
    ('覃', "qin tan"),
    ('解', "xie"),
    ('訾', "zi"),
    ('谌', "chen shen"),
    ('费', "fei bi"),
    ('贾', "jia"),
    ('贠', "yun"),
    ('车', "che"),
    ('过', "guo"),
    ('逄', "pang"),
    ('逯', "lu"),
    ('那', "na"),
    ('郇', "xun huan"),
    ('郗', "xi chi"),
    ('都', "du"),
    ('重', "chong"),
    ('钭', "tou"),
    ('长', "zhang"),
    ('阚', "kan"),
    ('阙', "que"),
    ('隗', "wei kui"),
    ('黑', "he hei"),
    ('黄', "huang"),
];

/// How the character is read as a surname, when otherwise than usual; readings by spaces.
pub(super) fn readings(c: char) -> Option<&'static str> {
    READ_OTHERWISE
        .iter()
        .find(|(surname, _)| *surname == c)
        .map(|(_, readings)| *readings)
}

/// Characters that the surname of a name in standard forms takes: two for a compound surname, else one.
pub(super) fn length(first: char, second: Option<char>) -> usize {
    let compound = second.is_some_and(|second| {
        COMPOUND
            .iter()
            .any(|surname| surname.chars().eq([first, second]))
    });
    1 + usize::from(compound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compound_surnames_take_two_characters() {
        assert_eq!(length('欧', Some('阳')), 2);
        assert_eq!(length('欧', Some('洋')), 1);
        assert_eq!(length('张', None), 1);
    }

    #[test]
    fn no_surname_is_listed_twice() {
        for (at, (c, _)) in READ_OTHERWISE.iter().enumerate() {
            assert!(
                READ_OTHERWISE[at + 1..].iter().all(|(other, _)| other != c),
                "{c}"
            );
        }
    }
}
