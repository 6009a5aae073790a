//! Names: common surnames and given-name characters, foreign and minority names, and how offices write
//! one name differently.
use linkage::vocabulary::Sex;

use crate::dice::Dice;

/// Common surnames with their rough share, per 1,000.
const SURNAMES: [(&str, u32); 60] = [
    ("王", 72),
    ("李", 70),
    ("张", 66),
    ("陈", 52),
    ("刘", 48),
    ("杨", 30),
    ("黄", 24),
    ("赵", 22),
    ("吴", 24),
    ("周", 24),
    ("徐", 20),
    ("孙", 18),
    ("朱", 18),
    ("马", 12),
    ("胡", 14),
    ("郭", 11),
    ("林", 14),
    ("何", 11),
    ("高", 11),
    ("罗", 9),
    ("郑", 10),
    ("梁", 8),
    ("谢", 8),
    ("宋", 8),
    ("唐", 7),
    ("许", 8),
    ("韩", 6),
    ("冯", 6),
    ("邓", 6),
    ("曹", 6),
    ("彭", 5),
    ("曾", 5),
    ("萧", 4),
    ("田", 4),
    ("董", 5),
    ("袁", 5),
    ("潘", 6),
    ("于", 4),
    ("蒋", 6),
    ("蔡", 6),
    ("余", 6),
    ("杜", 4),
    ("叶", 8),
    ("程", 5),
    ("苏", 5),
    ("魏", 4),
    ("吕", 5),
    ("丁", 5),
    ("任", 4),
    ("沈", 10),
    ("姚", 5),
    ("卢", 4),
    ("姜", 4),
    ("钟", 4),
    ("汪", 5),
    ("俞", 6),
    ("楼", 3),
    ("章", 4),
    ("欧阳", 2),
    ("诸葛", 1),
];

const MALE: &str = "伟强磊军勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢佳阳建国志新晓东文海峰嘉俊思远子轩一鸣天宇承泽";
const FEMALE: &str = "芳娜敏静丽艳娟霞秀英红玲燕萍华梅雪琳婷洁慧莹倩颖瑶佳怡欣悦雅文晓思雨梦涵诗云月兰凤珍玉淑贞桂香春菊美子萱";

const MINORITY: [&str; 8] = [
    "阿依古丽·买买提",
    "迪丽努尔·艾合买提",
    "古丽娜尔·吐尔逊",
    "艾力·卡德尔",
    "扎西·多吉",
    "卓玛·央金",
    "巴特尔·朝鲁",
    "木合塔尔·热合曼",
];

const FOREIGN_FIRST: [&str; 20] = [
    "ANNA", "DANIEL", "MARIA", "JOHN", "SOFIA", "PETER", "EMILY", "LUCAS", "JULIA", "MARK",
    "KENJI", "YUKI", "MINJUN", "SEOYEON", "PIERRE", "CLAIRE", "HANS", "INGRID", "MARCO", "ELENA",
];
const FOREIGN_LAST: [&str; 20] = [
    "SMITH",
    "JOHNSON",
    "GARCIA",
    "MULLER",
    "ROSSI",
    "TANAKA",
    "SUZUKI",
    "KIM",
    "PARK",
    "DUBOIS",
    "MARTIN",
    "BROWN",
    "WILSON",
    "TAYLOR",
    "LEE",
    "NGUYEN",
    "SILVA",
    "IVANOVA",
    "NOVAK",
    "ANDERSSON",
];

/// Simplified and traditional form of characters that occur above.
const TRADITIONAL: [(char, char); 44] = [
    ('张', '張'),
    ('陈', '陳'),
    ('刘', '劉'),
    ('杨', '楊'),
    ('黄', '黃'),
    ('赵', '趙'),
    ('吴', '吳'),
    ('孙', '孫'),
    ('马', '馬'),
    ('罗', '羅'),
    ('郑', '鄭'),
    ('谢', '謝'),
    ('许', '許'),
    ('韩', '韓'),
    ('冯', '馮'),
    ('邓', '鄧'),
    ('萧', '蕭'),
    ('蒋', '蔣'),
    ('叶', '葉'),
    ('苏', '蘇'),
    ('吕', '呂'),
    ('卢', '盧'),
    ('钟', '鍾'),
    ('楼', '樓'),
    ('伟', '偉'),
    ('强', '強'),
    ('军', '軍'),
    ('涛', '濤'),
    ('刚', '剛'),
    ('辉', '輝'),
    ('鹏', '鵬'),
    ('华', '華'),
    ('飞', '飛'),
    ('宁', '寧'),
    ('龙', '龍'),
    ('欢', '歡'),
    ('阳', '陽'),
    ('国', '國'),
    ('东', '東'),
    ('静', '靜'),
    ('丽', '麗'),
    ('艳', '艷'),
    ('红', '紅'),
    ('兰', '蘭'),
];

pub(crate) fn surname(dice: &mut Dice) -> &'static str {
    SURNAMES[dice.weighted(SURNAMES.iter().map(|(_, share)| *share))].0
}

pub(crate) fn sex(dice: &mut Dice) -> Sex {
    if dice.chance(5_000) {
        Sex::Male
    } else {
        Sex::Female
    }
}

/// Surname and a given name of two characters, or of one (15 %).
pub(crate) fn full(dice: &mut Dice, surname: &str, sex: Sex) -> String {
    let given = match sex {
        Sex::Male => MALE,
        Sex::Female => FEMALE,
    };
    let mut name = String::with_capacity(12);
    name.push_str(surname);
    let length = if dice.chance(1_500) { 1 } else { 2 };
    for _ in 0..length {
        name.push(character(dice, given));
    }
    name
}

pub(crate) fn minority(dice: &mut Dice) -> String {
    dice.pick(&MINORITY).to_owned()
}

pub(crate) fn foreign(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(&FOREIGN_LAST), dice.pick(&FOREIGN_FIRST))
}

/// Every character of the tables takes three bytes.
fn character(dice: &mut Dice, of: &'static str) -> char {
    let index = dice.below(of.len() as u32 / 3) as usize * 3;
    of[index..]
        .chars()
        .next()
        .expect("the index lies within the table")
}

/// How else an office may have typed the name: another dot, a space, traditional characters, lower case.
pub(crate) fn variant(dice: &mut Dice, name: &str) -> String {
    if name.contains('·') {
        return name.replace('·', dice.pick(&["•", "．", "・", ".", ""]));
    }
    if name.is_ascii() {
        return if dice.chance(5_000) {
            name.to_lowercase()
        } else {
            name.replace(' ', "  ")
        };
    }
    let traditional: String = name.chars().map(traditional).collect();
    if traditional != name && dice.chance(6_000) {
        return traditional;
    }
    let first = name.chars().next().map_or(0, char::len_utf8);
    let (surname, given) = name.split_at(first);
    format!("{surname}{}{given}", dice.pick(&[" ", "　", "  "]))
}

fn traditional(simplified: char) -> char {
    TRADITIONAL
        .iter()
        .find(|(s, _)| *s == simplified)
        .map_or(simplified, |(_, t)| *t)
}
