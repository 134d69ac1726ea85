//! One customization job as it is remembered and as it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use whetstone_catalog::CustomizationType;
use whetstone_tuner::Approach;

use super::request::{InvocationLogs, Teacher, VpcConfig};
use crate::clock::iso8601;
use crate::ids::foundation_model_arn;
use crate::paging::Listed;
use crate::state::Resource;
use crate::tags::Tag;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum JobStatus {
    InProgress,
    Stopping,
    Completed,
    Failed,
    Stopped,
}

impl JobStatus {
    pub(crate) const ALL: [&'static str; 5] = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PhaseStatus {
    #[default]
    NotStarted,
    InProgress,
    Completed,
    Stopping,
    Stopped,
    Failed,
}

impl PhaseStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
        }
    }
}

/// One of a job's three phases. A phase that has not started has no times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phase {
    pub(crate) status: PhaseStatus,
    created: Option<i64>,
    modified: Option<i64>,
}

impl Phase {
    pub(crate) fn turn(&mut self, status: PhaseStatus, now: i64) {
        self.status = status;
        self.created.get_or_insert(now);
        self.modified = Some(now);
    }

    fn view(self) -> Value {
        let mut view = json!({ "status": self.status.as_str() });
        if let (Some(created), Some(modified)) = (self.created, self.modified) {
            view["creationTime"] = json!(iso8601(created));
            view["lastModifiedTime"] = json!(iso8601(modified));
        }
        view
    }
}

/// Names of the phases, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhaseName {
    Validation,
    DataProcessing,
    Training,
}

/// What a request asked for and what shows in answers unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) role_arn: String,
    pub(crate) customization_type: String,
    /// The data set, or the folder of the invocation logs.
    pub(crate) training_uri: String,
    #[serde(default)]
    pub(crate) logs: Option<InvocationLogs>,
    #[serde(default)]
    pub(crate) teacher: Option<Teacher>,
    /// Which weights of a stand-in are trained, where the job says so.
    #[serde(default)]
    pub(crate) approach: Option<Approach>,
    #[serde(default, alias = "validation_uri", deserialize_with = "several")]
    pub(crate) validation_uris: Vec<String>,
    pub(crate) output_uri: String,
    pub(crate) hyperparameters: BTreeMap<String, String>,
    pub(crate) client_token: Option<String>,
    pub(crate) kms_key: Option<String>,
    pub(crate) vpc: Option<VpcConfig>,
    pub(crate) model_tags: Vec<Tag>,
}

impl Asked {
    /// The data configurations and what the kind of training needs, as jobs and custom models alike show them.
    pub(crate) fn data_view(&self, view: &mut Value) {
        let validators: Vec<Value> = self.validation_uris.iter().map(|uri| json!({ "s3Uri": uri })).collect();
        view["trainingDataConfig"] = match &self.logs {
            Some(logs) => json!({ "invocationLogsConfig": logs }),
            None => json!({ "s3Uri": self.training_uri }),
        };
        if let Some(teacher) = &self.teacher {
            view["customizationConfig"] = json!({ "distillationConfig": { "teacherModelConfig": teacher } });
        }
        view["validationDataConfig"] = json!({ "validators": validators });
        view["outputDataConfig"] = json!({ "s3Uri": self.output_uri });
    }
}

/// The losses of a finished training: of validation, one for each validator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Losses {
    pub(crate) training: f64,
    #[serde(default, deserialize_with = "several")]
    pub(crate) validation: Vec<f64>,
}

impl Losses {
    pub(crate) fn view(&self, view: &mut Value) {
        view["trainingMetrics"] = json!({ "trainingLoss": self.training });
        if !self.validation.is_empty() {
            let losses = self.validation.iter().map(|loss| json!({ "validationLoss": loss }));
            view["validationMetrics"] = losses.collect();
        }
    }
}

/// A list. Records of earlier versions hold one or none in its place.
fn several<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match Option::<Kept<T>>::deserialize(from)? {
        None => Vec::new(),
        Some(Kept::One(one)) => vec![one],
        Some(Kept::Many(many)) => many,
    })
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// The base model of the catalog whose rules count.
    pub(crate) base: String,
    /// The custom model whose weights are tuned further, when it is one.
    pub(crate) from_model: Option<String>,
    /// The custom model that comes of it: named now, made on completion.
    pub(crate) model_id: String,
    pub(crate) model_arn: String,
    pub(crate) model_name: String,
    pub(crate) asked: Asked,
    /// Model that is trained in the place of the base model.
    pub(crate) stand_in: Option<String>,
    pub(crate) status: JobStatus,
    pub(crate) validation: Phase,
    pub(crate) data_processing: Phase,
    pub(crate) training: Phase,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) failure: Option<String>,
    /// Known from the end of training on; shown when the job is completed.
    pub(crate) losses: Option<Losses>,
}

impl Job {
    /// Whether it learns every token of plain texts, and not only answers.
    pub(crate) fn is_pretraining(&self) -> bool {
        self.asked.customization_type == CustomizationType::ContinuedPreTraining.as_str()
    }

    pub(crate) fn phase(&mut self, name: PhaseName) -> &mut Phase {
        match name {
            PhaseName::Validation => &mut self.validation,
            PhaseName::DataProcessing => &mut self.data_processing,
            PhaseName::Training => &mut self.training,
        }
    }

    /// Ends the job. Phases that were at work end with it.
    pub(crate) fn end(&mut self, status: JobStatus, failure: Option<String>, now: i64) {
        let of_phase = match status {
            JobStatus::Failed => PhaseStatus::Failed,
            JobStatus::Stopped => PhaseStatus::Stopped,
            _ => PhaseStatus::Completed,
        };
        for name in [PhaseName::Validation, PhaseName::DataProcessing, PhaseName::Training] {
            let phase = self.phase(name);
            if matches!(phase.status, PhaseStatus::InProgress | PhaseStatus::Stopping) {
                phase.turn(of_phase, now);
            }
        }
        self.status = status;
        self.failure = failure.map(|text| text.chars().take(2048).collect());
        self.modified = now;
        self.ended = Some(now);
    }

    pub(crate) fn base_arn(&self) -> String {
        foundation_model_arn(&self.region, &self.base)
    }

    fn status_details(&self) -> Value {
        json!({
            "validationDetails": self.validation.view(),
            "dataProcessingDetails": self.data_processing.view(),
            "trainingDetails": self.training.view(),
        })
    }

    pub(crate) fn view(&self) -> Value {
        let mut view = json!({
            "jobArn": self.arn,
            "jobName": self.name,
            "outputModelName": self.model_name,
            "roleArn": self.asked.role_arn,
            "status": self.status.as_str(),
            "statusDetails": self.status_details(),
            "creationTime": iso8601(self.created),
            "lastModifiedTime": iso8601(self.modified),
            "baseModelArn": self.base_arn(),
            "hyperParameters": self.asked.hyperparameters,
            "customizationType": self.asked.customization_type,
        });
        self.asked.data_view(&mut view);
        if let Some(ended) = self.ended {
            view["endTime"] = json!(iso8601(ended));
        }
        if let Some(token) = &self.asked.client_token {
            view["clientRequestToken"] = json!(token);
        }
        if let Some(failure) = &self.failure {
            view["failureMessage"] = json!(failure);
        }
        if let Some(key) = self.asked.kms_key.as_ref().filter(|key| key.starts_with("arn:")) {
            view["outputModelKmsKeyArn"] = json!(key);
        }
        if let Some(vpc) = &self.asked.vpc {
            view["vpcConfig"] = json!(vpc);
        }
        if self.status == JobStatus::Completed {
            view["outputModelArn"] = json!(self.model_arn);
            if let Some(losses) = &self.losses {
                losses.view(&mut view);
            }
        }
        view
    }

    pub(crate) fn summary(&self) -> Value {
        let mut summary = json!({
            "jobArn": self.arn,
            "baseModelArn": self.base_arn(),
            "jobName": self.name,
            "status": self.status.as_str(),
            "statusDetails": self.status_details(),
            "creationTime": iso8601(self.created),
            "lastModifiedTime": iso8601(self.modified),
            "customModelName": self.model_name,
            "customizationType": self.asked.customization_type,
        });
        if let Some(ended) = self.ended {
            summary["endTime"] = json!(iso8601(ended));
        }
        if self.status == JobStatus::Completed {
            summary["customModelArn"] = json!(self.model_arn);
        }
        summary
    }
}

impl Resource for Job {
    const KIND: &'static str = "customization-job";
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

impl Listed for Job {
    fn created(&self) -> i64 {
        self.created
    }
    fn status(&self) -> &'static str {
        self.status.as_str()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_kept_of_validation_is_read() {
        for (kept, expected) in [("null", vec![]), ("0.5", vec![0.5]), ("[0.5,1.5]", vec![0.5, 1.5])] {
            let losses: Losses = serde_json::from_str(&format!("{{\"training\":1.0,\"validation\":{kept}}}")).unwrap();
            assert_eq!(losses.validation, expected, "{kept}");
        }
    }
}
