//! Did it help? Metrics over pairs of a reference and a prediction, each with an interval.
//!
//! Everything here is a function of texts and numbers: the caller owns the answers and asks the models.
//! Chance comes in as a seed, so that the same pairs give the same interval.
//!
//! Deliberately absent: any network, any model, any file.

mod interval;
mod metrics;

pub use interval::{CONFIDENCE, Estimate, estimate};
pub use metrics::Metric;
