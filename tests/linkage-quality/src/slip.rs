//! What goes wrong on the way into an office's system, beyond what the city itself gets wrong.
//!
//! Which characters are taken for which is listed here by hand, as clerks at pinyin keyboards and over scans take
//! them, and not looked up in the tables of the library that is to be measured.

use linkage::name::PreparedName;
use rand::{RngExt, rngs::ChaCha8Rng, seq::IndexedRandom};
use synthetic_city::Party;
use time::{Date, Month};

/// Groups that share a pinyin syllable.
const HOMOPHONES: &[&str] = &[
    "张章",
    "王汪",
    "刘留柳",
    "杨扬阳洋",
    "黄皇",
    "吴武伍",
    "周州洲",
    "徐许",
    "朱诸祝",
    "胡湖",
    "林琳霖",
    "何和贺",
    "罗骆",
    "郑正",
    "梁良",
    "谢解",
    "宋送",
    "唐堂",
    "韩寒",
    "冯逢",
    "邓登",
    "曹草",
    "彭朋",
    "萧肖",
    "董懂",
    "袁原元",
    "潘盘",
    "于余俞",
    "蒋姜江",
    "蔡菜",
    "杜度",
    "叶业",
    "程成",
    "苏素",
    "魏卫",
    "任仁",
    "沈审",
    "卢陆",
    "曾增",
    "钟中",
    "娄楼",
    "伟玮炜维",
    "强墙蔷",
    "磊蕾",
    "军君均",
    "杰洁捷",
    "涛滔",
    "超朝",
    "明名铭",
    "刚钢岗",
    "平萍苹",
    "辉晖",
    "鹏朋",
    "华花桦",
    "飞菲",
    "鑫新欣馨",
    "波博",
    "斌彬宾",
    "宇雨羽",
    "浩昊皓",
    "健建",
    "俊骏",
    "旭绪",
    "宁凝",
    "龙隆",
    "欢环",
    "佳嘉家",
    "国果",
    "志治",
    "晓小筱",
    "东冬",
    "文雯",
    "海亥",
    "峰锋枫",
    "思丝",
    "远媛",
    "轩宣",
    "芳方",
    "娜那",
    "敏闽",
    "静靖婧",
    "丽莉俐",
    "艳燕雁",
    "娟鹃",
    "霞侠",
    "秀绣",
    "英瑛",
    "红宏虹",
    "玲铃灵",
    "梅玫",
    "雪薛",
    "婷庭",
    "慧惠",
    "莹盈",
    "倩茜",
    "颖影",
    "瑶遥",
    "怡宜仪",
    "悦月",
    "雅亚",
    "诗施",
    "云芸",
    "兰岚",
    "凤奉",
    "珍真",
    "玉育",
    "淑书",
    "贞珍",
    "桂贵",
    "香湘",
    "春椿",
    "菊举",
    "子紫",
    "萱宣",
];

/// Pairs that look alike.
const LOOK_ALIKES: &[(char, char)] = &[
    ('王', '玉'),
    ('刘', '列'),
    ('陈', '阵'),
    ('杨', '扬'),
    ('徐', '余'),
    ('朱', '未'),
    ('郭', '廓'),
    ('何', '河'),
    ('宋', '宗'),
    ('许', '计'),
    ('邓', '郑'),
    ('田', '由'),
    ('潘', '番'),
    ('于', '干'),
    ('余', '佘'),
    ('杜', '社'),
    ('任', '仕'),
    ('沈', '沉'),
    ('汪', '江'),
    ('俞', '愈'),
    ('伟', '纬'),
    ('杰', '木'),
    ('明', '朋'),
    ('平', '乎'),
    ('辉', '挥'),
    ('斌', '赋'),
    ('浩', '洁'),
    ('旭', '旮'),
    ('宁', '宇'),
    ('佳', '桂'),
    ('晓', '哓'),
    ('海', '侮'),
    ('峰', '锋'),
    ('思', '恩'),
    ('娜', '那'),
    ('敏', '教'),
    ('丽', '俪'),
    ('娟', '捐'),
    ('玲', '玪'),
    ('婷', '停'),
    ('洁', '浩'),
    ('倩', '清'),
    ('佳', '住'),
    ('欣', '欧'),
    ('诗', '待'),
    ('云', '去'),
    ('桂', '佳'),
    ('香', '杳'),
    ('菊', '掬'),
];

/// Any characters, for a slip that follows no rule.
const STRAY: &[char] = &[
    '一', '文', '成', '生', '安', '永', '德', '学', '美', '爱', '金', '光', '福', '广',
];

/// Draws the slips of one mention.
pub(crate) fn apply(dice: &mut ChaCha8Rng, party: &mut Party) {
    // Rates of 10,000. Together some six in a hundred names are other than they should be.
    match dice.random_range(0..10_000u32) {
        0..160 => party.name = replaced(dice, &party.name, homophone),
        160..220 => party.name = replaced(dice, &party.name, look_alike),
        220..260 => party.name = dropped(dice, &party.name),
        260..280 => party.name.push(*STRAY.choose(dice).unwrap_or(&'一')),
        280..330 => party.name = replaced(dice, &party.name, stray),
        330..350 => party.name = swapped(&party.name),
        350..410 => party.name = masked(dice, &party.name),
        410..480 => party.name = romanised(dice, &party.name),
        _ => {}
    }
    match dice.random_range(0..10_000u32) {
        0..50 => {
            party.birth_on = party
                .birth_on
                .and_then(day_and_month_swapped)
                .or(party.birth_on)
        }
        50..170 => party.birth_on = party.birth_on.map(|birth| one_digit_off(dice, birth)),
        170..200 => {
            party.birth_on = party
                .birth_on
                .and_then(|birth| Date::from_ordinal_date(birth.year(), 1).ok())
        }
        200..600 => party.birth_on = None,
        _ => {}
    }
    match dice.random_range(0..10_000u32) {
        0..800 => party.phone = None,
        // A new number, or one of the office's own that half the street is reached by.
        800..1_800 => party.phone = Some(format!("137{:08}", dice.random_range(0..100_000_000u32))),
        1_800..1_900 => party.phone = Some(format!("0571-8888{:04}", dice.random_range(0..20u32))),
        _ => {}
    }
    match dice.random_range(0..10_000u32) {
        0..500 => {
            party.district = ["330102", "330105", "330106", "330109", "330110", "310101"]
                .choose(dice)
                .copied()
                .unwrap_or("330102")
        }
        500..1_000 => party.district = "",
        _ => {}
    }
    if dice.random_ratio(30, 10_000) {
        party.sex = None;
    }
}

type Twist = fn(&mut ChaCha8Rng, char) -> Option<char>;

/// One character, taken at random among those that the twist knows.
fn replaced(dice: &mut ChaCha8Rng, name: &str, twist: Twist) -> String {
    let mut name: Vec<char> = name.chars().collect();
    let first = dice.random_range(0..name.len().max(1));
    for step in 0..name.len() {
        let at = (first + step) % name.len();
        if let Some(other) = twist(dice, name[at]) {
            name[at] = other;
            break;
        }
    }
    name.into_iter().collect()
}

fn homophone(dice: &mut ChaCha8Rng, c: char) -> Option<char> {
    let group: Vec<char> = HOMOPHONES
        .iter()
        .find(|group| group.contains(c))?
        .chars()
        .filter(|o| *o != c)
        .collect();
    group.choose(dice).copied()
}

fn look_alike(_: &mut ChaCha8Rng, c: char) -> Option<char> {
    LOOK_ALIKES.iter().find_map(|&(a, b)| match c {
        _ if c == a => Some(b),
        _ if c == b => Some(a),
        _ => None,
    })
}

fn stray(dice: &mut ChaCha8Rng, _: char) -> Option<char> {
    STRAY.choose(dice).copied()
}

fn dropped(dice: &mut ChaCha8Rng, name: &str) -> String {
    let len = name.chars().count();
    let gone = 1 + dice.random_range(0..len.max(2) - 1);
    name.chars()
        .enumerate()
        .filter(|(at, _)| len < 3 || *at != gone)
        .map(|(_, c)| c)
        .collect()
}

fn swapped(name: &str) -> String {
    let mut name: Vec<char> = name.chars().collect();
    if let [.., before, last] = name.as_mut_slice() {
        std::mem::swap(before, last);
    }
    name.into_iter().collect()
}

fn masked(dice: &mut ChaCha8Rng, name: &str) -> String {
    let mask = *["*", "○", "某", "＊"].choose(dice).unwrap_or(&"*");
    let len = name.chars().count();
    let hidden = if dice.random_bool(0.5) { 1..2 } else { 1..len };
    name.chars()
        .enumerate()
        .map(|(at, c)| {
            if hidden.contains(&at) {
                mask.to_owned()
            } else {
                c.to_string()
            }
        })
        .collect()
}

fn romanised(dice: &mut ChaCha8Rng, name: &str) -> String {
    let Some(pinyin) = PreparedName::new(name).romanised() else {
        return name.to_owned();
    };
    match pinyin.split_once(' ') {
        Some((surname, given)) if dice.random_bool(0.5) => format!("{given} {surname}"),
        _ => pinyin,
    }
}

fn day_and_month_swapped(birth: Date) -> Option<Date> {
    let month = Month::try_from(birth.day()).ok()?;
    Date::from_calendar_date(birth.year(), month, u8::from(birth.month())).ok()
}

fn one_digit_off(dice: &mut ChaCha8Rng, birth: Date) -> Date {
    let (year, month, day) = birth.to_calendar_date();
    let other = match dice.random_range(0..3u32) {
        0 => Date::from_calendar_date(
            year + *[-10, -1, 1, 10].choose(dice).unwrap_or(&1),
            month,
            day,
        ),
        1 => Date::from_calendar_date(year, month.next(), day),
        _ => Date::from_calendar_date(year, month, day / 10 * 10 + dice.random_range(1..9u8)),
    };
    other.unwrap_or(birth)
}
