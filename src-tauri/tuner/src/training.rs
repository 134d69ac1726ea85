//! The training loop: which records a step takes, at what rate, and when the validation loss is
//! measured. Full tuning, adapters and pre-training all run through here.
//!
//! The loop knows neither files nor clocks. What it drives is a [`Learner`]; what it finds goes to a
//! sink, whose answer says whether to go on, to keep a checkpoint, or to stop.

use serde::{Deserialize, Serialize};

use crate::TunerError;
use crate::optimizer::RateCourse;
use crate::records::epoch_order;
use crate::trainer::Measured;

/// What the loop drives.
pub(crate) trait Learner {
    /// Takes one step on the records of these indexes.
    fn step(&mut self, records: &[u32], step: u64, rate: f64) -> Measured;
    /// The validation loss, where there is validation data.
    fn validate(&mut self) -> Option<f64>;
    /// Writes down everything needed to go on from `position`.
    fn keep(&mut self, position: &Position) -> Result<(), TunerError>;
}

/// The course of a run.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub records: usize,
    pub batch_size: usize,
    pub epochs: u32,
    pub seed: u64,
    pub course: RateCourse,
    /// Measure the validation loss after every so many steps, besides the end of each epoch.
    pub validate_every: Option<u64>,
}

/// How far a run has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The next step.
    pub step: u64,
    /// Summed loss of the epoch so far, and how many predictions it sums.
    pub epoch_loss: f64,
    pub epoch_predicted: u64,
    /// The last validation loss.
    pub validation_loss: Option<f64>,
}

/// What the loop tells its sink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Progress {
    Step {
        step: u64,
        epoch: u32,
        rate: f64,
        loss: f64,
        tokens: u64,
    },
    Validation {
        step: u64,
        epoch: u32,
        loss: f64,
    },
    /// A checkpoint that goes on at `step` is kept.
    Checkpoint {
        step: u64,
    },
}

/// What the sink wants next. Only the answer to a step is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    GoOn,
    Checkpoint,
    /// Keep a checkpoint and leave.
    Stop,
}

/// How the loop ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// All steps are taken. The training loss is the mean over the last epoch.
    Done {
        training_loss: f64,
        validation_loss: Option<f64>,
    },
    Stopped,
}

impl Schedule {
    /// Steps that `epochs` epochs of `records` records take.
    pub fn steps(records: usize, batch_size: usize, epochs: u32) -> u64 {
        records.div_ceil(batch_size) as u64 * u64::from(epochs)
    }

    fn steps_per_epoch(&self) -> u64 {
        Schedule::steps(self.records, self.batch_size, 1)
    }
}

/// Runs from `position` to the end, or until the sink wishes to stop.
pub(crate) fn run(
    schedule: &Schedule,
    mut position: Position,
    learner: &mut dyn Learner,
    sink: &mut dyn FnMut(Progress) -> Result<Wish, TunerError>,
) -> Result<End, TunerError> {
    let per_epoch = schedule.steps_per_epoch();
    let first_epoch = (position.step / per_epoch) as u32;
    for epoch in first_epoch..schedule.epochs {
        let order = epoch_order(schedule.records, schedule.seed, epoch);
        let start = u64::from(epoch) * per_epoch;
        let batches = order.chunks(schedule.batch_size);
        let done = (position.step - start) as usize;
        for (index, batch) in batches.enumerate().skip(done) {
            let step = start + index as u64;
            let rate = schedule.course.at(step);
            let measured = learner.step(batch, step, rate);
            let loss = measured.mean();
            if !loss.is_finite() {
                return Err(TunerError::Diverged { step });
            }
            if index == 0 {
                position.epoch_loss = 0.0;
                position.epoch_predicted = 0;
            }
            position.step = step + 1;
            position.epoch_loss += measured.loss;
            position.epoch_predicted += measured.predicted;
            let tokens = measured.tokens;
            let wish = sink(Progress::Step { step, epoch, rate, loss, tokens })?;
            let last_of_epoch = position.step == start + per_epoch;
            let due = schedule.validate_every.is_some_and(|every| position.step.is_multiple_of(every));
            if last_of_epoch || due {
                position.validation_loss = learner.validate();
                if let Some(loss) = position.validation_loss {
                    sink(Progress::Validation { step, epoch, loss })?;
                }
            }
            if wish != Wish::GoOn {
                learner.keep(&position)?;
                sink(Progress::Checkpoint { step: position.step })?;
            }
            if wish == Wish::Stop {
                return Ok(End::Stopped);
            }
        }
    }
    Ok(End::Done {
        training_loss: position.epoch_loss / position.epoch_predicted.max(1) as f64,
        validation_loss: position.validation_loss,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    /// Remembers what it was asked.
    #[derive(Default)]
    struct Diary {
        steps: Vec<(u64, Vec<u32>)>,
        kept: Vec<Position>,
        diverge_at: Option<u64>,
    }

    impl Learner for Diary {
        fn step(&mut self, records: &[u32], step: u64, _rate: f64) -> Measured {
            self.steps.push((step, records.to_vec()));
            let loss = if self.diverge_at == Some(step) { f64::NAN } else { step as f64 };
            Measured { loss, predicted: 1, tokens: 3 }
        }

        fn validate(&mut self) -> Option<f64> {
            Some(self.steps.len() as f64)
        }

        fn keep(&mut self, position: &Position) -> Result<(), TunerError> {
            self.kept.push(position.clone());
            Ok(())
        }
    }

    fn schedule() -> Schedule {
        Schedule {
            records: 10,
            batch_size: 4,
            epochs: 2,
            seed: 3,
            course: RateCourse { highest: 1.0, warmup_steps: 0, total_steps: 6, floor: 0.0 },
            validate_every: Some(2),
        }
    }

    #[test]
    fn every_epoch_takes_every_record_once() {
        let mut diary = Diary::default();
        let end = run(&schedule(), Position::default(), &mut diary, &mut |_| Ok(Wish::GoOn));
        assert_eq!(end.unwrap(), End::Done { training_loss: 4.0, validation_loss: Some(6.0) });
        for epoch in diary.steps.chunks(3) {
            let mut taken: Vec<u32> = epoch.iter().flat_map(|(_, batch)| batch.clone()).collect();
            taken.sort_unstable();
            assert_eq!(taken, (0..10).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn validation_is_measured_at_intervals_and_at_each_epochs_end() {
        let mut at = Vec::new();
        run(&schedule(), Position::default(), &mut Diary::default(), &mut |progress| {
            if let Progress::Validation { step, .. } = progress {
                at.push(step);
            }
            Ok(Wish::GoOn)
        })
        .unwrap();
        assert_eq!(at, [1, 2, 3, 5]);
    }

    #[test]
    fn a_stop_keeps_a_position_from_which_the_same_run_goes_on() {
        let mut whole = Diary::default();
        run(&schedule(), Position::default(), &mut whole, &mut |_| Ok(Wish::GoOn)).unwrap();
        for stop in 0..6 {
            let mut diary = Diary::default();
            let end = run(&schedule(), Position::default(), &mut diary, &mut |progress| {
                let here = matches!(progress, Progress::Step { step, .. } if step == stop);
                Ok(if here { Wish::Stop } else { Wish::GoOn })
            });
            assert_eq!(end.unwrap(), End::Stopped);
            let kept = diary.kept.pop().unwrap();
            let end = run(&schedule(), kept, &mut diary, &mut |_| Ok(Wish::GoOn)).unwrap();
            assert_eq!(diary.steps, whole.steps);
            assert_eq!(end, End::Done { training_loss: 4.0, validation_loss: Some(6.0) });
        }
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_run() {
        let mut diary = Diary { diverge_at: Some(2), ..Diary::default() };
        let end = run(&schedule(), Position::default(), &mut diary, &mut |_| Ok(Wish::GoOn));
        assert!(matches!(end, Err(TunerError::Diverged { step: 2 })));
    }
}
