//! What became of it, against the pass lines, for people and for `report.json`.

use std::path::Path;

use serde::Serialize;

use crate::attacker::{Counts, Door};
use crate::neighbour::Heard;

/// Resident memory of the hub at most, beyond what it was before the attack, MB.
pub const MOST_MB: f64 = 256.0;
/// Neighbours' p99 under attack at most, in quiet ones.
pub const MOST_TIMES_QUIET: f64 = 2.0;
/// Until all is as before at most, seconds.
pub const MOST_RECOVERY: f64 = 10.0;

/// How long neighbours waited, milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    pub lookups: usize,
    pub lookup_p50: f64,
    pub lookup_p99: f64,
    pub health_p50: f64,
    pub health_p99: f64,
    /// Of strangers the slowest.
    pub stranger_worst: f64,
}

impl Latency {
    pub fn of(heard: Heard) -> Self {
        Self {
            lookups: heard.lookups.len(),
            lookup_p50: Heard::percentile(heard.lookups.clone(), 50),
            lookup_p99: Heard::percentile(heard.lookups, 99),
            health_p50: Heard::percentile(heard.health.clone(), 50),
            health_p99: Heard::percentile(heard.health, 99),
            stranger_worst: Heard::percentile(heard.strangers, 100),
        }
    }

    /// Of each figure the middle one.
    pub fn middle(whiles: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = whiles.iter().map(figure).collect();
            figures.sort_unstable_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Self {
            lookups: whiles.iter().map(|one| one.lookups).sum(),
            lookup_p50: middle(|one| one.lookup_p50),
            lookup_p99: middle(|one| one.lookup_p99),
            health_p50: middle(|one| one.health_p50),
            health_p99: middle(|one| one.health_p99),
            stranger_worst: middle(|one| one.stranger_worst),
        }
    }
}

/// One vector at one door.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub vector: &'static str,
    pub what: &'static str,
    pub door: Door,
    pub attack_seconds: f64,
    pub counts: Counts,
    pub quiet_mb: f64,
    pub peak_mb: f64,
    pub after_mb: f64,
    /// Strangers who were not let in during the attack.
    pub turned_away: u64,
    /// Whether this is what the attack is about.
    pub strangers_shut_out: bool,
    /// Neighbours' questions that went wrong during the attack.
    pub failures: Vec<String>,
    pub quiet: Latency,
    pub attacked: Latency,
    /// Missing when it was waited for in vain.
    pub recovery_seconds: Option<f64>,
    pub crash: Option<String>,
    /// Times it was played; the last one counts. Only a late answer makes it be played again: other work on the
    /// machine shows in it as well.
    pub tries: u32,
}

impl Row {
    /// Whether nothing but lateness is wrong.
    pub fn is_only_late(&self) -> bool {
        let crossed = self.crossed();
        !crossed.is_empty() && crossed.iter().all(|line| line.is_lateness())
    }

    /// Pass lines that were crossed.
    pub fn crossed(&self) -> Vec<Line> {
        let times = |attacked: f64, quiet: f64| attacked / quiet;
        let lookups = times(self.attacked.lookup_p99, self.quiet.lookup_p99);
        let health = times(self.attacked.health_p99, self.quiet.health_p99);
        let recovery = self.recovery_seconds.unwrap_or(f64::INFINITY);
        let mut crossed = Vec::new();
        let mut line = |is_crossed, line| {
            if is_crossed {
                crossed.push(line);
            }
        };
        line(self.crash.is_some(), Line::Crash);
        line(self.peak_mb - self.quiet_mb > MOST_MB, Line::Memory);
        line(!self.failures.is_empty(), Line::Failures);
        line(
            self.turned_away > 0 && !self.strangers_shut_out,
            Line::Strangers,
        );
        line(recovery > MOST_RECOVERY, Line::Recovery);
        // Also when there is none at all.
        line(
            lookups.is_nan() || lookups > MOST_TIMES_QUIET,
            Line::Lookups,
        );
        line(health.is_nan() || health > MOST_TIMES_QUIET, Line::Health);
        crossed
    }

    pub fn line(&self) -> String {
        let times = |attacked: f64, quiet: f64| format!("{quiet:.1}→{attacked:.1}");
        let crossed: Vec<&str> = self.crossed().iter().map(|line| line.words()).collect();
        let verdict = match crossed.is_empty() {
            true => "ok".to_owned(),
            false => format!("FAILED: {}", crossed.join(", ")),
        };
        let recovery = self
            .recovery_seconds
            .map_or("none".to_owned(), |seconds| format!("{seconds:.1}"));
        let mut line = format!(
            "{:<24} {:<7} {:>7} {:>6} {:>6} {:>4.0} {:>+5.0} {:>+5.0}  {:>11} {:>11} {:>11}  {:>5} {:>4} {:>5}  {verdict}",
            self.vector,
            self.door.name(),
            self.counts.opened,
            self.counts.refused,
            self.counts.closed,
            self.quiet_mb,
            self.peak_mb - self.quiet_mb,
            self.after_mb - self.quiet_mb,
            times(self.attacked.lookup_p50, self.quiet.lookup_p50),
            times(self.attacked.lookup_p99, self.quiet.lookup_p99),
            times(self.attacked.health_p99, self.quiet.health_p99),
            self.failures.len(),
            self.turned_away,
            recovery,
        );
        if let Some(crash) = &self.crash {
            line += &format!("\n  {crash}");
        }
        if let Some(failure) = self.failures.first() {
            line += &format!("\n  first failure: {failure}");
        }
        line
    }

    /// What stands above the lines.
    pub fn heading() -> String {
        let names = format!(
            "{:<24} {:<7} {:>7} {:>6} {:>6} {:>4} {:>5} {:>5}  {:>11} {:>11} {:>11}  {:>5} {:>4} {:>5}",
            "",
            "",
            "conn.",
            "ref.",
            "closed",
            "MB",
            "peak",
            "after",
            "look p50",
            "look p99",
            "health p99",
            "fail",
            "away",
            "rec.s"
        );
        format!("{names}\n{}", "-".repeat(names.len()))
    }
}

/// What must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    Crash,
    Memory,
    Failures,
    Strangers,
    Recovery,
    Lookups,
    Health,
}

impl Line {
    fn is_lateness(self) -> bool {
        matches!(self, Self::Lookups | Self::Health)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Crash => "the hub crashed",
            Self::Memory => "memory",
            Self::Failures => "neighbours were not answered",
            Self::Strangers => "strangers were not let in",
            Self::Recovery => "no recovery in time",
            Self::Lookups => "look-ups late",
            Self::Health => "health checks late",
        }
    }
}

/// All vectors.
#[derive(Debug, Serialize)]
pub struct Report {
    pub lines: Lines,
    pub played: usize,
    pub failed: usize,
    pub rows: Vec<Judged>,
}

/// The pass lines.
#[derive(Debug, Serialize)]
pub struct Lines {
    pub peak_mb_above_quiet: f64,
    pub p99_times_quiet: f64,
    pub recovery_seconds: f64,
    pub crashes: u32,
}

/// A row and what it crossed.
#[derive(Debug, Serialize)]
pub struct Judged {
    #[serde(flatten)]
    pub row: Row,
    pub crossed: Vec<Line>,
}

impl Report {
    pub fn new(rows: Vec<Row>) -> Self {
        let rows: Vec<Judged> = rows
            .into_iter()
            .map(|row| Judged {
                crossed: row.crossed(),
                row,
            })
            .collect();
        Self {
            lines: Lines {
                peak_mb_above_quiet: MOST_MB,
                p99_times_quiet: MOST_TIMES_QUIET,
                recovery_seconds: MOST_RECOVERY,
                crashes: 0,
            },
            played: rows.len(),
            failed: rows.iter().filter(|row| !row.crossed.is_empty()).count(),
            rows,
        }
    }

    pub fn is_well(&self) -> bool {
        self.played > 0 && self.failed == 0
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }
}
