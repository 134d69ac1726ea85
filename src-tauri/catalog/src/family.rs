//! Reading one file of `models/`: what the models of a family share, and then each model.

use serde::Deserialize;

use crate::{
    Approach, BaseModel, CustomizationType, DataRules, Hyperparameter, Lifecycle, MediaKind, MediaRules, Price,
    Purpose, ServingMode,
};

/// A catalog file that cannot be used; it names the file.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("{file} is not a valid catalog file")]
    Syntax {
        file: String,
        #[source]
        source: toml::de::Error,
    },
    #[error("{file}: the default or a suggestion of {key} breaks its own range")]
    Default { file: String, key: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    provider: String,
    family: String,
    #[serde(default)]
    local: bool,
    customization_types: Vec<CustomizationType>,
    approaches: Vec<Approach>,
    tuning_regions: Vec<String>,
    serving: Vec<ServingMode>,
    #[serde(default)]
    on_demand_regions: Vec<String>,
    sources: Vec<String>,
    #[serde(default)]
    unverified: Vec<String>,
    attachments: Vec<MediaKind>,
    lifecycle: Lifecycle,
    data: DataRules,
    #[serde(default)]
    purposes: Vec<Purpose>,
    hyperparameters: Vec<Hyperparameter>,
    models: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    id: String,
    name: String,
    summary: String,
    /// Instead of the family's, where a model of it offers less.
    customization_types: Option<Vec<CustomizationType>>,
    records_per_warmup_step: Option<u32>,
    /// Instead of the family's, where a model of it takes other media.
    media: Option<Vec<MediaRules>>,
    /// Instead of the family's, where Converse takes other content for a model of it.
    attachments: Option<Vec<MediaKind>>,
    #[serde(default)]
    teachers: Vec<String>,
    #[serde(default)]
    prices: Vec<Price>,
    #[serde(default)]
    usage_names: Vec<String>,
}

pub(crate) fn parse_family(file: &str, text: &str) -> Result<Vec<BaseModel>, CatalogError> {
    let mut family: Family =
        toml::from_str(text).map_err(|source| CatalogError::Syntax { file: file.to_owned(), source })?;
    for data in std::iter::once(&mut family.data).chain(family.purposes.iter_mut().map(|purpose| &mut purpose.data)) {
        data.complete();
    }
    let of_purposes = family.purposes.iter().filter_map(|purpose| purpose.hyperparameters.as_ref()).flatten();
    for parameter in family.hyperparameters.iter().chain(of_purposes) {
        let mut values =
            std::iter::once(&parameter.default).chain(parameter.suggestions.iter().map(|suggestion| &suggestion.value));
        if values.any(|value| parameter.check(value).is_err()) {
            return Err(CatalogError::Default { file: file.to_owned(), key: parameter.key.clone() });
        }
    }
    let members = std::mem::take(&mut family.models);
    Ok(members.into_iter().map(|member| family.model(member)).collect())
}

impl Family {
    fn model(&self, member: Member) -> BaseModel {
        let mut data = self.data.clone();
        if let Some(media) = member.media {
            data.media = media;
        }
        let customization_types = member.customization_types.unwrap_or_else(|| self.customization_types.clone());
        let offered = |purpose: &&Purpose| customization_types.contains(&purpose.customization_type);
        BaseModel {
            id: member.id,
            name: member.name,
            provider: self.provider.clone(),
            family: self.family.clone(),
            summary: member.summary,
            local: self.local,
            purposes: self.purposes.iter().filter(offered).cloned().collect(),
            customization_types,
            approaches: self.approaches.clone(),
            tuning_regions: self.tuning_regions.clone(),
            lifecycle: self.lifecycle.clone(),
            data,
            hyperparameters: self.hyperparameters.clone(),
            serving: self.serving.clone(),
            on_demand_regions: self.on_demand_regions.clone(),
            records_per_warmup_step: member.records_per_warmup_step,
            teachers: member.teachers,
            attachments: member.attachments.unwrap_or_else(|| self.attachments.clone()),
            prices: member.prices,
            usage_names: member.usage_names,
            sources: self.sources.clone(),
            unverified: self.unverified.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_outside_its_range_is_refused_by_name() {
        let text = include_str!("../models/whetstone-tiny.toml").replacen("default = \"10\"", "default = \"51\"", 1);
        let refused = parse_family("tiny.toml", &text);
        assert!(matches!(&refused, Err(CatalogError::Default { key, .. }) if key == "epochCount"), "{refused:?}");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = include_str!("../models/whetstone-tiny.toml").replacen("local", "lokal", 1);
        assert!(matches!(parse_family("tiny.toml", &text), Err(CatalogError::Syntax { .. })));
    }
}
