//! CreateModelCustomizationJob's request: its shape and everything that is refused before a job exists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use whetstone_catalog::{BaseModel, CustomizationType};

use super::job::Asked;
use crate::access;
use crate::app::App;
use crate::constraints::{self, Checks};
use crate::custom_models::CustomModel;
use crate::errors::ApiError;
use crate::foundation_models;
use crate::state::Token;
use crate::tags::{self, Tag};

const TYPES: [&str; 5] =
    ["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING", "IMPORTED"];

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateJob {
    pub(super) job_name: Option<String>,
    pub(super) custom_model_name: Option<String>,
    role_arn: Option<String>,
    #[serde(skip_serializing)]
    client_request_token: Option<String>,
    base_model_identifier: Option<String>,
    customization_type: Option<String>,
    custom_model_kms_key_id: Option<String>,
    pub(super) job_tags: Option<Vec<Tag>>,
    custom_model_tags: Option<Vec<Tag>>,
    training_data_config: Option<TrainingData>,
    validation_data_config: Option<ValidationData>,
    output_data_config: Option<S3Data>,
    hyper_parameters: Option<BTreeMap<String, String>>,
    vpc_config: Option<VpcConfig>,
    customization_config: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrainingData {
    s3_uri: Option<String>,
    invocation_logs_config: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ValidationData {
    validators: Option<Vec<S3Data>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3Data {
    s3_uri: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VpcConfig {
    subnet_ids: Option<Vec<String>>,
    security_group_ids: Option<Vec<String>>,
}

impl VpcConfig {
    fn check(&self, checks: &mut Checks) {
        let lists =
            [("subnetIds", self.subnet_ids.as_ref(), 16), ("securityGroupIds", self.security_group_ids.as_ref(), 5)];
        for (member, ids, most) in lists {
            let member = format!("vpcConfig.{member}");
            let Some(ids) = ids else {
                checks.missing(&member);
                continue;
            };
            checks.range(&format!("{member}.length"), ids.len() as f64, 1.0, f64::from(most));
            for (index, id) in ids.iter().enumerate() {
                checks.optional(&format!("{member}.{}.member", index + 1), Some(id), &constraints::VPC_ID);
            }
        }
    }
}

/// What a job is to start from.
pub(super) struct Base {
    pub(super) model: &'static BaseModel,
    /// The custom model to tune further.
    pub(super) custom: Option<CustomModel>,
}

impl CreateJob {
    /// The client's token, with the hash that tells this request from another one.
    pub(super) fn token(&self, region: &str) -> Result<Option<Token>, ApiError> {
        Ok(Token::of("CreateModelCustomizationJob", region, self.client_request_token.as_ref(), self)?)
    }

    /// Lengths, patterns and required members.
    pub(super) fn check_shape(&self) -> Result<(), ApiError> {
        let mut checks = Checks::default();
        checks.required("jobName", self.job_name.as_deref(), &constraints::JOB_NAME);
        checks.required("customModelName", self.custom_model_name.as_deref(), &constraints::CUSTOM_MODEL_NAME);
        checks.required("roleArn", self.role_arn.as_deref(), &constraints::ROLE_ARN);
        checks.required("baseModelIdentifier", self.base_model_identifier.as_deref(), &constraints::BASE_MODEL);
        checks.optional("clientRequestToken", self.client_request_token.as_deref(), &constraints::TOKEN);
        checks.optional("customModelKmsKeyId", self.custom_model_kms_key_id.as_deref(), &constraints::KMS_KEY);
        checks.one_of("customizationType", self.customization_type.as_deref(), &TYPES);
        if let Some(vpc) = &self.vpc_config {
            vpc.check(&mut checks);
        }
        tags::check(&mut checks, "jobTags", self.job_tags.as_deref());
        tags::check(&mut checks, "customModelTags", self.custom_model_tags.as_deref());
        match &self.training_data_config {
            None => checks.missing("trainingDataConfig"),
            Some(data) => {
                checks.optional("trainingDataConfig.s3Uri", data.s3_uri.as_deref(), &constraints::S3_URI);
            }
        }
        match &self.output_data_config {
            None => checks.missing("outputDataConfig"),
            Some(data) => {
                checks.required("outputDataConfig.s3Uri", data.s3_uri.as_deref(), &constraints::S3_URI);
            }
        }
        if let Some(data) = &self.validation_data_config {
            match &data.validators {
                None => checks.missing("validationDataConfig.validators"),
                Some(validators) => {
                    checks.at_most("validationDataConfig.validators", validators.len(), 10);
                    for (index, one) in validators.iter().enumerate() {
                        let member = format!("validationDataConfig.validators.{}.member.s3Uri", index + 1);
                        checks.required(&member, one.s3_uri.as_deref(), &constraints::S3_URI);
                    }
                }
            }
        }
        checks.finish()
    }

    /// Everything that depends on the base model, the account and what the sandbox can train.
    pub(super) fn resolve(&self, app: &App, region: &str) -> Result<(Base, Asked), ApiError> {
        let base = self.base(app, region)?;
        if !base.model.tunable_in(region) {
            return Err(ApiError::validation(format!(
                "The base model {} cannot be customized in {region}, only in {}.",
                base.model.id,
                base.model.tuning_regions.join(" and ")
            )));
        }
        self.check_type(base.model)?;
        let hyperparameters = self.hyper_parameters.clone().unwrap_or_default();
        let wrong = base.model.check_hyperparameters(&hyperparameters);
        if !wrong.is_empty() {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            return Err(ApiError::validation(format!("Invalid hyperparameters: {}.", wrong.join("; "))));
        }
        let role_arn = self.role_arn.clone().unwrap_or_default();
        let jobs = app.scope(region).job_arn(&base.model.id, "*");
        access::assume(app, &role_arn, &jobs).map_err(ApiError::validation)?;
        let training = self.training_data_config.as_ref();
        if training.is_some_and(|data| data.invocation_logs_config.is_some()) {
            return Err(ApiError::validation("Training from invocation logs is not available in this sandbox."));
        }
        let training_uri = training
            .and_then(|data| data.s3_uri.clone())
            .ok_or_else(|| ApiError::validation("trainingDataConfig.s3Uri is required for this customization type."))?;
        let asked = Asked {
            role_arn,
            customization_type: self.customization_type.clone().unwrap_or_else(|| "FINE_TUNING".to_owned()),
            training_uri,
            validation_uri: self.validation_uri(base.model)?,
            output_uri: self.output_data_config.as_ref().and_then(|data| data.s3_uri.clone()).unwrap_or_default(),
            hyperparameters,
            client_token: self.client_request_token.clone(),
            kms_key: self.custom_model_kms_key_id.clone(),
            vpc: self.vpc_config.clone(),
            model_tags: self.custom_model_tags.clone().unwrap_or_default(),
        };
        Ok((base, asked))
    }

    fn base(&self, app: &App, region: &str) -> Result<Base, ApiError> {
        let id = self.base_model_identifier.as_deref().unwrap_or_default();
        let invalid = || ApiError::validation("The provided model identifier is invalid.");
        // A customization job names the model with its context suffix; the id for inference is another one.
        if let Some(model) = whetstone_catalog::catalog().find(id) {
            return Ok(Base { model, custom: None });
        }
        if let Some(model) = whetstone_catalog::catalog().find_listed(id) {
            return Err(ApiError::validation(format!(
                "The base model {} cannot be customized in this sandbox: {}.",
                model.id, model.why
            )));
        }
        let custom: CustomModel = app.state().find(region, id)?.ok_or_else(invalid)?;
        let model = foundation_models::find(&custom.base).ok_or_else(invalid)?;
        Ok(Base { model, custom: Some(custom) })
    }

    fn check_type(&self, model: &BaseModel) -> Result<(), ApiError> {
        let wanted = self.customization_type.as_deref().unwrap_or("FINE_TUNING");
        if wanted != "FINE_TUNING" {
            return Err(ApiError::validation(format!(
                "Customization type {wanted} is not available in this sandbox; it carries out FINE_TUNING."
            )));
        }
        if self.customization_config.as_ref().is_some_and(|config| !config.is_null()) {
            return Err(ApiError::validation(
                "customizationConfig is not accepted with customization type FINE_TUNING.",
            ));
        }
        if !model.supports(CustomizationType::FineTuning) {
            return Err(ApiError::validation(format!("The base model {} does not support FINE_TUNING.", model.id)));
        }
        Ok(())
    }

    fn validation_uri(&self, model: &BaseModel) -> Result<Option<String>, ApiError> {
        let validators =
            self.validation_data_config.as_ref().and_then(|data| data.validators.as_deref()).unwrap_or(&[]);
        match validators {
            [] => Ok(None),
            [_] if !model.data.validation_accepted => {
                Err(ApiError::validation(format!("The base model {} does not take validation data.", model.id)))
            }
            [one] => Ok(one.s3_uri.clone()),
            _ => Err(ApiError::validation("More than one validator is not available in this sandbox.")),
        }
    }
}
