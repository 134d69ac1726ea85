//! Base models that are only listed: known by name and kind, so that a request for one can be told why it is refused.
//!
//! The facts stand in `listed/models.toml`. Data rules stand there for those whose data can be
//! checked all the same. Deliberately absent: hyperparameters that could be checked, as nothing here trains these models;
//! what is known of them is there to be read.

use serde::Deserialize;

use crate::{CatalogError, CustomizationType, DataRules, Lifecycle, ServingMode};

pub(crate) const FILE: (&str, &str) = ("listed/models.toml", include_str!("../listed/models.toml"));

/// A base model that cannot be trained on this computer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedModel {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub input: Vec<Modality>,
    pub output: Vec<Modality>,
    /// What AWS offers, or offered, for it.
    pub customization_types: Vec<CustomizationType>,
    pub tuning_regions: Vec<String>,
    pub serving: Vec<ServingMode>,
    pub lifecycle: Lifecycle,
    /// Why it is not trained here, as the rest of a sentence.
    pub why: String,
    /// What its data must keep to, in words.
    #[serde(default)]
    pub limits: Vec<String>,
    /// The same as rules, where enough of it is known to check data by it.
    pub data: Option<DataRules>,
    #[serde(default)]
    pub hyperparameters: Vec<ListedHyperparameter>,
    pub sources: Vec<String>,
    /// What no source confirms, a sentence each.
    #[serde(default)]
    pub unverified: Vec<String>,
}

/// A hyperparameter as the documentation has it, in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedHyperparameter {
    pub key: String,
    pub range: String,
    /// None where a request must give it.
    pub default: Option<String>,
}

/// What goes into a model, or comes out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Modality {
    Text,
    Image,
    Embedding,
}

impl Modality {
    /// AWS's spelling in `inputModalities` and `outputModalities`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Image => "IMAGE",
            Self::Embedding => "EMBEDDING",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    models: Vec<ListedModel>,
}

pub(crate) fn parse((file, text): (&str, &str)) -> Result<Vec<ListedModel>, CatalogError> {
    let mut file: File =
        toml::from_str(text).map_err(|source| CatalogError::Syntax { file: file.to_owned(), source })?;
    for data in file.models.iter_mut().filter_map(|model| model.data.as_mut()) {
        data.complete();
    }
    Ok(file.models)
}
