//! What the demo says: text on standard output, progress on standard error.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How often progress is said where no bar can be drawn.
const SAY_EVERY: Duration = Duration::from_secs(5);

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) fn say(text: &str) {
    println!("{text}");
}

/// The command's one line of failure.
#[expect(clippy::print_stderr, reason = "the command's output")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("sandbox: {error:#}");
}

/// Bars for parts and one for the whole; plain lines without a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    drawn: Option<MultiProgress>,
    whole: ProgressBar,
    parts: Vec<ProgressBar>,
    began: Instant,
    said: Instant,
}

impl Progress {
    /// `parts` are names and lengths; there may be none.
    pub(super) fn new(title: &str, length: u64, parts: &[(&str, u64)]) -> Self {
        let drawn = stderr().is_terminal().then(MultiProgress::new);
        let bar = |name: &str, length: u64, template: &str| {
            let bar = match &drawn {
                Some(board) => board.add(ProgressBar::new(length)),
                None => ProgressBar::hidden(),
            };
            bar.set_length(length);
            bar.with_prefix(name.to_owned()).with_style(
                ProgressStyle::with_template(template).expect("the template is well formed"),
            )
        };
        let parts = parts
            .iter()
            .map(|(name, length)| {
                bar(
                    name,
                    *length,
                    "  {prefix:<9} {bar:30.dim} {human_pos:>7}/{human_len:7} {per_sec:>12}",
                )
            })
            .collect();
        let whole = bar(
            title,
            length,
            "  {prefix:<9} {bar:30} {human_pos:>7}/{human_len:7} {per_sec:>12}  {elapsed}",
        );
        Self {
            drawn,
            whole,
            parts,
            began: Instant::now(),
            said: Instant::now(),
        }
    }

    /// A handle that other threads may count with.
    pub(super) fn counter(&self) -> ProgressBar {
        self.whole.clone()
    }

    pub(super) fn set_part(&self, part: usize, position: u64) {
        if let Some(bar) = self.parts.get(part) {
            bar.set_position(position);
        }
    }

    pub(super) fn set_whole(&self, position: u64) {
        self.whole.set_position(position);
    }

    /// Says where things stand, now and then, where no bar shows it.
    pub(super) fn tick(&mut self) {
        if self.drawn.is_none() && self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            self.say_position();
        }
    }

    fn say_position(&self) {
        let position = self.whole.position();
        let seconds = self.began.elapsed().as_secs_f64();
        say(&format!(
            "  {}: {} of {} cases, {:.0}/s",
            self.whole.prefix(),
            thousands(position),
            thousands(self.whole.length().unwrap_or(0)),
            position as f64 / seconds.max(0.001),
        ));
    }

    /// Clears the bars; returns the seconds it took.
    pub(super) fn finish(self) -> f64 {
        if self.drawn.is_none() {
            self.say_position();
        }
        for bar in self.parts.iter().chain([&self.whole]) {
            bar.finish_and_clear();
        }
        self.began.elapsed().as_secs_f64()
    }
}

/// 12345 as `12,345`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Width on a terminal: Chinese characters take two columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    let used: usize = text
        .chars()
        .map(|character| if character.is_ascii() { 1 } else { 2 })
        .sum();
    format!("{text}{}", " ".repeat(width.saturating_sub(used)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        let texts = [0, 12, 999, 1000, 100_000, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "12", "999", "1,000", "100,000", "1,234,567"]);
    }

    #[test]
    fn chinese_text_takes_two_columns_a_character() {
        assert_eq!(pad("公证", 6), "公证  ");
        assert_eq!(pad("ab", 1), "ab");
    }
}
