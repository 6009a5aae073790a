//! Which encoding a CSV file has, and reading it as UTF-8.
//!
//! A byte order mark decides. Without one, bytes that are UTF-8 to the end are UTF-8: Chinese text in GB 18030 practically
//! never is. Everything else is GB 18030.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use sha2::{Digest, Sha256};

use super::bad::{BadFile, Why};
use crate::config::Encoding;

const CHUNK: usize = 64 * 1024;

/// What one reading of all bytes tells.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) hash: String,
    pub(super) encoding: &'static encoding_rs::Encoding,
}

/// SHA-256 of a file.
pub(super) fn hash(path: &Path) -> io::Result<String> {
    let mut sum = Sha256::new();
    each_chunk(path, |chunk, _| sum.update(chunk))?;
    Ok(data_encoding::HEXLOWER.encode(&sum.finalize()))
}

/// Reads a CSV file once: its digest, its encoding, and that every byte of it is text in that encoding.
pub(super) fn survey(path: &Path, file: &str, wanted: Encoding) -> Result<Survey, BadFile> {
    let mut sum = Sha256::new();
    let mut mark = None;
    let mut utf8 = Check::new(UTF_8);
    let mut gb18030 = Check::new(GB18030);
    each_chunk(path, |chunk, last| {
        mark.get_or_insert_with(|| byte_order_mark(chunk));
        sum.update(chunk);
        utf8.take(chunk, last);
        gb18030.take(chunk, last);
    })
    .map_err(|error| BadFile::io(file, &error))?;
    let hash = data_encoding::HEXLOWER.encode(&sum.finalize());
    let done = |encoding| Ok(Survey { hash, encoding });
    let bad = |check: &Check, why: Why| {
        let bad = BadFile::new(file, why);
        Err(check
            .error
            .map_or(bad.clone(), |(line, column)| bad.at(line, Some(column))))
    };
    match (wanted, mark.flatten()) {
        // What Excel calls "Unicode text".
        (Encoding::Auto, Some(mark)) if mark == UTF_16LE || mark == UTF_16BE => done(mark),
        (Encoding::Utf8, _) | (Encoding::Auto, Some(_)) if utf8.error.is_none() => done(UTF_8),
        (Encoding::Utf8, _) | (Encoding::Auto, Some(_)) => bad(&utf8, Why::NotUtf8),
        (Encoding::Auto, None) if utf8.error.is_none() => done(UTF_8),
        // Chinese text that is UTF-8 up to the last bytes was cut off there.
        (Encoding::Auto, None) if utf8.cut_short && utf8.beyond_ascii => {
            bad(&utf8, Why::WithinCharacter)
        }
        (Encoding::Auto | Encoding::Gb18030, _) if gb18030.error.is_none() => done(GB18030),
        (Encoding::Auto, None) => bad(&utf8, Why::NoKnownEncoding),
        (Encoding::Gb18030, _) => bad(&gb18030, Why::NotGb18030),
    }
}

fn byte_order_mark(chunk: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    encoding_rs::Encoding::for_bom(chunk).map(|(encoding, _)| encoding)
}

fn each_chunk(path: &Path, mut take: impl FnMut(&[u8], bool)) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => take(&chunk[..length], false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    take(&[], true);
    Ok(())
}

/// Whether bytes are text in an encoding; where they are not for the first time.
struct Check {
    decoder: Decoder,
    text: String,
    line: u64,
    column: u64,
    error: Option<(u64, u64)>,
    cut_short: bool,
    beyond_ascii: bool,
}

impl Check {
    fn new(encoding: &'static encoding_rs::Encoding) -> Self {
        Self {
            decoder: encoding.new_decoder_with_bom_removal(),
            text: String::with_capacity(CHUNK),
            line: 1,
            column: 1,
            error: None,
            cut_short: false,
            beyond_ascii: false,
        }
    }

    fn take(&mut self, mut chunk: &[u8], last: bool) {
        while self.error.is_none() {
            self.text.clear();
            let (result, read) =
                self.decoder
                    .decode_to_string_without_replacement(chunk, &mut self.text, last);
            chunk = &chunk[read..];
            self.count();
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.error = Some((self.line, self.column));
                    self.cut_short = last && chunk.is_empty();
                }
            }
        }
    }

    fn count(&mut self) {
        self.beyond_ascii |= !self.text.is_ascii();
        match self.text.rsplit_once('\n') {
            Some((before, rest)) => {
                self.line += 1 + before.bytes().filter(|byte| *byte == b'\n').count() as u64;
                self.column = 1 + rest.chars().count() as u64;
            }
            None => self.column += self.text.chars().count() as u64,
        }
    }
}

/// A file as UTF-8 in bounded memory: without its byte order mark, with LF alone for a line's end, one behind the last
/// line too. Lines can then be counted.
pub(super) struct Decoded {
    input: File,
    decoder: Decoder,
    raw: Vec<u8>,
    /// The first byte is room for a CR that waits.
    text: Vec<u8>,
    given: usize,
    filled: usize,
    /// A CR whose next byte has not been seen.
    waiting: bool,
    /// The last byte was a line's end.
    at_line_end: bool,
    ended: bool,
}

impl Decoded {
    pub(super) fn open(path: &Path, encoding: &'static encoding_rs::Encoding) -> io::Result<Self> {
        Ok(Self {
            input: File::open(path)?,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; CHUNK],
            // A byte becomes three at most.
            text: vec![0; 3 * CHUNK + 64],
            given: 0,
            filled: 0,
            waiting: false,
            at_line_end: true,
            ended: false,
        })
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.given == self.filled && !self.ended {
            let length = self.input.read(&mut self.raw)?;
            let last = length == 0;
            let room = self.text.len() - 1;
            let (_, _, length, _) =
                self.decoder
                    .decode_to_utf8(&self.raw[..length], &mut self.text[1..room], last);
            (self.given, self.filled, self.ended) = (0, 0, last);
            self.plain_line_ends(1 + length);
            if last && (self.waiting || !self.at_line_end) {
                self.put(b'\n');
            }
        }
        Ok(())
    }

    /// Turns CR LF in `text[1..end]` into LF, from the first byte on.
    fn plain_line_ends(&mut self, end: usize) {
        for index in 1..end {
            let byte = self.text[index];
            if std::mem::take(&mut self.waiting) && byte != b'\n' {
                self.put(b'\r');
            }
            match byte {
                b'\r' => self.waiting = true,
                _ => self.put(byte),
            }
        }
    }

    fn put(&mut self, byte: u8) {
        self.text[self.filled] = byte;
        self.filled += 1;
        self.at_line_end = byte == b'\n';
    }
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.refill()?;
        let length = out.len().min(self.filled - self.given);
        out[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey_of(
        bytes: &[u8],
        wanted: Encoding,
    ) -> Result<&'static encoding_rs::Encoding, BadFile> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        survey(file.path(), "a.csv", wanted).map(|survey| survey.encoding)
    }

    fn gb18030(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn the_bytes_tell_the_encoding() {
        assert_eq!(survey_of("姓名,𠮷".as_bytes(), Encoding::Auto), Ok(UTF_8));
        assert_eq!(
            survey_of("\u{feff}姓名".as_bytes(), Encoding::Auto),
            Ok(UTF_8)
        );
        assert_eq!(survey_of(b"name", Encoding::Auto), Ok(UTF_8));
        // 𠮷 and 㑇 have four bytes in GB 18030.
        assert_eq!(
            survey_of(&gb18030("姓名,𠮷㑇"), Encoding::Auto),
            Ok(GB18030)
        );
        assert_eq!(survey_of(b"\xff\xfeA\0", Encoding::Auto), Ok(UTF_16LE));
    }

    #[test]
    fn a_forced_encoding_is_kept_or_refused_with_the_place() {
        let bad = survey_of(&gb18030("a,b\r\n张三,1"), Encoding::Utf8).expect_err("not UTF-8");
        assert_eq!(
            bad.to_string(),
            "a.csv, line 2, character 1: is not UTF-8 here"
        );
        let bad = survey_of(b"\xef\xbb\xbfa,b\nxy\xff", Encoding::Auto)
            .expect_err("the mark promised UTF-8");
        assert_eq!((bad.line, bad.column), (Some(2), Some(3)));
        let bad = survey_of(b"a,b\nx\xff\xff", Encoding::Gb18030).expect_err("not GB18030");
        assert_eq!((bad.line, bad.column), (Some(2), Some(2)));
        assert_eq!(
            survey_of("张三".as_bytes(), Encoding::Gb18030).ok(),
            Some(GB18030)
        );
    }

    #[test]
    fn text_cut_off_within_a_character_is_said_to_be_so() {
        let text = "姓名\n张三".as_bytes();
        let bad = survey_of(&text[..text.len() - 1], Encoding::Auto).expect_err("cut off");
        assert_eq!(bad.why, "ends within a character");
    }

    #[test]
    fn characters_across_chunks_are_decoded_whole() {
        let text = format!("x{}", "𠮷张".repeat(CHUNK));
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), gb18030(&text)).expect("written");
        assert_eq!(
            survey(file.path(), "a.csv", Encoding::Auto).map(|s| s.encoding),
            Ok(GB18030)
        );
        let mut read = String::new();
        Decoded::open(file.path(), GB18030)
            .expect("open")
            .read_to_string(&mut read)
            .expect("text");
        assert!(read == text + "\n");
    }

    #[test]
    fn every_line_ends_with_one_line_feed() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (content, expected) in [
            ("a\r\nb\nc", "a\nb\nc\n"),
            ("a\rb\r", "a\rb\n"),
            ("\r\r\n", "\r\n"),
            ("", ""),
        ] {
            std::fs::write(file.path(), content).expect("written");
            let mut read = String::new();
            Decoded::open(file.path(), UTF_8)
                .expect("open")
                .read_to_string(&mut read)
                .expect("text");
            assert_eq!(read, expected);
        }
    }
}
