//! A run's curves put into a few numbers, by windows so that one odd batch counts for little.

use super::Run;

/// The training is looked at in so many windows at most.
const WINDOWS: usize = 25;

/// What is measured of a run.
pub(super) struct Shape {
    windows: Vec<f64>,
    /// The loss of the first step, before anything was changed.
    pub start: f64,
    /// The mean of the first fifth.
    pub begin: f64,
    /// The mean of the last window.
    pub end: f64,
    /// The highest window.
    pub peak: f64,
    /// How far a step's loss usually is from its window's.
    pub scatter: f64,
    /// The share by which the loss fell from the first fifth to the last.
    pub fell: f64,
    /// The share of its start by which the loss fell from the middle to the end.
    pub fell_in_second_half: f64,
    /// How much of the training is done, between 0 and 1.
    pub progress: f64,
    pub validation: Option<Validation>,
}

pub(super) struct Validation {
    pub best: f64,
    pub best_step: f64,
    /// Where in the training so far the best was.
    pub best_share: f64,
    pub last: f64,
    /// Measurements since the best one, and how many it takes to believe in a turn.
    pub since_best: usize,
    pub patience: usize,
    /// The share by which the best is below the first.
    pub fell: f64,
    /// The share that was gained in the second half of the measurements.
    pub gained_late: f64,
}

impl Shape {
    /// Of a run with at least a few steps, all of whose training losses are numbers.
    pub fn of(run: &Run<'_>) -> Self {
        let losses = run.training;
        let size = losses.len().div_ceil(WINDOWS).max(2);
        let mean = |window: &[(f64, f64)]| window.iter().map(|point| point.1).sum::<f64>() / window.len() as f64;
        // A last window of a step or two would be noise: it is taken together with the one before.
        let count = (losses.len() / size).max(1);
        let bounds = |index: usize| index * size..if index + 1 == count { losses.len() } else { (index + 1) * size };
        let windows: Vec<f64> = (0..count).map(|index| mean(&losses[bounds(index)])).collect();
        let squares = (count / 2..count).flat_map(|index| {
            let middle = windows[index];
            losses[bounds(index)].iter().map(move |point| (point.1 - middle).powi(2))
        });
        let (sum, number) = squares.fold((0.0, 0_usize), |(sum, number), square| (sum + square, number + 1));
        let fifth = (losses.len() / 5).max(1);
        let (begin, late) = (mean(&losses[..fifth]), mean(&losses[losses.len() - fifth..]));
        let middle = mean(&losses[losses.len() * 2 / 5..(losses.len() * 3 / 5).max(losses.len() * 2 / 5 + 1)]);
        let steps = losses[losses.len() - 1].0 + 1.0;
        Self {
            start: losses[0].1,
            begin,
            end: windows[count - 1],
            peak: windows.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            scatter: (sum / number.max(1) as f64).sqrt(),
            fell: (begin - late) / begin,
            fell_in_second_half: (middle - late) / begin,
            progress: run.total_steps.map_or(1.0, |total| (steps / total).min(1.0)),
            validation: Validation::of(run, steps),
            windows,
        }
    }

    /// The share of the training with a loss below this.
    pub fn share_below(&self, loss: f64) -> f64 {
        self.windows.iter().filter(|window| **window < loss).count() as f64 / self.windows.len() as f64
    }
}

impl Validation {
    fn of(run: &Run<'_>, steps: f64) -> Option<Self> {
        let losses: Vec<(f64, f64)> = run.validation.iter().copied().filter(|point| point.1.is_finite()).collect();
        let place = (0..losses.len()).min_by(|a, b| losses[*a].1.total_cmp(&losses[*b].1))?;
        let (best_step, best) = losses[place];
        let lowest = |points: &[(f64, f64)]| points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let half = losses.len().div_ceil(2);
        let (early, late) = (lowest(&losses[..half]), lowest(&losses[half..]));
        Some(Self {
            best,
            best_step,
            best_share: (best_step + 1.0) / steps,
            last: losses[losses.len() - 1].1,
            since_best: losses.len() - 1 - place,
            // One measurement above the best may be chance; where there are few of them, one must do.
            patience: if losses.len() < 4 { 1 } else { 2 },
            fell: (losses[0].1 - best) / losses[0].1,
            gained_late: if late.is_finite() { (early - late) / early } else { 1.0 },
        })
    }
}
