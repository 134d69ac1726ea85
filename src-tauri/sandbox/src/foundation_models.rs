//! ListFoundationModels, GetFoundationModel and GetFoundationModelAvailability, from the catalog.
//!
//! Every model of the catalog is listed in every Region: those that are trained here, as themselves or by a stand-in,
//! and those that are only listed. Models past their end of life are LEGACY, so that they can be rehearsed. What can be
//! customized is said by Region, as jobs are held to the model's own. Deliberately absent: models that the catalog does
//! not know, and agreements: there is nothing to agree to.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use whetstone_catalog::{
    BaseModel, CustomizationType, Lifecycle, LifecycleStatus, ListedModel, MediaKind, Modality, ServingMode, catalog,
};

use crate::app::App;
use crate::constraints::{self, Checks};
use crate::errors::ApiError;
use crate::ids::{self, foundation_model_arn};
use crate::router::{Answer, CONTROL_BODY, Call, Handler, Operation, json, mark_stand_in};
use crate::stand_in;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "ListFoundationModels",
        method: Method::GET,
        path: "/foundation-models",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(list),
    },
    Operation {
        name: "GetFoundationModel",
        method: Method::GET,
        path: "/foundation-models/{modelIdentifier}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(get),
    },
    Operation {
        name: "GetFoundationModelAvailability",
        method: Method::GET,
        path: "/foundation-model-availability/{modelId}",
        body_limit: CONTROL_BODY,
        handler: Handler::Control(availability),
    },
];

/// The types that the service can show here. Reinforcement fine-tuning is not discoverable.
const SHOWN_TYPES: [CustomizationType; 3] =
    [CustomizationType::FineTuning, CustomizationType::ContinuedPreTraining, CustomizationType::Distillation];

/// A base model by the id it is tuned under, the id it is invoked under, or either's ARN. Only models that are trained
/// here, as themselves or by a stand-in.
pub(crate) fn find(id: &str) -> Option<&'static BaseModel> {
    catalog().find(id).or_else(|| catalog().find_by_invocation_id(id))
}

/// The model id behind an inference profile's id or ARN; any other id as it is.
pub(crate) fn of_profile(id: &str) -> &str {
    let name = if id.contains(":inference-profile/") { ids::last_segment(id) } else { id };
    match name.split_once('.') {
        Some(("us" | "eu" | "apac" | "us-gov" | "global", model)) if model.contains('.') => model,
        _ => name,
    }
}

/// What is shown of a model in one Region.
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    provider: &'a str,
    input: Vec<Modality>,
    output: Vec<Modality>,
    customizations: Vec<&'static str>,
    inference: Vec<&'static str>,
    streaming: bool,
    lifecycle: &'a Lifecycle,
    stand_in: Option<&'static str>,
    /// Whether it answers and can be trained here.
    usable: bool,
}

impl<'a> Shown<'a> {
    fn model(model: &'a BaseModel, region: &str) -> Self {
        let pictures = model.data.media(MediaKind::Image).is_some();
        Self {
            id: &model.id,
            name: &model.name,
            provider: &model.provider,
            input: if pictures { vec![Modality::Text, Modality::Image] } else { vec![Modality::Text] },
            output: vec![Modality::Text],
            customizations: customizations(&model.customization_types, model.tunable_in(region)),
            inference: inference(&model.serving),
            streaming: true,
            lifecycle: &model.lifecycle,
            stand_in: stand_in::marker(model),
            usable: true,
        }
    }

    fn listed(model: &'a ListedModel, region: &str) -> Self {
        let here = model.tuning_regions.iter().any(|one| one == region);
        Self {
            id: &model.id,
            name: &model.name,
            provider: &model.provider,
            input: model.input.clone(),
            output: model.output.clone(),
            customizations: customizations(&model.customization_types, here),
            inference: inference(&model.serving),
            streaming: model.output == [Modality::Text],
            lifecycle: &model.lifecycle,
            stand_in: None,
            usable: false,
        }
    }

    fn find(id: &str, region: &str) -> Option<Shown<'static>> {
        find(id)
            .map(|model| Shown::model(model, region))
            .or_else(|| catalog().find_listed(id).map(|model| Shown::listed(model, region)))
    }

    fn view(&self, region: &str) -> Value {
        let words = |all: &[Modality]| all.iter().map(|one| one.as_str()).collect::<Vec<_>>();
        // The service knows two states: a model past its end of life would not be listed at all.
        let status = if self.lifecycle.status == LifecycleStatus::Active { "ACTIVE" } else { "LEGACY" };
        let mut lifecycle = json!({ "status": status });
        if let Some(day) = &self.lifecycle.end_of_life {
            lifecycle["endOfLifeTime"] = json!(format!("{day}T00:00:00.000Z"));
        }
        json!({
            "modelArn": foundation_model_arn(region, self.id),
            "modelId": self.id,
            "modelName": display_name(self.name, self.provider),
            "providerName": self.provider,
            "inputModalities": words(&self.input),
            "outputModalities": words(&self.output),
            "responseStreamingSupported": self.streaming,
            "customizationsSupported": self.customizations,
            "inferenceTypesSupported": self.inference,
            "modelLifecycle": lifecycle,
        })
    }
}

/// Longest display name of the service model.
const LONGEST_NAME: usize = 20;

/// A name as the service model has room for it: without the provider's at its head, then without its last words.
fn display_name<'a>(name: &'a str, provider: &str) -> &'a str {
    let fits = |name: &str| name.chars().count() <= LONGEST_NAME;
    let mut short = name;
    if !fits(short) {
        short = short.strip_prefix(provider).map_or(short, str::trim_start);
    }
    while !fits(short) {
        let Some((shorter, _)) = short.rsplit_once(' ') else { break };
        short = shorter;
    }
    short
}

fn customizations(types: &[CustomizationType], tunable_here: bool) -> Vec<&'static str> {
    let shown = SHOWN_TYPES.into_iter().filter(|one| tunable_here && types.contains(one));
    shown.map(CustomizationType::as_str).collect()
}

/// The base model itself is answered for on demand, whatever its tuned copies need.
fn inference(serving: &[ServingMode]) -> Vec<&'static str> {
    let mut types = vec![ServingMode::OnDemand.as_str()];
    types.extend(serving.iter().map(|mode| mode.as_str()).filter(|mode| *mode != "ON_DEMAND"));
    types
}

fn list(_: &Arc<App>, call: &Call) -> Answer {
    let mut checks = Checks::default();
    let provider = call.query("byProvider");
    let by_type = call.query("byCustomizationType");
    let by_output = call.query("byOutputModality");
    let by_inference = call.query("byInferenceType");
    checks.optional("byProvider", provider, &constraints::PROVIDER);
    checks.one_of("byCustomizationType", by_type, &SHOWN_TYPES.map(CustomizationType::as_str));
    checks.one_of("byOutputModality", by_output, &["TEXT", "IMAGE", "EMBEDDING"]);
    checks.one_of("byInferenceType", by_inference, &["ON_DEMAND", "PROVISIONED"]);
    checks.finish()?;
    let trained = catalog().models().iter().map(|model| Shown::model(model, &call.region));
    let listed = catalog().listed_models().iter().map(|model| Shown::listed(model, &call.region));
    let models: Vec<Value> = trained
        .chain(listed)
        .filter(|model| provider.is_none_or(|name| name.eq_ignore_ascii_case(model.provider)))
        .filter(|model| by_type.is_none_or(|wanted| model.customizations.contains(&wanted)))
        .filter(|model| by_output.is_none_or(|wanted| model.output.iter().any(|one| one.as_str() == wanted)))
        .filter(|model| by_inference.is_none_or(|wanted| model.inference.contains(&wanted)))
        .map(|model| model.view(&call.region))
        .collect();
    json(StatusCode::OK, &json!({ "modelSummaries": models }))
}

fn expect(call: &Call) -> Result<Shown<'static>, ApiError> {
    let id = call.identifier();
    Shown::find(id, &call.region)
        .ok_or_else(|| ApiError::not_found(format!("Could not find the foundation model {id}.")))
}

fn get(_: &Arc<App>, call: &Call) -> Answer {
    let model = expect(call)?;
    let answer = json(StatusCode::OK, &json!({ "modelDetails": model.view(&call.region) }))?;
    Ok(mark_stand_in(answer, model.stand_in))
}

fn availability(_: &Arc<App>, call: &Call) -> Answer {
    let model = expect(call)?;
    let usable = if model.usable { "AVAILABLE" } else { "NOT_AVAILABLE" };
    let answer = json!({
        "modelId": call.identifier(),
        "agreementAvailability": { "status": "AVAILABLE" },
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": usable,
        "regionAvailability": usable,
    });
    Ok(mark_stand_in(json(StatusCode::OK, &answer)?, model.stand_in))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_display_name_fits_and_still_tells_the_models_that_are_trained_here_apart() {
        let names: Vec<_> = catalog().models().iter().map(|model| (&model.name, &model.provider)).collect();
        let listed = catalog().listed_models().iter().map(|model| (&model.name, &model.provider));
        let long: Vec<_> = names
            .iter()
            .copied()
            .chain(listed)
            .map(|(name, provider)| display_name(name, provider))
            .filter(|name| name.chars().count() > LONGEST_NAME)
            .collect();
        assert!(long.is_empty(), "{long:?}");
        let short: BTreeSet<_> = names.iter().map(|(name, provider)| display_name(name, provider)).collect();
        assert_eq!(short.len(), names.iter().collect::<BTreeSet<_>>().len());
    }

    #[test]
    fn an_inference_profile_means_its_model() {
        for id in ["meta.llama3-3-70b-instruct-v1:0", "us.meta.llama3-3-70b-instruct-v1:0"] {
            let arn = format!("arn:aws:bedrock:us-west-2:123456789012:inference-profile/{id}");
            assert_eq!(of_profile(&arn), "meta.llama3-3-70b-instruct-v1:0");
            assert_eq!(of_profile(id), "meta.llama3-3-70b-instruct-v1:0");
        }
        assert_eq!(of_profile("anthropic.claude-v2"), "anthropic.claude-v2");
    }
}
