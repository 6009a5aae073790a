//! Folding of written text that every number type shares: widths, invisible characters, separators.

/// The half-width twin of a full-width form (U+FF01–FF5E) or of the ideographic space; other characters stay.
pub(crate) fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(c as u32 - 0xFEE0).expect("U+FF01–FF5E maps onto U+0021–007E")
        }
        _ => c,
    }
}

/// Characters that show nothing: soft hyphen, zero-width and direction marks, byte order mark.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

/// Any of the characters people type for a hyphen.
pub(crate) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// Any of the characters people type for the middle dot of names and plates.
pub(crate) fn is_middle_dot(c: char) -> bool {
    matches!(
        c,
        '·' | '•' | '‧' | '∙' | '⋅' | '・' | '･' | '●' | '\u{0387}' | '\u{16EB}' | '\u{2E31}'
    )
}

/// Opening bracket of any form.
pub(crate) fn is_opening(c: char) -> bool {
    matches!(
        c,
        '(' | '（'
            | '['
            | '［'
            | '〔'
            | '【'
            | '{'
            | '〖'
            | '﹙'
            | '﹝'
            | '<'
            | '〈'
            | '《'
            | '「'
            | '『'
            | '⟨'
            | '‹'
            | '«'
    )
}

/// Closing bracket of any form.
pub(crate) fn is_closing(c: char) -> bool {
    matches!(
        c,
        ')' | '）'
            | ']'
            | '］'
            | '〕'
            | '】'
            | '}'
            | '〗'
            | '﹚'
            | '﹞'
            | '>'
            | '〉'
            | '》'
            | '」'
            | '』'
            | '⟩'
            | '›'
            | '»'
    )
}

/// Han characters, the ideographic zero included.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3005}' | '\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// The last characters of a number by which people recognise it: its last run of ASCII letters and digits,
/// cut to `limit` and never more than half of that run, so that no middle shows.
pub(crate) fn recognisable_tail(number: &str, limit: usize) -> &str {
    let end = number
        .rfind(|c: char| c.is_ascii_alphanumeric())
        .map_or(0, |last| last + 1);
    let run = number[..end]
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |before| {
            before + number[before..].chars().next().map_or(0, char::len_utf8)
        });
    let shown = limit.min((end - run) / 2);
    &number[end - shown..end]
}

/// FNV-1a with a final mix (that of MurmurHash3), for whoever drops a byte of it.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> u64 {
    let hash = parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// Serde as text, by `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text =
                    <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_never_shows_more_than_half_of_the_last_run() {
        assert_eq!(recognisable_tail("330106199003078813", 4), "8813");
        assert_eq!(recognisable_tail("浙(2021)杭州市不动产权第1234号", 6), "34");
        assert_eq!(recognisable_tail("A1", 4), "1");
        assert_eq!(recognisable_tail("7", 4), "");
        assert_eq!(recognisable_tail("无", 4), "");
        assert_eq!(recognisable_tail("", 4), "");
    }

    #[test]
    fn every_full_width_form_has_its_half_width_twin() {
        let full: String = ('\u{FF01}'..='\u{FF5E}').map(half_width).collect();
        let half: String = ('!'..='~').collect();
        assert_eq!(full, half);
        assert_eq!(half_width('\u{3000}'), ' ');
        assert_eq!(half_width('汉'), '汉');
    }
}
