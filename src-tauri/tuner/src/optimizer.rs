//! AdamW over a flat vector, with clipping by the gradient's length, and the learning rate's course.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::lanes::{dot, widest};

/// Numbers handled by one task.
const CHUNK: usize = 1 << 15;
/// Squares that are summed in single precision before their sum goes on in double.
const SUMMED: usize = 1 << 10;

/// AdamW's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AdamW {
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    pub decay: f32,
    /// A gradient longer than this is shortened to it.
    pub clip: f32,
}

/// The running averages AdamW keeps, as long as what it changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// How the learning rate rises and falls over a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RateCourse {
    pub highest: f64,
    pub warmup_steps: u64,
    pub total_steps: u64,
    /// The share of the highest rate that is left at the end.
    pub floor: f64,
}

impl RateCourse {
    /// The rate of step `step`, from 0: a straight rise, then half a cosine.
    pub fn at(&self, step: u64) -> f64 {
        // A warm-up that outlasts a short run would never let it learn.
        let warmup = self.warmup_steps.min(self.total_steps / 3);
        if step < warmup {
            return self.highest * (step + 1) as f64 / warmup as f64;
        }
        let length = (self.total_steps - warmup).max(1) as f64;
        let done = ((step - warmup) as f64 / length).min(1.0);
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.highest * (self.floor + (1.0 - self.floor) * fall)
    }
}

impl Moments {
    /// Averages that have seen nothing.
    pub fn new(length: usize) -> Moments {
        Moments { first: vec![0.0; length], second: vec![0.0; length] }
    }
}

impl AdamW {
    /// Changes `values` by one step, the `step`-th from 0. `exempt` ranges do not decay; they stand
    /// in ascending order.
    pub fn step(
        &self,
        values: &mut [f32],
        gradient: &[f32],
        moments: &mut Moments,
        exempt: &[Range<usize>],
        step: u64,
        rate: f64,
    ) {
        let shrink = self.shrink(gradient);
        let count = (step + 1).min(i32::MAX as u64) as i32;
        let first_bias = 1.0 / (1.0 - self.beta1.powi(count));
        let second_bias = 1.0 / (1.0 - self.beta2.powi(count));
        let rate = rate as f32;
        let kept = 1.0 - rate * self.decay;
        for range in exempt {
            // Undone beforehand, so that the loop below needs no question per number.
            for value in &mut values[range.clone()] {
                *value /= kept;
            }
        }
        values
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(moments.first.par_chunks_mut(CHUNK))
            .zip(moments.second.par_chunks_mut(CHUNK))
            .for_each(|(((values, gradient), first), second)| {
                widest(|| {
                    for (((value, slope), first), second) in values.iter_mut().zip(gradient).zip(first).zip(second) {
                        let slope = slope * shrink;
                        *first += (1.0 - self.beta1) * (slope - *first);
                        *second += (1.0 - self.beta2) * (slope * slope - *second);
                        let spread = (*second * second_bias).sqrt() + self.epsilon;
                        *value = *value * kept - rate * (*first * first_bias) / spread;
                    }
                });
            });
    }

    fn shrink(&self, gradient: &[f32]) -> f32 {
        // Chunks are summed in order, so the result does not depend on which thread was quicker.
        let squares: Vec<f64> = gradient
            .par_chunks(CHUNK)
            .map(|chunk| chunk.chunks(SUMMED).map(|part| f64::from(widest(|| dot(part, part)))).sum())
            .collect();
        let length = squares.iter().sum::<f64>().sqrt();
        if length > f64::from(self.clip) { (f64::from(self.clip) / length) as f32 } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAM: AdamW = AdamW { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.1, clip: 1.0 };

    #[test]
    fn the_rate_rises_falls_and_ends_at_its_floor() {
        let course = RateCourse { highest: 1e-3, warmup_steps: 10, total_steps: 100, floor: 0.02 };
        assert!((course.at(0) - 1e-4).abs() < 1e-12);
        assert!((course.at(9) - 1e-3).abs() < 1e-12);
        assert!((course.at(10) - 1e-3).abs() < 1e-12);
        assert!((10..99).all(|step| course.at(step + 1) < course.at(step)));
        assert!((course.at(100) - 2e-5).abs() < 1e-12);
    }

    #[test]
    fn a_warmup_longer_than_the_run_still_reaches_the_full_rate() {
        let course = RateCourse { highest: 1.0, warmup_steps: 1000, total_steps: 9, floor: 0.02 };
        assert!((course.at(2) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_moves_against_the_gradient_and_decays_only_what_is_not_exempt() {
        let mut values = vec![1.0, 1.0, 1.0];
        let mut moments = Moments::new(3);
        let exempt = std::slice::from_ref(&(1..2));
        ADAM.step(&mut values, &[0.5, 0.0, 0.0], &mut moments, exempt, 0, 0.1);
        assert!((values[0] - (0.99 - 0.1)).abs() < 1e-5);
        assert!((values[1] - 1.0).abs() < 1e-6);
        assert!((values[2] - 0.99).abs() < 1e-6);
    }

    #[test]
    fn a_long_gradient_is_shortened() {
        assert!((ADAM.shrink(&[3.0, 4.0]) - 0.2).abs() < 1e-7);
        assert!((ADAM.shrink(&[0.3, 0.4]) - 1.0).abs() < 1e-7);
    }
}
