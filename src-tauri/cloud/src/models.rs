//! Models: those of the providers, those that jobs made, and the deployments that answer for the latter.

use std::{collections::BTreeMap, time::SystemTime};

use aws_sdk_bedrock::{
    operation::{get_custom_model::GetCustomModelOutput, get_custom_model_deployment::GetCustomModelDeploymentOutput},
    types::{CustomModelDeploymentSummary, CustomModelSummary as AwsCustomModelSummary, FoundationModelSummary},
};

use crate::{
    Cloud, CloudError,
    spelled::{spelled, time},
};

/// A model of a provider, as this Region offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundationModel {
    pub id: String,
    pub arn: String,
    pub name: String,
    pub provider: String,
    /// In AWS's spelling. Reinforcement fine-tuning is never among them: AWS does not tell of it here.
    pub customizations: Vec<String>,
    /// `ON_DEMAND`, `PROVISIONED`
    pub inference_types: Vec<String>,
    /// `TEXT`, `IMAGE`, `EMBEDDING`. Documents are never among them: AWS does not tell of them here.
    pub input_modalities: Vec<String>,
    pub streaming: bool,
    /// `ACTIVE` or `LEGACY`
    pub lifecycle: Option<String>,
    pub end_of_life: Option<SystemTime>,
}

spelled! {
    /// Whether a custom model can be used.
    ModelStatus { Active, Creating, Failed }
}

/// What the list of custom models tells of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomModelSummary {
    pub arn: String,
    pub name: String,
    pub base_model_arn: String,
    pub base_model_name: String,
    pub customization_type: Option<String>,
    pub status: Option<ModelStatus>,
    pub created: Option<SystemTime>,
}

/// All that is known of one custom model.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomModel {
    pub arn: String,
    pub name: String,
    pub status: Option<ModelStatus>,
    pub failure_message: Option<String>,
    pub job_arn: Option<String>,
    pub job_name: Option<String>,
    pub base_model_arn: Option<String>,
    pub customization_type: Option<String>,
    pub hyperparameters: BTreeMap<String, String>,
    pub training_uri: Option<String>,
    pub output_uri: Option<String>,
    pub training_loss: Option<f32>,
    pub validation_losses: Vec<f32>,
    pub created: Option<SystemTime>,
}

spelled! {
    /// Whether a deployment answers.
    DeploymentStatus { Creating, Active, Failed }
}

/// An on-demand deployment of a custom model. Its ARN is the model id at inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub arn: String,
    pub name: String,
    pub model_arn: String,
    pub status: DeploymentStatus,
    pub failure_message: Option<String>,
    /// The model that it is being turned to. Told of one deployment, not in the list of all.
    pub turning_to: Option<String>,
    pub created: Option<SystemTime>,
    pub modified: Option<SystemTime>,
}

impl Cloud {
    /// All foundation models of this Region.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn foundation_models(&self) -> Result<Vec<FoundationModel>, CloudError> {
        let models = self.bedrock.list_foundation_models().send().await;
        let models = models.map_err(CloudError::of("ListFoundationModels"))?.model_summaries.unwrap_or_default();
        Ok(models.into_iter().map(FoundationModel::from).collect())
    }

    /// All custom models of the account in this Region.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn custom_models(&self) -> Result<Vec<CustomModelSummary>, CloudError> {
        let mut pages = self.bedrock.list_custom_models().into_paginator().items().send();
        let mut models = Vec::new();
        while let Some(model) = pages.next().await {
            models.push(model.map_err(CloudError::of("ListCustomModels"))?.into());
        }
        Ok(models)
    }

    /// One custom model, by its name or ARN.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn custom_model(&self, name_or_arn: &str) -> Result<CustomModel, CloudError> {
        let model = self.bedrock.get_custom_model().model_identifier(name_or_arn).send().await;
        model.map(CustomModel::from).map_err(CloudError::of("GetCustomModel"))
    }

    /// Deletes a custom model; its storage is billed no more.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` while something serves it.
    pub async fn delete_custom_model(&self, name_or_arn: &str) -> Result<(), CloudError> {
        let delete = self.bedrock.delete_custom_model().model_identifier(name_or_arn).send().await;
        delete.map(drop).map_err(CloudError::of("DeleteCustomModel"))
    }

    /// Starts an on-demand deployment of a custom model and gives its ARN. The same token makes the same deployment.
    ///
    /// # Errors
    /// `Conflict` when the name is taken, `NotFound` when there is no such model, `QuotaExceeded` when there are too many.
    pub async fn deploy(&self, name: &str, model_arn: &str, client_token: &str) -> Result<String, CloudError> {
        let created = self
            .bedrock
            .create_custom_model_deployment()
            .model_deployment_name(name)
            .model_arn(model_arn)
            .client_request_token(client_token)
            .send()
            .await
            .map_err(CloudError::of("CreateCustomModelDeployment"))?;
        Ok(created.custom_model_deployment_arn)
    }

    /// One deployment, by its name or ARN.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn deployment(&self, name_or_arn: &str) -> Result<Deployment, CloudError> {
        self.bedrock
            .get_custom_model_deployment()
            .custom_model_deployment_identifier(name_or_arn)
            .send()
            .await
            .map(Deployment::from)
            .map_err(CloudError::of("GetCustomModelDeployment"))
    }

    /// Turns a deployment to another custom model; the old one answers until that is done.
    ///
    /// # Errors
    /// `NotFound` when either is not there, `Conflict` or `Validation` while it is not at rest.
    pub async fn turn_deployment(&self, arn: &str, model_arn: &str) -> Result<(), CloudError> {
        let update = self.bedrock.update_custom_model_deployment().custom_model_deployment_identifier(arn);
        let update = update.model_arn(model_arn).send().await;
        update.map(drop).map_err(CloudError::of("UpdateCustomModelDeployment"))
    }

    /// Deletes a deployment; its ARN answers no more, and the custom model stays.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Conflict` while it is being made.
    pub async fn delete_deployment(&self, arn: &str) -> Result<(), CloudError> {
        let delete = self.bedrock.delete_custom_model_deployment().custom_model_deployment_identifier(arn).send().await;
        delete.map(drop).map_err(CloudError::of("DeleteCustomModelDeployment"))
    }

    /// All deployments of the account in this Region.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn deployments(&self) -> Result<Vec<Deployment>, CloudError> {
        let mut pages = self.bedrock.list_custom_model_deployments().into_paginator().items().send();
        let mut deployments = Vec::new();
        while let Some(deployment) = pages.next().await {
            deployments.push(deployment.map_err(CloudError::of("ListCustomModelDeployments"))?.into());
        }
        Ok(deployments)
    }
}

impl From<FoundationModelSummary> for FoundationModel {
    fn from(model: FoundationModelSummary) -> Self {
        let lifecycle = model.model_lifecycle.as_ref();
        Self {
            customizations: model.customizations_supported().iter().map(|kind| kind.as_str().to_owned()).collect(),
            inference_types: model.inference_types_supported().iter().map(|kind| kind.as_str().to_owned()).collect(),
            input_modalities: model.input_modalities().iter().map(|kind| kind.as_str().to_owned()).collect(),
            streaming: model.response_streaming_supported.unwrap_or(false),
            lifecycle: lifecycle.map(|lifecycle| lifecycle.status.as_str().to_owned()),
            end_of_life: lifecycle.and_then(|lifecycle| lifecycle.end_of_life_time.as_ref()).and_then(time),
            name: model.model_name.unwrap_or_else(|| model.model_id.clone()),
            provider: model.provider_name.unwrap_or_default(),
            id: model.model_id,
            arn: model.model_arn,
        }
    }
}

impl From<AwsCustomModelSummary> for CustomModelSummary {
    fn from(model: AwsCustomModelSummary) -> Self {
        Self {
            customization_type: model.customization_type.map(|kind| kind.as_str().to_owned()),
            status: model.model_status.map(|status| status.as_str().into()),
            created: time(&model.creation_time),
            arn: model.model_arn,
            name: model.model_name,
            base_model_arn: model.base_model_arn,
            base_model_name: model.base_model_name,
        }
    }
}

impl From<GetCustomModelOutput> for CustomModel {
    fn from(model: GetCustomModelOutput) -> Self {
        let validation = model.validation_metrics.unwrap_or_default();
        Self {
            status: model.model_status.map(|status| status.as_str().into()),
            customization_type: model.customization_type.map(|kind| kind.as_str().to_owned()),
            hyperparameters: model.hyper_parameters.unwrap_or_default().into_iter().collect(),
            training_uri: model.training_data_config.and_then(|config| config.s3_uri),
            output_uri: model.output_data_config.map(|config| config.s3_uri),
            training_loss: model.training_metrics.and_then(|metrics| metrics.training_loss),
            validation_losses: validation.into_iter().filter_map(|metric| metric.validation_loss).collect(),
            created: time(&model.creation_time),
            arn: model.model_arn,
            name: model.model_name,
            failure_message: model.failure_message,
            job_arn: model.job_arn,
            job_name: model.job_name,
            base_model_arn: model.base_model_arn,
        }
    }
}

impl From<GetCustomModelDeploymentOutput> for Deployment {
    fn from(deployment: GetCustomModelDeploymentOutput) -> Self {
        let update = deployment.update_details;
        Self {
            turning_to: update
                .filter(|update| update.update_status.as_str() == "Updating")
                .map(|update| update.model_arn),
            status: deployment.status.as_str().into(),
            created: time(&deployment.created_at),
            modified: deployment.last_updated_at.as_ref().and_then(time),
            arn: deployment.custom_model_deployment_arn,
            name: deployment.model_deployment_name,
            model_arn: deployment.model_arn,
            failure_message: deployment.failure_message,
        }
    }
}

impl From<CustomModelDeploymentSummary> for Deployment {
    fn from(deployment: CustomModelDeploymentSummary) -> Self {
        Self {
            status: deployment.status.as_str().into(),
            created: time(&deployment.created_at),
            modified: deployment.last_updated_at.as_ref().and_then(time),
            turning_to: None,
            arn: deployment.custom_model_deployment_arn,
            name: deployment.custom_model_deployment_name,
            model_arn: deployment.model_arn,
            failure_message: deployment.failure_message,
        }
    }
}
