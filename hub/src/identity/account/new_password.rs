//! What may become an account's password: long, and nothing that whoever guesses tries first (NIST SP 800-63B, 3.1.1.2). There
//! are no rules of which characters it has.

use std::collections::HashSet;
use std::sync::LazyLock;

use linkage::office::OfficeId;
use zeroize::Zeroizing;

use super::pepper::Pepper;

/// Shortest password of an account, characters.
pub const SHORTEST: usize = 12;
/// Longest new password, characters; more is work for an attacker to give away.
pub const LONGEST: usize = 128;
/// Fewer different characters than that are a pattern.
const DIFFERENT: usize = 5;

static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("../../../data/common-passwords.txt").lines();
    lines.filter(|line| !line.starts_with("# ")).collect()
});

/// Why a password cannot be an account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {SHORTEST} characters")]
    TooShort,
    #[error("a password has at most {LONGEST} characters")]
    TooLong,
    #[error("this password is among those that are tried first; choose another")]
    Common,
    #[error(
        "a password has at least {SHORTEST} characters beside the names of the account and its office"
    )]
    Named,
}

impl PasswordError {
    /// What to do about it, for whoever chose it.
    pub const fn detail_zh(self) -> &'static str {
        match self {
            Self::TooShort => "新密码至少12个字符，例如几个不相关的词。",
            Self::TooLong => "新密码最多128个字符。",
            Self::Common => "新密码是常用密码，最先被人试到，请换一个。",
            Self::Named => "用户名、姓名和公证处名称不计入密码长度；此外至少12个字符。",
        }
    }
}

/// What is known of an account's owner to everybody.
#[derive(Clone, Debug)]
pub struct Names {
    pub login: String,
    pub display_name: String,
    pub office_id: Option<OfficeId>,
    pub office_name: Option<String>,
}

/// A password that may be an account's.
pub struct NewPassword(Zeroizing<String>);

impl NewPassword {
    pub fn new(text: &str, names: &Names) -> Result<Self, PasswordError> {
        match text.chars().count() {
            ..SHORTEST => return Err(PasswordError::TooShort),
            SHORTEST..=LONGEST => {}
            _ => return Err(PasswordError::TooLong),
        }
        let folded = Zeroizing::new(text.to_lowercase());
        if is_common(&folded) || is_pattern(&folded) {
            return Err(PasswordError::Common);
        }
        if names.left_of(&folded) < SHORTEST {
            return Err(PasswordError::Named);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Argon2id hash as PHC string. Blocks for about 50 ms.
    pub fn hash(&self, pepper: &Pepper) -> String {
        pepper.hash(&self.0)
    }
}

impl Names {
    /// Characters of a text in lower case that are in none of the names.
    fn left_of(&self, text: &str) -> usize {
        let office_id = self.office_id.as_ref().map(|id| id.as_str());
        let names = [
            Some(self.login.as_str()),
            Some(&self.display_name),
            office_id,
            self.office_name.as_deref(),
        ];
        let mut left = Zeroizing::new(text.to_owned());
        for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
            left = Zeroizing::new(left.replace(&name.to_lowercase(), ""));
        }
        left.chars().count()
    }
}

/// Whether it, or what is between the digits and signs at its ends, is on the list: `Password2026!` is `password`.
fn is_common(text: &str) -> bool {
    let core = text.trim_matches(|c: char| !c.is_alphabetic());
    [text, core].iter().any(|text| COMMON.contains(text))
}

/// `aaaaaaaaaaaa`, `121212121212`, `abcdefghijkl`, `987654321098`.
fn is_pattern(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let different: HashSet<&char> = characters.iter().collect();
    let follows = |pair: &[char]| {
        let (a, b) = (u32::from(pair[0]), u32::from(pair[1]));
        a.abs_diff(b) <= 1 || matches!((pair[0], pair[1]), ('9', '0') | ('0', '9'))
    };
    different.len() < DIFFERENT || characters.windows(2).all(follows)
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<PasswordError> {
        let names = Names {
            login: "zhang.san".into(),
            display_name: "张三丰".into(),
            office_id: Some("hzgl".parse().expect("an office")),
            office_name: Some("杭州市钟楼公证处".into()),
        };
        NewPassword::new(text, &names).err()
    }

    #[test]
    fn passwords_of_other_lengths_are_refused() {
        assert_eq!(refused("eleven char"), Some(PasswordError::TooShort));
        let long = "一二三四五六七八".repeat(16);
        assert_eq!((long.chars().count(), refused(&long)), (128, None));
        assert_eq!(refused(&format!("{long}。")), Some(PasswordError::TooLong));
        assert_eq!(refused("correct horse battery"), None);
        assert_eq!(refused("西湖边上的长口令一二三四"), None);
    }

    #[test]
    fn what_is_tried_first_is_refused_however_it_is_dressed_up() {
        for common in [
            "qwertyuiop123",
            "Password2026!",
            "123456789987654321",
            "!!administrator!!",
            "AAAAAAAAAAAAAAA",
            "121212121212",
            "abcdefghijklm",
            "7890123456789",
        ] {
            assert_eq!(refused(common), Some(PasswordError::Common), "{common}");
        }
        assert!(COMMON.len() > 15_000 && COMMON.contains("password"));
    }

    #[test]
    fn names_that_everybody_knows_do_not_make_a_password_longer() {
        for named in [
            "Zhang.San-2026",
            "张三丰张三丰张三丰七月",
            "hzgl-hzgl-hzgl-1",
            "杭州市钟楼公证处二〇二六",
        ] {
            let expected = match named.chars().count() < SHORTEST {
                true => PasswordError::TooShort,
                false => PasswordError::Named,
            };
            assert_eq!(refused(named), Some(expected), "{named}");
        }
        assert_eq!(refused("zhang.san rides a brown horse"), None);
    }
}
