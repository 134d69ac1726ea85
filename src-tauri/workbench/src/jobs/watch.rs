//! One poller a job, gentle: the older the job, the rarer the question. Bedrock has no waiters and no push.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::Rng;
use whetstone_cloud::{self as cloud, CloudError};
use whetstone_contract::{AppError, ErrorCode, JobDetail, JobStatus, Phase, PhaseName, PhaseStatus};

use super::record::JobRecord;
use crate::Workbench;
use crate::connections::Link;
use crate::errors::from_cloud;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A job is asked about after this share of its age: every second in the first minutes, every minute after an hour.
const SHARE_OF_AGE: u32 = 120;

impl Workbench {
    /// Follows a job until it has ended. Trouble on the way is waited out.
    pub(super) async fn watch(&self, id: &str) -> Result<(), AppError> {
        loop {
            match self.look(id).await {
                Ok(job) if job.has_ended() => return Ok(()),
                Ok(_) => {}
                Err(Look::Passing(reason)) => {
                    tracing::info!(job = id, reason, "the job could not be asked about");
                    let at = self.host.now_ms();
                    self.update_job(id, |job| {
                        job.note_event(at, format!("The endpoint could not be asked: {reason}"));
                    })?;
                }
                Err(Look::Final(error)) => return Err(error),
            }
            let age = self.host.now_ms().saturating_sub(self.jobs.get(id)?.created_at);
            tokio::time::sleep(pause(Duration::from_millis(u64::try_from(age).unwrap_or(0)))).await;
        }
    }

    /// Asks once, and writes down what is new.
    async fn look(&self, id: &str) -> Result<JobRecord, Look> {
        let known = self.jobs.get(id)?;
        // Asked for each time: the person may have signed in again since.
        let link = self.link_of_job(&known).await.map_err(|error| Look::Passing(error.to_string()))?;
        let arn = known.arn.as_deref().unwrap_or(&known.draft.job_name);
        let remote = link.cloud.job(arn).await?;
        let mut steps = None;
        if remote.phases.training.is_some() || remote.status.is_over() {
            // Loss files are documented for the end only; where they are there earlier, they are shown.
            match self.read_metrics(&link, id, &remote).await {
                Ok(true) => {
                    steps = self.jobs.last_metrics(id).and_then(|metrics| Some(metrics.training.last()?.step + 1.0));
                    self.job_changed(id);
                }
                Ok(false) => {}
                Err(error) => tracing::info!(job = id, %error, "the loss files could not be read"),
            }
        }
        let at = self.host.now_ms();
        let ended_before = known.has_ended();
        let job = self.update_job(id, |job| {
            if let Some(steps) = steps {
                job.note_look(steps, at);
            }
            take_over(job, &remote);
        })?;
        if job.has_ended() && !ended_before {
            self.tell_end(&job);
        }
        Ok(job)
    }

    /// Reads what is new in the loss files; says whether anything is.
    pub(super) async fn read_metrics(&self, link: &Link, id: &str, remote: &cloud::Job) -> Result<bool, CloudError> {
        let curves = self.jobs.curves.of(id);
        let mut reader = curves.reader.lock().await;
        let news = link.cloud.metrics_news(remote, &mut reader).await?;
        Ok(curves.take(news))
    }

    /// The desktop says that a job has ended, for whoever looks elsewhere meanwhile.
    pub(super) fn tell_end(&self, job: &JobRecord) {
        let (title, body) = match job.status {
            JobStatus::Completed => ("Training completed", "The tuned model can be deployed.".to_owned()),
            JobStatus::Stopped => ("Job stopped", "It left no model.".to_owned()),
            _ => ("Job failed", job.failure.clone().unwrap_or_default()),
        };
        self.host.notify(&format!("{title}: {}", job.draft.job_name), &body);
    }

    pub(crate) async fn stop(&self, id: &str) -> Result<JobDetail, AppError> {
        let job = self.jobs.get(id)?;
        if job.has_ended() {
            return Err(AppError::new(ErrorCode::Refused, "This job has already ended."));
        }
        match &job.arn {
            None => {
                let ended_at = self.host.now_ms();
                self.update_job(id, |job| {
                    job.status = JobStatus::Stopped;
                    job.ended_at = Some(ended_at);
                })?;
            }
            Some(arn) => {
                let link = self.link_of_job(&job).await?;
                link.cloud.stop_job(arn).await.map_err(|error| from_cloud(&error))?;
                let at = self.host.now_ms();
                self.update_job(id, |job| {
                    job.note_event(at, "A stop was asked for");
                    if !job.has_ended() {
                        job.status = JobStatus::Stopping;
                    }
                })?;
            }
        }
        self.job_detail(id).await
    }
}

enum Look {
    Passing(String),
    Final(AppError),
}

impl From<cloud::CloudError> for Look {
    fn from(error: cloud::CloudError) -> Self {
        // A job goes on at the endpoint whether or not this program may ask about it. Only a job that is gone has ended.
        if error.code == cloud::CloudErrorCode::NotFound {
            Self::Final(from_cloud(&error))
        } else {
            Self::Passing(error.to_string())
        }
    }
}

impl From<AppError> for Look {
    fn from(error: AppError) -> Self {
        Self::Final(error)
    }
}

/// With some jitter, so that pollers do not keep step.
fn pause(age: Duration) -> Duration {
    (age / SHARE_OF_AGE).clamp(SHORTEST, LONGEST).mul_f64(rand::rng().random_range(0.9..1.1))
}

pub(super) fn take_over(job: &mut JobRecord, remote: &cloud::Job) {
    job.arn = Some(remote.arn.clone());
    job.status = match &remote.status {
        cloud::JobStatus::Completed => JobStatus::Completed,
        cloud::JobStatus::Failed => JobStatus::Failed,
        cloud::JobStatus::Stopping => JobStatus::Stopping,
        cloud::JobStatus::Stopped => JobStatus::Stopped,
        // A state that is not known yet is not an end.
        cloud::JobStatus::InProgress | cloud::JobStatus::Other(_) => JobStatus::InProgress,
    };
    let phases = [
        (PhaseName::Validation, &remote.phases.validation),
        (PhaseName::DataProcessing, &remote.phases.data_processing),
        (PhaseName::Training, &remote.phases.training),
    ];
    job.phases = phases.map(|(name, phase)| show_phase(name, phase.as_ref())).to_vec();
    job.ended_at = remote.ended.map(milliseconds);
    job.failure.clone_from(&remote.failure_message);
    job.output_model_arn.clone_from(&remote.output_model_arn);
    job.training_loss = remote.training_loss.map(f64::from);
    job.validation_loss = remote.validation_losses.first().copied().map(f64::from);
}

fn show_phase(name: PhaseName, phase: Option<&cloud::Phase>) -> Phase {
    let status = match phase.and_then(|phase| phase.status.as_ref()) {
        Some(cloud::PhaseStatus::InProgress | cloud::PhaseStatus::Other(_)) => PhaseStatus::InProgress,
        Some(cloud::PhaseStatus::Completed) => PhaseStatus::Completed,
        Some(cloud::PhaseStatus::Stopping) => PhaseStatus::Stopping,
        Some(cloud::PhaseStatus::Stopped) => PhaseStatus::Stopped,
        Some(cloud::PhaseStatus::Failed) => PhaseStatus::Failed,
        Some(cloud::PhaseStatus::NotStarted) | None => PhaseStatus::NotStarted,
    };
    Phase {
        name,
        status,
        started_at: phase.and_then(|phase| phase.created).map(milliseconds),
        changed_at: phase.and_then(|phase| phase.modified).map(milliseconds),
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_job_is_asked_about_rarely_and_a_new_one_every_second() {
        assert!(pause(Duration::ZERO) < Duration::from_millis(1101));
        assert!(pause(Duration::from_secs(60 * 60)) > Duration::from_secs(26));
        assert!(pause(Duration::from_secs(24 * 60 * 60)) < Duration::from_secs(67));
    }
}
