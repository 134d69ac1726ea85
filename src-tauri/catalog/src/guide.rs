//! What leads to a base model: goals, families and methods, as data in `guide/*.toml`.
//!
//! Deliberately absent: which connection a job will run on. Whoever asks picks among a goal's models by what that
//! connection can do.

use serde::Deserialize;

use crate::{Approach, CatalogError, CustomizationType};

/// What a person wants, the kind of training that leads there, and models that suit it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    pub id: String,
    pub title: String,
    pub example: String,
    #[serde(rename = "type")]
    pub customization_type: CustomizationType,
    /// Why this kind of training, in a sentence or two.
    pub why: String,
    /// What data it takes.
    pub data: String,
    /// In order of preference.
    pub models: Vec<Suited>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suited {
    pub id: String,
    /// Why this model, as the rest of a sentence.
    pub why: String,
}

/// A method, explained.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub id: Approach,
    pub name: String,
    pub what: String,
    pub gains: Vec<String>,
    pub costs: Vec<String>,
}

/// A family of models, and the methods that guides name for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFamily {
    pub name: String,
    pub provider: String,
    /// What the ids of its models begin with, where a provider has several families.
    models: Option<String>,
    pub approaches: Vec<Approach>,
    pub note: String,
}

impl ModelFamily {
    /// Whether a model of this provider with this id belongs to it.
    pub fn holds(&self, provider: &str, id: &str) -> bool {
        self.provider == provider && self.models.as_ref().is_none_or(|start| id.starts_with(start.as_str()))
    }
}

#[derive(Debug)]
pub(crate) struct Guide {
    pub(crate) goals: Vec<Goal>,
    pub(crate) methods: Vec<Method>,
    pub(crate) families: Vec<ModelFamily>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Goals {
    goals: Vec<Goal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Methods {
    approaches: Vec<Method>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Families {
    families: Vec<ModelFamily>,
}

pub(crate) fn parse() -> Result<Guide, CatalogError> {
    let goals: Goals = read("guide/goals.toml", include_str!("../guide/goals.toml"))?;
    let methods: Methods = read("guide/approaches.toml", include_str!("../guide/approaches.toml"))?;
    let families: Families = read("guide/families.toml", include_str!("../guide/families.toml"))?;
    Ok(Guide { goals: goals.goals, methods: methods.approaches, families: families.families })
}

fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, CatalogError> {
    toml::from_str(text).map_err(|source| CatalogError::Syntax { file: file.to_owned(), source })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use crate::{Approach, CustomizationType, catalog};

    #[test]
    fn every_goal_leads_to_models_that_offer_its_kind_of_training() {
        for goal in catalog().goals() {
            assert!(!goal.models.is_empty(), "{}", goal.id);
            for suited in &goal.models {
                let model = catalog().find(&suited.id).unwrap();
                assert!(model.supports(goal.customization_type), "{} for {}", suited.id, goal.id);
            }
        }
        for kind in CustomizationType::ALL {
            assert!(catalog().goals().iter().any(|goal| goal.customization_type == kind), "{kind:?} has no goal");
        }
    }

    #[test]
    fn every_model_is_of_one_family_and_is_tuned_by_methods_that_are_explained() {
        for model in catalog().models() {
            let families: Vec<_> =
                catalog().families().iter().filter(|family| family.holds(&model.provider, &model.id)).collect();
            assert_eq!(families.len(), 1, "{}", model.id);
            for approach in &model.approaches {
                assert!(families[0].approaches.contains(approach), "{}", model.id);
            }
        }
        for approach in [Approach::Full, Approach::Peft, Approach::Instruction] {
            assert!(catalog().methods().iter().any(|method| method.id == approach));
        }
    }

    #[test]
    fn the_six_families_of_the_guide_stand_there() {
        let named = |part: &str| catalog().families().iter().any(|family| family.name.contains(part));
        for family in ["Claude", "Titan", "Llama", "Command", "Jurassic", "Stability"] {
            assert!(named(family), "{family}");
        }
    }
}
