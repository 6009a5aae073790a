//! How good a clustering is against the truth.

use std::{collections::HashMap, hash::Hash};

/// Pairwise and mention by mention (B-cubed).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Quality {
    /// Linked pairs that are matches, of all linked pairs.
    pub precision: f64,
    /// Matches that are linked, of all matches.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// The same mention by mention.
    pub b_cubed_f1: f64,
}

impl Quality {
    /// Compares found persons with the true ones, mention by mention in the same order.
    #[must_use]
    pub fn of<F: Copy + Eq + Hash>(found: &[F], truth: &[u64]) -> Self {
        let mut both: HashMap<(F, u64), u64> = HashMap::new();
        let mut by_found: HashMap<F, u64> = HashMap::new();
        let mut by_truth: HashMap<u64, u64> = HashMap::new();
        for (&found, &truth) in found.iter().zip(truth) {
            *both.entry((found, truth)).or_default() += 1;
            *by_found.entry(found).or_default() += 1;
            *by_truth.entry(truth).or_default() += 1;
        }
        let pairs = |count: u64| (count * (count - 1) / 2) as f64;
        let shared: f64 = both.values().map(|&count| pairs(count)).sum();
        let linked: f64 = by_found.values().map(|&count| pairs(count)).sum();
        let matches: f64 = by_truth.values().map(|&count| pairs(count)).sum();
        let (mut own_precision, mut own_recall) = (0.0, 0.0);
        for (&(found, truth), &count) in &both {
            let squared = (count * count) as f64;
            own_precision += squared / by_found[&found] as f64;
            own_recall += squared / by_truth[&truth] as f64;
        }
        let mentions = truth.len().max(1) as f64;
        let (precision, recall) = (shared / linked.max(1.0), shared / matches.max(1.0));
        Self {
            precision,
            recall,
            f1: harmonic(precision, recall),
            b_cubed_f1: harmonic(own_precision / mentions, own_recall / mentions),
        }
    }
}

fn harmonic(a: f64, b: f64) -> f64 {
    if a + b > 0.0 {
        2.0 * a * b / (a + b)
    } else {
        0.0
    }
}

impl std::fmt::Display for Quality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            precision,
            recall,
            f1,
            b_cubed_f1,
        } = self;
        write!(
            f,
            "precision {precision:.5} recall {recall:.5} F1 {f1:.5} B-cubed F1 {b_cubed_f1:.5}"
        )
    }
}
