//! A value with what it could as well have been.
//!
//! Where each pair is right or wrong, the interval is Wilson's, which holds also near 0 and 1. For the other metrics the
//! pairs are drawn again with replacement many times, and the interval holds the middle of the values found.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Metric;

/// The interval is meant to hold the true value in this share of all cases.
pub const CONFIDENCE: f64 = 0.95;
/// The point of the normal distribution that leaves (1 − confidence) / 2 above it.
const NORMAL_POINT: f64 = 1.959_963_984_540_054;
const DRAWS: usize = 2_000;

/// A metric's value over a set of pairs.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Measures pairs of a reference and a prediction; `None` for no pair. The seed decides which pairs are drawn.
pub fn estimate<S: AsRef<str>>(metric: Metric, pairs: &[(S, S)], seed: u64) -> Option<Estimate> {
    let counts: Vec<Vec<f64>> =
        pairs.iter().map(|(reference, prediction)| metric.counts(reference.as_ref(), prediction.as_ref())).collect();
    let width = counts.first()?.len();
    let value_of = |rows: &mut dyn Iterator<Item = &Vec<f64>>| {
        let mut sum = vec![0.0; width];
        for row in rows {
            sum.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
        metric.value(&sum, counts.len())
    };
    let value = value_of(&mut counts.iter());
    let (low, high) = if metric.is_proportion() {
        wilson(value, counts.len())
    } else {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut draws: Vec<f64> = (0..DRAWS)
            .map(|_| value_of(&mut (0..counts.len()).map(|_| &counts[chance.random_range(0..counts.len())])))
            .collect();
        draws.sort_by(f64::total_cmp);
        let at = |share: f64| draws[((DRAWS - 1) as f64 * share).round() as usize];
        (at((1.0 - CONFIDENCE) / 2.0).min(value), at(f64::midpoint(1.0, CONFIDENCE)).max(value))
    };
    Some(Estimate { value, low, high })
}

fn wilson(share: f64, pairs: usize) -> (f64, f64) {
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
            let pairs: Vec<(&str, &str)> =
                (0..200).map(|_| ("a", if chance.random_bool(truth) { "a" } else { "b" })).collect();
            let found = estimate(Metric::ExactMatch, &pairs, 1).unwrap();
            found.low <= truth && truth <= found.high
        });
        let share = held.count() as f64 / 2_000.0;
        assert!((0.93..=0.97).contains(&share), "{share}");
    }
}
