//! Sums and maxima in sixteen lanes, and the choice of the widest instructions there are.
//!
//! A plain sum of floats must be taken in order, one after the other, which keeps a compiler from working out anything
//! in the same loop side by side. Sixteen partial sums in a fixed order give the same result on each run and fill the
//! widest registers. The program itself is built for the oldest processor of its kind; what stands inside `widest!` is
//! built once more for AVX2 and for AVX-512, and chosen when it runs.

use pulp::{Simd, WithSimd};

use super::exponential::exp;

const LANES: usize = 16;

/// Works out an expression in the widest instructions that this processor has.
///
/// Only what is inlined there is compiled for them. Left to itself the compiler leaves a long closure where it is, in the
/// instructions of the oldest processor; so a macro hands it on as one that must be inlined, and [`Work`] calls it.
macro_rules! widest {
    ($work:expr) => {
        pulp::Arch::new().dispatch(crate::kernels::lanes::Work(
            #[inline(always)]
            || $work,
        ))
    };
}

pub(crate) use widest;

/// What `widest!` works out. `FnMut` rather than `FnOnce`, which calls by way of a function that is not inlined.
pub(crate) struct Work<F>(pub F);

impl<R, F: FnMut() -> R> WithSimd for Work<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// The sum of products.
#[inline(always)]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for ((sum, a), b) in sums.iter_mut().zip(left).zip(right) {
            *sum += a * b;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// The greatest of the values; nothing below every number where there are none.
#[inline(always)]
pub(crate) fn highest(values: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    let greater = |most: &mut f32, value: &f32| {
        if *value > *most {
            *most = *value;
        }
    };
    for chunk in chunks {
        most.iter_mut().zip(chunk).for_each(|(most, value)| greater(most, value));
    }
    most.iter_mut().zip(rest).for_each(|(most, value)| greater(most, value));
    most.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Replaces each value by the exponential of what it is above `shift`, and returns their sum.
#[inline(always)]
pub(crate) fn exponentials(values: &mut [f32], shift: f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *value = exp(*value - shift);
            *sum += *value;
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *value = exp(*value - shift);
        *sum += *value;
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_find_what_one_pass_after_the_other_finds() {
        for length in [0, 1, 15, 16, 17, 100] {
            let values: Vec<f32> = (0..length).map(|index| ((index * 37 % 23) as f32 - 11.0) * 0.3).collect();
            let other: Vec<f32> = values.iter().map(|value| value * value - 1.0).collect();
            let product: f64 = values.iter().zip(&other).map(|(a, b)| f64::from(a * b)).sum();
            assert!((f64::from(widest!(dot(&values, &other))) - product).abs() < 1e-4);
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(widest!(highest(&values)), most);
            let mut powers = values.clone();
            let sum = widest!(exponentials(&mut powers, 0.5));
            let expected: f64 = values.iter().map(|value| f64::from(value - 0.5).exp()).sum();
            assert!((f64::from(sum) - expected).abs() <= 1e-5 * expected);
            assert!(powers.iter().zip(&values).all(|(power, value)| (power / (value - 0.5).exp() - 1.0).abs() < 1e-6));
        }
    }
}
