//! AdamW over a flat vector, with clipping by the gradient's length, and the learning rate's course.

use std::ops::Range;

use half::bf16;
use rayon::prelude::*;

use crate::Decay;
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
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Moments {
    Single(Averages<f32>),
    /// In half the memory.
    Half(Averages<bf16>),
}

/// Of the gradient, and of its square.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Averages<Number> {
    pub first: Vec<Number>,
    pub second: Vec<Number>,
}

/// A form in which averages are kept.
trait Kept: Copy + Send + Sync {
    fn read(self) -> f32;
    fn keep(value: f32) -> Self;
}

impl Kept for f32 {
    #[inline(always)]
    fn read(self) -> f32 {
        self
    }

    #[inline(always)]
    fn keep(value: f32) -> f32 {
        value
    }
}

impl Kept for bf16 {
    #[inline(always)]
    fn read(self) -> f32 {
        self.to_f32()
    }

    #[inline(always)]
    fn keep(value: f32) -> bf16 {
        bf16::from_f32(value)
    }
}

/// How the learning rate rises and falls over a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RateCourse {
    pub highest: f64,
    pub warmup_steps: u64,
    pub total_steps: u64,
    pub decay: Decay,
    /// The share of the highest rate that is left at the end.
    pub floor: f64,
}

impl RateCourse {
    /// The rate of step `step`, from 0: a straight rise, then the decay.
    pub fn at(&self, step: u64) -> f64 {
        // A warm-up that outlasts a short run would never let it learn.
        let warmup = self.warmup_steps.min(self.total_steps / 3);
        if step < warmup {
            return self.highest * (step + 1) as f64 / warmup as f64;
        }
        let length = (self.total_steps - warmup).max(1) as f64;
        let done = ((step - warmup) as f64 / length).min(1.0);
        let fall = match self.decay {
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Decay::Linear => 1.0 - done,
        };
        self.highest * (self.floor + (1.0 - self.floor) * fall)
    }
}

impl Moments {
    /// Averages that have seen nothing.
    pub fn new(length: usize, half: bool) -> Moments {
        if half {
            Moments::Half(Averages { first: vec![bf16::ZERO; length], second: vec![bf16::ZERO; length] })
        } else {
            Moments::Single(Averages { first: vec![0.0; length], second: vec![0.0; length] })
        }
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
        let rate = rate as f32;
        let kept = 1.0 - rate * self.decay;
        for range in exempt {
            // Undone beforehand, so that the loop below needs no question per number.
            for value in &mut values[range.clone()] {
                *value /= kept;
            }
        }
        let change = Change {
            constants: *self,
            shrink,
            first_bias: 1.0 / (1.0 - self.beta1.powi(count)),
            second_bias: 1.0 / (1.0 - self.beta2.powi(count)),
            rate,
            kept,
        };
        match moments {
            Moments::Single(averages) => change.apply(values, gradient, averages),
            Moments::Half(averages) => change.apply(values, gradient, averages),
        }
    }

    fn shrink(&self, gradient: &[f32]) -> f32 {
        // Chunks are summed in order, so the result does not depend on which thread was quicker.
        let squares: Vec<f64> = gradient
            .par_chunks(CHUNK)
            .map(|chunk| chunk.chunks(SUMMED).map(|part| f64::from(widest!(dot(part, part)))).sum())
            .collect();
        let length = squares.iter().sum::<f64>().sqrt();
        if length > f64::from(self.clip) { (f64::from(self.clip) / length) as f32 } else { 1.0 }
    }
}

/// One step's numbers.
struct Change {
    constants: AdamW,
    shrink: f32,
    first_bias: f32,
    second_bias: f32,
    rate: f32,
    kept: f32,
}

impl Change {
    fn apply<Number: Kept>(&self, values: &mut [f32], gradient: &[f32], averages: &mut Averages<Number>) {
        let AdamW { beta1, beta2, epsilon, .. } = self.constants;
        values
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(averages.first.par_chunks_mut(CHUNK))
            .zip(averages.second.par_chunks_mut(CHUNK))
            .for_each(|(((values, gradient), first), second)| {
                widest!({
                    let averages = first.iter_mut().zip(second.iter_mut());
                    for ((value, slope), (first, second)) in values.iter_mut().zip(gradient).zip(averages) {
                        let slope = slope * self.shrink;
                        let (mut mean, mut square) = (first.read(), second.read());
                        mean += (1.0 - beta1) * (slope - mean);
                        square += (1.0 - beta2) * (slope * slope - square);
                        (*first, *second) = (Number::keep(mean), Number::keep(square));
                        let spread = (square * self.second_bias).sqrt() + epsilon;
                        *value = *value * self.kept - self.rate * (mean * self.first_bias) / spread;
                    }
                });
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAM: AdamW = AdamW { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.1, clip: 1.0 };

    #[test]
    fn the_rate_rises_falls_and_ends_at_its_floor() {
        let course =
            RateCourse { highest: 1e-3, warmup_steps: 10, total_steps: 100, decay: Decay::Cosine, floor: 0.02 };
        assert!((course.at(0) - 1e-4).abs() < 1e-12);
        assert!((course.at(9) - 1e-3).abs() < 1e-12);
        assert!((course.at(10) - 1e-3).abs() < 1e-12);
        assert!((10..99).all(|step| course.at(step + 1) < course.at(step)));
        assert!((course.at(100) - 2e-5).abs() < 1e-12);
        let straight = RateCourse { decay: Decay::Linear, floor: 0.0, ..course };
        assert!((straight.at(9) - course.at(9)).abs() < 1e-12, "the rise is the same");
        assert!((straight.at(55) - 5e-4).abs() < 1e-12);
        assert!((straight.at(82) - 2e-4).abs() < 1e-12);
        assert!(straight.at(100).abs() < 1e-12);
    }

    #[test]
    fn a_warmup_longer_than_the_run_still_reaches_the_full_rate() {
        let course = RateCourse { highest: 1.0, warmup_steps: 1000, total_steps: 9, decay: Decay::Cosine, floor: 0.02 };
        assert!((course.at(2) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_moves_against_the_gradient_and_decays_only_what_is_not_exempt() {
        let mut values = vec![1.0, 1.0, 1.0];
        let mut moments = Moments::new(3, false);
        let exempt = std::slice::from_ref(&(1..2));
        ADAM.step(&mut values, &[0.5, 0.0, 0.0], &mut moments, exempt, 0, 0.1);
        assert!((values[0] - (0.99 - 0.1)).abs() < 1e-5);
        assert!((values[1] - 1.0).abs() < 1e-6);
        assert!((values[2] - 0.99).abs() < 1e-6);
    }

    #[test]
    fn averages_of_half_the_size_take_nearly_the_same_way() {
        let walk = |half| {
            let mut values = vec![1.0_f32; 40];
            let mut moments = Moments::new(40, half);
            for step in 0..300 {
                // A bowl that is steeper from number to number.
                let slopes = values.iter().zip(1..).map(|(value, steep)| value * steep as f32 * 0.01);
                let gradient: Vec<f32> = slopes.collect();
                ADAM.step(&mut values, &gradient, &mut moments, &[], step, 2e-3);
            }
            values
        };
        let (single, half) = (walk(false), walk(true));
        assert!(single.iter().all(|value| *value < 0.7), "{single:?}");
        assert!(single.iter().zip(&half).all(|(a, b)| (a - b).abs() < 0.01), "{single:?} {half:?}");
        assert_ne!(single, half, "they are kept in another form");
    }

    #[test]
    fn a_long_gradient_is_shortened() {
        assert!((ADAM.shrink(&[3.0, 4.0]) - 0.2).abs() < 1e-7);
        assert!((ADAM.shrink(&[0.3, 0.4]) - 1.0).abs() < 1e-7);
    }
}
