//! What the data is meant for.

use whetstone_catalog::{BaseModel, CustomizationType, DataFormat, DataRules, ListedModel, Stance};

use super::Severity;

/// The base model that the data is to train, and how.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    id: &'a str,
    name: &'a str,
    data: &'a DataRules,
    local: bool,
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
        Intent {
            id: &model.id,
            name: &model.name,
            data: model.data_for(purpose),
            local: model.local,
            purpose,
            bucket: None,
        }
    }

    /// Fine-tuning a model that is only listed, where it is known what its data must be.
    pub fn of_listed(model: &'a ListedModel) -> Option<Intent<'a>> {
        let purpose = CustomizationType::FineTuning;
        let data = model.data.as_ref()?;
        Some(Intent { id: &model.id, name: &model.name, data, local: false, purpose, bucket: None })
    }

    pub fn in_bucket(self, bucket: &'a str) -> Intent<'a> {
        Intent { bucket: Some(bucket), ..self }
    }

    /// What this kind of training of this model asks of its data.
    pub fn data(&self) -> &'a DataRules {
        self.data
    }

    /// The base model's id.
    pub fn id(&self) -> &'a str {
        self.id
    }

    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether the model itself, its tokenizer with it, is on this computer.
    pub fn is_local(&self) -> bool {
        self.local
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

    /// Whether a record is a picture and its caption.
    pub(super) fn is_captioned(&self) -> bool {
        self.data().format == DataFormat::ImageRef
    }
}
