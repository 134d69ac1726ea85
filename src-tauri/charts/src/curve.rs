//! A line made ready to be drawn again and again, at any zoom: in order, without what is no number, with the extremes of
//! its blocks at hand, so that a picture of a million values looks at some ten thousand.

use std::ops::Range;
use std::sync::Arc;

use crate::ChartError;

/// Beyond this a value cannot be put on an axis without losing all others (and sums of it overflow).
const LARGEST: f64 = 1e100;
/// Values whose lowest and highest are known without looking at them.
const BLOCK: usize = 64;
/// Values that are looked at to tell what is an outlier.
const SAMPLED: usize = 20_000;

/// Values over places (steps, epochs or seconds), in the order of their places.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    at: Arc<Vec<f64>>,
    values: Vec<f64>,
    /// Where in each block the lowest and the highest value are.
    extremes: Vec<(u32, u32)>,
    /// Points left out: not finite, or out of any sensible range.
    pub(crate) not_numbers: usize,
    /// Points left out: zero or less, which has no logarithm; only where one is needed.
    pub(crate) not_positive: usize,
}

impl Curve {
    /// `log_scale` leaves out what has no logarithm.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>, log_scale: bool) -> Self {
        let points = points.into_iter();
        let mut at = Vec::with_capacity(points.size_hint().0);
        let mut values = Vec::with_capacity(points.size_hint().0);
        let (mut not_numbers, mut not_positive) = (0, 0);
        let fits = |value: f64| value.is_finite() && value.abs() < LARGEST;
        for (place, value) in points {
            if !fits(place) || !fits(value) {
                not_numbers += 1;
            } else if log_scale && value <= 0.0 {
                not_positive += 1;
            } else {
                at.push(place);
                values.push(value);
            }
        }
        // A run that went on from an older checkpoint can report a step twice; a line must not run backwards.
        if !at.is_sorted() {
            let mut both: Vec<(f64, f64)> = at.iter().copied().zip(values.iter().copied()).collect();
            both.sort_by(|a, b| a.0.total_cmp(&b.0));
            (at, values) = both.into_iter().unzip();
        }
        Self { not_numbers, not_positive, ..Self::of(Arc::new(at), values) }
    }

    fn of(at: Arc<Vec<f64>>, values: Vec<f64>) -> Self {
        let extremes = values.chunks(BLOCK).enumerate().map(|(block, values)| {
            let (low, high) = extremes_of(values);
            ((block * BLOCK + low) as u32, (block * BLOCK + high) as u32)
        });
        Self { extremes: extremes.collect(), at, values, not_numbers: 0, not_positive: 0 }
    }

    /// The exponential moving average that TensorBoard and W&B draw: the average starts at nothing and each value is divided
    /// by the weight gathered so far, so that the first values are not pulled towards zero. `weight` is that of the past.
    ///
    /// # Errors
    /// A weight outside 0 to below 1.
    pub fn smoothed(&self, weight: f64) -> Result<Self, ChartError> {
        if !(0.0..1.0).contains(&weight) {
            return Err(ChartError::Smoothing(weight));
        }
        let mut average = 0.0;
        let mut missing = 1.0;
        let mut values = self.values.iter();
        let mut smoothed = Vec::with_capacity(self.len());
        // Once nothing is missing any more there is nothing to divide by.
        while missing > f64::EPSILON / 4.0
            && let Some(value) = values.next()
        {
            average = average * weight + (1.0 - weight) * value;
            missing *= weight;
            smoothed.push(average / (1.0 - missing));
        }
        smoothed.extend(values.map(|value| {
            average = average * weight + (1.0 - weight) * value;
            average
        }));
        Ok(Self::of(Arc::clone(&self.at), smoothed))
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Place and value of the point with this number.
    pub fn point(&self, index: usize) -> (f64, f64) {
        (self.at[index], self.values[index])
    }

    pub fn last(&self) -> Option<(f64, f64)> {
        self.len().checked_sub(1).map(|last| self.point(last))
    }

    /// The first of the points with the lowest value.
    pub fn lowest(&self) -> Option<(f64, f64)> {
        (!self.is_empty()).then(|| self.point(self.extremes(0..self.len()).0))
    }

    /// The value of the last point at or before a place.
    pub(crate) fn value_at(&self, place: f64) -> Option<f64> {
        let after = self.at.partition_point(|known| *known <= place);
        after.checked_sub(1).map(|index| self.values[index])
    }

    /// The points between two places, and one more at either side, so that a line goes on to the edge.
    pub(crate) fn between(&self, from: f64, to: f64) -> Range<usize> {
        let first = self.at.partition_point(|place| *place < from);
        let end = self.at.partition_point(|place| *place <= to);
        first.saturating_sub(1)..(end + 1).min(self.len())
    }

    /// Only the points between two places, both ends counted in.
    pub(crate) fn within(&self, from: f64, to: f64) -> Range<usize> {
        let first = self.at.partition_point(|place| *place < from);
        first..self.at.partition_point(|place| *place <= to).max(first)
    }

    /// Where the lowest and the highest value of a range are; the range is not empty.
    pub(crate) fn extremes(&self, range: Range<usize>) -> (usize, usize) {
        let first_block = range.start.div_ceil(BLOCK);
        let end_block = range.end / BLOCK;
        if first_block >= end_block {
            let (low, high) = extremes_of(&self.values[range.clone()]);
            return (range.start + low, range.start + high);
        }
        let blocks = self.extremes[first_block..end_block].iter().map(|(low, high)| (*low as usize, *high as usize));
        let edges = [range.start..first_block * BLOCK, end_block * BLOCK..range.end];
        let edges = edges.into_iter().filter(|edge| !edge.is_empty()).map(|edge| {
            let (low, high) = extremes_of(&self.values[edge.clone()]);
            (edge.start + low, edge.start + high)
        });
        let start = (range.start, range.start);
        blocks.chain(edges).fold(start, |best, found| {
            let low = if self.values[found.0] < self.values[best.0] { found.0 } else { best.0 };
            let high = if self.values[found.1] > self.values[best.1] { found.1 } else { best.1 };
            (low, high)
        })
    }

    /// Thins a stretch to at most four points for each column of the screen: the first, the lowest, the highest and the last
    /// of those that fall into it. The lit pixels are the same as if all had been drawn, and a spike one step wide stays.
    pub(crate) fn thinned(&self, range: Range<usize>, column: impl Fn(f64) -> i64) -> Vec<(f64, f64)> {
        let mut thinned = Vec::new();
        for bucket in self.buckets(range, column) {
            let (low, high) = self.extremes(bucket.clone());
            let mut kept = [bucket.start, low, high, bucket.end - 1];
            kept.sort_unstable();
            let mut before = None;
            for index in kept {
                if before != Some(index) {
                    thinned.push(self.point(index));
                    before = Some(index);
                }
            }
        }
        thinned
    }

    /// The stretches of points that fall into the same column each; places are in order, so their ends are searched for.
    pub(crate) fn buckets(
        &self,
        range: Range<usize>,
        column: impl Fn(f64) -> i64,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut start = range.start;
        std::iter::from_fn(move || {
            if start >= range.end {
                return None;
            }
            let own = column(self.at[start]);
            let length = self.at[start..range.end].partition_point(|place| column(*place) <= own);
            let bucket = start..start + length.max(1);
            start = bucket.end;
            Some(bucket)
        })
    }

    /// The values that leave out the lowest and the highest hundredth of a range, from a sample of it.
    pub(crate) fn inner(&self, range: Range<usize>) -> Option<(f64, f64)> {
        let every = range.len().div_ceil(SAMPLED).max(1);
        let mut sample: Vec<f64> = self.values.get(range)?.iter().step_by(every).copied().collect();
        sample.sort_unstable_by(f64::total_cmp);
        let last = sample.len().checked_sub(1)?;
        let left_out = last / 100;
        Some((sample[left_out], sample[last - left_out]))
    }
}

fn extremes_of(values: &[f64]) -> (usize, usize) {
    let (mut low, mut high) = (0, 0);
    for (index, value) in values.iter().enumerate() {
        if *value < values[low] {
            low = index;
        }
        if *value > values[high] {
            high = index;
        }
    }
    (low, high)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same average, written as its definition: each past value weighs `weight` to the power of its age, and the weights sum to one.
    fn smooth_by_definition(losses: &[f64], weight: f64) -> Vec<f64> {
        (0..losses.len())
            .map(|now| {
                let weights: Vec<f64> =
                    (0..=now).map(|then| weight.powi(i32::try_from(now - then).unwrap_or(i32::MAX))).collect();
                let sum: f64 = weights.iter().sum();
                losses.iter().zip(&weights).map(|(loss, w)| loss * w).sum::<f64>() / sum
            })
            .collect()
    }

    fn numbered(losses: &[f64]) -> Curve {
        Curve::new(losses.iter().enumerate().map(|(step, &loss)| (step as f64, loss)), false)
    }

    proptest! {
        #[test]
        fn smoothing_is_the_debiased_average(losses in prop::collection::vec(0.0..10.0, 0..80), weight in 0.0..0.99) {
            let smoothed = numbered(&losses).smoothed(weight).unwrap();
            for (got, want) in smoothed.values.iter().zip(smooth_by_definition(&losses, weight)) {
                prop_assert!((got - want).abs() < 1e-9, "{got} is not {want}");
            }
        }

        #[test]
        fn thinning_keeps_every_columns_extremes_and_ends(
            losses in prop::collection::vec(-5.0..5.0, 1..900),
            columns in 1_u32..40,
            from in 0_usize..400,
        ) {
            let curve = numbered(&losses);
            let range = from.min(losses.len() - 1)..losses.len();
            let width = losses.len() as f64 / f64::from(columns);
            let column = |step: f64| (step / width) as i64;
            let all: Vec<_> = range.clone().map(|index| curve.point(index)).collect();
            let thinned = curve.thinned(range, column);
            prop_assert!(thinned.is_sorted_by(|a, b| a.0 < b.0));
            for bucket in all.chunk_by(|a, b| column(a.0) == column(b.0)) {
                let kept: Vec<_> = thinned.iter().filter(|p| column(p.0) == column(bucket[0].0)).copied().collect();
                prop_assert!(kept.len() <= 4);
                prop_assert_eq!(kept.first(), bucket.first());
                prop_assert_eq!(kept.last(), bucket.last());
                let lowest = |points: &[(f64, f64)]| points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
                let highest = |points: &[(f64, f64)]| points.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
                prop_assert_eq!(lowest(&kept), lowest(bucket));
                prop_assert_eq!(highest(&kept), highest(bucket));
            }
        }

        #[test]
        fn extremes_by_blocks_are_those_of_the_values(
            losses in prop::collection::vec(-5.0..5.0, 1..700), from in 0_usize..600, length in 1_usize..700,
        ) {
            let curve = numbered(&losses);
            let start = from.min(losses.len() - 1);
            let range = start..(start + length).min(losses.len());
            let (low, high) = curve.extremes(range.clone());
            prop_assert!(range.contains(&low) && range.contains(&high));
            prop_assert_eq!(losses[low], losses[range.clone()].iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(losses[high], losses[range].iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }

    #[test]
    fn without_smoothing_the_line_is_the_raw_one() {
        let curve = numbered(&[3.0, 2.0, 2.5]);
        assert_eq!(curve.smoothed(0.0).unwrap().values, curve.values);
    }

    #[test]
    fn what_is_no_number_is_left_out_and_counted() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (f64::NAN, 1.0), (3.0, 1e300), (4.0, 0.0)];
        let linear = Curve::new(points, false);
        assert_eq!((linear.len(), linear.not_numbers, linear.not_positive), (2, 4, 0));
        let log = Curve::new(points, true);
        assert_eq!((log.len(), log.not_numbers, log.not_positive), (1, 4, 1));
    }

    #[test]
    fn a_step_reported_out_of_order_does_not_make_the_line_run_backwards() {
        let curve = Curve::new([(0.0, 3.0), (2.0, 1.0), (1.0, 2.0)], false);
        assert_eq!((curve.at.as_slice(), curve.values.as_slice()), (&[0.0, 1.0, 2.0][..], &[3.0, 2.0, 1.0][..]));
    }
}
