//! Which weights a `modelId` means, and whether they may answer now.

use crate::app::App;
use crate::deployments::{Deployment, DeploymentStatus};
use crate::errors::{ApiError, ErrorKind};
use crate::{foundation_models, ids, stand_in};

use super::models::Weights;

/// What answers.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    pub(super) weights: Weights,
    /// The model that works in the place of the one that was named.
    pub(super) stand_in: Option<String>,
}

pub(super) fn resolve(app: &App, region: &str, id: &str) -> Result<Target, ApiError> {
    if id.contains(":custom-model-deployment/") {
        return of_deployment(app, region, id);
    }
    if id.contains(":custom-model/") {
        return Err(ApiError::validation(format!(
            "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. Create a custom model \
             deployment of it and invoke the deployment's ARN."
        )));
    }
    let model =
        foundation_models::find(id).ok_or_else(|| ApiError::validation("The provided model identifier is invalid."))?;
    Ok(Target { weights: Weights::Bundled, stand_in: stand_in::marker(model).map(str::to_owned) })
}

fn of_deployment(app: &App, region: &str, arn: &str) -> Result<Target, ApiError> {
    let deployment = app
        .state()
        .get::<Deployment>(ids::last_segment(arn))?
        .filter(|one| one.arn == arn && one.region == region)
        .ok_or_else(|| ApiError::not_found(format!("Could not find the custom model deployment {arn}.")))?;
    match deployment.status {
        DeploymentStatus::Active => {
            Ok(Target { weights: Weights::Custom(deployment.model_id), stand_in: deployment.stand_in })
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
