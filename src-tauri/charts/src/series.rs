//! What happens to the numbers before they are drawn: leaving out what is no number, smoothing, and thinning to what a screen can show.

/// Beyond this a value cannot be put on an axis without losing all others (and sums of it overflow).
const LARGEST: f64 = 1e100;

/// The points that can be drawn, in order of their step, and how many could not.
pub(crate) struct Drawable {
    pub points: Vec<(f64, f64)>,
    /// Not finite, or out of any sensible range.
    pub not_numbers: usize,
    /// Zero or less, which has no logarithm; only counted when one is needed.
    pub not_positive: usize,
}

pub(crate) fn drawable(points: &[(f64, f64)], log_scale: bool) -> Drawable {
    let mut drawable = Drawable { points: Vec::with_capacity(points.len()), not_numbers: 0, not_positive: 0 };
    for &(step, loss) in points {
        let fits = |value: f64| value.is_finite() && value.abs() < LARGEST;
        if !fits(step) || !fits(loss) {
            drawable.not_numbers += 1;
        } else if log_scale && loss <= 0.0 {
            drawable.not_positive += 1;
        } else {
            drawable.points.push((step, loss));
        }
    }
    // A run that went on from an older checkpoint can report a step twice; a line must not run backwards.
    if !drawable.points.is_sorted_by(|a, b| a.0 <= b.0) {
        drawable.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    drawable
}

/// The exponential moving average that TensorBoard and W&B draw: the average starts at nothing and each value is divided by the weight
/// gathered so far, so that the first values are not pulled towards zero.
pub(crate) fn smooth(points: &[(f64, f64)], weight: f64) -> Vec<(f64, f64)> {
    let mut average = 0.0;
    let mut missing = 1.0;
    points
        .iter()
        .map(|&(step, loss)| {
            average = average * weight + (1.0 - weight) * loss;
            missing *= weight;
            (step, average / (1.0 - missing))
        })
        .collect()
}

/// Thins a line to at most four points for each column of the screen: the first, the lowest, the highest and the last of those that fall into it.
/// The lit pixels are the same as if all had been drawn, and a spike one step wide stays.
///
/// `column` gives the column of a step; steps are in order.
pub(crate) fn thin(points: &[(f64, f64)], column: impl Fn(f64) -> i64) -> Vec<(f64, f64)> {
    let mut thinned = Vec::new();
    for bucket in points.chunk_by(|a, b| column(a.0) == column(b.0)) {
        let by_loss = |a: &usize, b: &usize| bucket[*a].1.total_cmp(&bucket[*b].1);
        let lowest = (0..bucket.len()).min_by(by_loss).unwrap_or(0);
        let highest = (0..bucket.len()).max_by(by_loss).unwrap_or(0);
        let mut kept = [0, lowest, highest, bucket.len() - 1];
        kept.sort_unstable();
        let mut before = None;
        for index in kept {
            if before != Some(index) {
                thinned.push(bucket[index]);
                before = Some(index);
            }
        }
    }
    thinned
}

#[cfg(test)]
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

    fn numbered(losses: &[f64]) -> Vec<(f64, f64)> {
        losses.iter().enumerate().map(|(step, &loss)| (step as f64, loss)).collect()
    }

    proptest! {
        #[test]
        fn smoothing_is_the_debiased_average(losses in prop::collection::vec(0.0..10.0, 0..80), weight in 0.0..0.99) {
            let smoothed = smooth(&numbered(&losses), weight);
            for ((_, got), want) in smoothed.iter().zip(smooth_by_definition(&losses, weight)) {
                prop_assert!((got - want).abs() < 1e-9, "{got} is not {want}");
            }
        }

        #[test]
        fn thinning_keeps_every_columns_extremes_and_ends(losses in prop::collection::vec(-5.0..5.0, 1..400), columns in 1_u32..40) {
            let points = numbered(&losses);
            let width = points.len() as f64 / f64::from(columns);
            let column = |step: f64| (step / width) as i64;
            let thinned = thin(&points, column);
            prop_assert!(thinned.is_sorted_by(|a, b| a.0 < b.0));
            for bucket in points.chunk_by(|a, b| column(a.0) == column(b.0)) {
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
    }

    #[test]
    fn without_smoothing_the_line_is_the_raw_one() {
        let points = numbered(&[3.0, 2.0, 2.5]);
        assert_eq!(smooth(&points, 0.0), points);
    }

    #[test]
    fn what_is_no_number_is_left_out_and_counted() {
        let points = [(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (f64::NAN, 1.0), (3.0, 1e300), (4.0, 0.0)];
        let linear = drawable(&points, false);
        assert_eq!((linear.points.len(), linear.not_numbers, linear.not_positive), (2, 4, 0));
        let log = drawable(&points, true);
        assert_eq!((log.points.len(), log.not_numbers, log.not_positive), (1, 4, 1));
    }

    #[test]
    fn a_step_reported_out_of_order_does_not_make_the_line_run_backwards() {
        let points = drawable(&[(0.0, 3.0), (2.0, 1.0), (1.0, 2.0)], false).points;
        assert_eq!(points, [(0.0, 3.0), (1.0, 2.0), (2.0, 1.0)]);
    }
}
