//! What is written down of a job: enough to find it again after any crash and never to create it twice.

use serde::{Deserialize, Serialize};
use whetstone_contract::{
    Deployment, DeploymentStatus, JobDraft, JobStatus, JobSummary, Phase, PhaseName, PhaseStatus,
};

use crate::connections::THIS_COMPUTER;

/// Written before the first call, and after every change that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    pub id: String,
    pub created_at: i64,
    /// Where it was created, and where it goes on whichever connection is current.
    #[serde(default = "this_computer")]
    pub connection: String,
    #[serde(default)]
    pub connection_name: String,
    #[serde(default)]
    pub region: String,
    /// Unknown of jobs that were written down by an early version, all of which ran on this computer.
    #[serde(default)]
    pub account: Option<String>,
    pub draft: JobDraft,
    pub base_model_name: String,
    pub stand_in: bool,
    pub dataset_name: String,
    pub training_records: u64,
    pub validation_records: u64,
    pub hold_out_records: u64,
    /// Sent with the create call; the endpoint answers the same token with the same job.
    pub client_token: String,
    pub role_arn: String,
    pub bucket: String,
    pub training_key: String,
    pub validation_key: Option<String>,
    pub output_uri: String,
    pub arn: Option<String>,
    pub status: JobStatus,
    pub phases: Vec<Phase>,
    pub ended_at: Option<i64>,
    pub failure: Option<String>,
    pub failure_hint: Option<String>,
    pub output_model_arn: Option<String>,
    pub training_loss: Option<f64>,
    pub validation_loss: Option<f64>,
    pub deployment: Option<DeploymentRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeploymentRecord {
    pub name: String,
    pub client_token: String,
    /// A deployment that failed is tried again under a name and a token of its own.
    pub attempt: u32,
    pub arn: Option<String>,
    pub status: DeploymentStatus,
    pub failure: Option<String>,
}

impl DeploymentRecord {
    pub fn is_settled(&self) -> bool {
        self.status != DeploymentStatus::Creating
    }
}

impl JobRecord {
    pub fn training_uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.training_key)
    }

    pub fn validation_uri(&self) -> Option<String> {
        self.validation_key.as_ref().map(|key| format!("s3://{}/{key}", self.bucket))
    }

    /// Nothing will change any more unless the person asks for it.
    pub fn has_ended(&self) -> bool {
        matches!(self.status, JobStatus::Completed | JobStatus::Failed | JobStatus::Stopped)
    }

    pub fn is_deploying(&self) -> bool {
        self.deployment.as_ref().is_some_and(|deployment| !deployment.is_settled())
    }

    pub fn is_under_way(&self) -> bool {
        !self.has_ended() || self.is_deploying()
    }

    pub fn summary(&self) -> JobSummary {
        JobSummary {
            id: self.id.clone(),
            name: self.draft.job_name.clone(),
            arn: self.arn.clone(),
            base_model: self.draft.base_model.clone(),
            base_model_name: self.base_model_name.clone(),
            stand_in: self.stand_in,
            dataset_name: self.dataset_name.clone(),
            connection: self.connection.clone(),
            connection_name: self.connection_name.clone(),
            region: self.region.clone(),
            account: self.account.clone(),
            status: self.status,
            created_at: self.created_at,
            ended_at: self.ended_at,
            training_loss: self.training_loss,
            validation_loss: self.validation_loss,
        }
    }

    pub fn shown_deployment(&self) -> Option<Deployment> {
        self.deployment.as_ref().map(|deployment| Deployment {
            arn: deployment.arn.clone().unwrap_or_default(),
            name: deployment.name.clone(),
            status: deployment.status,
            failure: deployment.failure.clone(),
        })
    }
}

fn this_computer() -> String {
    THIS_COMPUTER.to_owned()
}

/// The three phases before anything is known about them.
pub fn phases_not_started() -> Vec<Phase> {
    [PhaseName::Validation, PhaseName::DataProcessing, PhaseName::Training]
        .map(|name| Phase { name, status: PhaseStatus::NotStarted, started_at: None, changed_at: None })
        .to_vec()
}
