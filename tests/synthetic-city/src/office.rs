//! The city's offices and their notaries.
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};

use crate::dice::{Dice, Draw};
use crate::people::name;

/// How an office's own system is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// A: case, party and subject tables with English names; PostgreSQL, or SQLite without a server.
    Normalised,
    /// B: one wide table with pinyin columns and numeric codes; SQLite or MySQL/MariaDB.
    Flat,
    /// C: a folder of GB18030 CSV exports with Chinese headers.
    CsvExport,
    /// D: an XLSX workbook with the sheets 案件, 当事人 and 标的.
    Workbook,
}

impl Vendor {
    /// Parties one case can hold in this shape.
    pub(crate) fn party_room(self) -> usize {
        match self {
            Vendor::Normalised | Vendor::Workbook => 5,
            Vendor::Flat | Vendor::CsvExport => 3,
        }
    }
}

/// Whose office it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 市属.
    Municipal,
    /// 县(市)区.
    County,
}

/// One notary office of the city.
#[derive(Clone, Debug)]
pub struct Office {
    pub id: OfficeId,
    pub name: String,
    pub level: Level,
    /// GB/T 2260.
    pub district_code: &'static str,
    pub vendor: Vendor,
    /// Character that stands for the office in its case numbers.
    pub sign: char,
    pub notaries: Vec<Notary>,
    /// Cases in its system.
    pub cases: u32,
    /// First household, in the city's numbering, of the people who come to this office.
    pub(crate) first_household: u64,
    pub(crate) households: u32,
    pub(crate) first_company: u64,
    pub(crate) companies: u32,
}

/// A notary of an office.
#[derive(Clone, Debug)]
pub struct Notary {
    pub name: String,
    pub licence_no: String,
}

impl Office {
    /// Codes of the matters that its licence leaves out.
    pub fn matters_excluded(&self) -> &'static [&'static str] {
        match self.level {
            Level::Municipal => &[],
            Level::County => &["registration"],
        }
    }
}

struct Seat {
    id: &'static str,
    name: &'static str,
    level: Level,
    district: &'static str,
    sign: char,
    vendor: Vendor,
    /// Share of the city's cases, relative to the others.
    weight: u32,
}

const fn seat(
    id: &'static str,
    name: &'static str,
    level: Level,
    district: &'static str,
    sign: char,
    vendor: Vendor,
    weight: u32,
) -> Seat {
    Seat {
        id,
        name,
        level,
        district,
        sign,
        vendor,
        weight,
    }
}

/// Two municipal offices and one for each of the thirteen districts and counties of today.
const SEATS: [Seat; 15] = {
    use Level::{County, Municipal};
    use Vendor::{CsvExport, Flat, Normalised, Workbook};
    [
        seat(
            "hzgl",
            "杭州市鼓楼公证处（示例）",
            Municipal,
            "330102",
            '鼓',
            Normalised,
            16,
        ),
        seat(
            "hzwl",
            "杭州市武林公证处（示例）",
            Municipal,
            "330105",
            '武',
            Flat,
            14,
        ),
        seat(
            "hzsc",
            "杭州市上城区清波公证处（示例）",
            County,
            "330102",
            '上',
            Normalised,
            8,
        ),
        seat(
            "hzgs",
            "杭州市拱墅区运河公证处（示例）",
            County,
            "330105",
            '拱',
            CsvExport,
            7,
        ),
        seat(
            "hzxh",
            "杭州市西湖区古荡公证处（示例）",
            County,
            "330106",
            '西',
            Flat,
            9,
        ),
        seat(
            "hzbj",
            "杭州市滨江区白马湖公证处（示例）",
            County,
            "330108",
            '滨',
            Workbook,
            5,
        ),
        seat(
            "hzxs",
            "杭州市萧山区湘湖公证处（示例）",
            County,
            "330109",
            '萧',
            Normalised,
            10,
        ),
        seat(
            "hzyh",
            "杭州市余杭区良渚公证处（示例）",
            County,
            "330110",
            '余',
            Flat,
            8,
        ),
        seat(
            "hzlp",
            "杭州市临平区皋亭公证处（示例）",
            County,
            "330113",
            '平',
            CsvExport,
            5,
        ),
        seat(
            "hzqt",
            "杭州市钱塘区沿江公证处（示例）",
            County,
            "330114",
            '塘',
            Workbook,
            4,
        ),
        seat(
            "hzfy",
            "杭州市富阳区春江公证处（示例）",
            County,
            "330111",
            '富',
            Normalised,
            4,
        ),
        seat(
            "hzla",
            "杭州市临安区青山湖公证处（示例）",
            County,
            "330112",
            '临',
            CsvExport,
            3,
        ),
        seat(
            "hztl",
            "桐庐县富春江公证处（示例）",
            County,
            "330122",
            '桐',
            Workbook,
            2,
        ),
        seat(
            "hzca",
            "淳安县千岛公证处（示例）",
            County,
            "330127",
            '淳',
            CsvExport,
            2,
        ),
        seat(
            "hzjd",
            "建德市梅城公证处（示例）",
            County,
            "330182",
            '建',
            Flat,
            3,
        ),
    ]
};

/// Signs of offices beyond the fifteen, for benchmarks that need more of them.
const MORE_SIGNS: &str = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒日月盈昃";
const MORE_VENDORS: [Vendor; 4] = [
    Vendor::Normalised,
    Vendor::Flat,
    Vendor::CsvExport,
    Vendor::Workbook,
];

/// Most offices a plan can ask for.
pub(crate) const MOST_OFFICES: u32 = 49;

/// Lays out the first `count` offices with `cases` cases among them.
pub(crate) fn lay_out(seed: u64, count: u32, cases: u32) -> Vec<Office> {
    let mut offices: Vec<Office> = (0..count as usize).map(found).collect();
    let weight = |index: usize| SEATS.get(index).map_or(5, |seat| seat.weight);
    let total: u64 = (0..offices.len()).map(|i| u64::from(weight(i))).sum();
    let (mut weight_so_far, mut given) = (0u64, 0u64);
    let (mut household, mut company) = (0u64, 0u64);
    for (index, office) in offices.iter_mut().enumerate() {
        // Cumulative shares: the rounding never loses or adds a case.
        weight_so_far += u64::from(weight(index));
        let until = u64::from(cases) * weight_so_far / total;
        office.cases = (until - given) as u32;
        given = until;
        office.first_household = household;
        // A household comes about twice in three years.
        office.households = office.cases * 45 / 100 + 1;
        household += u64::from(office.households);
        office.first_company = company;
        office.companies = office.cases / 30 + 3;
        company += u64::from(office.companies);
        office.notaries = notaries(seed, index, office.cases);
    }
    offices
}

fn found(index: usize) -> Office {
    let (id, name, level, district_code, vendor, sign) = match SEATS.get(index) {
        Some(seat) => (
            seat.id.to_owned(),
            seat.name.to_owned(),
            seat.level,
            seat.district,
            seat.vendor,
            seat.sign,
        ),
        None => (
            format!("hzx{:02}", index + 1),
            format!("杭州市第{}公证处（示例）", index + 1),
            Level::County,
            SEATS[index % SEATS.len()].district,
            MORE_VENDORS[index % MORE_VENDORS.len()],
            MORE_SIGNS
                .chars()
                .nth(index - SEATS.len())
                .expect("MOST_OFFICES has a sign for each"),
        ),
    };
    Office {
        id: id.parse().expect("the table's ids are office ids"),
        name,
        level,
        district_code,
        vendor,
        sign,
        notaries: Vec::new(),
        cases: 0,
        first_household: 0,
        households: 0,
        first_company: 0,
        companies: 0,
    }
}

/// Three, and one more for each 300 cases of the three years, at most forty.
fn notaries(seed: u64, office: usize, cases: u32) -> Vec<Notary> {
    let count = (3 + cases / 300).min(40);
    (0..count)
        .map(|number| {
            let mut dice = Dice::new(seed, Draw::Notary, office as u64, u64::from(number));
            let surname = name::surname(&mut dice);
            let sex = name::sex(&mut dice);
            Notary {
                name: name::full(&mut dice, surname, sex),
                licence_no: format!(
                    "13301{:04}{:02}{:03}",
                    dice.between(1996, 2021),
                    office + 1,
                    number + 1
                ),
            }
        })
        .collect()
}
