//! The shape of one base model.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{DataRules, Hyperparameter, HyperparameterError, MediaKind};

/// One base model and everything the app must know before a job on it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseModel {
    /// The id that a customization job takes, with its context suffix where it has one.
    pub id: String,
    pub name: String,
    pub provider: String,
    pub family: String,
    pub summary: String,
    /// Trained as itself on this computer. Every other model is rehearsed with a stand-in.
    pub local: bool,
    pub customization_types: Vec<CustomizationType>,
    /// What the fine-tuning guide calls its methods; the first is the usual one. The service offers no choice among them.
    pub approaches: Vec<Approach>,
    /// Regions where a job may run. Empty for a local model: any.
    pub tuning_regions: Vec<String>,
    pub lifecycle: Lifecycle,
    /// What fine-tuning asks of its data.
    pub data: DataRules,
    /// What other kinds of training ask of theirs.
    pub purposes: Vec<Purpose>,
    pub hyperparameters: Vec<Hyperparameter>,
    /// How a tuned copy can be served.
    pub serving: Vec<ServingMode>,
    /// Regions where a tuned copy can be deployed on demand. Throughput is provisioned in the Region of the job.
    pub on_demand_regions: Vec<String>,
    /// Training records for one step of warm-up, where AWS gives such advice.
    pub records_per_warmup_step: Option<u32>,
    /// Models whose answers it may be trained on by distillation, by the ids they are invoked under.
    pub teachers: Vec<String>,
    /// What its Converse takes in a user turn beside text. Videos are left out: nothing here sends one.
    pub attachments: Vec<MediaKind>,
    /// Known prices. A price that is not here is unknown, unless the model is local: that is free.
    pub prices: Vec<Price>,
    /// What AWS's price list calls it in usage types, such as `Nova2.0Lite` in `USE1-Nova2.0Lite-Customization-Training`.
    pub usage_names: Vec<String>,
    pub sources: Vec<String>,
    /// What no source confirms, a sentence each.
    pub unverified: Vec<String>,
}

impl BaseModel {
    /// The foundation-model ARN in this Region.
    pub fn arn(&self, region: &str) -> String {
        format!("arn:aws:bedrock:{region}::foundation-model/{}", self.id)
    }

    /// The id for inference with the base model itself: the customization id without its context
    /// suffix (`amazon.nova-micro-v1:0:128k` is invoked as `amazon.nova-micro-v1:0`).
    pub fn invocation_id(&self) -> &str {
        match self.id.match_indices(':').nth(1) {
            Some((end, _)) => &self.id[..end],
            None => &self.id,
        }
    }

    pub fn supports(&self, customization_type: CustomizationType) -> bool {
        self.customization_types.contains(&customization_type)
    }

    pub fn tunable_in(&self, region: &str) -> bool {
        self.tuning_regions.is_empty() || self.tuning_regions.iter().any(|r| r == region)
    }

    /// What this kind of training asks of its data.
    pub fn data_for(&self, customization_type: CustomizationType) -> &DataRules {
        let own = self.purposes.iter().find(|purpose| purpose.customization_type == customization_type);
        own.map_or(&self.data, |purpose| &purpose.data)
    }

    pub fn hyperparameter(&self, key: &str) -> Option<&Hyperparameter> {
        self.hyperparameters.iter().find(|p| p.key == key)
    }

    /// The hyperparameters of one kind of training.
    pub fn hyperparameters_for(&self, customization_type: CustomizationType) -> &[Hyperparameter] {
        let own = self.purposes.iter().find(|purpose| purpose.customization_type == customization_type);
        own.and_then(|purpose| purpose.hyperparameters.as_deref()).unwrap_or(&self.hyperparameters)
    }

    /// Everything that is wrong with these hyperparameters: unknown keys, values that are no number
    /// and values out of range. Keys that are left out take their default and are no error.
    pub fn check_hyperparameters(
        &self,
        customization_type: CustomizationType,
        given: &BTreeMap<String, String>,
    ) -> Vec<HyperparameterError> {
        let known = self.hyperparameters_for(customization_type);
        given
            .iter()
            .filter_map(|(key, value)| match known.iter().find(|parameter| parameter.key == *key) {
                Some(parameter) => parameter.check(value).err(),
                None => Some(HyperparameterError::Unknown { key: key.clone(), model: self.id.clone() }),
            })
            .collect()
    }

    /// The given hyperparameters with every missing one at its default.
    pub fn with_defaults(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut all = given.clone();
        for parameter in &self.hyperparameters {
            all.entry(parameter.key.clone()).or_insert_with(|| parameter.default.clone());
        }
        all
    }
}

/// What kind of training a job does. The spelling of [`CustomizationType::as_str`] is AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomizationType {
    FineTuning,
    ContinuedPreTraining,
    Distillation,
    ReinforcementFineTuning,
}

impl CustomizationType {
    pub const ALL: [Self; 4] =
        [Self::FineTuning, Self::ContinuedPreTraining, Self::Distillation, Self::ReinforcementFineTuning];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::FineTuning => "FINE_TUNING",
            Self::ContinuedPreTraining => "CONTINUED_PRE_TRAINING",
            Self::Distillation => "DISTILLATION",
            Self::ReinforcementFineTuning => "REINFORCEMENT_FINE_TUNING",
        }
    }
}

/// What one kind of training asks, where it is not what fine-tuning asks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    #[serde(rename = "type")]
    pub customization_type: CustomizationType,
    pub data: DataRules,
    /// Those of fine-tuning where it has none of its own.
    pub hyperparameters: Option<Vec<Hyperparameter>>,
}

/// Which weights a training changes, and what it is shown, as fine-tuning guides tell methods apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Approach {
    /// All weights.
    Full,
    /// A small adapter beside the frozen weights.
    Peft,
    /// Examples of instructions and answers; which weights change is the provider's own business.
    Instruction,
}

/// How a tuned copy answers prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServingMode {
    /// A custom model deployment, paid by the token.
    OnDemand,
    /// Provisioned throughput, paid by the hour.
    Provisioned,
}

impl ServingMode {
    /// AWS's spelling in `inferenceTypesSupported`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "ON_DEMAND",
            Self::Provisioned => "PROVISIONED",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    pub status: LifecycleStatus,
    /// The day (YYYY-MM-DD) since when it takes no new jobs, where it is known.
    pub legacy_since: Option<String>,
    /// The day (YYYY-MM-DD) it ended or will end, where it is known.
    pub end_of_life: Option<String>,
    pub note: Option<String>,
}

/// Only an active model takes new jobs on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LifecycleStatus {
    Active,
    Legacy,
    EndOfLife,
}

impl LifecycleStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Legacy => "LEGACY",
            Self::EndOfLife => "END_OF_LIFE",
        }
    }
}

/// A price as it was seen, with where and when.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub what: PriceItem,
    pub usd: f64,
    /// What is counted, for example `1K tokens` or `model-month`.
    pub unit: String,
    /// Where it was seen; `None` where the source names no Region.
    pub region: Option<String>,
    pub source: String,
    pub date: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum PriceItem {
    /// Per 1,000 tokens of the training data and epoch.
    Training,
    /// Per custom model and month.
    Storage,
    /// Per 1,000 tokens read by a tuned copy on demand.
    InputTokens,
    /// Per 1,000 tokens written by a tuned copy on demand.
    OutputTokens,
    /// Per 1,000 tokens read by the base model itself on demand.
    BaseInputTokens,
    /// Per 1,000 tokens written by the base model itself on demand.
    BaseOutputTokens,
    /// Per model unit and hour.
    ProvisionedHour,
}

impl PriceItem {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::Storage => "Storage",
            Self::InputTokens => "InputTokens",
            Self::OutputTokens => "OutputTokens",
            Self::BaseInputTokens => "BaseInputTokens",
            Self::BaseOutputTokens => "BaseOutputTokens",
            Self::ProvisionedHour => "ProvisionedHour",
        }
    }
}
