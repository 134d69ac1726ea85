//! Did it help? Metrics over pairs of a reference and a prediction, each with an interval, and two models compared over the
//! same rows; what people and judges prefer, and how far they agree; and a coach that reads the loss curves of a training.
//!
//! Everything here is a function of texts and numbers: the caller owns the answers and the curves, and asks the models.
//! Chance comes in as a seed, so that the same pairs give the same interval.
//!
//! Deliberately absent: any network, any model, any file.

mod agreement;
pub mod coach;
mod compare;
mod confusion;
mod expression;
mod interval;
mod judging;
mod metrics;
mod preference;
mod tally;

pub use agreement::{Agreement, agreement};
pub use compare::{Difference, Outcome, SIGNIFICANCE, compare, holm};
pub use confusion::{Confusion, labels_of};
pub use expression::{Expression, Measured};
pub use interval::{CONFIDENCE, Estimate, estimate, estimate_of, widest_reach};
pub use judging::{MOST_POINTS, PAIRWISE_PROMPT, Pick, RUBRIC_PROMPT, fill, read_pick, read_score};
pub use metrics::{Metric, fields, is_refusal, label};
pub use preference::{FEWEST_DECIDED, Preference, Standing, WinRate};
pub use tally::Tally;
