//! What the data is meant for.

use whetstone_catalog::{BaseModel, CustomizationType, DataFormat, DataRules, Stance};

use super::Severity;

/// The base model that the data is to train, and how.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    pub model: &'a BaseModel,
    pub purpose: CustomizationType,
    /// The bucket that the dataset is, or will be, uploaded to, where it is known.
    pub bucket: Option<&'a str>,
}

impl<'a> Intent<'a> {
    /// Fine-tuning this model.
    pub fn new(model: &'a BaseModel) -> Intent<'a> {
        Intent::of(model, CustomizationType::FineTuning)
    }

    pub fn of(model: &'a BaseModel, purpose: CustomizationType) -> Intent<'a> {
        Intent { model, purpose, bucket: None }
    }

    pub fn in_bucket(self, bucket: &'a str) -> Intent<'a> {
        Intent { bucket: Some(bucket), ..self }
    }

    /// What this kind of training of this model asks of its data.
    pub fn data(&self) -> &'a DataRules {
        self.model.data_for(self.purpose)
    }

    pub(super) fn name(&self) -> &'a str {
        &self.model.name
    }

    /// How bad it is to break a rule of shape: where a single bad record is dropped, no job fails over it.
    pub(super) fn refusal(&self) -> Severity {
        if self.data().drops_bad_records { Severity::Warning } else { Severity::Error }
    }

    /// `None` where the stance allows it.
    pub(super) fn severity(&self, stance: Stance) -> Option<Severity> {
        match stance {
            Stance::Allowed => None,
            Stance::Doubtful => Some(Severity::Warning),
            Stance::Refused => Some(self.refusal()),
        }
    }

    pub(super) fn is_conversation(&self) -> bool {
        self.data().format == DataFormat::Conversation
    }
}
