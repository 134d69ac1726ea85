//! The request that creates a customization job: put together once, then sent or only written down.
//!
//! "Show me the call" must show what is really sent, so it is the SDK's own text, caught before the network.

use std::collections::BTreeMap;

use aws_sdk_bedrock::{
    Client,
    config::Config,
    operation::create_model_customization_job::builders::CreateModelCustomizationJobFluentBuilder,
    types::{
        CustomizationConfig, CustomizationType, DistillationConfig, GraderConfig, InvocationLogSource,
        InvocationLogsConfig, LambdaGraderConfig, OutputDataConfig, ReasoningEffort, RftConfig, RftHyperParameters,
        Tag, TeacherModelConfig, TrainingDataConfig, ValidationDataConfig, Validator, VpcConfig,
    },
};
use aws_smithy_types::{error::operation::BuildError, retry::RetryConfig};

use crate::caught::{Caught, no_credentials};
use crate::{CloudError, CloudErrorCode, CreateJob, Purpose, TrainingData};

pub(crate) const OPERATION: &str = "CreateModelCustomizationJob";

fn incomplete(error: &BuildError) -> CloudError {
    CloudError::new(OPERATION, CloudErrorCode::Validation, error.to_string())
}

pub(crate) fn request(client: &Client, job: CreateJob) -> Result<CreateModelCustomizationJobFluentBuilder, CloudError> {
    let validation = match job.validation_uri {
        None => None,
        Some(uri) => {
            let validator = Validator::builder().s3_uri(uri).build().map_err(|error| incomplete(&error))?;
            Some(ValidationDataConfig::builder().validators(validator).build().map_err(|error| incomplete(&error))?)
        }
    };
    // Reinforcement has numbers of its own, and no map of texts beside them.
    let texts = (!matches!(job.purpose, Some(Purpose::Reinforcement { .. })))
        .then(|| job.hyperparameters.into_iter().collect());
    let vpc = job.vpc.map(|vpc| {
        let network = VpcConfig::builder().set_subnet_ids(Some(vpc.subnets));
        network.set_security_group_ids(Some(vpc.security_groups)).build().map_err(|error| incomplete(&error))
    });
    Ok(client
        .create_model_customization_job()
        .job_name(job.name)
        .custom_model_name(job.model_name)
        .role_arn(job.role_arn)
        .client_request_token(job.client_token)
        .base_model_identifier(job.base_model)
        .customization_type(CustomizationType::from(job.customization_type.as_str()))
        .set_custom_model_kms_key_id(job.kms_key)
        .set_job_tags(tags(job.job_tags)?)
        .set_custom_model_tags(tags(job.model_tags)?)
        .training_data_config(training(job.training)?)
        .set_validation_data_config(validation)
        .output_data_config(
            OutputDataConfig::builder().s3_uri(job.output_uri).build().map_err(|error| incomplete(&error))?,
        )
        .set_hyper_parameters(texts)
        .set_vpc_config(vpc.transpose()?)
        .set_customization_config(job.purpose.map(customization).transpose()?))
}

/// The body that would be sent.
pub(crate) async fn written(client: &Client, job: CreateJob) -> Result<String, CloudError> {
    let caught = Caught::default();
    let instead = Config::builder()
        .http_client(caught.client())
        .credentials_provider(no_credentials())
        .retry_config(RetryConfig::disabled());
    let answer = request(client, job)?.customize().config_override(instead).send().await;
    answer.map_err(CloudError::of(OPERATION))?;
    Ok(caught.text())
}

fn training(data: TrainingData) -> Result<TrainingDataConfig, CloudError> {
    let config = TrainingDataConfig::builder();
    match data {
        TrainingData::File(uri) => Ok(config.s3_uri(uri).build()),
        TrainingData::InvocationLogs { uri, with_answers } => {
            let logs = InvocationLogsConfig::builder()
                .use_prompt_response(with_answers)
                .invocation_log_source(InvocationLogSource::S3Uri(uri))
                .build();
            Ok(config.invocation_logs_config(logs).build())
        }
    }
}

fn tags(pairs: Vec<(String, String)>) -> Result<Option<Vec<Tag>>, CloudError> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let built = pairs.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    built.collect::<Result<_, _>>().map(Some).map_err(|error| incomplete(&error))
}

fn customization(purpose: Purpose) -> Result<CustomizationConfig, CloudError> {
    match purpose {
        Purpose::Distillation { teacher, longest_answer } => {
            let teacher = TeacherModelConfig::builder()
                .teacher_model_identifier(teacher)
                .set_max_response_length_for_inference(longest_answer)
                .build()
                .map_err(|error| incomplete(&error))?;
            let config = DistillationConfig::builder().teacher_model_config(teacher).build();
            Ok(CustomizationConfig::DistillationConfig(config))
        }
        Purpose::Reinforcement { grader_arn, hyperparameters } => {
            let lambda =
                LambdaGraderConfig::builder().lambda_arn(grader_arn).build().map_err(|error| incomplete(&error))?;
            let numbers = rft(&hyperparameters)?;
            let config =
                RftConfig::builder().grader_config(GraderConfig::LambdaGrader(lambda)).hyper_parameters(numbers);
            Ok(CustomizationConfig::RftConfig(config.build()))
        }
    }
}

fn rft(given: &BTreeMap<String, String>) -> Result<RftHyperParameters, CloudError> {
    fn number<T: std::str::FromStr>(given: &BTreeMap<String, String>, key: &str) -> Result<Option<T>, CloudError> {
        let Some(text) = given.get(key) else { return Ok(None) };
        let refused =
            || CloudError::new(OPERATION, CloudErrorCode::Validation, format!("{key} is not a number: {text}"));
        text.parse().map(Some).map_err(|_| refused())
    }
    let effort = given.get("reasoningEffort").map(|text| ReasoningEffort::from(text.as_str()));
    Ok(RftHyperParameters::builder()
        .set_epoch_count(number(given, "epochCount")?)
        .set_batch_size(number(given, "batchSize")?)
        .set_learning_rate(number(given, "learningRate")?)
        .set_max_prompt_length(number(given, "maxPromptLength")?)
        .set_training_sample_per_prompt(number(given, "trainingSamplePerPrompt")?)
        .set_inference_max_tokens(number(given, "inferenceMaxTokens")?)
        .set_reasoning_effort(effort)
        .set_eval_interval(number(given, "evalInterval")?)
        .build())
}
