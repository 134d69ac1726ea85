//! The loss of one run over its steps.
//!
//! It keeps to what people know from TensorBoard and W&B: the smoothed line in front, the raw one faint behind it, validation as a line with points.

use plotters::style::text_anchor::HPos;

use crate::{
    ChartError, Palette,
    axis::{self, Axis},
    canvas::{Canvas, DIGIT, Place, picture},
    palette::Inks,
    series::{self, Drawable},
};

/// What to draw. Losses that are no number (a run that diverged) are left out, and the picture says how many.
#[derive(Debug, Clone, Copy)]
pub struct LossChart<'a> {
    /// Step and training loss; may be as long as the run was.
    pub training: &'a [(f64, f64)],
    /// Step and validation loss.
    pub validation: &'a [(f64, f64)],
    /// Weight of the past in the training line, from 0 (the raw line alone) to below 1; 0.6 is customary.
    pub smoothing: f64,
    /// In CSS pixels. The picture is sharp at this size and can be scaled to any other.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    pub palette: &'a Palette,
    /// A logarithmic axis for the loss; values at or below zero are then left out, and the picture says how many.
    pub log_scale: bool,
    /// How many steps the run will have; the axis then reaches to the end of the run from its beginning.
    pub total_steps: Option<f64>,
}

const RAW_OPACITY: f64 = 0.28;
/// Pixels of height that one tick of the loss wants.
const TICK_HEIGHT: f64 = 40.0;
/// A picture narrower than this has no room for a whole remark.
const ROOM_FOR_WORDS: f64 = 360.0;

/// Draws the chart as one `<svg>` element, without a background.
///
/// # Errors
/// A size without room for a chart, a smoothing outside 0 to 1, a colour that is not `#rrggbb`, or a failure of plotters.
pub fn loss_chart(chart: &LossChart<'_>) -> Result<String, ChartError> {
    if !(0.0..1.0).contains(&chart.smoothing) {
        return Err(ChartError::Smoothing(chart.smoothing));
    }
    let inks = chart.palette.inks()?;
    let training = series::drawable(chart.training, chart.log_scale);
    let validation = series::drawable(chart.validation, chart.log_scale);
    let frame = Frame::new(chart, &training.points, &validation.points);
    let words = description(chart, &training, &validation);

    picture((chart.width, chart.height), &words, |canvas| {
        let sketch = Sketch { canvas, frame: &frame, inks: &inks };
        sketch.axes()?;
        sketch.training(&training.points, chart.smoothing)?;
        sketch.validation(&validation.points)?;
        sketch.remarks(&training, &validation)
    })
}

/// What someone who does not see the picture should know of it.
fn description(chart: &LossChart<'_>, training: &Drawable, validation: &Drawable) -> String {
    let Some(&(step, loss)) = training.points.last() else {
        return match validation.points.last() {
            Some(&(step, loss)) => format!("Validation loss {loss:.3} at step {}", axis::grouped(step)),
            None => "No loss yet".to_owned(),
        };
    };
    let smoothed = series::smooth(&training.points, chart.smoothing).last().map_or(loss, |point| point.1);
    let mut words = format!("Training loss {smoothed:.3} at step {}", axis::grouped(step));
    if let Some(total) = total_steps(chart) {
        words += &format!(" of {}", axis::grouped(total));
    }
    if chart.smoothing > 0.0 {
        words += &format!(", smoothed by {}", chart.smoothing);
    }
    if let Some(&(step, loss)) = validation.points.last() {
        words += &format!("; validation loss {loss:.3} at step {}", axis::grouped(step));
    }
    words
}

fn total_steps(chart: &LossChart<'_>) -> Option<f64> {
    chart.total_steps.filter(|total| total.is_finite() && *total > 0.0)
}

/// Where the axes are, in pixels, and what they show.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    steps: Option<Axis>,
    losses: Option<Axis>,
    log_scale: bool,
}

impl Frame {
    fn new(chart: &LossChart<'_>, training: &[(f64, f64)], validation: &[(f64, f64)]) -> Self {
        let (width, height) = (f64::from(chart.width), f64::from(chart.height));
        let (top, bottom) = (10.0, height - 26.0);
        let all = || training.iter().chain(validation);

        let most_losses = ((bottom - top) / TICK_HEIGHT).round().max(2.0) as usize;
        let losses = (!training.is_empty() || !validation.is_empty()).then(|| {
            let lowest = all().map(|point| point.1).fold(f64::INFINITY, f64::min);
            let highest = all().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
            let make = if chart.log_scale { axis::logarithmic } else { axis::linear };
            make(lowest, highest, most_losses)
        });
        let widest =
            losses.iter().flat_map(|axis| &axis.ticks).map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let left = (widest.max(3) as f64).mul_add(DIGIT, 16.0);

        let last = all().map(|point| point.0).fold(total_steps(chart).unwrap_or(f64::NEG_INFINITY), f64::max);
        let first = all().map(|point| point.0).fold(0.0, f64::min);
        let label = axis::grouped(last).chars().count() as f64 * DIGIT;
        let right = width - (label / 2.0 + 2.0).max(12.0);
        let steps = last.is_finite().then(|| {
            let most = ((right - left) / (label + 40.0).max(90.0)).floor().max(1.0) as usize;
            axis::steps(first, last, most, (label + 12.0) / (right - left) * (last - first))
        });
        Self { left, right, top, bottom, steps, losses, log_scale: chart.log_scale }
    }

    fn place(&self, (step, loss): (f64, f64)) -> Place {
        (self.x(step), self.y(loss))
    }

    /// Pixels from the left edge.
    fn x(&self, step: f64) -> f64 {
        let share = self.steps.as_ref().map_or(0.0, |axis| (step - axis.from) / (axis.to - axis.from));
        (self.right - self.left).mul_add(share, self.left)
    }

    /// Pixels from the top edge.
    fn y(&self, loss: f64) -> f64 {
        let share = self.losses.as_ref().map_or(0.0, |axis| {
            let place = |value: f64| if self.log_scale { value.log10() } else { value };
            (place(loss) - place(axis.from)) / (place(axis.to) - place(axis.from))
        });
        (self.top - self.bottom).mul_add(share, self.bottom)
    }

    /// One column for each half pixel, which is a whole one on a dense screen.
    fn column(&self, step: f64) -> i64 {
        (self.x(step) * 2.0) as i64
    }
}

struct Sketch<'a, 'b> {
    canvas: &'a Canvas<'b>,
    frame: &'a Frame,
    inks: &'a Inks,
}

impl Sketch<'_, '_> {
    fn axes(&self) -> Result<(), ChartError> {
        let (frame, canvas) = (self.frame, self.canvas);
        let grid_line = |y: f64| canvas.rule(frame.left, frame.right, y, self.inks.grid);
        match &frame.losses {
            None => grid_line(frame.bottom)?,
            Some(axis) => {
                if frame.log_scale {
                    grid_line(frame.bottom)?;
                }
                for (value, _) in &axis.ticks {
                    grid_line(frame.y(*value))?;
                }
                for (value, label) in &axis.ticks {
                    let place = (frame.left - 8.0, frame.y(*value) + 1.0);
                    canvas.words(label, place, HPos::Right, self.inks.faint_ink)?;
                }
            }
        }
        for (value, label) in frame.steps.iter().flat_map(|axis| &axis.ticks) {
            canvas.words(label, (frame.x(*value), frame.bottom + 15.0), HPos::Center, self.inks.faint_ink)?;
        }
        Ok(())
    }

    fn training(&self, points: &[(f64, f64)], smoothing: f64) -> Result<(), ChartError> {
        if smoothing > 0.0 && points.len() > 1 {
            self.line(points, RAW_OPACITY, 1.0)?;
        }
        // Smoothed before it is thinned: the other way round the average would depend on the width of the window.
        self.line(&series::smooth(points, smoothing), 1.0, 1.6)?;
        if let [only] = points {
            self.canvas.point(self.frame.place(*only), self.inks.training)?;
        }
        Ok(())
    }

    fn validation(&self, points: &[(f64, f64)]) -> Result<(), ChartError> {
        let thinned = series::thin(points, |step| self.frame.column(step));
        self.canvas.line(thinned.iter().map(|point| self.frame.place(*point)), self.inks.validation, 1.0, 1.6)?;
        thinned.iter().try_for_each(|point| self.canvas.point(self.frame.place(*point), self.inks.validation))
    }

    fn remarks(&self, training: &Drawable, validation: &Drawable) -> Result<(), ChartError> {
        let (frame, canvas) = (self.frame, self.canvas);
        if frame.losses.is_none() {
            let middle = ((frame.left + frame.right) / 2.0, (frame.top + frame.bottom) / 2.0);
            canvas.words("No loss yet", middle, HPos::Center, self.inks.ink)?;
        }
        let not_numbers = training.not_numbers + validation.not_numbers;
        let not_positive = training.not_positive + validation.not_positive;
        let wide = frame.right - frame.left > ROOM_FOR_WORDS;
        let mut remarks = Vec::new();
        if not_numbers > 0 && wide {
            remarks.push(format!("{} left out: not a number", values(not_numbers)));
        }
        if not_positive > 0 && wide {
            remarks.push(format!("{} left out: no logarithm", values(not_positive)));
        }
        if not_numbers + not_positive > 0 && !wide {
            remarks.push(format!("{} left out", values(not_numbers + not_positive)));
        }
        if remarks.is_empty() {
            return Ok(());
        }
        canvas.words(&remarks.join(" · "), (frame.right, frame.top + 9.0), HPos::Right, self.inks.faint_ink)
    }

    fn line(&self, points: &[(f64, f64)], opacity: f64, width: f64) -> Result<(), ChartError> {
        let thinned = series::thin(points, |step| self.frame.column(step));
        self.canvas.line(thinned.into_iter().map(|point| self.frame.place(point)), self.inks.training, opacity, width)
    }
}

fn values(count: usize) -> String {
    format!("{} {}", axis::grouped(count as f64), if count == 1 { "value" } else { "values" })
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
