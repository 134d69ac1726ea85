//! One import job as it is remembered and as it is shown.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::iso8601;
use crate::paging::Listed;
use crate::state::Resource;
use crate::tags::Tag;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ImportStatus {
    InProgress,
    Completed,
    Failed,
}

impl ImportStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImportJob {
    pub(super) id: String,
    pub(crate) arn: String,
    pub(super) region: String,
    pub(super) name: String,
    /// The model that comes of it: named now, made on completion.
    pub(super) model_id: String,
    pub(super) model_arn: String,
    pub(super) model_name: String,
    pub(super) role_arn: String,
    pub(super) uri: String,
    pub(super) vpc: Option<Value>,
    pub(super) kms_key: Option<String>,
    pub(super) model_tags: Vec<Tag>,
    pub(super) status: ImportStatus,
    pub(super) failure: Option<String>,
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) ended: Option<i64>,
}

impl ImportJob {
    /// Ends the job.
    pub(super) fn end(&mut self, result: Result<(), String>, now: i64) {
        self.status = if result.is_ok() { ImportStatus::Completed } else { ImportStatus::Failed };
        self.failure = result.err().map(|why| why.chars().take(2048).collect());
        self.modified = now;
        self.ended = Some(now);
    }

    pub(super) fn view(&self) -> Value {
        let mut view = self.summary();
        view["roleArn"] = json!(self.role_arn);
        view["modelDataSource"] = source(&self.uri);
        if let Some(failure) = &self.failure {
            view["failureMessage"] = json!(failure);
        }
        if let Some(vpc) = &self.vpc {
            view["vpcConfig"] = vpc.clone();
        }
        if let Some(key) = self.kms_key.as_ref().filter(|key| key.contains(":key/")) {
            view["importedModelKmsKeyArn"] = json!(key);
        }
        view
    }

    pub(super) fn summary(&self) -> Value {
        let mut summary = json!({
            "jobArn": self.arn,
            "jobName": self.name,
            "importedModelName": self.model_name,
            "status": self.status.as_str(),
            "creationTime": iso8601(self.created),
            "lastModifiedTime": iso8601(self.modified),
        });
        if let Some(ended) = self.ended {
            summary["endTime"] = json!(iso8601(ended));
        }
        if self.status == ImportStatus::Completed {
            summary["importedModelArn"] = json!(self.model_arn);
        }
        summary
    }
}

/// A model's place in S3, as jobs and models alike show it.
pub(super) fn source(uri: &str) -> Value {
    json!({ "s3DataSource": { "s3Uri": uri } })
}

impl Resource for ImportJob {
    const KIND: &'static str = "model-import-job";
    fn id(&self) -> &str {
        &self.id
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn region(&self) -> &str {
        &self.region
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Listed for ImportJob {
    fn created(&self) -> i64 {
        self.created
    }
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
}
