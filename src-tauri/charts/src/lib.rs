//! Pictures of a training run and of a dataset, drawn with plotters as SVG text: the same picture on the screen, in a report and on disk.
//!
//! The caller owns the numbers and the colours; this crate keeps no state and knows neither jobs nor files.
//! Deliberately absent: a legend and a heading (the page around the picture has them, as text that can be selected), the cursor itself
//! (the page moves it over what the picture tells it), and every kind of style attribute or script, so that a strict content security
//! policy lets the picture through.

mod axis;
mod bars;
mod canvas;
mod clip;
mod curve;
mod error;
mod frame;
mod grid;
mod histogram;
mod loss;
mod palette;

pub use bars::{Bars, bars};
pub use curve::Curve;
pub use error::ChartError;
pub use grid::{Grid, grid};
pub use histogram::{Histogram, at_share, histogram};
pub use loss::{LossChart, LossPicture, Mark, ReadOut, ReadPoint, RunLines, XAxis, loss_chart};
pub use palette::Palette;
