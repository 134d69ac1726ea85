//! What is trained when a base model cannot be had on this computer: `whetstone.tiny-v1`, with hyperparameters mapped.
//!
//! The request is held to the named model's own rules first; only then is it mapped. The mapping is a table of one
//! entry, so that it can be read here and in the documentation alike:
//!
//! | of the named model | of tiny-v1 |
//! | --- | --- |
//! | learning rate | given ÷ the named model's default × tiny-v1's default for adapters, within tiny-v1's range |
//! | learning rate multiplier | given × tiny-v1's default for adapters, within tiny-v1's range |
//! | epochs | as given, at most tiny-v1's greatest |
//! | batch size | as given, at least 8 |
//! | warm-up steps | as given, else tiny-v1's default |
//! | early stopping | as given, else the named model's default; each epoch's end is a check |
//! | everything else | held to its range and then not used |
//!
//! Stand-ins are tuned by adapter (LoRA of rank 16), as the models they stand in for are, unless the job asks for all
//! weights; the factor for adapters is then left out.

use std::collections::BTreeMap;

use whetstone_catalog::{BaseModel, HyperparameterKind, TINY_V1, catalog};
use whetstone_tuner::{Approach, EarlyStopping, LoraSettings};

/// The least batch of a stand-in. Some models are tuned with single records, which a small model learns little from.
const LEAST_BATCH: u32 = 8;
const RANK: u32 = 16;
/// How a stand-in is tuned where the job does not say.
pub(crate) const ADAPTER: Approach = Approach::Lora(LoraSettings::of_rank(RANK));
/// Adapters want a higher rate than full training: measured on the bundled model with rank 16.
const ADAPTER_RATE: f64 = 2.0;

/// The settings of a training run, whichever model they were given for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingSettings {
    pub(crate) approach: Approach,
    pub(crate) epochs: u32,
    pub(crate) batch_size: u32,
    pub(crate) learning_rate: f64,
    pub(crate) warmup_steps: u32,
    pub(crate) seed: u64,
    /// Of a job that has validation data.
    pub(crate) early_stopping: Option<EarlyStopping>,
}

/// The id of the model that works in the place of `model`, when it is not that model itself.
pub(crate) fn marker(model: &BaseModel) -> Option<&'static str> {
    (!model.local).then_some(TINY_V1)
}

/// What to train with. `given` has passed the model's own checks; `approach` is for stand-ins only.
pub(crate) fn training_settings(
    model: &BaseModel,
    given: &BTreeMap<String, String>,
    approach: Option<Approach>,
) -> TrainingSettings {
    let tiny = Tiny::of_catalog();
    let all = model.with_defaults(given);
    let number = |key: &str| all.get(key).and_then(|text| text.parse::<f64>().ok());
    let whole = |key: &str, fallback: f64| number(key).unwrap_or(fallback);
    let settings = TrainingSettings {
        approach: Approach::Full,
        epochs: tiny.within("epochCount", whole("epochCount", tiny.default("epochCount"))) as u32,
        batch_size: tiny.within("batchSize", whole("batchSize", tiny.default("batchSize"))) as u32,
        learning_rate: tiny.within("learningRate", whole("learningRate", tiny.default("learningRate"))),
        warmup_steps: tiny.within(
            "learningRateWarmupSteps",
            whole("learningRateWarmupSteps", tiny.default("learningRateWarmupSteps")),
        ) as u32,
        seed: number("seed").unwrap_or(1.0) as u64,
        early_stopping: early_stopping(number("earlyStoppingPatience"), number("earlyStoppingThreshold")),
    };
    if model.local {
        let rank = whole("loraRank", f64::from(RANK)) as u32;
        let approach = if all.get("approach").is_some_and(|text| text == "lora") {
            Approach::Lora(LoraSettings::of_rank(rank))
        } else {
            Approach::Full
        };
        return TrainingSettings { approach, ..settings };
    }
    let default = model.hyperparameter("learningRate").and_then(|one| one.default.parse::<f64>().ok());
    let ratio = match (number("learningRate"), default) {
        (Some(rate), Some(default)) if default > 0.0 => rate / default,
        _ => number("learningRateMultiplier").unwrap_or(1.0),
    };
    let approach = approach.unwrap_or(ADAPTER);
    let more = if approach == Approach::Full { 1.0 } else { ADAPTER_RATE };
    let learning_rate = tiny.within("learningRate", ratio * tiny.default("learningRate") * more);
    TrainingSettings { approach, batch_size: settings.batch_size.max(LEAST_BATCH), learning_rate, ..settings }
}

/// Of the models that have it, as given. A patience of 0, which only tiny-v1 takes, is none at all.
fn early_stopping(patience: Option<f64>, threshold: Option<f64>) -> Option<EarlyStopping> {
    let patience = patience.filter(|patience| *patience >= 1.0)? as u32;
    Some(EarlyStopping { patience, threshold: threshold.unwrap_or(0.0) })
}

/// tiny-v1's own defaults and ranges.
struct Tiny(&'static BaseModel);

impl Tiny {
    fn of_catalog() -> Self {
        let models = catalog();
        // The catalog's own tests hold that the bundled model is in it.
        Self(models.find(TINY_V1).unwrap_or(&models.models()[0]))
    }

    fn default(&self, key: &str) -> f64 {
        self.0.hyperparameter(key).and_then(|one| one.default.parse().ok()).unwrap_or_default()
    }

    fn within(&self, key: &str, value: f64) -> f64 {
        match self.0.hyperparameter(key).map(|one| &one.kind) {
            Some(HyperparameterKind::Integer { min, max }) => value.clamp(*min as f64, *max as f64),
            Some(HyperparameterKind::Float { min, max }) => value.clamp(*min, *max),
            _ => value,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn settings(model: &str, pairs: &[(&str, &str)]) -> TrainingSettings {
        training_settings(catalog().find(model).unwrap(), &given(pairs), None)
    }

    #[test]
    fn the_bundled_model_is_trained_as_asked() {
        let asked =
            settings(TINY_V1, &[("epochCount", "3"), ("learningRate", "0.002"), ("batchSize", "4"), ("seed", "9")]);
        assert_eq!((asked.epochs, asked.batch_size, asked.learning_rate, asked.seed), (3, 4, 0.002, 9));
        assert_eq!(asked.approach, Approach::Full);
        assert_eq!(
            settings(TINY_V1, &[("approach", "lora"), ("loraRank", "4")]).approach,
            Approach::Lora(LoraSettings::of_rank(4))
        );
    }

    #[test]
    fn early_stopping_is_as_the_named_model_has_it() {
        let haiku = "anthropic.claude-3-haiku-20240307-v1:0:200k";
        let of = |model, pairs: &[(&str, &str)]| {
            settings(model, pairs).early_stopping.map(|rule| (rule.patience, rule.threshold))
        };
        assert_eq!(of(haiku, &[]), Some((2, 0.001)));
        assert_eq!(of(haiku, &[("earlyStoppingPatience", "4"), ("earlyStoppingThreshold", "0.1")]), Some((4, 0.1)));
        assert_eq!(of("amazon.nova-micro-v1:0:128k", &[]), None);
        assert_eq!(of(TINY_V1, &[]), None, "the bundled model trains to the end unless it is told");
        assert_eq!(of(TINY_V1, &[("earlyStoppingPatience", "3")]), Some((3, 0.001)));
    }

    #[test]
    fn a_stand_in_keeps_the_ratio_to_the_named_models_default() {
        let at_default = settings("amazon.nova-micro-v1:0:128k", &[]);
        let doubled = settings("amazon.nova-micro-v1:0:128k", &[("learningRate", "2e-5")]);
        assert!((doubled.learning_rate / at_default.learning_rate - 2.0).abs() < 1e-9);
        assert_eq!(at_default.approach, Approach::Lora(LoraSettings::of_rank(16)));
        let nova = catalog().find("amazon.nova-micro-v1:0:128k").unwrap();
        let whole = training_settings(nova, &given(&[]), Some(Approach::Full));
        assert_eq!((whole.approach, whole.learning_rate), (Approach::Full, at_default.learning_rate / 2.0));
        assert_eq!(at_default.batch_size, 8, "single records are gathered");
        let highest = settings("meta.llama3-1-8b-instruct-v1:0:128k", &[("learningRate", "0.1")]);
        assert_eq!(highest.learning_rate, 0.02, "the rate stays in the bundled model's range");
    }
}
