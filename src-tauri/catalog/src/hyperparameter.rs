//! One hyperparameter of a base model: its range, its default and why it matters.
//!
//! Bedrock takes every hyperparameter as text, so values are text here too.

use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hyperparameter {
    /// The exact key of the request.
    pub key: String,
    pub label: String,
    pub kind: HyperparameterKind,
    /// Always within the range: the catalog does not load otherwise.
    pub default: String,
    /// One sentence for someone who is not an engineer of machine learning.
    pub why: String,
    /// Left out of the simple view.
    #[serde(default)]
    pub advanced: bool,
    /// No documentation of AWS's confirms key, range or default for this model.
    #[serde(default)]
    pub unverified: bool,
    /// What a value counts: `steps`, `records`. None for a plain number.
    pub unit: Option<String>,
    /// Sent only where no validation set is.
    #[serde(default)]
    pub without_validation: bool,
    /// What suits how much data, by this project's own experience: the first that holds counts.
    #[serde(default)]
    pub suggestions: Vec<Suggestion>,
}

/// A value that suits a training set of less than so many records, and why.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suggestion {
    /// For any number of records where it is not given.
    pub below: Option<u64>,
    pub value: String,
    pub why: String,
}

/// Bounds are inclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum HyperparameterKind {
    Integer { min: i64, max: i64 },
    Float { min: f64, max: f64 },
    Choice { options: Vec<String> },
}

/// Why a value is refused. The text names the key, the value and what would be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HyperparameterError {
    #[error("{key} is not a hyperparameter of {model}")]
    Unknown { key: String, model: String },
    #[error("{key} must be a whole number from {min} to {max}, not \"{value}\"")]
    NotAnInteger { key: String, value: String, min: i64, max: i64 },
    #[error("{key} must be a number from {min} to {max}, not \"{value}\"")]
    NotANumber { key: String, value: String, min: String, max: String },
    #[error("{key} must be from {min} to {max}, but is {value}")]
    OutOfRange { key: String, value: String, min: String, max: String },
    #[error("{key} must be one of {options}, not \"{value}\"")]
    NotAChoice { key: String, value: String, options: String },
}

impl HyperparameterError {
    pub fn key(&self) -> &str {
        match self {
            Self::Unknown { key, .. }
            | Self::NotAnInteger { key, .. }
            | Self::NotANumber { key, .. }
            | Self::OutOfRange { key, .. }
            | Self::NotAChoice { key, .. } => key,
        }
    }
}

impl Hyperparameter {
    /// What suits so many training records; `None` where nothing but the default is known.
    pub fn suggestion(&self, records: u64) -> Option<&Suggestion> {
        self.suggestions.iter().find(|one| one.below.is_none_or(|below| records < below))
    }

    /// Whether this text is a value the model takes.
    pub fn check(&self, value: &str) -> Result<(), HyperparameterError> {
        match &self.kind {
            HyperparameterKind::Integer { min, max } => self.check_integer(value, *min, *max),
            HyperparameterKind::Float { min, max } => self.check_float(value, *min, *max),
            HyperparameterKind::Choice { options } => {
                if options.iter().any(|option| option == value) {
                    return Ok(());
                }
                Err(HyperparameterError::NotAChoice {
                    key: self.key.clone(),
                    value: value.to_owned(),
                    options: options.join(", "),
                })
            }
        }
    }

    fn check_integer(&self, value: &str, min: i64, max: i64) -> Result<(), HyperparameterError> {
        let Ok(number) = value.parse::<i64>() else {
            return Err(HyperparameterError::NotAnInteger { key: self.key.clone(), value: value.to_owned(), min, max });
        };
        if (min..=max).contains(&number) {
            return Ok(());
        }
        Err(self.out_of_range(value, min.to_string(), max.to_string()))
    }

    fn check_float(&self, value: &str, min: f64, max: f64) -> Result<(), HyperparameterError> {
        // "inf" and "nan" parse as floats but are no numbers that anyone can train with.
        let Some(number) = value.parse::<f64>().ok().filter(|n| n.is_finite()) else {
            return Err(HyperparameterError::NotANumber {
                key: self.key.clone(),
                value: value.to_owned(),
                min: float_text(min),
                max: float_text(max),
            });
        };
        if (min..=max).contains(&number) {
            return Ok(());
        }
        Err(self.out_of_range(value, float_text(min), float_text(max)))
    }

    fn out_of_range(&self, value: &str, min: String, max: String) -> HyperparameterError {
        HyperparameterError::OutOfRange { key: self.key.clone(), value: value.to_owned(), min, max }
    }
}

/// A bound as people write it: `1e-6` rather than `0.000001`.
fn float_text(bound: f64) -> String {
    if bound != 0.0 && bound.abs() < 1e-3 { format!("{bound:e}") } else { bound.to_string() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{CustomizationType, TINY_V1, catalog};

    fn every_hyperparameter() -> impl Iterator<Item = (&'static str, &'static Hyperparameter)> {
        catalog()
            .models()
            .iter()
            .flat_map(|model| model.customization_types.iter().map(move |kind| (model, *kind)))
            .flat_map(|(model, kind)| {
                model.hyperparameters_for(kind).iter().map(move |parameter| (model.id.as_str(), parameter))
            })
    }

    #[test]
    fn every_default_passes_its_own_range() {
        for (model, parameter) in every_hyperparameter() {
            assert_eq!(parameter.check(&parameter.default), Ok(()), "{model} {}", parameter.key);
        }
    }

    #[test]
    fn each_bound_is_accepted_and_refused_just_outside() {
        for (model, parameter) in every_hyperparameter() {
            let (inside, outside) = match &parameter.kind {
                HyperparameterKind::Integer { min, max } => {
                    (vec![min.to_string(), max.to_string()], vec![(min - 1).to_string(), (max + 1).to_string()])
                }
                HyperparameterKind::Float { min, max } => (
                    vec![min.to_string(), max.to_string(), format!("{min:e}")],
                    vec![min.next_down().to_string(), max.next_up().to_string()],
                ),
                HyperparameterKind::Choice { options } => (options.clone(), vec![options[0].to_uppercase()]),
            };
            for value in inside {
                assert_eq!(parameter.check(&value), Ok(()), "{model} {} = {value}", parameter.key);
            }
            for value in outside {
                let refused = parameter.check(&value);
                assert!(refused.is_err(), "{model} {} = {value}", parameter.key);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (model, parameter) in every_hyperparameter() {
            for value in ["", " ", "x", "nan", "inf", "1,5", "1 ", "0x1"] {
                assert!(parameter.check(value).is_err(), "{model} {} = {value:?}", parameter.key);
            }
        }
    }

    #[test]
    fn an_error_names_key_value_and_range() {
        let tiny = catalog().find(TINY_V1).unwrap();
        let given: BTreeMap<String, String> = [
            ("batchSize", "8.5"),
            ("epochCount", "51"),
            ("learningRate", "1"),
            ("momentum", "0.9"),
            ("approach", "qlora"),
            ("seed", "7"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let said: Vec<String> =
            tiny.check_hyperparameters(CustomizationType::FineTuning, &given).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "approach must be one of full, lora, not \"qlora\"",
                "batchSize must be a whole number from 1 to 128, not \"8.5\"",
                "epochCount must be from 1 to 50, but is 51",
                "learningRate must be from 1e-6 to 0.02, but is 1",
                "momentum is not a hyperparameter of whetstone.tiny-v1",
            ]
        );
    }

    #[test]
    fn what_is_left_out_takes_its_default() {
        let tiny = catalog().find(TINY_V1).unwrap();
        let given = BTreeMap::from([("epochCount".to_owned(), "2".to_owned())]);
        let all = tiny.with_defaults(&given);
        assert_eq!(all.len(), tiny.hyperparameters.len());
        assert_eq!(all["epochCount"], "2");
        assert_eq!(all["batchSize"], "16");
    }
}
