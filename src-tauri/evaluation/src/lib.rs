//! Did it help? Metrics over pairs of a reference and a prediction, each with an interval; and a coach that reads the loss
//! curves of a training.
//!
//! Everything here is a function of texts and numbers: the caller owns the answers and the curves, and asks the models.
//! Chance comes in as a seed, so that the same pairs give the same interval.
//!
//! Deliberately absent: any network, any model, any file.

pub mod coach;
mod interval;
mod metrics;

pub use interval::{CONFIDENCE, Estimate, estimate};
pub use metrics::Metric;
