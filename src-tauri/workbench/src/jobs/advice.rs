//! What the curves of a job say, turned into a setting to change and the address of the wizard with that change made.

use whetstone_catalog::{BaseModel, HyperparameterKind};
use whetstone_cloud::{Metrics, MetricsPoint};
use whetstone_contract::{Advice, AdviceKind};
use whetstone_evaluation::coach::{Change, Fault, Run, coach};

use super::record::JobRecord;
use super::view::{steps_per_epoch, total_steps};
use crate::models;

pub fn of(job: &JobRecord, metrics: &Metrics) -> Vec<Advice> {
    let pairs = |points: &[MetricsPoint]| points.iter().map(|point| (point.step, point.loss)).collect::<Vec<_>>();
    let number = |key: &str| job.draft.hyperparameters.get(key)?.parse::<f64>().ok();
    let model = models::find(&job.draft.base_model).ok();
    let usual = model.and_then(|model| model.hyperparameter("learningRate")?.default.parse().ok());
    let run = Run {
        training: &pairs(&metrics.training),
        validation: &pairs(&metrics.validation),
        steps_per_epoch: steps_per_epoch(job, metrics),
        total_steps: total_steps(job, metrics),
        epochs: number("epochCount"),
        learning_rate: number("learningRate"),
        usual_learning_rate: usual,
        training_records: (job.training_records > 0).then_some(job.training_records),
    };
    let shown = coach(&run).into_iter().map(|finding| Advice {
        kind: match finding.fault {
            Fault::Divergence => AdviceKind::Divergence,
            Fault::RateTooHigh => AdviceKind::RateTooHigh,
            Fault::TooLittleData => AdviceKind::TooLittleData,
            Fault::Memorised => AdviceKind::Memorised,
            Fault::Overfitting => AdviceKind::Overfitting,
            Fault::Plateau => AdviceKind::Plateau,
        },
        finding: finding.seen,
        change: finding.advice,
        route: finding
            .change
            .and_then(|change| setting(&change, model))
            .map(|(key, value)| wizard(&job.id, "settings", Some((key, &value)))),
    });
    shown.collect()
}

/// The wizard with a job's settings in it, one of them changed.
pub fn wizard(job: &str, step: &str, set: Option<(&str, &str)>) -> String {
    let set = set.map_or_else(String::new, |(key, value)| format!("&set.{key}={value}"));
    format!("#/fine-tune/{step}?clone={job}{set}")
}

/// The key and the value, within what the base model takes; none where it does not take it at all.
fn setting(change: &Change, model: Option<&'static BaseModel>) -> Option<(&'static str, String)> {
    let (key, value) = match change {
        Change::LearningRate(rate) => ("learningRate", *rate),
        Change::Epochs(epochs) => ("epochCount", f64::from(*epochs)),
    };
    let Some(parameter) = model.map(|model| model.hyperparameter(key)) else { return Some((key, value.to_string())) };
    let value = match &parameter?.kind {
        #[expect(clippy::cast_precision_loss, reason = "bounds of settings are small")]
        HyperparameterKind::Integer { min, max } => value.clamp(*min as f64, *max as f64).round(),
        HyperparameterKind::Float { min, max } => value.clamp(*min, *max),
        HyperparameterKind::Choice { .. } => return None,
    };
    Some((key, value.to_string()))
}
