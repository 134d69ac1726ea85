//! A value with what it could as well have been.
//!
//! Where each row is right or wrong, the interval is Wilson's, which holds also near 0 and 1. Otherwise the rows are drawn
//! again with replacement many times, and the interval holds the middle of the values found.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Metric, Tally};

/// The interval is meant to hold the true value in this share of all cases.
pub const CONFIDENCE: f64 = 0.95;
/// The point of the normal distribution that leaves (1 − confidence) / 2 above it.
pub(crate) const NORMAL_POINT: f64 = 1.959_963_984_540_054;
pub(crate) const DRAWS: usize = 2_000;

/// A metric's value over a set of rows.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Measures pairs of a reference and a prediction; `None` for no pair. The seed decides which pairs are drawn.
pub fn estimate<S: AsRef<str>>(metric: Metric, pairs: &[(S, S)], seed: u64) -> Option<Estimate> {
    estimate_of(&Tally::new(metric, pairs), seed)
}

/// The same of rows that were counted already.
pub fn estimate_of(tally: &Tally, seed: u64) -> Option<Estimate> {
    if tally.is_empty() {
        return None;
    }
    let value = tally.value();
    let (low, high) = if tally.is_proportion() {
        wilson(value, tally.len())
    } else {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut sum = tally.empty_sum();
        let draws = (0..DRAWS).map(|_| {
            let drawn = (0..tally.len()).map(|_| tally.row(chance.random_range(0..tally.len())));
            tally.value_with(&mut sum, drawn)
        });
        middle(draws.collect(), value)
    };
    Some(Estimate { value, low, high })
}

/// The middle of the values that were drawn, and the value itself.
pub(crate) fn middle(mut draws: Vec<f64>, value: f64) -> (f64, f64) {
    draws.sort_by(f64::total_cmp);
    let at = |share: f64| draws[((draws.len() - 1) as f64 * share).round() as usize];
    (at((1.0 - CONFIDENCE) / 2.0).min(value), at(f64::midpoint(1.0, CONFIDENCE)).max(value))
}

/// How far an interval reaches to either side for a share near one half, with so many rows: the widest it can be.
pub fn widest_reach(rows: usize) -> f64 {
    let (low, high) = wilson(0.5, rows.max(1));
    (high - low) / 2.0
}

pub(crate) fn wilson(share: f64, pairs: usize) -> (f64, f64) {
    let (pairs, square) = (pairs as f64, NORMAL_POINT * NORMAL_POINT);
    let middle = (share + square / (2.0 * pairs)) / (1.0 + square / pairs);
    let spread =
        NORMAL_POINT / (1.0 + square / pairs) * (share * (1.0 - share) / pairs + square / (4.0 * pairs * pairs)).sqrt();
    ((middle - spread).clamp(0.0, share), (middle + spread).clamp(share, 1.0))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    #[test]
    fn no_pairs_have_no_value() {
        assert_eq!(estimate::<&str>(Metric::Bleu, &[], 1), None);
    }

    #[test]
    fn wilsons_interval_as_it_is_published() {
        // 20 of 100: 0.1333 to 0.2888 (Wilson 1927, as in common tables).
        let (low, high) = wilson(0.2, 100);
        assert!((low - 0.13337).abs() < 1e-4 && (high - 0.28883).abs() < 1e-4, "{low} {high}");
        let (low, high) = wilson(0.0, 10);
        assert!(low == 0.0 && high > 0.2, "{low} {high}");
        assert!((widest_reach(100) - 0.0962).abs() < 1e-3, "{}", widest_reach(100));
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_it_holds_the_value() {
        let pairs: Vec<(String, String)> =
            (0..60).map(|n| (format!("the card number {n} is here"), format!("the card {} is there", n / 2))).collect();
        for metric in Metric::ALL {
            let first = estimate(metric, &pairs, 7).unwrap();
            assert_eq!(first, estimate(metric, &pairs, 7).unwrap());
            assert!(first.low <= first.value && first.value <= first.high, "{}: {first:?}", metric.id());
        }
    }

    /// The truth is known here: each pair is right with a chance of its own choosing.
    #[test]
    fn an_interval_of_a_proportion_holds_the_truth_as_often_as_it_says() {
        let mut chance = ChaCha8Rng::seed_from_u64(5);
        let truth = 0.8;
        let held = (0..2_000).filter(|_| {
            let rows = Tally::of_rights((0..200).map(|_| chance.random_bool(truth)));
            let found = estimate_of(&rows, 1).unwrap();
            found.low <= truth && truth <= found.high
        });
        let share = held.count() as f64 / 2_000.0;
        assert!((0.93..=0.97).contains(&share), "{share}");
    }
}
