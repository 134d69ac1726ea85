//! CreateModelCustomizationJob's request: its members, their lengths, patterns and unions. What they mean together, and
//! for which base model, is asked in `resolve`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constraints::{self, Checks};
use crate::errors::ApiError;
use crate::state::Token;
use crate::tags::{self, Tag};

const TYPES: [&str; 5] =
    ["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION", "REINFORCEMENT_FINE_TUNING", "IMPORTED"];

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateJob {
    pub(super) job_name: Option<String>,
    pub(super) custom_model_name: Option<String>,
    pub(super) role_arn: Option<String>,
    #[serde(skip_serializing)]
    pub(super) client_request_token: Option<String>,
    pub(super) base_model_identifier: Option<String>,
    pub(super) customization_type: Option<String>,
    pub(super) custom_model_kms_key_id: Option<String>,
    pub(super) job_tags: Option<Vec<Tag>>,
    pub(super) custom_model_tags: Option<Vec<Tag>>,
    pub(super) training_data_config: Option<TrainingData>,
    pub(super) validation_data_config: Option<ValidationData>,
    pub(super) output_data_config: Option<S3Data>,
    pub(super) hyper_parameters: Option<BTreeMap<String, String>>,
    pub(super) vpc_config: Option<VpcConfig>,
    pub(super) customization_config: Option<CustomizationConfig>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrainingData {
    pub(super) s3_uri: Option<String>,
    pub(super) invocation_logs_config: Option<InvocationLogs>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ValidationData {
    pub(super) validators: Option<Vec<S3Data>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct S3Data {
    pub(super) s3_uri: Option<String>,
}

/// Prompts, and perhaps answers, out of what Bedrock logged of calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvocationLogs {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) use_prompt_response: Option<bool>,
    pub(super) invocation_log_source: Option<S3Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_metadata_filters: Option<Filters>,
}

/// A union: one filter by itself, or several of which all or any must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filters {
    #[serde(flatten)]
    pub(super) one: Filter,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) and_all: Option<Vec<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) or_all: Option<Vec<Filter>>,
}

/// A key of a call's metadata, and the value that it has or has not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) equals: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_equals: Option<BTreeMap<String, String>>,
}

/// A union of what distillation and what reinforcement need.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CustomizationConfig {
    pub(super) distillation_config: Option<DistillationConfig>,
    pub(super) rft_config: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DistillationConfig {
    pub(super) teacher_model_config: Option<Teacher>,
}

/// Whose answers a model is trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Teacher {
    pub(super) teacher_model_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_response_length_for_inference: Option<i64>,
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

impl InvocationLogs {
    fn check(&self, checks: &mut Checks) {
        let member = "trainingDataConfig.invocationLogsConfig";
        match &self.invocation_log_source {
            None => checks.missing(&format!("{member}.invocationLogSource")),
            Some(source) => {
                let member = format!("{member}.invocationLogSource.s3Uri");
                checks.required(&member, source.s3_uri.as_deref(), &constraints::S3_URI);
            }
        }
        if let Some(filters) = &self.request_metadata_filters {
            let member = format!("{member}.requestMetadataFilters");
            let lists = [("andAll", &filters.and_all), ("orAll", &filters.or_all)];
            let given = filters.one.given() + lists.iter().filter(|(_, list)| list.is_some()).count();
            checks.exactly_one(&member, given);
            filters.one.check(checks, &member);
            for (name, list) in lists {
                let Some(list) = list else { continue };
                checks.range(&format!("{member}.{name}.length"), list.len() as f64, 1.0, 16.0);
                for (index, filter) in list.iter().enumerate() {
                    let member = format!("{member}.{name}.{}.member", index + 1);
                    checks.exactly_one(&member, filter.given());
                    filter.check(checks, &member);
                }
            }
        }
    }
}

impl Filter {
    fn given(&self) -> usize {
        usize::from(self.equals.is_some()) + usize::from(self.not_equals.is_some())
    }

    fn check(&self, checks: &mut Checks, member: &str) {
        for (name, pairs) in [("equals", &self.equals), ("notEquals", &self.not_equals)] {
            let Some(pairs) = pairs else { continue };
            let member = format!("{member}.{name}");
            checks.range(&format!("{member}.length"), pairs.len() as f64, 1.0, 1.0);
            for (key, value) in pairs {
                checks.required(&format!("{member}.key"), Some(key), &constraints::METADATA_KEY);
                checks.required(&format!("{member}.value"), Some(value), &constraints::METADATA_VALUE);
            }
        }
    }
}

impl CustomizationConfig {
    fn check(&self, checks: &mut Checks) {
        let given = usize::from(self.distillation_config.is_some()) + usize::from(self.rft_config.is_some());
        checks.exactly_one("customizationConfig", given);
        if let Some(config) = &self.distillation_config {
            let member = "customizationConfig.distillationConfig.teacherModelConfig";
            match &config.teacher_model_config {
                None => checks.missing(member),
                Some(teacher) => {
                    let id = teacher.teacher_model_identifier.as_deref();
                    checks.required(&format!("{member}.teacherModelIdentifier"), id, &constraints::TEACHER_MODEL);
                    if let Some(length) = teacher.max_response_length_for_inference {
                        let member = format!("{member}.maxResponseLengthForInference");
                        checks.range(&member, length as f64, 1.0, f64::from(i32::MAX));
                    }
                }
            }
        }
    }
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
        if let Some(config) = &self.customization_config {
            config.check(&mut checks);
        }
        tags::check(&mut checks, "jobTags", self.job_tags.as_deref());
        tags::check(&mut checks, "customModelTags", self.custom_model_tags.as_deref());
        match &self.training_data_config {
            None => checks.missing("trainingDataConfig"),
            Some(data) => {
                checks.optional("trainingDataConfig.s3Uri", data.s3_uri.as_deref(), &constraints::S3_URI);
                if let Some(logs) = &data.invocation_logs_config {
                    logs.check(&mut checks);
                }
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
}
