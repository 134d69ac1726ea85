//! Two models over the same rows: the difference, its interval, and how often chance alone would make as large a one.
//!
//! Where each row is right or wrong, only the rows that flipped count: the test is McNemar's, exact, and the interval is
//! Bonett and Price's (2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
//! data"). Otherwise rows are drawn again in pairs for the interval, and the test swaps the two answers of rows at random.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Tally;
use crate::interval::{DRAWS, NORMAL_POINT, middle};

/// A difference that chance makes less often than this is called one.
pub const SIGNIFICANCE: f64 = 0.05;

/// The second value less the first.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Difference {
    pub value: f64,
    pub low: f64,
    pub high: f64,
    /// How often two models that are equally good would differ at least as much.
    pub p: f64,
}

/// What can be said of a model beside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Higher,
    Lower,
    /// Neither is shown; which is not to say that they are equal.
    NotClear,
}

impl Difference {
    /// What it shows, once its `p` was corrected for how many were looked at. Test and interval must agree.
    pub fn outcome(&self, corrected_p: f64) -> Outcome {
        if corrected_p > SIGNIFICANCE || (self.low <= 0.0 && self.high >= 0.0) {
            Outcome::NotClear
        } else if self.value > 0.0 {
            Outcome::Higher
        } else {
            Outcome::Lower
        }
    }
}

/// Compares two models under one metric; `None` where there is no row, or not the same number of them.
pub fn compare(one: &Tally, other: &Tally, seed: u64) -> Option<Difference> {
    if one.is_empty() || one.len() != other.len() {
        return None;
    }
    Some(if one.is_proportion() { of_proportions(one, other) } else { by_drawing(one, other, seed, DRAWS) })
}

fn of_proportions(one: &Tally, other: &Tally) -> Difference {
    let rows = one.len();
    let flipped = |from: &Tally, to: &Tally| (0..rows).filter(|at| !from.is_right(*at) && to.is_right(*at)).count();
    let (won, lost) = (flipped(one, other), flipped(other, one));
    let value = (won as f64 - lost as f64) / rows as f64;
    let seen = rows as f64 + 2.0;
    let (up, down) = ((won as f64 + 1.0) / seen, (lost as f64 + 1.0) / seen);
    let (shift, reach) = (up - down, NORMAL_POINT * ((up + down - (up - down).powi(2)) / seen).sqrt());
    Difference {
        value,
        low: (shift - reach).max(-1.0).min(value),
        high: (shift + reach).min(1.0).max(value),
        p: sign_test(won, lost),
    }
}

/// Two-sided: twice the smaller tail of a fair coin thrown as often as a row flipped.
pub(crate) fn sign_test(won: usize, lost: usize) -> f64 {
    let thrown = won + lost;
    // The chance of no head, then of one more each time; in logarithms, since it is far too small a number at first.
    let mut log_chance = thrown as f64 * 0.5_f64.ln();
    let mut tail = 0.0;
    for heads in 0..=won.min(lost) {
        tail += log_chance.exp();
        log_chance += ((thrown - heads) as f64 / (heads + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

fn by_drawing(one: &Tally, other: &Tally, seed: u64, times: usize) -> Difference {
    let rows = one.len();
    let value = other.value() - one.value();
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let (mut first, mut second) = (one.empty_sum(), other.empty_sum());
    let mut drawn = vec![0; rows];
    let draws = (0..times).map(|_| {
        drawn.fill_with(|| chance.random_range(0..rows));
        other.value_with(&mut second, drawn.iter().map(|at| other.row(*at)))
            - one.value_with(&mut first, drawn.iter().map(|at| one.row(*at)))
    });
    let (low, high) = middle(draws.collect(), value);
    let mut swapped = vec![false; rows];
    let as_large = (0..times).filter(|_| {
        swapped.fill_with(|| chance.random());
        let pick =
            |keep: bool| move |(at, swap): (usize, &bool)| if *swap == keep { one.row(at) } else { other.row(at) };
        let found = other.value_with(&mut second, swapped.iter().enumerate().map(pick(true)))
            - one.value_with(&mut first, swapped.iter().enumerate().map(pick(false)));
        found.abs() >= value.abs() - 1e-12
    });
    let p = (as_large.count() + 1) as f64 / (times + 1) as f64;
    Difference { value, low, high, p }
}

/// Holm's correction: what each `p` is worth when that many were looked at together. In the order given.
pub fn holm(ps: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|a, b| ps[*a].total_cmp(&ps[*b]));
    let (mut corrected, mut least) = (vec![1.0; ps.len()], 0.0_f64);
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max((ps[at] * (ps.len() - rank) as f64).min(1.0));
        corrected[at] = least;
    }
    corrected
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    const TRIALS: usize = 2_000;
    /// Fewer than the app draws, so that thousands of trials take seconds.
    const FEW: usize = 400;

    /// Answers of two models to the same rows: right together with some chance, otherwise each by itself.
    fn draw(chance: &mut ChaCha8Rng, rows: usize, together: f64, right: (f64, f64)) -> (Tally, Tally) {
        let pairs: Vec<(bool, bool)> = (0..rows)
            .map(|_| {
                if chance.random_bool(together) {
                    (true, true)
                } else {
                    (chance.random_bool(right.0), chance.random_bool(right.1))
                }
            })
            .collect();
        (Tally::of_rights(pairs.iter().map(|pair| pair.0)), Tally::of_rights(pairs.iter().map(|pair| pair.1)))
    }

    #[test]
    fn an_interval_of_a_paired_difference_holds_the_truth_as_often_as_it_says() {
        for (seed, rows, together, right) in
            [(1, 40, 0.3, (0.4, 0.7)), (2, 200, 0.5, (0.5, 0.5)), (3, 100, 0.0, (0.2, 0.8))]
        {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            let truth = (1.0 - together) * (right.1 - right.0);
            let held = (0..TRIALS).filter(|_| {
                let (one, other) = draw(&mut chance, rows, together, right);
                let found = compare(&one, &other, 1).unwrap();
                found.low <= truth && truth <= found.high
            });
            let share = held.count() as f64 / TRIALS as f64;
            assert!((0.93..=0.97).contains(&share), "{rows} rows, {right:?}: {share}");
        }
    }

    #[test]
    fn an_interval_of_a_paired_mean_holds_the_truth_as_often_as_it_says() {
        let mut chance = ChaCha8Rng::seed_from_u64(11);
        let held = (0..TRIALS).filter(|trial| {
            let scores: Vec<(f64, f64)> = (0..50)
                .map(|_| {
                    let common: f64 = chance.random();
                    (common * chance.random::<f64>(), common.sqrt() * chance.random::<f64>())
                })
                .collect();
            let one = Tally::of_numbers(scores.iter().map(|pair| pair.0));
            let other = Tally::of_numbers(scores.iter().map(|pair| pair.1));
            let found = by_drawing(&one, &other, *trial as u64, FEW);
            // Means of the products: 1/4, and 2/3 of 1/2.
            let truth = 1.0 / 3.0 - 0.25;
            found.low <= truth && truth <= found.high
        });
        let share = held.count() as f64 / TRIALS as f64;
        assert!((0.93..=0.97).contains(&share), "{share}");
    }

    #[test]
    fn two_equal_models_are_called_different_at_most_as_often_as_said() {
        for rows in [20, 60, 300] {
            let mut chance = ChaCha8Rng::seed_from_u64(rows as u64);
            let alarms = (0..TRIALS).filter(|_| {
                let (one, other) = draw(&mut chance, rows, 0.4, (0.6, 0.6));
                let found = compare(&one, &other, 1).unwrap();
                found.outcome(found.p) != Outcome::NotClear
            });
            let share = alarms.count() as f64 / TRIALS as f64;
            assert!(share <= 0.05, "{rows} rows: {share}");
        }
    }

    #[test]
    fn of_three_models_as_good_as_the_base_one_is_called_different_at_most_as_often_as_said() {
        let mut chance = ChaCha8Rng::seed_from_u64(21);
        let alarms = (0..TRIALS).filter(|_| {
            let answers: Vec<Tally> =
                (0..4).map(|_| Tally::of_rights((0..120).map(|_| chance.random_bool(0.7)))).collect();
            let found: Vec<Difference> =
                answers[1..].iter().map(|other| compare(&answers[0], other, 1).unwrap()).collect();
            let corrected = holm(&found.iter().map(|difference| difference.p).collect::<Vec<_>>());
            found.iter().zip(corrected).any(|(difference, p)| difference.outcome(p) != Outcome::NotClear)
        });
        let share = alarms.count() as f64 / TRIALS as f64;
        assert!(share <= 0.05, "{share}");
    }

    #[test]
    fn a_mean_that_is_no_different_is_seldom_called_so() {
        let mut chance = ChaCha8Rng::seed_from_u64(31);
        let alarms = (0..TRIALS).filter(|trial| {
            let one = Tally::of_numbers((0..40).map(|_| chance.random::<f64>()).collect::<Vec<_>>());
            let other = Tally::of_numbers((0..40).map(|_| chance.random::<f64>()).collect::<Vec<_>>());
            let found = by_drawing(&one, &other, *trial as u64, FEW);
            found.outcome(found.p) != Outcome::NotClear
        });
        let share = alarms.count() as f64 / TRIALS as f64;
        // Half a point of sampling error of the simulation itself.
        assert!(share <= 0.055, "{share}");
    }

    #[test]
    fn a_large_gain_is_called_one_and_a_large_loss_too() {
        let none = Tally::of_rights((0..50).map(|_| false));
        let most = Tally::of_rights((0..50).map(|at| at % 5 != 0));
        let gain = compare(&none, &most, 1).unwrap();
        assert_eq!(gain.outcome(gain.p), Outcome::Higher);
        assert!((gain.value - 0.8).abs() < 1e-12 && gain.low > 0.6 && gain.high < 0.9, "{gain:?}");
        let loss = compare(&most, &none, 1).unwrap();
        assert_eq!(loss.outcome(loss.p), Outcome::Lower);
        assert_eq!(compare(&none, &Tally::of_rights([true]), 1), None);
    }

    #[test]
    fn the_sign_test_as_it_is_published() {
        // 10 of 12: 2 · (1 + 12 + 66) / 4096.
        assert!((sign_test(10, 2) - 2.0 * 79.0 / 4096.0).abs() < 1e-12);
        assert_eq!(sign_test(0, 0), 1.0);
        assert_eq!(sign_test(3, 3), 1.0);
    }

    #[test]
    fn holms_correction_as_it_is_published() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, wanted) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - wanted).abs() < 1e-12, "{corrected:?}");
        }
        assert!(holm(&[]).is_empty());
    }
}
