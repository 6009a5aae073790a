//! Files that cannot be read, for the office to mend.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file that cannot be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadFile {
    /// Name of the file.
    pub file: String,
    /// Line, from 1, where there is one.
    pub line: Option<u64>,
    /// Character in the line, from 1, where there is one.
    pub column: Option<u64>,
    /// What is wrong.
    pub why: String,
    /// The same for the office's staff.
    #[serde(default)]
    pub why_zh: String,
    /// It may be readable at the next look although it has not changed.
    #[serde(skip)]
    pub(super) passing: bool,
}

/// What is wrong with a file.
#[derive(Clone, Debug)]
pub(super) enum Why {
    Unreadable(String),
    Kind,
    CutShort,
    NotUtf8Name,
    Damaged,
    NotUtf8,
    NotGb18030,
    NoKnownEncoding,
    WithinCharacter,
    Empty,
    OpenQuote,
    NoCsv,
    NoColumnNames,
    SameColumn(String),
    NoWorkbook(String),
    TooLarge {
        megabytes: u64,
    },
    NoSheet,
    NoSuchSheet {
        sheet: String,
        given: String,
    },
    EmptySheet(String),
    BrokenSheet {
        sheet: String,
        error: String,
    },
    NoColumn {
        sheet: String,
        column: String,
        given: String,
    },
}

impl Why {
    /// In English for programs and logs, in Chinese for the office's staff.
    fn texts(&self) -> (String, String) {
        let (text, zh) = match self {
            Self::Unreadable(error) => {
                return (
                    format!("cannot be read: {error}"),
                    format!("无法读取：{error}"),
                );
            }
            Self::Kind => ("is neither *.csv nor *.xlsx", "不是 *.csv 或 *.xlsx 文件"),
            Self::CutShort => ("reading was cut short", "读取被中断"),
            Self::NotUtf8Name => (
                "has a name that is not UTF-8; rename it, or mount the share with its character set",
                "文件名不是 UTF-8 编码，请改名，或在挂载共享目录时指定字符集",
            ),
            Self::Damaged => (
                "is damaged in a way that cannot be read",
                "文件已损坏，无法读取",
            ),
            Self::NotUtf8 => ("is not UTF-8 here", "此处不是 UTF-8 编码"),
            Self::NotGb18030 => ("is not GB18030 here", "此处不是 GB18030 编码"),
            Self::NoKnownEncoding => (
                "is neither UTF-8 (here is the first wrong byte) nor GB18030",
                "既不是 UTF-8 编码（此处起不符），也不是 GB18030 编码",
            ),
            Self::WithinCharacter => ("ends within a character", "文件在一个字符中间中断"),
            Self::Empty => (
                "is empty: there is no line with column names",
                "文件为空，没有列名行",
            ),
            Self::OpenQuote => (
                "a quote that begins here is not closed",
                "此处开始的引号没有结束",
            ),
            Self::NoCsv => ("is no CSV from here on", "从此处起不是 CSV 格式"),
            Self::NoColumnNames => ("the first line holds no column names", "第一行没有列名"),
            Self::SameColumn(name) => {
                return (
                    format!("the column `{name}` is there twice"),
                    format!("列「{name}」重复"),
                );
            }
            Self::NoWorkbook(error) => {
                return (
                    format!("is not an XLSX workbook: {error}"),
                    format!("不是 XLSX 工作簿：{error}"),
                );
            }
            Self::TooLarge { megabytes } => {
                return (
                    format!(
                        "unpacks to {megabytes} MB of texts; export it in several files or as CSV"
                    ),
                    format!("解压后文字达 {megabytes} MB，请分成几个文件或导出为 CSV"),
                );
            }
            Self::NoSheet => ("has no sheet", "没有工作表"),
            Self::NoSuchSheet { sheet, given } => {
                return (
                    format!("has no sheet `{sheet}`; it has: {given}"),
                    format!("没有工作表「{sheet}」，现有：{given}"),
                );
            }
            Self::EmptySheet(sheet) => {
                return (
                    format!("the sheet `{sheet}` is empty"),
                    format!("工作表「{sheet}」为空"),
                );
            }
            Self::BrokenSheet { sheet, error } => {
                return (
                    format!("the sheet `{sheet}` cannot be read: {error}"),
                    format!("工作表「{sheet}」无法读取：{error}"),
                );
            }
            Self::NoColumn {
                sheet,
                column,
                given,
            } => {
                return (
                    format!("the sheet `{sheet}` has no column `{column}`; it has: {given}"),
                    format!("工作表「{sheet}」没有列「{column}」，现有：{given}"),
                );
            }
        };
        (text.to_owned(), zh.to_owned())
    }
}

impl BadFile {
    pub(super) fn new(file: &str, why: Why) -> Self {
        let (text, zh) = why.texts();
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            why: text,
            why_zh: zh,
            passing: false,
        }
    }

    pub(super) fn at(self, line: u64, column: Option<u64>) -> Self {
        Self {
            line: Some(line),
            column,
            ..self
        }
    }

    pub(super) fn io(file: &str, error: &std::io::Error) -> Self {
        Self {
            passing: true,
            ..Self::new(file, Why::Unreadable(error.to_string()))
        }
    }

    /// For the office's staff.
    #[must_use]
    pub fn text_zh(&self) -> String {
        let line = self.line.map(|line| format!("第 {line} 行"));
        let column = self.column.map(|column| format!("第 {column} 个字符"));
        let place: String = [line, column].into_iter().flatten().collect();
        let space = if place.is_empty() { "" } else { " " };
        format!("{}{space}{place}：{}", self.file, self.why_zh)
    }
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", character {column}")?;
        }
        write!(f, ": {}", self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_read_where_and_what_in_chinese() {
        let bad = BadFile::new("a.csv", Why::NoKnownEncoding).at(2, Some(118));
        assert_eq!(
            bad.text_zh(),
            "a.csv 第 2 行第 118 个字符：既不是 UTF-8 编码（此处起不符），也不是 GB18030 编码"
        );
        assert_eq!(
            BadFile::new("b.csv", Why::Empty).text_zh(),
            "b.csv：文件为空，没有列名行"
        );
    }
}
