//! What is written down of a job: enough to find it again after any crash and never to create it twice.

use serde::{Deserialize, Serialize};
use whetstone_cloud::Metrics;
use whetstone_contract::{
    Deployment, DeploymentStatus, JobDraft, JobEvent, JobStatus, JobSummary, Phase, PhaseName, PhaseStatus,
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
    /// What starting it was said to cost; none where it was not known, or nothing is billed.
    #[serde(default)]
    pub cost_usd: Option<f64>,
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
    /// Found at the endpoint, not started here.
    #[serde(default)]
    pub elsewhere: bool,
    /// Of one epoch, counted or estimated when the job was planned; 0 where it is not known.
    #[serde(default)]
    pub training_tokens: u64,
    /// How many steps were done when this app looked: steps and milliseconds, the oldest first.
    #[serde(default)]
    pub looks: Vec<(f64, i64)>,
    #[serde(default)]
    pub events: Vec<JobEvent>,
    #[serde(default)]
    pub notes: String,
    /// Set of a job that was started to try another one first.
    #[serde(default)]
    pub rehearsal: Option<RehearsalRecord>,
    /// The job that this one was tried with first.
    #[serde(default)]
    pub rehearsed_by: Option<String>,
}

/// What a job was the rehearsal of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RehearsalRecord {
    /// Where the draft is to go afterwards, by id and by the name it had.
    pub connection: String,
    pub connection_name: String,
    /// As it stood in the wizard, with everything that belongs to that connection.
    pub draft: JobDraft,
}

/// Why a job is started, where that is told of it later.
#[derive(Default)]
pub struct Origin {
    pub rehearsal: Option<RehearsalRecord>,
    pub rehearsed_by: Option<String>,
}

/// More looks are thinned to every other one; a line of them stays as good on a screen.
const MOST_LOOKS: usize = 240;
/// More is not a log that anyone reads.
const MOST_EVENTS: usize = 400;

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
        if let Some(logs) = &self.draft.invocation_logs {
            return logs.uri.clone();
        }
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
            elsewhere: self.elsewhere,
        }
    }

    pub fn phase(&self, name: PhaseName) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// Notes that so many steps were done at this time.
    pub fn note_look(&mut self, steps: f64, at: i64) {
        if self.looks.last().is_some_and(|(known, _)| *known >= steps) {
            return;
        }
        if self.looks.len() >= MOST_LOOKS {
            let mut number = 0;
            self.looks.retain(|_| {
                number += 1;
                number % 2 == 0
            });
        }
        self.looks.push((steps, at));
    }

    pub fn note_event(&mut self, at: i64, text: impl Into<String>) {
        let text = text.into();
        // Trouble that goes on is one event, not one for each time it was met.
        if self.events.last().is_some_and(|last| last.text == text) {
            return;
        }
        if self.events.len() >= MOST_EVENTS {
            self.events.remove(0);
        }
        self.events.push(JobEvent { at, text });
    }

    /// When steps were done, in seconds since the training began: the looks of this app, and the ends of the phase as
    /// the endpoint tells them.
    pub fn time_of_steps(&self, metrics: &Metrics) -> Vec<(f64, f64)> {
        let training = self.phase(PhaseName::Training);
        let began = training.and_then(|phase| phase.started_at).unwrap_or(self.created_at);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a training fit in a double")]
        let seconds = |at: i64| (at - began).max(0) as f64 / 1000.0;
        let mut all = vec![(0.0, 0.0)];
        all.extend(self.looks.iter().map(|(steps, at)| (*steps, seconds(*at))));
        let ended = training.filter(|phase| phase.status != PhaseStatus::InProgress).and_then(|phase| phase.changed_at);
        if let (Some(last), Some(ended)) = (metrics.training.last(), ended) {
            all.push((last.step + 1.0, seconds(ended)));
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        // A clock that was set back must not make the line run backwards.
        let mut latest = 0.0_f64;
        for (_, at) in &mut all {
            latest = latest.max(*at);
            *at = latest;
        }
        all
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

/// What a change of the record means for a person who reads the log.
pub fn told_by_change(before: &JobRecord, after: &JobRecord) -> Vec<String> {
    let mut told = Vec::new();
    if before.arn.is_none()
        && let Some(arn) = &after.arn
    {
        told.push(format!("The endpoint accepted the job: {arn}"));
    }
    for phase in &after.phases {
        let known = before.phase(phase.name).map(|phase| phase.status);
        if known != Some(phase.status) && phase.status != PhaseStatus::NotStarted {
            told.push(format!("{}: {}", phase_in_words(phase.name), status_in_words(phase.status)));
        }
    }
    if before.status != after.status {
        let status = match after.status {
            JobStatus::Uploading => "The upload begins",
            JobStatus::InProgress => "The job is in progress",
            JobStatus::Completed => "The job is completed",
            JobStatus::Failed => "The job failed",
            JobStatus::Stopping => "The job is stopping",
            JobStatus::Stopped => "The job is stopped",
        };
        let why = after.failure.as_ref().filter(|_| after.status == JobStatus::Failed);
        told.push(why.map_or_else(|| status.to_owned(), |why| format!("{status}: {why}")));
    }
    let deployment = |job: &JobRecord| job.deployment.as_ref().map(|one| (one.attempt, one.status));
    if deployment(before) != deployment(after)
        && let Some(one) = &after.deployment
    {
        told.push(match one.status {
            DeploymentStatus::Creating => format!("A deployment is asked for: {}", one.name),
            DeploymentStatus::Active => format!("The deployment {} answers", one.name),
            DeploymentStatus::Deleted => format!("The deployment {} was deleted", one.name),
            DeploymentStatus::Failed => {
                format!(
                    "The deployment {} failed: {}",
                    one.name,
                    one.failure.as_deref().unwrap_or("no reason was given")
                )
            }
        });
    }
    told
}

fn phase_in_words(name: PhaseName) -> &'static str {
    match name {
        PhaseName::Validation => "Validation",
        PhaseName::DataProcessing => "Data processing",
        PhaseName::Training => "Training",
    }
}

fn status_in_words(status: PhaseStatus) -> &'static str {
    match status {
        PhaseStatus::NotStarted => "not started",
        PhaseStatus::InProgress => "in progress",
        PhaseStatus::Completed => "completed",
        PhaseStatus::Stopping => "stopping",
        PhaseStatus::Stopped => "stopped",
        PhaseStatus::Failed => "failed",
    }
}
