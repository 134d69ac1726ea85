//! Model customization jobs: create, look, list, stop.

use std::{collections::BTreeMap, time::SystemTime};

use aws_sdk_bedrock::{
    operation::get_model_customization_job::GetModelCustomizationJobOutput,
    types::{JobStatusDetails, ModelCustomizationJobSummary, SortJobsBy, SortOrder, StatusDetails},
};
use aws_smithy_types::DateTime;

use crate::{
    Cloud, CloudError, CloudErrorCode, S3Uri, create,
    spelled::{spelled, time},
};

/// What a new job is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateJob {
    pub name: String,
    /// The name of the custom model that the job makes.
    pub model_name: String,
    pub role_arn: String,
    /// Id or ARN of a foundation model, or ARN of a custom model to tune further.
    pub base_model: String,
    /// In AWS's spelling, `FINE_TUNING` for instance.
    pub customization_type: String,
    pub hyperparameters: BTreeMap<String, String>,
    pub training: TrainingData,
    pub validation_uri: Option<String>,
    /// `s3://bucket/folder/`
    pub output_uri: String,
    /// What distillation and reinforcement need beside the hyperparameters.
    pub purpose: Option<Purpose>,
    /// A key's ARN, id or alias; none for a key of AWS's own.
    pub kms_key: Option<String>,
    pub vpc: Option<Vpc>,
    pub job_tags: Vec<(String, String)>,
    pub model_tags: Vec<(String, String)>,
    /// The same token makes the same job, however often it is sent: write it down before the call.
    pub client_token: String,
}

/// What a job is trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainingData {
    /// `s3://bucket/key`
    File(String),
    /// Calls that Bedrock logged: their prompts, or their answers too.
    InvocationLogs { uri: String, with_answers: bool },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    Distillation {
        teacher: String,
        /// Tokens.
        longest_answer: Option<i32>,
    },
    Reinforcement {
        grader_arn: String,
        /// As text, like all hyperparameters; sent as the numbers that this one place of the API takes.
        hyperparameters: BTreeMap<String, String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
}

spelled! {
    /// How far a job is. There is no state of waiting: a job that waits is `InProgress` and its phases are `NotStarted`.
    JobStatus { InProgress, Completed, Failed, Stopping, Stopped }
}

impl JobStatus {
    /// Nothing will change any more.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }
}

spelled! {
    /// How far one phase of a job is.
    PhaseStatus { NotStarted, InProgress, Completed, Stopping, Stopped, Failed }
}

/// One phase of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    pub status: Option<PhaseStatus>,
    pub created: Option<SystemTime>,
    pub modified: Option<SystemTime>,
}

/// The phases of a job in their order; each is there as soon as AWS tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phases {
    pub validation: Option<Phase>,
    pub data_processing: Option<Phase>,
    pub training: Option<Phase>,
}

/// All that is known of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub arn: String,
    pub name: String,
    pub status: JobStatus,
    /// Why it failed, in AWS's words.
    pub failure_message: Option<String>,
    pub phases: Phases,
    pub base_model_arn: String,
    pub customization_type: Option<String>,
    pub hyperparameters: BTreeMap<String, String>,
    pub output_model_name: String,
    /// There once the job has made its model.
    pub output_model_arn: Option<String>,
    pub role_arn: String,
    pub training_uri: Option<String>,
    pub validation_uris: Vec<String>,
    pub output_uri: Option<String>,
    pub client_token: Option<String>,
    pub created: Option<SystemTime>,
    pub modified: Option<SystemTime>,
    pub ended: Option<SystemTime>,
    /// At the end of the job.
    pub training_loss: Option<f32>,
    /// At the end of the job, one for each validation file.
    pub validation_losses: Vec<f32>,
}

impl Job {
    /// The last part of the ARN, which names the job's folder in the output location.
    pub fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }

    /// The folder of everything that the job leaves; none as long as no output location is told.
    ///
    /// # Errors
    /// `Validation` when the output location is not in S3.
    pub fn output_folder(&self) -> Result<Option<S3Uri>, CloudError> {
        let Some(output) = &self.output_uri else { return Ok(None) };
        let output = S3Uri::parse(output).ok_or_else(|| {
            CloudError::new("ListObjectsV2", CloudErrorCode::Validation, format!("\"{output}\" is not a place in S3"))
        })?;
        Ok(Some(output.child(&format!("model-customization-job-{}/", self.id()))))
    }
}

/// What the list of jobs tells of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    pub arn: String,
    pub name: String,
    pub status: JobStatus,
    pub phases: Phases,
    pub base_model_arn: String,
    pub customization_type: Option<String>,
    pub model_name: Option<String>,
    pub model_arn: Option<String>,
    pub created: Option<SystemTime>,
    pub modified: Option<SystemTime>,
    pub ended: Option<SystemTime>,
}

impl Cloud {
    /// Starts a job and gives its ARN.
    ///
    /// # Errors
    /// `Validation` for what Bedrock does not accept, `Conflict` when the name is taken, `QuotaExceeded` when too many jobs run.
    pub async fn create_job(&self, job: CreateJob) -> Result<String, CloudError> {
        let request = create::request(&self.bedrock, job)?;
        Ok(request.send().await.map_err(CloudError::of(create::OPERATION))?.job_arn)
    }

    /// The body of the request that [`Cloud::create_job`] would send, as JSON. Nothing is sent.
    ///
    /// # Errors
    /// `Validation` for a job that cannot be put into a request.
    pub async fn written_job(&self, job: CreateJob) -> Result<String, CloudError> {
        create::written(&self.bedrock, job).await
    }

    /// One job, by its name or ARN.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn job(&self, name_or_arn: &str) -> Result<Job, CloudError> {
        self.bedrock
            .get_model_customization_job()
            .job_identifier(name_or_arn)
            .send()
            .await
            .map(Job::from)
            .map_err(CloudError::of("GetModelCustomizationJob"))
    }

    /// All jobs of the account in this Region, the newest first; only those whose name contains the text, when one is given.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn jobs(&self, name_contains: Option<&str>) -> Result<Vec<JobSummary>, CloudError> {
        let mut pages = self
            .bedrock
            .list_model_customization_jobs()
            .set_name_contains(name_contains.map(str::to_owned))
            .sort_by(SortJobsBy::CreationTime)
            .sort_order(SortOrder::Descending)
            .into_paginator()
            .items()
            .send();
        let mut jobs = Vec::new();
        while let Some(summary) = pages.next().await {
            jobs.push(summary.map_err(CloudError::of("ListModelCustomizationJobs"))?.into());
        }
        Ok(jobs)
    }

    /// The tags of a job, by its ARN.
    ///
    /// # Errors
    /// `NotFound` when there is no such job.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, CloudError> {
        let tags = self.bedrock.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = tags.map_err(CloudError::of("ListTagsForResource"))?.tags.unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// Asks a job to stop. It is `Stopping` for a while; a job that was stopped leaves no model on AWS.
    ///
    /// # Errors
    /// `Conflict` when the job is over already.
    pub async fn stop_job(&self, name_or_arn: &str) -> Result<(), CloudError> {
        let stop = self.bedrock.stop_model_customization_job().job_identifier(name_or_arn);
        stop.send().await.map(drop).map_err(CloudError::of("StopModelCustomizationJob"))
    }
}

impl From<GetModelCustomizationJobOutput> for Job {
    fn from(job: GetModelCustomizationJobOutput) -> Self {
        // The shape allows an answer without a status; such a job is one that nothing is known of yet.
        let status =
            job.status.as_ref().map_or_else(|| JobStatus::Other(String::new()), |status| status.as_str().into());
        let validation_uris = job.validation_data_config.map(|config| config.validators).unwrap_or_default();
        Self {
            status,
            phases: phases(job.status_details.as_ref()),
            customization_type: job.customization_type.map(|kind| kind.as_str().to_owned()),
            hyperparameters: job.hyper_parameters.unwrap_or_default().into_iter().collect(),
            training_uri: job.training_data_config.and_then(|config| config.s3_uri),
            validation_uris: validation_uris.into_iter().map(|validator| validator.s3_uri).collect(),
            output_uri: job.output_data_config.map(|config| config.s3_uri),
            created: time(&job.creation_time),
            modified: job.last_modified_time.as_ref().and_then(time),
            ended: job.end_time.as_ref().and_then(time),
            training_loss: job.training_metrics.and_then(|metrics| metrics.training_loss),
            validation_losses: job
                .validation_metrics
                .unwrap_or_default()
                .into_iter()
                .filter_map(|metric| metric.validation_loss)
                .collect(),
            arn: job.job_arn,
            name: job.job_name,
            failure_message: job.failure_message,
            base_model_arn: job.base_model_arn,
            output_model_name: job.output_model_name,
            output_model_arn: job.output_model_arn,
            role_arn: job.role_arn,
            client_token: job.client_request_token,
        }
    }
}

impl From<ModelCustomizationJobSummary> for JobSummary {
    fn from(job: ModelCustomizationJobSummary) -> Self {
        Self {
            status: job.status.as_str().into(),
            phases: phases(job.status_details.as_ref()),
            customization_type: job.customization_type.map(|kind| kind.as_str().to_owned()),
            created: time(&job.creation_time),
            modified: job.last_modified_time.as_ref().and_then(time),
            ended: job.end_time.as_ref().and_then(time),
            arn: job.job_arn,
            name: job.job_name,
            base_model_arn: job.base_model_arn,
            model_name: job.custom_model_name,
            model_arn: job.custom_model_arn,
        }
    }
}

fn phases(details: Option<&StatusDetails>) -> Phases {
    let Some(details) = details else { return Phases::default() };
    Phases {
        validation: details
            .validation_details()
            .map(|phase| self::phase(phase.status(), phase.creation_time(), phase.last_modified_time())),
        data_processing: details
            .data_processing_details()
            .map(|phase| self::phase(phase.status(), phase.creation_time(), phase.last_modified_time())),
        training: details
            .training_details()
            .map(|phase| self::phase(phase.status(), phase.creation_time(), phase.last_modified_time())),
    }
}

fn phase(status: Option<&JobStatusDetails>, created: Option<&DateTime>, modified: Option<&DateTime>) -> Phase {
    Phase {
        status: status.map(|status| status.as_str().into()),
        created: created.and_then(time),
        modified: modified.and_then(time),
    }
}
