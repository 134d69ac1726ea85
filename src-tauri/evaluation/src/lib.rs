//! Did it help? Metrics over pairs of a reference and a prediction, each with an interval, and two models compared over the
//! same rows; and a coach that reads the loss
//! curves of a training.
//!
//! Everything here is a function of texts and numbers: the caller owns the answers and the curves, and asks the models.
//! Chance comes in as a seed, so that the same pairs give the same interval.
//!
//! Deliberately absent: any network, any model, any file.

pub mod coach;
mod compare;
mod confusion;
mod interval;
mod metrics;
mod tally;

pub use compare::{Difference, Outcome, SIGNIFICANCE, compare, holm};
pub use confusion::{Confusion, labels_of};
pub use interval::{CONFIDENCE, Estimate, estimate, estimate_of, widest_reach};
pub use metrics::{Metric, fields, is_refusal, label};
pub use tally::Tally;
