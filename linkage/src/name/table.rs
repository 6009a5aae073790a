//! Tables that are searched where they lie in the program's file: lines of equal length in order of their keys,
//! below a head of `#` lines. Nothing is read, built or kept at run time.

/// A table whose lines have `LINE` bytes, their line feed included.
#[derive(Debug)]
pub(super) struct Table<const LINE: usize> {
    lines: &'static [u8],
}

impl<const LINE: usize> Table<LINE> {
    /// Skips the head; evaluated by the compiler, which refuses a torn file.
    pub(super) const fn new(file: &'static [u8]) -> Self {
        let mut at = 0;
        while file[at] == b'#' {
            while file[at] != b'\n' {
                at += 1;
            }
            at += 1;
        }
        let (_, lines) = file.split_at(at);
        assert!(lines.len().is_multiple_of(LINE), "lines of unequal length");
        Self { lines }
    }

    /// What follows `key` in its line, without the line feed.
    pub(super) fn find(&self, key: &[u8]) -> Option<&'static [u8]> {
        let (mut low, mut high) = (0, self.lines.len() / LINE);
        while low < high {
            let middle = usize::midpoint(low, high);
            let line = &self.lines[middle * LINE..(middle + 1) * LINE];
            match line[..key.len()].cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(&line[key.len()..LINE - 1]),
            }
        }
        None
    }

    #[cfg(test)]
    pub(super) fn lines(&self) -> impl Iterator<Item = &'static str> {
        self.lines
            .chunks(LINE)
            .map(|line| std::str::from_utf8(&line[..LINE - 1]).expect("a table is UTF-8"))
    }
}

/// A character as the tables hold it: UTF-8, padded with spaces to four bytes, which keeps code point order.
pub(super) fn padded(c: char) -> [u8; 4] {
    let mut bytes = [b' '; 4];
    c.encode_utf8(&mut bytes);
    bytes
}

/// The first character of a padded field.
pub(super) fn unpadded(field: &[u8]) -> Option<char> {
    std::str::from_utf8(field).ok()?.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        static TABLE: Table<5> = Table::new(b"# head\n# more\naa1 \nab2 \nb 3 \n");
        assert_eq!(TABLE.find(b"aa"), Some(&b"1 "[..]));
        assert_eq!(TABLE.find(b"ab"), Some(&b"2 "[..]));
        assert_eq!(TABLE.find(b"b "), Some(&b"3 "[..]));
        assert_eq!(TABLE.find(b"ac"), None);
        assert_eq!(TABLE.find(b"  "), None);
        assert_eq!(TABLE.find(b"zz"), None);
    }

    #[test]
    fn padding_keeps_the_order_of_code_points() {
        assert!(padded('鿿') < padded('\u{20000}'));
        assert!(padded('一') < padded('丁'));
        assert_eq!(unpadded(&padded('张')), Some('张'));
    }
}
