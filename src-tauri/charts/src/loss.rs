//! The loss of a run over its steps, epochs or time, or of several runs over each other.
//!
//! It keeps to what people know from TensorBoard and W&B: the smoothed line in front, the raw one faint behind it, validation
//! as a line with points. Beside the picture it gives what a cursor over it reads, from the very points that were drawn.

use plotters::style::{RGBColor, text_anchor::HPos};

use crate::{
    ChartError, Palette,
    axis::{self, Axis},
    canvas::{Canvas, picture},
    clip::clipped,
    curve::Curve,
    frame::Frame,
    palette::{Inks, colour},
};

/// What the places of the curves are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XAxis {
    Step,
    Epoch,
    Seconds,
}

/// The lines of one run. Curves are made by the caller, who keeps them from one picture to the next.
#[derive(Debug, Clone, Copy)]
pub struct RunLines<'a> {
    /// Training losses as they are, drawn faint behind the smoothed ones; none leaves them out.
    pub raw: Option<&'a Curve>,
    /// Training losses, smoothed or not; none leaves the line out.
    pub training: Option<&'a Curve>,
    pub validation: Option<&'a Curve>,
    /// How this run is told from the others; none for a run alone, which has the palette's colours.
    pub mark: Option<&'a Mark>,
}

/// How one of several runs is told apart: a colour, a pattern and a word, never the colour alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `#rrggbb`
    pub colour: String,
    /// Lengths of dashes and gaps in pixels, as in `6 3`; empty for a whole line.
    pub dashes: String,
    /// Written at the end of the line.
    pub label: String,
}

/// What to draw. Losses that are no number (a run that diverged) are left out, and the picture says how many.
#[derive(Debug, Clone, Copy)]
pub struct LossChart<'a> {
    pub runs: &'a [RunLines<'a>],
    pub axis: XAxis,
    /// In CSS pixels. The picture is sharp at this size and can be scaled to any other.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// How many pixels of the screen one pixel is, across: a line keeps so many columns of points for it.
    pub density: f64,
    pub palette: &'a Palette,
    /// A logarithmic axis for the loss; the curves were then made for one.
    pub log_scale: bool,
    /// Leaves the lowest and highest hundredth out of the loss axis; lines are cut at its ends.
    pub clip_outliers: bool,
    /// The stretch of places to show; none shows all of the run.
    pub range: Option<(f64, f64)>,
    /// Where the run will end, as a place; the axis then reaches to there.
    pub end: Option<f64>,
}

/// A picture and what a cursor over it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct LossPicture {
    pub svg: String,
    /// The plot inside the picture, in pixels: left, top, right, bottom.
    pub plot: (f64, f64, f64, f64),
    /// The places at the left and the right end of the plot; none while there is nothing to show.
    pub shown: Option<(f64, f64)>,
    pub read_outs: Vec<ReadOut>,
}

/// What one line says along its way.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOut {
    /// The number of the run in the request.
    pub run: usize,
    pub validation: bool,
    pub points: Vec<ReadPoint>,
}

/// One of a few hundred places along a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadPoint {
    pub at: f64,
    /// What the line says there: smoothed, where it is.
    pub value: f64,
    /// The lowest and highest raw value of the points that this one stands for.
    pub low: f64,
    pub high: f64,
    /// In pixels.
    pub x: f64,
    pub y: f64,
}

const RAW_OPACITY: f64 = 0.28;
/// A picture narrower than this has no room for a whole remark.
const ROOM_FOR_WORDS: f64 = 360.0;
/// Pixels that one place of a read-out stands for.
const READ_EVERY: f64 = 3.0;

impl LossChart<'_> {
    pub(crate) fn curves(&self) -> impl Iterator<Item = &Curve> {
        self.runs.iter().flat_map(|run| [run.raw, run.training, run.validation]).flatten()
    }

    pub(crate) fn end_of_run(&self) -> Option<f64> {
        self.end.filter(|end| end.is_finite() && *end > 0.0)
    }
}

/// Draws the chart as one `<svg>` element, without a background.
///
/// # Errors
/// A size without room for a chart, a colour that is not `#rrggbb`, or a failure of plotters.
pub fn loss_chart(chart: &LossChart<'_>) -> Result<LossPicture, ChartError> {
    let inks = chart.palette.inks()?;
    let frame = Frame::new(chart);
    let svg = picture((chart.width, chart.height), &description(chart), |canvas| {
        let sketch = Sketch { canvas, frame: &frame, inks: &inks };
        sketch.axes()?;
        for run in chart.runs {
            sketch.run(run)?;
        }
        sketch.remarks(chart)
    })?;
    let edges = frame.edges;
    Ok(LossPicture {
        svg,
        plot: (edges.left, edges.top, edges.right, edges.bottom),
        shown: frame.along.as_ref().filter(|_| frame.losses.is_some()).map(|axis| (axis.from, axis.to)),
        read_outs: read_outs(chart, &frame),
    })
}

/// What someone who does not see the picture should know of it.
fn description(chart: &LossChart<'_>) -> String {
    let of = |run: &RunLines<'_>| {
        let ends = [("training", run.training), ("validation", run.validation)];
        let said: Vec<String> = ends
            .iter()
            .filter_map(|(what, curve)| {
                let (at, loss) = curve.and_then(Curve::last)?;
                Some(format!("{what} loss {loss:.3} at {}", place_words(at, chart.axis)))
            })
            .collect();
        let name = run.mark.map(|mark| format!("{}: ", mark.label)).unwrap_or_default();
        (!said.is_empty()).then(|| format!("{name}{}", said.join(", ")))
    };
    let said: Vec<String> = chart.runs.iter().filter_map(of).collect();
    if said.is_empty() { "No loss yet".to_owned() } else { said.join("; ") }
}

fn place_words(at: f64, axis: XAxis) -> String {
    match axis {
        XAxis::Step => format!("step {}", axis::grouped(at)),
        XAxis::Epoch => format!("epoch {at:.2}"),
        XAxis::Seconds => axis::place_label(at, at, axis),
    }
}

fn read_outs(chart: &LossChart<'_>, frame: &Frame) -> Vec<ReadOut> {
    let Some(along) = &frame.along else { return Vec::new() };
    let mut all = Vec::new();
    for (number, run) in chart.runs.iter().enumerate() {
        for (validation, curve) in [(false, run.training), (true, run.validation)] {
            let Some(curve) = curve.filter(|curve| !curve.is_empty()) else { continue };
            let behind = if validation { curve } else { run.raw.unwrap_or(curve) };
            let points = read_points(curve, behind, along, frame);
            all.push(ReadOut { run: number, validation, points });
        }
    }
    all
}

fn read_points(curve: &Curve, behind: &Curve, along: &Axis, frame: &Frame) -> Vec<ReadPoint> {
    let column = |at: f64| (frame.x(at) / READ_EVERY) as i64;
    let buckets = curve.buckets(curve.within(along.from, along.to), column);
    buckets
        .map(|bucket| {
            let (at, value) = curve.point(bucket.end - 1);
            let (low, high) = if behind.len() == curve.len() { behind.extremes(bucket) } else { (0, 0) };
            let (x, y) = frame.place((at, value));
            ReadPoint { at, value, low: behind.point(low).1, high: behind.point(high).1, x, y }
        })
        .collect()
}

struct Sketch<'a, 'b> {
    canvas: &'a Canvas<'b>,
    frame: &'a Frame,
    inks: &'a Inks,
}

impl Sketch<'_, '_> {
    fn axes(&self) -> Result<(), ChartError> {
        let (frame, canvas, edges) = (self.frame, self.canvas, self.frame.edges);
        let grid_line = |y: f64| canvas.rule(edges.left, edges.right, y, self.inks.grid);
        match &frame.losses {
            None => grid_line(edges.bottom)?,
            Some(axis) => {
                if frame.log_scale {
                    grid_line(edges.bottom)?;
                }
                for (value, _) in &axis.ticks {
                    grid_line(frame.y(*value))?;
                }
                for (value, label) in &axis.ticks {
                    let place = (edges.left - 8.0, frame.y(*value) + 1.0);
                    canvas.words(label, place, HPos::Right, self.inks.faint_ink)?;
                }
            }
        }
        for (value, label) in frame.along.iter().flat_map(|axis| &axis.ticks) {
            canvas.words(label, (frame.x(*value), edges.bottom + 15.0), HPos::Center, self.inks.faint_ink)?;
        }
        Ok(())
    }

    fn run(&self, run: &RunLines<'_>) -> Result<(), ChartError> {
        let (training, validation, dashes) = match run.mark {
            None => (self.inks.training, self.inks.validation, ""),
            Some(mark) => {
                let own = colour("run", &mark.colour)?;
                (own, own, mark.dashes.as_str())
            }
        };
        if let Some(raw) = run.raw {
            self.line(raw, training, RAW_OPACITY, 1.0, "")?;
        }
        if let Some(curve) = run.training {
            self.line(curve, training, 1.0, 1.6, dashes)?;
            if curve.len() == 1 {
                self.point(curve.point(0), training)?;
            }
        }
        if let Some(curve) = run.validation {
            let opacity = if run.mark.is_some() && run.training.is_some() { 0.6 } else { 1.0 };
            self.line(curve, validation, opacity, 1.6, dashes)?;
            for point in curve.thinned(self.frame.in_view(curve), |at| self.frame.column(at)) {
                self.point(point, validation)?;
            }
            self.best(curve, run.training, validation, run.mark.is_none())?;
        }
        self.label(run, training)
    }

    /// A ring around the validation that was best, where there is one to choose from. Its words keep off the training line.
    fn best(&self, curve: &Curve, training: Option<&Curve>, ink: RGBColor, with_words: bool) -> Result<(), ChartError> {
        let Some((at, loss)) = curve.lowest().filter(|_| curve.len() > 1) else { return Ok(()) };
        let place = self.frame.place((at, loss));
        let edges = self.frame.edges;
        if !edges.holds(place) {
            return Ok(());
        }
        self.canvas.ring(place, ink)?;
        if !with_words {
            return Ok(());
        }
        let words = format!("best {loss:.3}");
        let side = if place.0 > edges.right - 60.0 { HPos::Right } else { HPos::Center };
        let below = place.1 + 16.0;
        let trains_lower = training.and_then(|training| training.value_at(at)).is_some_and(|lower| lower < loss);
        let y = if trains_lower || below > edges.bottom - 6.0 { place.1 - 14.0 } else { below };
        self.canvas.words(&words, (place.0, y), side, ink)
    }

    /// The run's word at the end of its line.
    fn label(&self, run: &RunLines<'_>, ink: RGBColor) -> Result<(), ChartError> {
        let Some(mark) = run.mark else { return Ok(()) };
        let Some(curve) = run.training.or(run.validation) else { return Ok(()) };
        let range = self.frame.in_view(curve);
        let Some(last) =
            range.rev().map(|index| self.frame.place(curve.point(index))).find(|place| self.frame.edges.holds(*place))
        else {
            return Ok(());
        };
        let (x, side) = if last.0 > self.frame.edges.right - 16.0 {
            (last.0 - 2.0, HPos::Right)
        } else {
            (last.0 + 5.0, HPos::Left)
        };
        self.canvas.words(&mark.label, (x, last.1 - 9.0), side, ink)
    }

    fn remarks(&self, chart: &LossChart<'_>) -> Result<(), ChartError> {
        let (frame, canvas, edges) = (self.frame, self.canvas, self.frame.edges);
        if frame.losses.is_none() {
            let middle = ((edges.left + edges.right) / 2.0, (edges.top + edges.bottom) / 2.0);
            canvas.words("No loss yet", middle, HPos::Center, self.inks.ink)?;
        }
        // The raw and the smoothed line leave out the same points: they are counted where they were first left out.
        let lines = chart.runs.iter().flat_map(|run| [run.raw.or(run.training), run.validation]).flatten();
        let (not_numbers, not_positive) =
            lines.fold((0, 0), |sum, curve| (sum.0 + curve.not_numbers, sum.1 + curve.not_positive));
        let wide = edges.right - edges.left > ROOM_FOR_WORDS;
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
        if frame.cut {
            remarks.push("outliers cut".to_owned());
        }
        if remarks.is_empty() {
            return Ok(());
        }
        canvas.words(&remarks.join(" · "), (edges.right, edges.top + 9.0), HPos::Right, self.inks.faint_ink)
    }

    fn line(&self, curve: &Curve, ink: RGBColor, opacity: f64, width: f64, dashes: &str) -> Result<(), ChartError> {
        let thinned = curve.thinned(self.frame.in_view(curve), |at| self.frame.column(at));
        let places = thinned.into_iter().map(|point| self.frame.place(point));
        for part in clipped(places, self.frame.edges) {
            self.canvas.line(part, ink, opacity, width, dashes)?;
        }
        Ok(())
    }

    fn point(&self, point: (f64, f64), ink: RGBColor) -> Result<(), ChartError> {
        let place = self.frame.place(point);
        if self.frame.edges.holds(place) { self.canvas.point(place, ink) } else { Ok(()) }
    }
}

fn values(count: usize) -> String {
    format!("{} {}", axis::grouped(count as f64), if count == 1 { "value" } else { "values" })
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
