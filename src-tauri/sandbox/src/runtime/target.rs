//! Which weights a `modelId` means, of which family they are, and whether they may answer now.

use whetstone_catalog::catalog;

use super::family::Family;
use super::models::Weights;
use crate::app::App;
use crate::custom_models::CustomModel;
use crate::deployments::{Deployment, DeploymentStatus};
use crate::errors::{ApiError, ErrorKind};
use crate::imports::models::ImportedModel;
use crate::provisioned::throughput::{Status, Throughput};
use crate::{foundation_models, provisioned, stand_in};

/// What answers.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    pub(super) weights: Weights,
    pub(super) family: Family,
    /// The model that works in the place of the one that was named.
    pub(super) stand_in: Option<String>,
}

pub(super) fn resolve(app: &App, region: &str, id: &str) -> Result<Target, ApiError> {
    if id.contains(":custom-model-deployment/") {
        return of_deployment(app, region, id);
    }
    if id.contains(":provisioned-model/") {
        return of_throughput(app, region, id);
    }
    if id.contains(":imported-model/") {
        let found = app.state().find::<ImportedModel>(region, id)?;
        let found = found.ok_or_else(|| ApiError::not_found(format!("Could not find the imported model {id}.")))?;
        return Ok(Target { weights: Weights::Imported(found.id), family: Family::Llama, stand_in: None });
    }
    if id.contains(":custom-model/") {
        return Err(ApiError::validation(format!(
            "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. Create a custom model \
             deployment or a provisioned throughput of it and invoke that one's ARN."
        )));
    }
    of_base(id)
}

/// A base model by the id or ARN that it is invoked under, or by an inference profile of it.
fn of_base(id: &str) -> Result<Target, ApiError> {
    let invalid = || ApiError::validation("The provided model identifier is invalid.");
    let named = foundation_models::of_profile(id);
    if let Some(listed) = catalog().find_listed(named) {
        return Err(ApiError::validation(format!("{} does not answer in this sandbox: {}.", listed.id, listed.why)));
    }
    let model = match catalog().find_by_invocation_id(named) {
        Some(model) => model,
        // The id under which it is tuned, or bought as provisioned throughput, has a context suffix.
        None if catalog().find(named).is_some() => {
            return Err(ApiError::validation("The provided model doesn't support on-demand throughput."));
        }
        None => return Err(invalid()),
    };
    Ok(Target {
        weights: Weights::Bundled,
        family: Family::of(&model.id),
        stand_in: stand_in::marker(model).map(str::to_owned),
    })
}

fn of_throughput(app: &App, region: &str, arn: &str) -> Result<Target, ApiError> {
    provisioned::settle(app)?;
    let found = app
        .state()
        .find::<Throughput>(region, arn)?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the provisioned model throughput {arn}.")))?;
    match found.status {
        Status::InService | Status::Updating => {
            let served = found.served();
            let family = Family::of(&served.base);
            Ok(Target { weights: served.weights(), family, stand_in: served.stand_in.clone() })
        }
        Status::Creating => Err(ApiError::new(
            ErrorKind::ModelNotReady,
            "The provisioned throughput is being created. Try again in a moment.",
        )),
        Status::Failed => Err(ApiError::validation("The provisioned throughput failed and does not answer.")),
    }
}

fn of_deployment(app: &App, region: &str, arn: &str) -> Result<Target, ApiError> {
    let deployment = app
        .state()
        .find::<Deployment>(region, arn)?
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model deployment {arn}.")))?;
    match deployment.status {
        DeploymentStatus::Active => {
            let base = app.state().get::<CustomModel>(&deployment.model_id)?.map(|model| model.base);
            Ok(Target {
                weights: Weights::Custom(deployment.model_id),
                family: Family::of(base.as_deref().unwrap_or_default()),
                stand_in: deployment.stand_in,
            })
        }
        DeploymentStatus::Creating => {
            Err(ApiError::new(ErrorKind::ModelNotReady, "The deployment is being created. Try again in a moment."))
        }
        DeploymentStatus::Failed => Err(ApiError::validation(format!(
            "The custom model deployment failed: {}",
            deployment.failure.unwrap_or_default()
        ))),
    }
}
