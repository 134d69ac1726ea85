//! What every picture is drawn on: pixels, lines, bars and words.
//!
//! Plotters places everything in whole units, so a drawing is made ten times as large as asked for and its `viewBox` scales it back:
//! lines then run with a tenth of a pixel, and grid lines can be put exactly onto pixels.

use std::cell::{Cell, RefCell};

use plotters::{
    coord::Shift,
    prelude::{
        Circle, Color, DrawingArea, IntoDrawingArea, IntoFont, PathElement, RGBColor, Rectangle, SVGBackend,
        ShapeStyle, Text,
    },
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::ChartError;

const LEAST_WIDTH: u32 = 120;
const LEAST_HEIGHT: u32 = 80;
const MOST: u32 = 10_000;

/// Units of the drawing in one pixel.
pub(crate) const UNITS: f64 = 10.0;
/// The family of the words, in the page's own.
const FONT: &str = "Inter, system-ui, sans-serif";
const FONT_SIZE: f64 = 11.0;
/// The room that one digit takes at that size, on the generous side.
pub(crate) const DIGIT: f64 = 6.8;
/// Plotters divides a font size by this before it writes it.
const PLOTTERS_FONT_FACTOR: f64 = 1.24;

/// A place in pixels from the left and the top edge.
pub(crate) type Place = (f64, f64);

pub(crate) struct Canvas<'a> {
    root: DrawingArea<SVGBackend<'a>, Shift>,
    /// How many lines were drawn so far, and the dashes of those that have some: plotters' SVG knows no dashes.
    lines: Cell<usize>,
    dashed: RefCell<Vec<(usize, String)>>,
}

/// Draws one `<svg>` element of this size in pixels, without a background. `words` are what someone who does not see the picture should
/// know of it; they are escaped here.
pub(crate) fn picture(
    (width, height): (u32, u32),
    words: &str,
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), ChartError>,
) -> Result<String, ChartError> {
    if width < LEAST_WIDTH || height < LEAST_HEIGHT || width > MOST || height > MOST {
        return Err(ChartError::Size {
            width,
            height,
            least_width: LEAST_WIDTH,
            least_height: LEAST_HEIGHT,
            most: MOST,
        });
    }
    let mut svg = String::new();
    let dashed;
    {
        let size = (width * UNITS as u32, height * UNITS as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let canvas = Canvas { root, lines: Cell::default(), dashed: RefCell::default() };
        draw(&canvas)?;
        canvas.root.present().map_err(draw_error)?;
        dashed = canvas.dashed.take();
    }
    // The opening tag that plotters wrote gives the size in units; this one gives it in pixels.
    let body = with_dashes(svg.split_once('>').map_or("", |(_, body)| body), &dashed);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{body}",
        f64::from(width) * UNITS,
        f64::from(height) * UNITS,
        escaped(words),
    ))
}

impl Canvas<'_> {
    /// A horizontal line one pixel wide, put onto one row of pixels.
    pub fn rule(&self, from: f64, to: f64, y: f64, ink: RGBColor) -> Result<(), ChartError> {
        let y = onto_pixel(y);
        self.path(vec![(units(from), y), (units(to), y)], stroke(ink, 1.0))
    }

    /// A vertical line one pixel wide, put onto one column of pixels.
    pub fn upright(&self, x: f64, from: f64, to: f64, ink: RGBColor) -> Result<(), ChartError> {
        let x = onto_pixel(x);
        self.path(vec![(x, units(from)), (x, units(to))], stroke(ink, 1.0))
    }

    pub fn line(
        &self,
        places: impl IntoIterator<Item = Place>,
        ink: RGBColor,
        opacity: f64,
        width: f64,
        dashes: &str,
    ) -> Result<(), ChartError> {
        let places: Vec<(i32, i32)> = places.into_iter().map(|(x, y)| (units(x), units(y))).collect();
        if places.len() < 2 {
            return Ok(());
        }
        if !dashes.is_empty() {
            self.dashed.borrow_mut().push((self.lines.get(), dashes.to_owned()));
        }
        self.path(places, ink.mix(opacity).stroke_width(units(width).unsigned_abs()))
    }

    fn path(&self, places: Vec<(i32, i32)>, style: ShapeStyle) -> Result<(), ChartError> {
        self.lines.set(self.lines.get() + 1);
        self.draw(&PathElement::new(places, style))
    }

    /// A circle around a point.
    pub fn ring(&self, (x, y): Place, ink: RGBColor) -> Result<(), ChartError> {
        self.draw(&Circle::new((units(x), units(y)), units(5.6), stroke(ink, 1.4)))
    }

    pub fn point(&self, (x, y): Place, ink: RGBColor) -> Result<(), ChartError> {
        self.draw(&Circle::new((units(x), units(y)), units(2.6), ink.filled()))
    }

    pub fn bar(&self, (left, top): Place, (right, bottom): Place, ink: RGBColor) -> Result<(), ChartError> {
        let corners = [(units(left), units(top)), (units(right), units(bottom))];
        self.draw(&Rectangle::new(corners, ink.filled()))
    }

    /// Words whose middle line is at this height; `side` says which end of them is at this place.
    pub fn words(&self, text: &str, (x, y): Place, side: HPos, ink: RGBColor) -> Result<(), ChartError> {
        let style =
            (FONT, FONT_SIZE * UNITS * PLOTTERS_FONT_FACTOR).into_font().color(&ink).pos(Pos::new(side, VPos::Center));
        self.draw(&Text::new(text, (units(x), units(y)), style))
    }

    fn draw<'e, E>(&self, element: &'e E) -> Result<(), ChartError>
    where
        &'e E: plotters::element::PointCollection<'e, (i32, i32)>,
        E: for<'b> plotters::element::Drawable<SVGBackend<'b>>,
    {
        self.root.draw(element).map_err(draw_error)
    }
}

/// Gives the lines with these numbers their dashes, whose lengths are in pixels.
fn with_dashes(body: &str, dashed: &[(usize, String)]) -> String {
    if dashed.is_empty() {
        return body.to_owned();
    }
    let mut whole = String::with_capacity(body.len() + dashed.len() * 32);
    for (number, piece) in body.split("<polyline").enumerate() {
        if number > 0 {
            whole.push_str("<polyline");
            // The piece before the first line has the number 0.
            if let Some((_, dashes)) = dashed.iter().find(|(line, _)| line + 1 == number) {
                let lengths = dashes.split_whitespace().filter_map(|length| length.parse::<f64>().ok());
                let lengths: Vec<String> = lengths.map(|length| units(length).to_string()).collect();
                whole.push_str(&format!(" stroke-dasharray=\"{}\"", lengths.join(" ")));
            }
        }
        whole.push_str(piece);
    }
    whole
}

fn stroke(ink: RGBColor, width: f64) -> ShapeStyle {
    ink.stroke_width(units(width).unsigned_abs())
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// The middle of the pixel that holds this place, so that a line one pixel wide lights one row of pixels.
fn onto_pixel(pixels: f64) -> i32 {
    let unit = UNITS as i32;
    units(pixels).div_euclid(unit) * unit + unit / 2
}

fn draw_error(error: impl std::fmt::Display) -> ChartError {
    ChartError::Draw(error.to_string())
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
