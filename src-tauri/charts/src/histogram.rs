//! How a number is spread over many records: a histogram with a few marked values.

use plotters::style::text_anchor::HPos;

use crate::{
    ChartError, Palette,
    axis::{self, Axis},
    canvas::{Canvas, DIGIT, picture},
    palette::Inks,
};

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<'a> {
    /// One number a record, in rising order.
    pub sorted: &'a [u32],
    /// What is counted, in the plural: `tokens`.
    pub unit: &'a str,
    /// Values that get an upright line with a word, such as the median or a limit.
    pub marks: &'a [(f64, &'a str)],
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Bars take the colour of the training line, marks that of the validation line.
    pub palette: &'a Palette,
}

/// A tail longer than this many times the 99th percentile is not drawn but counted: it would press all the rest into one bar.
const TAIL: f64 = 1.6;
const BAR_WIDTH: f64 = 7.0;
const GAP: f64 = 1.0;
const TOP: f64 = 24.0;

/// Draws the histogram as one `<svg>` element, without a background.
///
/// # Errors
/// A size without room for a chart, a colour that is not `#rrggbb`, or a failure of plotters.
pub fn histogram(chart: &Histogram<'_>) -> Result<String, ChartError> {
    let inks = chart.palette.inks()?;
    let frame = Frame::new(chart);
    picture((chart.width, chart.height), &description(chart), |canvas| {
        let sketch = Sketch { canvas, frame: &frame, inks: &inks };
        sketch.axes()?;
        sketch.bars()?;
        sketch.marks(chart.marks)?;
        sketch.remark(chart.unit)
    })
}

fn description(chart: &Histogram<'_>) -> String {
    let (Some(least), Some(most)) = (chart.sorted.first(), chart.sorted.last()) else {
        return "No records".to_owned();
    };
    let number = |value: u32| axis::grouped(f64::from(value));
    format!(
        "{} records: {} to {} {}, half of them at most {}",
        axis::grouped(chart.sorted.len() as f64),
        number(*least),
        number(*most),
        chart.unit,
        number(at_share(chart.sorted, 0.5)),
    )
}

/// The value that this share of the records does not exceed; 0 where there are none.
pub fn at_share(sorted: &[u32], share: f64) -> u32 {
    let rank = (sorted.len() as f64 * share).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(0)
}

struct Frame {
    left: f64,
    right: f64,
    bottom: f64,
    values: Axis,
    counts: Axis,
    bins: Vec<usize>,
    /// Records whose value lies beyond the axis.
    beyond: usize,
}

impl Frame {
    fn new(chart: &Histogram<'_>) -> Self {
        let (width, height) = (f64::from(chart.width), f64::from(chart.height));
        let bottom = height - 26.0;
        let most = chart.sorted.last().copied().map_or(1.0, f64::from).max(1.0);
        let usual = f64::from(at_share(chart.sorted, 0.99)).max(1.0);
        let marked = chart.marks.iter().map(|mark| mark.0).filter(|mark| *mark <= usual * TAIL).fold(0.0, f64::max);
        let last = if most > usual * TAIL { usual * 1.2 } else { most }.max(marked);
        let label = axis::grouped(last).chars().count() as f64 * DIGIT;
        let values = axis::linear(0.0, last, ((width - 60.0) / (label + 36.0)).floor().max(2.0) as usize);

        let room = width - 60.0;
        // Whole numbers make whole bins: a bar is never over fewer values than its neighbour.
        let span = (values.to / (room / (BAR_WIDTH + GAP)).floor()).ceil().max(1.0);
        let mut bins = vec![0_usize; ((values.to / span).ceil() as usize).max(1)];
        let mut beyond = 0;
        for value in chart.sorted {
            match bins.get_mut((f64::from(*value) / span) as usize) {
                Some(count) => *count += 1,
                // The last tick's own value belongs to the last bar.
                None if f64::from(*value) <= values.to => *bins.last_mut().unwrap_or(&mut beyond) += 1,
                None => beyond += 1,
            }
        }
        let values = Axis { to: span * bins.len() as f64, ..values };
        let highest = bins.iter().copied().max().unwrap_or(0).max(1) as f64;
        let counts = whole_numbers(&axis::linear(0.0, highest, ((bottom - TOP) / 40.0).round().max(2.0) as usize));
        let widest = counts.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let left = (widest.max(2) as f64).mul_add(DIGIT, 14.0);
        Self { left, right: width - (label / 2.0 + 2.0).max(12.0), bottom, values, counts, bins, beyond }
    }

    fn x(&self, value: f64) -> f64 {
        (self.right - self.left).mul_add(value / self.values.to, self.left)
    }

    fn y(&self, count: f64) -> f64 {
        (TOP - self.bottom).mul_add(count / self.counts.to, self.bottom)
    }
}

/// Nobody has half a record: ticks between whole numbers are left out, the others written with their thousands apart.
fn whole_numbers(axis: &Axis) -> Axis {
    let whole = axis.ticks.iter().map(|tick| tick.0).filter(|value| (value - value.round()).abs() < 1e-6);
    Axis { ticks: whole.map(|value| (value, axis::grouped(value))).collect(), ..*axis }
}

struct Sketch<'a, 'b> {
    canvas: &'a Canvas<'b>,
    frame: &'a Frame,
    inks: &'a Inks,
}

impl Sketch<'_, '_> {
    fn axes(&self) -> Result<(), ChartError> {
        let (frame, canvas) = (self.frame, self.canvas);
        for (value, label) in &frame.counts.ticks {
            canvas.rule(frame.left, frame.right, frame.y(*value), self.inks.grid)?;
            canvas.words(label, (frame.left - 8.0, frame.y(*value) + 1.0), HPos::Right, self.inks.faint_ink)?;
        }
        for (value, _) in frame.values.ticks.iter().filter(|(value, _)| *value <= frame.values.to) {
            let label = axis::grouped(*value);
            canvas.words(&label, (frame.x(*value), frame.bottom + 15.0), HPos::Center, self.inks.faint_ink)?;
        }
        Ok(())
    }

    fn bars(&self) -> Result<(), ChartError> {
        let (frame, count) = (self.frame, self.frame.bins.len() as f64);
        let width = (frame.right - frame.left) / count;
        for (index, &records) in frame.bins.iter().enumerate().filter(|(_, records)| **records > 0) {
            let left = (index as f64).mul_add(width, frame.left);
            // A bar of a single record among thousands is still to be seen.
            let top = frame.y(records as f64).min(frame.bottom - 1.0);
            self.canvas.bar((left, top), ((left + width - GAP).max(left + 1.0), frame.bottom), self.inks.training)?;
        }
        Ok(())
    }

    fn marks(&self, marks: &[(f64, &str)]) -> Result<(), ChartError> {
        let frame = self.frame;
        let mut free_from = f64::NEG_INFINITY;
        for (value, word) in marks.iter().filter(|(value, _)| *value <= frame.values.to) {
            let x = frame.x(*value);
            self.canvas.upright(x, TOP - 6.0, frame.bottom, self.inks.validation)?;
            let words = format!("{word} {}", axis::grouped(*value));
            let length = words.chars().count() as f64 * DIGIT;
            let from = if x + length > frame.right { x - length } else { x };
            if from >= free_from {
                self.canvas.words(&words, (from + 2.0, TOP - 14.0), HPos::Left, self.inks.ink)?;
                free_from = from + length + 8.0;
            }
        }
        Ok(())
    }

    fn remark(&self, unit: &str) -> Result<(), ChartError> {
        let frame = self.frame;
        if frame.bins.iter().all(|count| *count == 0) && frame.beyond == 0 {
            let middle = ((frame.left + frame.right) / 2.0, f64::midpoint(TOP, frame.bottom));
            return self.canvas.words("No records", middle, HPos::Center, self.inks.ink);
        }
        if frame.beyond == 0 {
            return Ok(());
        }
        let longer = format!("{} beyond {} {unit}", axis::grouped(frame.beyond as f64), axis::grouped(frame.values.to));
        self.canvas.words(&longer, (frame.right, TOP + 9.0), HPos::Right, self.inks.faint_ink)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]
mod tests {
    use super::*;

    fn draw(values: &[u32], marks: &[(f64, &str)]) -> String {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let palette = crate::palette::example();
        let chart = Histogram { sorted: &sorted, unit: "tokens", marks, width: 480, height: 180, palette: &palette };
        histogram(&chart).unwrap()
    }

    fn bars(svg: &str) -> usize {
        svg.matches("<rect").count()
    }

    #[test]
    fn every_record_is_in_a_bar_or_in_the_remark() {
        let values: Vec<u32> = (0..1000).map(|n| n % 97).chain([9_000, 12_000]).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let palette = crate::palette::example();
        let chart =
            Histogram { sorted: &sorted, unit: "tokens", marks: &[], width: 480, height: 180, palette: &palette };
        let frame = Frame::new(&chart);
        assert_eq!(frame.bins.iter().sum::<usize>(), 1000);
        assert_eq!(frame.beyond, 2);
        let svg = draw(&values, &[]);
        assert!(svg.contains("2 beyond ") && svg.contains("0 to 12,000 tokens, half of them at most 47"), "{svg}");
    }

    #[test]
    fn a_single_record_has_a_bar_and_none_says_so() {
        assert_eq!(bars(&draw(&[7], &[])), 1);
        assert_eq!(bars(&draw(&[0], &[])), 1);
        let svg = draw(&[], &[]);
        assert_eq!(bars(&svg), 0);
        assert!(svg.contains("No records"));
    }

    #[test]
    fn a_limit_beyond_all_records_does_not_stretch_the_axis() {
        let svg = draw(&[10, 20, 30], &[(20.0, "median"), (32_000.0, "limit")]);
        assert!(svg.contains("median 20") && !svg.contains("limit"), "{svg}");
        assert!(draw(&[10, 20, 30], &[(35.0, "limit")]).contains("limit 35"));
    }

    #[test]
    fn a_picture_looks_as_it_did() {
        let values: Vec<u32> = (0..400).map(|n| 40 + n * n % 113 + n % 30).collect();
        insta::assert_snapshot!(draw(&values, &[(95.0, "median")]));
    }

    #[test]
    fn shares_name_a_value_that_is_there() {
        assert_eq!(at_share(&[1, 2, 3, 4], 0.5), 2);
        assert_eq!(at_share(&[1, 2, 3, 4], 0.99), 4);
        assert_eq!(at_share(&[], 0.5), 0);
    }
}
