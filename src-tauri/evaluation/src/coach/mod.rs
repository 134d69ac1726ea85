//! What a pair of loss curves says of a training, and what to change: a function of curves, settings and the size of the
//! data, and nothing else.
//!
//! It speaks only of what is plain in the curves. The thresholds were chosen on the curves named `choose-…` in
//! `tests/curves` and are judged on the others, which were recorded with other settings, records and seeds.
//!
//! Deliberately absent: any judgement of answers. A low loss is not a good model; a bad curve is a bad training.

mod shape;

use shape::Shape;

/// A training as it is known so far. Points are a step, from 0 as in the loss files and on the chart, and a loss.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub training: &'a [(f64, f64)],
    pub validation: &'a [(f64, f64)],
    pub steps_per_epoch: Option<f64>,
    /// Steps that the training will have at its end.
    pub total_steps: Option<f64>,
    pub epochs: Option<f64>,
    pub learning_rate: Option<f64>,
    /// What the base model is tuned with when nothing else is said.
    pub usual_learning_rate: Option<f64>,
    pub training_records: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The loss left for good, or is no number any more.
    Divergence,
    /// The loss jumped up at the beginning and had to find its way back.
    RateTooHigh,
    /// Records too few for anything else than learning them by heart.
    TooLittleData,
    /// Nothing was left to learn from the records for much of the training.
    Memorised,
    /// From some step on the training loss fell at the cost of the validation loss.
    Overfitting,
    /// Nothing moves, from the beginning or for the whole second half.
    Plateau,
}

/// One setting, with the value that it should have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    LearningRate(f64),
    Epochs(u32),
}

/// What was seen, in a sentence, and what to do about it, in another.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub fault: Fault,
    pub seen: String,
    pub advice: String,
    pub change: Option<Change>,
}

/// How far above its start the loss must jump to be called a jump.
const JUMP: f64 = 1.2;
/// How many times the usual scatter a jump must be.
const SCATTERS: f64 = 3.0;
/// As many records as this are learned by heart whatever the settings.
const FEW_RECORDS: u64 = 24;
/// A loss below this leaves nothing to learn.
const NOTHING_LEFT: f64 = 0.1;
/// The share of a training with nothing left to learn that is too much.
const MUCH_OF_IT: f64 = 0.4;
/// How far the validation loss must rise above its best.
const TURNED: f64 = 1.03;
/// A best validation later than this share of the training is near enough to its end.
const NEAR_THE_END: f64 = 0.75;
/// A loss that fell by less than this share did not move.
const UNMOVED: f64 = 0.08;
/// The same, for the second half of a training that began well.
const FLAT: f64 = 0.02;
/// Fewer steps show no shape.
const LEAST_STEPS: usize = 8;

/// The gravest finding first; none where the curves are well, or too short to tell.
pub fn coach(run: &Run<'_>) -> Vec<Finding> {
    if let Some(step) = run.training.iter().find(|point| !point.1.is_finite()).map(|point| point.0) {
        return vec![divergence(run, format!("At step {} the loss was no number any more.", step))];
    }
    if run.training.len() < LEAST_STEPS {
        return Vec::new();
    }
    let shape = Shape::of(run);
    if let Some(finding) = thrown_off(run, &shape) {
        // What came after a jump was shaped by it.
        return vec![finding];
    }
    let mut findings: Vec<Finding> =
        [too_little_data(run, &shape), memorised(run, &shape), overfitting(run, &shape), plateau(run, &shape)]
            .into_iter()
            .flatten()
            .collect();
    findings.sort_by_key(|finding| finding.fault);
    findings
}

fn thrown_off(run: &Run<'_>, shape: &Shape) -> Option<Finding> {
    let jumped = shape.peak > shape.start * JUMP && shape.peak - shape.start > SCATTERS * shape.scatter;
    if !jumped {
        return None;
    }
    let (start, peak, end) = (shape.start, shape.peak, shape.end);
    if end >= start {
        return Some(divergence(
            run,
            format!("The loss went from {start:.2} up to {peak:.2} and stands at {end:.2}: it never came back."),
        ));
    }
    let rate = run.learning_rate.map(|rate| match run.usual_learning_rate {
        Some(usual) if rate > usual * 1.5 => usual,
        _ => rate / 2.0,
    });
    Some(Finding {
        fault: Fault::RateTooHigh,
        seen: format!(
            "The loss jumped from {start:.2} to {peak:.2} before it fell: the first steps undid what the model knew."
        ),
        advice: with_rate("Lower the learning rate", rate),
        change: rate.map(Change::LearningRate),
    })
}

fn divergence(run: &Run<'_>, seen: String) -> Finding {
    let rate = run.learning_rate.map(|rate| run.usual_learning_rate.unwrap_or(rate).min(rate / 4.0));
    Finding {
        fault: Fault::Divergence,
        seen,
        advice: with_rate("Lower the learning rate and give it warm-up steps", rate),
        change: rate.map(Change::LearningRate),
    }
}

fn with_rate(advice: &str, rate: Option<f64>) -> String {
    rate.map_or_else(|| format!("{advice}."), |rate| format!("{advice}, to {rate}."))
}

fn too_little_data(run: &Run<'_>, shape: &Shape) -> Option<Finding> {
    let records = run.training_records.filter(|records| *records <= FEW_RECORDS)?;
    let by_heart = shape.end < shape.start / 2.0;
    let apart = shape.validation.as_ref().is_none_or(|seen| seen.last > shape.end * 2.0);
    (by_heart && apart).then(|| Finding {
        fault: Fault::TooLittleData,
        seen: format!("{records} records are learned by heart, and little of it carries over to others."),
        advice: "Add records that differ from each other, a hundred or more; until then train for fewer epochs.".into(),
        change: fewer_epochs(run, shape),
    })
}

fn memorised(run: &Run<'_>, shape: &Shape) -> Option<Finding> {
    let much = shape.share_below(NOTHING_LEFT) >= MUCH_OF_IT;
    let apart = shape.validation.as_ref().is_none_or(|seen| seen.last > NOTHING_LEFT * 5.0);
    (much && apart).then(|| Finding {
        fault: Fault::Memorised,
        seen: format!(
            "The training loss is next to nothing ({:.2}) for {:.0} % of the training: the records are known by heart.",
            shape.end,
            shape.share_below(NOTHING_LEFT) * 100.0
        ),
        advice: "Look for duplicates, add records that differ, and train for fewer epochs.".into(),
        change: fewer_epochs(run, shape),
    })
}

fn overfitting(run: &Run<'_>, shape: &Shape) -> Option<Finding> {
    let seen = shape.validation.as_ref()?;
    let turned = seen.last >= seen.best * TURNED && seen.since_best >= seen.patience;
    let early = seen.best_share <= NEAR_THE_END;
    (turned && early && shape.end < shape.start).then(|| Finding {
        fault: Fault::Overfitting,
        seen: format!(
            "The validation loss turned at step {}: it was {:.3} and is {:.3}, while the training loss fell on.",
            seen.best_step, seen.best, seen.last
        ),
        advice: match fewer_epochs(run, shape) {
            Some(Change::Epochs(1)) => "Train for 1 epoch, or add records that differ.".into(),
            Some(Change::Epochs(epochs)) => format!("Train for {epochs} epochs, or add records that differ."),
            _ => "Train for fewer epochs, or add records that differ.".into(),
        },
        change: fewer_epochs(run, shape),
    })
}

fn plateau(run: &Run<'_>, shape: &Shape) -> Option<Finding> {
    // A training that has begun a moment ago did not move either.
    if shape.progress < 0.5 {
        return None;
    }
    if shape.fell < UNMOVED && shape.validation.as_ref().is_none_or(|seen| seen.fell < UNMOVED) {
        let rate = run.learning_rate.map(|rate| match run.usual_learning_rate {
            Some(usual) if rate < usual => usual,
            _ => rate * 3.0,
        });
        return Some(Finding {
            fault: Fault::Plateau,
            seen: format!(
                "The loss hardly moves: it went from {:.2} to {:.2} over the whole training.",
                shape.begin, shape.end
            ),
            advice: with_rate("Raise the learning rate", rate),
            change: rate.map(Change::LearningRate),
        });
    }
    let flat = shape.fell_in_second_half < FLAT && shape.validation.as_ref().is_none_or(|seen| seen.gained_late < FLAT);
    // Where the loss is next to nothing there is nothing to fall.
    (flat && shape.end > NOTHING_LEFT).then(|| {
        let epochs = run.epochs.map(|epochs| (epochs / 2.0).ceil().max(1.0) as u32);
        Finding {
            fault: Fault::Plateau,
            seen: format!("The loss stands at {:.2} since the middle of the training.", shape.end),
            advice: "Half of the epochs would have done; more is to be had from other records or a higher rate.".into(),
            change: epochs.map(Change::Epochs),
        }
    })
}

/// Up to where the validation loss was best.
fn fewer_epochs(run: &Run<'_>, shape: &Shape) -> Option<Change> {
    let planned = run.epochs?;
    let epochs = match (&shape.validation, run.steps_per_epoch) {
        (Some(seen), Some(steps)) => ((seen.best_step + 1.0) / steps).ceil(),
        _ => (planned / 2.0).ceil(),
    };
    (epochs < planned).then(|| Change::Epochs(epochs.max(1.0) as u32))
}
