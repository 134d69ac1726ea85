//! The loss of one run over its steps.
//!
//! It keeps to what people know from TensorBoard and W&B: the smoothed line in front, the raw one faint behind it, validation as a line with points.
//! Plotters places everything in whole units, so the drawing is made ten times as large as asked for and its `viewBox` scales it back:
//! lines then run with a tenth of a pixel, and grid lines can be put exactly onto pixels.

use plotters::{
    coord::Shift,
    prelude::{
        Circle, Color, DrawingArea, IntoDrawingArea, IntoFont, PathElement, RGBColor, SVGBackend, ShapeStyle, Text,
    },
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    ChartError, Palette,
    axis::{self, Axis},
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

const LEAST_WIDTH: u32 = 120;
const LEAST_HEIGHT: u32 = 80;
const MOST: u32 = 10_000;

/// Units of the drawing in one pixel.
const UNITS: f64 = 10.0;
/// The family of the numbers, in the page's own words.
const FONT: &str = "Inter, system-ui, sans-serif";
const FONT_SIZE: f64 = 11.0;
/// The room that one digit takes at that size, on the generous side.
const DIGIT: f64 = 6.8;
/// Plotters divides a font size by this before it writes it.
const PLOTTERS_FONT_FACTOR: f64 = 1.24;
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
    let (width, height) = (chart.width, chart.height);
    if width < LEAST_WIDTH || height < LEAST_HEIGHT || width > MOST || height > MOST {
        return Err(ChartError::Size {
            width,
            height,
            least_width: LEAST_WIDTH,
            least_height: LEAST_HEIGHT,
            most: MOST,
        });
    }
    if !(0.0..1.0).contains(&chart.smoothing) {
        return Err(ChartError::Smoothing(chart.smoothing));
    }
    let inks = chart.palette.inks()?;
    let training = series::drawable(chart.training, chart.log_scale);
    let validation = series::drawable(chart.validation, chart.log_scale);
    let frame = Frame::new(chart, &training.points, &validation.points);
    let words = description(chart, &training, &validation);

    let size = (width * UNITS as u32, height * UNITS as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let canvas = Canvas { root, frame: &frame, inks: &inks };
        canvas.axes()?;
        canvas.training(&training.points, chart.smoothing)?;
        canvas.validation(&validation.points)?;
        canvas.remarks(&training, &validation)?;
        canvas.root.present().map_err(draw_error)?;
    }
    Ok(with_size_in_pixels(&svg, chart, &words))
}

/// Replaces the opening tag that plotters wrote, which gives the size in units, by one that gives it in pixels and says what is to be seen.
fn with_size_in_pixels(svg: &str, chart: &LossChart<'_>, words: &str) -> String {
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{words}\">{body}",
        chart.width,
        chart.height,
        f64::from(chart.width) * UNITS,
        f64::from(chart.height) * UNITS,
    )
}

/// What someone who does not see the picture should know of it. Made of numbers and our own words, so nothing in it needs escaping.
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

fn draw_error(error: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(error.to_string())
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

    /// Units from the left edge.
    fn x(&self, step: f64) -> i32 {
        let share = self.steps.as_ref().map_or(0.0, |axis| (step - axis.from) / (axis.to - axis.from));
        units((self.right - self.left).mul_add(share, self.left))
    }

    /// Units from the top edge.
    fn y(&self, loss: f64) -> i32 {
        let share = self.losses.as_ref().map_or(0.0, |axis| {
            let place = |value: f64| if self.log_scale { value.log10() } else { value };
            (place(loss) - place(axis.from)) / (place(axis.to) - place(axis.from))
        });
        units((self.top - self.bottom).mul_add(share, self.bottom))
    }

    /// One column for each half pixel, which is a whole one on a dense screen.
    fn column(&self, step: f64) -> i64 {
        i64::from(self.x(step) * 2 / UNITS as i32)
    }
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// The middle of the pixel that holds this place, so that a line one pixel wide lights one row of pixels.
fn onto_pixel(place: i32) -> i32 {
    let unit = UNITS as i32;
    place.div_euclid(unit) * unit + unit / 2
}

struct Canvas<'a, 'b> {
    root: DrawingArea<SVGBackend<'b>, Shift>,
    frame: &'a Frame,
    inks: &'a Inks,
}

impl Canvas<'_, '_> {
    fn axes(&self) -> Result<(), ChartError> {
        let frame = self.frame;
        let (left, right) = (units(frame.left), units(frame.right));
        let grid = self.inks.grid.stroke_width(units(1.0).unsigned_abs());
        let grid_line = |place: i32| self.path(vec![(left, onto_pixel(place)), (right, onto_pixel(place))], grid);
        match &frame.losses {
            None => grid_line(units(frame.bottom))?,
            Some(axis) => {
                if frame.log_scale {
                    grid_line(units(frame.bottom))?;
                }
                for (value, _) in &axis.ticks {
                    grid_line(frame.y(*value))?;
                }
                for (value, label) in &axis.ticks {
                    self.text(
                        label,
                        (left - units(8.0), frame.y(*value) + units(1.0)),
                        HPos::Right,
                        self.inks.faint_ink,
                    )?;
                }
            }
        }
        for (value, label) in frame.steps.iter().flat_map(|axis| &axis.ticks) {
            self.text(label, (frame.x(*value), units(frame.bottom + 15.0)), HPos::Center, self.inks.faint_ink)?;
        }
        Ok(())
    }

    fn training(&self, points: &[(f64, f64)], smoothing: f64) -> Result<(), ChartError> {
        if smoothing > 0.0 && points.len() > 1 {
            self.line(points, self.inks.training.mix(RAW_OPACITY).stroke_width(units(1.0).unsigned_abs()))?;
        }
        // Smoothed before it is thinned: the other way round the average would depend on the width of the window.
        self.line(&series::smooth(points, smoothing), self.inks.training.stroke_width(units(1.6).unsigned_abs()))?;
        if let [only] = points {
            self.point(*only, self.inks.training)?;
        }
        Ok(())
    }

    fn validation(&self, points: &[(f64, f64)]) -> Result<(), ChartError> {
        self.line(points, self.inks.validation.stroke_width(units(1.6).unsigned_abs()))?;
        for point in series::thin(points, |step| self.frame.column(step)) {
            self.point(point, self.inks.validation)?;
        }
        Ok(())
    }

    fn remarks(&self, training: &Drawable, validation: &Drawable) -> Result<(), ChartError> {
        let frame = self.frame;
        let middle = units((frame.left + frame.right) / 2.0);
        if frame.losses.is_none() {
            self.text("No loss yet", (middle, units((frame.top + frame.bottom) / 2.0)), HPos::Center, self.inks.ink)?;
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
        self.text(&remarks.join(" · "), (units(frame.right), units(frame.top + 9.0)), HPos::Right, self.inks.faint_ink)
    }

    fn line(&self, points: &[(f64, f64)], style: ShapeStyle) -> Result<(), ChartError> {
        if points.len() < 2 {
            return Ok(());
        }
        let thinned = series::thin(points, |step| self.frame.column(step));
        self.path(thinned.into_iter().map(|(step, loss)| (self.frame.x(step), self.frame.y(loss))).collect(), style)
    }

    fn path(&self, points: Vec<(i32, i32)>, style: ShapeStyle) -> Result<(), ChartError> {
        self.root.draw(&PathElement::new(points, style)).map_err(draw_error)
    }

    fn point(&self, (step, loss): (f64, f64), colour: RGBColor) -> Result<(), ChartError> {
        let place = (self.frame.x(step), self.frame.y(loss));
        self.root.draw(&Circle::new(place, units(2.6), colour.filled())).map_err(draw_error)
    }

    fn text(&self, text: &str, place: (i32, i32), side: HPos, colour: RGBColor) -> Result<(), ChartError> {
        let style = (FONT, FONT_SIZE * UNITS * PLOTTERS_FONT_FACTOR)
            .into_font()
            .color(&colour)
            .pos(Pos::new(side, VPos::Center));
        self.root.draw(&Text::new(text, place, style)).map_err(draw_error)
    }
}

fn values(count: usize) -> String {
    format!("{} {}", axis::grouped(count as f64), if count == 1 { "value" } else { "values" })
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
