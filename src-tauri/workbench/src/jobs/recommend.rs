//! What suits the data at hand: values for hyperparameters, each with its reason.
//!
//! The rules stand in the catalog; here they meet the number of records. Deliberately absent: anything that the data
//! does not decide, for which the default stands.

use whetstone_catalog::{BaseModel, CustomizationType, Hyperparameter, HyperparameterKind};
use whetstone_contract::Recommendation;

const WARM_UP: &str = "learningRateWarmupSteps";

pub fn recommend(model: &BaseModel, kind: CustomizationType, records: u64) -> Vec<Recommendation> {
    if records == 0 {
        return Vec::new();
    }
    model.hyperparameters_for(kind).iter().filter_map(|parameter| of_one(model, parameter, records)).collect()
}

fn of_one(model: &BaseModel, parameter: &Hyperparameter, records: u64) -> Option<Recommendation> {
    if let (WARM_UP, Some(divisor)) = (parameter.key.as_str(), model.records_per_warmup_step) {
        return warm_up(model, parameter, records, u64::from(divisor));
    }
    let suggestion = parameter.suggestion(records)?;
    Some(Recommendation { key: parameter.key.clone(), value: suggestion.value.clone(), why: suggestion.why.clone() })
}

/// AWS's own advice for Nova: one step for so many records.
fn warm_up(model: &BaseModel, parameter: &Hyperparameter, records: u64, divisor: u64) -> Option<Recommendation> {
    let HyperparameterKind::Integer { min, max } = &parameter.kind else { return None };
    let steps = i64::try_from(records.div_ceil(divisor)).unwrap_or(i64::MAX).clamp(*min, *max);
    let why = format!("Records ÷ {divisor}, as AWS advises for {}: {records} ÷ {divisor}.", model.name);
    Some(Recommendation { key: parameter.key.clone(), value: steps.to_string(), why })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use whetstone_catalog::catalog;

    fn advised(model: &str, key: &str, records: u64) -> String {
        let model = catalog().find(model).unwrap();
        let all = recommend(model, CustomizationType::FineTuning, records);
        all.into_iter().find(|one| one.key == key).unwrap().value
    }

    #[test]
    fn nova_is_warmed_up_as_aws_advises() {
        for (model, steps) in [("micro-v1:0:128k", "10"), ("lite-v1:0:300k", "40"), ("pro-v1:0:300k", "20")] {
            assert_eq!(advised(&format!("amazon.nova-{model}"), WARM_UP, 6400), steps, "{model}");
        }
        assert_eq!(advised("amazon.nova-lite-v1:0:300k", WARM_UP, 20_000), "100", "within its range");
    }

    #[test]
    fn what_is_recommended_is_always_taken() {
        for model in catalog().models() {
            for kind in &model.customization_types {
                for records in [1, 99, 500, 4999, 20_000, 1_000_000] {
                    let values = recommend(model, *kind, records).into_iter().map(|one| (one.key, one.value)).collect();
                    assert_eq!(model.check_hyperparameters(*kind, &values), [], "{} {records}", model.id);
                }
            }
        }
    }
}
