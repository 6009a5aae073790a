//! Where people live, and how an office writes it down. A household, twins included, has one address.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::IndexedRandom};

const STREETS: &[&str] = &[
    "文一路",
    "文二路",
    "文三路",
    "天目山路",
    "凤起路",
    "体育场路",
    "环城北路",
    "建国北路",
    "中山中路",
    "解放路",
    "庆春路",
    "艮山西路",
    "秋涛路",
    "江南大道",
    "滨盛路",
    "市心中路",
    "人民路",
    "金城路",
    "莫干山路",
    "古墩路",
    "余杭塘路",
    "丰潭路",
    "学院路",
    "教工路",
    "保俶路",
    "曙光路",
    "湖墅南路",
    "绍兴路",
    "东新路",
    "德胜路",
];
const ESTATES: &[&str] = &[
    "翠苑",
    "古荡",
    "朝晖",
    "采荷",
    "景芳",
    "和睦",
    "三里亭",
    "南都",
    "西溪",
    "春江",
    "嘉绿",
    "浣纱",
];

/// Mentions of 10,000 written at another address: people move.
const MOVED: u32 = 500;
/// Mentions of 10,000 without an address.
const LEFT_OUT: u32 = 1_000;
/// Mentions of 10,000 whose address ends with the building.
const SHORT: u32 = 1_200;

/// A household's home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home(u32);

/// The homes of a city's people.
#[derive(Debug)]
pub(crate) struct Homes {
    homes: Vec<Home>,
    next: u32,
    dice: ChaCha8Rng,
}

impl Homes {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            homes: Vec::new(),
            next: 0,
            dice: ChaCha8Rng::seed_from_u64(seed ^ 0xadd7),
        }
    }

    /// Home of the people in a case: that of the first who has one. Persons are numbered as they come.
    pub(crate) fn of(&mut self, persons: &[u64]) -> Home {
        let known = |person: &&u64| self.homes.get(**person as usize).is_some();
        let home = match persons.iter().find(known) {
            Some(&person) => self.homes[person as usize],
            None => {
                self.next += 1;
                Home(self.next)
            }
        };
        let most = persons
            .iter()
            .max()
            .map_or(0, |&person| person as usize + 1);
        self.homes.resize(most.max(self.homes.len()), home);
        home
    }

    /// A home as an office writes it, empty when it does not.
    pub(crate) fn written(&mut self, home: Home) -> String {
        if self.dice.random_ratio(LEFT_OUT, 10_000) {
            return String::new();
        }
        let place = if self.dice.random_ratio(MOVED, 10_000) {
            self.dice.random_range(0..u64::MAX)
        } else {
            u64::from(home.0)
        };
        let mut drawn = ChaCha8Rng::seed_from_u64(place);
        let street = STREETS.choose(&mut drawn).copied().unwrap_or_default();
        let estate = ESTATES.choose(&mut drawn).copied().unwrap_or_default();
        let (number, building) = (drawn.random_range(1..400u32), drawn.random_range(1..40u32));
        let (stairs, flat) = (
            drawn.random_range(1..5u32),
            drawn.random_range(1..24u32) * 100 + drawn.random_range(1..5u32),
        );
        let building = format!("{street}{number}号{estate}{building}幢");
        match self.dice.random_range(0..10_000u32) {
            ..SHORT => building,
            n if n % 3 == 0 => format!("{building}{stairs}-{flat}"),
            _ => format!("{building}{stairs}单元{flat}室"),
        }
    }
}
