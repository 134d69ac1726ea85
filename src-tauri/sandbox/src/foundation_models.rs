//! ListFoundationModels and GetFoundationModel, from the catalog.
//!
//! Every model of the catalog is listed in every Region, with those that are past their end of life as LEGACY: they
//! can be rehearsed here. Deliberately absent: models that the catalog does not know.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use whetstone_catalog::{BaseModel, CustomizationType, LifecycleStatus, catalog};

use crate::app::App;
use crate::constraints::Checks;
use crate::errors::ApiError;
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
];

/// The types that the service can show here. Reinforcement fine-tuning is not discoverable.
const SHOWN_TYPES: [CustomizationType; 3] =
    [CustomizationType::FineTuning, CustomizationType::ContinuedPreTraining, CustomizationType::Distillation];

fn list(_: &Arc<App>, call: &Call) -> Answer {
    let mut checks = Checks::default();
    let by_type = call.query("byCustomizationType");
    let by_output = call.query("byOutputModality");
    let by_inference = call.query("byInferenceType");
    checks.one_of("byCustomizationType", by_type, &SHOWN_TYPES.map(CustomizationType::as_str));
    checks.one_of("byOutputModality", by_output, &["TEXT", "IMAGE", "EMBEDDING"]);
    checks.one_of("byInferenceType", by_inference, &["ON_DEMAND", "PROVISIONED"]);
    checks.finish()?;
    let provider = call.query("byProvider");
    let models: Vec<Value> = catalog()
        .models()
        .iter()
        .filter(|model| provider.is_none_or(|name| name.eq_ignore_ascii_case(&model.provider)))
        .filter(|model| by_type.is_none_or(|wanted| model.customization_types.iter().any(|one| one.as_str() == wanted)))
        // Every model of the catalog answers in text.
        .filter(|_| by_output.is_none_or(|wanted| wanted == "TEXT"))
        .filter(|model| by_inference.is_none_or(|wanted| inference_types(model).contains(&wanted)))
        .map(|model| view(model, &call.region))
        .collect();
    json(StatusCode::OK, &json!({ "modelSummaries": models }))
}

fn get(_: &Arc<App>, call: &Call) -> Answer {
    let id = call.identifier();
    let model = find(id).ok_or_else(|| ApiError::not_found(format!("Could not find the foundation model {id}.")))?;
    let answer = json(StatusCode::OK, &json!({ "modelDetails": view(model, &call.region) }))?;
    Ok(mark_stand_in(answer, stand_in::marker(model)))
}

/// A base model by the id it is tuned under, the id it is invoked under, or either's ARN.
pub(crate) fn find(id: &str) -> Option<&'static BaseModel> {
    catalog().find(id).or_else(|| catalog().find_by_invocation_id(id))
}

/// The base model itself is answered for on demand here, whatever its tuned copies need.
fn inference_types(model: &BaseModel) -> Vec<&'static str> {
    let mut types = vec!["ON_DEMAND"];
    types.extend(model.serving.iter().map(|mode| mode.as_str()).filter(|mode| *mode != "ON_DEMAND"));
    types
}

fn view(model: &BaseModel, region: &str) -> Value {
    let customizations: Vec<&str> =
        SHOWN_TYPES.into_iter().filter(|one| model.supports(*one)).map(CustomizationType::as_str).collect();
    let status = if model.lifecycle.status == LifecycleStatus::Active { "ACTIVE" } else { "LEGACY" };
    let mut lifecycle = json!({ "status": status });
    if let Some(day) = &model.lifecycle.end_of_life {
        lifecycle["endOfLifeTime"] = json!(format!("{day}T00:00:00.000Z"));
    }
    json!({
        "modelArn": model.arn(region),
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": true,
        "customizationsSupported": customizations,
        "inferenceTypesSupported": inference_types(model),
        "modelLifecycle": lifecycle,
    })
}
