//! Where the axes of a loss chart are, in pixels, and what they show.

use std::ops::Range;

use crate::LossChart;
use crate::axis::{self, Axis};
use crate::canvas::{DIGIT, Place};
use crate::clip::Edges;
use crate::curve::Curve;
use crate::loss::XAxis;

/// Pixels of height that one tick of the loss wants.
const TICK_HEIGHT: f64 = 40.0;
/// How much of the inner span is put above and below it where outliers are cut.
const ROOM: f64 = 0.08;

pub(crate) struct Frame {
    pub edges: Edges,
    /// Steps, epochs or seconds.
    pub along: Option<Axis>,
    pub losses: Option<Axis>,
    pub log_scale: bool,
    /// Some values are beyond the axis, because outliers were left out of it.
    pub cut: bool,
    density: f64,
}

/// A screen with more of its own pixels in one than this is drawn for as if it had so many.
const DENSEST: f64 = 4.0;

impl Frame {
    pub fn new(chart: &LossChart<'_>) -> Self {
        let (width, height) = (f64::from(chart.width), f64::from(chart.height));
        let (top, bottom) = (10.0, height - 26.0);
        let span = span(chart);

        let most_losses = ((bottom - top) / TICK_HEIGHT).round().max(2.0) as usize;
        let shown = shown_losses(chart, span);
        let losses = shown.map(|(lowest, highest, _)| {
            let make = if chart.log_scale { axis::logarithmic } else { axis::linear };
            make(lowest, highest, most_losses)
        });
        let widest =
            losses.iter().flat_map(|axis| &axis.ticks).map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let left = (widest.max(3) as f64).mul_add(DIGIT, 16.0);

        let label = span.map_or(0.0, |(from, to)| {
            let widest = [from, to].map(|end| axis::place_label(end, to - from, chart.axis).chars().count());
            widest[0].max(widest[1]) as f64 * DIGIT
        });
        let right = width - (label / 2.0 + 2.0).max(12.0);
        let along = span.map(|(from, to)| {
            let most = ((right - left) / (label + 40.0).max(90.0)).floor().max(1.0) as usize;
            match chart.axis {
                XAxis::Step => axis::steps(from, to, most, (label + 12.0) / (right - left) * (to - from)),
                XAxis::Epoch | XAxis::Seconds => axis::places(from, to, most, chart.axis),
            }
        });
        let cut = shown.is_some_and(|(_, _, cut)| cut);
        Self {
            edges: Edges { left, top, right, bottom },
            along,
            losses,
            log_scale: chart.log_scale,
            cut,
            density: chart.density.clamp(1.0, DENSEST),
        }
    }

    pub fn place(&self, (at, loss): (f64, f64)) -> Place {
        (self.x(at), self.y(loss))
    }

    /// Pixels from the left edge.
    pub fn x(&self, at: f64) -> f64 {
        let share = self.along.as_ref().map_or(0.0, |axis| (at - axis.from) / (axis.to - axis.from));
        (self.edges.right - self.edges.left).mul_add(share, self.edges.left)
    }

    /// Pixels from the top edge.
    pub fn y(&self, loss: f64) -> f64 {
        let share = self.losses.as_ref().map_or(0.0, |axis| {
            let place = |value: f64| if self.log_scale { value.log10() } else { value };
            (place(loss) - place(axis.from)) / (place(axis.to) - place(axis.from))
        });
        (self.edges.top - self.edges.bottom).mul_add(share, self.edges.bottom)
    }

    /// The column of the screen's own pixels that a place falls into.
    pub fn column(&self, at: f64) -> i64 {
        (self.x(at) * self.density) as i64
    }

    /// What a line of this curve is made of: the points in view and their neighbours outside.
    pub fn in_view(&self, curve: &Curve) -> Range<usize> {
        self.along.as_ref().map_or(0..0, |axis| curve.between(axis.from, axis.to))
    }
}

/// From where to where the places go; `None` where nothing is known of them.
fn span(chart: &LossChart<'_>) -> Option<(f64, f64)> {
    if let Some((from, to)) = chart.range.filter(|(from, to)| from.is_finite() && to.is_finite() && from < to) {
        return Some((from, to));
    }
    let ends = chart.curves().filter(|curve| !curve.is_empty()).flat_map(|curve| {
        let last = curve.len() - 1;
        [curve.point(0).0, curve.point(last).0]
    });
    let ends: Vec<f64> = ends.chain(chart.end_of_run()).collect();
    let last = ends.iter().copied().reduce(f64::max)?;
    let first = ends.into_iter().fold(0.0, f64::min);
    Some((first, if last > first { last } else { first + 1.0 }))
}

/// The lowest and the highest loss to be seen, and whether outliers were left out of that.
fn shown_losses(chart: &LossChart<'_>, span: Option<(f64, f64)>) -> Option<(f64, f64, bool)> {
    let (from, to) = span?;
    let mut all: Option<(f64, f64)> = None;
    let mut inner: Option<(f64, f64)> = None;
    let widen = |known: Option<(f64, f64)>, (low, high): (f64, f64)| {
        Some(known.map_or((low, high), |(lowest, highest)| (lowest.min(low), highest.max(high))))
    };
    for curve in chart.curves() {
        let mut range = curve.within(from, to);
        if range.is_empty() {
            // Zoomed in between two points: the line that crosses the view is what is seen.
            range = curve.between(from, to);
        }
        if range.is_empty() {
            continue;
        }
        let (low, high) = curve.extremes(range.clone());
        all = widen(all, (curve.point(low).1, curve.point(high).1));
        if let Some(middle) = curve.inner(range).filter(|_| chart.clip_outliers) {
            inner = widen(inner, middle);
        }
    }
    let (lowest, highest) = all?;
    let Some((low, high)) = inner.filter(|(low, high)| low < high) else { return Some((lowest, highest, false)) };
    let room = (high - low) * ROOM;
    let (low, high) = (if chart.log_scale { low } else { low - room }.max(lowest), (high + room).min(highest));
    Some((low, high, low > lowest || high < highest))
}
