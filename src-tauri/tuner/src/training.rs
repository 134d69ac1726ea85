//! The training loop: which records a step takes, at what rate, and when the validation loss is
//! measured. Full tuning, adapters and pre-training all run through here.
//!
//! The loop knows neither files nor clocks. What it drives is a [`Learner`]; what it finds goes to a
//! sink, whose answer says whether to go on, to keep a checkpoint, or to stop.

use serde::{Deserialize, Serialize};

use crate::optimizer::RateCourse;
use crate::records::epoch_order;
use crate::trainer::Measured;
use crate::{EarlyStopping, TunerError};

/// What the loop drives.
pub(crate) trait Learner {
    /// Takes one step on the records of these indexes.
    fn step(&mut self, records: &[u32], step: u64, rate: f64) -> Measured;
    /// The loss of each set of validation data.
    fn validate(&mut self) -> Vec<f64>;
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
    /// When validation that no longer gets better ends the run.
    pub early_stopping: Option<EarlyStopping>,
}

/// How far a run has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The next step.
    pub step: u64,
    /// Summed loss of the epoch so far, and how many predictions it sums.
    pub epoch_loss: f64,
    pub epoch_predicted: u64,
    /// The last loss of each set of validation data.
    #[serde(default)]
    pub validation_losses: Vec<f64>,
    /// The least mean of these so far, and how many measurements have come since without getting below it.
    #[serde(default)]
    pub best: Option<f64>,
    #[serde(default)]
    pub without_progress: u32,
}

impl Position {
    /// Takes note of a measurement: what is not below the best one by the threshold is no progress.
    fn measured(&mut self, losses: Vec<f64>, threshold: f64) {
        self.validation_losses = losses;
        if self.validation_losses.is_empty() {
            return;
        }
        let mean = self.validation_losses.iter().sum::<f64>() / self.validation_losses.len() as f64;
        if self.best.is_none_or(|best| mean < best - threshold) {
            self.best = Some(mean);
            self.without_progress = 0;
        } else {
            self.without_progress += 1;
        }
    }
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
        /// Which set of validation data, from 0.
        set: usize,
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
    /// All steps are taken, or validation has ended the run before. The training loss is the mean over the last epoch.
    Done {
        steps: u64,
        training_loss: f64,
        validation_losses: Vec<f64>,
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

    /// Whether validation has not got better for as long as patience lasts.
    fn ended_early(&self, position: &Position) -> bool {
        self.early_stopping.is_some_and(|rule| position.without_progress >= rule.patience)
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
    let threshold = schedule.early_stopping.map_or(0.0, |rule| rule.threshold);
    // A checkpoint may have been kept at the very step that ended the run.
    if schedule.ended_early(&position) {
        return Ok(end_of(position));
    }
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
                position.measured(learner.validate(), threshold);
                for (set, loss) in position.validation_losses.iter().enumerate() {
                    sink(Progress::Validation { set, step, epoch, loss: *loss })?;
                }
            }
            if wish != Wish::GoOn {
                learner.keep(&position)?;
                sink(Progress::Checkpoint { step: position.step })?;
            }
            if wish == Wish::Stop {
                return Ok(End::Stopped);
            }
            if schedule.ended_early(&position) {
                return Ok(end_of(position));
            }
        }
    }
    Ok(end_of(position))
}

fn end_of(position: Position) -> End {
    End::Done {
        steps: position.step,
        training_loss: position.epoch_loss / position.epoch_predicted.max(1) as f64,
        validation_losses: position.validation_losses,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;
    use crate::Decay;

    /// Remembers what it was asked.
    #[derive(Default)]
    struct Diary {
        steps: Vec<(u64, Vec<u32>)>,
        kept: Vec<Position>,
        diverge_at: Option<u64>,
        /// What validation finds, one measurement after the other; else how many steps were taken.
        found: Vec<f64>,
    }

    impl Learner for Diary {
        fn step(&mut self, records: &[u32], step: u64, _rate: f64) -> Measured {
            self.steps.push((step, records.to_vec()));
            let loss = if self.diverge_at == Some(step) { f64::NAN } else { step as f64 };
            Measured { loss, predicted: 1, tokens: 3 }
        }

        fn validate(&mut self) -> Vec<f64> {
            let taken = self.steps.len();
            vec![self.found.get((taken / 3).wrapping_sub(1)).copied().unwrap_or(taken as f64)]
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
            course: RateCourse { highest: 1.0, warmup_steps: 0, total_steps: 6, decay: Decay::Cosine, floor: 0.0 },
            validate_every: Some(2),
            early_stopping: None,
        }
    }

    #[test]
    fn every_epoch_takes_every_record_once() {
        let mut diary = Diary::default();
        let end = run(&schedule(), Position::default(), &mut diary, &mut |_| Ok(Wish::GoOn));
        assert_eq!(end.unwrap(), End::Done { steps: 6, training_loss: 4.0, validation_losses: vec![6.0] });
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
            assert_eq!(end, End::Done { steps: 6, training_loss: 4.0, validation_losses: vec![6.0] });
        }
    }

    #[test]
    fn validation_that_no_longer_gets_better_ends_the_run_when_patience_does() {
        let impatient = |patience, threshold| Schedule {
            epochs: 6,
            validate_every: None,
            early_stopping: Some(EarlyStopping { patience, threshold }),
            ..schedule()
        };
        // Found after each epoch of three steps.
        let found = vec![5.0, 4.0, 3.95, 3.9, 3.99, 3.0];
        let steps_of = |schedule: &Schedule, stop: Option<u64>| {
            let mut diary = Diary { found: found.clone(), ..Diary::default() };
            let mut sink = |progress: Progress| {
                let here = matches!(progress, Progress::Step { step, .. } if Some(step) == stop);
                Ok(if here { Wish::Stop } else { Wish::GoOn })
            };
            let mut end = run(schedule, Position::default(), &mut diary, &mut sink).unwrap();
            if end == End::Stopped {
                let kept = diary.kept.pop().unwrap();
                end = run(schedule, kept, &mut diary, &mut |_| Ok(Wish::GoOn)).unwrap();
            }
            let End::Done { steps, .. } = end else { panic!("{end:?}") };
            assert_eq!(diary.steps.len() as u64, steps);
            steps
        };
        assert_eq!(steps_of(&impatient(1, 0.1), None), 9, "3.95 is no progress over 4.0");
        assert_eq!(steps_of(&impatient(2, 0.1), None), 12, "nor is 3.9, and the best stays 4.0");
        assert_eq!(steps_of(&impatient(1, 0.0), None), 15, "each is below the one before, up to 3.99");
        assert_eq!(steps_of(&impatient(3, 0.2), None), 15);
        assert_eq!(steps_of(&impatient(4, 0.2), None), 18, "3.0 comes before patience ends");
        for stop in 0..12 {
            assert_eq!(steps_of(&impatient(2, 0.1), Some(stop)), 12, "a run that was left at {stop}");
        }
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_run() {
        let mut diary = Diary { diverge_at: Some(2), ..Diary::default() };
        let end = run(&schedule(), Position::default(), &mut diary, &mut |_| Ok(Wish::GoOn));
        assert!(matches!(end, Err(TunerError::Diverged { step: 2 })));
    }
}
