//! What commands print: text for people, JSON for programs, problems on standard error.

use std::io::{self, Write};

use serde::Serialize;

/// Where and how results are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// One result: `value` as JSON, or `text`.
    pub(super) fn print(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let printed = match self.json {
            true => serde_json::to_writer(&mut out, value)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out)),
            false => writeln!(out, "{}", text().trim_end()),
        };
        match printed {
            // Whoever reads has seen enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed,
        }
    }

    /// How far a long command has come, for people who wait for it.
    pub(super) fn progress(&self, so_far: &str) {
        if !self.json {
            // Whoever cannot be told waits all the same.
            let _ = writeln!(io::stderr().lock(), "{so_far}");
        }
    }

    /// Why the command ended without being done. Nothing is left to be done when even that cannot be printed.
    pub(super) fn failed(&self, problem: &str) {
        let mut err = io::stderr().lock();
        let _ = match self.json {
            true => writeln!(err, "{}", serde_json::json!({ "error": problem })),
            false => writeln!(err, "office-agent: {problem}"),
        };
    }
}
