//! Pictures of a training run and of a dataset, drawn with plotters as SVG text: the same picture on the screen, in a report and on disk.
//!
//! The caller owns the numbers and the colours; this crate keeps no state and knows neither jobs nor files.
//! Deliberately absent: a legend and a heading (the page around the picture has them, as text that can be selected), hover and zoom
//! (the page's business too), and every kind of style attribute or script, so that a strict content security policy lets the picture through.

mod axis;
mod bars;
mod canvas;
mod error;
mod histogram;
mod loss;
mod palette;
mod series;

pub use bars::{Bars, bars};
pub use error::ChartError;
pub use histogram::{Histogram, at_share, histogram};
pub use loss::{LossChart, loss_chart};
pub use palette::Palette;
